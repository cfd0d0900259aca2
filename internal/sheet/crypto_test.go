package sheet

import (
	"bytes"
	"context"
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
