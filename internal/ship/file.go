package ship

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"tianbao/internal/seal"
)

const (
	magic  = "TIANBAO-SHIP-1\n"
	idSize = 16
	// window is how far back zstd looks, and what a reader holds: successive states of a
	// page are much the same.
	window = 1 << 20
)

// The kinds of files.
const (
	kindBase  = "base"
	kindLog   = "log"
	kindState = "state"
)

// partSuffix is what the name of a file ends with while it is written.
const partSuffix = ".part"

// ErrFormat: a file is damaged, cut short, or not what its name says.
var ErrFormat = errors.New("ship: not a whole file")

func placeIn(line, kind string, id []byte) seal.PlaceOf {
	return func(n uint64, last bool) []byte {
		return seal.Place("ship-"+kind, line, hex.EncodeToString(id)+":"+seal.PieceName(n, last))
	}
}

// packer makes files.
type packer struct {
	s seal.Pieces
	z *zstd.Encoder
}

func newPacker(s seal.Pieces) (*packer, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(window))
	return &packer{s, z}, err
}

// outFile is a file that is being written. What fails on the way is told by finish.
type outFile struct {
	*bufio.Writer // what goes in
	dir, part     string
	f             *os.File
	below         *bufio.Writer
	sealed        *seal.StreamWriter
	z             *zstd.Encoder
	n             *counter
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// create begins a file of a kind in a line's folder. No two are written there under one
// part name at the same time.
func (p *packer) create(dir, part, kind string) (*outFile, error) {
	o := &outFile{dir: dir, part: filepath.Join(dir, part+partSuffix), z: p.z}
	var err error
	if o.f, err = os.OpenFile(o.part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	o.n = &counter{w: o.f}
	o.below = bufio.NewWriterSize(o.n, 1<<16)
	id := make([]byte, idSize)
	_, _ = rand.Read(id)                               // never fails (crypto/rand)
	_, _ = o.below.Write(append([]byte(magic), id...)) // finish tells
	o.sealed = seal.NewStreamWriter(o.below, p.s, placeIn(filepath.Base(dir), kind, id))
	o.z.Reset(o.sealed)
	o.Writer = bufio.NewWriterSize(o.z, 1<<16)
	return o, nil
}

// finish returns when the file is on the disk under its name, with its size.
func (o *outFile) finish(name string) (int64, error) {
	err := o.Flush()
	for _, step := range []func() error{o.z.Close, o.sealed.Close, o.below.Flush, o.f.Sync} {
		if err == nil {
			err = step()
		}
	}
	if err = errors.Join(err, o.f.Close()); err == nil {
		err = os.Rename(o.part, filepath.Join(o.dir, name))
	}
	if err != nil {
		_ = os.Remove(o.part) // the next one would be written over it
		return 0, err
	}
	return o.n.n, seal.SyncDir(o.dir)
}

// drop removes a file that is not to be.
func (o *outFile) drop() {
	_ = o.f.Close()
	_ = os.Remove(o.part)
}

// inFile is a file that is being read.
type inFile struct {
	*bufio.Reader
	f *os.File
	z *zstd.Decoder
}

func openFile(path, kind string, s seal.Pieces) (*inFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	in, err := unpack(bufio.NewReaderSize(f, 1<<16), filepath.Base(filepath.Dir(path)), kind, s)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	in.f = f
	return in, nil
}

// unpack reads the beginning of a file.
func unpack(r io.Reader, line, kind string, s seal.Pieces) (*inFile, error) {
	head := make([]byte, len(magic)+idSize)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(magic)]) != magic {
		return nil, fmt.Errorf("no beginning: %w", errors.Join(ErrFormat, err))
	}
	sealed := seal.NewStreamReader(r, s, placeIn(line, kind, head[len(magic):]))
	// One goroutine and a window that is never exceeded: memory is bounded.
	z, err := zstd.NewReader(sealed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window))
	if err != nil {
		return nil, err
	}
	return &inFile{Reader: bufio.NewReaderSize(z, 1<<16), z: z}, nil
}

// ended tells whether nothing follows.
func (in *inFile) ended() error {
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return broken(fmt.Errorf("more after the end: %w", errors.Join(ErrFormat, err)))
	}
	return nil
}

func (in *inFile) close() {
	in.z.Close()
	if in.f != nil {
		_ = in.f.Close() // it was only read
	}
}

// broken says of whatever was met in a file that it is not whole, but of a key that the
// ring does not have.
func broken(err error) error {
	if err == nil || errors.Is(err, ErrFormat) || errors.Is(err, seal.ErrNoKey) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrFormat, err)
}
