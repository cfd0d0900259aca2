package check_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/form"
)

// clean returns the cells of a row without fault. All people are synthetic.
func clean() tianbao.Values {
	return tianbao.Values{"101001", "沈阳市水利局", "1121010060181590XA", "行政单位", "lnzc953893", "夏娜", "210102198001019015", "16012345678"}
}

// with returns a clean row with one cell changed.
func with(c *check.Checker, key, v string) *tianbao.Row {
	r := &tianbao.Row{Values: clean()}
	r.Values[c.Form().Index(key)] = v
	return r
}

// problems writes the problems of rows as row:field:code:severity.
func problems(ps []tianbao.Problem) []string {
	var out []string
	for _, p := range ps {
		out = append(out, fmt.Sprintf("%d:%s:%s:%s", p.Row, p.Field, p.Code, p.Severity))
	}
	return out
}

func TestCleanRow(t *testing.T) {
	c := newChecker(t)
	row := &tianbao.Row{Values: clean(), Marks: []tianbao.Mark{tianbao.MarkNumber, 0, 0, 0, 0, 0, 0, tianbao.MarkNumber}}
	for k, v := range row.Values {
		if got := c.Normalize(k, v); got != v {
			t.Errorf("field %d: normal form %q of %q", k, got, v)
		}
	}
	var ps []tianbao.Problem
	if ps = c.Row(nil, 0, row); ps != nil {
		t.Fatal(problems(ps))
	}
	if n := testing.AllocsPerRun(100, func() { ps = c.Row(ps[:0], 0, row) }); n != 0 {
		t.Errorf("%v allocations for a clean row", n)
	}
}

