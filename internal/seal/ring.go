package seal

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// What opening a sealed value can meet. None of them says what was inside.
var (
	// ErrOpen: the value was changed, or belongs to another place.
	ErrOpen = errors.New("seal: the value does not open here")
	// ErrFormat: the bytes are no sealed value.
	ErrFormat = errors.New("seal: not a sealed value")
	// ErrNoKey: the key that sealed the value is not on the ring.
	ErrNoKey = errors.New("seal: the key is not on the ring")
)

// The parts of a sealed value.
const (
	headSize  = 1 + 4
	nonceSize = 12
	tagSize   = 16
	// Overhead is how many bytes a sealed value is longer than the plain one.
	Overhead = headSize + nonceSize + tagSize
)

// Sealer seals and opens values. [Ring] is the one kept in a file; a key service
// would be another.
type Sealer interface {
	// Seal appends the sealed form of plain to dst.
	Seal(dst, plain, place []byte) []byte
	// Open appends the plain form of a sealed value to dst.
	Open(dst, sealed, place []byte) ([]byte, error)
	// Index returns 16 bytes by which equal values of a kind can be found.
	Index(kind, value string) []byte
	// Digest returns a keyed digest in hexadecimal.
	Digest(label string, data ...[]byte) string
	// Head returns the bytes with which every value begins that is sealed from now on.
	Head() []byte
}

// sealKey is one version of the sealing key.
type sealKey struct {
	id   uint32
	alg  Alg
	aead cipher.AEAD
}

// Ring holds the keys. It never changes after it was made and is safe for use by
// several goroutines.
type Ring struct {
	newest *sealKey
	byID   map[uint32]*sealKey
	index  *macPool
	digest *macPool
	file   keyFile
}

// New returns a ring whose keys follow from the secret alone, for tests and tools
// that need the same keys each time. The product uses [OpenFile].
func New(alg Alg, secret []byte) (*Ring, error) {
	if len(secret) == 0 {
		return nil, errors.New("seal: empty secret")
	}
	derive := func(label string, n int) ([]byte, error) {
		return hkdf.Key(sha256.New, secret, nil, "tianbao "+label, n)
	}
	key, err := derive("seal", alg.keySize())
	if err != nil {
		return nil, fmt.Errorf("seal: derive: %w", err)
	}
	index, err := derive("index", macSize)
	if err != nil {
		return nil, fmt.Errorf("seal: derive: %w", err)
	}
	digest, err := derive("digest", macSize)
	if err != nil {
		return nil, fmt.Errorf("seal: derive: %w", err)
	}
	return newRing(keyFile{
		Format: fileFormat, Version: fileVersion,
		Keys: []fileKey{{ID: 1, Alg: alg.String(), Key: key}},
		MAC:  alg.String(), Index: index, Digest: digest,
	})
}

// newRing checks the content of a key file and makes its ring.
func newRing(f keyFile) (*Ring, error) {
	r := &Ring{byID: make(map[uint32]*sealKey, len(f.Keys)), file: f}
	for _, k := range f.Keys {
		alg, err := ParseAlg(k.Alg)
		if err != nil {
			return nil, err
		}
		aead, err := alg.newAEAD(k.Key)
		if err != nil {
			return nil, err
		}
		if k.ID == 0 || r.byID[k.ID] != nil {
			return nil, errors.New("seal: key ids must be different and above zero")
		}
		key := &sealKey{id: k.ID, alg: alg, aead: aead}
		r.byID[k.ID] = key
		if r.newest == nil || key.id > r.newest.id {
			r.newest = key
		}
	}
	mac, err := ParseAlg(f.MAC)
	if err != nil {
		return nil, err
	}
	if r.newest == nil || len(f.Index) != macSize || len(f.Digest) != macSize {
		return nil, errors.New("seal: keys are missing")
	}
	r.index = newMACPool(mac, f.Index)
	r.digest = newMACPool(mac, f.Digest)
	return r, nil
}

