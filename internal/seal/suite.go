package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
)

// Alg is an algorithm suite; its number is the first byte of what it seals.
type Alg byte

// The suites. Zero is none, so that a value of zeros never opens.
const (
	SM4 Alg = 1 // SM4-GCM, HMAC-SM3
	AES Alg = 2 // AES-256-GCM, HMAC-SHA-256
)

// String returns the name of the suite as the key file has it.
func (a Alg) String() string {
	switch a {
	case SM4:
		return "sm4-gcm"
	case AES:
		return "aes-256-gcm"
	}
	return fmt.Sprintf("alg-%d", byte(a))
}

// ParseAlg reads the name of a suite.
func ParseAlg(s string) (Alg, error) {
	for _, a := range []Alg{SM4, AES} {
		if a.String() == s {
			return a, nil
		}
	}
	return 0, errors.New("seal: unknown algorithm")
}

// keySize is the length of the suite's sealing key in bytes.
func (a Alg) keySize() int {
	if a == AES {
		return 32
	}
	return sm4.BlockSize
}

// macSize is the length of the suite's index and digest keys: the output length
// of the hash, as RFC 2104 §3 advises.
const macSize = 32

// newHash returns the suite's hash, for HMAC.
func (a Alg) newHash() func() hash.Hash {
	if a == AES {
		return sha256.New
	}
	return sm3.New
}

// newAEAD makes the suite's sealer for a key.
func (a Alg) newAEAD(key []byte) (cipher.AEAD, error) {
	if len(key) != a.keySize() {
		return nil, errors.New("seal: wrong key length")
	}
	var (
		block cipher.Block
		err   error
	)
	switch a {
	case SM4:
		block, err = sm4.NewCipher(key)
	case AES:
		block, err = aes.NewCipher(key)
	default:
		return nil, errors.New("seal: unknown algorithm")
	}
	if err != nil {
		return nil, errors.New("seal: the cipher refuses the key")
	}
	return cipher.NewGCM(block)
}
