package sheet

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBIFF reads every kind of cell record.
func TestBIFF(t *testing.T) {
	chart := func(m *biffMaker) { // a chart within the sheet, with cells of its own
		m.bof(0x0600, 0x0020)
		m.cell(recNumber, 0, 0, 0, f64(99))
		m.eof()
	}
	num := func(m *biffMaker, row, col int, v float64) { m.cell(recNumber, row, col, 0, f64(v)) }
	tests := []struct {
		name    string
		globals func(m *biffMaker)
		sheet   func(m *biffMaker)
		want    []string
	}{
		{"shared strings", func(m *biffMaker) { m.sst(3, []sstString{{text: "abc"}, {"甲乙", 2, 10}, {text: "é"}}) }, func(m *biffMaker) {
			for i := range 4 {
				m.cell(recLabelSST, 0, i, 0, u32(i))
			}
		}, []string{"A1 text abc", "B1 text 甲乙", "C1 text é", "D1 error #REF!"}},
		{"texts in the cell", nil, func(m *biffMaker) {
			m.cell(recLabel, 0, 0, 0, long8("甲𠀀"))
			m.cell(recRString, 0, 1, 0, long8("abc"), u16(1), make([]byte, 4))
			m.cell(recLabel, 0, 2, 0, u16(0))
		}, []string{"A1 text 甲𠀀", "B1 text abc"}},
		{"numbers", nil, func(m *biffMaker) {
			num(m, 0, 0, 13812345678)
			num(m, 0, 1, -0.5)
			num(m, 0, 2, 211102198001011234)
			num(m, 0, 3, 1.0/3)
		}, []string{"A1 number 13812345678", "B1 number -0.5", "C1 number 2.1110219800101123e+17", "D1 number 0.3333333333333333"}},
		{"packed numbers", nil, func(m *biffMaker) {
			m.cell(recRK, 0, 0, 0, u32(-7<<2|2))
			m.cell(recRK, 0, 1, 0, u32(12345<<2|3))
			m.cell(recRK, 0, 2, 0, u32(-12345<<2|3))
			m.cell(recRK, 0, 3, 0, u32(0x3FF80000))
			m.cell(recRK, 0, 4, 0, u32(0x3FF80000|1))
			m.rec(recMulRK, u16(0), u16(5), u16(0), u32(1<<2|2), u16(1), u32(2<<2|2), u16(6))
		}, []string{"A1 number -7", "B1 number 123.45", "C1 number -123.45", "D1 number 1.5", "E1 number 0.015", "F1 number 1", "G1 number 2"}},
		{"truth values and errors", nil, func(m *biffMaker) {
			m.cell(recBoolErr, 0, 0, 0, []byte{1, 0})
			m.cell(recBoolErr, 0, 1, 0, []byte{0, 0})
			m.cell(recBoolErr, 0, 2, 0, []byte{0x07, 1})
			m.cell(recBoolErr, 0, 3, 0, []byte{0x2A, 1})
		}, []string{"A1 bool 1", "B1 bool 0", "C1 error #DIV/0!", "D1 error #N/A"}},
		{"formulas", nil, func(m *biffMaker) {
			value := func(b ...byte) []byte { return append(append(b, 0, 0, 0, 0, 0, 0)[:6], 0xFF, 0xFF) }
			m.cell(recFormula, 0, 0, 0, f64(1001), make([]byte, 8))
			m.cell(recFormula, 0, 1, 0, value(0), make([]byte, 8))
			m.rec(recShared, make([]byte, 10))
			m.rec(recString, long8("文字"))
			m.cell(recFormula, 0, 2, 0, value(1, 0, 1), make([]byte, 8))
			m.cell(recFormula, 0, 3, 0, value(2, 0, 0x17), make([]byte, 8))
			m.cell(recFormula, 0, 4, 0, value(3), make([]byte, 8))
			m.cell(recFormula4, 0, 5, 0, value(0), make([]byte, 8))
			m.rec(recString, u16(4), append([]byte{1}, str8("甲乙")[1:]...))
			m.rec(recContinue, []byte{0}, []byte("cd"))
			m.cell(recFormula, 0, 6, 0, value(0), make([]byte, 8)) // its text is missing
			num(m, 0, 7, 1)
		}, []string{"A1 number formula 1001", "B1 text formula 文字", "C1 bool formula 1", "D1 error formula #REF!", "F1 text formula 甲乙cd", "H1 number 1"}},
		{"formats", func(m *biffMaker) {
			m.rec(recFormat, u16(164), long8("000000"))
			m.rec(recFormat, u16(165), long8("yyyy年m月d日"))
			for _, f := range []int{0, 14, 164, 165, 49} {
				m.rec(recXF, u16(0), u16(f), make([]byte, 16))
			}
		}, func(m *biffMaker) {
			for i := range 6 {
				m.cell(recNumber, 0, i, i, f64(1001))
			}
		}, []string{"A1 number 1001", "B1 number asdate 1001", "C1 number zeros6 1001", "D1 number asdate 1001", "E1 number 1001", "F1 number 1001"}},
		{"hidden row, merged cells, a chart between", nil, func(m *biffMaker) {
			m.rec(recRow, u16(1), make([]byte, 10), []byte{0x20, 0, 0, 0})
			num(m, 0, 0, 1)
			chart(m)
			num(m, 1, 0, 2)
			m.rec(recMergeCells, u16(2), u16(0), u16(2), u16(1), u16(1), u16(4), u16(4), u16(0), u16(3))
		}, []string{"A1 number 1", "A2 number hidden 2", "merged B1:B3", "merged A5:D5"}},
		{"column by column", nil, func(m *biffMaker) {
			for col := range 3 {
				for row := range 3 {
					num(m, row, col, float64(10*row+col))
				}
			}
			num(m, 1, 1, 7) // later wins
		}, []string{"A1 number 0", "B1 number 1", "C1 number 2", "A2 number 10", "B2 number 7", "C2 number 12", "A3 number 20", "B3 number 21", "C3 number 22"}},
		{"cells of a row out of order", nil, func(m *biffMaker) {
			num(m, 0, 2, 3)
			num(m, 0, 0, 1)
		}, []string{"A1 number 1", "C1 number 3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mustView(t, lines(append([]string{"[a]"}, tt.want...)...), xlsOf(t, tt.globals, tt.sheet))
		})
	}
}

