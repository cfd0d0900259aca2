package sheet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
)

// scanned gathers what Scan hands on, as Read would have kept it.
func scanned(t testing.TB, b []byte) (*tianbao.Import, error) {
	t.Helper()
	var rows []tianbao.ImportedRow
	imp, err := Scan(context.Background(), bytes.NewReader(b), int64(len(b)), "x", newChecker(t), ReadOptions{}, func(_ *tianbao.Import, r *tianbao.ImportedRow) error {
		x := *r
		x.Raw, x.Row.Values, x.Row.Marks, x.Unknown = slices.Clone(x.Raw), slices.Clone(x.Row.Values), slices.Clone(x.Row.Marks), slices.Clone(x.Unknown)
		rows = append(rows, x)
		return nil
	})
	if imp != nil {
		imp.Rows = rows
	}
	return imp, err
}

// plainRows lets cmp see the cells and leaves out what only Read finds.
func plainRows(imp *tianbao.Import) [][]string {
	var out [][]string
	for _, r := range imp.Rows {
		marks := make([]tianbao.Mark, len(r.Raw))
		copy(marks, r.Row.Marks)
		out = append(out, slices.Concat([]string{fmt.Sprint(r.SheetRow, r.Hidden, r.Seq, marks)}, r.Raw, r.Row.Values, r.Unknown))
	}
	return out
}

// TestScanIsRead holds the two ways of reading against each other.
func TestScanIsRead(t *testing.T) {
	c := newChecker(t)
	files := map[string][]byte{
		"inline": written(t, c.Form(), people(3000)),
		"shared": bookOf(t, 3000, true),
	}
	names, _ := filepath.Glob("testdata/samples/*")
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = b
	}
	for name, b := range files {
		want, werr := readBytes(t, c, b, "x")
		got, gerr := scanned(t, b)
		if werr != nil || gerr != nil {
			if werr == nil || gerr == nil || codeOf(t, werr) != codeOf(t, gerr) {
				t.Errorf("%s: %v, %v", name, werr, gerr)
			}
			continue
		}
		if d := cmp.Diff(plainRows(want), plainRows(got)); d != "" {
			t.Errorf("%s (-read +scan):\n%s", name, d)
		}
		if d := cmp.Diff([]any{want.Sheet, want.Columns, want.SeqColumn, want.Unknown, want.Remarks}, []any{got.Sheet, got.Columns, got.SeqColumn, got.Unknown, got.Remarks}); d != "" {
			t.Errorf("%s (-read +scan):\n%s", name, d)
		}
	}
}

// TestScanMerged fills down while rows come, or refuses; it never gives a row the
// wrong unit.
func TestScanMerged(t *testing.T) {
	p := func(i int, unit bool) []string {
		r := append([]string{fmt.Sprint(i)}, person(i)...)
		if !unit {
			r[1], r[2], r[3], r[4] = "", "", "", ""
		}
		return r
	}
	tests := []struct {
		name   string
		rows   [][]string
		merges []string
		err    string
	}{
		{"from the first row", [][]string{p(1, true), p(2, false), p(3, false)}, []string{"B2:B4", "C2:C4", "D2:D4", "E2:E4"}, ""},
		{"later", [][]string{p(1, true), p(2, true), p(3, false), p(4, true)}, []string{"B3:B4", "C3:C4", "D3:D4", "E3:E4"}, ""},
		{"two ranges", [][]string{p(1, true), p(2, false), p(3, true), p(4, false)}, []string{"C2:C3", "C4:C5", "B4:B5"}, ""},
		{"blank without a range", [][]string{p(1, true), p(2, false)}, nil, ""},
		{"text under the merged cell, in time", [][]string{p(1, true), p(2, false), p(3, true), p(4, true)}, []string{"C4:C5"}, ""},
		{"text under the merged cell, too late", [][]string{p(1, true), p(2, true), p(3, true)}, []string{"C2:C3"}, "unreadable"},
		{"text under the merged cell, seen when fetched", [][]string{p(1, true), p(2, true), p(3, true), p(4, false)}, []string{"C2:C3"}, "unreadable"},
		{"range over a blank row", [][]string{p(1, true), nil, p(3, false)}, []string{"C2:C4"}, ""},
		{"range of the header", [][]string{p(1, true), p(2, false)}, []string{"C1:C3"}, ""},
		{"range of another column", [][]string{p(1, true), p(2, true)}, []string{"G2:G3"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := "<mergeCells>"
			for _, m := range tt.merges {
				x += `<mergeCell ref="` + m + `"/>`
			}
			b := rawBook{sheet: strings.Replace(sheetOf(append([][]string{titles}, tt.rows...)...), "</worksheet>", x+"</mergeCells></worksheet>", 1)}.bytes(t)
			want, err := readBytes(t, newChecker(t), b, "x")
			if err != nil {
				t.Fatal(err)
			}
			got, err := scanned(t, b)
			if tt.err != "" {
				if err == nil || codeOf(t, err) != tt.err {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(plainRows(want), plainRows(got)); d != "" {
				t.Errorf("(-read +scan):\n%s", d)
			}
		})
	}
}

// TestScanRefuses rows out of order, and gives the caller's error back.
func TestScanRefuses(t *testing.T) {
	row := func(n int) string { return rowXML(n, append([]string{"1"}, person(n)...)...) }
	for _, rows := range []string{row(3) + row(2), row(2) + row(2)} {
		if _, err := scanned(t, rawBook{sheet: worksheet(rows)}.bytes(t)); err == nil || codeOf(t, err) != "unreadable" {
			t.Errorf("got %v", err)
		}
	}
	own := errors.New("disk full")
	b := rawBook{sheet: worksheet(row(2))}.bytes(t)
	_, err := Scan(t.Context(), bytes.NewReader(b), int64(len(b)), "x", newChecker(t), ReadOptions{}, func(*tianbao.Import, *tianbao.ImportedRow) error { return own })
	if !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
}

// FuzzScan holds Scan against Read on mutated sheets.
func FuzzScan(f *testing.F) {
	row := func(n int) string { return rowXML(n, append([]string{"1"}, person(n)...)...) }
	f.Add(row(2)+row(3)+rowXML(4, "3", "", "", "", "", "", "张三"), `<mergeCell ref="B3:B4"/><mergeCell ref="C2:C4"/>`)
	f.Add(row(2)+row(4)+row(3), ``)
	f.Add(`<row r="2" hidden="1"><c r="C2" t="e"><v>#N/A</v></c><c r="G2" t="str"><v>甲</v></c></row>`+row(3), `<mergeCell ref="C2:C9"/>`)
	f.Fuzz(func(t *testing.T, rows, merges string) {
		b := rawBook{sheet: `<worksheet><sheetData>` + headerXML + rows + `</sheetData><mergeCells>` + merges + `</mergeCells></worksheet>`}.bytes(t)
		want, werr := readBytes(t, newChecker(t), b, "x")
		got, gerr := scanned(t, b)
		if gerr != nil {
			return // what needs all rows is refused
		}
		if werr != nil {
			t.Fatalf("read: %v, scan without an error", werr)
		}
		if w, g := fmt.Sprintf("%q", plainRows(want)), fmt.Sprintf("%q", plainRows(got)); w != g {
			t.Fatalf("(-read +scan):\n%s", cmp.Diff(plainRows(want), plainRows(got)))
		}
	})
}
