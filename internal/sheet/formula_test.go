package sheet

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"tianbao"
)

// faultyCells are cells with a fault of each sort that the form lists, with faults
// that it does not tell apart, and with dirt that normalisation takes away.
var faultyCells = map[string][]string{
	"budget_code": {
		"", "105-001", "105001.0", "1.05E5", "1E5", "2.5E+17", "12.0", "预算1", "1234567890123456789012", "ab12", "１０５００１", " 105 001 ", "E", "1.", ".0", "1.5", "1E", "12E5", "0", "*",
		"1.E5", "1.05E", "001.00", "\u200b105",
	},
	"unit_name": {"", "甲", "甲乙", strings.Repeat("单", 100), strings.Repeat("单", 101), "甲\n乙", "甲 乙", "　市财政局　", "a*?~b", "单位�名", "\"引号\"", "1", "=1+1"},
	"org_code": {
		"", "111", "1121010200000001I3", "112101020000000103", "11210102", "12100000400003604A", "1121X102000000010A", "1121010200000001*3", "1.12E+17", "11210102�00000103", "MA0080P34", "MA0080P3-4",
		"00000000-0", "000000000", "D2143569-X", "D2143569X", "D21435690", "121000004000036046", "１２１０００００４００００３６０４６", " 1210 0000 4000 0360 46", "9121010200000001X5", "112101020000000103 ", "0", "1E0",
		"11210102000000010300", "1121010200000001", "IIIIIIIII", "121000004000036O46", "1E10",
	},
	"unit_type":       {"", "主要部门", "行政单位 ", "企业", "主管部门。", "事业", "主 管 部 门", "*", "?", "行政单位事业单位"},
	"legacy_username": {"", "u\tv", "a\nb", strings.Repeat("u", 64), strings.Repeat("u", 65), "李四", "用户 1", "x�"},
	"person_name": {
		"", "张", "张3", "张三、李四", "张三\n李四", "张　三", "张 三", "John Smith", "阿里·木江", "·张三", "张三·", "阿里··木", "阿里•木江", "阿里.木江", "張三", "〇三", "𠮷田", "张😀", "=A1", "张三(男)", "郎平", "㐀㐁",
		strings.Repeat("木", 50), strings.Repeat("木", 51), "张\ue000三", "�三", "Ñandú", "O'Brien, J.", "１张", "1",
	},
	"person_id": {
		"", "210102********9001", "21010219900101900", "2101021990010190000", "21010219900101900A", "310102199002309013", "710102199001019013", "990102199001019013", "210102189001019013", "210102209901019013",
		"210102900101901", "210102199001019000", "2.10102E+17", "KAZ110090123105", "KAZ110090123106", "KAZ990090123105", "ZZZ110090123105", "KAZ110090133105", "KAZ11009012310A", "KAZ*10090123105",
		"932682198501010017", "932999198501010017", "999682198501010017", "810000199408230021", "830000199201300022", "810001199408230021", "82000019940823002x", "２１０１０２１９９００１０１９０１３", "21010219900229901X",
		"210102200002299013", "210102190002299013", "210102 19900101 9013", "×", "21010219900101901×", "210102199013019013", "210102199000019013", "210102199001009013", "2101021990�", "1E5", "12345.0",
	},
	"phone": {
		"", "160123", "12012345678", "024-23861234", "02423861234", "(024)23861234", "024-23861234-801", "024-23861234转801", "0411-23456789", "0411-2345678", "0412-2345678", "0412-23456789", "0420-2345678", "0310-23456789",
		"0310-2345678", "026-23456789", "024-13861234", "024-93861234", "23861234", "+86 16012345678", "8616012345678", "0086-160-1234-5678", "160 1234 5678", "160-1234-5678", "160****5678", "1.6E10", "16012345678.0",
		"1601234567", "160123456789", "１６０１２３４５６７８", "\u202d16012345678\u202c", "16012345678/16012345679", "电话", "024-23861234-", "024-23861234-1234567", "0", "010-12345678", "99912345678",
	},
}