// TestBIFFSheets lists worksheets, hidden ones marked, whatever the stream is called.
func TestBIFFSheets(t *testing.T) {
	one := func(m *biffMaker) { m.cell(recNumber, 0, 0, 0, f64(1)) }
	data := biff8(nil, sheet8{"甲", 0, 0, one}, sheet8{"图", 0, 2, one}, sheet8{"b", 1, 0, one}, sheet8{"c", 2, 0, one})
	want := lines("[甲]", "A1 number 1", "[b hidden]", "A1 number 1", "[c hidden]", "A1 number 1")
	for _, name := range []string{"Workbook", "WORKBOOK", "Book", "BOOK"} {
		mustView(t, want, cfbOf(t, map[string][]byte{name: data, "\x05SummaryInformation": {1}}))
	}
	old := biff8(nil, sheet8{"old", 0, 0, one})
	mustView(t, want, cfbOf(t, map[string][]byte{"Book": old, "Workbook": data}))
}

// TestBIFFStrings cuts the shared strings at every place where a writer may, and
// lies about their number.
func TestBIFFStrings(t *testing.T) {
	list := []sstString{{text: "abcdefgh"}, {"甲乙丙丁abcdefgh", 3, 0}, {"", 1, 7}, {"中é", 0, 9}, {text: "𠀀𠀁x"}, {text: strings.Repeat("长", 30)}}
	var want strings.Builder
	want.WriteString("[a]\n")
	for i, s := range list {
		if s.text != "" {
			fmt.Fprintf(&want, "%s text %s\n", Address(i, 1), s.text)
		}
	}
	sheet := func(m *biffMaker) {
		for i := range list {
			m.cell(recLabelSST, 0, i, 0, u32(i))
		}
	}
	for limit := 10; limit < 130; limit++ {
		got := view(t, xlsOf(t, func(m *biffMaker) { m.max = limit; m.sst(len(list), list) }, sheet))
		if d := cmp.Diff(want.String(), got); d != "" {
			t.Fatalf("records of %d bytes (-want +got):\n%s", limit, d)
		}
	}
	for _, unique := range []int{0, 1, len(list) + 1, 1<<32 - 1} {
		mustView(t, want.String(), xlsOf(t, func(m *biffMaker) { m.sst(unique, list) }, sheet))
	}
}

