package sheet

import (
	"bytes"
	"context"
	"crypto/aes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"tianbao"
)

// FuzzEncryptionInfo mutates the description of an encryption. The rounds are not
// carried out: they are bounded, and would be all that the fuzzer does.
func FuzzEncryptionInfo(f *testing.F) {
	plain := written(f, newChecker(f).Form(), people(200))
	files := [][]byte{encrypted(f, plain, "x")}
	for _, name := range []string{"poi/protected_sha512.xlsx", "excelize/encryptSHA1.xlsx"} {
		if b, err := os.ReadFile(filepath.Join(corpusDir, name)); err == nil {
			files = append(files, b)
		}
	}
	for _, b := range files {
		info, _, err := encryptedStreams(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(info, make([]byte, 8+4096+32))
	}
	info, stream := agileOf(f, []byte("PK and more"), "x", "SHA512", 256, 2)
	f.Add(info, stream)
	f.Fuzz(func(t *testing.T, info, stream []byte) {
		c, err := parseInfo(info)
		if err != nil || len(stream) < 8 {
			return
		}
		switch c := c.(type) {
		case *agile:
			c.spin = min(c.spin, 2)
			_, _ = c.unlock(context.Background(), utf16LE("x"))
			// As if the password had fitted.
			c.key = fit(c.key, c.data.keyBytes, 0)
			_, _ = c.decrypt(context.Background(), stream)
			if c.block, err = aes.NewCipher(c.key); err != nil {
				t.Fatal(err)
			}
			_, _ = c.segments(context.Background(), stream)
		case *standard:
			c.rounds = 2
			if _, err := c.unlock(context.Background(), utf16LE("x")); err != nil {
				t.Fatal(err)
			}
			_, _ = c.decrypt(context.Background(), stream)
		}
	})
}

// FuzzEncryptedFile mutates the compound file around the two streams.
func FuzzEncryptedFile(f *testing.F) {
	f.Add(encrypted(f, written(f, newChecker(f).Form(), people(200)), "x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _ = encryptedStreams(bytes.NewReader(b), int64(len(b)))
	})
}

// FuzzFilePass mutates the record of an encrypted .xls.
func FuzzFilePass(f *testing.F) {
	f.Add(append([]byte{1, 0, 1, 0, 1, 0}, make([]byte, 48)...), []byte("abc"), int64(1020))
	f.Add(append([]byte{1, 0, 2, 0, 2, 0, 0, 0, 0, 0, 34, 0, 0, 0}, make([]byte, 120)...), []byte("abc"), int64(5))
	f.Fuzz(func(t *testing.T, pass, data []byte, place int64) {
		d, err := newBIFFDecryptor(pass, "x")
		if err != nil {
			var e *tianbao.Error
			if !errors.As(err, &e) || e.Message == "" {
				t.Fatalf("error that cannot be shown: %v", err)
			}
			return
		}
		_ = d.decrypt(context.Background(), data, place)
	})
}