// creditCodes are right in their last character, and of all sorts.
func creditCodes() []string {
	const set = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	var out []string
	for _, head := range []string{
		"11210102", "12100000", "91210102", "53210102", "N1210102", "Y1210102", "18210102", "B1210102", "Z1210102", "95210102", "11990102", "11101000", "11100000", "11710102", "11830102", "99210102", "35210102",
	} {
		s, sum, w := head+"00000001X", 0, 1
		for k := range 17 {
			sum += strings.IndexByte(set, s[k]) * w
			w = w * 3 % 31
		}
		out = append(out, s+string(set[((31-sum%31)%31+31)%31]))
	}
	return out
}

// faultyRows are n rows, clean or with up to three such cells, some of which repeat
// ids, phones and names of rows above.
func faultyRows(rnd *rand.Rand, f *tianbao.Form, n, from int) []tianbao.Row {
	rows := make([]tianbao.Row, n)
	for i := range rows {
		rows[i] = tianbao.Row{Seq: i + 1, Values: person(from + i)}
		r := &rows[i]
		for range rnd.IntN(4) {
			k := rnd.IntN(len(f.Fields))
			list := faultyCells[f.Fields[k].Key]
			r.Values[k] = list[rnd.IntN(len(list))]
		}
		if rnd.IntN(5) == 0 {
			list := creditCodes()
			r.Values[2] = list[rnd.IntN(len(list))]
		}
		// A card of one who may have a name in Latin letters.
		if rnd.IntN(12) == 0 {
			r.Values[6] = []string{"KAZ110090123105", "932682198501010017"}[rnd.IntN(2)]
			r.Values[5] = []string{"John Smith", "SMITH, J.", "Ñandú", "木沙", "J3", "张 San", "O’Neil"}[rnd.IntN(7)]
		}
		if i > 0 && rnd.IntN(6) == 0 {
			above := rows[rnd.IntN(i)].Values
			for _, k := range [][]int{{6}, {2, 6}, {1, 6}, {5, 6}, {7}, {6, 7}, {0, 1, 2, 3, 4, 5, 6, 7}}[rnd.IntN(7)] {
				r.Values[k] = above[k]
			}
		}
		if rnd.IntN(25) == 0 {
			r.Marks = make([]tianbao.Mark, len(r.Values))
			k := []int{0, 2, 6}[rnd.IntN(3)]
			r.Values[k], r.Marks[k] = "210102199001019000", tianbao.MarkNumber
		}
		if rnd.IntN(40) == 0 {
			clear(r.Values) // an empty row
		}
		for k, v := range r.Values {
			if v == "210102199001019000" && r.Mark(k) == tianbao.MarkNone && k != 6 {
				r.Values[k] = ""
			}
		}
	}
	return rows
}

// wantedExplanation is 错误说明 of a row as its formula must give it.
func wantedExplanation(self *selfCheck, problems []tianbao.Problem, first int, rows []tianbao.ImportedRow) string {
	var own, cross strings.Builder
	f := self.form
	for i := range problems {
		p := &problems[i]
		if !slices.Contains(f.Formula, p.Code) {
			continue
		}
		rule := p.Code
		if at, name, ok := strings.Cut(p.Code, "."); ok {
			rule = name
			if slices.ContainsFunc(f.CrossRules, func(r tianbao.CrossRule) bool { return r.Code == p.Code }) {
				continue
			}
			_ = at
		}
		for k := range self.fields {
			if x := &self.fields[k]; x.Key == p.Field {
				own.WriteString(inBrackets(x.Letter+"列", p.Severity) + x.sentenceOf(rule))
			}
		}
	}
	for _, r := range f.CrossRules {
		for i := range problems {
			p := &problems[i]
			if p.Code != r.Code {
				continue
			}
			at := wholeRow
			if x := f.Field(r.At); x != nil {
				at = x.Letter + "列"
			}
			head, tail, _ := strings.Cut(r.Message, "第{row}行")
			seq, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(p.Message, head+"第"), "行"+tail))
			for k := range rows {
				if err == nil && rows[k].Row.Seq == seq {
					cross.WriteString(inBrackets(at, r.Severity) + fmt.Sprintf("%s工作表第%d行%s", head, rows[k].SheetRow, tail))
				}
			}
		}
	}
	return own.String() + cross.String()
}

