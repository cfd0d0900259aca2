package seal

import (
	"crypto/hmac"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"sync"
)

// IndexSize is the length of a keyed index in bytes. 128 bits keep accidental
// equality out of reach for 10^8 values.
const IndexSize = 16

// macPool lends HMACs of one key. Building one anew costs two blocks more than
// resetting a used one.
type macPool struct{ pool sync.Pool }

func newMACPool(alg Alg, key []byte) *macPool {
	return &macPool{pool: sync.Pool{New: func() any { return hmac.New(alg.newHash(), key) }}}
}

func (p *macPool) get() hash.Hash {
	h := p.pool.Get().(hash.Hash)
	h.Reset()
	return h
}

func (p *macPool) put(h hash.Hash) { p.pool.Put(h) }

// writePart writes a part with its length before it, so that ("ab","c") and
// ("a","bc") never meet.
func writePart(h hash.Hash, b []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(b)))
	_, _ = h.Write(n[:])
	_, _ = h.Write(b)
}

// Index returns [IndexSize] bytes that are equal for equal values of the same
// kind and tell nothing else without the key. The value must be in normal form.
func (r *Ring) Index(kind, value string) []byte {
	h := r.index.get()
	defer r.index.put(h)
	writePart(h, []byte(kind))
	_, _ = h.Write([]byte(value))
	var sum [macSize]byte
	return h.Sum(sum[:0])[:IndexSize:IndexSize]
}

// Digest returns the keyed digest of the data as 64 hexadecimal digits. Digests
// of different labels never agree; the data count as one piece, however cut.
func (r *Ring) Digest(label string, data ...[]byte) string {
	d := r.NewDigest(label)
	for _, b := range data {
		_, _ = d.Write(b)
	}
	return d.Hex()
}

// Digester takes data piece by piece and gives their keyed digest.
type Digester struct {
	pool *macPool
	h    hash.Hash
}

// NewDigest returns a Digester for the label; what it gives equals [Ring.Digest]
// of the same bytes.
func (r *Ring) NewDigest(label string) *Digester {
	d := &Digester{pool: r.digest, h: r.digest.get()}
	writePart(d.h, []byte(label))
	return d
}

// Write adds data; it never fails.
func (d *Digester) Write(b []byte) (int, error) { return d.h.Write(b) }

// Hex returns the digest as 64 hexadecimal digits and ends the Digester, which
// must not be used again.
func (d *Digester) Hex() string {
	var sum [macSize]byte
	s := hex.EncodeToString(d.h.Sum(sum[:0]))
	d.pool.put(d.h)
	d.h = nil
	return s
}
