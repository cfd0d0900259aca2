package check

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/form"
)

// pupil is a row that is right in itself, of a school that the register of unitRules has.
func pupil(change map[string]string) tianbao.Row {
	v := map[string]string{
		"budget_code": "001001", "unit_name": "示范一中", "org_code": "12210000MB2F00112F", "unit_type": "事业单位",
		"person_name": "张示例", "person_id": "210102199001019001", "phone": "16012340000",
	}
	for k, x := range change {
		v[k] = x
	}
	forms, err := form.Builtin()
	if err != nil {
		panic(err)
	}
	f := forms.Latest("asset-role")
	row := tianbao.Row{Values: make(tianbao.Values, len(f.Fields))}
	for i := range f.Fields {
		row.Values[i] = v[f.Fields[i].Key]
	}
	return row
}

// unitRules are the rules with a small register: one school, which knows itself also as
// 一中; one that has closed; a code that lies elsewhere and one that two bear.
func unitRules(t testing.TB, asked *int) *Checker {
	t.Helper()
	forms, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(forms.Latest("asset-role"), func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	school := &tianbao.Unit{ID: 5, Name: "示范一中", BudgetCode: "001001", OrgCode: "12210000MB2F00112F", Type: "事业单位"}
	return c.Against(func(keys map[string]string) tianbao.UnitMatch {
		*asked++
		for _, k := range []string{"org_code", "budget_code", "unit_name"} {
			switch v := keys[k]; {
			case v != "" && v == school.Key(k), v == "一中":
				return tianbao.UnitMatch{Unit: school, Aliases: []tianbao.UnitAlias{{Field: "unit_name", Value: "一中"}}}
			case v == "撤销小学":
				return tianbao.UnitMatch{Unit: &tianbao.Unit{ID: 6, Name: v}, Closed: true}
			case v == "外县小学":
				return tianbao.UnitMatch{Outside: true}
			case v == "同名小学":
				return tianbao.UnitMatch{Several: true}
			}
		}
		return tianbao.UnitMatch{}
	})
}

func TestUnits(t *testing.T) {
	other := "12210000MB2F00227M" // right in itself, and in no register
	tests := []struct {
		name   string
		change map[string]string
		want   []string
	}{
		{"as registered", nil, nil},
		{"known by an alias", map[string]string{"unit_name": "一中"}, nil},
		{"a name of its own", map[string]string{"unit_name": "第一中学"}, []string{"justify unit_name unit.name_mismatch 示范一中"}},
		{"another type", map[string]string{"unit_type": "行政单位"}, []string{"justify unit_type unit.type_mismatch 事业单位"}},
		{"another budget code", map[string]string{"budget_code": "105001"}, []string{"justify budget_code unit.code_mismatch 001001"}},
		{"lost zeros are a hint", map[string]string{"budget_code": "1001"}, []string{"hint budget_code budget_code.leading_zeros 001001"}},
		{"no budget code says nothing", map[string]string{"budget_code": ""}, nil},
		{"another organisation code", map[string]string{"org_code": other}, []string{"justify org_code unit.code_mismatch 12210000MB2F00112F"}},
		{"the old form of the very code", map[string]string{"org_code": "MB2F00112"}, []string{"justify org_code org_code.old_form "}},
		{"not in the register", map[string]string{"org_code": other, "budget_code": "", "unit_name": "未登记小学"}, []string{"error org_code unit.unknown "}},
		{"closed", map[string]string{"org_code": other, "budget_code": "", "unit_name": "撤销小学"}, []string{"error org_code unit.unknown "}},
		{"elsewhere", map[string]string{"org_code": other, "budget_code": "", "unit_name": "外县小学"}, []string{"error org_code unit.out_of_scope "}},
		{"several, which is nobody's fault", map[string]string{"org_code": other, "budget_code": "", "unit_name": "同名小学"}, nil},
		{"a wrong code takes no part", map[string]string{"org_code": "12210000MB2F00112G"}, []string{"error org_code org_code.checksum "}},
		{"nothing to look up", map[string]string{"org_code": "", "budget_code": "", "unit_name": ""}, []string{"error unit_name required ", "error org_code required "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			c := unitRules(t, &asked)
			row := pupil(tt.change)
			ps := c.Row(nil, 0, &row)
			var got []string
			for _, p := range ps {
				has := ""
				if _, quoted, ok := strings.Cut(p.Message, "登记"); ok {
					_, has, _ = strings.Cut(quoted, "是“")
					has, _, _ = strings.Cut(has, "”")
				}
				got = append(got, fmt.Sprintf("%s %s %s %s", p.Severity, p.Field, p.Code, has))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Fatal(d)
			}
			// The other ways to the same rules.
			if d := cmp.Diff(ps, c.Rows([]tianbao.Row{row})); d != "" {
				t.Error("rows of a sheet: " + d)
			}
			note, second := c.RowPasses()
			note(&row)
			if d := cmp.Diff(ps, second()(nil, 0, &row)); d != "" {
				t.Error("in passes: " + d)
			}
			book := c.Imported(&tianbao.Import{Rows: []tianbao.ImportedRow{{Row: row}}})
			if d := cmp.Diff(ps, append([]tianbao.Problem(nil), book...)); d != "" {
				t.Error("of a workbook: " + d)
			}
		})
	}
}

// A unit that nobody knows may still be named twice, and a reason settles what asks for
// one; rows of one unit ask once.
func TestUnitsBetweenRows(t *testing.T) {
	asked := 0
	c := unitRules(t, &asked)
	strange := map[string]string{"org_code": "12210000MB2F00227M", "budget_code": "", "unit_name": "未登记小学"}
	ps := c.Rows([]tianbao.Row{pupil(strange), pupil(strange)})
	var got []string
	for _, p := range ps {
		got = append(got, fmt.Sprint(p.Row, " ", p.Code))
	}
	if d := cmp.Diff([]string{"0 unit.unknown", "1 unit.unknown", "1 row.duplicate"}, got); d != "" {
		t.Error(d)
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	row := pupil(map[string]string{"unit_type": "行政单位"})
	row.Reasons = []tianbao.Reason{{Code: "unit.type_mismatch", Text: "已批复改为行政单位"}}
	if ps := c.Row(nil, 0, &row); len(ps) != 1 || ps[0].Blocks() {
		t.Errorf("explained: %+v", ps)
	}
}

// BenchmarkUnits checks a sheet of 15 000 rows of 5 000 units without the register and
// with one of 40 000 in memory.
func BenchmarkUnits(b *testing.B) {
	forms, err := form.Builtin()
	if err != nil {
		b.Fatal(err)
	}
	f := forms.Latest("asset-role")
	c, err := New(f, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	at := f.Index("budget_code")
	register := make(map[string]*tianbao.Unit)
	for i := range 40_000 {
		code := fmt.Sprintf("%09d", i)
		register[code] = &tianbao.Unit{ID: tianbao.ID(i + 1), Name: "示范一中", BudgetCode: code, OrgCode: "12210000MB2F00112F", Type: "事业单位"}
	}
	rows := make([]tianbao.Row, 15_000)
	for i := range rows {
		rows[i] = pupil(nil)
		rows[i].Values[at] = fmt.Sprintf("%09d", i/3)
	}
	for name, rules := range map[string]*Checker{"without": c, "with": c.Against(func(keys map[string]string) tianbao.UnitMatch {
		return tianbao.UnitMatch{Unit: register[keys["budget_code"]]}
	})} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				rules.Rows(rows)
			}
		})
	}
}
