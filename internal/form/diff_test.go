package form_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/form"
)

func contacts(t *testing.T) (*tianbao.Form, []byte) {
	t.Helper()
	b, err := os.ReadFile("testdata/contacts.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := form.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return f, b
}

func TestDiff(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(f *tianbao.Form)
		want   []form.Difference
	}{
		{"nothing", func(*tianbao.Form) {}, nil},
		{"another version", func(f *tianbao.Form) { f.Version = 7 }, nil},
		{"a list", func(f *tianbao.Form) { f.Fields[1].Enum = []string{"白班", "夜班", "中班"} }, []form.Difference{
			{Field: "shift", Title: "班次", What: "选项", Was: "白班、夜班", Is: "白班、夜班、中班"},
		}},
		{"a field that went", func(f *tianbao.Form) { f.Fields = f.Fields[:4] }, []form.Difference{
			{Field: "remark", Title: "备注", What: "删去一栏", Was: "备注"},
		}},
		{"a field that came first", func(f *tianbao.Form) {
			f.Fields = append([]tianbao.Field{{Key: "room", Title: "房间", Kind: tianbao.KindText}}, f.Fields...)
		}, []form.Difference{{Field: "room", Title: "房间", What: "新增一栏", Is: "房间"}}},
		{"the order", func(f *tianbao.Form) { f.Fields[0], f.Fields[1] = f.Fields[1], f.Fields[0] }, []form.Difference{
			{What: "各栏的顺序", Was: "org_code、shift、contact、mobile、remark", Is: "shift、org_code、contact、mobile、remark"},
		}},
		{"a check that weighs less", func(f *tianbao.Form) {
			f.Fields[3].Rules = map[string]tianbao.Severity{"required": "error", "format": "error", "landline": "hint"}
		}, []form.Difference{{Field: "mobile", Title: "值班手机", What: "不是座机号", Was: "错误，要改正", Is: "只提示"}}},
		{"a rule between rows", func(f *tianbao.Form) { f.CrossRules = nil }, []form.Difference{
			{Title: "mobile.twice", What: "删去行间检查", Was: "本行的手机号与第{row}行相同，请说明原因。"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			was, _ := contacts(t)
			is, _ := contacts(t)
			tt.change(is)
			if d := cmp.Diff(tt.want, form.Diff(was, is)); d != "" {
				t.Error(d)
			}
		})
	}
}

// What the editor hands over is completed: letters by order, formulas of new checks, the
// pattern of the kind; what stayed as it was keeps its own.
func TestSettleAndWrite(t *testing.T) {
	before, old := contacts(t)
	f, _ := contacts(t)
	f.Fields = append([]tianbao.Field{{
		Key: "room", Title: "房间", Note: "填写房间号", Kind: tianbao.KindCode, MaxLength: 5,
		Rules: map[string]tianbao.Severity{"charset": tianbao.SeverityError, "leading_zeros": tianbao.SeverityHint},
	}}, f.Fields[:4]...)
	form.Settle(f, before)
	if got := []string{f.Fields[0].Letter, f.Fields[4].Letter}; !cmp.Equal(got, []string{"A", "E"}) {
		t.Errorf("letters %v", got)
	}
	want := []string{"required", "org_code.checksum", "shift.unknown", "contact.length", "mobile.twice", "room.charset"}
	if d := cmp.Diff(want, f.Formula); d != "" {
		t.Error(d)
	}
	b, err := form.Write(f, old)
	if err != nil {
		t.Fatal(err)
	}
	again, faults := form.Read(b)
	if len(faults) > 0 || len(form.Diff(f, again)) > 0 {
		t.Errorf("reads as another form: %v %v", faults, form.Diff(f, again))
	}
	if !bytes.Contains(b, []byte(`"pattern": "[0-9A-Z]{1,5}"`)) || bytes.Contains(b, []byte(`1[3-9]`)) {
		t.Errorf("the patterns of what is new and what is old:\n%s", b)
	}
}

// Blank is a form without faults, to begin with.
func TestBlank(t *testing.T) {
	name, b := form.Blank()
	if f, faults := form.Read(b); len(faults) > 0 || f.Name != name {
		t.Errorf("%s: %v", name, faults)
	}
}
