package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// After a thousand people came in by save, import, preview and refused 上报, no id
// and no phone stands in clear in any byte under the data folder or in the log.
func TestNothingPersonalOnDisk(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "dept")
	rep := c.ownReport()
	const n = 1000
	v := c.save(rep.ID, rep.Version, inserts(0, n/2)).Receipt.Version
	book := c.export(rep.ID)
	if res, b := c.upload("/reports/"+rep.ID+"/imports", "名册.xlsx", book, nil); res.StatusCode != 200 {
		t.Fatalf("preview: %d %.200s", res.StatusCode, b)
	}
	var rest []change
	for _, ch := range inserts(n/2, n) {
		cells := ch["cells"].(map[string]string)
		cells["phone"] += "0" // a fault, so that 上报 names cells
		rest = append(rest, ch)
	}
	c.save(rep.ID, v, rest)
	c.call("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, nil)
	c.call("POST", "/reports/"+rep.ID+"/check", map[string]any{"base": 1}, nil)
	// A request that fails in every way still names nobody.
	c.call("POST", "/reports/"+rep.ID+"/changes", map[string]any{"key": "k", "base": 99, "changes": inserts(0, 1)}, nil)

	var needles [][]byte
	for i := range n {
		needles = append(needles, []byte(person(i)["person_id"]), []byte(person(i)["phone"]))
	}
	look := func(when string) {
		t.Helper()
		files, total := 0, 0
		err := filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			total += len(b)
			scan(t, when+" "+filepath.Base(path), b, needles)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if files < 2 || total < 100_000 {
			t.Errorf("%s: only %d files of %d bytes were looked at", when, files, total)
		}
		scan(t, when+" log", s.log.Bytes(), needles)
	}
	look("while running")
	s.kill()
	look("after kill -9")
	s.start(t)
	c.base = s.url
	if got := c.sheet(rep.ID); got.Rows[len(got.Rows)-1].Values[6] != person(n - 1)["person_id"] {
		t.Error("the id does not come back in clear to its filler")
	}
	info, err := os.Stat(filepath.Join(s.data, "keys", "ring.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v %v, want mode 0600", err, info.Mode())
	}
	if m, _ := filepath.Glob(filepath.Join(s.data, "db", "*.json")); len(m) > 0 {
		t.Error("the keys lie beside the database")
	}
}

// scan looks for every needle at once: ids and phones are runs of digits, so each
// run of the text is looked up instead of searching two thousand times.
func scan(t *testing.T, where string, b []byte, needles [][]byte) {
	t.Helper()
	set := make(map[string]bool, len(needles))
	for _, n := range needles {
		set[string(n)] = true
	}
	digit := func(c byte) bool { return c >= '0' && c <= '9' || c == 'X' }
	for i := 0; i < len(b); i++ {
		if !digit(b[i]) {
			continue
		}
		j := i
		for j < len(b) && digit(b[j]) {
			j++
		}
		for k := i; k < j; k++ {
			for _, n := range []int{11, 18} {
				if k+n <= j && set[string(b[k:k+n])] {
					t.Errorf("%s holds an id or a phone in clear at byte %d", where, k)
					return
				}
			}
		}
		i = j
	}
}
