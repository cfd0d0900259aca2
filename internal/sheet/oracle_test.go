package sheet

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"tianbao"
)

// oracleRows are rows that two other programs must read from our file as we wrote
// them. Control characters are left to our own round trip: programs differ there.
func oracleRows(t *testing.T) []tianbao.Row {
	c := newChecker(t)
	rnd := rand.New(rand.NewPCG(7, 7))
	rows := people(20)
	for range 60 {
		r := randomRow(rnd, c.Normalize, c.Form(), len(rows)+1)
		r.Marks = nil
		for i, v := range r.Values {
			r.Values[i] = c.Normalize(i, strings.Map(func(r rune) rune {
				if r < ' ' || r == 0x7F || r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF {
					return -1
				}
				return r
			}, strings.ReplaceAll(v, "_x", "x")))
		}
		rows = append(rows, r)
	}
	rows[3].Values[6] = "210102199001019000"
	rows[3].Marks = make([]tianbao.Mark, len(c.Form().Fields))
	rows[3].Marks[6] = tianbao.MarkNumber
	return rows
}

// TestExcelizeReadsWhatWeWrite compares cell by cell, and the features around them.
func TestExcelizeReadsWhatWeWrite(t *testing.T) {
	c := newChecker(t)
	rows := oracleRows(t)
	x, err := excelize.OpenReader(bytes.NewReader(written(t, c.Form(), rows)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	l := layoutOf(c.Form(), false)
	got, err := x.GetRows(sheetTitle, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	if got[0][0] != c.Form().Title || len(got) != l.header+len(rows) {
		t.Fatalf("title %q, %d rows", got[0][0], len(got))
	}
	if d := cmp.Diff(titles, got[l.header-1]); d != "" {
		t.Errorf("header: %s", d)
	}
	for i, r := range rows {
		line := append(got[l.header+i], make([]string, len(titles))...)[1:len(titles)]
		if d := cmp.Diff([]string(r.Values), line); d != "" {
			t.Errorf("row %d (-want +got):\n%s", i, d)
		}
	}
	merged, _ := x.GetMergeCells(sheetTitle)
	if len(merged) != 1+len(l.notes) || merged[0].GetStartAxis() != "A1" || merged[0].GetEndAxis() != "I1" {
		t.Errorf("merged %v", merged)
	}
	lists, _ := x.GetDataValidations(sheetTitle)
	if len(lists) != 1 || lists[0].Sqref != "E12:E1048576" || lists[0].Formula1 != `"主管部门,行政单位,事业单位"` {
		t.Errorf("validations %+v", lists)
	}
	if p, _ := x.GetPanes(sheetTitle); !p.Freeze || p.YSplit != l.header || p.XSplit != 1 {
		t.Errorf("panes %+v", p)
	}
	if p, _ := x.GetPageLayout(sheetTitle); *p.Orientation != "landscape" || *p.Size != 9 || *p.FitToHeight != 0 {
		t.Errorf("page %+v", p)
	}
	if n := x.GetDefinedName(); len(n) != 1 || n[0].Name != "_xlnm.Print_Titles" || n[0].RefersTo != "'采集表'!$11:$11" {
		t.Errorf("names %+v", n)
	}
	id, _ := x.GetColStyle(sheetTitle, "H")
	if s, err := x.GetStyle(id); err != nil || s.NumFmt != 49 {
		t.Errorf("column style %+v %v", s, err)
	}
	if p, _ := x.GetDocProps(); p.Title != c.Form().Title {
		t.Errorf("document title %q", p.Title)
	}
}

// TestExcelizeReadsComments checks the annotated copy.
func TestExcelizeReadsComments(t *testing.T) {
	c := newChecker(t)
	rows := people(3)
	rows[1].Values[5] = "张3"
	imp, err := readBytes(t, c, written(t, c.Form(), rows), "x.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteAnnotated(&b, c.Form(), imp, c.Imported(imp), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	x, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	notes, err := x.GetComments(sheetTitle)
	if err != nil || len(notes) != 1 || notes[0].Cell != "G13" || !strings.HasPrefix(notes[0].Text, "强制性：") {
		t.Errorf("comments %+v %v", notes, err)
	}
	id, _ := x.GetCellStyle(sheetTitle, "G13")
	if s, err := x.GetStyle(id); err != nil || s.Fill.Pattern != 1 || id != dataStyle(shapeText, sevError) {
		t.Errorf("style %d %+v %v", id, s, err)
	}
	if v, _ := x.GetCellValue(sheetTitle, "J13"); !strings.HasPrefix(v, "F列 ") {
		t.Errorf("explanation %q", v)
	}
}

// TestWeReadWhatExcelizeWrites is the other way round, with its shared strings.
func TestWeReadWhatExcelizeWrites(t *testing.T) {
	c := newChecker(t)
	rows := oracleRows(t)
	x := excelize.NewFile()
	for i, title := range titles {
		_ = x.SetCellStr("Sheet1", Address(i, 1), title)
	}
	for i, r := range rows {
		_ = x.SetCellInt("Sheet1", Address(0, i+2), int64(i+1))
		for k, v := range r.Values {
			_ = x.SetCellStr("Sheet1", Address(k+1, i+2), v)
		}
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	imp, err := readBytes(t, c, b.Bytes(), "x.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	compareRows(t, rows, imp)
}

func compareRows(t *testing.T, rows []tianbao.Row, imp *tianbao.Import) {
	t.Helper()
	if len(imp.Rows) != len(rows) {
		t.Fatalf("%d rows, want %d", len(imp.Rows), len(rows))
	}
	for i, r := range rows {
		if d := cmp.Diff([]string(r.Values), []string(imp.Rows[i].Row.Values)); d != "" {
			t.Errorf("row %d (-want +got):\n%s", i, d)
		}
	}
}

// TestLibreOffice opens our file in LibreOffice, which saves it again as .xlsx and
// as .csv; we read both to the rows we wrote.
func TestLibreOffice(t *testing.T) {
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
	c := newChecker(t)
	rows := oracleRows(t)
	dir := t.TempDir()
	in := filepath.Join(dir, "采集表.xlsx")
	if err := os.WriteFile(in, written(t, c.Form(), rows), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, filter, file string }{
		{"xlsx", "xlsx:Calc MS Excel 2007 XML", "采集表.xlsx"},
		{"csv", "csv:Text - txt - csv (StarCalc):44,34,76,1", "采集表.csv"},
		{"xls", "xls:MS Excel 97", "采集表.xls"},
		{"ods", "ods:calc8", "采集表.ods"},
		{"fods", "fods:OpenDocument Spreadsheet Flat XML", "采集表.fods"},
		{"html", "html:HTML (StarCalc)", "采集表.html"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := filepath.Join(dir, tt.name)
			cmd := exec.Command(office, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--convert-to", tt.filter, "--outdir", out, in)
			cmd.Env = append(os.Environ(), "HOME="+dir)
			if msg, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, msg)
			}
			b, err := os.ReadFile(filepath.Join(out, tt.file))
			if err != nil {
				t.Fatal(err)
			}
			imp, err := readBytes(t, c, b, tt.file)
			if err != nil {
				t.Fatal(err, messageOf(err))
			}
			compareRows(t, rows, imp)
		})
	}
}
