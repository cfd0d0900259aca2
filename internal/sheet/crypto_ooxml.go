package sheet

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1" //nolint:gosec // MS-OFFCRYPTO asks for it
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"strconv"
)

// errInfo is for a description of the encryption that makes no sense.
var errInfo = errors.New("sheet: EncryptionInfo malformed")

// standard is the encryption of Office 2007: AES in ECB mode, SHA-1 (§2.3.4.4 to
// §2.3.4.9). It has no check of the data; the checksums of the zip inside stand in.
type standard struct {
	keyBytes       int
	rounds         int
	salt           []byte
	verifier, hash []byte // encrypted
	block          cipher.Block
}

// Identifiers of the Windows cryptography interface.
const (
	algAES128 = 0x660E
	algAES192 = 0x660F
	algAES256 = 0x6610
	algRC4    = 0x6801
	algSHA1   = 0x8004

	standardSpin = 50_000
)

// cryptoHeader reads an EncryptionHeader with its size before it (§2.3.2), and the
// EncryptionVerifier behind (§2.3.3).
func cryptoHeader(b []byte) (alg, algHash, keyBits uint32, salt, verifier, verifierHash []byte, err error) {
	if len(b) < 4 {
		return 0, 0, 0, nil, nil, nil, errInfo
	}
	size := uint64(binary.LittleEndian.Uint32(b))
	b = b[4:]
	if size < 32 || size > uint64(len(b)) {
		return 0, 0, 0, nil, nil, nil, errInfo
	}
	h, v := b[:size], b[size:]
	alg, algHash, keyBits = binary.LittleEndian.Uint32(h[8:]), binary.LittleEndian.Uint32(h[12:]), binary.LittleEndian.Uint32(h[16:])
	if len(v) < 4+16+16+4+sha1.Size || binary.LittleEndian.Uint32(v) != 16 {
		return 0, 0, 0, nil, nil, nil, errInfo
	}
	return alg, algHash, keyBits, v[4:20], v[20:36], v[40:], nil
}

func parseStandard(b []byte) (packageCipher, error) {
	alg, algHash, bits, salt, verifier, sum, err := cryptoHeader(b)
	if err != nil {
		return nil, err
	}
	want := map[uint32]uint32{algAES128: 128, algAES192: 192, algAES256: 256}[alg]
	if want == 0 || bits != want || algHash != algSHA1 && algHash != 0 {
		return nil, errCipher("standard encryption other than AES with SHA-1")
	}
	if len(sum) < 32 {
		return nil, errInfo
	}
	return &standard{keyBytes: int(bits / 8), rounds: standardSpin, salt: salt, verifier: verifier, hash: sum[:32]}, nil
}

func (s *standard) unlock(ctx context.Context, password []byte) (bool, error) {
	h := sha1.New()
	sum, err := spin(ctx, h, s.salt, password, s.rounds)
	if err != nil {
		return false, err
	}
	sum = sumOf(h, sum, le32(0))
	// §2.3.4.7: the sum is mixed into two paddings, as in an HMAC.
	var key []byte
	for _, pad := range []byte{0x36, 0x5C} {
		buf := bytes.Repeat([]byte{pad}, 64)
		for i, c := range sum {
			buf[i] ^= c
		}
		key = append(key, sumOf(h, buf)...)
	}
	if s.block, err = aes.NewCipher(key[:s.keyBytes]); err != nil {
		return false, err
	}
	verifier, want := bytes.Clone(s.verifier), bytes.Clone(s.hash)
	s.ecb(verifier)
	s.ecb(want)
	return equal(sumOf(h, verifier), want[:sha1.Size]), nil
}

func (s *standard) ecb(b []byte) {
	for ; len(b) >= aes.BlockSize; b = b[aes.BlockSize:] {
		s.block.Decrypt(b, b)
	}
}

func (s *standard) decrypt(_ context.Context, stream []byte) ([]byte, error) {
	s.ecb(stream[8:])
	return unpack(stream)
}

// agile is the encryption of Office 2010 and later: AES in CBC mode in segments,
// and an HMAC over all of it (§2.3.4.10 to §2.3.4.15).
type agile struct {
	data, password agileKey
	spin           int
	input, sum     []byte // verifier, encrypted
	key            []byte // encrypted, decrypted by unlock
	macKey, mac    []byte // encrypted

	block cipher.Block
}

// agileKey is what the description says of one of the two keys.
type agileKey struct {
	salt     []byte
	keyBytes int
	hash     func() hash.Hash
}

// The blocks that make different keys and vectors of one hash (§2.3.4.12, .13, .14).
const (
	blockInput  = "\xfe\xa7\xd2\x76\x3b\x4b\x9e\x79"
	blockSum    = "\xd7\xaa\x0f\x6d\x30\x61\x34\x4e"
	blockKey    = "\x14\x6e\x0b\xe7\xab\xac\xd0\xd6"
	blockMACKey = "\x5f\xb2\xad\x01\x0c\xb9\xe1\xf6"
	blockMAC    = "\xa0\x67\x7f\x02\xb2\x2c\x84\x33"

	segment = 4096
)

