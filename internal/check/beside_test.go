package check

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
)

// The same person in two units of one sheet, as of two reports, asks for a reason.
func TestElsewhereInOneSheet(t *testing.T) {
	asked := 0
	plain := unitRules(t, &asked)
	other := map[string]string{"unit_name": "第二小学", "org_code": "", "budget_code": ""}
	with := func(more map[string]string) tianbao.Row {
		change := map[string]string{}
		for _, m := range []map[string]string{other, more} {
			for k, v := range m {
				change[k] = v
			}
		}
		return pupil(change)
	}
	explained := with(nil)
	explained.Reasons = []tianbao.Reason{{Code: "person.elsewhere", Text: "兼任两校的资产管理员"}}
	for name, test := range map[string]struct {
		rows      []tianbao.Row
		elsewhere func(string, tianbao.ID) (tianbao.ElsewhereMatch, error)
		want      string
	}{
		"two units":         {[]tianbao.Row{pupil(nil), with(nil)}, nil, "2:第1行以另一个单位"},
		"explained":         {[]tianbao.Row{pupil(nil), explained}, nil, "2:第1行以另一个单位!"},
		"two people":        {[]tianbao.Row{pupil(nil), with(map[string]string{"person_id": "210102199001019028", "phone": "16012340001"})}, nil, ""},
		"one unit twice":    {[]tianbao.Row{pupil(nil), pupil(nil)}, nil, ""},
		"another name":      {[]tianbao.Row{pupil(nil), with(map[string]string{"person_name": "王小丽"})}, nil, ""},
		"one unit, renamed": {[]tianbao.Row{pupil(nil), pupil(map[string]string{"unit_name": "一中"})}, nil, ""},
		"also in another report": {
			[]tianbao.Row{pupil(nil), with(nil)},
			func(string, tianbao.ID) (tianbao.ElsewhereMatch, error) {
				return tianbao.ElsewhereMatch{Found: true}, nil
			},
			"1:这个人其他单位已填报 2:这个人其他单位已填报",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.elsewhere == nil {
				test.elsewhere = func(string, tianbao.ID) (tianbao.ElsewhereMatch, error) { return tianbao.ElsewhereMatch{}, nil }
			}
			c := plain.Beside(tianbao.Beside{Elsewhere: test.elsewhere}, func(err error) { t.Error(err) })
			told := func(ps []tianbao.Problem) string {
				var out []string
				for _, p := range ps {
					if p.Code != "person.elsewhere" {
						continue
					}
					message, _, _ := strings.Cut(p.Message, "填报了")
					message, _, _ = strings.Cut(message, "，")
					if p.Reason != "" {
						message += "!"
					}
					out = append(out, fmt.Sprintf("%d:%s", p.Row+1, message))
				}
				return strings.Join(out, " ")
			}
			if diff := cmp.Diff(test.want, told(c.Rows(test.rows))); diff != "" {
				t.Error(diff)
			}
			keys := c.Keys()
			for i := range test.rows {
				keys.Add(&test.rows[i])
			}
			stream := keys.Stream()
			var ps []tianbao.Problem
			for i := range test.rows {
				ps = stream.Row(ps, i, &test.rows[i])
			}
			if diff := cmp.Diff(test.want, told(ps)); diff != "" {
				t.Errorf("in a stream: %s", diff)
			}
		})
	}
	if got := plain.Rows([]tianbao.Row{pupil(nil), with(nil)}); strings.Contains(fmt.Sprint(got), "person.elsewhere") {
		t.Error("without what stands beside, nobody asks for reasons")
	}
}
