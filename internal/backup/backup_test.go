package backup_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/backup"
	"tianbao/internal/db"
	"tianbao/internal/seal"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

var at = time.Date(2022, 9, 23, 16, 0, 0, 0, time.UTC)

func urls(t *testing.T, kind string) string {
	if kind == "postgres" {
		return storetest.PostgresURL(t)
	}
	return filepath.Join(t.TempDir(), "data", "tianbao.db")
}

func open(t *testing.T, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: url, Migrations: store.Migrations()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(t.Context()); err != nil && !errors.Is(err, t.Context().Err()) {
			t.Error(err)
		}
	})
	return d
}

func reader(file []byte, s backup.Sealer) func() (*backup.Reader, error) {
	return func() (*backup.Reader, error) { return backup.NewReader(bytes.NewReader(file), s) }
}

// What one engine holds is the same on the other: every kind of thing that the store
// writes, from each to each.
func TestFromEngineToEngine(t *testing.T) {
	for _, from := range []string{"sqlite", "postgres"} {
		t.Run("from "+from, func(t *testing.T) {
			s := storetest.Open(t, urls(t, from))
			storetest.FillAll(t, s)
			ring := storetest.Ring(t)
			var file bytes.Buffer
			sum, err := backup.Write(t.Context(), s.DB(), ring, &file, at)
			if err != nil {
				t.Fatal(err)
			}
			filled := 0
			for _, x := range sum.Tables {
				if x.Rows > 0 {
					filled++
				}
			}
			if filled < 25 || sum.Rows() < 120 {
				t.Fatalf("only %d tables with %d rows: too little to prove anything", filled, sum.Rows())
			}
			r, err := reader(file.Bytes(), ring)()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if !r.Head.At.Equal(at) || r.Head.Schema != sum.Schema || sum.Schema == 0 {
				t.Errorf("head %+v, schema %d", r.Head, sum.Schema)
			}
			read, err := r.Verify()
			if err != nil || len(sum.Differences(read)) > 0 || read.Digest != sum.Digest {
				t.Fatalf("read %v, %v", sum.Differences(read), err)
			}
			for _, to := range []string{"sqlite", "postgres"} {
				t.Run("to "+to, func(t *testing.T) {
					d := open(t, urls(t, to))
					got, err := backup.Restore(t.Context(), d, reader(file.Bytes(), ring))
					if err != nil {
						t.Fatal(err)
					}
					if diff := sum.Differences(got); len(diff) > 0 || got.Digest != sum.Digest {
						t.Errorf("not the same: %v", diff)
					}
				})
			}
		})
	}
}

// A backup shows one moment, also while others save.
func TestOneMoment(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			s := storetest.Open(t, urls(t, kind))
			storetest.FillAll(t, s)
			fill(t, s.DB(), 3000) // so that it takes several pieces
			before, err := backup.Sum(t.Context(), s.DB())
			if err != nil {
				t.Fatal(err)
			}
			w := &saver{t: t, s: s}
			sum, err := backup.Write(t.Context(), s.DB(), storetest.Ring(t), w, at)
			if err != nil {
				t.Fatal(err)
			}
			if w.n < 3 {
				t.Fatal("nothing was saved meanwhile")
			}
			if diff := before.Differences(sum); len(diff) > 0 {
				t.Errorf("what was saved while it ran is in it: %v", diff)
			}
			after, err := backup.Sum(t.Context(), s.DB())
			if err != nil || len(before.Differences(after)) == 0 {
				t.Errorf("the digest does not see what was saved: %v", err)
			}
		})
	}
}

