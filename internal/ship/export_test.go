package ship

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"

	"tianbao/internal/seal"
)

// Step ships what there is, as Run does.
func (s *Shipper) Step(ctx context.Context) error {
	err := s.step(ctx, false)
	if err != nil {
		s.failed(err)
	}
	return err
}

// End is the end of Run.
func (s *Shipper) End(ctx context.Context) error {
	err := s.step(ctx, true)
	s.endBase()
	return err
}

// Kill ends without a word, as the process does when it is killed.
func (s *Shipper) Kill() error {
	s.endBase()
	return s.log.Close()
}

// Join joins the small logs, however few.
func (s *Shipper) Join() error { return s.joinSmall() }

// Base makes a base now, and waits for it.
func (s *Shipper) Base(ctx context.Context) error {
	if err := s.startBase(ctx); err != nil {
		return err
	}
	m := <-s.making
	s.making <- m
	return s.finishBase()
}

// Line is the folder of the line.
func (s *Shipper) Line() string { return filepath.Join(s.o.Dir, s.line) }

// Files are those of all lines, below the folder.
func (a *Archive) Files() (names []string) {
	for _, l := range a.lines {
		for _, b := range l.bases {
			names = append(names, l.name+"/"+b.name)
		}
		for _, f := range l.logs {
			names = append(names, l.name+"/"+f.name)
		}
	}
	return names
}

// ReadAny reads bytes as a file of each kind.
func ReadAny(b []byte, s seal.Pieces) (frames int, err error) {
	for _, kind := range []string{kindLog, kindBase} {
		in, uerr := unpack(bytes.NewReader(b), "line", kind, s)
		if uerr != nil {
			return 0, uerr
		}
		if kind == kindLog {
			err = in.readLog(512, 0, 3, func(*entry) error { frames++; return nil })
		} else {
			_, err = in.readBase(&baseFile{at: time.UnixMicro(0)}, func(int) {}, func(uint32, []byte) error { frames++; return nil })
		}
		in.close()
		if err == nil {
			return frames, nil
		}
	}
	return frames, err
}

// PackPlain makes the content of a file of a kind from what is inside of it.
func PackPlain(kind string, plain []byte, s seal.Pieces) ([]byte, error) {
	id := make([]byte, idSize)
	var b bytes.Buffer
	b.WriteString(magic)
	b.Write(id)
	sealed := seal.NewStreamWriter(&b, s, placeIn("line", kind, id))
	z, err := zstd.NewWriter(sealed, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(window))
	if err != nil {
		return nil, err
	}
	_, err = z.Write(plain)
	err = errors.Join(err, z.Close(), sealed.Close())
	return b.Bytes(), err
}

// Check reads every file to its end and returns those that are damaged, by name.
func (a *Archive) Check(ctx context.Context) []error {
	var out []error
	for i := range a.lines {
		l := &a.lines[i]
		r := &restorer{ctx: ctx, a: a, l: l}
		for j := range l.bases {
			b := &l.bases[j]
			s := sums{}
			err := r.file(b.name, kindBase, func(in *inFile) error {
				digest, err := in.readBase(b, func(size int) { r.size = size }, func(page uint32, data []byte) error {
					s.all ^= sumOf(page, data)
					return ctx.Err()
				})
				if err == nil && digest != s.all {
					err = fmt.Errorf("its digest is another: %w", ErrFormat)
				}
				return err
			})
			if err != nil {
				out = append(out, err)
			}
		}
		for j := range l.logs {
			f := &l.logs[j]
			err := r.file(f.name, kindLog, func(in *inFile) error {
				return in.readLog(r.size, f.from, f.to, func(*entry) error { return ctx.Err() })
			})
			if errors.Is(err, fs.ErrNotExist) {
				err = nil // it was joined meanwhile
			}
			if err != nil {
				out = append(out, err)
			}
		}
	}
	return out
}
