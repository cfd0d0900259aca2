package e2e

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"tianbao/internal/browser"
)

// SEC-34: 500 attempts to be run as script, each in every column, in the name of a file,
// in a search, in a reason and in the address of an error page, looked at in a real
// browser on the pages that show them: none runs, and the pages work.
func TestSEC34FiveHundredPayloads(t *testing.T) {
	s := startDemo(t, "")
	api := s.client(t, "unit")
	rep := api.ownReport()
	evil := payloads(500)
	var cs []change
	for i, p := range evil {
		cells := map[string]string{}
		for _, key := range []string{"budget_code", "unit_name", "org_code", "unit_type", "legacy_username", "person_name", "person_id", "phone"} {
			cells[key] = p
		}
		cs = append(cs, change{"op": "insert", "temp": fmt.Sprint("t", i), "after": "end", "cells": cells})
	}
	api.save(rep.ID, rep.Version, cs)
	// Names of files show in the history.
	var heads []string
	for _, col := range api.sheet(rep.ID).Columns {
		heads = append(heads, col.Title)
	}
	for _, p := range evil[:60] {
		quoted := `"` + strings.ReplaceAll(p, `"`, `""`) + `"`
		csv := strings.Join(heads, ",") + "\r\n" + strings.Repeat(quoted+",", len(heads)-1) + "x\r\n"
		res, b := api.upload("/reports/"+rep.ID+"/imports", p+".csv", []byte(csv), map[string]string{"mode": "append", "action": "save", "key": newKey()})
		if res.StatusCode != http.StatusOK {
			t.Fatalf("import of %s: %d %s", p, res.StatusCode, b)
		}
	}

	b := browser.Start(t)
	c := s.clerk(t, b)
	c.signInByMouse("unit")
	// What would run calls pwned; it is there on every page before the page's own scripts.
	if _, err := chromedp.Call(c.Ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `window.ran = []; window.pwned = n => { window.ran.push(n) }`,
	}); err != nil {
		t.Fatal(err)
	}
	look := func(page string, seen string) {
		t.Helper()
		c.Go(c.url + page)
		if seen != "" {
			c.Wait(seen)
		}
		c.Frame()
		if ran := browser.Eval[int](c.Page, `window.ran.length`); ran > 0 {
			t.Errorf("%s: %d attempts ran", page, ran)
		}
		if n := browser.Eval[int](c.Page, `document.querySelectorAll("main script, main iframe, main object, main embed, main [onerror], main [onload], main [onfocus], main a[href^='javascript']").length`); n > 0 {
			t.Errorf("%s: %d elements that somebody typed", page, n)
		}
	}
	// Page by page in the sheet, so that each row is drawn once.
	look("/reports/"+rep.ID, `document.querySelector("tb-sheet") && customElements.get("tb-sheet") && document.querySelector(".tbs-row")`)
	c.Do(`window.drawn = new Set()`)
	for at := 0; at < 540; at += 6 {
		c.Do(fmt.Sprintf(`{ const s = [...document.querySelectorAll("tb-sheet, tb-sheet *")].find(e => e.scrollHeight > e.clientHeight + 1000); if (s) s.scrollTop = %d }`, at*28))
		c.Frame()
		c.Frame() // the event of the scroll, and the painting after it
		c.Do(`document.querySelectorAll(".tbs-row:not([hidden])").forEach(r => window.drawn.add(r.getAttribute("aria-rowindex")))`)
	}
	if n := browser.Eval[int](c.Page, `window.drawn.size`); n < 500 {
		t.Errorf("only %d rows were drawn", n)
	}
	if ran := browser.Eval[int](c.Page, `window.ran.length`); ran > 0 {
		t.Errorf("the sheet: %d attempts ran", ran)
	}
	look("/reports/"+rep.ID+"/history", "")
	if !browser.Eval[bool](c.Page, `document.querySelector("main").textContent.includes("pwned(")`) {
		t.Error("the history does not show what was typed; the test looks at the wrong page")
	}
	look("/reports/"+rep.ID+"/receipts", "")
	for i := 0; i < len(evil); i += 25 {
		look("/reports?campaign="+campaign+"&q="+url.QueryEscape(evil[i]), "")
		look("/nowhere/"+url.PathEscape(evil[i]), "")
		look("/signin?next="+url.QueryEscape(evil[i]), "")
	}
}

