package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

type revealedJSON struct {
	Cells []struct{ Key, Value string }
}

// SEC-17: a row's full values are shown to who may see them, for a reason, one row at a
// time and not too many; each time is on the trail.
func TestSEC17Reveal(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		dir := t.TempDir()
		s := startIn(t, dir, db, "--demo", "--reveals", "4")
		unit, dept, city, auditor := s.client(t, "unit"), s.client(t, "dept"), s.client(t, "city"), s.client(t, "audit")
		own := unit.ownReport()
		saved := unit.save(own.ID, own.Version, inserts(0, 2))
		url := "/reports/" + own.ID + "/rows/" + saved.Inserted["t1"] + "/reveal"
		const why = "与本人核对联系方式"

		for name, tt := range map[string]struct {
			c      *client
			url    string
			reason string
			want   int
		}{
			"no reason":                  {dept, url, "", http.StatusBadRequest},
			"a short reason":             {dept, url, " 查 看 看 ", http.StatusBadRequest},
			"who fills in has the sheet": {unit, url, why, http.StatusNotFound},
			"an auditor":                 {auditor, url, why, http.StatusNotFound},
			"a row that is not there":    {dept, strings.Replace(url, saved.Inserted["t1"], "999", 1), why, http.StatusNotFound},
			"nobody":                     {s.anonymous(t), url, why, http.StatusUnauthorized},
		} {
			if got := tt.c.call("POST", tt.url, map[string]string{"reason": tt.reason}, nil); got != tt.want {
				t.Errorf("%s: %d, want %d", name, got, tt.want)
			}
		}
		for i := range 6 {
			res, b := dept.do("POST", url, "application/json", jsonBody(map[string]string{"reason": why}))
			full := strings.Contains(string(b), person(1)["person_id"]) && strings.Contains(string(b), person(1)["phone"])
			if i < 4 && (res.StatusCode != http.StatusOK || !full || !strings.Contains(res.Header.Get("Cache-Control"), "no-store")) {
				t.Errorf("reveal %d: %d %.200s", i, res.StatusCode, b)
			}
			wait, _ := strconv.Atoi(res.Header.Get("Retry-After"))
			if i >= 4 && (res.StatusCode != http.StatusTooManyRequests || full || wait < 3000 || wait > 3600) {
				t.Errorf("reveal %d: %d, retry after %d", i, res.StatusCode, wait)
			}
		}
		var out revealedJSON
		city.must("POST", url, map[string]string{"reason": why}, &out)
		if len(out.Cells) != 8 || out.Cells[7].Key != "phone" || out.Cells[7].Value != person(1)["phone"] {
			t.Errorf("to another account: %v", out.Cells)
		}
		var trail struct {
			Records []struct{ What, Result, Reason, Object, Detail string }
		}
		auditor.must("GET", "/audit?what=reveal", nil, &trail)
		denied := 0
		for _, r := range trail.Records {
			if r.Reason != why || r.Object != own.ID || r.Detail != "row="+saved.Inserted["t1"] {
				t.Errorf("on the trail: %+v", r)
			}
			if r.Result == "denied" {
				denied++
			}
		}
		if len(trail.Records) != 7 || denied != 2 {
			t.Errorf("%d records, %d denied, want 7 and 2", len(trail.Records), denied)
		}
	})
}

// The city view leads to it, by mouse and without scripts.
func TestRevealOnThePage(t *testing.T) {
	s := startDemo(t, "")
	unit := s.client(t, "unit")
	own := unit.ownReport()
	saved := unit.save(own.ID, own.Version, inserts(0, 1))
	c := s.clerk(t, browser.Start(t))
	c.signInByMouse("city")
	c.Go(s.url + "/reports/" + own.ID + "/rows/" + saved.Inserted["t0"] + "/reveal")
	c.accessible("asking why")
	text := func() string { return browser.Eval[string](c.Page, `document.querySelector("main").textContent`) }
	if strings.Contains(text(), person(0)["person_id"]) || !strings.Contains(text(), person(0)["person_id"][:6]+"****") {
		t.Error("the page that asks why is not masked")
	}
	c.Screenshot("reveal-ask")
	c.Do(`const f = document.querySelector("main form"); f.reason.value = "与本人核对联系方式"; f.requestSubmit()`)
	c.Wait(`document.querySelector(".callout-warn")`)
	if !strings.Contains(text(), person(0)["person_id"]) || !strings.Contains(text(), person(0)["phone"]) {
		t.Error("the values are not shown")
	}
	c.accessible("the full values")
	c.Screenshot("reveal-full")
	if u := browser.Eval[string](c.Page, `location.href`); strings.Contains(u, "?") {
		t.Errorf("the address holds %s", u)
	}
	c.Go(s.url + "/campaigns/" + campaign + "/sheet?unit=" + own.Owner)
	c.Wait(`document.querySelectorAll(".tbs-body .tbs-row").length > 0`)
	c.Wait(`!document.getElementById("reveal").disabled`)
	c.Click("#reveal")
	c.Wait(`location.pathname.endsWith("/reveal")`)
}
