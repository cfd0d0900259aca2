package app

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tianbao/internal/backup"
	"tianbao/internal/clock"
	"tianbao/internal/db"
	"tianbao/internal/seal"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

// SEC-49: what an operator does: back up beside a running server, verify, restore on
// another machine, move to the other engine and back; and what is refused.
func TestSEC49BackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "night.bak")
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	p := place{data: data, alg: "sm4-gcm"}
	in, err := p.open(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	storetest.FillAll(t, in.store)
	keys := filepath.Join(data, "keys", "ring.json")
	run := func(code int, want string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		got := Run(t.Context(), args, func(string) string { return "" }, strings.NewReader(""), &out, &out)
		if got != code || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit %d, %s", strings.Join(args, " "), got, out.String())
		}
	}
	run(0, "已备份到", "backup", "-o", file, "--data", data) // the installation is open all the while
	run(1, "已经存在", "backup", "-o", file, "--data", data)
	run(1, "没有数据库文件", "backup", "-o", file+"2", "--data", filepath.Join(dir, "none"))
	run(2, "用法", "backup", "--data", data)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	in.close(log)

	run(0, "备份完好", "verify", "--key-file", keys, file)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.bak")
	if err := os.WriteFile(bad, b[:len(b)-100], 0o600); err != nil {
		t.Fatal(err)
	}
	run(1, "不是完好的备份文件", "verify", "--key-file", keys, bad)
	other := filepath.Join(dir, "other.json")
	if _, err := seal.OpenFile(other, true, seal.SM4); err != nil {
		t.Fatal(err)
	}
	run(1, "密钥", "verify", "--key-file", other, file)
	fresh := filepath.Join(dir, "fresh")
	run(1, "不是完好的备份文件", "restore", "--data", fresh, "--key-file", keys, bad)
	if _, err := os.Stat(filepath.Join(fresh, "db")); !os.IsNotExist(err) {
		t.Error("a damaged backup made a database")
	}

	source := contents(t, filepath.Join(data, "db", "tianbao.db"))
	run(0, "逐表核对一致", "restore", "--data", fresh, "--key-file", keys, file)
	// The restore itself is on the trail, and nobody is signed in.
	same(t, source, contents(t, filepath.Join(fresh, "db", "tianbao.db")), "session", "trail", "trail_lane")
	run(0, "审计记录完整", "audit", "verify", "--data", fresh, "--key-file", keys)
	run(1, "已经用过", "restore", "--data", fresh, "--key-file", keys, file)

	pg := storetest.PostgresURL(t)
	source = contents(t, filepath.Join(fresh, "db", "tianbao.db"))
	run(0, "逐表核对一致", "move", "--data", fresh, "--key-file", keys, "--to", pg)
	same(t, source, contents(t, pg))
	run(1, "已经用过", "move", "--data", fresh, "--key-file", keys, "--to", pg)
	back := filepath.Join(dir, "back", "db", "tianbao.db")
	run(0, "逐表核对一致", "move", "--db", pg, "--key-file", keys, "--to", back)
	same(t, source, contents(t, back))
	run(0, "审计记录完整", "audit", "verify", "--db", back, "--data", filepath.Join(dir, "back"), "--key-file", keys)
}

// A backup of an older program is brought up to date as it is restored.
func TestRestoreOlder(t *testing.T) {
	dir := t.TempDir()
	keys, old := filepath.Join(dir, "ring.json"), filepath.Join(dir, "old.db")
	ring, err := seal.OpenFile(keys, true, seal.SM4)
	if err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), db.Options{URL: old, Migrations: store.Migrations(), UpTo: 30})
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(d, ring, nil, nil, nil)
	if err := s.BindKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := backup.Write(t.Context(), d, ring, &file, time.Date(2022, 9, 23, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "old.bak")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := Run(t.Context(), []string{"restore", "--data", filepath.Join(dir, "new"), "--key-file", keys, path}, func(string) string { return "" }, strings.NewReader(""), &out, &out); code != 0 {
		t.Fatalf("exit %d: %s", code, out.String())
	}
	if got := contents(t, filepath.Join(dir, "new", "db", "tianbao.db")); got.Schema <= 30 {
		t.Errorf("schema %d", got.Schema)
	}
}

func contents(t *testing.T, url string) *backup.Summary {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	sum, err := backup.Sum(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sum
}

func same(t *testing.T, want, got *backup.Summary, but ...string) {
	t.Helper()
	diff := slices.DeleteFunc(want.Differences(got), func(name string) bool { return slices.Contains(but, name) })
	if len(diff) > 0 || want.Rows() < 200 {
		t.Errorf("%d rows, other tables: %v", want.Rows(), diff)
	}
}

// The server makes one backup a day, not before two in the morning, and deletes only its
// own, and only when there is a new one.
func TestDailyBackups(t *testing.T) {
	dir := t.TempDir()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	p := place{data: filepath.Join(dir, "data"), alg: "sm4-gcm"}
	in, err := p.open(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close(log)
	to := filepath.Join(dir, "backups")
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tianbao-20220801.bak", "tianbao-20220820.bak", "20220801.bak", "tianbao-20220801.bak.txt"} {
		if err := os.WriteFile(filepath.Join(to, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	day := func(d, hour int) time.Time { return time.Date(2022, 9, d, hour, 0, 0, 0, clock.Shanghai) }
	for _, step := range []struct {
		at   time.Time
		want string
	}{
		{day(1, 1), "20220801.bak tianbao-20220801.bak tianbao-20220801.bak.txt tianbao-20220820.bak"},
		{day(1, 2), "20220801.bak tianbao-20220801.bak.txt tianbao-20220820.bak tianbao-20220901.bak"},
		{day(1, 23), "20220801.bak tianbao-20220801.bak.txt tianbao-20220820.bak tianbao-20220901.bak"},
		{day(30, 3), "20220801.bak tianbao-20220801.bak.txt tianbao-20220901.bak tianbao-20220930.bak"},
	} {
		if err := in.nightly(t.Context(), to, 30, step.at, log); err != nil {
			t.Fatal(err)
		}
		all, err := os.ReadDir(to)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range all {
			names = append(names, f.Name())
		}
		if got := strings.Join(names, " "); got != step.want {
			t.Errorf("%s: %s, want %s", step.at, got, step.want)
		}
	}
	if _, _, err := verifyFile(filepath.Join(to, "tianbao-20220930.bak"), in.keys.Ring()); err != nil {
		t.Error(err)
	}
	if err := in.nightly(t.Context(), filepath.Join(dir, "gone"), 30, day(30, 3), log); err == nil {
		t.Error("a folder that is gone is no trouble")
	}
	for _, bad := range []error{
		validateBackups(filepath.Join(dir, "none"), p.data, 30), validateBackups(to, p.data, 0), validateBackups(filepath.Join(p.data, "db"), p.data, 30),
	} {
		if bad == nil {
			t.Error("taken")
		}
	}
}
