package store

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/seal"
)

func rowForm() *tianbao.Form {
	return &tianbao.Form{Fields: []tianbao.Field{
		{Key: "org_name"},
		{Key: "person_name"},
		{Key: "person_id", Sealed: true},
		{Key: "phone", Sealed: true},
		{Key: "note"},
	}}
}

func rowStore(t testing.TB) *Store {
	t.Helper()
	ring, err := seal.New(seal.SM4, []byte("row test"))
	if err != nil {
		t.Fatal(err)
	}
	return &Store{ring: ring}
}

// Whatever is stored reads the same in one go and by the JSON package, and what is written
// is read in one go unless it has reasons or a cell that JSON must escape.
func TestReadRow(t *testing.T) {
	s, f := rowStore(t), rowForm()
	long := strings.Repeat("很长的文字", 200)
	for _, tc := range []struct {
		name  string
		row   tianbao.Row
		short bool
	}{
		{"whole", tianbao.Row{Values: tianbao.Values{"测试市财政局", "张三", "110101199001019006", "16012345678", "无"}}, true},
		{"empty", tianbao.Row{Values: tianbao.Values{"", "", "", "", ""}}, true},
		{"only sealed", tianbao.Row{Values: tianbao.Values{"", "", "110101199001019006", "", ""}}, true},
		{"long", tianbao.Row{Values: tianbao.Values{long, "", "", long, long}}, true},
		{"marks", tianbao.Row{Values: tianbao.Values{"a", "b", "c", "d", ""}, Marks: []tianbao.Mark{0, 2, 0, 1, 3}}, true},
		{"quote", tianbao.Row{Values: tianbao.Values{`甲"乙"`, "", "x", "", ""}}, false},
		{"line", tianbao.Row{Values: tianbao.Values{"甲\n乙", "", "x", "", ""}}, false},
		{"reasons", tianbao.Row{Values: tianbao.Values{"a", "", "x", "", ""}, Reasons: []tianbao.Reason{{Code: "c", Text: "因为"}}}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.row.ID = 77
			vals, _, err := s.encodeRow(f, 5, &tc.row)
			if err != nil {
				t.Fatal(err)
			}
			got := tianbao.Row{ID: 77}
			if ok := s.readRow(f, 5, &got, vals); ok != tc.short {
				t.Fatalf("read in one go: %v", ok)
			}
			if err := s.decodeRow(f, 5, &got, vals); err != nil {
				t.Fatal(err)
			}
			parsed := tianbao.Row{ID: 77}
			if err := s.parseRow(f, 5, &parsed, vals); err != nil {
				t.Fatal(err)
			}
			if !equalRows(&got, &parsed) || !equalRows(&got, &tc.row) {
				t.Error("the row comes back changed")
			}
			if other := (tianbao.Row{ID: 78}); len(got.Values[2]) > 0 && s.decodeRow(f, 5, &other, vals) == nil {
				t.Error("sealed cells open in another row")
			}
		})
	}
}

// equalRows compares rows cell by cell: values hide themselves from what prints them.
func equalRows(a, b *tianbao.Row) bool {
	return cmp.Equal([]string(a.Values), []string(b.Values)) && sameMarks(a, b) &&
		cmp.Equal(a.Reasons, b.Reasons) && a.Erased == b.Erased
}

func sameMarks(a, b *tianbao.Row) bool {
	for i := range a.Values {
		if a.Mark(i) != b.Mark(i) {
			return false
		}
	}
	return true
}

// What is read in one go is what the JSON package reads.
func FuzzReadRow(f *testing.F) {
	s, form := rowStore(f), rowForm()
	whole, _, err := s.encodeRow(form, 5, &tianbao.Row{ID: 77, Values: tianbao.Values{"局", "三", "id", "tel", ""}, Marks: []tianbao.Mark{1, 0, 2, 0, 0}})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(whole), `{"v":{}}`, `{"v":{"note":"a"},"s":{}}`, `{"v":{"note":"a"},"m":{"note":1}}`, `{"v":{"note":"a","note":"b"}}`,
		`{"v":{"other":"a"},"m":{"other":2}}`, `{"v":{"note":"a"},"m":{"note":012}}`, `{"v":{"note":"a"},"m":{"note":1000}}`, `{"v":{},"m":{"note":1,"note":0}}`,
		`{"v":{"note":"a"},}`, `{"v":{"note":"a",}}`, `{"v":{"note":"a"}}x`, `{"v":null}`, `{"v":{"note":"a"},"p":"00","e":["person_id"]}`,
		`{"v":{"note":"` + "\xff" + `"}}`, `{"v":{"no` + "\xff" + `":"a"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, vals []byte) {
		short, long := tianbao.Row{ID: 77}, tianbao.Row{ID: 77}
		if !s.readRow(form, 5, &short, vals) {
			return
		}
		if err := s.parseRow(form, 5, &long, vals); err != nil {
			t.Fatalf("only read in one go: %v", err)
		}
		if !equalRows(&short, &long) {
			t.Fatalf("read as %q, parsed as %q", []string(short.Values), []string(long.Values))
		}
	})
}