// WithNewKey returns a ring that has one more sealing key, which seals from then
// on; all values sealed so far still open. Index and digest keys stay: their
// values are compared, so they change only together with what is stored.
func (r *Ring) WithNewKey(alg Alg) (*Ring, error) {
	f := r.file
	key, err := randomKey(alg)
	if err != nil {
		return nil, err
	}
	f.Keys = append(append([]fileKey(nil), f.Keys...), fileKey{ID: r.newest.id + 1, Alg: alg.String(), Key: key})
	return newRing(f)
}

// SigningSecret returns 32 secret bytes from which a signing key is made. They follow
// from the digest key and the label, so that a key file need not hold them.
func (r *Ring) SigningSecret(label string) ([]byte, error) {
	b, err := hkdf.Key(sha256.New, r.file.Digest, nil, "tianbao sign "+label, macSize)
	if err != nil {
		return nil, fmt.Errorf("seal: derive: %w", err)
	}
	return b, nil
}

// Place returns the associated data for a value in the column of a row of a table.
// The parts are joined by colons; only the last may contain one.
func Place(table, column, row string) []byte {
	return AppendPlace(make([]byte, 0, len(table)+len(column)+len(row)+2), table, column, row)
}

// AppendPlace appends to b what [Place] returns.
func AppendPlace(b []byte, table, column, row string) []byte {
	b = append(b, table...)
	b = append(b, ':')
	b = append(b, column...)
	b = append(b, ':')
	return append(b, row...)
}

// Seal appends the sealed form of plain to dst and returns the result. place is
// what [Place] gives for the cell. dst may not overlap plain.
func (r *Ring) Seal(dst, plain, place []byte) []byte {
	k := r.newest
	dst = append(dst, byte(k.alg))
	dst = binary.BigEndian.AppendUint32(dst, k.id)
	n := len(dst)
	dst = append(dst, make([]byte, nonceSize)...)
	_, _ = rand.Read(dst[n:]) // never fails (crypto/rand)
	return k.aead.Seal(dst, dst[n:n+nonceSize], plain, place)
}

// Open appends the plain form of a sealed value to dst and returns the result.
func (r *Ring) Open(dst, sealed, place []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return dst, ErrFormat
	}
	k := r.byID[binary.BigEndian.Uint32(sealed[1:])]
	if k == nil {
		return dst, ErrNoKey
	}
	// The first byte is not covered by the tag; a key has one algorithm only, so
	// the byte cannot choose another.
	if Alg(sealed[0]) != k.alg {
		return dst, ErrFormat
	}
	nonce := sealed[headSize : headSize+nonceSize]
	out, err := k.aead.Open(dst, nonce, sealed[headSize+nonceSize:], place)
	if err != nil {
		return dst, ErrOpen
	}
	return out, nil
}

// Head implements [Sealer]: the algorithm and the id of the newest key.
func (r *Ring) Head() []byte {
	return binary.BigEndian.AppendUint32([]byte{byte(r.newest.alg)}, r.newest.id)
}

// KeyID returns the id of the key that seals.
func (r *Ring) KeyID() uint32 { return r.newest.id }

// KeyIDOf returns the id of the key that sealed the value, 0 if it is none.
func KeyIDOf(sealed []byte) uint32 {
	if len(sealed) < Overhead {
		return 0
	}
	return binary.BigEndian.Uint32(sealed[1:])
}

// The methods that print have the value as receiver, so that a copied Ring hides its
// keys too.

// String names the newest key by its id and shows nothing of it.
func (r Ring) String() string {
	if r.newest == nil {
		return "[key ring]"
	}
	return "[key ring, " + r.newest.alg.String() + " key " + strconv.FormatUint(uint64(r.newest.id), 10) + "]"
}

// Format prints String whatever the verb.
func (r Ring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue logs String.
func (r Ring) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText writes String.
func (r Ring) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
