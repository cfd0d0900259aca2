package seal

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Live is the ring of a key file that may get another key while the program runs. It
// is safe for use by several goroutines.
type Live struct {
	path string
	ring atomic.Pointer[Ring]
	mu   sync.Mutex // guards seen
	seen fileState
}

// fileState tells whether a file was replaced since it was read.
type fileState struct {
	info os.FileInfo
}

func (s fileState) same(info os.FileInfo) bool {
	return s.info != nil && os.SameFile(s.info, info) && s.info.Size() == info.Size() && s.info.ModTime().Equal(info.ModTime())
}

// OpenLive reads the key file as [OpenFile] does and follows it from then on.
func OpenLive(path string, create bool, alg Alg) (*Live, error) {
	r, err := OpenFile(path, create, alg)
	if err != nil {
		return nil, err
	}
	l := &Live{path: path}
	l.ring.Store(r)
	// What was read may be older than what is there now; Refresh reads it once more.
	return l, nil
}

// Ring returns the ring of this moment.
func (l *Live) Ring() *Ring { return l.ring.Load() }

// Refresh looks whether the key file was replaced and takes its keys. It reports
// whether another key seals from now on. Whatever is wrong with the new file, the keys
// of before stay in use.
func (l *Live) Refresh() (rotated bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	info, err := os.Stat(l.path)
	if err != nil {
		return false, fmt.Errorf("密钥文件 %s 不见了，仍在用已读入的密钥；请尽快从备份放回：%w", l.path, err)
	}
	if l.seen.same(info) {
		return false, nil
	}
	next, err := readFile(l.path)
	if err != nil {
		return false, err
	}
	now := l.ring.Load()
	if !now.sameMAC(next) {
		return false, fmt.Errorf("密钥文件 %s 换成了另一套密钥，仍在用已读入的密钥；请放回原来的密钥文件", l.path)
	}
	if next.newest.id < now.newest.id {
		return false, fmt.Errorf("密钥文件 %s 是轮换以前的，没有第 %d 号密钥；请放回最新的密钥文件，否则轮换以后保存的内容会打不开", l.path, now.newest.id)
	}
	l.ring.Store(next)
	l.seen = fileState{info}
	return next.newest.id != now.newest.id, nil
}

func (r *Ring) sameMAC(o *Ring) bool {
	return r.file.MAC == o.file.MAC && subtle.ConstantTimeCompare(r.file.Index, o.file.Index) == 1 &&
		subtle.ConstantTimeCompare(r.file.Digest, o.file.Digest) == 1
}

// Seal implements [Sealer].
func (l *Live) Seal(dst, plain, place []byte) []byte { return l.ring.Load().Seal(dst, plain, place) }

// Open implements [Sealer]. A value of an unknown key was sealed by a process that saw
// the new key file first, so the file is read again before the value is given up.
func (l *Live) Open(dst, sealed, place []byte) ([]byte, error) {
	out, err := l.ring.Load().Open(dst, sealed, place)
	if !errors.Is(err, ErrNoKey) {
		return out, err
	}
	if _, rerr := l.Refresh(); rerr != nil {
		return out, errors.Join(err, rerr)
	}
	return l.ring.Load().Open(dst, sealed, place)
}

// Index implements [Sealer].
func (l *Live) Index(kind, value string) []byte { return l.ring.Load().Index(kind, value) }

// Digest implements [Sealer].
func (l *Live) Digest(label string, data ...[]byte) string {
	return l.ring.Load().Digest(label, data...)
}

// Head implements [Sealer].
func (l *Live) Head() []byte { return l.ring.Load().Head() }

// KeyInfo is what may be told of a sealing key.
type KeyInfo struct {
	ID     uint32
	Alg    string
	Made   time.Time // zero for the first key of old files
	Newest bool
}

// Keys lists the sealing keys in the order of their age.
func (r *Ring) Keys() []KeyInfo {
	out := make([]KeyInfo, len(r.file.Keys))
	for i, k := range r.file.Keys {
		out[i] = KeyInfo{ID: k.ID, Alg: k.Alg, Newest: k.ID == r.newest.id}
		if k.Made != 0 {
			out[i].Made = time.UnixMilli(k.Made)
		}
	}
	return out
}
