package e2e

import (
	"strings"
	"testing"

	"tianbao/internal/browser"
)

// heard returns what a screen reader finds where the keyboard is.
func (c *clerk) heard() browser.Said {
	c.t.Helper()
	for _, s := range c.Accessible() {
		if s.Focused && s.Role != "RootWebArea" {
			return s
		}
	}
	c.t.Fatal("nothing in the accessibility tree has the focus")
	return browser.Said{}
}

// announced waits until a live region of the sheet says something.
func (c *clerk) announced(words string) {
	c.t.Helper()
	c.Wait(`[...document.querySelectorAll("tb-sheet [role=status]")].some((e) => e.textContent.includes(` + browser.JS(words) + `))`)
}

// What a screen reader says, through the browser's own accessibility tree: where one
// is, what stands there, what is wrong with it, and that it is right again.
func TestScreenReader(t *testing.T) {
	s := startDemo(t, "")
	c := s.clerk(t, browser.Start(t))
	unit := s.client(t, "unit")
	rep := unit.ownReport()
	faulty := inserts(0, 3)
	faulty[1]["cells"].(map[string]string)["person_id"] = "12345"
	unit.save(rep.ID, 0, faulty)
	c.enter("unit")
	c.Go(s.url + "/reports/" + rep.ID)
	c.ready()

	// The grid says how large it is and where everything stands, though only what is
	// seen is drawn.
	grid := browser.Eval[[]string](c.Page, `(() => {
		const g = document.querySelector("tb-sheet [role=grid]");
		const cell = document.querySelector(`+"`"+cellSelector(2, "G")+"`"+`);
		const box = cell.parentElement;
		return [g.getAttribute("aria-rowcount"), g.getAttribute("aria-colcount"), g.getAttribute("aria-label"), cell.getAttribute("role"),
			cell.getAttribute("aria-colindex"), box.getAttribute("role"), box.getAttribute("aria-rowindex")];
	})()`)
	if got := strings.Join(grid, " "); got != "5 10 预算管理一体化预算单位用户及资产管理角色信息采集表 gridcell 8 row 4" {
		t.Errorf("the grid says %q", got)
	}

	c.clickCell(1, "F")
	at := c.heard()
	for _, want := range []string{"第1行", "F列", "资产管理人姓名", "张示例"} {
		if !strings.Contains(at.Name, want) {
			t.Errorf("at F1 it says %q, without %q", at.Name, want)
		}
	}
	if at.Role != "textbox" || at.Properties["invalid"] != "false" || at.Properties["required"] != "true" {
		t.Errorf("at F1: %+v", at)
	}

	// A fault: invalid, and the words of the fault belong to the cell.
	c.clickCell(2, "G")
	at = c.heard()
	if at.Properties["invalid"] != "true" || !strings.Contains(at.Description+at.Properties["errormessage"], "身份证号码应为18位，现有5位") {
		t.Errorf("at a fault: %+v", at)
	}
	c.announced("身份证号码应为18位")
	// Mended, and checked again by itself.
	c.Insert(person(1)["person_id"])
	c.Press("Enter", "ArrowUp")
	c.Wait(`document.querySelector("tb-sheet textarea").getAttribute("aria-invalid") === "false"`)
	if at = c.heard(); at.Properties["invalid"] != "false" || strings.Contains(at.Description, "18位") {
		t.Errorf("at a mended fault: %+v", at)
	}

	// A range says its size and place.
	c.clickCell(1, "B")
	c.Press("Shift+ArrowDown", "Shift+ArrowRight")
	c.announced("已选 2 行 2 列，从第1行B列到第2行C列")
	c.Frame()
	selected := 0
	for _, n := range c.Accessible() {
		if n.Role == "gridcell" && n.Properties["selected"] == "true" {
			selected++
		}
	}
	if selected != 4 {
		t.Errorf("%d cells are selected in the tree, want 4", selected)
	}
	// Acts say what they did.
	c.Press("Ctrl+-")
	c.announced("已删除 2 行")
	c.Press("Ctrl+z")
	c.announced("已撤销")
}