// TestFormulasSayWhatCheckSays lets LibreOffice calculate 10,000 rows and holds
// 错误说明 against the checker, word by word.
func TestFormulasSayWhatCheckSays(t *testing.T) {
	c := newChecker(t)
	f := c.Form()
	l := layoutOf(f, true)
	self := compileSelfCheck(l)
	rnd := rand.New(rand.NewPCG(20220923, 6))
	const files, each = 5, selfRows
	in := make(map[string][]byte)
	for i := range files {
		var b bytes.Buffer
		if err := Write(&b, f, rowsSeq(faultyRows(rnd, f, each, i*each)), WriteOptions{SelfCheck: true}); err != nil {
			t.Fatal(err)
		}
		in[fmt.Sprintf("%d.xlsx", i)] = b.Bytes()
	}
	out := officeConvert(t, "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,1", in)
	seen := make(map[string]int)
	wrong := 0
	for i := range files {
		imp, err := readBytes(t, c, in[fmt.Sprintf("%d.xlsx", i)], "x.xlsx")
		if err != nil {
			t.Fatal(err)
		}
		got := explanations(t, l, oneFile(t, out, i))
		byRow := make(map[int][]tianbao.Problem)
		for _, p := range c.Imported(imp) {
			byRow[p.Row] = append(byRow[p.Row], p)
			if slices.Contains(f.Formula, p.Code) {
				seen[p.Code]++
			}
		}
		for k := range imp.Rows {
			r := &imp.Rows[k]
			want := wantedExplanation(self, byRow[k], l.first, imp.Rows)
			if got[r.SheetRow] != want {
				if wrong++; wrong <= 15 {
					t.Errorf("file %d row %d %q marks %v\n got %s\nwant %s", i, r.SheetRow, r.Raw, r.Row.Marks, got[r.SheetRow], want)
				}
			}
			delete(got, r.SheetRow)
		}
		for row, text := range got {
			t.Errorf("file %d: row %d is empty and has the explanation %s", i, row, text)
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d rows differ", wrong, files*each)
	}
	for _, code := range f.Formula {
		if seen[code] < 5 {
			t.Errorf("%s came up %d times only", code, seen[code])
		}
	}
}

// oneFile finds the i-th sheet, whatever the converter calls it.
func oneFile(t *testing.T, out map[string][]byte, i int) []byte {
	t.Helper()
	for name, b := range out {
		if strings.HasPrefix(name, fmt.Sprint(i)) && strings.HasSuffix(name, ".csv") {
			return b
		}
	}
	t.Fatalf("no file %d", i)
	return nil
}

// explanations gives 错误说明 by row of the sheet, where it is not empty.
func explanations(t *testing.T, l *layout, file []byte) map[int]string {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(file))
	r.FieldsPerRecord = -1
	r.LazyQuotes = true
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[int]string)
	for i, line := range lines {
		if i >= l.header && len(line) >= l.columns && line[l.columns-1] != "" {
			out[i+1] = line[l.columns-1]
		}
	}
	return out
}

