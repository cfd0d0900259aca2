package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

// openAs signs in and opens a report.
func (s *server) openAs(t *testing.T, b *browser.Browser, login, report string) *clerk {
	t.Helper()
	c := s.clerk(t, b)
	c.signInByMouse(login)
	c.Go(s.url + "/reports/" + report)
	c.ready()
	return c
}

// put types a value into a cell.
func (c *clerk) put(row int, letter, text string) {
	c.t.Helper()
	c.clickCell(row, letter)
	c.Type(text + "\n")
}

// banner waits for a banner with the given words.
func (c *clerk) banner(words string) {
	c.t.Helper()
	c.Wait(`document.getElementById("banners").textContent.includes(` + browser.JS(words) + `)`)
}

// kept waits until what is not submitted is kept there ("本机", "本机和服务器").
func (c *clerk) kept(where string) {
	c.t.Helper()
	c.Wait(`document.getElementById("dirty").textContent.includes("已存` + where + `")`)
}

// began is a report with some people in it.
func (s *server) began(t *testing.T, n int) (*client, reportJSON) {
	t.Helper()
	c := s.client(t, "dept")
	rep := c.ownReport()
	c.save(rep.ID, rep.Version, inserts(0, n))
	return c, rep
}

// The browser dies with edits that were never submitted; the same person signs in
// again in a new one and goes on. What lies in the profile names nobody.
func TestCrashLosesNothing(t *testing.T) {
	s := startDemo(t, "")
	api, rep := s.began(t, 3)
	dir := t.TempDir()
	first := browser.StartProfile(t, dir)
	c := s.openAs(t, first.Browser, "dept", rep.ID)
	base := c.rows()
	c.put(base, "G", person(90)["person_id"])
	c.put(base, "H", person(90)["phone"])
	c.clickCell(base-1, "A")
	c.Press("Ctrl+-")
	c.kept("本机")
	first.Kill(t)
	c.killed = true

	// Others save meanwhile: another cell of the row, and one that was edited here.
	sheet := api.sheet(rep.ID)
	last := sheet.Rows[len(sheet.Rows)-1].ID
	api2 := s.client(t, "dept")
	api2.save(rep.ID, sheet.Report.Version, []change{{"op": "edit", "row": last, "cells": map[string]string{"person_name": "改示例", "phone": person(91)["phone"]}}})

	needles := [][]byte{[]byte(person(90)["person_id"]), []byte(person(90)["phone"]), []byte(person(0)["person_id"]), []byte(person(1)["phone"])}
	lookThrough(t, dir, "profile", needles)
	lookThrough(t, s.data, "data", needles)

	again := browser.StartProfile(t, dir)
	c = s.openAs(t, again.Browser, "dept", rep.ID)
	c.banner("行还没有提交，已经恢复")
	if got := c.value(base-1, "G"); got != person(90)["person_id"] || c.rows() != base-1 {
		t.Errorf("after the crash %d rows, G = %q", c.rows(), got)
	}
	if got := c.value(base-1, "F"); got != "改示例" {
		t.Errorf("another's cell is %q", got)
	}
	if got := c.value(base-1, "H"); got != person(90)["phone"] {
		t.Errorf("my cell is %q", got)
	}
	c.Screenshot("restored")
	// Both changed H: it is asked, and my value kept.
	c.Click("#submit")
	c.Wait(`document.getElementById("ask-dialog").open && document.querySelectorAll('[name="clash-0"]').length === 2`)
	c.Screenshot("asked")
	c.Click(`[name="clash-0"][value="mine"]`)
	c.Click("#ask-yes")
	c.toast("已提交")
	sheet = api.sheet(rep.ID)
	if got := sheet.Rows[len(sheet.Rows)-1].Values; got[6] != person(90)["person_id"] || got[7] != person(90)["phone"] || got[5] != "改示例" || len(sheet.Rows) != base-1 {
		t.Errorf("stored: %d rows, %v", len(sheet.Rows), got)
	}
	// Nothing is left to restore.
	c.Wait(`document.getElementById("dirty").hidden`)
	c.Go(s.url + "/reports/" + rep.ID)
	c.ready()
	if browser.Eval[bool](c.Page, `document.getElementById("banners").textContent !== "" || !document.getElementById("dirty").hidden`) {
		t.Error("a submitted draft is restored again")
	}
	lookThrough(t, dir, "profile", needles)
}

