package backup

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"

	"tianbao/internal/seal"
)

const (
	magic = "TIANBAO-BACKUP-1\n"
	// pieceSize is how much is sealed at once; a reader holds one piece.
	pieceSize = 1 << 20
	idSize    = 16
)

// Errors of reading a file. Both mean that nothing of it can be trusted.
var (
	// ErrFormat: it is no backup, or it is damaged or cut short.
	ErrFormat = errors.New("backup: not a whole backup")
	// ErrKey: it was sealed with a key that the ring does not have.
	ErrKey = errors.New("backup: sealed with another key")
)

// Sealer seals pieces, as [seal.Ring] does.
type Sealer interface {
	Seal(dst, plain, place []byte) []byte
	Open(dst, sealed, place []byte) ([]byte, error)
}

// place binds a piece to its file, its number, and to being the last one or not.
func place(id []byte, n uint64, last bool) []byte {
	end := "more"
	if last {
		end = "last"
	}
	return seal.Place("backup", hex.EncodeToString(id), strconv.FormatUint(n, 10)+":"+end)
}

// sealWriter writes what it is given in sealed pieces.
type sealWriter struct {
	w   io.Writer
	s   Sealer
	id  []byte
	n   uint64
	buf []byte
	out []byte
}

// newSealWriter writes the beginning of a file.
func newSealWriter(w io.Writer, s Sealer) (*sealWriter, error) {
	x := &sealWriter{w: w, s: s, id: make([]byte, idSize), buf: make([]byte, 0, pieceSize)}
	_, _ = rand.Read(x.id) // never fails (crypto/rand)
	_, err := w.Write(append([]byte(magic), x.id...))
	return x, err
}

// Write implements io.Writer. A full piece is written when more comes, as only then it is
// known not to be the last.
func (x *sealWriter) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if len(x.buf) == pieceSize {
			if err := x.piece(false); err != nil {
				return 0, err
			}
		}
		n := min(pieceSize-len(x.buf), len(p))
		x.buf = append(x.buf, p[:n]...)
		p = p[n:]
	}
	return written, nil
}

func (x *sealWriter) piece(last bool) error {
	x.out = x.s.Seal(append(x.out[:0], 0, 0, 0, 0), x.buf, place(x.id, x.n, last))
	binary.BigEndian.PutUint32(x.out, uint32(len(x.out)-4)) //nolint:gosec // at most pieceSize and the overhead
	x.buf = x.buf[:0]
	x.n++
	_, err := x.w.Write(x.out)
	return err
}

// Close writes the last piece; it does not close what is written to.
func (x *sealWriter) Close() error { return x.piece(true) }

// sealReader reads what a sealWriter wrote.
type sealReader struct {
	r    io.Reader
	s    Sealer
	id   []byte
	n    uint64
	buf  []byte // what is left of the piece
	room []byte
	last bool
}

func newSealReader(r io.Reader, s Sealer) (*sealReader, error) {
	head := make([]byte, len(magic)+idSize)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(magic)]) != magic {
		return nil, fmt.Errorf("no backup: %w", errors.Join(ErrFormat, err))
	}
	return &sealReader{r: r, s: s, id: head[len(magic):]}, nil
}

// Read implements io.Reader. It gives io.EOF only after the piece that was sealed as the
// last, and only if nothing follows it.
func (x *sealReader) Read(p []byte) (int, error) {
	for len(x.buf) == 0 {
		if x.last {
			return 0, io.EOF
		}
		if err := x.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, x.buf)
	x.buf = x.buf[n:]
	return n, nil
}

func (x *sealReader) next() error {
	var head [4]byte
	if _, err := io.ReadFull(x.r, head[:]); err != nil {
		return fmt.Errorf("cut short: %w", errors.Join(ErrFormat, err))
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > pieceSize+seal.Overhead {
		return fmt.Errorf("a piece of %d bytes: %w", size, ErrFormat)
	}
	sealed := make([]byte, size)
	if _, err := io.ReadFull(x.r, sealed); err != nil {
		return fmt.Errorf("cut short: %w", errors.Join(ErrFormat, err))
	}
	plain, err := x.s.Open(x.room[:0], sealed, place(x.id, x.n, false))
	if errors.Is(err, seal.ErrOpen) {
		plain, err = x.s.Open(x.room[:0], sealed, place(x.id, x.n, true))
		x.last = err == nil
	}
	switch {
	case errors.Is(err, seal.ErrNoKey):
		return ErrKey
	case err != nil:
		return fmt.Errorf("piece %d: %w", x.n, ErrFormat)
	}
	if x.last {
		if n, _ := io.ReadFull(x.r, head[:1]); n > 0 {
			return fmt.Errorf("more after the end: %w", ErrFormat)
		}
	}
	x.n++
	x.buf, x.room = plain, plain
	return nil
}
