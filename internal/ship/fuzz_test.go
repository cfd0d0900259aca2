package ship_test

import (
	"encoding/binary"
	"testing"

	"tianbao/internal/ship"
)

// Whatever lies in the folder is read or refused, without a panic, in bounded memory.
func FuzzReadAny(f *testing.F) {
	r := ring(f)
	f.Add([]byte("TIANBAO-SHIP-1\n"))
	f.Add([]byte("TIANBAO-SHIP-1\n0123456789abcdef\x00\x00\x00\x40"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if frames, err := ship.ReadAny(b, r); err == nil && frames > len(b) {
			t.Errorf("%d frames in %d bytes", frames, len(b))
		}
	})
}

// The same of what was sealed rightly: nothing within is believed either.
func FuzzReadInside(f *testing.F) {
	r := ring(f)
	page := make([]byte, 512)
	log := append([]byte{'L', 0x80, 4, 0, 1, 0}, page...)
	log = append(append(log, 2, 1, 0), binary.BigEndian.AppendUint64(nil, 7)...)
	log = append(append(log, page...), 3, 1, 0)
	log = append(append(binary.BigEndian.AppendUint64(log, 7), page...), 0, 3)
	f.Add("log", log)
	base := append([]byte{'B', 0x80, 4, 0, 0, 0, 1}, page...)
	f.Add("base", binary.BigEndian.AppendUint64(base, 0))
	f.Add("base", []byte{'B', 0x80, 4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add("log", []byte{'L', 0x80, 4, 0, 0, 3})
	read := func(t testing.TB, kind string, plain []byte) (int, error) {
		if kind != "base" {
			kind = "log"
		}
		b, err := ship.PackPlain(kind, plain, r)
		if err != nil {
			t.Fatal(err)
		}
		return ship.ReadAny(b, r)
	}
	if n, err := read(f, "log", log); err != nil || n != 3 {
		f.Fatalf("a log of three frames: %d, %v", n, err)
	}
	if _, err := read(f, "base", binary.BigEndian.AppendUint64(base, 0)); err != nil {
		f.Fatalf("a base of one page: %v", err)
	}
	f.Fuzz(func(t *testing.T, kind string, plain []byte) {
		if frames, err := read(t, kind, plain); err == nil && frames > len(plain) {
			t.Errorf("%d frames in %d bytes", frames, len(plain))
		}
	})
}
