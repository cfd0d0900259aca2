package seal

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestOpenFileCreates(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0)) // the mode must not depend on the umask
	path := filepath.Join(t.TempDir(), "keys", "master.json")
	if _, err := OpenFile(path, false, SM4); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "没有找到密钥文件") {
		t.Fatalf("a missing file: %v", err)
	}
	r, err := OpenFile(path, true, SM4)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if st, err := os.Stat(p); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", p, st.Mode(), err, want)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("files left in the directory: %v %v", left, err)
	}
	again, err := OpenFile(path, false, AES)
	if err != nil {
		t.Fatal(err)
	}
	place := Place("a", "b", "c")
	if got, err := again.Open(nil, r.Seal(nil, []byte("x"), place), place); err != nil || string(got) != "x" {
		t.Errorf("after reopening: %q %v", got, err)
	}
	if !bytes.Equal(r.Index("k", "v"), again.Index("k", "v")) || r.Digest("l") != again.Digest("l") {
		t.Error("index or digest changed by reopening")
	}
	other, err := OpenFile(filepath.Join(t.TempDir(), "k"), true, SM4)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(r.Index("k", "v"), other.Index("k", "v")) {
		t.Error("two files hold the same keys")
	}
}

func TestOpenFileOnceForAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	rings := make([]*Ring, 8)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() { rings[i], _ = OpenFile(path, true, SM4) })
	}
	wg.Wait()
	for i, r := range rings {
		if r == nil || !bytes.Equal(r.Index("k", "v"), rings[0].Index("k", "v")) {
			t.Errorf("start %d of 8 at once got other keys or none", i)
		}
	}
}

func TestOpenFileRefuses(t *testing.T) {
	good := func(t *testing.T) []byte {
		path := filepath.Join(t.TempDir(), "k")
		if _, err := OpenFile(path, true, SM4); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	replace := func(old, new string) func(*testing.T) []byte {
		return func(t *testing.T) []byte {
			b := good(t)
			out := bytes.Replace(b, []byte(old), []byte(new), 1)
			if bytes.Equal(b, out) {
				t.Fatalf("%q is not in the file", old)
			}
			return out
		}
	}
	tests := []struct {
		name    string
		content func(*testing.T) []byte
		mode    fs.FileMode
		want    string
	}{
		{"readable by the group", good, 0o640, "chmod 600"},
		{"readable by all", good, 0o604, "chmod 600"},
		{"writable by all", good, 0o602, "chmod 600"},
		{"empty", func(*testing.T) []byte { return nil }, 0o600, "内容不对"},
		{"no JSON", func(*testing.T) []byte { return []byte("secret") }, 0o600, "内容不对"},
		{"goes on", func(t *testing.T) []byte { return append(good(t), '{') }, 0o600, "内容不对"},
		{"other format", replace(fileFormat, "other"), 0o600, "内容不对"},
		{"newer version", replace(`"version": 1`, `"version": 2`), 0o600, "内容不对"},
		{"other algorithm", replace("sm4-gcm", "rot13"), 0o600, "内容不对"},
		{"wrong key length", replace("sm4-gcm", "aes-256-gcm"), 0o600, "内容不对"},
		{"key id zero", replace(`"id": 1`, `"id": 0`), 0o600, "内容不对"},
		{"too long", func(*testing.T) []byte { return bytes.Repeat([]byte(" "), maxFile+1) }, 0o600, "内容不对"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "k")
			content := tt.content(t)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			_, err := OpenFile(path, true, SM4)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the message quotes the file: %v", err)
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, content) {
				t.Error("the file was touched")
			}
		})
	}
	t.Run("directory", func(t *testing.T) {
		if _, err := OpenFile(t.TempDir(), true, SM4); err == nil || !strings.Contains(err.Error(), "不是普通文件") {
			t.Errorf("got %v", err)
		}
	})
}

func TestSaveNeverOverwrites(t *testing.T) {
	r := ring(t, SM4)
	path := filepath.Join(t.TempDir(), "k")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := r.Save(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second save: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"format":"tianbao-keys","version":1,"keys":[{"id":1,"alg":"sm4-gcm","key":"AAAAAAAAAAAAAAAAAAAAAA=="}],"mac":"sm4-gcm","index":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","digest":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parse(b)
		if err != nil {
			return
		}
		place := Place("a", "b", "c")
		if got, err := r.Open(nil, r.Seal(nil, []byte("x"), place), place); err != nil || string(got) != "x" {
			t.Errorf("an accepted file does not work: %q %v", got, err)
		}
	})
}
