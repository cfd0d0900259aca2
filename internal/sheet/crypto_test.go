package sheet

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// readWith reads with a password.
func readWith(t testing.TB, b []byte, password string) (rows [][]string, err error) {
	t.Helper()
	imp, err := Read(context.Background(), bytes.NewReader(b), int64(len(b)), "x.xlsx", newChecker(t), ReadOptions{Password: password})
	if err != nil {
		return nil, err
	}
	return rowsOf(imp), nil
}

// encrypted gives a package a password, with excelize.
func encrypted(t testing.TB, plain []byte, password string) []byte {
	t.Helper()
	b, err := excelize.Encrypt(plain, &excelize.Options{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPassword opens what excelize encrypts, an implementation of its own.
func TestPassword(t *testing.T) {
	c := newChecker(t)
	plain := written(t, c.Form(), people(300))
	want, err := readWith(t, plain, "")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, with, given, code string
	}{
		{"right", "密码 Abc1", "密码 Abc1", ""},
		{"none given", "密码 Abc1", "", "encrypted"},
		{"wrong", "密码 Abc1", "密码 abc1", "bad_password"},
		{"structure protected only", fixedPassword, "", ""},
		{"structure protected, another given", fixedPassword, "x", ""},
		{"longer than a password can be", "a", string(bytes.Repeat([]byte("a"), 300)), "bad_password"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readWith(t, encrypted(t, plain, tt.with), tt.given)
			if tt.code != "" {
				if err == nil || codeOf(t, err) != tt.code {
					t.Fatalf("got %v, want %s", err, tt.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("not encrypted, password given", func(t *testing.T) {
		if _, err := readWith(t, plain, "x"); err != nil {
			t.Fatal(err)
		}
	})
}

// TestPasswordCorpus opens files of other programs, some with the fixed password.
func TestPasswordCorpus(t *testing.T) {
	for name, password := range map[string]string{
		"poi/protect.xlsx":          "",
		"poi/protected_sha512.xlsx": "this is a test",
		"excelize/encryptSHA1.xlsx": "password",
		"excelize/encryptAES.xlsx":  "password",
		"poi/60320-protected.xlsx":  "Test001!!",
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(corpusDir, name))
			if err != nil {
				t.Skip("no corpus beside the checkout")
			}
			if password != "" {
				limits := DefaultLimits()
				_, err = decryptPackage(context.Background(), bytes.NewReader(b), int64(len(b)), &budget{left: limits.Memory}, "x"+password)
				if err == nil || codeOf(t, err) != "bad_password" {
					t.Errorf("wrong password: %v", err)
				}
			}
			pack, err := decryptPackage(context.Background(), bytes.NewReader(b), int64(len(b)), &budget{left: 1 << 20}, password)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(pack, []byte("PK\x03\x04")) {
				t.Errorf("no package: % x", pack[:4])
			}
		})
	}
}

// agileOf encrypts a package as Office 2010 does, with the hash and key length given.
// It is the other way round of what the reader does, written from the standard; that
// both do not err alike, TestPasswordCorpus shows.
func agileOf(t testing.TB, plain []byte, password, hashName string, bits, rounds int) (info, stream []byte) {
	t.Helper()
	newHash := hashByName(hashName)
	h := newHash()
	key, salt, keySalt := bytes.Repeat([]byte{7}, bits/8), bytes.Repeat([]byte{5}, 16), bytes.Repeat([]byte{9}, 16)
	enc := func(key, iv, in []byte) []byte {
		block, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		out := fit(in, (len(in)+15)/16*16, 0)
		out = bytes.Clone(out)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
		return out
	}
	sum, err := spin(context.Background(), newHash(), salt, utf16LE(password), rounds)
	if err != nil {
		t.Fatal(err)
	}
	byPassword := func(block string, in []byte) string {
		return base64.StdEncoding.EncodeToString(enc(fit(sumOf(h, sum, []byte(block)), bits/8, 0x36), salt, in))
	}
	stream = binary.LittleEndian.AppendUint64(nil, uint64(len(plain)))
	for i := 0; i*segment < len(plain); i++ {
		iv := fit(sumOf(h, keySalt, le32(uint32(i))), 16, 0x36)
		stream = append(stream, enc(key, iv, plain[i*segment:min(len(plain), (i+1)*segment)])...)
	}
	macKey := bytes.Repeat([]byte{3}, h.Size())
	mac := hmac.New(newHash, macKey)
	mac.Write(stream)
	byKey := func(block string, in []byte) string {
		return base64.StdEncoding.EncodeToString(enc(key, fit(sumOf(h, keySalt, []byte(block)), 16, 0x36), in))
	}
	verifier := []byte("0123456789abcdef")
	attrs := fmt.Sprintf(`saltSize="16" blockSize="16" keyBits="%d" hashSize="%d" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="%s"`, bits, h.Size(), hashName)
	b64 := base64.StdEncoding.EncodeToString
	xml := xmlHead + `<encryption xmlns="e" xmlns:p="p"><keyData ` + attrs + ` saltValue="` + b64(keySalt) + `"/><dataIntegrity encryptedHmacKey="` + byKey(blockMACKey, macKey) +
		`" encryptedHmacValue="` + byKey(blockMAC, mac.Sum(nil)) + `"/><keyEncryptors><keyEncryptor uri="p"><p:encryptedKey spinCount="` + fmt.Sprint(rounds) + `" ` + attrs +
		` saltValue="` + b64(salt) + `" encryptedVerifierHashInput="` + byPassword(blockInput, verifier) + `" encryptedVerifierHashValue="` + byPassword(blockSum, sumOf(h, verifier)) +
		`" encryptedKeyValue="` + byPassword(blockKey, key) + `"/></keyEncryptor></keyEncryptors></encryption>`
	return append([]byte{4, 0, 4, 0, 0x40, 0, 0, 0}, xml...), stream
}

// TestAgile opens every hash and key length, refuses another password, and refuses a
// package that somebody has changed.
func TestAgile(t *testing.T) {
	plain := bytes.Repeat([]byte("PK and some more "), 700)
	for _, name := range []string{"SHA1", "SHA256", "SHA384", "SHA512"} {
		for _, bits := range []int{128, 192, 256} {
			t.Run(fmt.Sprint(name, bits), func(t *testing.T) {
				info, stream := agileOf(t, plain, "密码", name, bits, 50)
				c, err := parseInfo(info)
				if err != nil {
					t.Fatal(err)
				}
				if ok, err := c.unlock(t.Context(), utf16LE("密碼")); ok || err != nil {
					t.Fatalf("another password: %v %v", ok, err)
				}
				if ok, err := c.unlock(t.Context(), utf16LE("密码")); !ok || err != nil {
					t.Fatalf("the password: %v %v", ok, err)
				}
				changed := bytes.Clone(stream)
				changed[len(changed)-1] ^= 1
				if _, err := c.decrypt(t.Context(), changed); err == nil {
					t.Error("a changed package was believed")
				}
				got, err := c.decrypt(t.Context(), stream)
				if err != nil || !bytes.Equal(got, plain) {
					t.Errorf("%d bytes of %d: %v", len(got), len(plain), err)
				}
			})
		}
	}
}

// TestPasswordRounds refuses a description that asks for hours of work.
func TestPasswordRounds(t *testing.T) {
	info, _ := agileOf(t, nil, "x", "SHA512", 256, 10)
	for rounds, code := range map[string]string{"100000": "", "1000000": "", "1000001": "unsupported", "-1": "unsupported", "99999999999999999999": "unsupported"} {
		_, err := parseInfo(bytes.Replace(info, []byte(`spinCount="10"`), []byte(`spinCount="`+rounds+`"`), 1))
		if code == "" && err != nil || code != "" && (err == nil || codeOf(t, err) != code) {
			t.Errorf("%s rounds: %v, want %q", rounds, err, code)
		}
	}
}

// TestStandardTampered: the standard encryption has no check of its own, the checksums
// of the package inside stand in.
func TestStandardTampered(t *testing.T) {
	b := encrypted(t, written(t, newChecker(t).Form(), people(300)), "x")
	for _, at := range []int{len(b) / 3, len(b) / 2, len(b) * 2 / 3} {
		c := bytes.Clone(b)
		c[at] ^= 1
		if _, err := readWith(t, c, "x"); err == nil || codeOf(t, err) != "unreadable" {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}
