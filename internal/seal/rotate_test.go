package seal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func live(t *testing.T) (*Live, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "k")
	l, err := OpenLive(path, true, SM4)
	if err != nil {
		t.Fatal(err)
	}
	return l, path
}

// SEC-22: a key comes into use while programs run, and goes when nothing needs it.
func TestRotateAndRetire(t *testing.T) {
	l, path := live(t)
	behind, err := OpenLive(path, false, SM4) // another process, which has not looked yet
	if err != nil {
		t.Fatal(err)
	}
	place := Place("t", "c", "1")
	old := l.Seal(nil, []byte("old"), place)
	at := time.UnixMilli(1663891200000)
	if _, err := Rotate(path, AES, at); err != nil {
		t.Fatal(err)
	}
	if rotated, err := l.Refresh(); err != nil || !rotated {
		t.Fatalf("the new key was not taken: %v %v", rotated, err)
	}
	if rotated, err := l.Refresh(); err != nil || rotated {
		t.Errorf("taken twice: %v %v", rotated, err)
	}
	fresh := l.Seal(nil, []byte("new"), place)
	if KeyIDOf(fresh) != 2 || string(fresh[:5]) != string(l.Head()) {
		t.Errorf("sealed with key %d", KeyIDOf(fresh))
	}
	for _, sealed := range [][]byte{old, fresh} {
		if _, err := behind.Open(nil, sealed, place); err != nil {
			t.Errorf("the other process does not open what key %d sealed: %v", KeyIDOf(sealed), err)
		}
	}
	got := l.Ring().Keys()
	if len(got) != 2 || !got[0].Made.IsZero() || !got[1].Made.Equal(at) || !got[1].Newest || got[1].Alg != "aes-256-gcm" {
		t.Errorf("keys %v", got)
	}
	kept := filepath.Join(filepath.Dir(path), "kept")
	for id, want := range map[uint32]string{2: "正在使用", 7: "没有第 7 号"} {
		if _, err := Retire(path, id, kept); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("retire %d: %v", id, err)
		}
	}
	if _, err := os.Stat(kept); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a refused retirement left a file")
	}
	if _, err := Retire(path, 1, path); err == nil {
		t.Error("the key file was taken for the kept one")
	}
	if _, err := Retire(path, 1, kept); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Refresh(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Open(nil, old, place); !errors.Is(err, ErrNoKey) {
		t.Errorf("a retired key opens: %v", err)
	}
	before, err := OpenFile(kept, false, SM4)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := before.Open(nil, old, place); err != nil || string(plain) != "old" {
		t.Errorf("the kept keys: %q %v", plain, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 2 {
		t.Errorf("files left: %v", left)
	}
}

func TestRefreshKeepsItsKeys(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, path string)
		want   string
	}{
		{"the file is gone", func(t *testing.T, path string) { remove(t, path) }, "不见了"},
		{"the file of another house", func(t *testing.T, path string) {
			remove(t, path)
			if _, err := OpenFile(path, true, SM4); err != nil {
				t.Fatal(err)
			}
		}, "另一套密钥"},
		{"the file of before the rotation", func(t *testing.T, path string) {
			remove(t, path)
			if err := os.Rename(path+".old", path); err != nil {
				t.Fatal(err)
			}
		}, "轮换以前的"},
		{"half a file", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(`{"format":`), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "内容不对"},
		{"a file for all to read", func(t *testing.T, path string) {
			if err := os.Chmod(path, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, time.Now(), time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}, "chmod 600"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, path := live(t)
			if err := l.Ring().Save(path + ".old"); err != nil {
				t.Fatal(err)
			}
			if _, err := Rotate(path, SM4, time.Now()); err != nil {
				t.Fatal(err)
			}
			if _, err := l.Refresh(); err != nil {
				t.Fatal(err)
			}
			tt.change(t, path)
			for range 2 { // it goes on saying so
				if rotated, err := l.Refresh(); err == nil || rotated || !strings.Contains(err.Error(), tt.want) {
					t.Fatalf("got %v %v, want %q", rotated, err, tt.want)
				}
			}
			place := Place("t", "c", "1")
			if _, err := l.Open(nil, l.Seal(nil, []byte("x"), place), place); err != nil || l.Ring().KeyID() != 2 {
				t.Errorf("key %d: %v", l.Ring().KeyID(), err)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// Of rotations at once some are refused, and no key is lost.
func TestRotateAtOnce(t *testing.T) {
	_, path := live(t)
	var mu sync.Mutex
	done := 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := Rotate(path, SM4, time.Now()); err == nil {
				mu.Lock()
				done++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	r, err := OpenFile(path, false, SM4)
	if err != nil {
		t.Fatal(err)
	}
	if done == 0 || len(r.Keys()) != 1+done {
		t.Errorf("%d rotations, %d keys", done, len(r.Keys()))
	}
}
