package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

const (
	fileFormat  = "tianbao-keys"
	fileVersion = 1
	maxFile     = 1 << 20
)

// keyFile is the content of a key file.
type keyFile struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Keys    []fileKey `json:"keys"`
	MAC     string    `json:"mac"` // suite of index and digest
	Index   secret    `json:"index"`
	Digest  secret    `json:"digest"`
}

// fileKey is one sealing key of a key file.
type fileKey struct {
	ID   uint32 `json:"id"`
	Alg  string `json:"alg"`
	Key  secret `json:"key"`
	Made int64  `json:"made,omitempty"` // ms since 1970
}

// secret is a key. JSON writes it in base64, into the key file; whatever else
// prints it shows its length.
type secret []byte

// Format prints the length whatever the verb.
func (s secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "[%d secret bytes]", len(s)) }

// OpenFile reads the key file at path. With create set, a missing file is made
// with new random keys of the suite, readable by its owner only; the file and its
// directory entry are on disk when OpenFile returns, before anything can have been
// sealed. Its messages are for the operator, in Chinese, and never quote the file.
func OpenFile(path string, create bool, alg Alg) (*Ring, error) {
	r, err := readFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	if !create {
		return nil, fmt.Errorf("没有找到密钥文件 %s；没有它，已存的身份证号和电话打不开，请把备份的密钥文件放回原处：%w", path, fs.ErrNotExist)
	}
	if err := createFile(path, alg); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("不能建立密钥文件 %s，请检查目录是否可写、磁盘是否已满：%w", path, err)
	}
	// If another process was faster its file is the one.
	return readFile(path)
}

// Save writes the ring to a new file at path, as OpenFile does. It never
// overwrites a file.
func (r *Ring) Save(path string) error {
	b, err := json.MarshalIndent(r.file, "", "  ")
	if err != nil {
		return errors.New("seal: cannot encode the key file")
	}
	return writeNew(path, append(b, '\n'))
}

func readFile(path string) (*Ring, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, fmt.Errorf("不能读密钥文件 %s，请检查文件的属主和权限：%w", path, err)
	}
	defer f.Close()
	st, err := f.Stat() // of the opened file, so nobody can swap it in between
	if err != nil {
		return nil, fmt.Errorf("不能读密钥文件 %s：%w", path, err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("密钥文件 %s 不是普通文件，请检查路径。", path)
	}
	// Windows has no such bits; its access lists are the operator's part.
	if perm := st.Mode().Perm(); runtime.GOOS != "windows" && perm&0o077 != 0 {
		return nil, fmt.Errorf("密钥文件 %s 的权限是 %04o，其他用户也能读写；请执行 chmod 600 后再启动。", path, perm)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("不能读密钥文件 %s：%w", path, err)
	}
	r, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("密钥文件 %s 的内容不对，请放回备份的密钥文件：%w", path, err)
	}
	return r, nil
}

// parse reads the content of a key file. Errors of the JSON package are left out
// because they may quote the content.
func parse(b []byte) (*Ring, error) {
	if len(b) > maxFile {
		return nil, errors.New("seal: key file too large")
	}
	var f keyFile
	dec := json.NewDecoder(bytes.NewReader(b))
	if dec.Decode(&f) != nil {
		return nil, errors.New("seal: key file is not JSON")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("seal: key file goes on after its end")
	}
	if f.Format != fileFormat || f.Version != fileVersion {
		return nil, errors.New("seal: key file of an unknown format")
	}
	return newRing(f)
}

func randomKey(alg Alg) ([]byte, error) {
	if _, err := ParseAlg(alg.String()); err != nil {
		return nil, err
	}
	key := make([]byte, alg.keySize())
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return key, nil
}

func createFile(path string, alg Alg) error {
	key, err := randomKey(alg)
	if err != nil {
		return err
	}
	f := keyFile{
		Format: fileFormat, Version: fileVersion,
		Keys: []fileKey{{ID: 1, Alg: alg.String(), Key: key}},
		MAC:  alg.String(), Index: make([]byte, macSize), Digest: make([]byte, macSize),
	}
	_, _ = rand.Read(f.Index)
	_, _ = rand.Read(f.Digest)
	r, err := newRing(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return r.Save(path)
}

// writeNew puts a new file with mode 0600 at path, whole or not at all: it is
// written and synced under a name of its own, then linked to its place, which
// fails if that is taken (as O_EXCL would), and the directory is synced.
func writeNew(path string, content []byte) (err error) {
	tmp, err := writeTemp(filepath.Dir(path), content)
	if err != nil {
		return err
	}
	defer func() {
		if e := os.Remove(tmp); err == nil && e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = e
		}
	}()
	if err := os.Link(tmp, path); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes durable which files a folder has, where the system can.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && runtime.GOOS != "windows" {
		return err
	}
	return nil
}
