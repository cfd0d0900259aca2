package check_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/check"
)

// Right values of nobody, for rows that share and differ.
var (
	orgs   = [...]string{"1121010060181590XA", "122101002001826383", "112101006091390965"}
	people = [...]string{"210102198001019015", "810000199408230021", "932682198501010017"}
	phones = [...]string{"16012345678", "16012345679", "16012345670"}
)

// edit returns a clean row with cells changed, "key=value".
func edit(c *check.Checker, cells ...string) tianbao.Row {
	r := tianbao.Row{Values: clean()}
	for _, cell := range cells {
		key, v, _ := strings.Cut(cell, "=")
		r.Values[c.Form().Index(key)] = v
	}
	return r
}

func TestCrossRules(t *testing.T) {
	c := newChecker(t)
	row := func(cells ...string) tianbao.Row { return edit(c, cells...) }
	tests := []struct {
		name string
		rows []tianbao.Row
		want []string
	}{
		{"the same row", []tianbao.Row{row(), row()}, []string{"1::row.duplicate:error"}},
		{"three times", []tianbao.Row{row(), row(), row()}, []string{"1::row.duplicate:error", "2::row.duplicate:error"}},
		{"one person in two units", []tianbao.Row{row(), row("org_code=" + orgs[1])}, nil},
		{"unit by its code, not its name", []tianbao.Row{row(), row("unit_name=另一个单位")}, []string{"1::row.duplicate:error"}},
		{
			"unit by its name when the code is missing",
			[]tianbao.Row{row("org_code="), row("org_code=")},
			[]string{"0:org_code:required:error", "1:org_code:required:error", "1::row.duplicate:error"},
		},
		{
			"unit by its name when the code is wrong",
			[]tianbao.Row{row("org_code=111"), row("org_code=111")},
			[]string{"0:org_code:org_code.length:error", "1:org_code:org_code.length:error", "1::row.duplicate:error"},
		},
		{
			"a code is no name",
			[]tianbao.Row{row("unit_name=" + orgs[0]), row("org_code=", "unit_name="+orgs[0])},
			[]string{"1:org_code:required:error"},
		},
		{
			"two names, two units",
			[]tianbao.Row{row(), row("org_code="+orgs[1], "person_name=秋娜")},
			[]string{"1:person_name:person_id.name_conflict:error"},
		},
		{
			"two names, one unit: the field comes first",
			[]tianbao.Row{row(), row("person_name=秋娜")},
			[]string{"1:person_name:person_id.name_conflict:error", "1::row.duplicate:error"},
		},
		{
			"one phone, two people",
			[]tianbao.Row{row(), row("person_id="+people[1], "person_name=秋娜")},
			[]string{"1:person_id:person_id.permit:hint", "1:phone:phone.shared:error"},
		},
		{
			"the third agrees with the first and not with the second",
			[]tianbao.Row{row(), row("org_code="+orgs[1], "person_name=秋娜"), row("org_code=" + orgs[2])},
			[]string{"1:person_name:person_id.name_conflict:error", "2:person_name:person_id.name_conflict:error"},
		},
		{
			"empty cells prove nothing",
			[]tianbao.Row{row("person_id=", "phone="), row("person_id=", "phone=")},
			[]string{"0:person_id:required:error", "0:phone:required:error", "1:person_id:required:error", "1:phone:required:error"},
		},
		{
			"placeholders prove nothing",
			[]tianbao.Row{row("person_id=111"), row("person_id=111", "person_name=秋娜")},
			[]string{"0:person_id:person_id.length:error", "1:person_id:person_id.length:error"},
		},
		{
			"a phone shared with a faulty id proves nothing",
			[]tianbao.Row{row(), row("person_id=111")},
			[]string{"1:person_id:person_id.length:error"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, problems(c.Rows(tt.rows))); d != "" {
				t.Error(d)
			}
		})
	}
	// Two zeroed numbers are equal because of the damage.
	lost := []tianbao.Row{row("person_id=210102198001019000"), row("person_id=210102198001019000", "person_name=秋娜")}
	if d := cmp.Diff([]string{"0:person_id:person_id.precision_lost:error", "1:person_id:person_id.precision_lost:error"}, problems(c.Rows(lost))); d != "" {
		t.Error(d)
	}
}

func TestCrossMessageNamesTheRow(t *testing.T) {
	c := newChecker(t)
	a, b := edit(c), edit(c)
	if ps := c.Rows([]tianbao.Row{a, b}); !strings.Contains(ps[0].Message, "第1行") {
		t.Errorf("by position: %s", ps[0].Message)
	}
	a.Seq, b.Seq, b.ID = 41, 57, 9
	if ps := c.Rows([]tianbao.Row{a, b}); !strings.Contains(ps[0].Message, "第41行") || ps[0].RowID != 9 {
		t.Errorf("by number: %s", ps[0].Message)
	}
}