// TestCodes gives each code of form.md §5 that needs no register a value, and
// looks for what its message tells.
func TestCodes(t *testing.T) {
	c := newChecker(t)
	const number, date, bad = tianbao.MarkNumber, tianbao.MarkDate, tianbao.MarkError
	tests := []struct {
		field, value string
		mark         tianbao.Mark
		code         string // without the field's key; empty: clean
		severity     tianbao.Severity
		message      string // a part of it
	}{
		{"budget_code", "", 0, "", "", ""},
		{"budget_code", "105-1", 0, "charset", "error", "第4位是“-”"},
		{"budget_code", strings.Repeat("1", 22), 0, "charset", "error", "最多21位，现有22位"},
		{"budget_code", "105001.0", 0, "float", "error", "文本格式"},
		{"budget_code", "1.05E+10", 0, "float", "error", "文本格式"},
		{"budget_code", "1050010000000000", number, "float", "error", "前15位"},
		{"budget_code", "2022-01-01", date, "charset", "error", "日期"},
		{"budget_code", "#N/A", bad, "charset", "error", "错误值"},
		{"unit_name", "", 0, "required", "error", "单位名称"},
		{"unit_name", "局", 0, "length", "error", "至少2个字，现有1个字"},
		{"unit_name", strings.Repeat("局", 101), 0, "length", "error", "最多100个字，现有101个字"},
		{"unit_name", "沈阳市\n水利局", 0, "length", "error", "第4个字符是换行"},
		{"unit_name", "沈阳市\uFFFD", 0, "length", "error", "第4个字符在转换编码时已丢失"},
		{"unit_name", "#REF!", bad, "length", "error", "错误值"},
		{"unit_name", "沈阳市（第１）中学 A", 0, "", "", ""},
		{"org_code", "", 0, "required", "error", "组织机构代码"},
		{"org_code", "000001", 0, "length", "error", "现有6位"},
		{"org_code", "601815909", 0, "length", "error", "现有9位"},
		{"org_code", "112101006O181590XA", 0, "charset", "error", "是不是“0”"},
		{"org_code", "11A10100601815900A", 0, "charset", "error", "第3位是“A”，第3至8位只能是数字"},
		{"org_code", "112101**********XA", 0, "charset", "error", "“*”"},
		{"org_code", "1.12101006018159E+17", 0, "charset", "error", "文本格式"},
		{"org_code", "122101002001826380", number, "charset", "error", "前15位"},
		{"org_code", "1121010060181590XB", 0, "checksum", "error", "校验码"},
		{"org_code", "B1210100600000000C", 0, "kind", "error", "前两位“B1”"},
		{"org_code", "11990100600000000N", 0, "province", "error", "“99”"},
		{"org_code", "D2143569X", 0, "old_form", "justify", "9位的旧组织机构代码"},
		{"org_code", "91210100600000000E", 0, "not_public", "justify", "首位是“9”"},
		{"unit_type", "", 0, "required", "error", "单位类型"},
		{"unit_type", "企业", 0, "unknown", "error", "“企业”不在可选的范围内，请从“主管部门”“行政单位”“事业单位”"},
		{"unit_type", "夏娜", 0, "unknown", "error", "填写的内容不在"},
		{"unit_type", "16012345678", 0, "unknown", "error", "填写的内容不在"},
		{"unit_type", "1", date, "unknown", "error", "日期"},
		{"legacy_username", "", 0, "", "", ""},
		{"legacy_username", "a\tb", 0, "charset", "error", "第2个字符是制表符"},
		{"legacy_username", strings.Repeat("a", 65), 0, "length", "error", "最多64个字"},
		{"legacy_username", "#NAME?", bad, "charset", "error", "错误值"},
		{"person_name", "", 0, "required", "error", "资产管理人姓名"},
		{"person_name", "张3", 0, "charset", "error", "第2个字符是“3”"},
		{"person_name", `=HYPERLINK("http://x")`, 0, "charset", "error", "公式"},
		{"person_name", "张三、李四", 0, "charset", "error", "一个人"},
		{"person_name", "张三\n李四", 0, "charset", "error", "换行，一格只能填写一个人"},
		{"person_name", "张三 李四", 0, "charset", "error", "空格，一格只能填写一个人"},
		{"org_code", "1121010060181590XA1121010060181590XB", 0, "length", "error", "一格只能填写一个单位"},
		{"person_id", "210102198001019011210102198001019015", 0, "length", "error", "一格只能填写一个人"},
		{"phone", "1600000000116000000002", 0, "format", "error", "一格只能填写一个号码"},
		{"phone", "024-2270000016000000002", 0, "format", "error", "一格只能填写一个号码"},
		{"phone", "16000000001或16000000002", 0, "format", "error", "一格只能填写一个号码"},
		{"person_name", "JOHN SMITH", 0, "charset", "error", "第1个字符是字母“J”，持外国人永久居留身份证"},
		{"person_name", "张·", 0, "charset", "error", "间隔号"},
		{"person_name", "张\uE000", 0, "charset", "error", "U+E000"},
		{"person_name", "张\uFFFD", 0, "charset", "error", "已丢失"},
		{"person_name", "张\U000E0100", 0, "charset", "error", "U+E0100"},
		{"person_name", "44927", date, "charset", "error", "日期"},
		{"person_name", "张", 0, "length", "error", "2至50个字，现有1个字"},
		{"person_name", "张\U000323B0", 0, "", "", ""},
		{"person_id", "", 0, "required", "error", "身份证"},
		{"person_id", "21010219800101901", 0, "length", "error", "现有17位"},
		{"person_id", "2101021980O1019010", 0, "charset", "error", "第11位是“O”"},
		{"person_id", "21010219800101901×", 0, "charset", "error", "请输入字母X"},
		{"person_id", "21010219800101901\uFFFD", 0, "charset", "error", "第18个字符在转换编码时已丢失"},
		{"person_id", "1980-01-01", date, "charset", "error", "日期"},
		{"person_id", "#VALUE!", bad, "charset", "error", "错误值"},
		{"person_id", "710102198001019013", 0, "province", "error", "前两位“71”"},
		{"person_id", "810001199408230028", 0, "province", "error", "810000、820000或830000"},
		{"person_id", "932999198501010010", 0, "province", "error", "国籍"},
		{"person_id", "210102198002309014", 0, "birthdate", "error", "不是真实的出生日期"},
		{"person_id", "210102209901019011", 0, "birthdate", "error", "晚于今天"},
		{"person_id", "210102189901019016", 0, "birthdate", "error", "早于1900年"},
		{"person_id", "210102198001019011", 0, "checksum", "error", "校验码"},
		{"person_id", "210102********9015", 0, "masked", "error", "“*”"},
		{"person_id", "610104620927690", 0, "old15", "error", "在第6位后加“19”，末位加校验码“8”"},
		{"person_id", "610104620927690", number, "old15", "error", "“19”"},
		{"person_id", "210102198001019015", number, "precision_lost", "error", "前15位"},
		{"person_id", "210102197007200000", 0, "precision_lost", "error", "文本格式"},
		{"person_id", "2.11102E+17", 0, "precision_lost", "error", "文本格式"},
		{"person_id", "2.11102E+17", number, "precision_lost", "error", "文本格式"},
		{"person_id", "810000199408230021", 0, "permit", "hint", "居住证"},
		{"person_id", "KAZ110090123105", 0, "permit", "hint", "外国人永久居留身份证"},
		{"phone", "", 0, "required", "error", "联系方式"},
		{"phone", "1601234567", 0, "format", "error", "现有10位"},
		{"phone", "12012345678", 0, "format", "error", "第2位应为3至9，现为“2”"},
		{"phone", "23861234", 0, "format", "error", "缺少区号"},
		{"phone", "0420-5531234", 0, "format", "error", "区号“0420”不存在"},
		{"phone", "0412-55312345", 0, "format", "error", "区号“0412”"},
		{"phone", "160****5678", 0, "format", "error", "“*”"},
		{"phone", "16012345678.0", 0, "format", "error", "文本格式"},
		{"phone", "16012345678/16012345679", 0, "format", "error", "一个号码"},
		{"phone", "+85223456789", 0, "format", "error", "内地"},
		{"phone", "无", 0, "format", "error", "“无”"},
		{"phone", "44927", date, "format", "error", "日期"},
		{"phone", "1601234567800000", number, "format", "error", "前15位"},
		{"phone", "024-23861234-801", 0, "landline", "hint", "登录账号"},
	}
	seen := map[string]bool{"budget_code.leading_zeros": true} // needs the register: known_test.go
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %q %d", tt.field, tt.value, tt.mark), func(t *testing.T) {
			row := with(c, tt.field, tt.value)
			k := c.Form().Index(tt.field)
			row.Marks = make([]tianbao.Mark, k+1) // shorter than the row, as it may be
			row.Marks[k] = tt.mark
			row.ID = 7
			if got := c.Normalize(k, tt.value); got != tt.value {
				t.Errorf("the case is no normal form: %q", got)
			}
			ps := c.Row(nil, 3, row)
			if tt.code == "" {
				if len(ps) > 0 {
					t.Errorf("%v: %s", problems(ps), ps[0].Message)
				}
				return
			}
			code := tt.field + "." + tt.code
			if tt.code == "required" {
				code = tt.code
			}
			seen[code] = true
			want := []string{fmt.Sprintf("3:%s:%s:%s", tt.field, code, tt.severity)}
			if d := cmp.Diff(want, problems(ps)); d != "" {
				t.Fatal(d)
			}
			if p := ps[0]; !strings.Contains(p.Message, tt.message) || !strings.HasSuffix(p.Message, "。") || strings.Count(p.Message, "。") != 1 || p.RowID != 7 {
				t.Errorf("message %q, want one sentence with %q; row id %d", p.Message, tt.message, p.RowID)
			}
		})
	}
	for _, f := range c.Form().Fields {
		for name := range f.Rules {
			if code := f.Key + "." + name; name != "required" && !seen[code] {
				t.Errorf("%s has no case", code)
			}
		}
	}
}

