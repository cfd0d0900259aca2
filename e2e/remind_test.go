package e2e

import (
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
)

// An officer looks whom a reminder would reach and sends it without any script; the unit
// finds it on its home page, reads it and reports, and is left out as done.
func TestRemind(t *testing.T) {
	s := startWatched(t, "")
	c := s.clerk(t, browser.Start(t))
	base := "/collections/" + campaign + "/reminders"
	c.enter("province")
	c.Go(s.url + base)
	c.bureauPicture("remind")
	c.accessible("the plan of reminding")
	// All days and hours, so that the test may run at any.
	officer := s.client(t, "province")
	var policy map[string]any
	officer.must("GET", base, nil, &policy)
	for k, v := range map[string]any{"from": "00:00", "to": "24:00", "weekends": true, "text": "{单位}请在{截止时间}前上报。"} {
		policy[k] = v
	}
	delete(policy, "runs")
	delete(policy, "counts")
	officer.must("POST", base, policy, nil)
	policy["text"] = "{姓名}请上报"
	if status := officer.call("POST", base, policy, nil); status != 400 {
		t.Errorf("an unknown field: %d", status)
	}

	own := s.client(t, "unit").ownReport().Owner
	preview := func() (n int, named bool) {
		t.Helper()
		var p struct {
			Recipients int `json:"recipients"`
			List       []struct{ Unit, Phone string }
		}
		officer.must("GET", base+"/preview", nil, &p)
		for _, l := range p.List {
			named = named || l.Unit == own
			if l.Phone != "" && !strings.Contains(l.Phone, "*") {
				t.Error("a phone is shown whole")
			}
		}
		return p.Recipients, named
	}
	n, named := preview()
	if n == 0 || !named {
		t.Fatalf("%d recipients, the unit among them: %t", n, named)
	}
	c.Go(s.url + base + "/preview")
	c.bureauPicture("remind-preview")
	c.accessible("the preview of reminders")
	c.Click("main form .button-primary")
	c.Wait(`location.pathname.endsWith("/log")`)
	if n, _ = preview(); n != 0 {
		t.Errorf("%d would be reminded again at once", n)
	}
	unit := s.client(t, "unit")
	var home struct{ Reminders []struct{ ID, Text string } }
	for end := time.Now().Add(30 * time.Second); len(home.Reminders) == 0 && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		unit.must("GET", "/", nil, &home)
	}
	if len(home.Reminders) != 1 || !strings.Contains(home.Reminders[0].Text, "前上报。") {
		t.Fatalf("the unit's messages: %v", home.Reminders)
	}
	c.Go(s.url + base + "/log?state=sent")
	c.bureauPicture("remind-log")
	c.accessible("the log of reminders")
	c.enter("unit")
	c.Go(s.url + "/")
	c.bureauPicture("remind-unit")
	c.accessible("a home page with a reminder")
	c.Click(`#main form[action^="/reminders/"] button`)
	c.Wait(`!document.querySelector('form[action^="/reminders/"]')`)
	// It reports, as does the department, which had filled in for it; both are left out as done.
	for n, who := range []*client{unit, s.client(t, "dept")} {
		rep := who.ownReport()
		changes := inserts(3*n, 3*n+3)
		for _, row := range who.sheet(rep.ID).Rows { // the demonstration's rows have faults
			changes = append(changes, change{"op": "delete", "row": row.ID})
		}
		who.save(rep.ID, rep.Version, changes)
		who.must("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, nil)
	}
	var p struct {
		Left []struct {
			Name  string
			Count int
		} `json:"left"`
	}
	officer.must("GET", base+"/preview", nil, &p)
	if len(p.Left) == 0 || p.Left[0].Name != "done" {
		t.Errorf("after reporting, left out: %v", p.Left)
	}
}
