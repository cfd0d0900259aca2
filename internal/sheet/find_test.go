package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
)

// sheetOf makes a sheet part of rows of text; an empty row is left out.
func sheetOf(rows ...[]string) string {
	var b strings.Builder
	b.WriteString("<worksheet><sheetData>")
	for i, r := range rows {
		if len(r) > 0 {
			b.WriteString(rowXML(i+1, r...))
		}
	}
	return b.String() + "</sheetData></worksheet>"
}

// TestHeader finds the header by its names: what is read, or which column is missed.
func TestHeader(t *testing.T) {
	p := person(3)
	required := []string{"单位名称", "组织机构代码", "单位类型", "资产管理人姓名", "资产管理人身份证号码", "联系方式"}
	values := []string{p[1], p[2], p[3], p[5], p[6], p[7]}
	want := []string{"", "", p[1], p[2], p[3], "", p[5], p[6], p[7]}
	replaced := func(i int, s string) []string {
		r := append([]string(nil), required...)
		r[i] = s
		return r
	}
	tests := []struct {
		name    string
		rows    [][]string
		missing string // the message must name it
		remark  string
	}{
		{"plain", [][]string{required, values}, "", ""},
		{"synonyms", [][]string{{"单位全称", "统一社会信用代码", "单位性质", "姓名", "身份证号", "手机号"}, values}, "", ""},
		{"blanks, brackets, colons, line breaks", [][]string{{"单 位 名 称", "组织机构\n代码", "单位类型：", "【资产管理人姓名】", "*资产管理人身份证号码", "联系方式（手机）"}, values}, "", ""},
		{"full-width and lower case", [][]string{replaced(1, "１８位组织机构代码"), values}, "", ""},
		{"under title and notes", [][]string{{"预算管理一体化预算单位用户及资产管理角色信息采集表"}, {"A列：填写一体化单位编码；\nB列：单位名称"}, nil, required, values}, "", ""},
		{"below the letters", [][]string{{"A", "B", "C", "D", "E", "F"}, required, values}, "", ""},
		{"above the letters", [][]string{required, {"B", "C", "D", "F", "G", "H"}, values}, "", ""},
		{"header once more on the next page", [][]string{required, values[:0], required, values}, "", ""},
		{"in row 30", append(make([][]string, 29), required, values), "", ""},
		{"in row 31", append(make([][]string, 30), required, values), "没有找到", ""},
		{"no phone column", [][]string{required[:5], values[:5]}, "“联系方式”", ""},
		{"two columns missing", [][]string{required[:4], values[:4]}, "“资产管理人身份证号码”“联系方式”", ""},
		{"one word is no header", [][]string{{"单位名称", "经费"}, {"甲", "1"}}, "没有找到", ""},
		{"unknown column is named", [][]string{append(append([]string(nil), required...), "备 注", "职务"), values}, "", "“备注”“职务”"},
		{"title before synonym", [][]string{append([]string{"电话"}, required...), append([]string{"1"}, values...)}, "", "“电话”"},
		{"two lines, group named", [][]string{
			{"序号", "单位", "", "", "资产管理人"},
			{"", "单位名称", "组织机构代码", "单位类型", "姓名", "身份证号", "电话"},
			append([]string{"1"}, values...),
		}, "", ""},
		{"two lines, single columns in the upper one", [][]string{
			{"单位名称", "组织机构代码", "单位类型", "资产管理人"}, {"", "", "", "姓名", "身份证号", "电话"}, values,
		}, "", ""},
		{"two lines under a title", [][]string{
			{"资产管理人信息采集表"}, {"单位名称", "组织机构代码", "单位类型", "资产管理人"}, {"", "", "", "姓名", "身份证号", "电话"}, values,
		}, "", ""},
		{"two groups of persons, the manager's counts", [][]string{
			{"单位名称", "组织机构代码", "单位类型", "单位负责人", "", "资产管理人"},
			{"", "", "", "姓名", "电话", "姓名", "身份证号", "电话"},
			append(append(append([]string(nil), values[:3]...), "赵六", "16000000000"), values[3:]...),
		}, "", "“姓名”“电话”"},
		{"second line below a complete header", [][]string{required, {"", "", "", "", "", "手机"}, values}, "", ""},
		{"two lines and a column still missing", [][]string{{"单位名称", "组织机构代码", "单位类型", "资产管理人"}, {"", "", "", "姓名", "身份证号"}, values}, "“联系方式”", ""},
		{"helper columns of ours are passed over", [][]string{append(append([]string(nil), required...), "检查", "_tianbao_check"), append(append([]string(nil), values...), "错", "x")}, "", ""},
		{"explanation of an annotated copy is passed over", [][]string{append(append([]string(nil), required...), "错误说明"), append(append([]string(nil), values...), "错")}, "", ""},
	}
	// In the case "title before synonym" the synonym stands first and must lose.
	c := newChecker(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			imp, err := readBytes(t, c, rawBook{sheet: sheetOf(tt.rows...)}.bytes(t), "x.xlsx")
			if tt.missing != "" {
				if err == nil || codeOf(t, err) != "no_header" || !strings.Contains(messageOf(err), tt.missing) {
					t.Fatalf("got %v: %s", err, messageOf(err))
				}
				return
			}
			if err != nil {
				t.Fatal(err, messageOf(err))
			}
			if d := cmp.Diff([][]string{want}, rowsOf(imp)); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
			remarks := strings.Join(imp.Remarks, "")
			if tt.remark != "" && !strings.Contains(remarks, tt.remark) || tt.remark == "" && remarks != "" {
				t.Errorf("remarks %q, want %q", remarks, tt.remark)
			}
		})
	}
}

