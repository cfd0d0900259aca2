package app

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tianbao"
)

// SEC-27: archived from the command line the trail verifies, file and rest; young records
// stay, and no file is written over.
func TestSEC27Archive(t *testing.T) {
	dir := t.TempDir()
	data, path, bent := filepath.Join(dir, "data"), filepath.Join(dir, "trail.jsonl"), filepath.Join(dir, "bent.jsonl")
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	p := place{data: data, alg: "sm4-gcm"}
	in, err := p.open(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		at := time.Now().AddDate(-4, 0, 0)
		if i >= 40 {
			at = time.Now()
		}
		if err := in.store.Record(t.Context(), tianbao.Event{At: at, Actor: 999_001, Login: "某人", What: "signin", Object: strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
	}
	in.close(log)
	run := func(code int, want string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		got := Run(t.Context(), append([]string{"audit"}, append(args, "--data", data)...), func(string) string { return "" }, strings.NewReader(""), &out, &out)
		if got != code || !strings.Contains(out.String(), want) {
			t.Errorf("audit %s: exit %d, %s", strings.Join(args, " "), got, out.String())
		}
	}
	run(1, "至少要保存 6 个月", "archive", "-o", path, "--months", "5")
	run(1, "请用 -o", "archive")
	run(1, "没有", "archive", "-o", path, "--months", "60")
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Fatalf("a refused archive left a file: %v", err)
	}
	run(0, " 40 条", "archive", "-o", path)
	run(1, "已经存在", "archive", "-o", path)
	run(0, "更早的 40 条", "verify")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("某人")) {
		t.Error("the archive holds a name in clear")
	}
	if err := os.WriteFile(bent, bytes.Replace(b, []byte(`"object":"7"`), []byte(`"object":"8"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(code int, file string) {
		t.Helper()
		var out bytes.Buffer
		if got := Run(t.Context(), []string{"audit", "verify", "--data", data, file}, func(string) string { return "" }, strings.NewReader(""), &out, &out); got != code {
			t.Errorf("verify %s: exit %d, %s", filepath.Base(file), got, out.String())
		}
	}
	verify(0, path)
	verify(1, bent)
	if left, err := filepath.Glob(filepath.Join(dir, "*.part")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
