package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// PieceSize is how much of a stream is sealed at once; a reader holds one piece.
const PieceSize = 1 << 20

// ErrStream: a sealed stream was cut short or changed, or is another one.
var ErrStream = errors.New("seal: not a whole sealed stream")

// Pieces seals and opens pieces of a stream; a [Ring] and a [Live] do.
type Pieces interface {
	Seal(dst, plain, place []byte) []byte
	Open(dst, sealed, place []byte) ([]byte, error)
}

// PlaceOf binds piece n of a stream to the stream, its number, and to being the last.
type PlaceOf func(n uint64, last bool) []byte

// PieceName is the part of a [PlaceOf] that tells pieces of one stream apart.
func PieceName(n uint64, last bool) string {
	if last {
		return strconv.FormatUint(n, 10) + ":last"
	}
	return strconv.FormatUint(n, 10) + ":more"
}

// StreamWriter seals what it is given piece by piece. A stream is pieces, each with its
// length in front (4 bytes, big endian).
type StreamWriter struct {
	w     io.Writer
	s     Pieces
	place PlaceOf
	n     uint64
	buf   []byte
	out   []byte
}

// NewStreamWriter returns a StreamWriter that writes to w.
func NewStreamWriter(w io.Writer, s Pieces, place PlaceOf) *StreamWriter {
	return &StreamWriter{w: w, s: s, place: place}
}

// Write implements io.Writer. A full piece is written when more comes, as only then it is
// known not to be the last.
func (x *StreamWriter) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if len(x.buf) == PieceSize {
			if err := x.piece(false); err != nil {
				return 0, err
			}
		}
		n := min(PieceSize-len(x.buf), len(p))
		x.buf = append(x.buf, p[:n]...)
		p = p[n:]
	}
	return written, nil
}

func (x *StreamWriter) piece(last bool) error {
	x.out = x.s.Seal(append(x.out[:0], 0, 0, 0, 0), x.buf, x.place(x.n, last))
	binary.BigEndian.PutUint32(x.out, uint32(len(x.out)-4)) //nolint:gosec // at most PieceSize and the overhead
	x.buf = x.buf[:0]
	x.n++
	_, err := x.w.Write(x.out)
	return err
}

// Close writes the last piece; it does not close what is written to.
func (x *StreamWriter) Close() error { return x.piece(true) }

// StreamReader reads what a [StreamWriter] wrote. Its errors wrap [ErrStream] or
// [ErrNoKey], whatever the reader below says.
type StreamReader struct {
	r     io.Reader
	s     Pieces
	place PlaceOf
	n     uint64
	buf   []byte // what is left of the piece
	room  []byte
	last  bool
}

// NewStreamReader returns a StreamReader that reads from r.
func NewStreamReader(r io.Reader, s Pieces, place PlaceOf) *StreamReader {
	return &StreamReader{r: r, s: s, place: place}
}

// Read implements io.Reader. It gives io.EOF only after the piece that was sealed as the
// last, and only if nothing follows it.
func (x *StreamReader) Read(p []byte) (int, error) {
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

func (x *StreamReader) next() error {
	var head [4]byte
	if _, err := io.ReadFull(x.r, head[:]); err != nil {
		return fmt.Errorf("cut short: %w", errors.Join(ErrStream, err))
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > PieceSize+Overhead {
		return fmt.Errorf("a piece of %d bytes: %w", size, ErrStream)
	}
	sealed := make([]byte, size)
	if _, err := io.ReadFull(x.r, sealed); err != nil {
		return fmt.Errorf("cut short: %w", errors.Join(ErrStream, err))
	}
	plain, err := x.s.Open(x.room[:0], sealed, x.place(x.n, false))
	if errors.Is(err, ErrOpen) {
		plain, err = x.s.Open(x.room[:0], sealed, x.place(x.n, true))
		x.last = err == nil
	}
	switch {
	case errors.Is(err, ErrNoKey):
		return ErrNoKey
	case err != nil:
		return fmt.Errorf("piece %d: %w", x.n, ErrStream)
	}
	if x.last {
		if n, _ := io.ReadFull(x.r, head[:1]); n > 0 {
			return fmt.Errorf("more after the end: %w", ErrStream)
		}
	}
	x.n++
	x.buf, x.room = plain, plain
	return nil
}