// TestNoData drops the lines that are no data and keeps those that look like them.
func TestNoData(t *testing.T) {
	p := append([]string{"1"}, person(4)...)
	tests := []struct {
		name string
		row  []string
		keep bool
	}{
		{"blank", []string{"", " ", "\u3000", "\u00a0\u200b"}, false},
		{"row number alone", []string{"2"}, false},
		{"total", []string{"合计", "", "4人"}, false},
		{"total with blanks", []string{"", "合　计", "", "3"}, false},
		{"sub-total with a colon", []string{"小计：", "4"}, false},
		{"signature", []string{"填报人：赵某", "", "", "", "联系电话：024-22700000", "", "", "填报日期：2022年9月20日"}, false},
		{"signature beside its label", []string{"填报人：", "赵某", "", "审核人：", "钱某", "", "联系电话：", "024-22700000"}, false},
		{"seal", []string{"", "单位负责人（签字）", "", "", "单位（盖章）"}, false},
		{"foot note", []string{"注：组织机构代码为18位"}, false},
		{"unit whose name begins so", []string{"2", "", "合计局", "x", "行政单位", "", "张三"}, true},
		{"unit in the first column", []string{"", "", "审核中心", "x", "行政单位", "", "张三"}, true},
		{"a person under 合计", append([]string{"合计"}, person(5)...), true},
		{"an id alone under 合计", []string{"合计", "", "", "", "", "", "", residentID(5)}, true},
		{"half-filled row", []string{"", "", "甲单位"}, true},
		{"only a phone", []string{"", "", "", "", "", "", "", "", "16000000001"}, true},
	}
	c := newChecker(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			imp, err := readBytes(t, c, rawBook{sheet: sheetOf(titles, p, tt.row, p)}.bytes(t), "x.xlsx")
			if err != nil {
				t.Fatal(err)
			}
			want := 2
			if tt.keep {
				want = 3
			}
			if len(imp.Rows) != want {
				t.Errorf("%d rows, want %d", len(imp.Rows), want)
			}
			if last := imp.Rows[len(imp.Rows)-1].SheetRow; last != 4 {
				t.Errorf("last row is %d, want 4", last)
			}
		})
	}
}

// TestMerged fills unit cells down, and only those.
func TestMerged(t *testing.T) {
	rows := make([][]string, 5)
	for i := range rows {
		rows[i] = append([]string{fmt.Sprint(i + 1)}, person(i)...)
	}
	sheet := func(merges ...string) rawBook {
		data := [][]string{titles}
		for i, r := range rows {
			r := append([]string(nil), r...)
			if i == 1 || i == 2 {
				r[1], r[2], r[6] = "", "掩盖", ""
			}
			data = append(data, r)
		}
		x := "<mergeCells>"
		for _, m := range merges {
			x += `<mergeCell ref="` + m + `"/>`
		}
		return rawBook{sheet: strings.Replace(sheetOf(data...), "</worksheet>", x+"</mergeCells></worksheet>", 1)}
	}
	c := newChecker(t)
	imp, err := readBytes(t, c, sheet("C2:C4", "B2:B4", "G2:G4", "B3:B9", "A1:XFD1048576").bytes(t), "x.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		v := imp.Rows[i].Row.Values
		if v[0] != rows[0][1] || v[1] != rows[0][2] {
			t.Errorf("row %d: unit %q %q", i, v[0], v[1])
		}
	}
	if got := imp.Rows[3].Row.Values[0]; got != rows[3][1] {
		t.Errorf("row below the merged range: %q", got)
	}
	if got := imp.Rows[1].Row.Values[5]; got != "" {
		t.Errorf("merged name was filled: %q", got)
	}
}

