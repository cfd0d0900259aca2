package ship

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"tianbao/internal/seal"
)

// entry is a frame in a log.
type entry struct {
	n    int64 // its number in the line
	page uint32
	data []byte // valid until the next
	// of the last frame of a commit
	pages  uint32
	at     time.Time
	digest uint64
}

const maxPages = 1<<32 - 2 // SQLite's own

func (o *outFile) uint(v uint64) {
	_, _ = o.Write(binary.AppendUvarint(o.AvailableBuffer(), v)) // finish tells
}

func (o *outFile) int(v int64) {
	_, _ = o.Write(binary.AppendVarint(o.AvailableBuffer(), v))
}

func (o *outFile) sum(v uint64) {
	_, _ = o.Write(binary.BigEndian.AppendUint64(o.AvailableBuffer(), v))
}

// logHead writes the beginning of a log of frames after from.
func (o *outFile) logHead(pageSize int, from int64) {
	_ = o.WriteByte('L')
	o.uint(uint64(pageSize)) //nolint:gosec // a size
	o.uint(uint64(from))     //nolint:gosec // a count
}

// frame writes an entry. Its error is that of the disk, where it is known already.
func (o *outFile) frame(e *entry) error {
	o.uint(uint64(e.page))
	o.uint(uint64(e.pages))
	if e.pages != 0 {
		o.int(e.at.UnixMicro())
		o.sum(e.digest)
	}
	_, err := o.Write(e.data)
	return err
}

// logEnd writes the end of a log.
func (o *outFile) logEnd(to int64) {
	o.uint(0)
	o.uint(uint64(to)) //nolint:gosec // a count
}

// number reads a whole number up to a limit.
func (in *inFile) number(limit uint64) (uint64, error) {
	v, err := binary.ReadUvarint(in)
	if err != nil {
		return 0, broken(err)
	}
	if v > limit {
		return 0, fmt.Errorf("a number %d: %w", v, ErrFormat)
	}
	return v, nil
}

func (in *inFile) sum() (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(in, b[:]); err != nil {
		return 0, broken(err)
	}
	return binary.BigEndian.Uint64(b[:]), nil
}

func (in *inFile) time() (time.Time, error) {
	v, err := binary.ReadVarint(in)
	return time.UnixMicro(v), broken(err)
}

// head reads the kind of a file and its page size.
func (in *inFile) head(kind byte) (int, error) {
	k, err := in.ReadByte()
	if err != nil {
		return 0, broken(err)
	}
	size, err := in.number(65536)
	if err != nil {
		return 0, err
	}
	if k != kind || size < 512 || size&(size-1) != 0 {
		return 0, fmt.Errorf("a file of kind %q with pages of %d: %w", k, size, ErrFormat)
	}
	return int(size), nil //nolint:gosec // bounded
}

const maxFrames = 1 << 56

// readLog reads a log to its end and gives its frames to fn.
func (in *inFile) readLog(pageSize int, from, to int64, fn func(*entry) error) error {
	size, err := in.head('L')
	if err != nil {
		return err
	}
	first, err := in.number(maxFrames)
	if err != nil {
		return err
	}
	if size != pageSize || int64(first) != from { //nolint:gosec // bounded
		return fmt.Errorf("pages of %d from frame %d: %w", size, first, ErrFormat)
	}
	e := &entry{n: from, data: make([]byte, size)}
	for {
		page, err := in.number(maxPages)
		if err != nil {
			return err
		}
		if page == 0 {
			end, err := in.number(maxFrames)
			if err != nil {
				return err
			}
			if int64(end) != to || e.n != to || e.pages == 0 { //nolint:gosec // bounded
				return fmt.Errorf("ends with frame %d instead of %d: %w", e.n, to, ErrFormat)
			}
			return in.ended()
		}
		if e.n >= to {
			return fmt.Errorf("more than %d frames: %w", to-from, ErrFormat)
		}
		e.n++
		e.page = uint32(page) //nolint:gosec // bounded
		pages, err := in.number(maxPages)
		if err != nil {
			return err
		}
		if e.pages = uint32(pages); pages != 0 { //nolint:gosec // bounded
			if e.at, err = in.time(); err != nil {
				return err
			}
			if e.digest, err = in.sum(); err != nil {
				return err
			}
		}
		if _, err := io.ReadFull(in, e.data); err != nil {
			return broken(err)
		}
		if err := fn(e); err != nil {
			return err
		}
	}
}

// baseHead writes the beginning of a base, which pages and their digest follow.
func (o *outFile) baseHead(b *baseFile, pageSize, pages int) {
	_ = o.WriteByte('B')
	o.uint(uint64(pageSize)) //nolint:gosec // sizes and counts
	o.uint(uint64(b.from))   //nolint:gosec // as above
	o.uint(uint64(b.to))     //nolint:gosec // as above
	o.int(b.at.UnixMicro())
	o.uint(uint64(pages)) //nolint:gosec // as above
}

// readBase reads a base to its end and gives its pages to fn; begin gets the page size.
func (in *inFile) readBase(b *baseFile, begin func(pageSize int), fn func(page uint32, data []byte) error) (digest uint64, err error) {
	size, err := in.head('B')
	if err != nil {
		return 0, err
	}
	from, err := in.number(maxFrames)
	if err != nil {
		return 0, err
	}
	to, err := in.number(maxFrames)
	if err != nil {
		return 0, err
	}
	at, err := in.time()
	if err != nil {
		return 0, err
	}
	pages, err := in.number(maxPages)
	if err != nil {
		return 0, err
	}
	if int64(from) != b.from || int64(to) != b.to || !at.Equal(b.at) { //nolint:gosec // bounded
		return 0, fmt.Errorf("a base of frames %d to %d: %w", from, to, ErrFormat)
	}
	begin(size)
	data := make([]byte, size)
	for page := range uint32(pages) { //nolint:gosec // bounded
		if _, err := io.ReadFull(in, data); err != nil {
			return 0, broken(err)
		}
		if err := fn(page+1, data); err != nil {
			return 0, err
		}
	}
	if digest, err = in.sum(); err != nil {
		return 0, err
	}
	return digest, in.ended()
}

// state is how far a line is known to reach.
type state struct {
	to    int64
	at    time.Time
	ended bool // in order
}

// putState writes the state of a line.
func (p *packer) putState(dir string, s state) error {
	o, err := p.create(dir, kindState, kindState)
	if err != nil {
		return err
	}
	_ = o.WriteByte('S') // finish tells
	o.uint(uint64(s.to)) //nolint:gosec // a count
	o.int(s.at.UnixMicro())
	end := byte(0)
	if s.ended {
		end = 1
	}
	_ = o.WriteByte(end)
	_, err = o.finish(kindState)
	return err
}

func readState(path string, pieces seal.Pieces) (s state, err error) {
	in, err := openFile(path, kindState, pieces)
	if err != nil {
		return s, err
	}
	defer in.close()
	kind, err := in.ReadByte()
	if err != nil || kind != 'S' {
		return s, broken(errors.Join(fmt.Errorf("no state: %w", ErrFormat), err))
	}
	to, err := in.number(maxFrames)
	if err != nil {
		return s, err
	}
	if s.at, err = in.time(); err != nil {
		return s, err
	}
	end, err := in.ReadByte()
	if err != nil {
		return s, broken(err)
	}
	s.to, s.ended = int64(to), end == 1 //nolint:gosec // bounded
	return s, in.ended()
}