// TestBIFF5 decodes texts by their code page.
func TestBIFF5(t *testing.T) {
	book := func(page int, text string) []byte {
		m := &biffMaker{}
		m.bof(0x0500, subGlobals)
		if page > 0 {
			m.rec(recCodePage, u16(page))
		}
		m.rec(recFormat, u16(164), []byte{3}, []byte("000"))
		m.rec(recXF, u16(0), u16(164), make([]byte, 12))
		at := len(m.b) + 4
		m.rec(recBoundSheet, u32(0), []byte{0, 0, byte(len(text))}, []byte(text))
		m.eof()
		copy(m.b[at:], u32(len(m.b)))
		m.bof(0x0500, subSheet)
		m.cell(recLabel, 0, 0, 0, u16(len(text)), []byte(text))
		m.cell(recNumber, 0, 1, 0, f64(7))
		m.cell(recFormula, 0, 2, 0, []byte{0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, make([]byte, 6))
		m.rec(recString, u16(len(text)), []byte(text))
		m.eof()
		return cfbOf(t, map[string][]byte{"Book": m.b})
	}
	for _, tt := range []struct {
		name, text, want string
		page             int
	}{
		{"Chinese", toGBK(t, "丽水"), "丽水", 936},
		{"no code page", toGBK(t, "丽水"), "丽水", 0},
		{"Western", "caf\xe9", "café", 1252},
		{"Central Europe on the Macintosh", "\x88\xc5", "ąŇ", 10029},
		{"unknown", "a\xe9", "a\uFFFD", 932},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mustView(t, lines("["+tt.want+"]", "A1 text "+tt.want, "B1 number zeros3 7", "C1 text formula "+tt.want), book(tt.page, tt.text))
		})
	}
	t.Run("a sheet without globals", func(t *testing.T) {
		m := &biffMaker{}
		m.bof(0x0500, subSheet)
		m.rec(recCodePage, u16(936))
		text := toGBK(t, "丽水")
		m.cell(recLabel, 0, 0, 0, u16(len(text)), []byte(text))
		m.eof()
		mustView(t, lines("[Sheet1]", "A1 text 丽水"), cfbOf(t, map[string][]byte{"Book": m.b}))
	})
}