// TestHidden reads hidden rows with a remark and leaves hidden sheets alone.
func TestHidden(t *testing.T) {
	p := append([]string{"1"}, person(4)...)
	c := newChecker(t)
	sheet := strings.Replace(sheetOf(titles, p, p), `<row r="3"`, `<row hidden="1" r="3"`, 1)
	imp, err := readBytes(t, c, rawBook{sheet: sheet}.bytes(t), "x.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if len(imp.Rows) != 2 || imp.Rows[0].Hidden || !imp.Rows[1].Hidden || len(imp.Remarks) != 1 {
		t.Errorf("rows %d, remarks %q", len(imp.Rows), imp.Remarks)
	}
	book := rawBook{
		sheet: sheet, extra: []rawPart{{"xl/worksheets/sheet2.xml", sheetOf(titles, p)}, {"xl/worksheets/sheet3.xml", sheetOf(titles, p, nil, p)}, {"xl/charts.xml", "<chartsheet/>"}},
		rels: `<Relationships ` + relNS + `><Relationship Id="1" Type="x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="2" Type="x/worksheet" Target="worksheets/sheet2.xml"/>` +
			`<Relationship Id="3" Type="x/worksheet" Target="worksheets/sheet3.xml"/><Relationship Id="4" Type="x/chartsheet" Target="charts.xml"/></Relationships>`,
		workbook: `<workbook xmlns:r="r"><sheets><sheet name="图" r:id="4"/><sheet name="隐" state="veryHidden" r:id="1"/><sheet name="二" r:id="2"/><sheet name="三" r:id="3"/></sheets></workbook>`,
	}
	_, err = readBytes(t, c, book.bytes(t), "x.xlsx")
	var e *tianbao.Error
	if !errors.As(err, &e) || e.Code != "choose_sheet" {
		t.Fatalf("two sheets with data: %v", err)
	}
	if d := cmp.Diff([]string{"二", "三"}, e.Choices); d != "" || !strings.Contains(e.Message, "“二”“三”") {
		t.Errorf("%s: %s", d, e.Message)
	}
	for sheet, rows := range map[string]int{"三": 2, "二": 1, "隐": 2, "图": -1, "无": -1} {
		b := book.bytes(t)
		imp, err := Read(t.Context(), bytes.NewReader(b), int64(len(b)), "x", c, ReadOptions{Sheet: sheet})
		switch {
		case rows < 0:
			if !errors.As(err, &e) || e.Code != "choose_sheet" || len(e.Choices) != 2 {
				t.Errorf("%s: %v, choices %q", sheet, err, e.Choices)
			}
		case err != nil || imp.Sheet != sheet || len(imp.Rows) != rows:
			t.Errorf("%s: %v", sheet, err)
		}
	}
}

// TestSheetWithData prefers a sheet with rows to an empty template before it.
func TestSheetWithData(t *testing.T) {
	c := newChecker(t)
	book := rawBook{
		sheet: sheetOf(titles), extra: []rawPart{{"xl/worksheets/sheet2.xml", sheetOf(titles, append([]string{"1"}, person(1)...))}},
		rels:     `<Relationships ` + relNS + `><Relationship Id="1" Type="x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="2" Type="x/worksheet" Target="worksheets/sheet2.xml"/></Relationships>`,
		workbook: `<workbook xmlns:r="r"><sheets><sheet name="空" r:id="1"/><sheet name="实" r:id="2"/></sheets></workbook>`,
	}
	imp, err := readBytes(t, c, book.bytes(t), "x.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if imp.Sheet != "实" || len(imp.Rows) != 1 || len(imp.Remarks) != 0 {
		t.Errorf("sheet %q with %d rows, remarks %q", imp.Sheet, len(imp.Rows), imp.Remarks)
	}
}

// TestAddresses gives the place of each cell in the sheet.
func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		col, row int
		want     string
	}{{0, 1, "A1"}, {7, 6, "H6"}, {25, 9, "Z9"}, {26, 10, "AA10"}, {701, 1, "ZZ1"}, {702, 1, "AAA1"}, {16383, 1048576, "XFD1048576"}} {
		if got := Address(tt.col, tt.row); got != tt.want {
			t.Errorf("%d,%d: %s, want %s", tt.col, tt.row, got, tt.want)
		}
		if c, r, ok := parseRef([]byte(tt.want)); !ok || c != tt.col || r != tt.row {
			t.Errorf("%s: %d,%d,%v", tt.want, c, r, ok)
		}
	}
}
