package sheet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"tianbao"
)

// TestAnnotatedResults counts the faults on a sheet of its own, with links to the
// cells, and keeps the sender's own columns.
func TestAnnotatedResults(t *testing.T) {
	c := newChecker(t)
	f := c.Form()
	imp := &tianbao.Import{Unknown: []string{"科室", "备注"}}
	for i, r := range people(5) {
		imp.Rows = append(imp.Rows, tianbao.ImportedRow{Row: r, Seq: fmt.Sprint(i + 1), Unknown: []string{fmt.Sprintf("科%d", i), "=1+1"}})
	}
	imp.Rows[1].Row.Values[5] = "张3"
	imp.Rows[2].Row.Values[5] = "李4"
	imp.Rows[3].Row.Values[7] = "024-23861234"
	imp.Rows[4].Unknown = nil
	var b bytes.Buffer
	if err := WriteAnnotated(&b, f, imp, c.Imported(imp), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	x, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	if d := cmp.Diff([]string{sheetTitle, resultSheet}, x.GetSheetList()); d != "" {
		t.Errorf("sheets (-want +got):\n%s", d)
	}
	l := layoutOf(f, true, imp.Unknown...)
	rows, err := x.GetRows(sheetTitle)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(append(append([]string{}, titles...), "科室", "备注", explainTitle), rows[l.header-1]); d != "" {
		t.Errorf("header (-want +got):\n%s", d)
	}
	if got := rows[l.first]; got[9] != "科1" || got[10] != "=1+1" || !strings.HasPrefix(got[11], "F列 ") {
		t.Errorf("second row %q", got[9:])
	}
	got, err := x.GetRows(resultSheet)
	if err != nil {
		t.Fatal(err)
	}
	message := c.Imported(imp)[0].Message
	hint := c.Imported(imp)[2].Message
	want := [][]string{
		{"检查结果"},
		{"共 5 行；强制性 2 处，核实性 0 处，提示性 1 处。"},
		nil,
		{"第一处", "级别", "列", "问题（第一处的说明）", "数量"},
		{"G13", "强制性", "F列 资产管理人姓名", message, "2"},
		{"I15", "提示性", "H列 联系方式", hint, "1"},
		nil,
		{"单元格", "级别", "列", "说明"},
		{"G13", "强制性", "F列 资产管理人姓名", message},
		{"G14", "强制性", "F列 资产管理人姓名", strings.Replace(message, "3", "4", 1)},
		{"I15", "提示性", "H列 联系方式", hint},
	}
	want[9][3] = c.Imported(imp)[1].Message
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("results (-want +got):\n%s", d)
	}
	if ok, target, err := x.GetCellHyperLink(resultSheet, "A10"); !ok || target != "'采集表'!G14" || err != nil {
		t.Errorf("link %v %q %v", ok, target, err)
	}
}

// TestAnnotatedCarriesTheOrigin: an annotated copy of an export is an export still,
// also where the keys are not.
func TestAnnotatedCarriesTheOrigin(t *testing.T) {
	c := newChecker(t)
	file := edited(t, stamped(t, c.Form(), stampedRows(4), WriteOptions{}), func(x *excelize.File) {
		_ = x.SetCellStr(sheetTitle, "G13", "张3")
	})
	imp, err := readBytes(t, c, file, "x.xlsx") // without a key
	if err != nil || imp.Origin != nil || len(imp.Remarks) > 0 {
		t.Fatalf("%+v %v", imp, err)
	}
	var b bytes.Buffer
	if err := WriteAnnotated(&b, c.Form(), imp, c.Imported(imp), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	back := readStamped(t, c, b.Bytes(), "x.xlsx")
	if back.Origin == nil || back.Origin.Report != testStamp().Report {
		t.Fatalf("origin %+v, remarks %q", back.Origin, back.Remarks)
	}
	if d := cmp.Diff([]string{"0 v40 untouched", "1 v39", "2 v38 untouched", "3 v37 untouched"}, home(back)); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
	var again bytes.Buffer
	if err := WriteAnnotated(&again, c.Form(), back, c.Imported(back), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("annotating the annotated copy changed it")
	}
}

// TestAnnotatedIsBounded writes a long sheet in which every row is wrong: what is
// kept of it does not grow with it.
func TestAnnotatedIsBounded(t *testing.T) {
	c := newChecker(t)
	f := c.Form()
	a, err := NewAnnotated(io.Discard, f, nil, nil, WriteOptions{Level: 1})
	if err != nil {
		t.Fatal(err)
	}
	row := tianbao.ImportedRow{Seq: "1", Row: tianbao.Row{Values: person(0)}}
	row.Row.Values[5] = "张3"
	problems := c.Row(nil, 0, &row.Row)
	var before, after runtime.MemStats
	const n = 100_000
	for i := range n {
		if i == 10_000 {
			runtime.GC()
			runtime.ReadMemStats(&before)
		}
		if err := a.Row(&row, problems); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("%d bytes more after %d rows", grown, n)
	}
	if len(a.comments) != maxComments || len(a.results.list) != maxListed || a.results.total[sevError] != n {
		t.Errorf("%d comments, %d listed, %d counted", len(a.comments), len(a.results.list), a.results.total[sevError])
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAnnotatedInLibreOffice: another program opens it, and we read what it saves.
func TestAnnotatedInLibreOffice(t *testing.T) {
	c := newChecker(t)
	imp := readStamped(t, c, stamped(t, c.Form(), stampedRows(30), WriteOptions{}), "x.xlsx")
	imp.Rows[3].Row.Values[5] = "张3"
	var b bytes.Buffer
	if err := WriteAnnotated(&b, c.Form(), imp, c.Imported(imp), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	out := officeConvert(t, "xlsx:Calc MS Excel 2007 XML", map[string][]byte{"a.xlsx": b.Bytes()})["a.xlsx"]
	back, err := Read(context.Background(), bytes.NewReader(out), int64(len(out)), "a.xlsx", c, ReadOptions{Digest: testDigest("k")})
	if err != nil {
		t.Fatal(err)
	}
	compareRows(t, rowsOfImport(imp), back)
	if back.Origin == nil || back.Rows[3].Untouched || !back.Rows[4].Untouched {
		t.Errorf("origin %v, untouched %v %v", back.Origin != nil, back.Rows[3].Untouched, back.Rows[4].Untouched)
	}
	x, err := excelize.OpenReader(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	if notes, err := x.GetComments(sheetTitle); err != nil || len(notes) != 2 {
		t.Errorf("%d comments, %v", len(notes), err)
	}
}

func rowsOfImport(imp *tianbao.Import) []tianbao.Row {
	out := make([]tianbao.Row, len(imp.Rows))
	for i := range imp.Rows {
		out[i] = imp.Rows[i].Row
	}
	return out
}
