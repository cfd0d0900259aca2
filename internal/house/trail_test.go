package house

import (
	"regexp"
	"strings"
	"testing"
)

// bent are statements that change or remove what the trail holds.
var bent = regexp.MustCompile(`(?i)\b(DELETE\s+FROM|UPDATE|TRUNCATE(\s+TABLE)?|DROP\s+TABLE(\s+IF\s+EXISTS)?|REPLACE\s+INTO)\s+trail(_checkpoint)?\b`)

// SEC-27: the program has no statement that changes or deletes a line of the trail or a
// checkpoint, so no route, command or role has one either, at no age of the line: the
// trail is kept whole.
func TestSEC27NothingDeletesTheTrail(t *testing.T) {
	for _, sql := range []string{"DELETE FROM trail WHERE", "update trail set", "TRUNCATE trail", "delete  from trail_checkpoint"} {
		if !bent.MatchString(sql) {
			t.Errorf("%q would not be found", sql)
		}
	}
	walk(t, func(path string, b []byte) {
		if strings.HasSuffix(path, "_test.go") || strings.Contains(path, "storetest/") || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".sql") {
			return
		}
		if m := bent.Find(b); m != nil {
			t.Errorf("%s: %s", path, m)
		}
	})
}
