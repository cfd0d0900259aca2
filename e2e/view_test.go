package e2e

import (
	"strings"
	"testing"

	"tianbao/internal/browser"
)

// The status bar tells what is seen and selected; its buttons show only rows with
// faults, and everything again. 提交 saves what was done under a view.
func TestViewOnThePage(t *testing.T) {
	s := startDemo(t, "")
	program := s.client(t, "unit")
	rep := program.ownReport()
	changes := inserts(0, 4)
	changes[1]["cells"].(map[string]string)["person_id"] = "123"
	changes[3]["cells"].(map[string]string)["phone"] = ""
	program.save(rep.ID, 0, changes)
	c := s.clerk(t, browser.Start(t))
	c.signInByMouse("unit")
	c.Go(s.url + "/reports/" + rep.ID)
	c.ready()
	text := func(id string) string {
		return browser.Eval[string](c.Page, `document.getElementById("`+id+`").textContent`)
	}
	c.Wait(`!document.getElementById("view-faulty").hidden`)
	c.Click("#view-faulty")
	c.Wait(`document.querySelectorAll(".tbs-body .tbs-row:not([hidden])").length === 2`)
	if got := text("view-text"); got != "已筛选：显示 2 / 4 行" {
		t.Errorf("the bar says %q", got)
	}
	if got := browser.Eval[string](c.Page, `document.querySelector(".tbs-body .tbs-row:not([hidden]) .tbs-num").textContent`); got != "2" {
		t.Errorf("the first row seen is %s", got)
	}
	c.Press("Home", "Shift+ArrowRight", "Shift+ArrowDown")
	c.Wait(`document.getElementById("count-selected").textContent === "已选 4 格，4 格有内容"`)
	c.Press("ArrowUp", "End")
	c.Insert("16009990001")
	c.Press("Enter")
	c.Screenshot("view-faulty")
	c.Press("Ctrl+Shift+l")
	c.accessible("a view and the panel of a column")
	c.Screenshot("view-panel")
	c.Press("Escape")
	c.Click("#submit")
	c.toast("已提交，共 4 行")
	rows := program.sheet(rep.ID).Rows
	if got := rows[1].Values[7]; got != "16009990001" || rows[0].Values[7] == got {
		t.Errorf("row 2 has the phone %s, row 1 %s", got, rows[0].Values[7])
	}
	if got := browser.Eval[string](c.Page, `document.querySelector("[data-c='6']").textContent`); strings.Contains(got, "123 ") {
		t.Errorf("%q is grouped", got)
	}
	c.Click("#view-all")
	c.Wait(`document.querySelectorAll(".tbs-body .tbs-row:not([hidden])").length === 4 && document.getElementById("view-all").hidden`)
	if got := text("view-text"); got != "" {
		t.Errorf("the bar says %q", got)
	}
	if got := browser.Eval[string](c.Page, `[...document.querySelectorAll(".tbs-row[aria-rowindex='3'] .tbs-cell")].map((e) => e.textContent).slice(6).join("|")`); strings.Count(got, " ") != 4 {
		t.Errorf("id and phone are not grouped")
	}
}