// lookThrough scans every file of a folder.
func lookThrough(t *testing.T, dir, what string, needles [][]byte) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // a browser that runs moves its files about
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		files++
		scan(t, what+" "+filepath.Base(path), b, needles)
		return nil
	})
	if err != nil || files < 2 {
		t.Errorf("%s: looked at %d files, %v", what, files, err)
	}
}

// What was restored can be given up, and that can be undone.
func TestDraftGivenUp(t *testing.T) {
	s := startDemo(t, "")
	_, rep := s.began(t, 2)
	c := s.openAs(t, browser.Start(t), "dept", rep.ID)
	n := c.rows()
	was := c.value(n, "F")
	c.put(n, "F", "改示例")
	c.kept("本机和服务器")
	// Another browser of the same person has only the server's draft.
	o := s.openAs(t, browser.Start(t), "dept", rep.ID)
	o.banner("已经恢复")
	if o.value(n, "F") != "改示例" {
		t.Error("the server's draft is not restored")
	}
	o.Click("#banner-restored button")
	o.Wait(`document.getElementById("ask-dialog").open`)
	o.Click("#ask-yes")
	o.Wait(`document.getElementById("dirty").hidden`)
	if got := o.value(n, "F"); got != was {
		t.Errorf("given up, but F = %q", got)
	}
	o.Press("Ctrl+z")
	o.Wait(`!document.getElementById("dirty").hidden`)
	if o.value(n, "F") != "改示例" {
		t.Error("giving up cannot be undone")
	}
}

// The session ends under an open sheet: signing in happens in place.
func TestSessionEndsUnderTheSheet(t *testing.T) {
	s := startDemo(t, "")
	api, rep := s.began(t, 2)
	c := s.openAs(t, browser.Start(t), "dept", rep.ID)
	n := c.rows()
	c.put(n, "F", "甲示例")
	// Every session of the account ends on the server.
	password := endSessions(t, s, "dept")
	c.put(n, "E", "user9")
	c.banner("登录已经超时")
	c.Screenshot("expired")
	c.Click("#banner-state button")
	c.Wait(`document.getElementById("again-password")`)
	c.Type("wrong")
	c.Click("#ask-yes")
	c.Wait(`document.querySelector("#ask-body .field-error")`)
	c.Click("#again-password")
	c.Type(password)
	c.Click("#ask-yes")
	c.Wait(`!document.getElementById("banner-state")`)
	c.Click("#submit")
	c.toast("已提交")
	api.signIn("dept", password)
	sheet := api.sheet(rep.ID)
	if got := sheet.Rows[len(sheet.Rows)-1].Values; got[5] != "甲示例" || got[4] != "user9" {
		t.Errorf("stored %v", got)
	}
	c.Do(`complaints.length = 0`) // the browser notes refused requests
}

// endSessions gives the account a new password, which ends its sessions.
func endSessions(t *testing.T, s *server, login string) (password string) {
	t.Helper()
	var out struct{ Password string }
	admin := s.client(t, "admin")
	admin.must("POST", "/users/"+admin.userID(login)+"/password", struct{}{}, &out)
	return out.Password
}

// The network goes away while somebody fills in, and comes back.
func TestOffline(t *testing.T) {
	s := startDemo(t, "")
	api, rep := s.began(t, 2)
	c := s.openAs(t, browser.Start(t), "dept", rep.ID)
	n := c.rows()
	c.Offline(true)
	c.put(n, "F", "甲示例")
	c.banner("网络已断开，填写的内容已保存在本机")
	c.kept("本机")
	// A save without an answer is kept, and sent again by itself.
	c.Click("#submit")
	c.Wait(`document.getElementById("submit").getAttribute("aria-busy") !== "true"`)
	c.put(n, "E", "user9")
	c.Screenshot("offline")
	c.Offline(false)
	c.toast("已提交")
	c.Wait(`!document.getElementById("banner-state")`)
	c.kept("本机和服务器")
	sheet := api.sheet(rep.ID)
	if got := sheet.Rows[len(sheet.Rows)-1].Values; got[5] != "甲示例" || got[4] == "user9" {
		t.Errorf("stored %v", got)
	}
	c.Click("#submit")
	c.Wait(`document.getElementById("dirty").hidden`)
	c.Do(`complaints.length = 0`)
}