// TestFormulaLimits: Excel refuses a file with a formula of more than 8,192
// characters, and a validation of more than 255 cannot be edited.
func TestFormulaLimits(t *testing.T) {
	f := newChecker(t).Form()
	self := compileSelfCheck(layoutOf(f, true))
	for _, h := range append(append([]helper{self.explain}, self.columns...), self.names...) {
		if n := len(utf16.Encode([]rune(h.formula))); n > 8192 {
			t.Errorf("%s has %d characters", h.name, n)
		}
		for _, text := range regexp.MustCompile(`"(?:[^"]|"")*"`).FindAllString(h.formula, -1) {
			if n := len(utf16.Encode([]rune(text))) - 2; n > 255 {
				t.Errorf("%s has a text of %d characters; Excel takes 255", h.name, n)
			}
		}
		for _, bad := range []string{"LET(", "LAMBDA(", "FILTER(", "TEXTJOIN(", "IFS(", "XLOOKUP("} {
			if strings.Contains(h.formula, bad) {
				t.Errorf("%s uses %s, which Excel 2013 does not have", h.name, bad)
			}
		}
	}
	for i := range f.Fields {
		v := self.asks[i]
		if n := len(utf16.Encode([]rune(v.formula))); n > 255 {
			t.Errorf("validation of %s has %d characters", f.Fields[i].Key, n)
		}
		if strings.Contains(v.formula, "{") {
			t.Errorf("validation of %s has an array constant, which Excel refuses there", f.Fields[i].Key)
		}
	}
}

// TestTemplateChecksItself looks at the template as another program sees it.
func TestTemplateChecksItself(t *testing.T) {
	c := newChecker(t)
	f := c.Form()
	var b bytes.Buffer
	if err := Write(&b, f, rowsSeq(nil), WriteOptions{SelfCheck: true}); err != nil {
		t.Fatal(err)
	}
	imp, err := readBytes(t, c, b.Bytes(), "x.xlsx")
	if err != nil || len(imp.Rows) != 0 || len(imp.Remarks) > 0 || len(imp.Unknown) > 0 {
		t.Fatalf("read back: %+v %v", imp, err)
	}
	x, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	l := layoutOf(f, true)
	rules, err := x.GetDataValidations(sheetTitle)
	if err != nil || len(rules) != len(f.Fields) {
		t.Fatalf("%d validations, %v", len(rules), err)
	}
	custom := 0
	for i, r := range rules {
		if r.Prompt == nil || !strings.HasPrefix(*r.Prompt, f.Fields[i].Note) {
			t.Errorf("%s: prompt %v", f.Fields[i].Key, r.Prompt)
		}
		if r.Type == "custom" {
			custom++
		}
	}
	if custom != 3 {
		t.Errorf("%d custom validations", custom)
	}
	if cf, err := x.GetConditionalFormats(sheetTitle); err != nil || len(cf) != 1+len(f.Fields) {
		t.Errorf("%d conditional formats, %v", len(cf), err)
	}
	if p, err := x.GetSheetProtection(sheetTitle); err != nil || p.Password != "" || p.AlgorithmName != "" || !p.DeleteRows || !p.InsertRows || !p.Sort {
		t.Errorf("protection %+v %v", p, err)
	}
	locked := func(cell string) bool {
		id, err := x.GetCellStyle(sheetTitle, cell)
		if err != nil {
			t.Fatal(err)
		}
		s, err := x.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		return s.Protection == nil || s.Protection.Locked
	}
	for cell, want := range map[string]bool{
		"A1": true, "I1": true, "B3": true, Address(0, l.header): true, Address(8, l.header): true, Address(9, l.header): true,
		Address(0, l.first): false, Address(8, l.first): false, Address(9, l.first): false, Address(12, l.first): false,
		Address(3, l.first+spareRows+50): false, "ZZ20": false,
	} {
		if locked(cell) != want {
			t.Errorf("%s locked %v, want %v", cell, !want, want)
		}
	}
	if formula, err := x.GetCellFormula(sheetTitle, Address(l.columns-1, l.first+spareRows-1)); err != nil || formula == "" {
		t.Errorf("the last spare row has no formula: %v", err)
	}
	if v, _ := x.GetColVisible(sheetTitle, "K"); v {
		t.Error("the formulas are not hidden")
	}
}
