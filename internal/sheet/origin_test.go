package sheet

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"tianbao"
	"tianbao/internal/check"
)

// testDigest is a keyed digest as internal/seal gives it.
func testDigest(key string) digestFunc {
	return func(label string, parts ...[]byte) string {
		h := hmac.New(sha256.New, []byte(key))
		fmt.Fprintf(h, "%d %s", len(label), label)
		for _, p := range parts {
			h.Write(p)
		}
		return hex.EncodeToString(h.Sum(nil))
	}
}

func testStamp() *tianbao.Stamp {
	return &tianbao.Stamp{
		Report: 7_100_000_000_000_000_001, Version: 42, At: time.Date(2022, 9, 23, 8, 30, 1, 5e6, time.UTC),
		Digest: testDigest("k"),
	}
}

// stampedRows are n rows with ids; one has a cell whose type must be kept.
func stampedRows(n int) []tianbao.Row {
	rows := people(n)
	for i := range rows {
		rows[i].ID = tianbao.ID(7_200_000_000_000_000_000 + i)
		rows[i].Version = int64(40 - i%7)
	}
	if n > 2 {
		rows[2].Values[6] = "210102199001019000"
		rows[2].Marks = make([]tianbao.Mark, len(rows[2].Values))
		rows[2].Marks[6] = tianbao.MarkNumber
	}
	return rows
}

