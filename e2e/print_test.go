package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"tianbao/internal/browser"
)

// up waits until what the page fetches last is there.
func (c *clerk) up() {
	c.t.Helper()
	c.ready()
	c.Do(`await import(document.getElementById("keys").dataset.script)`)
	c.Wait(`document.querySelector('link[href*="later.css"]')?.sheet`)
}

// pdf prints the page to PDF and returns the file and how many pages it has.
func (c *clerk) pdf() (file []byte, pages int) {
	c.t.Helper()
	yes := true
	res, err := chromedp.Call(c.Ctx, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: &yes})
	if err != nil {
		c.t.Fatal(err)
	}
	if dir := os.Getenv("TIANBAO_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(c.t.Name(), "/", "-")+".pdf"), res.Data, 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
	return res.Data, len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(res.Data, -1))
}

// text returns the text of a PDF, "" where pdftotext is missing.
func text(t *testing.T, file []byte) string {
	t.Helper()
	bin, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Log("pdftotext is missing, only pages are counted")
		return ""
	}
	cmd := exec.Command(bin, "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(file)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The paper shows all rows, also those that are out of sight, with the head on every
// page; afterwards the page is as it was.
func TestPrint(t *testing.T) {
	s := startDemo(t, "")
	api := s.client(t, "unit")
	rep := api.ownReport()
	api.save(rep.ID, rep.Version, inserts(0, 200))
	n := len(api.sheet(rep.ID).Rows)

	c := s.clerk(t, browser.Start(t))
	c.signInByMouse("unit")
	c.Go(s.url + "/reports/" + rep.ID)
	c.up()
	file, pages := c.pdf()
	if pages < 5 || pages > 30 {
		t.Errorf("%d rows take %d pages", n, pages)
	}
	if txt := text(t, file); txt != "" {
		plain := strings.ReplaceAll(txt, " ", "") // ids are grouped on paper as on the screen
		heads := strings.Count(txt, "组织机构代码")
		if heads != pages {
			t.Errorf("the head stands on %d of %d pages", heads, pages)
		}
		for _, row := range api.sheet(rep.ID).Rows {
			if id := row.Values[6]; id != "" && !strings.Contains(plain, id) {
				t.Fatalf("the row of person %s is not on the paper", row.Values[5])
			}
		}
		for _, want := range []string{"信息采集表", "填报单位", "打印时间", "第 1 页"} {
			if !strings.Contains(txt, want) {
				t.Errorf("%q is not on the paper", want)
			}
		}
		if strings.Contains(txt, "数据校验") || strings.Contains(txt, "删除行") {
			t.Error("buttons are on the paper")
		}
	}
	if left := browser.Eval[int](c.Page, `document.querySelectorAll(".paper, .on-paper").length`); left != 0 {
		t.Errorf("%d elements of the paper are left on the page", left)
	}
	// A4 landscape.
	if box := regexp.MustCompile(`/MediaBox \[0 0 (84[12])`).Find(file); box == nil {
		t.Errorf("not A4 landscape: %s", regexp.MustCompile(`/MediaBox \[[^\]]*\]`).Find(file))
	}
}

// The card of keys opens by key, button and question mark, gives the focus back, and is
// printed alone.
func TestKeyCard(t *testing.T) {
	s := startDemo(t, "")
	c := s.clerk(t, browser.Start(t))
	c.signInByMouse("unit")
	c.Go(s.url + "/reports/" + s.client(t, "unit").ownReport().ID)
	c.up()
	const open = `document.querySelector("dialog.keys[open]")`
	for _, by := range []struct {
		name string
		do   func()
	}{
		{"F1", func() { c.Do(`document.querySelector("tb-sheet").focus()`); c.Press("F1") }},
		{"Ctrl+/", func() { c.Do(`document.querySelector("tb-sheet").focus()`); c.Press("Ctrl+/") }},
		{"button", func() { c.Click("#keys") }},
		{"?", func() { c.Do(`document.getElementById("check").focus()`); c.Type("?") }},
	} {
		c.Wait(`!` + open)
		by.do()
		c.Wait(open)
		if by.name == "F1" {
			c.Screenshot("keycard")
			file, pages := c.pdf()
			if pages != 1 {
				t.Errorf("the card takes %d pages", pages)
			}
			if txt := text(t, file); txt != "" && (!strings.Contains(txt, "Ctrl+S") || strings.Contains(txt, "组织机构代码")) {
				t.Errorf("the paper is not the card alone: %.300s", txt)
			}
			c.Wait(open)
		}
		c.Press("Escape")
		c.Wait(`!` + open)
		if by.name == "F1" && !strings.Contains(browser.Eval[string](c.Page, `document.activeElement.className`), "tbs-input") {
			t.Error("the focus did not come back to the sheet")
		}
	}
	// In the sheet a question mark is text.
	c.clickCell(1, "E")
	c.Type("?\n")
	if got := c.value(1, "E"); got != "?" {
		t.Errorf("E1 = %q", got)
	}
	c.Press("Ctrl+z")
}

// The row menu leads to the history of one row, and to the problems of a cell.
func TestRowMenuOfThePage(t *testing.T) {
	s := startDemo(t, "")
	api := s.client(t, "unit")
	rep := api.ownReport()
	saved := api.save(rep.ID, rep.Version, inserts(0, 2))
	api.save(rep.ID, saved.Receipt.Version, []change{{"op": "edit", "row": saved.Inserted["t1"], "cells": map[string]string{"legacy_username": "zc_new"}}})
	for row, want := range map[string]int{saved.Inserted["t0"]: 1, saved.Inserted["t1"]: 2, "999": 0} {
		var h struct{ Revisions []json.RawMessage }
		api.must("GET", "/reports/"+rep.ID+"/history?row="+row, nil, &h)
		if len(h.Revisions) != want {
			t.Errorf("row %s has %d revisions, want %d", row, len(h.Revisions), want)
		}
	}
	c := s.clerk(t, browser.Start(t))
	c.signInByMouse("unit")
	c.Go(s.url + "/reports/" + rep.ID + "/history?row=" + saved.Inserted["t1"])
	if got := browser.Eval[string](c.Page, `document.querySelector(".lead").textContent`); !strings.Contains(got, "这里只列现第") {
		t.Error(got)
	}
	c.Go(s.url + "/reports/" + rep.ID)
	c.up()
	c.clickCell(1, "C")
	c.Type("1\n")
	c.Press("ArrowUp")
	c.Wait(`document.querySelector('[data-c="2"][data-fault="error"]')`)
	c.Press("Shift+F10")
	c.Wait(`document.querySelector('[role="menu"]')?.hidden === false`)
	lines := browser.Eval[string](c.Page, `[...document.querySelectorAll('[role="menuitem"]')].map((e) => e.textContent).join()`)
	if !strings.Contains(lines, "查看问题,") || !strings.HasSuffix(lines, "这一行的历史") {
		t.Errorf("lines: %s", lines)
	}
	for range 8 {
		if browser.Eval[bool](c.Page, `document.querySelector(".tbs-here").textContent === "查看问题"`) {
			break
		}
		c.Press("ArrowDown")
	}
	c.Press("Enter")
	c.Wait(`!document.getElementById("faults").hidden`)
	c.Press("Ctrl+z")
}
