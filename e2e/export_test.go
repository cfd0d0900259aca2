package e2e

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

// SEC-43: whoever exports what others fill in says why; each export is on the trail,
// its workbook tells which one it was, and it comes home without a change.
func TestSEC43Export(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		unit, city, auditor := s.client(t, "unit"), s.client(t, "city"), s.client(t, "audit")
		own := unit.ownReport()
		unit.save(own.ID, own.Version, inserts(0, 40))
		path := "/reports/" + own.ID + "/export"
		if res, _ := unit.do("GET", path, "", nil); res.StatusCode != http.StatusOK {
			t.Errorf("who fills in: %d", res.StatusCode)
		}
		var failed errorJSON
		for name, status := range map[string]int{
			"by address":      city.call("GET", path, nil, &failed),
			"without reason":  city.call("POST", path, map[string]any{"base": 1, "changes": []change{}}, &failed),
			"short reason":    city.call("POST", path, map[string]any{"base": 1, "changes": []change{}, "reason": "看看"}, &failed),
			"by form, no why": formStatus(t, city, path, ""),
		} {
			if status != http.StatusBadRequest {
				t.Errorf("%s: %d, want 400", name, status)
			}
		}
		if failed.Error.Code != "purpose" {
			t.Errorf("refused with %+v", failed.Error)
		}
		const why = "汇总上报省财政厅"
		res, book := city.do("POST", path, "application/json", jsonBody(map[string]any{"base": 1, "changes": []change{}, "reason": why}))
		if res.StatusCode != http.StatusOK {
			t.Fatalf("with a reason: %d %.200s", res.StatusCode, book)
		}
		file := filepath.Join(t.TempDir(), "a.xlsx")
		if err := os.WriteFile(file, book, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := []string{"trace", "--data", s.data}
		if db != "" {
			cmd = append(cmd, "--db", db)
		}
		out, err := product(t.Context(), append(cmd, file)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "市局经办人") || !strings.Contains(string(out), why) || !strings.Contains(string(out), own.ID) {
			t.Errorf("trace: %v %s", err, out)
		}
		var trail struct {
			Records []struct{ Reason, Detail, Object string }
		}
		auditor.must("GET", "/audit?what=export", nil, &trail)
		if len(trail.Records) != 2 || trail.Records[0].Reason != why || !strings.HasPrefix(trail.Records[0].Detail, "40 rows mark=") || trail.Records[1].Reason != "" {
			t.Errorf("on the trail: %+v", trail.Records)
		}
		var plan struct {
			Counts struct{ Add, Change, Delete, Same int }
		}
		if res, b := unit.upload("/reports/"+own.ID+"/imports", "a.xlsx", book, nil); res.StatusCode != 200 || !strings.Contains(string(b), `"same":40`) {
			t.Errorf("coming home: %d %.300s %v", res.StatusCode, b, plan)
		}
	})
}

// formStatus posts the page's form.
func formStatus(t *testing.T, c *client, path, reason string) int {
	t.Helper()
	form := url.Values{"csrf": {c.csrf}, "reason": {reason}}
	res, _ := c.do("POST", path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	return res.StatusCode
}

// The page asks why before it hands the workbook out.
func TestExportAsksOnThePage(t *testing.T) {
	s := startDemo(t, "")
	own := s.client(t, "unit").ownReport()
	c := s.clerk(t, browser.Start(t))
	c.signInByMouse("city")
	c.Go(s.url + "/reports/" + own.ID)
	c.ready()
	c.Click("#export")
	c.Wait(`location.pathname.endsWith("/export") && document.getElementById("reason")`)
	c.accessible("asking why")
	c.Screenshot("export-ask")
}
