package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// SEC-19: the operator erases a campaign whose time is over while the server runs; its
// sheets then hold nobody and take nobody in, and the trail is whole.
func TestSEC19Erase(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		unit := s.client(t, "unit")
		own := unit.ownReport()
		unit.save(own.ID, own.Version, inserts(0, 5))
		s.sql(t, `UPDATE campaign SET closes = 0 WHERE id = 1001`)
		if out, err := s.tool(t, "", "erase", "--campaign", campaign); err == nil || !strings.Contains(out, "截止日期") {
			t.Errorf("without an end: %v %s", err, out)
		}
		s.sql(t, `UPDATE campaign SET closes = 1663891200000 WHERE id = 1001`)
		if out, err := s.tool(t, "", "erase", "--campaign", campaign, "--months", "1200"); err == nil || !strings.Contains(out, "还不能清除") {
			t.Errorf("too early: %v %s", err, out)
		}
		if out := s.mustTool(t, "erase", "--campaign", campaign); !strings.Contains(out, "已清除") {
			t.Errorf("erase: %s", out)
		}
		got := unit.sheet(own.ID)
		if len(got.Rows) != 5 || got.Report.State != "erased" {
			t.Fatalf("%d rows, state %s", len(got.Rows), got.Report.State)
		}
		for _, r := range got.Rows {
			if r.Values[1] == "" || strings.Join(r.Values[4:], "") != "" {
				t.Errorf("a row holds %d characters of a person", len(strings.Join(r.Values[4:], "")))
			}
		}
		var failed errorJSON
		for path, body := range map[string]map[string]any{
			"/changes":    {"key": newKey(), "base": got.Report.Version, "changes": inserts(5, 6)},
			"/submission": {"key": newKey()},
		} {
			if status := unit.call("POST", "/reports/"+own.ID+path, body, &failed); status != http.StatusConflict || failed.Error.Code != "erased" {
				t.Errorf("%s: %d %s", path, status, failed.Error.Code)
			}
		}
		if res, b := unit.upload("/reports/"+own.ID+"/imports", "a.xlsx", unit.export(own.ID), map[string]string{"action": "save", "key": newKey()}); res.StatusCode != http.StatusConflict {
			t.Errorf("an import: %d %.200s", res.StatusCode, b)
		}
		if out := s.mustTool(t, "audit", "verify"); !strings.Contains(out, "没有发现改动") {
			t.Errorf("the trail: %s", out)
		}
	})
}
