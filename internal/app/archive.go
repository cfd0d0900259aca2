package app

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"time"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/clock"
)

// archiveTrail is `tianbao audit archive`: the records of before some months go into a
// file that verifies by itself, and the rest in the database goes on from there.
func (in *installation) archiveTrail(ctx context.Context, e env, path string, months int) error {
	switch {
	case path == "":
		return errors.New("请用 -o 给出归档文件，不能已经存在")
	case months < audit.MinKept:
		return fmt.Errorf("审计记录至少要保存 %d 个月（《网络安全法》第二十一条），请把 --months 改大", audit.MinKept)
	}
	kept, err := readCheckpoints(in.checkpoints)
	if err != nil {
		return err
	}
	f, err := newWhole(path, "归档文件")
	if err != nil {
		return err
	}
	before := clock.System().In(clock.Shanghai).AddDate(0, -months, 0)
	n, c, err := in.audit.Archive(ctx, before, f.line, f.keep, tianbao.Event{}, kept...)
	switch {
	case errors.Is(err, audit.ErrNothingOld):
		f.drop()
		return fmt.Errorf("没有 %s 以前的审计记录，什么也没有归档", before.Format(time.DateOnly))
	case err != nil:
		f.drop() // what is kept already stays: it is a right copy of what still is in the database
		return err
	}
	if err := appendCheckpoint(in.checkpoints, c); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(e.stdout, "已把 %s 以前的 %d 条审计记录归档到 %s，数据库里不再有这些记录。\nSHA-256 %s\n请把文件移到不可改写的介质上保存，文件里的姓名和用途仍用当时的密钥加密。校验：tianbao audit verify %s\n",
		before.Format(time.DateOnly), n, path, hex.EncodeToString(f.sum.Sum(nil)), path)
	return nil
}

// whole is a file that gets its name when all of it is on disk.
type whole struct {
	path, what string
	f          *os.File
	w          *bufio.Writer
	sum        hash.Hash
}

func newWhole(path, what string) (*whole, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("%s 已经存在，请换一个文件名", path)
	}
	f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("不能新建 %s，请换一个文件夹：%w", path, err)
	}
	return &whole{path: path, what: what, f: f, w: bufio.NewWriterSize(f, 1<<16), sum: sha256.New()}, nil
}

// Write implements io.Writer.
func (x *whole) Write(b []byte) (int, error) {
	_, _ = x.sum.Write(b) // never fails (hash.Hash)
	return x.w.Write(b)
}

// line adds a line.
func (x *whole) line(b []byte) error {
	_, err := x.Write(append(b, '\n'))
	return err
}

// keep returns when the file is on disk under its name, also after a power cut. A file
// that came to be there meanwhile stays as it is.
func (x *whole) keep() error {
	if err := errors.Join(x.w.Flush(), x.f.Sync(), x.f.Close()); err != nil {
		return fmt.Errorf("%s没有写完，请检查磁盘是否已满；数据库没有改动：%w", x.what, err)
	}
	if err := os.Link(x.path+".part", x.path); err != nil {
		return fmt.Errorf("不能新建 %s，数据库没有改动，请换一个文件名：%w", x.path, err)
	}
	if err := os.Remove(x.path + ".part"); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(x.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// drop removes what has no name yet.
func (x *whole) drop() {
	_ = x.f.Close()
	_ = os.Remove(x.path + ".part") // it is not there once it has its name
}
