package backup

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"tianbao/internal/seal"
)

const (
	magic  = "TIANBAO-BACKUP-1\n"
	idSize = 16
)

// Errors of reading a file. Both mean that nothing of it can be trusted.
var (
	// ErrFormat: it is no backup, or it is damaged or cut short.
	ErrFormat = errors.New("backup: not a whole backup")
	// ErrKey: it was sealed with a key that the ring does not have.
	ErrKey = errors.New("backup: sealed with another key")
)

// Sealer seals pieces, as [seal.Ring] does.
type Sealer = seal.Pieces

// placeIn binds a piece to its file, its number, and to being the last one or not.
func placeIn(id []byte) seal.PlaceOf {
	return func(n uint64, last bool) []byte {
		return seal.Place("backup", hex.EncodeToString(id), seal.PieceName(n, last))
	}
}

// newSealWriter writes the beginning of a file.
func newSealWriter(w io.Writer, s Sealer) (*seal.StreamWriter, error) {
	id := make([]byte, idSize)
	_, _ = rand.Read(id) // never fails (crypto/rand)
	_, err := w.Write(append([]byte(magic), id...))
	return seal.NewStreamWriter(w, s, placeIn(id)), err
}

func newSealReader(r io.Reader, s Sealer) (io.Reader, error) {
	head := make([]byte, len(magic)+idSize)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(magic)]) != magic {
		return nil, fmt.Errorf("no backup: %w", errors.Join(ErrFormat, err))
	}
	return ours{seal.NewStreamReader(r, s, placeIn(head[len(magic):]))}, nil
}

// ours gives the errors of a sealed stream the names that they have here.
type ours struct{ r io.Reader }

// Read implements io.Reader.
func (x ours) Read(p []byte) (int, error) {
	n, err := x.r.Read(p)
	switch {
	case errors.Is(err, seal.ErrNoKey):
		err = ErrKey
	case errors.Is(err, seal.ErrStream):
		err = fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return n, err
}
