package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
)

// fillLong saves n rows into the client's own report; row fault has an id that is
// wrong in itself.
func (c *client) fillLong(n, fault int) reportJSON {
	c.t.Helper()
	rep := c.ownReport()
	rep.Rows, rep.Version = 0, 0
	for from := 0; from < n; from += 20_000 {
		var cs []change
		for i := from; i < min(from+20_000, n); i++ {
			cells := person(i)
			cells["person_name"] = "示例"
			if i+1 == fault {
				cells["person_id"] = "210102"
			}
			cs = append(cs, change{"op": "insert", "temp": fmt.Sprint("t", i), "after": "end", "cells": cells})
		}
		saved := c.save(rep.ID, rep.Version, cs)
		rep.Version, rep.Rows = saved.Receipt.Version, saved.Receipt.Rows
	}
	return rep
}

type windowJSON struct {
	Version int64
	Rows    []rowJSON
}

// A long report is read by windows of one version, and comes whole when it is short.
func TestWindows(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		c := startDemo(t, db).client(t, "city")
		rep := c.ownReport()
		saved := c.save(rep.ID, rep.Version, inserts(0, 30))
		var head sheetJSON
		c.must("GET", "/reports/"+rep.ID+"?rows=none", nil, &head)
		total := head.Report.Rows
		if len(head.Rows) != 0 || total < 30 || len(head.Columns) != 8 {
			t.Errorf("head: %d rows of %d, %d columns", len(head.Rows), total, len(head.Columns))
		}
		whole := c.sheet(rep.ID).Rows
		c.must("GET", "/reports/"+rep.ID+"?rows=auto", nil, &head)
		if len(head.Rows) != total || len(whole) != total {
			t.Errorf("a short sheet came with %d of %d rows", len(head.Rows), total)
		}
		url := fmt.Sprintf("/reports/%s/rows?version=%d", rep.ID, saved.Receipt.Version)
		var all, behind []rowJSON
		for from := 0; from < total; from += 7 {
			var w windowJSON
			c.must("GET", fmt.Sprintf("%s&from=%d&count=7", url, from), nil, &w)
			all = append(all, w.Rows...)
			after := ""
			if from > 0 {
				after = behind[len(behind)-1].ID
			}
			c.must("GET", fmt.Sprintf("%s&from=%d&count=7&after=%s", url, from, after), nil, &w)
			behind = append(behind, w.Rows...)
		}
		same := func(a, b rowJSON) bool { return a.ID == b.ID && slices.Equal(a.Values, b.Values) }
		if !slices.EqualFunc(all, whole, same) || !slices.EqualFunc(behind, whole, same) {
			t.Error("the windows together are not the sheet")
		}
		c.save(rep.ID, saved.Receipt.Version, inserts(100, 101))
		var e errorJSON
		if status := c.call("GET", url+"&from=0&count=7", nil, &e); status != http.StatusConflict || e.Error.Code != "moved" {
			t.Errorf("a window of another version: %d %s", status, e.Error.Code)
		}
	})
}

type acrossJSON struct {
	Rows    int
	Reports []struct {
		ID, Owner string
		Version   int64
		Rows      int
	}
	Parts []struct {
		ID, Owner string
		From      int
		List      []struct {
			ID     string
			Values []string
			Faults int
		}
	}
}

