package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"tianbao/internal/browser"
)

// opens presses Enter on what Tab reaches under these words, and waits for the page.
func (c *clerk) opens(words, path string) {
	c.t.Helper()
	c.tabTo(words)
	c.Do(`document.documentElement.id = "before"`)
	c.Press("Enter")
	c.Wait(`document.documentElement && document.documentElement.id !== "before" && document.readyState === "complete" && location.pathname.startsWith(` + browser.JS(path) + `)`)
}

// beyond goes on by Tab until the words are reached, through the sheet where it lies in
// between: Esc and Tab leave it.
func (c *clerk) beyond(words string) {
	c.t.Helper()
	for range 90 {
		at := c.focused()
		if strings.HasPrefix(at, words) {
			return
		}
		if at == "TEXTAREA" {
			c.Press("Escape")
		}
		c.Press("Tab")
	}
	c.t.Fatalf("Tab does not reach %q; it stands on %q", words, c.focused())
}

// What TestManualByKeyboard leaves of the manual: notices with their files and help, the fault list and
// its explanations, history and undo, receipts, the annotated copy, a workbook with a
// password, a new password of one's own, and the administrator's accounts. Nothing here is clicked.
func TestRestOfTheManualByKeyboard(t *testing.T) {
	s := startDemo(t, "")
	c := s.clerk(t, browser.Start(t))
	unit := s.client(t, "unit")
	rep := unit.ownReport()
	rows := inserts(0, 3)
	rows[0]["cells"].(map[string]string)["org_code"] = "123456788" // an old code: to be explained
	rows[1]["cells"].(map[string]string)["person_id"] = "12345"
	unit.save(rep.ID, 0, rows)
	c.tabTo("login")
	c.Type("unit\tTianbao-2022\n")
	c.Wait(`location.pathname === "/" && document.readyState === "complete"`)

	// 2.2: a notice and its attachments; the manual.
	c.opens("消息公告", "/notices")
	c.opens("关于", "/notices/")
	c.tabTo("附件1")
	c.Press("Enter")
	c.attachment()
	c.opens("帮助", "/help")
	c.opens("报表管理", "/reports")
	c.opens("预算管理一体化", "/reports/")
	c.ready()

	// 5: 数据校验, the list of problems; a problem leads to its cell, F8 to the next.
	c.leave("check")
	c.Press("Enter")
	c.toast("校验完成")
	c.beyond("第2行")
	c.Press("Enter")
	c.Wait(`document.querySelector("tb-sheet").contains(document.activeElement)`)
	c.Press("Shift+F8")
	c.dismiss()
	// What is to be explained takes its reason at the cell.
	c.Press("Ctrl+m")
	c.Insert("单位改制，新代码正在办理")
	c.Press("Enter")
	c.Wait(`[...document.querySelectorAll("#faults .reason-text")].some((e) => e.value.includes("新代码正在办理"))`)
	c.beyond("faults-close")
	c.Press("Enter")
	c.Wait(`document.getElementById("faults").hidden`)

	// 3.5 and 3.6: what was deleted comes back by its message.
	c.beyond("submit")
	c.Press("Enter")
	c.toast("已提交，共 3 行")
	c.dismiss()

	// 4.8: the annotated copy of a file with a fault.
	c.importByKeys(writeCSV(t), 0)
	c.tabTo("下载批注副本")
	c.Press("Enter")
	c.downloaded()
	c.Press("Escape")

	// 4.6: a workbook with a password, which is wrong at first.
	c.leaveDialog()
	c.beyond("import")
	c.Press("Enter")
	c.Wait(`document.getElementById("import-dialog").open`)
	c.choose("#import-file", writeLocked(t, "Mima-2022"))
	field := `document.querySelector("#import-preview input[type=password]")`
	c.Wait(`document.activeElement === ` + field)
	c.Do(`window.first = ` + field)
	c.Type("falsch\n")
	c.Wait(field + ` && ` + field + ` !== window.first && document.activeElement === ` + field)
	c.Type("Mima-2022\n")
	c.Wait(`document.querySelector("#import-preview .tally")`)
	c.Press("Escape")

	// 6: receipts; 7: history, an item, and taking back.
	c.leaveDialog()
	c.opens("回执", "/reports/"+rep.ID+"/receipts")
	c.opens("TB", "/reports/"+rep.ID+"/receipts/")
	c.opens("回到填报", "/reports/"+rep.ID)
	c.ready()
	c.Press("Escape")
	c.opens("历史", "/reports/"+rep.ID+"/history")
	c.tabTo("逐项查看")
	c.Press("Enter")
	c.Wait(`document.querySelector(".timeline details").open`)
	c.opens("撤销…", "/reports/"+rep.ID+"/history/")
	c.opens("确定撤销", "/reports/"+rep.ID+"/history")
	if got := s.client(t, "unit").sheet(rep.ID).Report.Version; got != 3 {
		t.Errorf("after taking back the sheet has version %d, want 3", got)
	}

	// 2.1: the own password; then the administrator's accounts (11).
	c.opens("单位经办人", "/password")
	c.tabTo("old")
	c.Type("Tianbao-2022\tXin-2022-mima\tXin-2022-mima")
	c.opens("保存新密码", "/signin")
	c.tabTo("login")
	c.Type("admin\tTianbao-2022\n")
	c.Wait(`location.pathname === "/" && document.readyState === "complete"`)
	c.opens("用户管理", "/users")
	c.tabTo("新建账号")
	c.Press("Enter")
	c.tabTo("login")
	c.Type("neuzhang\t新示例\t\t")
	c.opens("建立账号", "/users")
	if got := c.text("main"); !strings.Contains(got, "neuzhang") {
		t.Errorf("the new account is not shown: %.300s", got)
	}
	c.opens("用户管理", "/users")
	c.beyond("重设密码…")
	c.Press("Enter")
	c.opens("确定重设密码", "/users/")
	if got := c.text(".facts .code:not(:first-child)"); got == "" && c.text(".facts") == "" {
		t.Error("no password is shown")
	}
}

// attachment waits for a file that is no workbook of ours, and takes it away.
func (c *clerk) attachment() {
	c.t.Helper()
	if err := os.Remove(c.downloaded()); err != nil {
		c.t.Error(err)
	}
}

// writeLocked writes a workbook that opens with a password.
func writeLocked(t *testing.T, password string) string {
	t.Helper()
	f := excelize.NewFile()
	for i, title := range []string{"单位预算编码", "单位名称", "组织机构代码", "单位类型", "原用户名", "姓名", "身份证号码", "联系方式"} {
		cell, err := excelize.CoordinatesToCellName(i+1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.SetCellStr("Sheet1", cell, title), f.SetCellStr("Sheet1", cell[:1]+"2", "甲示例")); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "locked.xlsx")
	if err := f.SaveAs(path, excelize.Options{Password: password}); err != nil {
		t.Fatal(err)
	}
	return path
}

// leaveDialog waits until the page has the keyboard again after a dialog.
func (c *clerk) leaveDialog() {
	c.t.Helper()
	c.Wait(`!document.querySelector("dialog[open]")`)
}
