package audit

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/seal"
)

func ring(t testing.TB) *seal.Ring {
	t.Helper()
	r, err := seal.New(seal.SM4, []byte("audit test"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func signer(t testing.TB) *Signer {
	t.Helper()
	secret, err := ring(t).SigningSecret("audit")
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// honest makes a trail of n records in all lanes, ordered as a store gives it.
func honest(t testing.TB, n int) ([]Record, [Lanes]Head) {
	digest := ring(t).Digest
	var heads [Lanes]Head
	var rs []Record
	for i := range n {
		e := tianbao.Event{
			At: time.UnixMilli(1663891200000 + int64(i)), Actor: tianbao.ID(i % 40), From: "10.0.0.1", What: "save",
			Object: fmt.Sprint(i), Result: tianbao.ResultDone, Detail: "version=1",
		}
		r := Record{Event: e, Lane: LaneOf(&e), ID: tianbao.ID(1000 + i), Personal: strings.Repeat("a", i%2*64)}
		heads[r.Lane] = r.Link(heads[r.Lane], digest)
		rs = append(rs, r)
	}
	slices.SortStableFunc(rs, func(a, b Record) int { return a.Lane - b.Lane })
	return rs, heads
}

func all(rs []Record) func(func(Record, error) bool) {
	return func(yield func(Record, error) bool) {
		for _, r := range rs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestHonestTrail(t *testing.T) {
	rs, heads := honest(t, 500)
	used := 0
	for _, h := range heads {
		if h.Seq > 0 {
			used++
		}
	}
	f, err := Verify(all(rs), [Lanes]Head{}, heads, nil, ring(t).Digest)
	if err != nil || !f.OK() || f.Records != 500 || used < Lanes/2 {
		t.Errorf("%d records in %d lanes, %v, %v", f.Records, used, f.Faults, err)
	}
	for lane := range heads {
		if f.Heads[lane].Seq != heads[lane].Seq || f.Heads[lane].Hash != heads[lane].Hash {
			t.Errorf("lane %d: another head", lane)
		}
	}
}

// SEC-24: 1 000 random mutations of each of five sorts, each found.
func TestSEC24Mutations(t *testing.T) {
	rs, heads := honest(t, 120)
	digest := ring(t).Digest
	rnd := rand.New(rand.NewPCG(1, 2))
	edits := []func(r *Record){
		func(r *Record) { r.At = r.At.Add(time.Millisecond) },
		func(r *Record) { r.Actor++ },
		func(r *Record) { r.Owner++ },
		func(r *Record) { r.From += "1" },
		func(r *Record) { r.What = "report" },
		func(r *Record) { r.Object += "0" },
		func(r *Record) { r.Result = tianbao.ResultDenied },
		func(r *Record) { r.Detail = r.Detail[1:] },
		func(r *Record) { r.Personal += "b" },
		func(r *Record) { r.ID++ },
		func(r *Record) { r.Hash[rnd.IntN(HashSize)] ^= 1 << rnd.IntN(8) },
		func(r *Record) { r.MAC = "0" + r.MAC[1:]; r.MAC = strings.ToUpper(r.MAC) },
		func(r *Record) { r.Detail, r.Object = r.Object, r.Detail },
		func(r *Record) { // hash and chain made anew by somebody without the key
			r.Detail += "!"
			r.Hash = r.hash([HashSize]byte{})
		},
	}
	sorts := []struct {
		name string
		bend func(rs []Record) []Record
	}{
		{"edit", func(rs []Record) []Record {
			edits[rnd.IntN(len(edits))](&rs[rnd.IntN(len(rs))])
			return rs
		}},
		{"delete", func(rs []Record) []Record {
			i := rnd.IntN(len(rs))
			return slices.Delete(rs, i, i+1)
		}},
		{"insert", func(rs []Record) []Record {
			i := rnd.IntN(len(rs))
			forged := rs[i]
			forged.ID += tianbao.ID(rnd.IntN(2)) * 100000
			forged.Seq += int64(rnd.IntN(2))
			if rnd.IntN(2) == 0 {
				forged.Hash = forged.hash(rs[i].Hash)
			}
			return slices.Insert(rs, i+rnd.IntN(2), forged)
		}},
		{"swap", func(rs []Record) []Record {
			for {
				i, j := rnd.IntN(len(rs)), rnd.IntN(len(rs))
				if i == j {
					continue
				}
				// With numbers that fit: a store gives records in their order.
				rs[i], rs[j] = rs[j], rs[i]
				rs[i].Seq, rs[j].Seq = rs[j].Seq, rs[i].Seq
				rs[i].Lane, rs[j].Lane = rs[j].Lane, rs[i].Lane
				return rs
			}
		}},
		{"truncate", func(rs []Record) []Record {
			// The end of one lane, or of all of them.
			if rnd.IntN(2) == 0 {
				return rs[:rnd.IntN(len(rs))]
			}
			lane, n := rs[rnd.IntN(len(rs))].Lane, int64(rnd.IntN(2))
			return slices.DeleteFunc(rs, func(r Record) bool { return r.Lane == lane && r.Seq > n })
		}},
	}
	for _, sort := range sorts {
		for i := range 1000 {
			before := slices.Clone(rs)
			bent := sort.bend(slices.Clone(rs))
			if slices.Equal(before, bent) {
				continue // a lane of one record, cut behind its end
			}
			f, err := Verify(all(bent), [Lanes]Head{}, heads, nil, digest)
			if err != nil {
				t.Fatal(err)
			}
			if f.OK() {
				t.Fatalf("%s %d was not found", sort.name, i)
			}
		}
	}
}

func TestCheckpoints(t *testing.T) {
	s := signer(t)
	rs, heads := honest(t, 60)
	at := time.Date(2022, 9, 23, 16, 55, 0, 0, time.UTC)
	c, err := s.Sign(at, heads)
	if err != nil {
		t.Fatal(err)
	}
	cp, err := c.Open(s.PublicKey())
	if err != nil || cp.At != "2022-09-24T00:55:00.000+08:00" || cp.Records != 60 {
		t.Fatalf("%+v, %v", cp, err)
	}
	if f, err := Verify(all(rs), [Lanes]Head{}, heads, []Checkpoint{cp}, ring(t).Digest); err != nil || !f.OK() {
		t.Errorf("%v %v", f, err)
	}
	other, err := NewSigner(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Open(other.PublicKey()); err == nil {
		t.Error("another key's signature is taken")
	}
	bent := c
	bent.Checkpoint = bytes.Replace(c.Checkpoint, []byte(`"records":60`), []byte(`"records":61`), 1)
	if _, err := bent.Open(s.PublicKey()); err == nil {
		t.Error("a changed checkpoint is taken")
	}
	// Another history of the same length, with right keys: a database put back and
	// lived on with.
	again, _ := honest(t, 61)
	again[0].Detail = "else"
	var hs [Lanes]Head
	for i := range again {
		hs[again[i].Lane] = again[i].Link(hs[again[i].Lane], ring(t).Digest)
	}
	if f, err := Verify(all(again), [Lanes]Head{}, hs, nil, ring(t).Digest); err != nil || !f.OK() {
		t.Fatalf("%v %v", f, err)
	}
	if f, err := Verify(all(again), [Lanes]Head{}, hs, []Checkpoint{cp}, ring(t).Digest); err != nil || f.OK() {
		t.Errorf("another history passes the checkpoint, %v", err)
	}
}

func TestExport(t *testing.T) {
	s := signer(t)
	rs, heads := honest(t, 50)
	var out bytes.Buffer
	write := func(line []byte) error {
		out.Write(line)
		return out.WriteByte('\n')
	}
	for range tee(all(rs), write) {
	}
	c, err := s.Sign(time.UnixMilli(0), heads)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(fmt.Appendf(nil, `{"checkpoint":%s,"signature":%q,"key":%q}`, c.Checkpoint, c.Signature, c.Key)); err != nil {
		t.Fatal(err)
	}
	f, err := VerifyExport(bytes.NewReader(out.Bytes()), s.PublicKey())
	if err != nil || !f.OK() || f.Records != 50 {
		t.Fatalf("%v %v", f, err)
	}
	lines := strings.SplitAfter(out.String(), "\n")
	bad := map[string]string{
		"a changed line":  strings.Replace(out.String(), `"object":"7"`, `"object":"8"`, 1),
		"a line less":     strings.Join(slices.Delete(slices.Clone(lines), 3, 4), ""),
		"lines exchanged": lines[1] + lines[0] + strings.Join(lines[2:], ""),
	}
	for name, text := range bad {
		if f, err := VerifyExport(strings.NewReader(text), s.PublicKey()); err == nil && f.OK() {
			t.Errorf("%s passes", name)
		}
	}
	for _, text := range []string{"", "x", "{}", lines[0], "{\"lane\":99}\n{}"} {
		if _, err := VerifyExport(strings.NewReader(text), s.PublicKey()); err == nil {
			t.Errorf("%.20q is taken for an export", text)
		}
	}
}

func FuzzVerifyExport(f *testing.F) {
	s := signer(f)
	f.Add([]byte(`{"lane":1,"seq":1,"id":"5","at":"2022-09-24T00:55:00.000+08:00","hash":""}` + "\n{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if f, err := VerifyExport(bytes.NewReader(b), s.PublicKey()); err == nil && f.OK() {
			t.Errorf("%q is taken for an export", b)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	rs, heads := honest(b, 10000)
	digest := ring(b).Digest
	for b.Loop() {
		if f, err := Verify(all(rs), [Lanes]Head{}, heads, nil, digest); err != nil || !f.OK() {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/10000, "µs/record")
}
