package ship

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tianbao/internal/seal"
)

// Restored is what was put back.
type Restored struct {
	// At is when the last commit was made that is in it; Base when the base copy was.
	At, Base time.Time
	// Line and Frame are its place in the record.
	Line   string
	Frame  int64
	Pages  int
	Digest string // the same as when it was shipped
}

// errEnough ends reading.
var errEnough = errors.New("ship: enough")

// Restore makes the database of a moment: all commits up to it and none after it. The file
// must not exist, and is removed again when anything fails. That its digest is the one that
// was shipped is seen before Restore returns. Errors are *OutsideError, *FileError, or of
// the disk.
func (a *Archive) Restore(ctx context.Context, at time.Time, path string) (_ *Restored, err error) {
	l, b, c, err := a.find(at)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	r := &restorer{ctx: ctx, a: a, l: l, f: f}
	out, err := r.run(b, c, at)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return out, seal.SyncDir(filepath.Dir(path))
}

type restorer struct {
	ctx    context.Context
	a      *Archive
	l      *line
	f      *os.File
	size   int // of a page
	pages  uint32
	sums   sums
	frame  int64 // what has been put in
	needed int64 // the first frame with a whole database
}

func (r *restorer) run(b *baseFile, c chain, at time.Time) (*Restored, error) {
	if err := r.file(b.name, kindBase, func(in *inFile) error { return r.base(in, b) }); err != nil {
		return nil, err
	}
	r.frame, r.needed = b.from, b.to
	last := b.at
	for i := range c.logs {
		f := &c.logs[i]
		stop := f.to
		if f.at.After(at) {
			var err error
			if stop, err = r.stop(f, at); err != nil {
				return nil, err
			}
		}
		if stop = max(stop, min(f.to, r.needed)); stop <= r.frame {
			break
		}
		if err := r.file(f.name, kindLog, func(in *inFile) error { return r.apply(in, f, stop, &last) }); err != nil {
			return nil, err
		}
		if stop < f.to {
			break
		}
	}
	if err := r.f.Truncate(int64(r.pages) * int64(r.size)); err != nil {
		return nil, err
	}
	if r.frame == b.to { // nothing after the base
		last = b.at
	}
	return &Restored{At: last, Base: b.at, Line: r.l.name, Frame: r.frame, Pages: int(r.pages), Digest: fmt.Sprintf("%016x", r.sums.all)}, nil
}

// file reads a file of the line; its errors bear its name.
func (r *restorer) file(name, kind string, fn func(*inFile) error) error {
	path := filepath.Join(r.a.dir, r.l.name, name)
	in, err := openFile(path, kind, r.a.s)
	if err == nil {
		err = fn(in)
		in.close()
	}
	var own *ownError
	if err == nil || errors.As(err, &own) || r.ctx.Err() != nil {
		return err
	}
	return &FileError{r.l.name + "/" + name, err}
}

// ownError is one of the disk that is written to.
type ownError struct{ error }

// Unwrap implements errors.
func (e *ownError) Unwrap() error { return e.error }

func (r *restorer) put(page uint32, data []byte) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	r.sums.set(page, data)
	if _, err := r.f.WriteAt(data, int64(page-1)*int64(r.size)); err != nil {
		return &ownError{err}
	}
	return nil
}

func (r *restorer) base(in *inFile, b *baseFile) error {
	digest, err := in.readBase(b, func(size int) { r.size = size }, func(page uint32, data []byte) error {
		r.pages = page
		return r.put(page, data)
	})
	if err == nil && digest != r.sums.all {
		err = fmt.Errorf("its digest is another: %w", ErrFormat)
	}
	return err
}

// stop finds the last frame of a log that was committed by a moment.
func (r *restorer) stop(f *logFile, at time.Time) (stop int64, err error) {
	stop = f.from
	err = r.file(f.name, kindLog, func(in *inFile) error {
		err := in.readLog(r.size, f.from, f.to, func(e *entry) error {
			if err := r.ctx.Err(); err != nil {
				return err
			}
			if e.pages == 0 {
				return nil
			}
			if e.at.After(at) {
				return errEnough
			}
			stop = e.n
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	})
	return stop, err
}

// apply puts in the frames of a log up to one that ends a commit.
func (r *restorer) apply(in *inFile, f *logFile, stop int64, last *time.Time) error {
	err := in.readLog(r.size, f.from, f.to, func(e *entry) error {
		switch {
		case e.n > stop:
			return errEnough
		case e.n <= r.frame:
			return nil
		}
		r.frame = e.n
		if err := r.put(e.page, e.data); err != nil || e.pages == 0 {
			return err
		}
		r.pages, *last = e.pages, e.at
		r.sums.cut(e.pages)
		if e.n >= r.needed && r.sums.all != e.digest {
			return fmt.Errorf("the digest after frame %d is another: %w", e.n, ErrFormat)
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