func TestLatinNameWithCard(t *testing.T) {
	c := newChecker(t)
	row := with(c, "person_name", "JOHN P. SMITH")
	row.Values[6] = "932682198501010017"
	if d := cmp.Diff([]string{"0:person_id:person_id.permit:hint"}, problems(c.Row(nil, 0, row))); d != "" {
		t.Error(d)
	}
}

// TestDayOfShanghai: a child born on the day is no fault although the server's
// clock still stands on the day before.
func TestDayOfShanghai(t *testing.T) {
	evening := func() time.Time { return time.Date(2022, 9, 22, 17, 0, 0, 0, time.UTC) }
	c, err := check.New(newChecker(t).Form(), evening)
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]int{"20220923": 0, "20220924": 1} {
		id := "210102" + day + "901"
		if ps := c.Row(nil, 0, with(c, "person_id", id+string(checkDigit(id)))); len(ps) != want {
			t.Errorf("born on %s: %v", day, problems(ps))
		}
	}
}

func TestShortRow(t *testing.T) {
	c := newChecker(t)
	got := c.Row(nil, 0, &tianbao.Row{})
	if len(got) != 6 {
		t.Errorf("an empty row has %d problems, want the six required cells", len(got))
	}
	if n := len(c.Rows([]tianbao.Row{{}, {}})); n != 12 {
		t.Errorf("two empty rows have %d problems, want 12", n)
	}
}