func stamped(t testing.TB, f *tianbao.Form, rows []tianbao.Row, opt WriteOptions) []byte {
	t.Helper()
	if opt.Stamp == nil {
		opt.Stamp = testStamp()
	}
	var b bytes.Buffer
	if err := Write(&b, f, rowsSeq(rows), opt); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readStamped(t testing.TB, c *check.Checker, b []byte, name string) *tianbao.Import {
	t.Helper()
	imp, err := Read(context.Background(), bytes.NewReader(b), int64(len(b)), name, c, ReadOptions{Digest: testDigest("k")})
	if err != nil {
		t.Fatal(err)
	}
	scansHome(t, c, b, name, imp)
	return imp
}

// scansHome goes through the workbook with a Scanner and holds what it says of rows and
// origin against what Read said.
func scansHome(t testing.TB, c *check.Checker, b []byte, name string, want *tianbao.Import) {
	t.Helper()
	s := NewScanner(bytes.NewReader(b), int64(len(b)), name, c, ReadOptions{Digest: testDigest("k")})
	for pass := range 3 {
		var ids []tianbao.ID
		imp, err := s.Scan(t.Context(), func(_ *tianbao.Import, r *tianbao.ImportedRow) error {
			ids = append(ids, r.Row.ID)
			return nil
		})
		if errors.Is(err, ErrNeedsAll) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var home []tianbao.ID
		if want.Origin != nil {
			for i := range want.Rows {
				home = append(home, want.Rows[i].Row.ID)
			}
			if len(want.Rows) > 0 && !slices.Equal(imp.Origin.Home, home) {
				t.Errorf("pass %d: home %v, Read has %v", pass, imp.Origin.Home, home)
			}
			if pass > 0 && !slices.Equal(ids, home) {
				t.Errorf("pass %d: ids %v, Read has %v", pass, ids, home)
			}
			o := *imp.Origin
			o.Home = nil
			if d := cmp.Diff(want.Origin, &o); d != "" {
				t.Errorf("pass %d: %s", pass, d)
			}
		} else if imp.Origin != nil || len(ids) != len(want.Rows) {
			t.Errorf("pass %d: origin %v, %d rows, want none, %d", pass, imp.Origin != nil, len(ids), len(want.Rows))
		}
		if d := cmp.Diff(want.Remarks, imp.Remarks); d != "" {
			t.Errorf("pass %d: %s", pass, d)
		}
	}
}

// home is what a test wants to know of a row that came home.
func home(imp *tianbao.Import) []string {
	var out []string
	for i := range imp.Rows {
		r := &imp.Rows[i]
		state := "new"
		if r.Row.ID > 0 {
			state = fmt.Sprintf("%d v%d", r.Row.ID-7_200_000_000_000_000_000, r.Row.Version)
			if r.Untouched {
				state += " untouched"
			}
		}
		out = append(out, state)
	}
	return out
}

func TestOriginComesHome(t *testing.T) {
	c := newChecker(t)
	rows := stampedRows(1200) // the held ids take three cells
	for _, opt := range []WriteOptions{{}, {SelfCheck: true}} {
		imp := readStamped(t, c, stamped(t, c.Form(), rows, opt), "x.xlsx")
		st := testStamp()
		want := &tianbao.Origin{Report: st.Report, Form: c.Form().Name, FormV: c.Form().Version, Version: st.Version, At: st.At}
		for i := range rows {
			want.Held = append(want.Held, rows[i].ID)
		}
		if d := cmp.Diff(want, imp.Origin); d != "" {
			t.Errorf("self-check %v: origin (-want +got):\n%s", opt.SelfCheck, d)
		}
		if len(imp.Rows) != len(rows) || len(imp.Remarks) > 0 || len(imp.Unknown) > 0 {
			t.Errorf("self-check %v: %d rows, remarks %q, unknown %q", opt.SelfCheck, len(imp.Rows), imp.Remarks, imp.Unknown)
		}
		for i := range imp.Rows {
			r := &imp.Rows[i]
			if r.Row.ID != rows[i].ID || r.Row.Version != rows[i].Version || !r.Untouched {
				t.Fatalf("row %d: id %d version %d untouched %v", i, r.Row.ID, r.Row.Version, r.Untouched)
			}
		}
	}
	if !bytes.Equal(stamped(t, c.Form(), rows, WriteOptions{}), stamped(t, c.Form(), rows, WriteOptions{})) {
		t.Error("two stamped exports of the same rows differ")
	}
}

// TestOriginIsForeign: without the key, with another's, changed, or without its
// hidden sheet, a workbook is a foreign one and its rows are all read.
func TestOriginIsForeign(t *testing.T) {
	c := newChecker(t)
	file := stamped(t, c.Form(), stampedRows(5), WriteOptions{})
	edit := func(fn func(x *excelize.File)) []byte { return edited(t, file, fn) }
	tests := []struct {
		name   string
		file   []byte
		key    string
		remark bool
	}{
		{"no key", file, "", false},
		{"another key", file, "other", true},
		{"another report in the sheet", edit(func(x *excelize.File) { _ = x.SetCellStr(originSheet, "B4", "7100000000000000002") }), "k", true},
		{"a held id more", edit(func(x *excelize.File) { _ = x.SetCellStr(originSheet, "B7", "7200000000000000000") }), "k", true},
		{"signature gone", edit(func(x *excelize.File) { _ = x.RemoveRow(originSheet, 8) }), "k", true},
		{"hidden sheet gone", edit(func(x *excelize.File) { _ = x.DeleteSheet(originSheet) }), "k", false},
		{"hidden sheet of something else", edit(func(x *excelize.File) { _ = x.SetCellStr(originSheet, "A1", "x") }), "k", false},
		{"no stamp", written(t, c.Form(), stampedRows(5)), "k", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opt := ReadOptions{}
			if tt.key != "" {
				opt.Digest = testDigest(tt.key)
			}
			imp, err := Read(context.Background(), bytes.NewReader(tt.file), int64(len(tt.file)), "x.xlsx", c, opt)
			if err != nil {
				t.Fatal(err)
			}
			if imp.Origin != nil || len(imp.Rows) != 5 || (len(imp.Remarks) > 0) != tt.remark {
				t.Errorf("origin %+v, %d rows, remarks %q", imp.Origin, len(imp.Rows), imp.Remarks)
			}
			if d := cmp.Diff(slices.Repeat([]string{"new"}, 5), home(imp)); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
		})
	}
}

