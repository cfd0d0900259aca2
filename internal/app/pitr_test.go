package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tianbao/internal/clock"
	"tianbao/internal/seal"
	"tianbao/internal/ship"
)

// What an operator does: a server that ships, a look at the folder, a drill, and a
// database of a second; and what is refused.
func TestShipAndRestore(t *testing.T) {
	data, dir := filled(t), t.TempDir()
	keys := filepath.Join(data, "keys", "ring.json")
	s := serveIn(t, data, "--ship", dir, "--ship-keep", "3d")
	ring, err := seal.OpenFile(keys, false, seal.SM4)
	if err != nil {
		t.Fatal(err)
	}
	newest := func() time.Time {
		a, err := ship.Open(dir, ring)
		if err != nil {
			t.Fatal(err)
		}
		return a.Newest()
	}
	for deadline := time.Now().Add(20 * time.Second); newest().IsZero(); {
		if time.Now().After(deadline) {
			t.Fatal("nothing was shipped")
		}
		time.Sleep(20 * time.Millisecond)
	}
	get(t, s.site+"/healthz") // it has started
	run := func(code int, want string, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		got := Run(t.Context(), args, func(string) string { return "" }, strings.NewReader(""), &out, &out)
		if got != code || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit %d, %s", strings.Join(args, " "), got, out.String())
		}
		return out.String()
	}
	if code := s.stop(); code != 0 {
		t.Errorf("the server ended with %d", code)
	}
	source := contents(t, filepath.Join(data, "db", "tianbao.db")) // the end itself is shipped too
	end := newest()

	fresh := filepath.Join(filepath.Dir(data), "fresh")
	at := func(d time.Duration) string { return end.Add(d).In(clock.Shanghai).Format(time.RFC3339) }
	run(1, "可以恢复的时间是", "restore", "--data", fresh, "--key-file", keys, "--from", dir, "--at", at(time.Hour))
	run(1, "写法不对", "restore", "--data", fresh, "--key-file", keys, "--from", dir, "--at", "昨天")
	run(2, "用法", "restore", "--data", fresh, "--key-file", keys, "--at", at(0))
	run(1, "PostgreSQL", "restore", "--db", "postgres://x/y", "--key-file", keys, "--from", dir)
	run(1, "没有可以恢复的内容", "restore", "--data", fresh, "--key-file", keys, "--from", t.TempDir())
	if _, err := os.Stat(filepath.Join(fresh, "db", "tianbao.db")); !os.IsNotExist(err) {
		t.Error("what was refused made a database")
	}
	run(0, "已恢复到", "restore", "--data", fresh, "--key-file", keys, "--from", dir)
	same(t, source, contents(t, filepath.Join(fresh, "db", "tianbao.db")), "session", "trail", "trail_lane")
	run(0, "审计记录完整", "audit", "verify", "--data", fresh, "--key-file", keys)
	run(1, "不会被覆盖", "restore", "--data", fresh, "--key-file", keys, "--from", dir)
	if left, _ := filepath.Glob(filepath.Join(fresh, "db", "*.part*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}

	temp := t.TempDir()
	if out := run(0, "都能恢复", "drill", "--key-file", keys, "--from", dir, "--points", "2", "--temp", temp); strings.Count(out, "好：") != 2 {
		t.Error(out)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("the drill left %v", left)
	}
	run(2, "用法", "drill", "--key-file", keys)
	x := &examination{e: env{stdout: new(bytes.Buffer)}, now: func() time.Time { return end.Add(time.Minute) }, ship: dir}
	x.shipFolder(ring)
	x.now = func() time.Time { return end.Add(time.Hour) }
	x.shipFolder(ring)
	if x.count[well] != 1 || x.count[bad] != 1 {
		t.Errorf("%v", x.count)
	}
	logs, _ := filepath.Glob(filepath.Join(dir, "*", "base-*"))
	if len(logs) != 1 {
		t.Fatalf("%v", logs)
	}
	b, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("SQLite format 3")) || bytes.Contains(b, []byte("CREATE TABLE")) {
		t.Error("it is not sealed")
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(logs[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	run(1, "被改动过", "drill", "--key-file", keys, "--from", dir, "--points", "1", "--temp", temp)
}

func TestShipFlags(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ship, data, db string
		ok             bool
	}{
		"none":               {"", "data", "postgres://x/y", true},
		"another folder":     {dir, filepath.Join(dir, "data"), "", true},
		"PostgreSQL":         {dir, "data", "postgres://x/y", false},
		"not there":          {filepath.Join(dir, "none"), "data", "", true},
		"a file":             {file, "data", "", false},
		"in the data folder": {dir, filepath.Dir(dir), "", false},
		"the data folder":    {dir, dir, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := (&shipping{dir: c.ship}).validate(c.data, c.db); (err == nil) != c.ok {
				t.Errorf("%v", err)
			}
		})
	}
	for text, want := range map[string]days{"14": 14, "3d": 3, "0d": 0, "x": 0, "14h": 0, "99999": 0} {
		var d days
		if err := d.Set(text); (err == nil) != (want > 0) || err == nil && d != want {
			t.Errorf("%s: %v, %v", text, d, err)
		}
	}
	for text, want := range map[string]string{
		"2026-11-26T16:55:00+08:00": "2026-11-26T08:55:00Z", "2026-11-26T08:55:00Z": "2026-11-26T08:55:00Z",
		"2026-11-26 16:55:00": "2026-11-26T08:55:00Z", "2026-11-26 16:55": "2026-11-26T08:55:00Z", "16:55": "", "": "",
	} {
		at, err := parseMoment(text)
		if (err == nil) != (want != "") || err == nil && at.UTC().Format(time.RFC3339) != want {
			t.Errorf("%q: %v, %v", text, at, err)
		}
	}
}