func TestReasons(t *testing.T) {
	c := newChecker(t)
	tests := []struct {
		name    string
		reasons []tianbao.Reason
		want    string
	}{
		{"none", nil, ""},
		{"of another code", []tianbao.Reason{{Code: "org_code.not_public", Text: "新代码正在办理中"}}, ""},
		{"too short", []tianbao.Reason{{Code: "org_code.old_form", Text: "  新码办理中  "}}, ""},
		{"long enough", []tianbao.Reason{{Code: "org_code.old_form", Text: "新代码办理中"}}, "新代码办理中"},
		{"the newest counts", []tianbao.Reason{{Code: "org_code.old_form", Text: "新代码办理中"}, {Code: "org_code.old_form", Text: "证书已送省里更换"}}, "证书已送省里更换"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			row := with(c, "org_code", "D2143569X")
			row.Reasons = tt.reasons
			ps := c.Rows([]tianbao.Row{*row})
			if len(ps) != 1 || ps[0].Reason != tt.want || ps[0].Blocks() != (tt.want == "") {
				t.Errorf("%v: reason %q", problems(ps), ps[0].Reason)
			}
		})
	}
	row := with(c, "person_id", "210102198001019011")
	row.Reasons = []tianbao.Reason{{Code: "person_id.checksum", Text: "证件上就是这样写的"}}
	if ps := c.Row(nil, 0, row); len(ps) != 1 || ps[0].Reason != "" || !ps[0].Blocks() {
		t.Error("an error was explained away")
	}
}

