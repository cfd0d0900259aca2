package check_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
)

// TestStreamFindsWhatRowsFinds holds the two passes against the one that keeps all
// rows, on sheets in which nearly everything repeats.
func TestStreamFindsWhatRowsFinds(t *testing.T) {
	c := newChecker(t)
	rnd := rand.New(rand.NewPCG(6, 9))
	cross := 0
	for range 400 {
		rows := make([]tianbao.Row, 1+rnd.IntN(40))
		for i := range rows {
			rows[i] = edit(c, "org_code="+orgs[rnd.IntN(3)], "person_id="+people[rnd.IntN(3)], "phone="+phones[rnd.IntN(3)],
				"person_name="+[]string{"张三", "李四", "", "张3"}[rnd.IntN(4)])
			if rnd.IntN(5) == 0 {
				rows[i].Values[c.Form().Index("org_code")] = ""
			}
			rows[i].Seq = []int{i + 1, 0}[rnd.IntN(2)]
		}
		keys := c.Keys()
		for i := range rows {
			keys.Add(&rows[i])
		}
		s := keys.Stream()
		var got []tianbao.Problem
		for i := range rows {
			got = s.Row(got, i, &rows[i])
		}
		want := c.Rows(rows)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%d rows (-rows +stream):\n%s", len(rows), d)
		}
		for i := range want {
			if want[i].Code == "phone.shared" {
				cross++
			}
		}
	}
	if cross == 0 {
		t.Error("no rule between rows was broken")
	}
}