// edited opens a workbook in excelize, changes it and saves it, as any program does.
func edited(t testing.TB, file []byte, fn func(x *excelize.File)) []byte {
	t.Helper()
	x, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	fn(x)
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestOriginAfterEdits does to a workbook what clerks do.
func TestOriginAfterEdits(t *testing.T) {
	c := newChecker(t)
	first := layoutOf(c.Form(), false).first
	at := func(col string, i int) string { return fmt.Sprintf("%s%d", col, first+i) }
	// visible copies the cells that one sees of a row, without the hidden mark.
	visible := func(x *excelize.File, i int) []string {
		out := make([]string, len(titles))
		for k := range titles {
			out[k], _ = x.GetCellValue(sheetTitle, Address(k, first+i))
		}
		return out
	}
	put := func(x *excelize.File, i int, cells []string) {
		for k, v := range cells {
			_ = x.SetCellStr(sheetTitle, Address(k, first+i), v)
		}
	}
	tests := []struct {
		name   string
		do     func(x *excelize.File)
		want   []string
		remark string
	}{
		{"saved", func(*excelize.File) {}, []string{"0 v40 untouched", "1 v39 untouched", "2 v38 untouched", "3 v37 untouched"}, ""},
		{
			"a cell edited", func(x *excelize.File) { _ = x.SetCellStr(sheetTitle, at("G", 1), "赵六") },
			[]string{"0 v40 untouched", "1 v39", "2 v38 untouched", "3 v37 untouched"},
			"",
		},
		{
			"renumbered", func(x *excelize.File) { _ = x.SetCellInt(sheetTitle, at("A", 1), 99) },
			[]string{"0 v40 untouched", "1 v39 untouched", "2 v38 untouched", "3 v37 untouched"},
			"",
		},
		{
			"a number retyped as text", func(x *excelize.File) { _ = x.SetCellStr(sheetTitle, at("H", 2), "210102199001019000") },
			[]string{"0 v40 untouched", "1 v39 untouched", "2 v38", "3 v37 untouched"},
			"",
		},
		{
			"a row deleted", func(x *excelize.File) { _ = x.RemoveRow(sheetTitle, first+1) },
			[]string{"0 v40 untouched", "2 v38 untouched", "3 v37 untouched"},
			"",
		},
		{
			"a row emptied", func(x *excelize.File) { put(x, 1, make([]string, len(titles))) },
			[]string{"0 v40 untouched", "2 v38 untouched", "3 v37 untouched"},
			"",
		},
		{"a row inserted", func(x *excelize.File) {
			_ = x.InsertRows(sheetTitle, first+1, 1)
			put(x, 1, append([]string{"9"}, person(77)...))
		}, []string{"0 v40 untouched", "new", "1 v39 untouched", "2 v38 untouched", "3 v37 untouched"}, ""},
		{"a row copied and edited", func(x *excelize.File) {
			_ = x.DuplicateRowTo(sheetTitle, first+1, first+4)
			_ = x.SetCellStr(sheetTitle, at("G", 4), "赵六")
		}, []string{"0 v40 untouched", "1 v39 untouched", "2 v38 untouched", "3 v37 untouched", "new"}, ""},
		{
			"rows appended", func(x *excelize.File) { put(x, 4, append([]string{"5"}, person(78)...)) },
			[]string{"0 v40 untouched", "1 v39 untouched", "2 v38 untouched", "3 v37 untouched", "new"},
			"",
		},
		{"sorted with its marks", func(x *excelize.File) {
			a, b := visible(x, 0), visible(x, 3)
			ma, _ := x.GetCellValue(sheetTitle, at("J", 0))
			mb, _ := x.GetCellValue(sheetTitle, at("J", 3))
			put(x, 0, append(b, mb))
			put(x, 3, append(a, ma))
		}, []string{"3 v37 untouched", "1 v39 untouched", "2 v38 untouched", "0 v40 untouched"}, ""},
		{"sorted without its marks", func(x *excelize.File) {
			a, b := visible(x, 0), visible(x, 3)
			put(x, 0, b)
			put(x, 3, a)
		}, []string{"3 v37 untouched", "1 v39 untouched", "2 v38 untouched", "0 v40 untouched"}, "有 2 行"},
		{"cells deleted and the rest moved up", func(x *excelize.File) {
			for i := range 3 {
				put(x, i, visible(x, i+1))
			}
			_ = x.SetCellDefault(sheetTitle, at("H", 1), "210102199001019000") // a number
			put(x, 3, make([]string, len(titles)))
		}, []string{"1 v39 untouched", "2 v38 untouched", "3 v37 untouched"}, "有 3 行"},
		{"sorted without its marks, and one edited", func(x *excelize.File) {
			a, b, d := visible(x, 0), visible(x, 1), visible(x, 3)
			a[6] = "赵六"
			put(x, 0, b)
			put(x, 1, d)
			put(x, 3, a)
		}, []string{"1 v39 untouched", "3 v37 untouched", "2 v38 untouched", "new"}, "有 2 行"},
		{
			"sorted without its marks, two edited between", func(x *excelize.File) {
				a, b, d, e := visible(x, 0), visible(x, 1), visible(x, 2), visible(x, 3)
				b[6], d[6] = "赵六", "钱七"
				put(x, 0, e)
				put(x, 1, d)
				put(x, 2, b)
				put(x, 3, a)
			},
			[]string{"3 v37 untouched", "new", "new", "0 v40 untouched"},
			"有 2 行",
		},
		{"a mark made up", func(x *excelize.File) {
			m, _ := x.GetCellValue(sheetTitle, at("J", 1))
			_ = x.SetCellStr(sheetTitle, at("J", 1), strings.Replace(m, "7200000000000000001", "7200000000000000009", 1))
		}, []string{"0 v40 untouched", "new", "2 v38 untouched", "3 v37 untouched"}, ""},
		{"a version made up", func(x *excelize.File) {
			m, _ := x.GetCellValue(sheetTitle, at("J", 1))
			_ = x.SetCellStr(sheetTitle, at("J", 1), strings.Replace(m, ".39.", ".41.", 1))
		}, []string{"0 v40 untouched", "new", "2 v38 untouched", "3 v37 untouched"}, ""},
		{
			"the hidden column deleted", func(x *excelize.File) { _ = x.RemoveCol(sheetTitle, "J") },
			[]string{"new", "new", "new", "new"},
			"",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := edited(t, stamped(t, c.Form(), stampedRows(4), WriteOptions{}), tt.do)
			imp := readStamped(t, c, file, "x.xlsx")
			if d := cmp.Diff(tt.want, home(imp)); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
			if got := strings.Join(imp.Remarks, " "); (got == "") != (tt.remark == "") || !strings.Contains(got, tt.remark) {
				t.Errorf("remarks %q", got)
			}
			if imp.Origin == nil || len(imp.Origin.Held) != 4 {
				t.Errorf("origin %+v", imp.Origin)
			}
		})
	}
}