// TestBIFFRefused fails what is old, locked, cut, or made to hurt.
func TestBIFFRefused(t *testing.T) {
	file := func(data []byte) []byte { return cfbOf(t, map[string][]byte{"Workbook": data}) }
	one := func(m *biffMaker) { m.cell(recNumber, 0, 0, 0, f64(1)) }
	globals := func(write func(m *biffMaker)) []byte { return file(biff8(write, sheet8{"a", 0, 0, one})) }
	sheet := func(write func(m *biffMaker)) []byte { return xlsOf(t, nil, write) }
	alone := func(id, version int) []byte {
		m := &biffMaker{}
		m.rec(id, u16(version), u16(subSheet), u16(0))
		m.cell(recNumber, 0, 0, 0, f64(1))
		m.eof()
		return m.b
	}
	whole := xlsTable(t, formTable(50))
	far := biff8(nil, sheet8{"a", 0, 0, one})
	copy(far[strings.Index(string(far), "\x85\x00")+4:], u32(7))
	other := biff8(nil, sheet8{"a", 0, 0, one})
	copy(other[strings.Index(string(other), "\x85\x00")+4:], u32(20)) // a record, but no BOF
	endless := file(biff8(nil, sheet8{"a", 0, 0, one}))
	copy(endless[bytes.Index(endless, utf16LE("Workbook"))+120:], u32(0x70000000))
	many := make([]sheet8, 65)
	for i := range many {
		many[i] = sheet8{"a", 0, 0, one}
	}
	blank := strings.Repeat(" ", 60000)
	tests := []struct {
		name, code string
		file       []byte
	}{
		{"BIFF2", "unsupported", alone(recBOF2, 0)},
		{"BIFF3", "unsupported", alone(recBOF3, 0x0300)},
		{"BIFF4", "unsupported", alone(recBOF4, 0x0400)},
		{"BIFF4 in a compound file", "unsupported", file(alone(recBOF4, 0x0400))},
		{"unknown version", "unreadable", file(alone(recBOF, 0x0900))},
		{"XOR obfuscation", "unsupported", globals(func(m *biffMaker) { m.rec(recFilePass, u16(0), u16(1), u16(2)) })},
		{"no globals", "unreadable", file([]byte{1, 2, 3, 4})},
		{"record over the end", "unreadable", file(append(biff8(nil, sheet8{"a", 0, 0, func(m *biffMaker) { m.b = append(m.b, 3, 2, 0xFF, 0xFF) }}), 0))},
		{"sheet without an end", "unreadable", sheet(func(m *biffMaker) { m.bof(0x0600, 0x20) })},
		{"sheet somewhere else", "unreadable", file(far)},
		{"sheet at another record", "unreadable", file(other)},
		{"stream longer than the file", "unreadable", endless},
		{"short cell", "unreadable", sheet(func(m *biffMaker) { m.rec(recNumber, u16(0), u16(0), u16(0), u32(0)) })},
		{"column beyond the last", "unreadable", sheet(func(m *biffMaker) { m.cell(recNumber, 0, 40000, 0, f64(1)) })},
		{"text longer than its record", "unreadable", sheet(func(m *biffMaker) { m.cell(recLabel, 0, 0, 0, u16(500), []byte{0, 'a'}) })},
		{"shared string cut", "unreadable", globals(func(m *biffMaker) { m.rec(recSST, u32(1), u32(1), u16(50), []byte{0, 'a'}) })},
		{"string of a formula cut", "unreadable", sheet(func(m *biffMaker) {
			m.cell(recFormula, 0, 0, 0, []byte{0, 0, 0, 0, 0, 0, 0xFF, 0xFF})
			m.rec(recString, u16(9), []byte{0, 'a'})
		})},
		{"merged cells cut", "unreadable", sheet(func(m *biffMaker) { m.rec(recMergeCells, u16(5), make([]byte, 9)) })},
		{"file cut", "unreadable", whole[:len(whole)/2]},
		{"too many sheets", "too_large", file(biff8(nil, many...))},
		{"few bytes that stand for much", "too_large", xlsOf(t, func(m *biffMaker) { m.sst(1, []sstString{{text: blank}}) }, func(m *biffMaker) {
			for i := range 20000 {
				m.cell(recLabelSST, i, 0, 0, u32(0))
			}
		})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { mustRefuse(t, tt.code, tt.file) })
	}
}

// TestBIFFForm reads the form from a binary workbook, merged units included.
func TestBIFFForm(t *testing.T) {
	rows := formTable(300)
	c := newChecker(t)
	imp, err := readBytes(t, c, xlsTable(t, rows), "x.xls")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rows[1:], rowsOf(imp)); d != "" {
		t.Error(d)
	}
	if imp.Sheet != "a" || imp.Rows[0].SheetRow != 2 {
		t.Errorf("sheet %q, row %d", imp.Sheet, imp.Rows[0].SheetRow)
	}
}
