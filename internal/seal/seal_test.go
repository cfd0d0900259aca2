package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
)

func ring(t testing.TB, alg Alg) *Ring {
	t.Helper()
	r, err := New(alg, []byte("test secret"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func each(t *testing.T, fn func(t *testing.T, r *Ring)) {
	for _, alg := range []Alg{SM4, AES} {
		t.Run(alg.String(), func(t *testing.T) { fn(t, ring(t, alg)) })
	}
}

func TestSealOpens(t *testing.T) {
	each(t, func(t *testing.T, r *Ring) {
		for _, plain := range []string{"", "2", "210102199001019001", strings.Repeat("长", 4000)} {
			place := Place("report_row", "person_id", "7/9")
			sealed := r.Seal([]byte("head"), []byte(plain), place)
			if len(sealed) != 4+len(plain)+Overhead || !bytes.HasPrefix(sealed, []byte("head")) {
				t.Fatalf("sealed %d bytes into %d", len(plain), len(sealed))
			}
			if len(plain) > 1 && bytes.Contains(sealed, []byte(plain)) {
				t.Error("the sealed value holds the plain one")
			}
			got, err := r.Open([]byte("x"), sealed[4:], place)
			if err != nil || string(got) != "x"+plain {
				t.Errorf("opened %q: %v", got, err)
			}
		}
	})
}

func TestSealTwiceDiffers(t *testing.T) {
	each(t, func(t *testing.T, r *Ring) {
		p := Place("a", "b", "c")
		if bytes.Equal(r.Seal(nil, []byte("x"), p), r.Seal(nil, []byte("x"), p)) {
			t.Error("two sealings of one value are equal")
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	each(t, func(t *testing.T, r *Ring) {
		place1, place2 := Place("t", "person_id", "1/1"), Place("t", "person_id", "1/2")
		one, two := r.Seal(nil, []byte("one"), place1), r.Seal(nil, []byte("two"), place2)
		other, err := New(r.newest.alg, []byte("other secret"))
		if err != nil {
			t.Fatal(err)
		}
		noKey := bytes.Clone(one)
		noKey[4] = 99
		alg := bytes.Clone(one)
		alg[0] = 3 - alg[0] // SM4 <-> AES
		tests := []struct {
			name   string
			ring   *Ring
			sealed []byte
			place  []byte
			want   error
		}{
			{"swapped into the other row", r, two, place1, ErrOpen},
			{"swapped back", r, one, place2, ErrOpen},
			{"other column", r, one, Place("t", "phone", "1/1"), ErrOpen},
			{"other table", r, one, Place("u", "person_id", "1/1"), ErrOpen},
			{"no place", r, one, nil, ErrOpen},
			{"other ring", other, one, place1, ErrOpen},
			{"unknown key", r, noKey, place1, ErrNoKey},
			{"other algorithm named", r, alg, place1, ErrFormat},
			{"empty", r, nil, place1, ErrFormat},
			{"cut", r, one[:Overhead-1], place1, ErrFormat},
			{"tail cut", r, one[:len(one)-1], place1, ErrOpen},
			{"tail added", r, append(bytes.Clone(one), 0), place1, ErrOpen},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				out, err := tt.ring.Open(nil, tt.sealed, tt.place)
				if !errors.Is(err, tt.want) || len(out) != 0 {
					t.Errorf("got %q, %v; want %v", out, err, tt.want)
				}
			})
		}
	})
}

func TestEveryBitCounts(t *testing.T) {
	each(t, func(t *testing.T, r *Ring) {
		place := Place("t", "c", "1")
		sealed := r.Seal(nil, []byte("210102199001019001"), place)
		for i := range len(sealed) * 8 {
			bad := bytes.Clone(sealed)
			bad[i/8] ^= 1 << (i % 8)
			if _, err := r.Open(nil, bad, place); err == nil {
				t.Fatalf("bit %d flipped and it still opens", i)
			}
		}
	})
}

func TestNewKeySealsOldKeysOpen(t *testing.T) {
	r1 := ring(t, SM4)
	place := Place("t", "c", "1")
	old := r1.Seal(nil, []byte("old"), place)
	r2, err := r1.WithNewKey(AES)
	if err != nil {
		t.Fatal(err)
	}
	fresh := r2.Seal(nil, []byte("new"), place)
	if KeyIDOf(old) != 1 || KeyIDOf(fresh) != 2 || r2.KeyID() != 2 || Alg(fresh[0]) != AES {
		t.Errorf("keys %d and %d, algorithm %d", KeyIDOf(old), KeyIDOf(fresh), fresh[0])
	}
	for sealed, want := range map[*[]byte]string{&old: "old", &fresh: "new"} {
		if got, err := r2.Open(nil, *sealed, place); err != nil || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	if _, err := r1.Open(nil, fresh, place); !errors.Is(err, ErrNoKey) {
		t.Errorf("the old ring opened a value of the new key: %v", err)
	}
	if !bytes.Equal(r1.Index("k", "v"), r2.Index("k", "v")) {
		t.Error("a new sealing key moved the index")
	}
}

func TestIndexAndDigest(t *testing.T) {
	each(t, func(t *testing.T, r *Ring) {
		a := r.Index("person_id", "210102199001019001")
		if len(a) != IndexSize || !bytes.Equal(a, r.Index("person_id", "210102199001019001")) {
			t.Error("the index of a value is not one")
		}
		for _, o := range [][2]string{{"phone", "210102199001019001"}, {"person_id", "210102199001019002"}, {"person_i", "d210102199001019001"}} {
			if bytes.Equal(a, r.Index(o[0], o[1])) {
				t.Errorf("the index of %s agrees", o[0])
			}
		}
		d := r.Digest("receipt", []byte("ab"), []byte("c"))
		if b, err := hex.DecodeString(d); err != nil || len(b) != 32 {
			t.Errorf("digest %q", d)
		}
		if d != r.Digest("receipt", []byte("a"), []byte("bc")) {
			t.Error("the digest depends on how the data are cut")
		}
		if d == r.Digest("file", []byte("abc")) || d == r.Digest("receip", []byte("tabc")) {
			t.Error("digests of different labels agree")
		}
		w := r.NewDigest("receipt")
		if _, err := io.Copy(w, strings.NewReader("abc")); err != nil {
			t.Fatal(err)
		}
		if got := w.Hex(); got != d {
			t.Errorf("written piece by piece: %s, want %s", got, d)
		}
		other, err := New(r.newest.alg, []byte("other"))
		if err != nil {
			t.Fatal(err)
		}
		if d == other.Digest("receipt", []byte("abc")) {
			t.Error("the digest does not depend on the key")
		}
	})
}

// The suites must be what they say: the example values of GB/T 32907-2016 annex A.1
// and GB/T 32905-2016 annex A.1.
func TestStandardValues(t *testing.T) {
	key, _ := hex.DecodeString("0123456789abcdeffedcba9876543210")
	block, err := sm4.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 16)
	block.Encrypt(out, key)
	if got := hex.EncodeToString(out); got != "681edf34d206965e86b3e94f536e4246" {
		t.Errorf("SM4: %s", got)
	}
	sum := sm3.Sum([]byte("abc"))
	if got := hex.EncodeToString(sum[:]); got != "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" {
		t.Errorf("SM3: %s", got)
	}
}

func TestRingHidesKeys(t *testing.T) {
	r := ring(t, SM4)
	key, index := []byte(r.file.Keys[0].Key), []byte(r.file.Index)
	secrets := []string{
		string(key), hex.EncodeToString(key), fmt.Sprint(key), fmt.Sprintf("%#v", key)[len("[]byte"):],
		fmt.Sprint(index), hex.EncodeToString(index), fmt.Sprintf("%#v", index)[len("[]byte"):],
	}
	var out bytes.Buffer
	for _, v := range []any{r, *r, r.file, &r.file, r.file.Keys, r.file.Keys[0], struct{ R *Ring }{r}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb, v)
		}
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "ring", r)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "ring", r)
	if err := json.NewEncoder(&out).Encode(r); err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets {
		if strings.Contains(out.String(), strings.Trim(s, "[]{}")) {
			t.Errorf("a key is printed")
		}
	}
	if !strings.Contains(out.String(), "[key ring, sm4-gcm key 1]") {
		t.Errorf("the ring does not name itself: %s", out.String())
	}
}

func FuzzOpen(f *testing.F) {
	r := ring(f, SM4)
	place := Place("t", "c", "1")
	f.Add(r.Seal(nil, []byte("x"), place))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{1}, Overhead))
	good := r.Seal(nil, []byte("210102199001019001"), place)
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := r.Open(nil, b, place)
		if err == nil && len(out) != len(b)-Overhead {
			t.Errorf("opened %d bytes of %d", len(out), len(b))
		}
		if err != nil && len(out) != 0 {
			t.Error("an error and a value")
		}
		// Whatever is laid over a good value, it opens only if nothing changed.
		bad := bytes.Clone(good)
		for i := range min(len(b), len(bad)) {
			bad[i] ^= b[i]
		}
		if _, err := r.Open(nil, bad, place); (err == nil) != bytes.Equal(bad, good) {
			t.Error("a changed value opened")
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	for _, alg := range []Alg{SM4, AES} {
		b.Run(alg.String(), func(b *testing.B) {
			r := ring(b, alg)
			place, plain, dst := Place("report_row", "person_id", "1/2"), []byte("210102199001019001"), make([]byte, 0, 64)
			b.ReportAllocs()
			for b.Loop() {
				dst = r.Seal(dst[:0], plain, place)
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, alg := range []Alg{SM4, AES} {
		b.Run(alg.String(), func(b *testing.B) {
			r := ring(b, alg)
			place := Place("report_row", "person_id", "1/2")
			sealed, dst := r.Seal(nil, []byte("210102199001019001"), place), make([]byte, 0, 64)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Open(dst[:0], sealed, place); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkIndex(b *testing.B) {
	for _, alg := range []Alg{SM4, AES} {
		b.Run(alg.String(), func(b *testing.B) {
			r := ring(b, alg)
			b.ReportAllocs()
			for b.Loop() {
				r.Index("person_id", "210102199001019001")
			}
		})
	}
}