// The city view has all rows in scope and none else, masked, whole or below a unit.
func TestAcrossScope(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		want := map[string]map[string]int{"city": {}, "dept": {}, "unit": {}}
		owners := map[string]string{}
		for i, login := range []string{"city", "dept", "unit"} {
			c := s.client(t, login)
			rep := c.ownReport()
			owners[login] = rep.Owner
			saved := c.save(rep.ID, rep.Version, inserts(i*50, i*50+3+i))
			// The unit lies below the department, the department below the city.
			for _, above := range []string{"city", "dept", "unit"}[:i+1] {
				want[above][rep.ID] = saved.Receipt.Rows
			}
		}
		for login, reports := range want {
			c := s.client(t, login)
			var head, rows acrossJSON
			c.must("GET", "/campaigns/"+campaign+"/sheet", nil, &head)
			c.must("GET", "/campaigns/"+campaign+"/rows?count=2000", nil, &rows)
			got := map[string]int{}
			for _, r := range head.Reports {
				got[r.ID] = r.Rows
			}
			for id, n := range reports {
				if got[id] != n {
					t.Errorf("%s sees %d rows of report %s, want %d", login, got[id], id, n)
				}
			}
			n := 0
			for _, p := range rows.Parts {
				n += len(p.List)
				if got[p.ID] != len(p.List) {
					t.Errorf("%s gets %d of %d rows of %s", login, len(p.List), got[p.ID], p.Owner)
				}
				for _, r := range p.List {
					if id, phone := r.Values[6], r.Values[7]; id != "" && !strings.Contains(id, "*") || phone != "" && !strings.Contains(phone, "*") {
						t.Fatal("an id or a phone came whole")
					}
				}
			}
			if n != head.Rows {
				t.Errorf("%s gets %d of %d rows", login, n, head.Rows)
			}
		}
		unit := s.client(t, "unit")
		var head acrossJSON
		unit.must("GET", "/campaigns/"+campaign+"/sheet", nil, &head)
		if len(head.Reports) != 1 {
			t.Errorf("the unit sees %d reports", len(head.Reports))
		}
		for id := range want["city"] {
			if want["unit"][id] != 0 {
				continue
			}
			if status := unit.call("GET", "/campaigns/"+campaign+"/rows?report="+id, nil, nil); status != http.StatusNotFound {
				t.Errorf("rows from a foreign report on: %d, want 404", status)
			}
		}
		if status := unit.call("GET", "/campaigns/"+campaign+"/rows?unit="+owners["city"], nil, nil); status != http.StatusNotFound {
			t.Errorf("rows below a foreign unit: %d, want 404", status)
		}
		city := s.client(t, "city")
		city.must("GET", "/campaigns/"+campaign+"/sheet?unit="+owners["dept"], nil, &head)
		if len(head.Reports) >= len(want["city"])+1 || len(head.Reports) < 2 {
			t.Errorf("below the department: %d reports", len(head.Reports))
		}
		if status := city.call("GET", "/campaigns/999/sheet", nil, nil); status != http.StatusNotFound {
			t.Errorf("another campaign: %d, want 404", status)
		}
	})
}

// A clerk reads a sheet of many rows: the first are there soon, the end is reached, a
// name on the last row is found, F8 goes to the fault near the end, and an edit in the
// middle is saved.
func TestLongSheet(t *testing.T) {
	const n = 30_000
	s := startDemo(t, "")
	c := s.client(t, "city")
	rep := c.fillLong(n, n-1)
	k := s.clerk(t, browser.Start(t))
	k.signInByMouse("city")
	k.Go(s.url + "/reports/" + rep.ID)
	k.Wait(`document.querySelector(".tbs-body > .tbs-row:not([hidden]):not([aria-busy])")`)
	k.Do(`document.querySelector(".tbs-scroll").scrollTop = 1e9`)
	k.Wait(fmt.Sprintf(`[...document.querySelectorAll('.tbs-row[aria-rowindex="%d"]:not([aria-busy])')].length`, n+2))
	k.Screenshot("long-end")
	k.Wait(`document.getElementById("count-faults").textContent !== ""`)
	k.clickCell(n, "F")
	k.Press("F8")
	k.Wait(fmt.Sprintf(`(document.querySelector(".tbs-active") || { parentElement: document.body }).parentElement.getAttribute("aria-rowindex") === "%d"`, n-1+2))
	k.Press("Ctrl+f")
	k.Type(person(n - 1)["person_id"])
	k.Wait(`document.querySelector(".tbs-find-count").textContent === "1 / 1"`)
	k.Press("Escape")
	k.Do(fmt.Sprintf(`{ const sheet = document.querySelector("tb-sheet"); sheet.goTo(sheet.rows()[%d].id, "person_name") }`, n/2))
	k.Frame()
	k.Type("改示例")
	k.Press("Enter", "Ctrl+s")
	k.toast("已提交")
	var w windowJSON
	c.must("GET", fmt.Sprintf("/reports/%s/rows?from=%d&count=1", rep.ID, n/2), nil, &w)
	if len(w.Rows) != 1 || w.Rows[0].Values[5] != "改示例" {
		t.Errorf("stored: %v", w.Rows)
	}
}

