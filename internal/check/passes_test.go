package check_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
)

// TestPassesFindWhatImportedFinds holds the two passes against the way that keeps the
// rows, with row numbers that rise, repeat, are missing or no numbers.
func TestPassesFindWhatImportedFinds(t *testing.T) {
	c := newChecker(t)
	rnd := rand.New(rand.NewPCG(3, 1))
	codes := map[string]int{}
	for range 400 {
		imp := &tianbao.Import{}
		rising := rnd.IntN(3) == 0
		for i := range 1 + rnd.IntN(20) {
			r := tianbao.ImportedRow{Hidden: rnd.IntN(9) == 0}
			r.Row = edit(c, "org_code="+orgs[rnd.IntN(3)], "person_id="+people[rnd.IntN(3)], "phone="+phones[rnd.IntN(3)])
			r.Seq = strconv.Itoa(i + 1)
			if !rising {
				r.Seq = []string{"", "x", "0", "03", fmt.Sprint(rnd.IntN(9)), fmt.Sprint(i + 1)}[rnd.IntN(6)]
			}
			r.Row.Seq, _ = strconv.Atoi(r.Seq)
			imp.Rows = append(imp.Rows, r)
		}
		note, second := c.Passes()
		for i := range imp.Rows {
			note(&imp.Rows[i])
		}
		row := second()
		got := []tianbao.Problem{}
		for i := range imp.Rows {
			got = row(got, i, &imp.Rows[i])
		}
		want := c.Imported(imp)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%d rows (-kept +passed):\n%s", len(imp.Rows), d)
		}
		for i := range got {
			codes[got[i].Code]++
		}
	}
	for _, code := range []string{"seq.duplicate", "row.hidden", "row.duplicate"} {
		if codes[code] == 0 {
			t.Errorf("%s was never found", code)
		}
	}
}
