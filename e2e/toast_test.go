package e2e

import (
	"testing"

	"tianbao/internal/browser"
)

// Deleting rows and bringing in a file are taken back from their message, as long as
// nothing was done since.
func TestMessagesThatCanBeUndone(t *testing.T) {
	s := startDemo(t, "")
	c := s.clerk(t, browser.Start(t))
	unit := s.client(t, "unit")
	rep := unit.ownReport()
	unit.save(rep.ID, 0, inserts(0, 3))
	c.enter("unit")
	c.Go(s.url + "/reports/" + rep.ID)
	c.ready()
	c.Click(`.tbs-row[aria-rowindex="4"]:not([hidden]) .tbs-delete`)
	c.toast("已删除 1 行")
	if c.rows() != 2 {
		t.Fatalf("%d rows after deleting one of three", c.rows())
	}
	c.Screenshot("toast-undo")
	c.Click(".toast-action")
	c.Wait(`document.querySelectorAll(".toast").length === 0`)
	if c.rows() != 3 || browser.Eval[bool](c.Page, `document.querySelector("tb-sheet").dirty`) {
		t.Errorf("after taking it back %d rows", c.rows())
	}
	if !browser.Eval[bool](c.Page, `document.querySelector("tb-sheet").contains(document.activeElement)`) {
		t.Error("the keyboard is not in the sheet again")
	}

	// What was done since is not taken back: the offer ends with the next change.
	c.Click(`.tbs-row[aria-rowindex="4"]:not([hidden]) .tbs-delete`)
	c.toast("已删除 1 行")
	c.clickCell(1, "E")
	c.Insert("另一个改动")
	c.Press("Enter")
	c.Wait(`document.querySelectorAll(".toast").length === 0`)
	c.Press("Ctrl+z", "Ctrl+z")

	c.importFile(writeCSV(t), "append")
	c.Click("#import-apply")
	c.toast("已导入到表中：新增 2 行")
	if c.rows() != 5 {
		t.Fatalf("%d rows after the import", c.rows())
	}
	c.Click(".toast-action")
	c.Wait(`!document.querySelector("tb-sheet").dirty`)
	if c.rows() != 3 {
		t.Errorf("%d rows after the import was taken back", c.rows())
	}
}
