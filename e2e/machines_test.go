package e2e

import (
	"strconv"
	"testing"

	"tianbao/internal/browser"
)

// The same person has the sheet open at two machines, and both hold the new rows of one
// draft: they are submitted once, whoever submits first, and no cell of either is lost.
func TestOneDraftAtTwoMachines(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		api, rep := s.began(t, 2)
		c := s.openAs(t, browser.Start(t), "dept", rep.ID)
		n := c.rows()
		grow := func(c *clerk, row int, name string) {
			c.clickCell(row-1, "F")
			c.Press("Ctrl+=")
			c.Frame()
			c.put(row, "F", name)
		}
		grow(c, n+1, "甲示例")
		c.put(n+1, "E", "user1")
		c.kept("本机和服务器")
		o := s.openAs(t, browser.Start(t), "dept", rep.ID)
		o.banner("已经恢复")
		if o.value(n+1, "F") != "甲示例" {
			t.Fatalf("restored: %q", o.value(n+1, "F"))
		}
		// Each goes on by itself; the other one submits while this one is away.
		o.put(n+1, "H", person(91)["phone"])
		grow(o, n+2, "乙示例")
		o.Offline(true)
		grow(c, n+2, "丙示例")
		c.Click("#submit")
		c.toast("已提交")
		o.Offline(false)
		o.Wait(`document.querySelector("tb-sheet").rows().length === ` + strconv.Itoa(n+3))
		if o.value(n+1, "H") != person(91)["phone"] || o.value(n+1, "E") != "user1" {
			t.Errorf("the shared row is E %q, H %q", o.value(n+1, "E"), o.value(n+1, "H"))
		}
		o.Screenshot("two-machines")
		o.Click("#submit")
		o.toast("已提交")
		c.Wait(`document.querySelector("tb-sheet").rows().length === ` + strconv.Itoa(n+3))
		names := map[string]int{}
		for _, row := range api.sheet(rep.ID).Rows {
			names[row.Values[5]]++
			if row.Values[5] == "甲示例" && (row.Values[4] != "user1" || row.Values[7] != person(91)["phone"]) {
				t.Errorf("the shared row is stored as %v", row.Values)
			}
		}
		for _, name := range []string{"甲示例", "乙示例", "丙示例"} {
			if names[name] != 1 {
				t.Errorf("%s is stored %d times", name, names[name])
			}
		}
		o.Do(`complaints.length = 0`) // the browser notes requests without a network
	})
}