// A bureau looks at the city view and opens a unit's report from it, at the row.
func TestCityView(t *testing.T) {
	s := startDemo(t, "")
	unit := s.client(t, "unit")
	rep := unit.ownReport()
	saved := unit.save(rep.ID, rep.Version, inserts(0, 40))
	k := s.clerk(t, browser.Start(t))
	k.signInByMouse("city")
	k.Go(s.url + "/reports?campaign=" + campaign)
	k.Go(browser.Eval[string](k.Page, `[...document.querySelectorAll("a")].find((a) => a.textContent === "汇总查看").href`))
	k.Wait(`document.querySelector(".tbs-body > .tbs-row:not([hidden]):not([aria-busy])")`)
	k.Screenshot("city-view")
	last := saved.Inserted["t39"]
	k.Do(`await document.querySelector("tb-sheet").complete; document.querySelector("tb-sheet").goTo("` + rep.ID + "." + last + `", "")`)
	k.Frame()
	k.Screenshot("city-view-row")
	x, y := k.Point(".tbs-active")
	k.Mouse("mousePressed", x, y, 2, false)
	k.Mouse("mouseReleased", x, y, 2, false)
	time.Sleep(time.Second) // while the page goes away nothing can be asked
	k.Wait(`location.pathname === "/reports/` + rep.ID + `" && document.querySelector(".tbs-active")`)
	k.Frame()
	row := browser.Eval[string](k.Page, `document.querySelector(".tbs-active").parentElement.getAttribute("aria-rowindex")`)
	if row != fmt.Sprint(saved.Receipt.Rows+2) {
		t.Errorf("the report opened at row index %s, want %d", row, saved.Receipt.Rows+2)
	}
}

// BenchmarkLongSheet opens a report of 100,000 rows: when the first rows stand, when
// all are there, what the check takes, and what F8 then takes.
func BenchmarkLongSheet(b *testing.B) {
	const n = 100_000
	s := startDemo(b, "")
	c := s.client(b, "city")
	rep := c.fillLong(n, n-1)
	var first, whole, check time.Duration
	for b.Loop() {
		at := time.Now()
		var head sheetJSON
		c.must("GET", "/reports/"+rep.ID+"?rows=auto", nil, &head)
		first += time.Since(at)
		at = time.Now()
		after := head.Rows[len(head.Rows)-1].ID
		for got := len(head.Rows); got < n; {
			var w windowJSON
			c.must("GET", fmt.Sprintf("/reports/%s/rows?version=%d&after=%s&count=1000", rep.ID, rep.Version, after), nil, &w)
			got += len(w.Rows)
			after = w.Rows[len(w.Rows)-1].ID
		}
		whole += time.Since(at)
		at = time.Now()
		c.must("POST", "/reports/"+rep.ID+"/check", map[string]any{"base": rep.Version, "changes": []change{}}, nil)
		check += time.Since(at)
	}
	per := func(d time.Duration) float64 { return float64(d.Milliseconds()) / float64(b.N) }
	b.ReportMetric(per(first), "first-ms")
	b.ReportMetric(per(whole), "whole-ms")
	b.ReportMetric(per(check), "check-ms")
	b.ReportMetric(float64(s.peakMemory(b)), "MB")
}
