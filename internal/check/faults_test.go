package check

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
)

// TestFaultsAgree holds the vocabulary of the root package against the rules that
// are applied here: what a form may list is looked for, and nothing else.
func TestFaultsAgree(t *testing.T) {
	for _, k := range []tianbao.Kind{
		tianbao.KindText, tianbao.KindCode, tianbao.KindCreditCode, tianbao.KindChoice,
		tianbao.KindName, tianbao.KindResidentID, tianbao.KindPhone,
	} {
		got := []string{"required"}
		for _, r := range faultsOf(k) {
			got = append(got, r.rule)
		}
		slices.Sort(got)
		got = slices.Compact(got)
		want := k.Faults()
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", k, d)
		}
	}
}
