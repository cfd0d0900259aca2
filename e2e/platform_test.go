package e2e

import (
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
)

type accountPlanJSON struct {
	ID    string
	State string
	Kept  int
	Steps []struct {
		What, State string
		Count       int
	}
	Held []struct {
		What  string
		Count int
	}
	Lines []struct{ Name, Person, Login string }
}

// reportThree lets a unit report three people and takes away what its department has for it,
// which was not reported. It returns both reports.
func reportThree(unit, dept *client) (rep, above reportJSON) {
	unit.t.Helper()
	above = dept.ownReport()
	var changes []change
	for _, row := range dept.sheet(above.ID).Rows {
		changes = append(changes, change{"op": "delete", "row": row.ID})
	}
	dept.save(above.ID, above.Version, changes)
	rep = unit.ownReport()
	unit.save(rep.ID, rep.Version, inserts(0, 3))
	unit.must("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, nil)
	return rep, above
}

// An officer makes a plan of accounts without any script; another one approves it, the
// server carries it out, and the plan after it has nothing to do. Nothing shows an id or a
// phone whole but the export that says why.
func TestPlatform(t *testing.T) {
	s := startDemo(t, "")
	unit, dept := s.client(t, "unit"), s.client(t, "dept")
	reportThree(unit, dept)

	admin, security := s.client(t, "admin"), s.client(t, "security")
	boss := s.create(t, admin, "second", "")
	province := s.client(t, "province")
	var own struct{ Own []struct{ Unit string } }
	province.must("GET", "/lending", nil, &own)
	security.must("POST", "/grants", map[string]string{"user": security.find("second"), "role": "province", "unit": own.Own[0].Unit}, nil)

	c := s.clerk(t, browser.Start(t))
	c.enter("province")
	c.Go(s.url + "/platform")
	c.accessible("the accounts of the new platform")
	c.Click("main form .button-primary")
	c.Wait(`/^\/platform\/plans\/\d+$/.test(location.pathname)`)
	c.bureauPicture("platform-plan")
	c.accessible("a plan of accounts")
	path := "/platform/plans/" + browser.Eval[string](c.Page, `location.pathname.split("/").pop()`)
	var plan accountPlanJSON
	province.must("GET", path, nil, &plan)
	if plan.State != "planned" || len(plan.Steps) != 1 || plan.Steps[0].What != "create" || plan.Steps[0].Count != 3 || len(plan.Lines) != 3 {
		t.Fatalf("the plan: %+v", plan)
	}
	for _, l := range plan.Lines {
		if !strings.Contains(l.Person, "*") || !strings.Contains(l.Login, "*") {
			t.Error("an id or a phone is shown whole")
		}
	}
	if got := province.call("POST", path+"/approve", map[string]string{}, nil); got != 403 {
		t.Errorf("approved by who made it: %d", got)
	}
	export := func(want int, in map[string]any) {
		t.Helper()
		if got := province.call("POST", path+"/export", in, nil); got != want {
			t.Errorf("export %v: %d, want %d", in, got, want)
		}
	}
	export(400, map[string]any{"format": "csv", "full": true, "reason": "导入预算管理一体化平台"})
	export(400, map[string]any{"format": "xlsx", "full": true, "reason": ""})
	boss.must("POST", path+"/approve", map[string]string{}, nil)
	for end := time.Now().Add(30 * time.Second); plan.State != "done" && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		province.must("GET", path, nil, &plan)
	}
	if plan.State != "done" || plan.Steps[0].State != "applied" {
		t.Fatalf("carried out: %+v", plan)
	}
	c.Go(s.url + path)
	c.bureauPicture("platform-done")
	res, body := province.do("POST", path+"/export", "application/json", strings.NewReader(`{"format":"csv"}`))
	if res.StatusCode != 200 || !strings.Contains(string(body), "AGENCY_CODE") || !strings.Contains(string(body), "ADD") || strings.Contains(string(body), "16000") {
		t.Errorf("a masked file: %d", res.StatusCode)
	}
	res, body = province.do("POST", path+"/export", "application/json", strings.NewReader(`{"format":"csv","full":true,"reason":"导入预算管理一体化平台"}`))
	if res.StatusCode != 200 || strings.Contains(string(body), "*") {
		t.Errorf("a whole file: %d", res.StatusCode)
	}
	var again accountPlanJSON
	province.must("POST", "/platform/plans", map[string]string{"campaign": campaign}, &again)
	if len(again.Steps) != 0 || again.Kept != 3 {
		t.Errorf("the second time: %+v", again)
	}
	c.Go(s.url + "/platform/drift")
	c.accessible("the comparison with the platform")
	if got := s.client(t, "city").call("GET", path, nil, nil); got != 403 {
		t.Errorf("a city: %d", got)
	}
	s.subscribes(t, c)
}

// subscribes lets the officer subscribe an address to events, without any script: one of an
// inner network is refused, another one tells what became of its test.
func (s *server) subscribes(t *testing.T, c *clerk) {
	t.Helper()
	c.Go(s.url + "/webhooks")
	fill := func(url string) {
		c.Do(`document.querySelector("#name").value = "资产管理系统"; document.querySelector("#unit").value = "100"; document.querySelector("#url").value = "` + url + `"`)
		c.Click("main form .button-primary")
	}
	fill("https://10.1.2.3/events")
	c.Wait(`document.querySelector("[role=alert]")?.textContent.includes("--events-allow")`)
	c.Screenshot("webhooks")
	c.accessible("the subscriptions")
	fill("https://events.invalid/tianbao")
	c.Wait(`document.querySelector("h1")?.textContent === "订阅已建立"`)
	c.Screenshot("webhook-new")
	c.accessible("a new subscription")
	c.Click("main .form-actions .button-primary")
	c.Wait(`/^\/webhooks\/\d+$/.test(location.pathname)`)
	c.Click("main .form-actions .button")
	c.Wait(`document.querySelector("[role=alert]")?.textContent.includes("没有应答")`)
	c.Screenshot("webhook")
	c.accessible("a subscription")
}
