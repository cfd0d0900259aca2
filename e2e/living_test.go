package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
	"tianbao/internal/clock"
	"tianbao/internal/storetest"
)

// A round ends and is kept; a unit reports who comes by the page, its bureau accepts it,
// and the next round asks about exactly those who stand there.
func TestLiving(t *testing.T) {
	s := startDemo(t, "")
	unit, dept, city, province := s.client(t, "unit"), s.client(t, "dept"), s.client(t, "city"), s.client(t, "province")
	above := dept.ownReport()
	var gone []change // what the demonstration filled in above has faults
	for _, row := range dept.sheet(above.ID).Rows {
		gone = append(gone, change{"op": "delete", "row": row.ID})
	}
	dept.save(above.ID, above.Version, gone)
	rep := unit.ownReport()
	unit.save(rep.ID, rep.Version, inserts(1, 3))
	unit.must("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, nil)
	at := "/collections/" + campaign
	roster := at + "/units/" + rep.Owner + "/register"
	today := time.Now().In(clock.Shanghai).Format(time.DateOnly)
	if code := unit.call("POST", roster, map[string]any{"kind": "leave", "day": today, "row": "1"}, nil); code != http.StatusBadRequest {
		t.Errorf("a change while the round runs: %d", code)
	}
	province.must("POST", at+"/phase", map[string]string{"phase": "ended"}, nil)

	c := s.clerk(t, browser.Start(t))
	c.Media("prefers-reduced-motion: reduce")
	c.enter("province")
	c.Go(s.url + at)
	c.accessible("an ended collection")
	c.submitForm(`form[action$="/keep"] .button`)
	if text := c.text(".main"); !strings.Contains(text, "正在作为人员登记保留") {
		t.Fatalf("the collection is not kept: %.300q", text)
	}

	c.enter("unit")
	if text := c.text(".main"); !strings.Contains(text, "人员登记") {
		t.Errorf("the home page says %.300q", text)
	}
	c.Go(s.url + "/registers")
	c.accessible("registers")
	c.Go(s.url + roster)
	id, phone := storetest.Person(777)
	for key, v := range map[string]string{"person_name": "新示例", "person_id": id[:17] + "0", "phone": phone} {
		c.Do(`document.querySelector('#kind').form.querySelector('[name="cell.` + key + `"]').value = ` + browser.JS(v))
	}
	if id[17] != '0' {
		c.submitForm(`form:has(#kind) .button-primary`)
		if text := c.text(".callout-error"); text == "" {
			t.Error("a wrong id went through")
		}
	}
	c.Do(`document.querySelector('#kind').form.querySelector('[name="cell.person_id"]').value = ` + browser.JS(id))
	c.submitForm(`form:has(#kind) .button-primary`)
	if text := c.text(".main"); !strings.Contains(text, "待核准") || strings.Contains(text, id) || strings.Contains(text, phone) {
		t.Errorf("after the report: %.600q", text)
	}
	c.Do(`document.querySelectorAll("details").forEach((d) => { d.open = true; })`)
	c.accessible("a unit's register")
	c.Screenshot("living-roster")

	c.enter("city")
	c.Go(s.url + at + "/register")
	c.accessible("changes that wait")
	c.bureauPicture("living-register")
	c.submitForm(`button[value="true"]`)
	if text := c.text(".main"); !strings.Contains(text, "没有这样的变更") {
		t.Errorf("after it was accepted: %.300q", text)
	}
	var list struct {
		People []struct {
			Row, Person string
			Now         bool
		}
	}
	unit.must("GET", roster, nil, &list)
	if len(list.People) != 3 {
		t.Fatalf("the unit has %+v", list.People)
	}
	// What is returned is told on the unit's home page, until it reports again.
	unit.must("POST", roster, map[string]any{"kind": "leave", "row": list.People[2].Row, "day": time.Now().In(clock.Shanghai).Format(time.DateOnly)}, nil)
	var waits struct{ Changes []struct{ ID string } }
	city.must("GET", at+"/register?state=waiting", nil, &waits)
	if len(waits.Changes) != 1 {
		t.Fatalf("%d changes wait", len(waits.Changes))
	}
	city.must("POST", at+"/register/"+waits.Changes[0].ID, map[string]any{"accept": false, "remark": "请核对日期"}, nil)
	var told struct {
		Registers []struct{ Returned int }
	}
	unit.must("GET", "/registers", nil, &told)
	if told.Registers[0].Returned != 1 {
		t.Errorf("returned: %+v", told)
	}
	c.Go(s.url + roster + "/people/" + list.People[2].Row)
	if text := c.text(".main"); !strings.Contains(text, "新任") || strings.Contains(text, id) {
		t.Errorf("the timeline says %.300q", text)
	}
	c.accessible("a timeline")
	c.Screenshot("living-life")
	if code := dept.call("POST", roster, map[string]any{"kind": "join"}, nil); code != http.StatusNotFound && code != http.StatusBadRequest {
		t.Errorf("an empty change: %d", code)
	}
	city.must("GET", at+"/register?state=", nil, nil)

	var made struct{ ID string }
	province.must("POST", at+"/copy", map[string]any{}, &made)
	next := "/collections/" + made.ID
	c.enter("province")
	c.Go(s.url + next)
	c.Do(`document.getElementById("from").value = ` + browser.JS(campaign))
	c.submitForm(`form[action$="/prefill"] .button`)
	year := time.Now().AddDate(0, 0, -1).In(clock.Shanghai).Format("2006-01-02T15:04")
	var form struct{ Form string }
	province.must("GET", next, nil, &form)
	province.must("POST", next, map[string]any{"title": "确认", "form": form.Form + ".1", "opens": year}, nil)
	province.must("POST", next+"/phase", map[string]string{"phase": "open"}, nil)
	var opened reportJSON
	unit.must("POST", "/campaigns/"+made.ID+"/reports", map[string]string{"unit": rep.Owner}, &opened)
	c.enter("unit")
	if text := c.text(".main"); !strings.Contains(text, "1 项变更被退回") {
		t.Errorf("the unit's home page: %.600q", text)
	}
	c.Go(s.url + "/reports/" + opened.ID + "/confirm")
	c.accessible("people to be confirmed")
	c.picture("living-confirm")
	if code := unit.call("POST", "/reports/"+opened.ID+"/submission", map[string]string{"key": newKey()}, nil); code == http.StatusOK {
		t.Error("上报 with nobody confirmed")
	}
	c.Do(`document.querySelectorAll('select[name^="p."]')[0].value = "left"`)
	c.submitForm(`button[name="all"]`)
	if text := c.text(".main"); !strings.Contains(text, "都确认了") || !strings.Contains(text, "已离任") {
		t.Errorf("after the answer: %.300q", text)
	}
	c.accessible("confirmed people")
	if got := len(unit.sheet(opened.ID).Rows); got != 2 {
		t.Errorf("the new round has %d rows", got)
	}
	unit.must("POST", "/reports/"+opened.ID+"/submission", map[string]string{"key": newKey()}, nil)
}