// Two people on one sheet: who is there, what the other saved, and what both changed.
func TestTogether(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startWatched(t, db)
		api, rep := s.began(t, 3)
		b := browser.Start(t)
		c := s.openAs(t, b, "dept", rep.ID)
		n := c.rows()
		c.clickCell(n, "B")
		o := s.openAs(t, browser.Start(t), "province", rep.ID)
		c.Wait(`document.getElementById("people").textContent.startsWith("另有 1 人正在看这张表：")`)
		// The other's save shows within two seconds, marked; the undo history stays.
		c.put(n, "E", "mine")
		o.put(n, "F", "彼示例")
		o.put(n, "E", "theirs")
		o.Click("#submit")
		o.toast("已提交")
		c.Do(`const end = performance.now() + 2000;
			const seen = () => document.querySelector('[data-news="new"]') && document.querySelector('[data-news="clash"]');
			while (!seen() && performance.now() < end) await new Promise((ok) => setTimeout(ok, 20));
			if (!seen()) complaints.push("not within two seconds");`)
		if c.value(n, "F") != "彼示例" || c.value(n, "E") != "mine" {
			t.Errorf("F = %q, E = %q", c.value(n, "F"), c.value(n, "E"))
		}
		c.Screenshot("together")
		c.Click("#submit")
		c.Wait(`document.getElementById("ask-dialog").open`)
		if text := browser.Eval[string](c.Page, `document.getElementById("ask-body").textContent`); !strings.Contains(text, "theirs") || !strings.Contains(text, "mine") {
			t.Errorf("asked: %s", text)
		}
		c.Click("#ask-yes") // theirs, as it is preselected
		c.Wait(`document.getElementById("dirty").hidden`)
		if c.value(n, "E") != "theirs" {
			t.Errorf("E = %q after theirs was taken", c.value(n, "E"))
		}
		c.clickCell(n, "B")
		c.Press("Ctrl+z")
		if c.value(n, "E") != "mine" {
			t.Errorf("E = %q after undo", c.value(n, "E"))
		}
		// A program's save comes too, also a row.
		sheet := api.sheet(rep.ID)
		api.save(rep.ID, sheet.Report.Version, inserts(50, 51))
		c.Wait(`document.querySelector("tb-sheet").rows().length === ` + browser.JS(n+1))
		o.Wait(`document.querySelector("tb-sheet").rows().length === ` + browser.JS(n+1))
		o.Go(s.url + "/")
		c.Wait(`document.getElementById("people").textContent === ""`)
		if got := api.sheet(rep.ID).Rows[n-1].Values[4]; got != "theirs" {
			t.Errorf("stored E = %q", got)
		}
	})
}

// Signing out drops the journal of who signs out, and nobody else's.
func TestSignOutDropsTheJournal(t *testing.T) {
	s := startDemo(t, "")
	_, rep := s.began(t, 1)
	b := browser.Start(t)
	c := s.openAs(t, b, "dept", rep.ID)
	c.put(c.rows(), "F", "改示例")
	c.kept("本机和服务器")
	records := `(async () => { const r = indexedDB.open("tianbao"); await new Promise((ok) => (r.onsuccess = ok));
		const all = r.result.transaction("journal").objectStore("journal").getAllKeys(); await new Promise((ok) => (all.onsuccess = ok));
		const n = all.result.filter((k) => k.includes("/")).length; r.result.close(); return n })()`
	c.Do(`const r = indexedDB.open("tianbao"); await new Promise((ok) => (r.onsuccess = ok));
		const tx = r.result.transaction("journal", "readwrite"); tx.objectStore("journal").put({ at: Date.now() }, "0123456789abcdef/7");
		await new Promise((ok) => (tx.oncomplete = ok)); r.result.close()`)
	if n := browser.Eval[int](c.Page, records); n != 2 {
		t.Fatalf("%d records", n)
	}
	other := b.Open(t, s.url+"/") // another page has the button too
	other.Click(".topbar-button")
	other.Wait(`location.pathname === "/signin" && document.readyState === "complete"`)
	other.Wait(`(` + records + `).then((n) => (window.left = n)) && window.left === 1`)
}
