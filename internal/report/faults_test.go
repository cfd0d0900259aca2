package report_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tianbao"
	"tianbao/internal/report"
)

// A long sheet is checked without being kept, and the answer is the same to the last
// problem whatever unsaved changes it has: inserts behind rows that are there, new,
// gone or never were, edits, deletes and reasons.
func TestLongCheckIsTheSame(t *testing.T) {
	onBoth(t, func(o *office) {
		var first []tianbao.Change
		for i := range 12 {
			v := values(i % 9) // some people twice
			v[4] = fmt.Sprint("用户", i)
			first = append(first, insert(fmt.Sprint("t", i), tianbao.AtEnd, v...))
		}
		o.save(0, first...)
		rows := o.view().Rows
		short := o.Service
		long := *o.Service
		long.Long = 1
		rapid.Check(o.t, func(rt *rapid.T) {
			var cs []tianbao.Change
			row := func() tianbao.ID { return rapid.SampledFrom(rows).Draw(rt, "row").ID }
			temps := 0
			for i := range rapid.IntRange(0, 14).Draw(rt, "changes") {
				switch rapid.IntRange(0, 5).Draw(rt, "op") {
				case 0, 1, 2:
					c := insert(fmt.Sprint("n", temps), 0, "", fmt.Sprint("新", i), "", "", "", "", values(rapid.IntRange(0, 12).Draw(rt, "who"))[6])
					switch rapid.IntRange(0, 4).Draw(rt, "place") {
					case 0:
						c.After = tianbao.AtEnd
					case 1:
						c.After = row()
					case 2:
						c.After = 4711 // no such row
					case 3:
						if temps > 0 {
							c.AfterTemp = fmt.Sprint("n", rapid.IntRange(0, temps-1).Draw(rt, "temp"))
						}
					}
					temps++
					cs = append(cs, c)
				case 3:
					cs = append(cs, edit(row(), rapid.SampledFrom([]int{1, 5, 6, 7}).Draw(rt, "field"), rapid.SampledFrom([]string{"", "x", values(3)[6]}).Draw(rt, "text")))
				case 4:
					cs = append(cs, remove(row()))
				case 5:
					cs = append(cs, tianbao.Change{Op: tianbao.OpReason, Row: row(), Reason: tianbao.Reason{Code: "phone.shared", Text: "两处都由此人负责"}})
				}
			}
			ask := func(s *report.Service) *report.Found {
				f, err := s.Faults(o.ctx(), o.who, o.set(1, cs...))
				if err != nil {
					rt.Fatal(err)
				}
				return f
			}
			want, got := ask(short), ask(&long)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(report.Found{})); diff != "" {
				rt.Errorf("kept and streamed (-want +got):\n%s", diff)
			}
			for i := range want.Problems {
				if a, b := want.RowName(want.Problems[i].RowID), got.RowName(got.Problems[i].RowID); a != b {
					rt.Errorf("problem %d is of row %s, want %s", i, b, a)
				}
			}
		})
	})
}

// An answer lists so many problems, those that stop the most, and counts all.
func TestFaultsAreCapped(t *testing.T) {
	onBoth(t, func(o *office) {
		var cs []tianbao.Change
		const n = 700 // rows with nothing but a name: several errors each
		for i := range n {
			cs = append(cs, insert(fmt.Sprint("t", i), tianbao.AtEnd, "", "单位"))
		}
		o.save(0, cs...)
		for _, long := range []int{0, 1} {
			s := *o.Service
			s.Long = long
			f, err := s.Faults(o.ctx(), o.who, o.set(1))
			must(o.t, err)
			if len(f.Problems) != report.MaxProblems || f.Left != f.Error+f.Justify+f.Hint-report.MaxProblems || f.Error < 3*n || f.Rows != n {
				o.t.Errorf("%d listed, %d left of %d errors in %d rows", len(f.Problems), f.Left, f.Error, f.Rows)
			}
			for i := 1; i < len(f.Problems); i++ {
				if f.Problems[i].Row < f.Problems[i-1].Row || f.Problems[i].Severity != tianbao.SeverityError {
					o.t.Fatalf("problem %d is of row %d and %s", i, f.Problems[i].Row, f.Problems[i].Severity)
				}
			}
		}
	})
}
