package sheet

import (
	"archive/zip"
	"bytes"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
)

func TestTraceColours(t *testing.T) {
	seen := make(map[int]bool)
	for slot := range traceSlots {
		for bits := range 32 {
			c := traceColour(slot, bits)
			s, b, ok := traced(c)
			if !ok || s != slot || b != bits || seen[c] {
				t.Fatalf("%06X: %d %d %v, want %d %d", c, s, b, ok, slot, bits)
			}
			seen[c] = true
		}
	}
	for _, c := range []int{0, 0x1F2328, 0x57606A, 0xB42318, 0xFFFFFF} {
		if _, _, ok := traced(c); ok {
			t.Errorf("%06X counts as a mark", c)
		}
	}
}

// sampled keeps some of the rows of data of a workbook, in any order, and of each only
// the cells of some columns.
func sampled(t *testing.T, book []byte, share float64, columns string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name == "xl/worksheets/sheet1.xml" {
			b = regexp.MustCompile(`(?s)<row [^>]*r="\d+".*?</row>`).ReplaceAllFunc(b, func(row []byte) []byte {
				if rng.Float64() >= share {
					return nil
				}
				return regexp.MustCompile(`(?s)<c r="([A-Z]+)\d+"[^>]*?(/>|>.*?</c>)`).ReplaceAllFunc(row, func(c []byte) []byte {
					if columns != "" && !strings.Contains(columns, string(c[6])) {
						return nil
					}
					return c
				})
			})
		}
		o, err := w.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// SEC-43: the invisible mark is found in a tenth of the rows, and after LibreOffice
// saved the file again; no value changes.
func TestSEC43Trace(t *testing.T) {
	c := newChecker(t)
	f := c.Form()
	code := Trace{0xDE, 0xAD, 0xBE, 0xEF, 0x5A}
	for _, self := range []bool{false, true} {
		rows := stampedRows(300)
		with := stamped(t, f, rows, WriteOptions{Stamp: testStamp(), SelfCheck: self, Trace: &code, Footer: "张示例 2022-09-23 10:00 导出，用途：A&B <核对>"})
		without := stamped(t, f, rows, WriteOptions{Stamp: testStamp(), SelfCheck: self})
		read := func(b []byte) *tianbao.Import { return readStamped(t, c, b, "a.xlsx") }
		if d := cmp.Diff(valuesOf(read(without)), valuesOf(read(with))); d != "" {
			t.Fatalf("the mark changes what is read: %s", d)
		}
		again := officeConvert(t, "xlsx:Calc MS Excel 2007 XML", map[string][]byte{"a.xlsx": with})["a.xlsx"]
		if d := cmp.Diff(valuesOf(read(with)), valuesOf(read(again))); d != "" {
			t.Errorf("LibreOffice changes what is read: %s", d)
		}
		for name, tt := range map[string]struct {
			book     []byte
			min, max int // rows in which the whole code stands
		}{
			"whole":                               {with, 299, 499}, // one has a number for an id; some are spare
			"a tenth of the rows":                 {sampled(t, with, 0.1, ""), 10, 70},
			"saved by LibreOffice":                {again, 299, 499},
			"saved by LibreOffice, a tenth of it": {sampled(t, again, 0.1, ""), 10, 70},
			"three columns of a tenth":            {sampled(t, again, 0.1, "FGH"), 0, 0},
		} {
			got, err := FindTrace(t.Context(), bytes.NewReader(tt.book), int64(len(tt.book)))
			if err != nil || len(got) != 1 || got[0].Code != code || got[0].Rows < tt.min || got[0].Rows > tt.max {
				t.Errorf("%s, self-checking %v: %v %v", name, self, got, err)
			}
		}
		if got, err := FindTrace(t.Context(), bytes.NewReader(without), int64(len(without))); err != nil || len(got) != 0 {
			t.Errorf("found in what is not marked: %v %v", got, err)
		}
	}
}

func valuesOf(imp *tianbao.Import) (out [][]string) {
	for i := range imp.Rows {
		out = append(out, imp.Rows[i].Row.Values)
	}
	return out
}

func FuzzFindTrace(f *testing.F) {
	form := newChecker(f).Form()
	code := Trace{1, 2, 3, 4, 5}
	f.Add(stamped(f, form, stampedRows(3), WriteOptions{Trace: &code}))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = FindTrace(t.Context(), bytes.NewReader(b), int64(len(b)))
	})
}