// SEC-39: text that a spreadsheet could take for a formula goes out as text in every
// cell of a workbook, and comes home as it was.
func TestSEC39Formulas(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	var cs []change
	for i, prefix := range []string{"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "|", "%", "'=", "\"=", " =", "\u3000=", "=-", "@=", "\u00a0="} {
		for k, body := range []string{"1+1", "cmd|'/c calc'!A1", "HYPERLINK(\"http://example.org\",\"x\")", "SUM(A1:A9)", "IMPORTXML(\"http://example.org\",\"//a\")", "DDE(\"a\",\"b\",\"c\")"} {
			cells := person(i*10 + k)
			cells["unit_name"], cells["legacy_username"], cells["person_name"] = prefix+body, prefix+body, prefix+body
			cs = append(cs, change{"op": "insert", "temp": fmt.Sprint("t", i*10+k), "after": "end", "cells": cells})
		}
	}
	c.save(rep.ID, rep.Version, cs)
	before := c.sheet(rep.ID)
	book := c.export(rep.ID)
	for name, part := range unzip(t, book) {
		if !strings.HasPrefix(name, "xl/worksheets/") {
			continue
		}
		// The workbook checks itself by formulas of the form; none holds what was typed.
		for _, m := range regexp.MustCompile(`<f[ >][^<]*</f>`).FindAll(part, -1) {
			for _, word := range []string{"cmd|", "HYPERLINK(&#34;http", "HYPERLINK(\"http", "IMPORTXML", "DDE("} {
				if bytes.Contains(m, []byte(word)) {
					t.Errorf("%s: a formula that somebody typed: %s", name, m)
				}
			}
		}
	}
	res, b := c.upload("/reports/"+rep.ID+"/imports", "home.xlsx", book, map[string]string{"mode": "replace", "action": "save", "confirm": "true", "key": newKey()})
	if res.StatusCode >= 400 && !bytes.Contains(b, []byte("nothing")) && !bytes.Contains(b, []byte("没有")) {
		t.Errorf("home again: %d %.300s", res.StatusCode, b)
	}
	after := c.sheet(rep.ID)
	if len(after.Rows) != len(before.Rows) {
		t.Fatalf("%d rows became %d", len(before.Rows), len(after.Rows))
	}
	for i := range before.Rows {
		if fmt.Sprint(before.Rows[i].Values) != fmt.Sprint(after.Rows[i].Values) {
			t.Errorf("row %d: %q became %q", i+1, before.Rows[i].Values, after.Rows[i].Values)
		}
	}
}

