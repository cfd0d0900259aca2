package e2e

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tianbao/internal/audit"
	"tianbao/internal/db"
	"tianbao/internal/store"
)

type trailJSON struct {
	Records []struct{ What, Actor, Unit, Object, Result, Login, At string }
}

// SEC-24 to SEC-27: what people do is on the trail, the auditor alone reads it, and a
// bent record is found on the page and on the command line.
func TestTrailOfTheAuditor(t *testing.T) {
	engines(t, func(t *testing.T, dbURL string) {
		s := startDemo(t, dbURL)
		dept, unit, auditor := s.client(t, "dept"), s.client(t, "unit"), s.client(t, "audit")
		report := dept.ownReport()
		dept.save(report.ID, report.Version, inserts(0, 1))
		if got := unit.call("GET", "/reports/"+report.ID, nil, nil); got != http.StatusNotFound {
			t.Fatalf("a foreign report: %d", got)
		}
		s.anonymous(t).call("POST", "/signin", map[string]string{"login": "unit", "password": "wrong"}, nil)
		for _, who := range []string{"unit", "city", "admin", "security", "service"} {
			c := s.client(t, who)
			for _, p := range [][2]string{{"GET", "/audit"}, {"POST", "/audit/verification"}, {"POST", "/audit/export"}} {
				if got := c.call(p[0], p[1], map[string]string{}, nil); got != http.StatusForbidden {
					t.Errorf("%s %s as %s: %d", p[0], p[1], who, got)
				}
			}
		}
		find := func(query string) trailJSON {
			t.Helper()
			var out trailJSON
			auditor.must("GET", "/audit"+query, nil, &out)
			return out
		}
		day := time.Now().In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
		for query, want := range map[string]string{
			"?what=save":                            "部门经办人",
			"?what=denied&result=denied":            "denied",
			"?what=signin.fail":                     "signin.fail",
			"?what=save&from=" + day + "&to=" + day: "save",
		} {
			got := find(query)
			if len(got.Records) == 0 || got.Records[0].What != want && got.Records[0].Actor != want || !strings.HasSuffix(got.Records[0].At, "+08:00") {
				t.Errorf("%s: %+v", query, got)
			}
		}
		if got := find("?to=2001-01-01"); len(got.Records) != 0 {
			t.Errorf("before the first: %d", len(got.Records))
		}
		if got := auditor.call("GET", "/audit?from=yesterday", nil, nil); got != http.StatusBadRequest {
			t.Errorf("a day that is none: %d", got)
		}
		var v struct {
			Records int
			Faults  []string
		}
		auditor.must("POST", "/audit/verification", map[string]string{}, &v)
		if v.Records < 10 || len(v.Faults) != 0 {
			t.Errorf("an honest trail: %+v", v)
		}
		res, file := auditor.do("POST", "/audit/export", "application/json", strings.NewReader("{}"))
		if res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Content-Disposition"), "audit-") {
			t.Fatalf("export: %d", res.StatusCode)
		}
		key := strings.TrimSpace(s.command(t, 0, "audit", "key"))
		if f, err := audit.VerifyExport(strings.NewReader(string(file)), key); err != nil || !f.OK() {
			t.Errorf("the export: %v %v", f, err)
		}
		path := filepath.Join(t.TempDir(), "trail.jsonl")
		if err := os.WriteFile(path, []byte(strings.Replace(string(file), `"what":"save"`, `"what":"read"`, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := s.command(t, 1, "audit", "verify", "--file", path, "--key", key); !strings.Contains(out, "被动过") {
			t.Errorf("a bent export: %s", out)
		}
		if out := s.command(t, 0, "audit", "verify"); !strings.Contains(out, "没有发现改动") {
			t.Errorf("verify: %s", out)
		}
		s.sql(t, "UPDATE trail SET object = '1' WHERE what = 'save'")
		auditor.must("POST", "/audit/verification", map[string]string{}, &v)
		if len(v.Faults) == 0 {
			t.Error("the page does not find a bent record")
		}
		if out := s.command(t, 1, "audit", "verify"); !strings.Contains(out, "被动过") {
			t.Errorf("verify, bent: %s", out)
		}
	})
}

// command runs a subcommand of two words on the server's installation, expects an
// exit code and returns what it printed.
func (s *server) command(t *testing.T, code int, args ...string) string {
	t.Helper()
	cmd := product(t.Context(), s.line(args...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("%s %s: exit %d, want %d\n%s", args[0], args[1], got, code, out)
	}
	return string(out)
}

// sql does to the server's database what somebody with the password of the database
// could.
func (s *server) sql(t *testing.T, text string, args ...any) {
	t.Helper()
	url := filepath.Join(s.data, "db", "tianbao.db")
	for i, a := range s.args {
		if a == "--db" {
			url = s.args[i+1]
		}
	}
	d, err := db.Open(t.Context(), db.Options{URL: url, Migrations: store.Migrations(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	err = d.Tx(t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(t.Context(), text, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
