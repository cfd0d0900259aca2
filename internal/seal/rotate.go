package seal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Rotate puts one more sealing key into the key file. Programs that follow the file
// ([Live]) seal with it from then on; the older keys stay and open what they sealed.
func Rotate(path string, alg Alg, now time.Time) (*Ring, error) {
	return edit(path, func(r *Ring) (*Ring, error) {
		next, err := r.WithNewKey(alg)
		if err != nil {
			return nil, err
		}
		next.file.Keys[len(next.file.Keys)-1].Made = now.UnixMilli()
		return next, nil
	})
}

// Retire takes a sealing key out of the key file and writes the ring as it was to a
// new file at kept, for whoever must open an old backup. The caller has made sure that
// nothing is sealed with the key any more.
func Retire(path string, id uint32, kept string) (*Ring, error) {
	return edit(path, func(r *Ring) (*Ring, error) {
		f := r.file
		f.Keys = slices.DeleteFunc(slices.Clone(f.Keys), func(k fileKey) bool { return k.ID == id })
		switch {
		case len(f.Keys) == len(r.file.Keys):
			return nil, fmt.Errorf("密钥文件里没有第 %d 号密钥，可用 tianbao keys status 查看", id)
		case id == r.newest.id:
			return nil, fmt.Errorf("第 %d 号密钥正在使用，不能停用；请先执行 tianbao keys rotate", id)
		}
		next, err := newRing(f)
		if err != nil {
			return nil, err
		}
		if err := r.Save(kept); err != nil {
			return nil, fmt.Errorf("不能把旧密钥留存到 %s，请换一个还没有的文件名：%w", kept, err)
		}
		return next, nil
	})
}

// edit replaces the key file by another of the same house. Two edits at once would lose
// one of the new keys, and with it what it sealed, so a file beside it keeps others out.
func edit(path string, change func(*Ring) (*Ring, error)) (_ *Ring, err error) {
	lock := path + ".lock"
	f, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("另一个命令正在改密钥文件；如果确定没有，请删除 %s 再试：%w", lock, err)
		}
		return nil, fmt.Errorf("不能改密钥文件 %s，请检查目录是否可写：%w", path, err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(lock)) }()
	r, err := readFile(path)
	if err != nil {
		return nil, err
	}
	next, err := change(r)
	if err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(next.file, "", "  ")
	if err != nil {
		return nil, errors.New("seal: cannot encode the key file")
	}
	if err := replaceFile(path, append(b, '\n')); err != nil {
		return nil, fmt.Errorf("不能改写密钥文件 %s，原来的还在；请检查目录是否可写、磁盘是否已满：%w", path, err)
	}
	return next, nil
}

// replaceFile puts new content in the place of a file: at any moment, also after a
// power cut, either the old or the new stands there whole.
func replaceFile(path string, content []byte) (err error) {
	tmp, err := writeTemp(filepath.Dir(path), content)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return SyncDir(filepath.Dir(path))
}

// writeTemp writes and syncs a new file with mode 0600 in dir and returns its name.
func writeTemp(dir string, content []byte) (name string, err error) {
	f, err := os.CreateTemp(dir, ".tianbao-keys-*") // O_EXCL, 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(0o600) // a umask may have taken bits away
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}
