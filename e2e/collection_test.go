package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
)

// set fills in fields of the page by their ids.
func (c *clerk) set(fields map[string]string) {
	c.t.Helper()
	for id, value := range fields {
		c.Do(`const f = document.getElementById(` + browser.JS(id) + `); f.value = ` + browser.JS(value) + `; if (f.value !== ` + browser.JS(value) + `) throw new Error("no such choice in " + f.id)`)
	}
}

// An officer takes a collection of the second form through its whole life in the pages:
// made, arranged, tried, opened, filled in, locked below, reopened for one, ended, archived,
// copied.
func TestCollectionByPages(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		unit, dept := s.client(t, "unit"), s.client(t, "dept")
		own := unit.ownReport()
		for _, who := range []*client{unit, dept} {
			if got := who.call("GET", "/collections", nil, nil); got != http.StatusForbidden {
				t.Errorf("who runs no collection sees them: %d", got)
			}
		}
		now := time.Now()
		day := func(days int) string { return now.AddDate(0, 0, days).Format("2006-01-02") + "T00:00" }

		c := s.clerk(t, browser.Start(t))
		c.enter("province")
		c.Go(s.url + "/collections")
		c.set(map[string]string{"title": "值班联系人登记（第三季度）", "form": "contacts.1", "opens": day(-1), "closes": day(20)})
		c.submitForm("#new + form .button-primary")
		path := browser.Eval[string](c.Page, `location.pathname`)
		id := path[strings.LastIndex(path, "/")+1:]
		c.accessible("a collection that is prepared")
		rule := func(fields map[string]string, button string) {
			t.Helper()
			c.set(fields)
			c.submitForm(button)
			if got := browser.Eval[string](c.Page, `[...document.querySelectorAll("[role=alert]"), document.querySelector("main h1")].map((e) => e.textContent).join(" ")`); !strings.HasPrefix(got, "值班联系人登记") {
				t.Fatalf("%v: the page says %q", fields, got)
			}
		}
		rule(map[string]string{"kind": "window", "sunit": "501", "sopens": day(-1), "scloses": day(30)}, "#scope ~ form .button-primary")
		rule(map[string]string{"kind": "exclude", "sunit": "511", "sreason": "今年单独登记"}, "#scope ~ form .button-primary")
		rows := func(section string) string {
			return browser.Eval[string](c.Page, `[...document.querySelectorAll("[aria-labelledby=`+section+`] tbody tr")].map((r) => r.textContent.replace(/\s+/g, " ").trim()).join("\n")`)
		}
		if got := rows("scope"); !strings.Contains(got, "黑山县财政局") || !strings.Contains(got, "今年单独登记") || !strings.Contains(got, "锦州市财政局") || !strings.Contains(got, "大连市") {
			t.Errorf("what was arranged: %q", got)
		}
		c.Go(s.url + path + "/rehearsal")
		c.accessible("the dry run")
		var dry struct{ Expected, Outside int }
		s.client(t, "province").must("GET", path+"/rehearsal", nil, &dry)
		if dry.Expected < 10 || dry.Outside < 3 {
			t.Errorf("the dry run counts %+v", dry)
		}
		if got := unit.call("POST", "/campaigns/"+id+"/reports", map[string]string{"unit": own.Owner}, nil); got != http.StatusNotFound {
			t.Errorf("a unit opens a report of what is prepared: %d", got)
		}
		c.Go(s.url + path)
		c.submitForm(`form[action$="/phase"] .button-primary`)

		// A unit fills in: a row by the API, a cell of it in the browser, and the same from a file.
		rep := unit.reportIn(id, own.Owner)
		cells := func(n int) map[string]string {
			p := person(n)
			return map[string]string{"org_code": p["org_code"], "shift": "白班", "contact": "张示例", "mobile": p["phone"]}
		}
		row := func(n int) []change {
			return []change{{"op": "insert", "temp": "t", "after": "end", "cells": cells(n)}}
		}
		rep = unit.save(rep.ID, rep.Version, row(1)).Report
		u := s.clerk(t, browser.Start(t))
		u.enter("unit")
		u.Go(s.url + "/reports/" + rep.ID)
		u.ready()
		if browser.Eval[bool](u.Page, `!!document.getElementById("door")`) {
			t.Error("an open sheet says that it is not")
		}
		u.put(1, "B", "夜班")
		u.submitAll()
		book := unit.export(rep.ID)
		if res, b := unit.upload("/reports/"+rep.ID+"/imports", "a.xlsx", book, map[string]string{"action": "save", "mode": "append", "key": newKey()}); res.StatusCode != http.StatusOK {
			t.Errorf("the workbook of the second form comes home: %d %.300s", res.StatusCode, b)
		}
		sheet := unit.sheet(rep.ID)
		if len(sheet.Rows) != 2 || sheet.Rows[0].Values[1] != "夜班" || sheet.Rows[1].Values[1] != "夜班" {
			t.Errorf("%d rows after page and file", len(sheet.Rows))
		}

		// The city locks a department with its units.
		c.enter("city")
		c.Go(s.url + path)
		c.accessible("a collection for a city")
		rule(map[string]string{"door": "lock", "dunit": "501001", "dcloses": day(10), "dreason": "正在核对"}, "#doors ~ form .button-primary")
		c.bureauPicture("locked")
		until := now.AddDate(0, 0, 9).Format("2006年1月2日") + " 24:00"
		for _, who := range []*client{unit, dept} {
			r := who.reportIn(id, own.Owner)
			var failed errorJSON
			body := map[string]any{"key": newKey(), "base": r.Version, "changes": row(3)}
			got := who.call("POST", "/reports/"+r.ID+"/changes", body, &failed)
			if m := failed.Error.Message; got != http.StatusConflict || failed.Error.Code != "gate_locked" || !strings.Contains(m, "正在核对") || !strings.Contains(m, "锦州市财政局") || !strings.Contains(m, until) {
				t.Errorf("a save behind the lock: %d %s %s", got, failed.Error.Code, m)
			}
			if got := who.call("POST", path+"/rules", map[string]string{"kind": "reopen", "unit": own.Owner, "closes": day(5), "reason": "我要填"}, nil); got != http.StatusForbidden {
				t.Errorf("who is locked opens it: %d", got)
			}
		}
		u.Go(s.url + "/reports/" + rep.ID)
		u.ready()
		door := browser.Eval[string](u.Page, `document.getElementById("door").textContent`)
		for _, want := range []string{"正在核对", until, "锦州市财政局", "林示例", "16000041900"} {
			if !strings.Contains(door, want) {
				t.Errorf("the locked sheet says %q, without %s", door, want)
			}
		}
		u.accessible("a locked sheet")
		u.Screenshot("sheet-locked")
		u.picture("form-locked")
		if got := s.client(t, "city").call("POST", path+"/rules", map[string]string{"kind": "lock", "unit_code": "105", "reason": "越级"}, nil); got != http.StatusNotFound && got != http.StatusBadRequest {
			t.Errorf("a city locks the province: %d", got)
		}

		// One unit is opened again, its neighbours stay locked.
		rule(map[string]string{"door": "reopen", "dunit": person(0)["budget_code"], "dcloses": day(5), "dreason": "补报一人"}, "#doors ~ form .button-primary")
		if got := rows("doors"); !strings.Contains(got, "补报一人") || !strings.Contains(got, "正在核对") {
			t.Errorf("locks and reopenings: %q", got)
		}
		unit.save(rep.ID, unit.sheet(rep.ID).Report.Version, row(4))
		var list struct{ Reports []reportJSON }
		dept.must("GET", "/reports?campaign="+id, nil, &list)
		i := slices.IndexFunc(list.Reports, func(r reportJSON) bool { return r.Owner != own.Owner })
		next := dept.reportIn(id, list.Reports[i].Owner)
		if got := dept.call("POST", "/reports/"+next.ID+"/changes", map[string]any{"key": newKey(), "base": next.Version, "changes": []change{{"op": "insert", "temp": "t", "after": "end", "cells": map[string]string{"contact": "李示例"}}}}, nil); got != http.StatusConflict {
			t.Errorf("the neighbour's sheet: %d", got)
		}

		// The end, the archive, and next year's.
		c.enter("province")
		c.Go(s.url + path)
		c.submitForm(`form[action$="/phase"] .button-danger`)
		var failed errorJSON
		if got := unit.call("POST", "/reports/"+rep.ID+"/changes", map[string]any{"key": newKey(), "base": unit.sheet(rep.ID).Report.Version, "changes": row(5)}, &failed); got != http.StatusConflict || failed.Error.Code != "gate_ended" {
			t.Errorf("a save after the end: %d %s", got, failed.Error.Code)
		}
		c.submitForm(`form[action$="/phase"] button[value="archived"]`)
		if _, home := unit.do("GET", "/", "", nil); strings.Contains(string(home), id) {
			t.Error("the home page lists what is archived")
		}
		c.submitForm(`form[action$="/copy"] button`)
		if got := browser.Eval[string](c.Page, `document.getElementById("form").value + " " + document.querySelector("h1").textContent + " " + document.getElementById("opens").value`); !strings.Contains(got, "contacts.1") || !strings.Contains(got, "副本") || !strings.Contains(got, now.AddDate(1, 0, -1).Format("2006-01-02")) {
			t.Errorf("the copy: %q", got)
		}
		if got := rows("scope"); !strings.Contains(got, "黑山县财政局") || !strings.Contains(got, "锦州市财政局") {
			t.Errorf("what the copy arranges: %q", got)
		}
		if out := s.mustTool(t, "audit", "verify"); !strings.Contains(out, "没有发现改动") {
			t.Errorf("the trail: %s", out)
		}
	})
}
