package house

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// bent are statements that change or remove what the trail holds.
var bent = regexp.MustCompile(`(?i)\b(DELETE\s+FROM|UPDATE|TRUNCATE(\s+TABLE)?|DROP\s+TABLE(\s+IF\s+EXISTS)?|REPLACE\s+INTO)\s+trail(_checkpoint)?\b`)

// allowed are the statements that are not bent, each in one file: records go out of the
// database behind a signed archive, and none that is younger than the least time; what is
// sealed of a person is emptied, which no hash covers.
var allowed = map[string]string{
	"DELETE FROM trail WHERE lane = $1 AND seq <= $2 AND at < $3": "internal/store/archive.go",
	"UPDATE trail SET personal_sealed = $1 WHERE id = $2":         "internal/store/erase_person.go",
}

// SEC-27: the program has no statement that changes or deletes a line of the trail or a
// checkpoint but these two, so no route, command or role has one either.
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
		for sql, file := range allowed {
			if path == file {
				b = bytes.Replace(b, []byte("`"+sql+"`"), nil, 1)
			}
		}
		if m := bent.Find(b); m != nil {
			t.Errorf("%s: %s", path, m)
		}
	})
}
