package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"tianbao/internal/browser"
)

// manualRows are the rows of the manual's own screenshots: placeholders, full of
// faults, and saved all the same.
var manualRows = [][]string{
	{"001", "XXX单位", "000001", "主管部门", "234567", "张三", "21999990909", "11111111"},
	{"002", "XXX单位", "00002", "行政单位", "234567", "李四", "435678", "5432"},
}

// fileRow is row n of the manual's EXCEL example, other people in each.
func fileRow(n int) []string {
	p := person(n)
	return []string{p["budget_code"], p["unit_name"], p["org_code"], p["unit_type"], fmt.Sprint(1000 + n), p["person_name"], p["person_id"], p["phone"]}
}

// fillWorkbook opens the exported workbook as an office does, writes rows with the
// given numbers below its header, and saves it.
func fillWorkbook(t *testing.T, path string, numbers []int, rows [][]string) string {
	t.Helper()
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sheet := f.GetSheetList()[0]
	head := headerRow(t, f, sheet)
	for i, row := range rows {
		cells := append([]string{fmt.Sprint(numbers[i])}, row...)
		for j, v := range cells {
			name, err := excelize.CoordinatesToCellName(j+1, head+1+i)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.SetCellStr(sheet, name, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	out := filepath.Join(t.TempDir(), "模板.xlsx")
	if err := f.SaveAs(out); err != nil {
		t.Fatal(err)
	}
	return out
}

// headerRow returns the sheet's row, from 1, that heads the columns.
func headerRow(t *testing.T, f *excelize.File, sheet string) int {
	t.Helper()
	rows, err := f.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	head := 0
	for i, r := range rows {
		if len(r) > 2 && r[0] == "序号" && r[1] == "单位预算编码" {
			head = i + 1
		}
	}
	if head == 0 {
		t.Fatal("the workbook has no header")
	}
	return head
}

func four(from int) (rows [][]string) {
	for n := from; n < from+4; n++ {
		rows = append(rows, fileRow(n))
	}
	return rows
}

// The operation manual by mouse: sections 2.1 steps 1–7 and 2.2 steps 1–7 with the
// worked example. The pictures of our own manual are taken on the way.
func TestManualByMouse(t *testing.T) {
	s := startDemo(t, "")
	c := s.clerk(t, browser.Start(t))
	c.picture("signin")
	c.signInByMouse("unit")
	c.picture("portal")

	// 报表路径: 报表管理 → 资产角色采集 → the form.
	c.Click(`.cards a[href="/reports"]`)
	c.Wait(`location.pathname === "/reports" && document.readyState === "complete"`)
	c.picture("folder")
	c.Click(".tree-button")
	c.Wait(`location.pathname.startsWith("/reports/")`)
	c.ready()
	c.picture("form-empty")

	// 2.1 1: fill in. The name comes from an input method.
	for i, v := range manualRows[0] {
		letter := string(rune('A' + i))
		c.clickCell(1, letter)
		if letter == "F" {
			c.Compose().Letters("zhangsan").Commit(" ", v)
		} else {
			c.Insert(v)
		}
		c.Press("Enter")
	}
	for i, want := range manualRows[0] {
		if got := c.value(1, string(rune('A'+i))); got != want {
			t.Fatalf("cell %c1 holds %q, want %q", 'A'+i, got, want)
		}
	}
	c.picture("form-filled")

	// 2.1 3–4: 提交, and the stored row is shown.
	c.Click("#submit")
	c.toast("已提交，共 1 行")
	c.picture("form-saved")
	c.Go(s.url + "/reports/" + c.report())
	c.ready()
	if got := c.value(1, "F"); got != "张三" || c.rows() != 1 {
		t.Fatalf("after a reload %d rows, name %q", c.rows(), got)
	}

	// 2.1 5–6: 插入行, fill, 提交.
	c.clickCell(1, "A")
	c.Click(".tbs-insert")
	c.Frame()
	for i, v := range manualRows[1] {
		c.clickCell(2, string(rune('A'+i)))
		c.Insert(v)
		c.Press("Enter")
	}
	c.Click("#check")
	c.toast("校验完成")
	c.picture("form-faults")
	c.Click("#faults-close")
	c.Click("#submit")
	c.toast("已提交，共 2 行")

	// 2.1 7: 删除行 takes effect with 提交 only.
	c.Click(`.tbs-row[aria-rowindex="4"]:not([hidden]) .tbs-delete`)
	c.Wait(`document.querySelector("tb-sheet").rows().length === 1`)
	c.picture("form-deleted")
	if got := len(s.client(t, "unit").sheet(c.report()).Rows); got != 2 {
		t.Errorf("deleting on the screen changed the stored sheet: %d rows", got)
	}
	c.dismiss()
	c.Click("#submit")
	c.toast("已提交，共 1 行")
	if got := len(s.client(t, "unit").sheet(c.report()).Rows); got != 1 {
		t.Errorf("after 提交 %d rows are stored, want 1", got)
	}
	// Clear the sheet for the second part.
	c.dismiss()
	c.Click(`.tbs-row[aria-rowindex="3"]:not([hidden]) .tbs-delete`)
	c.Click("#submit")
	c.toast("已提交，共 0 行")

	// 2.2 1–3: 原样导出, and edit the file in an office program.
	c.Click("#export")
	path := c.downloaded()
	book := fillWorkbook(t, path, []int{1, 2, 3, 4}, four(1))

	// 2.2 4–6: 导入EXCEL, choose, look, bring in, 提交.
	c.importFile(book, "merge")
	c.picture("import-preview")
	c.tally(4, 0, 0)
	c.Click("#import-apply")
	c.toast("已导入到表中：新增 4 行")
	c.dismiss()
	c.Click("#submit")
	c.toast("已提交，共 4 行")
	c.picture("form-imported")

	// 2.2 7: four rows are there; a file of other people is numbered 1–4 too.
	second := fillWorkbook(t, path, []int{1, 2, 3, 4}, four(11))
	c.importFile(second, "seq")
	c.tally(0, 4, 0)
	if !browser.Eval[bool](c.Page, `document.getElementById("import-apply").disabled`) {
		t.Error("按序号 would replace four rows without asking")
	}
	c.picture("import-replace")
	c.Click(`#import-form input[value="append"]`)
	c.tally(4, 0, 0)
	c.Click(`#import-form input[value="merge"]`)
	c.tally(4, 0, 0)
	c.Click("#import-apply")
	c.dismiss()
	c.Click("#submit")
	c.toast("已提交，共 8 行")
	if got := c.value(5, "E"); got != "1011" {
		t.Errorf("row 5 has the old name %q, want 1011", got)
	}

	// The same numbered 5–8 over the first four gives the same eight rows.
	c.keepFirst(4)
	third := fillWorkbook(t, path, []int{5, 6, 7, 8}, four(11))
	c.importFile(third, "seq")
	c.tally(4, 0, 0)
	c.Click("#import-apply")
	c.dismiss()
	c.Click("#submit")
	c.toast("已提交，共 8 行")

	// And numbered 1–4 under 按序号, after a yes: four rows replaced.
	c.keepFirst(4)
	c.importFile(fillWorkbook(t, path, []int{1, 2, 3, 4}, four(21)), "seq")
	c.tally(0, 4, 0)
	c.Click("#import-sure")
	c.Click("#import-apply")
	c.dismiss()
	c.Click("#submit")
	c.toast("已提交，共 4 行")
	if got := c.value(1, "E"); got != "1021" {
		t.Errorf("row 1 has the old name %q, want 1021", got)
	}

	// 上报 with a receipt.
	c.dismiss()
	c.Click("#report")
	c.Wait(`document.getElementById("ask-dialog").open`)
	c.picture("report-ask")
	c.Click("#ask-yes")
	c.toast("已上报，回执编号 TB")
	c.picture("form-reported")
	c.Click(".toast-action")
	c.Wait(`document.querySelector(".receipt")`)
	if got := browser.Eval[string](c.Page, `getComputedStyle(document.querySelector(".receipt")).borderTopWidth`); got != "4px" {
		t.Errorf("the receipt is not drawn as one: its upper edge has %s", got)
	}
	c.picture("receipt")
	c.Go(s.url + "/reports/" + c.report() + "/history")
	c.Wait(`document.querySelector(".timeline")`)
	c.Click(".timeline summary")
	c.picture("history")
	c.Go(s.url + "/help")
	c.Wait(`document.querySelector(".prose h1")`)
	c.picture("help")
}

// report returns the id of the report whose page is open.
func (c *clerk) report() string {
	c.t.Helper()
	return browser.Eval[string](c.Page, `location.pathname.split("/")[2]`)
}

// importFile opens the import dialog, chooses a mode and a file, and waits for the
// preview.
func (c *clerk) importFile(path, mode string) {
	c.t.Helper()
	c.dismiss()
	c.Click("#import")
	c.Wait(`document.getElementById("import-dialog").open`)
	c.Click(`#import-form input[value="` + mode + `"]`)
	c.choose("#import-file", path)
	c.Wait(`document.querySelector("#import-preview .tally")`)
}

// tally waits for the counts of the preview.
func (c *clerk) tally(add, change, del int) {
	c.t.Helper()
	c.Wait(fmt.Sprintf(`document.querySelector(".tally") && [...document.querySelectorAll(".tally b")].slice(0, 3).map((b) => b.textContent).join() === "%d,%d,%d"`, add, change, del))
}

// keepFirst deletes all rows but the first n and saves.
func (c *clerk) keepFirst(n int) {
	c.t.Helper()
	c.dismiss()
	c.Do(fmt.Sprintf(`const s = document.querySelector("tb-sheet"); s.deleteRows(s.rows().slice(%d).map((r) => r.id))`, n))
	c.Click("#submit")
	c.toast(fmt.Sprintf("已提交，共 %d 行", n))
}

// The same by keyboard alone.
func TestManualByKeyboard(t *testing.T) {
	s := startDemo(t, "")
	c := s.clerk(t, browser.Start(t))
	c.tabTo("login")
	c.Type("unit\tTianbao-2022\n")
	c.Wait(`location.pathname === "/" && document.readyState === "complete"`)
	c.tabTo("报表管理")
	c.Press("Enter")
	c.Wait(`location.pathname === "/reports" && document.readyState === "complete"`)
	c.tabTo("预算管理一体化")
	c.Press("Enter")
	c.Wait(`location.pathname.startsWith("/reports/")`)
	c.ready()

	// 2.1 1: the sheet has the keyboard. Tab goes on; D is chosen from its list.
	c.fillByKeys(manualRows[0])
	for i, want := range manualRows[0] {
		if got := c.value(1, string(rune('A'+i))); got != want {
			t.Fatalf("cell %c1 holds %q, want %q", 'A'+i, got, want)
		}
	}
	c.Press("Ctrl+s")
	c.toast("已提交，共 1 行")

	// 2.1 5–6: a row below, by Ctrl+=.
	c.dismiss()
	c.Press("Ctrl+=", "Home")
	c.fillByKeys(manualRows[1])
	c.Press("Ctrl+s")
	c.toast("已提交，共 2 行")
	for i, want := range manualRows[1] {
		if got := c.value(2, string(rune('A'+i))); got != want {
			t.Errorf("cell %c2 holds %q, want %q", 'A'+i, got, want)
		}
	}

	// 2.1 7: Ctrl+- takes the row off the screen, 提交 makes it so.
	c.dismiss()
	c.Press("Ctrl+-")
	if got := len(s.client(t, "unit").sheet(c.report()).Rows); got != 2 {
		t.Errorf("deleting on the screen changed the stored sheet: %d rows", got)
	}
	c.Press("Ctrl+s")
	c.toast("已提交，共 1 行")
	c.dismiss()
	c.Press("Ctrl+-", "Ctrl+s")
	c.toast("已提交，共 0 行")

	// 2.2: Esc and Tab leave the sheet; the buttons are reached by Tab.
	c.leave("export")
	c.Press("Enter")
	path := c.downloaded()
	c.importByKeys(fillWorkbook(t, path, []int{1, 2, 3, 4}, four(1)), 0)
	c.tally(4, 0, 0)
	c.tabTo("import-apply")
	c.Press("Enter")
	c.toast("已导入到表中：新增 4 行")
	c.Press("Ctrl+s")
	c.toast("已提交，共 4 行")

	// 2.2 7: other people numbered 1–4: 智能合并 keeps all, 按序号 asks.
	other := fillWorkbook(t, path, []int{1, 2, 3, 4}, four(11))
	c.importByKeys(other, 2)
	c.tally(0, 4, 0)
	c.Press("Escape")
	c.Wait(`!document.getElementById("import-dialog").open`)
	if c.rows() != 4 {
		t.Errorf("a cancelled import changed the screen: %d rows", c.rows())
	}
	c.importByKeys(other, 0)
	c.tally(4, 0, 0)
	c.tabTo("import-apply")
	c.Press("Enter")
	c.toast("已导入到表中：新增 4 行")
	c.Press("Ctrl+s")
	c.toast("已提交，共 8 行")

	// Renumbered 5–8 over four rows, under 按序号.
	c.keepFirst(4)
	c.importByKeys(fillWorkbook(t, path, []int{5, 6, 7, 8}, four(11)), 2)
	c.tally(4, 0, 0)
	c.tabTo("import-apply")
	c.Press("Enter")
	c.toast("已导入到表中：新增 4 行")
	c.Press("Ctrl+s")
	c.toast("已提交，共 8 行")

	// 上报.
	c.dismiss()
	c.leave("report")
	c.Press("Enter")
	c.Wait(`document.getElementById("ask-dialog").open`)
	c.tabTo("ask-yes")
	c.Press("Enter")
	c.toast("已上报，回执编号 TB")
}

// fillByKeys types a row from the active cell on; the name by an input method, the
// type from its list.
func (c *clerk) fillByKeys(row []string) {
	c.t.Helper()
	for i, v := range row {
		switch i {
		case 3:
			c.Press("Alt+ArrowDown", "ArrowDown")
			for n := 0; v != types[n]; n++ {
				c.Press("ArrowDown")
			}
			c.Press("Tab")
			continue
		case 5:
			c.Compose().Letters("zhangsan").Commit(" ", v)
		default:
			c.Insert(v)
		}
		if i < len(row)-1 {
			c.Press("Tab")
		}
	}
	c.Press("Enter")
	c.Press("ArrowUp") // Enter went to the next row, if there is one
}

// types is the list of column D.
var types = []string{"主管部门", "行政单位", "事业单位"}

// leave leaves the sheet by Esc and Tab and goes to the button.
func (c *clerk) leave(id string) {
	c.t.Helper()
	c.Press("Escape")
	c.tabTo(id)
}

// importByKeys opens the dialog and chooses the mode by arrows; the file comes as
// from the system's own dialog, which no test can type into.
func (c *clerk) importByKeys(path string, mode int) {
	c.t.Helper()
	c.dismiss()
	c.leave("import")
	c.Press("Enter")
	c.Wait(`document.getElementById("import-dialog").open`)
	c.choose("#import-file", path)
	c.Wait(`document.querySelector("#import-preview .tally")`)
	c.Press("Tab") // from the file to the modes; an earlier choice is remembered
	for range 4 {
		if browser.Eval[int](c.Page, `[...document.querySelectorAll('#import-form input[name="mode"]')].findIndex((r) => r.checked)`) == mode {
			break
		}
		c.Press("ArrowDown")
	}
	c.Wait(`document.querySelector("#import-preview .tally")`)
}

// The session ends while a clerk fills in; she signs in again in another window,
// comes back, and 提交 saves what she had typed.
func TestSignedInAgainElsewhere(t *testing.T) {
	s := startDemo(t, "")
	b := browser.Start(t)
	c := s.clerk(t, b)
	c.signInByMouse("unit")
	c.Go(s.url + "/reports")
	c.Click(".tree-button")
	c.Wait(`location.pathname.startsWith("/reports/")`)
	c.ready()
	c.clickCell(1, "B")
	c.Insert("没有提交的单位")
	c.Press("Enter")
	// A new password ends all sessions of the account, this page's too.
	admin := s.client(t, "admin")
	admin.must("POST", "/users/"+admin.userID("unit")+"/password", map[string]string{}, nil)
	c.Click("#submit")
	c.Wait(`document.getElementById("again-password")`)
	c.Press("Escape") // the clerk signs in elsewhere instead
	c.Wait(`!document.getElementById("ask-dialog").open`)
	var out struct{ Password string }
	admin.must("POST", "/users/"+admin.userID("unit")+"/password", map[string]string{}, &out)
	again := s.clerk(t, b)
	again.Click("#login")
	again.Type("unit")
	again.Click("#password")
	again.Type(out.Password)
	again.Press("Enter")
	again.Wait(`location.pathname === "/" && document.readyState === "complete"`)
	c.Click("#submit")
	c.toast("已提交，共 1 行")
	if got := c.value(1, "B"); got != "没有提交的单位" {
		t.Errorf("the cell holds %q", got)
	}
}

// Two clerks on one sheet: the second is shown both values of the same cell and
// decides; the rest of both is kept.
func TestTwoClerksOnOneSheet(t *testing.T) {
	s := startDemo(t, "")
	b := browser.Start(t)
	program := s.client(t, "dept")
	rep := s.client(t, "unit").ownReport()
	program.save(rep.ID, 0, inserts(0, 3))
	c := s.clerk(t, b)
	c.signInByMouse("unit")
	c.Go(s.url + "/reports/" + rep.ID)
	c.ready()
	rows := program.sheet(rep.ID).Rows
	for _, cell := range []struct {
		row         int
		letter, new string
	}{{1, "E", "user0-new"}, {2, "F", "单位改的"}, {3, "F", "删除前改的"}} {
		c.clickCell(cell.row, cell.letter)
		c.Insert(cell.new)
		c.Press("Enter")
	}
	program.save(rep.ID, 1, []change{
		{"op": "edit", "row": rows[0].ID, "cells": map[string]string{"person_name": "部门改的"}},
		{"op": "edit", "row": rows[1].ID, "cells": map[string]string{"person_name": "部门也改了"}},
		{"op": "delete", "row": rows[2].ID},
	})
	c.Click("#submit")
	c.Wait(`document.getElementById("ask-dialog").open`)
	c.Screenshot("conflicts")
	text := browser.Eval[string](c.Page, `document.getElementById("ask-body").textContent`)
	for _, want := range []string{"部门经办人", "部门也改了", "单位改的", "删除"} {
		if !strings.Contains(text, want) {
			t.Errorf("the question does not show %q: %s", want, text)
		}
	}
	c.Click(`input[name="clash-0"][value="mine"]`)
	c.Click(`input[name="clash-1"][value="theirs"]`)
	c.Click("#ask-yes")
	c.toast("已提交，共 2 行")
	got := program.sheet(rep.ID).Rows
	if len(got) != 2 || got[0].Values[4] != "user0-new" || got[0].Values[5] != "部门改的" || got[1].Values[5] != "单位改的" {
		t.Errorf("stored: %v", got)
	}
}

// A file too long for the screen is imported by the server in the background, from
// the page, and the sheet then shows it.
func TestLongFileFromThePage(t *testing.T) {
	s := startDemo(t, "")
	rep := s.client(t, "city").ownReport()
	c := s.clerk(t, browser.Start(t))
	c.signInByMouse("city")
	c.Go(s.url + "/reports/" + rep.ID)
	c.ready()
	path := filepath.Join(t.TempDir(), "全市.xlsx")
	if err := os.WriteFile(path, bigBook(t, 20_500), 0o600); err != nil {
		t.Fatal(err)
	}
	c.importFile(path, "append")
	c.Wait(`document.getElementById("import-apply").textContent.includes("后台进行") && !document.getElementById("import-apply").disabled`)
	c.Click("#import-apply")
	c.Wait(`document.querySelector("#import-preview progress") || document.querySelector(".toast")`)
	c.Screenshot("background")
	for range 20 { // the race detector makes it slow
		if browser.Eval[int](c.Page, `document.querySelectorAll(".toast").length`) > 0 {
			break
		}
		time.Sleep(time.Second)
	}
	c.toast("已导入并提交：新增 20500 行")
	const all = `document.querySelector("tb-sheet").rows().length === 20500`
	for range 60 { // the rows come window by window
		if browser.Eval[bool](c.Page, all) {
			break
		}
		time.Sleep(time.Second)
	}
	c.Wait(all)
}