// TestOriginOfAnotherReport: a mark is worth nothing in another report's workbook.
func TestOriginOfAnotherReport(t *testing.T) {
	c := newChecker(t)
	st := testStamp()
	st.Report++
	other := readStamped(t, c, stamped(t, c.Form(), stampedRows(1), WriteOptions{Stamp: st}), "x.xlsx")
	first := layoutOf(c.Form(), false).first
	file := edited(t, stamped(t, c.Form(), stampedRows(2), WriteOptions{}), func(x *excelize.File) {
		_ = x.SetCellStr(sheetTitle, fmt.Sprintf("J%d", first), other.Rows[0].Carried)
	})
	if d := cmp.Diff([]string{"new", "1 v39 untouched"}, home(readStamped(t, c, file, "x.xlsx"))); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
}

// TestOriginThroughLibreOffice saves a stamped workbook anew in LibreOffice.
func TestOriginThroughLibreOffice(t *testing.T) {
	c := newChecker(t)
	rows := stampedRows(700)
	for _, opt := range []WriteOptions{{}, {SelfCheck: true}} {
		for _, ext := range []string{"xlsx", "ods"} {
			file := officeConvert(t, ext, map[string][]byte{"a.xlsx": stamped(t, c.Form(), rows, opt)})["a."+ext]
			imp, err := Read(context.Background(), bytes.NewReader(file), int64(len(file)), "a."+ext, c, ReadOptions{Digest: testDigest("k")})
			if err != nil {
				if codeOf(t, err) == "unsupported" {
					continue // a format that this build does not read
				}
				t.Fatal(err)
			}
			if imp.Origin == nil || len(imp.Origin.Held) != len(rows) || len(imp.Rows) != len(rows) {
				t.Fatalf("%s: origin %v, %d rows, remarks %q", ext, imp.Origin != nil, len(imp.Rows), imp.Remarks)
			}
			for i, s := range home(imp) {
				if want := fmt.Sprintf("%d v%d untouched", i, 40-i%7); s != want {
					t.Fatalf("%s row %d: %s, want %s", ext, i, s, want)
				}
			}
		}
	}
}

// officeConvert lets LibreOffice save files in another format; it recalculates what
// comes without values.
func officeConvert(t *testing.T, filter string, files map[string][]byte) map[string][]byte {
	t.Helper()
	office, err := exec.LookPath("soffice")
	if err != nil {
		if os.Getenv("TIANBAO_TEST_ALL") == "1" {
			t.Fatal("TIANBAO_TEST_ALL is set and soffice is not installed")
		}
		t.Skip("soffice is not installed; set TIANBAO_TEST_ALL=1 where it must be")
	}
	if testing.Short() {
		t.Skip("starts LibreOffice")
	}
	dir := t.TempDir()
	args := []string{
		"-env:UserInstallation=file://" + filepath.Join(dir, "profile"), "--headless", "--convert-to", filter,
		"--outdir", filepath.Join(dir, "out"),
	}
	for name, b := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	cmd := exec.CommandContext(t.Context(), office, args...)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	out := make(map[string][]byte)
	list, err := os.ReadDir(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if out[f.Name()], err = os.ReadFile(filepath.Join(dir, "out", f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