func TestMaskAndNormalize(t *testing.T) {
	c := newChecker(t)
	f := c.Form()
	for key, want := range map[string]string{
		"person_id": "210102********9015", "phone": "160****5678", "person_name": "夏娜", "unit_name": "沈阳市水利局",
	} {
		if got := c.Mask(f.Index(key), clean()[f.Index(key)]); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	for _, tt := range [][3]string{
		{"unit_type", " 主要部门　", "主管部门"},
		{"unit_type", "企 业", "企业"},
		{"budget_code", "'００1a", "001A"},
		{"org_code", "1121010060181590xa", "1121010060181590XA"},
		{"phone", "+86 160-1234-5678", "16012345678"},
		{"person_name", "夏　娜", "夏娜"},
		{"unit_name", " 沈阳 局 ", "沈阳 局"},
		{"legacy_username", "Ｌn_1", "Ｌn_1"},
	} {
		if got := c.Normalize(f.Index(tt[0]), tt[1]); got != tt[2] {
			t.Errorf("%s: %q becomes %q, want %q", tt[0], tt[1], got, tt[2])
		}
	}
}

// TestSecondForm checks a form of five columns, written in the same words, with
// the same code: its rules, severities and omissions are obeyed.
func TestSecondForm(t *testing.T) {
	f := contacts(t)
	c, err := check.New(f, noon)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		values tianbao.Values
		want   []string
	}{
		{"clean", tianbao.Values{"1121010060181590XA", "白班", "夏娜", "16012345678", ""}, nil},
		{"everything empty", tianbao.Values{}, []string{
			"0:org_code:required:error", "0:shift:required:justify", "0:contact:required:error", "0:mobile:required:error",
		}},
		{"not public is not asked for", tianbao.Values{"91210100600000000E", "白班", "夏娜", "16012345678", ""}, nil},
		{"a wrong kind is not, the check is", tianbao.Values{"B12101006000000001", "白班", "夏娜", "16012345678", ""}, []string{"0:org_code:org_code.checksum:error"}},
		{"length without charset", tianbao.Values{"OOO", "白班", "夏娜", "16012345678", ""}, []string{"0:org_code:org_code.length:error"}},
		{"the form's length of a name", tianbao.Values{"1121010060181590XA", "夜班", "买买提阿不都", "16012345678", ""}, []string{"0:contact:contact.length:hint"}},
		{"no Latin without an id column", tianbao.Values{"1121010060181590XA", "夜班", "JOHN", "16012345678", ""}, []string{"0:contact:contact.charset:error"}},
		{"landline is an error here", tianbao.Values{"1121010060181590XA", "夜班", "夏娜", "024-23861234", ""}, []string{"0:mobile:mobile.landline:error"}},
		{"remarks have no rules", tianbao.Values{"1121010060181590XA", "夜班", "夏娜", "16012345678", "\n\uFFFD"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, problems(c.Row(nil, 0, &tianbao.Row{Values: tt.values}))); d != "" {
				t.Error(d)
			}
		})
	}
	rows := []tianbao.Row{
		{Values: tianbao.Values{"1121010060181590XA", "白班", "夏娜", "16012345678", ""}},
		{Values: tianbao.Values{"1121010060181590XA", "夜班", "夏娜", "16012345678", ""}, Reasons: []tianbao.Reason{{Code: "mobile.twice", Text: "两班同一人值守"}}},
	}
	ps := c.Rows(rows)
	if d := cmp.Diff([]string{"1:mobile:mobile.twice:justify"}, problems(ps)); d != "" || ps[0].Reason == "" {
		t.Error(d, ps)
	}
	if got := c.Mask(2, "夏娜"); got != "夏*" {
		t.Errorf("masked name %q", got)
	}
	if got := c.Normalize(1, "日班"); got != "白班" {
		t.Errorf("alias %q", got)
	}
}

func TestNewRefuses(t *testing.T) {
	now := func() time.Time { return time.Time{} }
	tests := []struct {
		name  string
		form  *tianbao.Form
		today func() time.Time
	}{
		{"no form", nil, now},
		{"no clock", &tianbao.Form{}, nil},
		{"unknown kind", &tianbao.Form{Fields: []tianbao.Field{{Key: "a", Kind: "fax"}}}, now},
		{"unknown rule", &tianbao.Form{Fields: []tianbao.Field{{Key: "a", Kind: tianbao.KindText, Rules: map[string]tianbao.Severity{"checksum": "error"}}}}, now},
		{"cross rule without fields", &tianbao.Form{CrossRules: []tianbao.CrossRule{{Code: "a.b"}}}, now},
		{"cross rule, unknown field", &tianbao.Form{CrossRules: []tianbao.CrossRule{{Code: "a.b", Same: []string{"a"}}}}, now},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := check.New(tt.form, tt.today); err == nil {
				t.Error("no error")
			}
		})
	}
}

// contacts returns the second form, from the testdata of package form.
func contacts(t testing.TB) *tianbao.Form {
	t.Helper()
	return load(t, "../form/testdata").Latest("contacts")
}

func load(t testing.TB, dir string) *form.Registry {
	t.Helper()
	r, err := form.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
