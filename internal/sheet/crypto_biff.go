package sheet

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // MS-OFFCRYPTO asks for it
	"crypto/rc4" //nolint:gosec // MS-OFFCRYPTO asks for it
	"crypto/sha1"
	"encoding/binary"
	"errors"
)

// biffDecryptor decrypts the records of an .xls stream. Record headers are not
// encrypted, and neither are the records BOF and FILEPASS (and INTERFACEHDR,
// USREXCL, FILELOCK, RRDINFO, RRDHEAD), nor the first four bytes of BOUNDSHEET, but
// all of them use up key stream: a byte is decrypted by its place in the stream
// ([MS-XLS] §2.2.10).
type biffDecryptor struct {
	key func(block uint32) []byte

	rc    *rc4.Cipher
	block int64 // of rc, -1: none
	at    int64 // place up to which rc has been used
}

// biffBlock is how many bytes are encrypted under one key.
const biffBlock = 1024

// newBIFFDecryptor reads the body of a FILEPASS record ([MS-XLS] §2.4.117) and tries
// the fixed password and the one given. The error can be shown.
func newBIFFDecryptor(filepass []byte, password string) (*biffDecryptor, error) {
	// BIFF5 has four bytes of an obfuscation, BIFF8 calls the same type 0.
	if len(filepass) < 6 || binary.LittleEndian.Uint16(filepass) != 1 {
		return nil, errCipher("XOR obfuscation")
	}
	major, minor := binary.LittleEndian.Uint16(filepass[2:]), binary.LittleEndian.Uint16(filepass[4:])
	b := filepass[6:]
	var make func(password []byte) func(uint32) []byte
	var salt, verifier, sum []byte
	var digest func([]byte) []byte
	switch {
	case major == 1 && minor == 1:
		if len(b) < 48 {
			return nil, errDamaged(errInfo)
		}
		salt, verifier, sum = b[:16], b[16:32], b[32:48]
		make = func(p []byte) func(uint32) []byte { return rc4Key(p, salt) }
		digest = func(b []byte) []byte { s := md5.Sum(b); return s[:] }
	case major >= 2 && major <= 4 && minor == 2 && len(b) >= 4:
		alg, algHash, bits, s, v, h, err := cryptoHeader(b[4:])
		if err != nil {
			return nil, errDamaged(err)
		}
		if bits == 0 {
			bits = 40
		}
		if alg != algRC4 || algHash != algSHA1 || bits < 40 || bits > 128 || bits%8 != 0 {
			return nil, errCipher("RC4 CryptoAPI with another cipher or hash")
		}
		salt, verifier, sum = s, v, h[:sha1.Size]
		make = func(p []byte) func(uint32) []byte { return cryptoAPIKey(p, salt, int(bits/8)) }
		digest = func(b []byte) []byte { s := sha1.Sum(b); return s[:] }
	default:
		return nil, errCipher("encryption version of the .xls stream")
	}
	d := &biffDecryptor{block: -1}
	err := withPassword(password, func(p []byte) (bool, error) {
		d.key = make(p)
		rc, err := rc4.NewCipher(d.key(0))
		if err != nil {
			return false, errDamaged(err)
		}
		v, s := bytes.Clone(verifier), bytes.Clone(sum)
		rc.XORKeyStream(v, v)
		rc.XORKeyStream(s, s)
		return equal(digest(v), s), nil
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// rc4Key is the derivation of §2.3.6.2, 40 bits of MD5.
func rc4Key(password, salt []byte) func(uint32) []byte {
	sum := md5.Sum(password)
	buf := bytes.Repeat(append(bytes.Clone(sum[:5]), salt...), 16)
	sum = md5.Sum(buf)
	return func(block uint32) []byte {
		key := md5.Sum(append(bytes.Clone(sum[:5]), le32(block)...))
		return key[:]
	}
}

// cryptoAPIKey is the derivation of §2.3.5.2.
func cryptoAPIKey(password, salt []byte, n int) func(uint32) []byte {
	sum := sha1.Sum(append(bytes.Clone(salt), password...))
	return func(block uint32) []byte {
		key := sha1.Sum(append(bytes.Clone(sum[:]), le32(block)...))
		if n == 5 {
			// A key of 40 bits is given to RC4 as 128, the rest zeros.
			return fit(key[:5], 16, 0)
		}
		return key[:n]
	}
}

// decrypt decrypts in place b, which stands at the given place of the stream.
func (d *biffDecryptor) decrypt(_ context.Context, b []byte, place int64) error {
	if place < 0 || place/biffBlock > 1<<31 {
		return errors.New("sheet: place in an encrypted stream")
	}
	for len(b) > 0 {
		block := place / biffBlock
		if d.rc == nil || block != d.block || place < d.at {
			rc, err := rc4.NewCipher(d.key(uint32(block)))
			if err != nil {
				return err
			}
			d.rc, d.block, d.at = rc, block, block*biffBlock
		}
		var skip [biffBlock]byte
		if n := place - d.at; n > 0 {
			d.rc.XORKeyStream(skip[:n], skip[:n])
		}
		n := min(int64(len(b)), (block+1)*biffBlock-place)
		d.rc.XORKeyStream(b[:n], b[:n])
		b, place = b[n:], place+n
		d.at = place
	}
	return nil
}