func parseAgile(b []byte) (packageCipher, error) {
	a := &agile{}
	s := newScanner(bytes.NewReader(b))
	seen := map[string]bool{}
	for {
		tok, err := s.next()
		if err != nil {
			return nil, err
		}
		if tok == tokEOF {
			break
		}
		name := string(s.name)
		if tok != tokStart || seen[name] {
			continue // of several key encryptors the first counts, which is the password's
		}
		switch name {
		case "keyData":
			a.data, err = s.agileKey()
		case "dataIntegrity":
			a.macKey, a.mac = s.base64("encryptedHmacKey"), s.base64("encryptedHmacValue")
		case "encryptedKey":
			a.password, err = s.agileKey()
			a.input, a.sum, a.key = s.base64("encryptedVerifierHashInput"), s.base64("encryptedVerifierHashValue"), s.base64("encryptedKeyValue")
			v, _ := s.attr("spinCount")
			var bad error
			if a.spin, bad = strconv.Atoi(v); err == nil && (bad != nil || a.spin < 0 || a.spin > maxSpin) {
				return nil, errCipher("too many rounds of key derivation")
			}
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		seen[name] = true
	}
	if a.data.hash == nil || a.password.hash == nil {
		return nil, errCipher("no password among the key encryptors")
	}
	for _, x := range [][]byte{a.input, a.sum, a.key, a.macKey, a.mac} {
		if len(x) == 0 || len(x)%aes.BlockSize != 0 {
			return nil, errInfo
		}
	}
	if len(a.input) < len(a.password.salt) || len(a.key) < a.data.keyBytes ||
		len(a.sum) < a.password.hash().Size() || len(a.mac) < a.data.hash().Size() || len(a.macKey) < a.data.hash().Size() {
		return nil, errInfo
	}
	return a, nil
}

// agileKey reads the attributes that both keys have.
func (s *scanner) agileKey() (k agileKey, err error) {
	alg, _ := s.attr("cipherAlgorithm")
	mode, _ := s.attr("cipherChaining")
	name, _ := s.attr("hashAlgorithm")
	k.hash = hashByName(name)
	k.salt = s.base64("saltValue")
	bits := s.number("keyBits")
	switch {
	case alg != "AES" || mode != "ChainingModeCBC" || k.hash == nil || s.number("blockSize") != aes.BlockSize:
		return k, errCipher("cipher or hash of the agile encryption")
	case bits != 128 && bits != 192 && bits != 256 || len(k.salt) == 0 || len(k.salt) > 1<<10:
		return k, errInfo
	}
	k.keyBytes = bits / 8
	return k, nil
}

func (s *scanner) base64(name string) []byte {
	v, _ := s.attr(name)
	b, _ := base64.StdEncoding.DecodeString(v)
	return b
}

func (a *agile) unlock(ctx context.Context, password []byte) (bool, error) {
	k := &a.password
	h := k.hash()
	sum, err := spin(ctx, h, k.salt, password, a.spin)
	if err != nil {
		return false, err
	}
	open := func(block string, in []byte) []byte {
		key := fit(sumOf(h, sum, []byte(block)), k.keyBytes, 0x36)
		return cbc(key, fit(k.salt, aes.BlockSize, 0x36), in)
	}
	input := open(blockInput, a.input)[:len(k.salt)]
	if !equal(sumOf(h, input), open(blockSum, a.sum)[:h.Size()]) {
		return false, nil
	}
	a.key = open(blockKey, a.key)[:a.data.keyBytes]
	a.block, err = aes.NewCipher(a.key)
	return true, err
}

// cbc decrypts into new memory. The key has one of the lengths of AES.
func cbc(key, iv, in []byte) []byte {
	out := make([]byte, len(in))
	block, err := aes.NewCipher(key)
	if err != nil {
		return out // fits nothing
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, in)
	return out
}

func (a *agile) decrypt(ctx context.Context, stream []byte) ([]byte, error) {
	k := &a.data
	h := k.hash()
	iv := func(block []byte) []byte { return fit(sumOf(h, k.salt, block), aes.BlockSize, 0x36) }
	// First the check: nothing is believed of a file that somebody has changed.
	macKey := cbc(a.key, iv([]byte(blockMACKey)), a.macKey)[:h.Size()]
	mac := cbc(a.key, iv([]byte(blockMAC)), a.mac)[:h.Size()]
	if !validMAC(k.hash, macKey, mac, stream) {
		return nil, errors.New("sheet: encrypted package was changed")
	}
	return a.segments(ctx, stream)
}

// segments decrypts the stream piece by piece, in place.
func (a *agile) segments(ctx context.Context, stream []byte) ([]byte, error) {
	h := a.data.hash()
	b := stream[8:]
	if len(b)%aes.BlockSize != 0 {
		return nil, errors.New("sheet: encrypted package cut")
	}
	for i := uint32(0); len(b) > 0; i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(segment, len(b))
		iv := fit(sumOf(h, a.data.salt, le32(i)), aes.BlockSize, 0x36)
		cipher.NewCBCDecrypter(a.block, iv).CryptBlocks(b[:n], b[:n])
		b = b[n:]
	}
	return unpack(stream)
}
