package sheet

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
)

// alphabet holds what breaks writers: Han characters of every plane, look-alikes of
// numbers and formulas, markup, quotes, escapes, control characters, blanks.
var alphabet = []string{
	"张", "㐀", "𠀀", "𪛖", "𬺰", "𮯰", "𰀀", "𱍐", "郎", "兀", "·", "０", "0", "00", "1", "x", "X", "=", "+", "-", "@", "'", "\"", "<", ">", "&", "&amp;",
	"_x0041_", "_x005F_", "_", "x000D_", "\r", "\n", "\t", "\x01", "\x1f", "\x7f", " ", "　", "\u00a0", "\u200b", "\ufeff", "\ufffd", "\ufffe", "\uffff",
	",", ";", "]]>", "<!--", "E5", "1e5", "1.0", "#N/A", "TRUE", "2023-03-15", "%", "\\", "😀", "é", "́",
}

// TestRoundTrip writes random sheets in normal form and reads them: not one cell may
// change.
func TestRoundTrip(t *testing.T) {
	c := newChecker(t)
	f := c.Form()
	rnd := rand.New(rand.NewPCG(20220923, 1))
	for round := range 200 {
		rows := make([]tianbao.Row, 1+rnd.IntN(8))
		for i := range rows {
			rows[i] = randomRow(rnd, c.Normalize, f, i+1)
		}
		imp, err := readBytes(t, c, written(t, f, rows), "x.xlsx")
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if len(imp.Rows) != len(rows) {
			t.Fatalf("round %d: %d rows of %d", round, len(imp.Rows), len(rows))
		}
		for i := range rows {
			got := &imp.Rows[i].Row
			if d := cmp.Diff([]string(rows[i].Values), []string(got.Values)); d != "" {
				t.Fatalf("round %d row %d (-want +got):\n%s", round, i, d)
			}
			for k := range f.Fields {
				if rows[i].Mark(k) != got.Mark(k) {
					t.Fatalf("round %d row %d field %d: mark %d, want %d", round, i, k, got.Mark(k), rows[i].Mark(k))
				}
			}
			if got.Seq != i+1 {
				t.Fatalf("round %d row %d: number %d", round, i, got.Seq)
			}
		}
	}
}

// randomRow makes a row that is not blank and does not look like a footer.
func randomRow(rnd *rand.Rand, normal func(int, string) string, f *tianbao.Form, seq int) tianbao.Row {
	r := tianbao.Row{Seq: seq, Values: make(tianbao.Values, len(f.Fields)), Marks: make([]tianbao.Mark, len(f.Fields))}
	for i := range r.Values {
		var b strings.Builder
		for range rnd.IntN(6) {
			b.WriteString(alphabet[rnd.IntN(len(alphabet))])
		}
		r.Values[i] = normal(i, b.String())
		switch rnd.IntN(12) {
		case 0:
			r.Values[i], r.Marks[i] = "210102199001019000", tianbao.MarkNumber
		case 1:
			r.Values[i], r.Marks[i] = normal(i, "2023-03-15"), tianbao.MarkDate
		case 2:
			r.Values[i], r.Marks[i] = normal(i, "#DIV/0!"), tianbao.MarkError
		}
	}
	r.Values[1] = normal(1, "甲"+r.Values[1]) // never blank
	r.Marks[1] = tianbao.MarkNone
	return r
}

// TestWriteIsDeterministic gives equal bytes for equal rows.
func TestWriteIsDeterministic(t *testing.T) {
	f := newChecker(t).Form()
	if !bytes.Equal(written(t, f, people(20)), written(t, f, people(20))) {
		t.Error("two exports of the same rows differ")
	}
}

// TestTemplate is an export without rows: readable, and without rows.
func TestTemplate(t *testing.T) {
	c := newChecker(t)
	imp, err := readBytes(t, c, written(t, c.Form(), nil), "x.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if len(imp.Rows) != 0 || imp.Sheet != sheetTitle || len(imp.Remarks) != 0 {
		t.Errorf("%d rows on %q, remarks %q", len(imp.Rows), imp.Sheet, imp.Remarks)
	}
}

// TestWriteFails passes errors on and refuses what does not fit.
func TestWriteFails(t *testing.T) {
	f := newChecker(t).Form()
	broken := errors.New("broken")
	err := Write(new(bytes.Buffer), f, func(yield func(tianbao.Row, error) bool) { yield(tianbao.Row{}, broken) }, WriteOptions{})
	if !errors.Is(err, broken) {
		t.Errorf("error of the rows: %v", err)
	}
	var b bytes.Buffer
	err = Write(&b, f, rowsSeq(nil), WriteOptions{Rows: 1 << 20})
	if codeOf(t, err) != "too_large" || b.Len() > 0 {
		t.Errorf("too many rows: %v after %d bytes", err, b.Len())
	}
	if err := Write(failing{}, f, rowsSeq(people(5000)), WriteOptions{}); !errors.Is(err, errFull) {
		t.Errorf("full disk: %v", err)
	}
}

var errFull = errors.New("full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }

// TestAnnotated colours, comments and explains, reads back to the same rows, and
// leaves nothing stale.
func TestAnnotated(t *testing.T) {
	c := newChecker(t)
	f := c.Form()
	rows := people(4)
	rows[1].Values[6] = "210102199001019000"
	rows[1].Marks = make([]tianbao.Mark, len(f.Fields))
	rows[1].Marks[6] = tianbao.MarkNumber
	rows[2].Values[5] = "张3"
	rows[3].Values[7] = ""
	annotate := func(imp *tianbao.Import) []byte {
		var b bytes.Buffer
		if err := WriteAnnotated(&b, f, imp, c.Imported(imp), WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	first, err := readBytes(t, c, written(t, f, rows), "x.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	copy1 := annotate(first)
	second, err := readBytes(t, c, copy1, "x.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rowsOf(first), rowsOf(second)); d != "" || len(second.Remarks) != 0 {
		t.Errorf("read back (-want +got):\n%s%q", d, second.Remarks)
	}
	if second.Rows[1].Row.Mark(6) != tianbao.MarkNumber {
		t.Error("the id that was a number came back as text: its fault would be gone")
	}
	if !bytes.Equal(copy1, annotate(second)) {
		t.Error("annotating the annotated copy changed it")
	}
	comments := partOf(t, copy1, "xl/comments1.xml")
	for _, ref := range []string{`ref="H13"`, `ref="G14"`, `ref="I15"`} {
		if !strings.Contains(comments, ref) {
			t.Errorf("no comment at %s in %s", ref, comments)
		}
	}
	// Corrected and sent in again: no sign is left.
	for i := range second.Rows {
		second.Rows[i].Row = tianbao.Row{Values: person(i)}
	}
	clean := annotate(second)
	if s := partOf(t, clean, "xl/comments1.xml"); strings.Contains(s, "<comment ") {
		t.Errorf("stale comment: %s", s)
	}
	if s := partOf(t, clean, "xl/worksheets/sheet1.xml"); strings.Contains(s, "列 ") {
		t.Error("stale explanation")
	}
}

// partOf returns a part of a written workbook.
func partOf(t *testing.T, file []byte, name string) string {
	t.Helper()
	limits := DefaultLimits()
	c, err := openContainer(bytes.NewReader(file), int64(len(file)), &limits)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.parts[strings.ToLower(name)].Open()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