// SEC-29: whatever strangers send, each line of the log is one JSON object of ours, and
// no line has been put in by them; no id stands in it.
func TestSEC29LogsParse(t *testing.T) {
	s := startDemo(t, "", "--log", "json", "--trusted-proxy", "127.0.0.1")
	c := s.client(t, "unit")
	rep := c.ownReport()
	rnd := rand.New(rand.NewPCG(29, 29))
	const requests, each = 1250, 8
	values := odd(requests*each, rnd)
	header := func(v string) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' || r == 0x7f {
				return ' '
			}
			return r
		}, v)
	}
	id := person(7)["person_id"]
	for i := range requests {
		v := values[i*each : (i+1)*each]
		h := map[string]string{"User-Agent": header(v[0]), "X-Forwarded-For": header(v[1]), "Referer": header(v[2]), "X-Request-Id": header(v[3]), "Accept-Language": header(v[4])}
		path := "/" + url.PathEscape(v[5]) + "?" + url.QueryEscape(v[6]) + "=" + id
		switch i % 5 {
		case 0:
			c.with(h, "GET", path, nil)
		case 1:
			c.with(h, "GET", "/reports/"+url.PathEscape(v[7])+"/history/"+id, nil)
		case 2:
			body, err := json.Marshal(map[string]string{"login": v[5], "password": v[6]})
			if err != nil {
				t.Fatal(err)
			}
			if i%50 == 2 { // each costs a hash
				s.anonymous(t).with(h, "POST", "/signin", bytes.NewReader(body))
			} else {
				c.with(h, "POST", "/units/search", strings.NewReader(v[5]+v[6]))
			}
		case 3:
			c.upload("/reports/"+rep.ID+"/imports", header(v[5])+".xlsx", []byte(v[6]+v[7]), map[string]string{"mode": header(v[5])})
		case 4:
			body, err := json.Marshal(map[string]any{"key": v[5], "base": 0, "note": v[7], "changes": []change{{"op": v[6], "row": v[7], "cells": map[string]string{v[5]: id}}}})
			if err != nil {
				t.Fatal(err)
			}
			c.with(h, "POST", "/reports/"+rep.ID+"/changes", bytes.NewReader(body))
		}
	}
	time.Sleep(200 * time.Millisecond)
	lines, sc := 0, bufio.NewScanner(bytes.NewReader(s.log.Bytes()))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		lines++
		var m map[string]any
		if err := json.Unmarshal(sc.Bytes(), &m); err != nil {
			t.Fatalf("line %d is no JSON: %v\n%.300s", lines, err, sc.Text())
		}
		if m["msg"] == "forged" || m["time"] == nil || m["level"] == nil {
			t.Errorf("line %d was put in: %.300s", lines, sc.Text())
		}
		if strings.Contains(sc.Text(), id) {
			t.Errorf("line %d holds an id: %.300s", lines, sc.Text())
		}
		if len(sc.Bytes()) > 8<<10 {
			t.Errorf("line %d has %d bytes", lines, len(sc.Bytes()))
		}
	}
	if lines < requests {
		t.Errorf("%d lines for %d requests", lines, requests)
	}
}

// SEC-47: 5 000 paths that scanners try, signed in and not: no file, no inside, no
// header put in; what is not a route is 404 (or the sign-in page, a redirect within
// the site, a refusal).
func TestSEC47FiveThousandPaths(t *testing.T) {
	s := startDemo(t, "")
	c, nobody := s.client(t, "unit"), s.anonymous(t)
	leak := regexp.MustCompile(`goroutine \d|runtime error|\.go:\d|SQLSTATE|sqlite|tianbao/internal/|root:x:0|\[core\]|module tianbao|"alg"|panic`)
	tr := &http.Transport{MaxIdleConnsPerHost: 4}
	defer tr.CloseIdleConnections()
	for i, p := range oddPaths(5000, rand.New(rand.NewPCG(47, 47))) {
		u, err := url.Parse(s.url)
		if err != nil {
			t.Fatal(err)
		}
		path, _, _ := strings.Cut(p, "#")
		u.Opaque = "//" + u.Host + path // as it stands, not cleaned up
		req := &http.Request{Method: "GET", URL: u, Host: u.Host, Header: http.Header{"Accept": {"text/html"}}}
		who := nobody
		if i%2 == 0 {
			who = c
		}
		if who.cookie != "" {
			req.Header.Set("Cookie", who.cookie)
		}
		res, err := tr.RoundTrip(req)
		if err != nil {
			continue // refused before it is a request
		}
		b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if m := leak.Find(b); m != nil && !strings.HasSuffix(res.Request.URL.Path, "/openapi.json") {
			t.Errorf("%s (%d) tells %q", p, res.StatusCode, m)
		}
		if res.Header.Get("X-Injected") != "" || res.StatusCode >= 500 {
			t.Errorf("%s: %d, injected %q", p, res.StatusCode, res.Header.Get("X-Injected"))
		}
		if l := res.Header.Get("Location"); l != "" && (!strings.HasPrefix(l, "/") || strings.HasPrefix(l, "//")) {
			t.Errorf("%s leads to %s", p, l)
		}
	}
	if strings.Contains(s.log.String(), "panic") {
		t.Errorf("a panic: %s", s.log)
	}
}

// unzip returns the parts of a workbook by name.
func unzip(t *testing.T, book []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return out
}