// fill writes rows of a kilobyte that does not compress well.
func fill(t testing.TB, d *db.DB, rows int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	err := d.Tx(t.Context(), func(tx db.Tx) error {
		b := make([]byte, 500)
		for i := range rows {
			for j := range b {
				b[j] = byte(random.Uint32())
			}
			if _, err := tx.Exec(t.Context(), `INSERT INTO setting (name, value) VALUES ($1, $2)`, fmt.Sprint("fill-", i), hex.EncodeToString(b)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// saver saves something at every write but the first, which comes before the moment.
type saver struct {
	t *testing.T
	s *store.Store
	n int
}

func (w *saver) Write(p []byte) (int, error) {
	w.n++
	if w.n == 1 {
		return len(p), nil
	}
	return len(p), w.s.Record(w.t.Context(), tianbao.Event{At: at, What: "keys.rotate"})
}

// Nothing of a damaged, shortened, lengthened or foreign file is taken, and the database
// it was to go into stays as it was.
func TestDamaged(t *testing.T) {
	s := storetest.OpenSQLite(t)
	storetest.FillAll(t, s)
	ring := storetest.Ring(t)
	var b bytes.Buffer
	if _, err := backup.Write(t.Context(), s.DB(), ring, &b, at); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	other, err := seal.New(seal.SM4, []byte("another"))
	if err != nil {
		t.Fatal(err)
	}
	verify := func(file []byte, s backup.Sealer) error {
		r, err := backup.NewReader(bytes.NewReader(file), s)
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = r.Verify()
		return err
	}
	if err := verify(file, ring); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(file); i += 1 + len(file)/400 {
		bad := bytes.Clone(file)
		bad[i] ^= 1
		if err := verify(bad, ring); !errors.Is(err, backup.ErrFormat) && !errors.Is(err, backup.ErrKey) {
			t.Fatalf("byte %d of %d flipped: %v", i, len(file), err)
		}
		if err := verify(file[:i], ring); !errors.Is(err, backup.ErrFormat) {
			t.Fatalf("cut at %d of %d: %v", i, len(file), err)
		}
	}
	if err := verify(append(bytes.Clone(file), 0), ring); !errors.Is(err, backup.ErrFormat) {
		t.Errorf("a byte more: %v", err)
	}
	if err := verify(file, other); err == nil {
		t.Error("opened with another ring")
	}
	d := open(t, urls(t, "sqlite"))
	before, err := backup.Sum(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Restore(t.Context(), d, reader(file[:len(file)-1], ring)); !errors.Is(err, backup.ErrFormat) {
		t.Errorf("restored from a file cut short: %v", err)
	}
	after, err := backup.Sum(t.Context(), d)
	if err != nil || len(before.Differences(after)) > 0 {
		t.Errorf("a failed restore left something: %v, %v", before.Differences(after), err)
	}
}

// A file opens with its key only, and holds nothing in the clear.
func TestSealedWhole(t *testing.T) {
	s := storetest.OpenSQLite(t)
	storetest.FillAll(t, s)
	var b bytes.Buffer
	if _, err := backup.Write(t.Context(), s.DB(), storetest.Ring(t), &b, at); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"report_row", "unit", "210102", "采集"} {
		if strings.Contains(b.String(), word) {
			t.Errorf("%q stands in the file", word)
		}
	}
}

// noSeal takes the sealing off, so that what lies within is fuzzed.
type noSeal struct{}

func (noSeal) Seal(dst, plain, _ []byte) []byte { return append(dst, plain...) }

func (noSeal) Open(dst, sealed, place []byte) ([]byte, error) {
	if !strings.HasSuffix(string(place), ":last") {
		return dst, seal.ErrOpen // one piece is all there is
	}
	return append(dst, sealed...), nil
}

// FuzzReader: whatever stands in the pieces, reading ends, with a summary or an error of
// this package.
func FuzzReader(f *testing.F) {
	head := "TIANBAO-BACKUP-1\n0123456789abcdef"
	f.Add([]byte{})
	f.Add([]byte("(\xb5/\xfd\x04\x00\x51\x00\x00H\x0b{\"schema\":1}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 1<<20 {
			return
		}
		file := append([]byte(head), byte(len(body)>>24), byte(len(body)>>16), byte(len(body)>>8), byte(len(body)))
		r, err := backup.NewReader(bytes.NewReader(append(file, body...)), noSeal{})
		if err == nil {
			_, err = r.Verify()
			r.Close()
		}
		if err != nil && !errors.Is(err, backup.ErrFormat) {
			t.Errorf("%v", err)
		}
	})
}

// A backup of 100 000 rows of a kilobyte, half of it noise.
func BenchmarkWrite(b *testing.B) {
	s := storetest.OpenSQLite(b)
	fill(b, s.DB(), 100_000)
	ring := storetest.Ring(b)
	b.ReportAllocs()
	for b.Loop() {
		sum, err := backup.Write(b.Context(), s.DB(), ring, io.Discard, at)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(sum.Rows()), "rows")
	}
}
