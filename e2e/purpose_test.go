package e2e

import (
	"net/http"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

type purposeJSON struct {
	Version, Agreed     int
	Published, Text, At string
}

// agree says yes to the purpose notice, for accounts that a test has made; those of the
// demonstration have said it.
func (c *client) agree() {
	c.t.Helper()
	var n purposeJSON
	if c.call("GET", "/purpose", nil, &n) == http.StatusOK && n.Agreed < n.Version {
		c.must("POST", "/purpose/agreement", map[string]int{"version": n.Version}, nil)
	}
}

// purposeText is long enough for a notice and says what is asked of one.
func purposeText(mark string) string {
	return "## 一、谁收集\n\n" + mark + strings.Repeat("省财政厅（演示）为建立实名账号收集姓名、身份证号码和联系方式。", 10)
}

// SEC-18: a new version of the notice asks everybody who fills in; before the yes no
// route of a sheet reads or writes, whichever the channel, and what lies outside the
// scope stays not found.
func TestSEC18Purpose(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		dept, unit, province := s.client(t, "dept"), s.client(t, "unit"), s.client(t, "province")
		rep := dept.ownReport()
		saved := dept.save(rep.ID, rep.Version, inserts(0, 2))
		var n purposeJSON
		dept.must("GET", "/purpose", nil, &n)
		if n.Version != 1 || n.Agreed != 1 || n.At == "" || !strings.Contains(n.Text, "谁收集") {
			t.Fatalf("the demonstration's notice: version %d, agreed %d at %s", n.Version, n.Agreed, n.At)
		}
		for name, c := range map[string]*client{"unit": unit, "dept": dept, "admin": s.client(t, "admin"), "security": s.client(t, "security")} {
			if got := c.call("POST", "/purpose/versions", map[string]string{"text": purposeText("他人")}, nil); got != http.StatusForbidden {
				t.Errorf("%s publishes a notice: %d", name, got)
			}
		}
		for what, text := range map[string]string{"too short": "谁收集", "the same": n.Text, "too long": strings.Repeat("长", 20_001)} {
			if got := province.call("POST", "/purpose/versions", map[string]string{"text": text}, nil); got != http.StatusBadRequest {
				t.Errorf("a notice that is %s: %d", what, got)
			}
		}
		province.must("POST", "/purpose/versions", map[string]string{"text": purposeText("第二版")}, nil)

		values := strings.NewReplacer("{report}", rep.ID, "{receipt}", saved.Receipt.ID, "{version}", "1", "{job}", "1", "{row}", saved.Inserted["t0"], "{campaign}", campaign)
		routes := 0
		for path, methods := range dept.specification().Paths {
			for method, op := range methods {
				if op.Access != "report-in-scope" && op.Access != "reveal-in-scope" && op.OperationID != "acrossRows" {
					continue
				}
				routes++
				method = strings.ToUpper(method)
				body := map[string]any{"key": newKey(), "base": saved.Receipt.Version, "changes": inserts(5, 6)}
				var answer errorJSON
				if got := dept.call(method, values.Replace(path), body, &answer); got != http.StatusForbidden || answer.Error.Code != "purpose" {
					t.Errorf("%s %s before the yes: %d %s", method, path, got, answer.Error.Code)
				}
				if strings.Contains(answer.Error.Message, "person") || !strings.Contains(answer.Error.Message, "/purpose") {
					t.Errorf("%s %s says %q", method, path, answer.Error.Message)
				}
				if strings.Contains(path, "{report}") {
					if got := unit.call(method, values.Replace(path), body, nil); got != http.StatusNotFound {
						t.Errorf("%s %s of another unit before the yes: %d, want 404", method, path, got)
					}
				}
			}
		}
		if routes < 20 {
			t.Errorf("only %d routes were asked", routes)
		}
		for _, version := range []int{0, 1, 3} {
			if got := dept.call("POST", "/purpose/agreement", map[string]int{"version": version}, nil); got != http.StatusConflict {
				t.Errorf("yes to version %d: %d, want 409", version, got)
			}
		}
		dept.agree()
		dept.agree()
		dept.must("GET", "/purpose", nil, &n)
		if n.Version != 2 || n.Agreed != 2 {
			t.Errorf("after the yes: %+v", n)
		}
		if got := dept.sheet(rep.ID); got.Report.Version != saved.Receipt.Version {
			t.Errorf("something was written before the yes: version %d", got.Report.Version)
		}
		dept.save(rep.ID, saved.Receipt.Version, inserts(7, 8))
		var all struct {
			Versions []struct {
				Version, Agreed int
				Text            string
			}
		}
		province.must("GET", "/purpose/versions", nil, &all)
		if len(all.Versions) != 2 || all.Versions[0].Agreed != 1 || all.Versions[1].Agreed < 4 || all.Versions[1].Text == all.Versions[0].Text {
			t.Errorf("the versions: %+v", all.Versions)
		}
		var trail struct {
			Records []struct{ What, Object, Result string }
		}
		s.client(t, "audit").must("GET", "/audit?what=purpose.agree", nil, &trail)
		if len(trail.Records) < 5 || trail.Records[0].Object != "2" {
			t.Errorf("the trail of yes: %+v", trail.Records)
		}
		if db != "" {
			return
		}
		// A browser without scripts is led to the notice and back to the sheet.
		c := s.clerk(t, browser.Start(t))
		c.Scripts(false)
		c.enterByForm("unit")
		own := "/reports/" + unit.open(reportsOf(unit)[0].Owner).ID
		c.Go(s.url + own)
		if got := browser.Eval[string](c.Page, `location.pathname`); got != "/purpose" {
			t.Fatalf("without a yes the sheet leads to %s", got)
		}
		c.Screenshot("purpose")
		c.submitForm(".form .button-primary")
		if got := browser.Eval[string](c.Page, `location.pathname`); got != own {
			t.Errorf("after the yes at %s, want %s", got, own)
		}
		c.Scripts(true)
		c.enter("province")
		c.Go(s.url + "/purpose")
		c.accessible("the notice")
		c.Go(s.url + "/purpose/versions")
		c.accessible("the versions of the notice")
		c.Screenshot("purposes")
	})
}

func reportsOf(c *client) []reportJSON {
	c.t.Helper()
	var list struct{ Reports []reportJSON }
	c.must("GET", "/reports?campaign="+campaign, nil, &list)
	return list.Reports
}

// enterByForm signs in without a script.
func (c *clerk) enterByForm(login string) {
	c.t.Helper()
	c.Go(c.url + "/signin")
	c.Click("#login")
	c.Type(login)
	c.Click("#password")
	c.Type("Tianbao-2022")
	c.submitForm(".form button")
}
