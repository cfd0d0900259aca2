package form_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/form"
)

func builtin(t *testing.T) *form.Registry {
	t.Helper()
	r, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAssetRole(t *testing.T) {
	f := builtin(t).Get("asset-role", 1)
	if f == nil {
		t.Fatal("asset-role version 1 is not published")
	}
	if f.Title != "预算管理一体化预算单位用户及资产管理角色信息采集表" || f.Folder != "资产角色采集" || f.SeqKey != "seq" || f.SeqTitle != "序号" {
		t.Errorf("title %q, folder %q, row number %q %q", f.Title, f.Folder, f.SeqKey, f.SeqTitle)
	}
	want := []string{
		"A budget_code 单位预算编码", "B unit_name 单位名称 * frozen", "C org_code 组织机构代码 *", "D unit_type 单位类型 *",
		"E legacy_username 对应行政事业单位资产管理信息系统用户名", "F person_name 资产管理人姓名 * frozen",
		"G person_id 资产管理人身份证号码 * sealed id", "H phone 联系方式 * sealed phone",
	}
	var got []string
	width := 0
	for _, x := range f.Fields {
		s := x.Letter + " " + x.Key + " " + x.Title
		if x.Required {
			s += " *"
		}
		if x.Sealed {
			s += " sealed " + string(x.Mask)
		}
		if x.Frozen {
			s += " frozen"
		}
		got = append(got, s)
		width += x.Pixels
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if width > 1210 { // the row number and the buttons stand beside it on 1366
		t.Errorf("the columns are %d pixels wide", width)
	}
}

// TestAssetRoleRules holds the rules against the table of form.md §5. The two of
// legacy_username are not in it: without them an error value in that column could
// not be reported.
func TestAssetRoleRules(t *testing.T) {
	want := map[string]tianbao.Severity{
		"budget_code.charset": "error", "budget_code.float": "error", "budget_code.leading_zeros": "hint", "unit_name.length": "error",
		"org_code.length": "error", "org_code.charset": "error", "org_code.checksum": "error", "org_code.kind": "error",
		"org_code.province": "error", "org_code.old_form": "justify", "org_code.not_public": "justify",
		"unit_type.unknown": "error", "person_name.charset": "error", "person_name.length": "error",
		"person_id.length": "error", "person_id.charset": "error", "person_id.province": "error", "person_id.birthdate": "error",
		"person_id.checksum": "error", "person_id.masked": "error", "person_id.old15": "error", "person_id.precision_lost": "error",
		"person_id.permit": "hint", "phone.format": "error", "phone.landline": "hint",
		"row.duplicate": "error", "person_id.name_conflict": "error", "phone.shared": "error",
		"legacy_username.charset": "error", "legacy_username.length": "error",
	}
	got := map[string]tianbao.Severity{}
	f := builtin(t).Latest("asset-role")
	for _, x := range f.Fields {
		for name, sev := range x.Rules {
			if name != "required" {
				got[x.Key+"."+name] = sev
			} else if sev != tianbao.SeverityError {
				t.Errorf("%s: required is %s", x.Key, sev)
			}
		}
	}
	for _, r := range f.CrossRules {
		got[r.Code] = r.Severity
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestPatterns holds the published patterns against normal forms of each kind, as
// a Table Schema tool would read them: the whole value must match.
func TestPatterns(t *testing.T) {
	var schema struct {
		Fields []struct {
			Name        string
			Constraints struct{ Pattern string }
		}
	}
	if err := json.Unmarshal(builtin(t).Schema("asset-role", 1), &schema); err != nil {
		t.Fatal(err)
	}
	values := map[string][2][]string{ // taken, refused
		"budget_code": {{"001", "101001A"}, {"", "105001.0", "1a"}},
		"org_code":    {{"1121010060181590XA", "D2143569X", "D2143569-X", "91210100MA0TEXT000"}, {"111", "I1210100601815900A", "11A10100601815900A"}},
		"person_id":   {{"21010319810614429X", "KAZ110090123105"}, {"610104620927690", "21010319810614429x"}},
		"phone":       {{"16012345678", "024-23861234", "0411-83631234-801"}, {"12012345678", "23861234", "160-1234-5678"}},
	}
	seen := 0
	for _, f := range schema.Fields {
		if f.Constraints.Pattern == "" {
			continue
		}
		seen++
		re := regexp.MustCompile("^" + f.Constraints.Pattern + "$")
		for _, v := range values[f.Name][0] {
			if !re.MatchString(v) {
				t.Errorf("%s: the pattern refuses %q", f.Name, v)
			}
		}
		for _, v := range values[f.Name][1] {
			if re.MatchString(v) {
				t.Errorf("%s: the pattern takes %q", f.Name, v)
			}
		}
	}
	if seen != len(values) {
		t.Errorf("%d patterns, want %d", seen, len(values))
	}
}

func TestRegistry(t *testing.T) {
	contacts, err := os.ReadFile("testdata/contacts.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	second := []byte(strings.Replace(string(contacts), `"tianbao:version": 1`, `"tianbao:version": 10`, 1))
	third := []byte(strings.Replace(string(contacts), `"tianbao:version": 1`, `"tianbao:version": 9`, 1))
	r, err := form.Load(fstest.MapFS{"b.json": {Data: second}, "a.json": {Data: contacts}, "c.json": {Data: third}, "readme.md": {Data: []byte("no form")}})
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Get("contacts", 1); f == nil || len(f.Fields) != 5 || f.Fields[1].EnumAliases["日班"] != "白班" {
		t.Errorf("contacts version 1: %+v", f)
	}
	if f := r.Latest("contacts"); f == nil || f.Version != 10 {
		t.Errorf("the newest is %+v", f)
	}
	if fs := r.Forms(); len(fs) != 3 || fs[0].Version != 1 || fs[1].Version != 9 {
		t.Errorf("%d forms", len(fs))
	}
	if r.Get("contacts", 2) != nil || r.Latest("other") != nil || r.Schema("other", 1) != nil {
		t.Error("found what is not there")
	}
	b := r.Schema("contacts", 1)
	if string(b) != string(contacts) {
		t.Error("the schema is not the published text")
	}
	b[0] = 'x'
	if string(r.Schema("contacts", 1)) != string(contacts) {
		t.Error("callers share the schema")
	}
	if _, err := form.Load(fstest.MapFS{"a.json": {Data: contacts}, "b.json": {Data: contacts}}); err == nil {
		t.Error("one version was published twice")
	}
	if _, err := form.Load(fstest.MapFS{"a.json": {Data: []byte("{}")}}); err == nil || !strings.Contains(err.Error(), "a.json") {
		t.Errorf("the error does not name the file: %v", err)
	}
}