// TestCrossRulesPairwise holds the linear algorithm against the definition: a row
// carries the problem when any earlier row breaks the rule with it.
func TestCrossRulesPairwise(t *testing.T) {
	c := newChecker(t)
	r := rand.New(rand.NewPCG(2022, 923))
	for range 300 {
		rows := make([]tianbao.Row, 1+r.IntN(12))
		for i := range rows {
			rows[i] = edit(c, "org_code="+orgs[r.IntN(3)], "person_id="+people[r.IntN(3)], "phone="+phones[r.IntN(3)],
				"person_name="+[]string{"夏娜", "秋娜", "冬娜"}[r.IntN(3)])
		}
		var want []string
		at := func(i int, key string) string { return rows[i].Values[c.Form().Index(key)] }
		for i := range rows {
			found := map[string]bool{}
			for j := range i {
				id, name, phone := at(i, "person_id") == at(j, "person_id"), at(i, "person_name") == at(j, "person_name"), at(i, "phone") == at(j, "phone")
				found[":row.duplicate"] = found[":row.duplicate"] || id && at(i, "org_code") == at(j, "org_code")
				found["person_name:person_id.name_conflict"] = found["person_name:person_id.name_conflict"] || id && !name
				found["phone:phone.shared"] = found["phone:phone.shared"] || phone && !id
			}
			for _, x := range []string{"person_name:person_id.name_conflict", "phone:phone.shared", ":row.duplicate"} {
				if found[x] {
					want = append(want, fmt.Sprintf("%d:%s:error", i, x))
				}
			}
		}
		got := slices.DeleteFunc(problems(c.Rows(rows)), func(s string) bool { return strings.HasSuffix(s, ":hint") })
		if !slices.Equal(want, got) {
			t.Fatal(cmp.Diff(want, got))
		}
	}
}

func TestImported(t *testing.T) {
	c := newChecker(t)
	imp := &tianbao.Import{Rows: []tianbao.ImportedRow{
		{Row: edit(c), Seq: "1"},
		{Row: edit(c, "org_code="+orgs[1]), Seq: "01"},
		{Row: edit(c), Seq: "", Hidden: true},
		{Row: edit(c, "org_code="+orgs[2], "unit_name="), Seq: "１", Hidden: true},
		{Row: edit(c, "org_code="), Seq: ""},
		{Row: edit(c, "org_code="), Seq: "2"},
	}}
	for i := range imp.Rows {
		imp.Rows[i].Row.ID = tianbao.ID(100 + i)
	}
	ps := c.Imported(imp)
	want := []string{
		"1:seq:seq.duplicate:hint",
		"2::row.duplicate:error", "2::row.hidden:hint",
		"3:seq:seq.duplicate:hint", "3:unit_name:required:error", "3::row.hidden:hint",
		"4:org_code:required:error",
		"5:org_code:required:error", "5::row.duplicate:error",
	}
	if d := cmp.Diff(want, problems(ps)); d != "" {
		t.Error(d)
	}
	for _, p := range ps {
		if p.RowID != tianbao.ID(100+p.Row) || p.Message == "" {
			t.Errorf("%+v", p)
		}
	}
	if ps := c.Imported(&tianbao.Import{}); len(ps) != 0 {
		t.Error("an empty file has problems")
	}
}

// TestMessagesKeepSecrets gives every column the values of every other, damaged in
// many ways, and looks for ids, phones and names in what is said about them.
func TestMessagesKeepSecrets(t *testing.T) {
	c := newChecker(t)
	r := rand.New(rand.NewPCG(2022, 923))
	secrets := append(slices.Clone(people[:]), "210102198001019011", "16012345678", "610104620927690", "024-23861234-801", "D2143569X", "买买提阿不都拉")
	noise := []rune("Ox×三*-. 转\n=\uFFFD\uE000")
	for range 20000 {
		s := []rune(secrets[r.IntN(len(secrets))])
		for range r.IntN(3) {
			i := r.IntN(len(s))
			s = slices.Replace(s, i, i+r.IntN(2), noise[r.IntN(len(noise))])
		}
		k := r.IntN(8)
		row := tianbao.Row{Values: clean(), Marks: make([]tianbao.Mark, 8)}
		row.Values[k], row.Marks[k] = c.Normalize(k, string(s)), tianbao.Mark(r.IntN(4))
		for _, p := range c.Row(nil, 0, &row) {
			// Five characters in a row of a value could be told apart from the
			// lengths, places and province codes that messages may name.
			v := []rune(row.Values[k])
			for i := 0; i+5 <= len(v); i++ {
				if part := string(v[i : i+5]); strings.Contains(p.Message, part) {
					t.Fatalf("%s: the message tells %q", p.Code, part)
				}
			}
		}
	}
}

func FuzzRow(f *testing.F) {
	for _, v := range clean() {
		f.Add(v, byte(0), v)
	}
	f.Add("2.1E+17", byte(1), "张\n三")
	f.Add("\xff", byte(2), "·")
	f.Add("9326821985010100１7", byte(3), "JOHN")
	f.Add("81000000000000000X", byte(1), "0420-5551234")
	c := newChecker(f)
	f.Fuzz(func(t *testing.T, v string, mark byte, w string) {
		n := len(c.Form().Fields)
		rows := make([]tianbao.Row, 2*n)
		for i := range rows {
			rows[i] = tianbao.Row{Values: clean(), Marks: make([]tianbao.Mark, n)}
			rows[i].Values[i/2], rows[i].Marks[i/2] = v, tianbao.Mark(mark)
			rows[i].Values[(i+1)%n] = w
			for k, x := range rows[i].Values {
				rows[i].Values[k] = c.Normalize(k, x)
				if again := c.Normalize(k, rows[i].Values[k]); again != rows[i].Values[k] {
					t.Errorf("field %d: %+q becomes %+q, then %+q", k, x, rows[i].Values[k], again)
				}
			}
		}
		last := -1
		for _, p := range c.Rows(rows) {
			if p.Row < last || p.Message == "" || p.Code == "" || p.Severity == "" {
				t.Errorf("%+v", p)
			}
			last = p.Row
		}
	})
}
