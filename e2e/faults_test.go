package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao/internal/browser"
)

// mark returns what a cell says of its faults, and how grave they are.
func (c *clerk) mark(row int, letter string) string {
	c.t.Helper()
	return browser.Eval[string](c.Page, `(() => {
		const e = document.querySelector(`+browser.JS(cellSelector(row, letter))+`);
		return [e.dataset.fault, e.getAttribute("aria-description")].filter(Boolean).join(" ");
	})()`)
}

// listed returns the lines of the fault list, group by group.
func (c *clerk) listed() []string {
	c.t.Helper()
	c.Frame()
	return browser.Eval[[]string](c.Page, `[...document.querySelectorAll(".fault-group:not([hidden])")].flatMap((g) => [
		"# " + g.querySelector("h3").textContent + " " + g.querySelector(".badge").textContent,
		...[...g.querySelectorAll("li")].map((li) => li.querySelector(".fault-place").textContent + " " + li.querySelector(".fault-text").textContent)])`)
}

func (c *clerk) counts() string {
	c.t.Helper()
	c.Frame()
	return strings.TrimSpace(browser.Eval[string](c.Page, `document.getElementById("count-faults").innerText`))
}

// answers counts the answers to checks that came since the page was opened.
const countAnswers = `window.checks = 0; const plain = window.fetch; window.fetch = async (...a) => {
	const res = await plain(...a); if (String(a[0]).endsWith("/check")) setTimeout(() => checks++, 50); return res; }`

// Faults are seen as soon as a cell is left, before the server was asked, also those
// between rows; its answer changes nothing; the list leads to them.
func TestFaultsAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		api := s.client(t, "unit")
		rep := api.ownReport()
		api.save(rep.ID, rep.Version, inserts(1, 5))
		c := s.clerk(t, browser.Start(t))
		c.signInByMouse("unit")
		c.Go(s.url + "/reports/" + rep.ID)
		c.ready()
		c.Do(countAnswers)

		c.clickCell(1, "G")
		wrong := residentID(1)[:17] + "Y"
		c.Insert(wrong)
		c.Press("Enter")
		c.Frame()
		if got := c.mark(1, "G"); !strings.HasPrefix(got, "error 错误：末位是“Y”，应为数字或字母X") {
			t.Errorf("mark of G1 = %q", got)
		}
		c.clickCell(3, "F")
		c.Insert("李四")
		c.Press("Tab")
		c.Insert(residentID(2)) // the person of row 2, under another name
		c.Press("Enter")
		c.Frame()
		if got := c.mark(3, "F"); !strings.HasPrefix(got, "error 错误：本行与第2行的身份证号码相同而姓名不同") {
			t.Errorf("mark of F3 = %q", got)
		}
		c.clickCell(4, "H")
		c.Insert("024-23861234")
		c.Press("Enter")
		c.Frame()
		if n := browser.Eval[int](c.Page, `checks`); n > 0 {
			t.Logf("the server answered %d times meanwhile: this run proves less", n)
		}
		c.Do(`document.getElementById("faults").hidden = false; document.getElementById("faults-list").dispatchEvent(new Event("focusout"))`)
		c.clickCell(4, "A")
		before, counted := c.listed(), c.counts()
		c.Wait(`checks > 0`)
		if d := cmp.Diff(before, c.listed()); d != "" {
			t.Errorf("before and after the server's answer:\n%s", d)
		}
		if got := c.counts(); got != counted {
			t.Errorf("counts %q, after the server's answer %q", counted, got)
		}

		// Above row 2 a row comes in: the words name the rows as they are now.
		c.clickCell(1, "A")
		c.Press("Ctrl+=")
		c.Frame()
		if got := c.mark(4, "F"); !strings.Contains(got, "与第3行") {
			t.Errorf("mark of F4 = %q", got)
		}
		c.Press("Ctrl+z")

		c.Click("#check")
		c.toast("校验完成")
		c.Wait(`document.querySelectorAll(".fault").length > 0`)
		for i, line := range c.listed() {
			t.Log(i, line)
		}
		c.Screenshot("faults")

		// F8 goes through the sheet, and the list follows.
		c.clickCell(1, "A")
		c.Press("F8")
		c.Frame()
		if got := browser.Eval[string](c.Page, `document.querySelector(".fault[aria-current] .fault-place").textContent`); got != "第1行 G列" {
			t.Errorf("after F8 the list stands at %q", got)
		}
		// Enter on an entry leads to its cell, and the keyboard is in the sheet.
		c.Do(`[...document.querySelectorAll(".fault")].find((b) => b.textContent.includes("第3行 F列")).focus()`)
		c.Press("Enter")
		c.Frame()
		if got := browser.Eval[string](c.Page, `document.activeElement.getAttribute("aria-label")`); !strings.HasPrefix(got, "第3行 F列") {
			t.Errorf("after Enter the focus is on %q", got)
		}
		// A group folds, and stays so when the list is drawn anew.
		c.Do(`document.querySelector(".fault-group summary").focus()`)
		c.Press("Enter")
		c.clickCell(2, "E")
		c.Frame()
		if browser.Eval[bool](c.Page, `document.querySelector(".fault-group").open`) {
			t.Error("the group does not fold")
		}
	})
}

// A fault that asks for a reason takes it at its cell, by keyboard and input method,
// and in its line of the list; both are saved with the sheet.
func TestReasonInPlace(t *testing.T) {
	s := startDemo(t, "")
	api := s.client(t, "unit")
	rep := api.ownReport()
	changes := inserts(1, 4)
	// Two units below the school, whose codes ask for a reason.
	city := s.client(t, "city")
	for name, code := range map[string]string{"示例企业": "91210100600000000E", "示例协会": "D2143569X"} {
		city.must("POST", "/units/"+rep.Owner+"/changes", map[string]string{"act": "create", "unit_name": name, "org_code": code, "budget_code": unitBudget + code[:3], "unit_type": "事业单位", "kind": "基层单位"}, nil)
	}
	for i := range changes {
		cells := person(i + 1)
		cells["org_code"] = []string{"91210100600000000E", "D2143569X", "91210100600000000E"}[i]
		cells["unit_name"] = []string{"示例企业", "示例协会", "示例企业"}[i]
		cells["budget_code"] = ""
		changes[i]["cells"] = cells
	}
	api.save(rep.ID, rep.Version, changes)
	c := s.clerk(t, browser.Start(t))
	c.signInByMouse("unit")
	c.Go(s.url + "/reports/" + rep.ID)
	c.ready()
	c.Wait(`document.querySelector("[data-fault=justify]")`)
	if got := c.mark(1, "C"); !strings.Contains(got, "按 Ctrl+M 说明情况") {
		t.Errorf("mark of C1 = %q", got)
	}

	c.clickCell(1, "C")
	c.Press("Ctrl+m")
	c.Type("abc")
	c.Press("Enter") // too short: the box stays
	if got := browser.Eval[string](c.Page, `document.querySelector(".reason-box .muted").textContent`); got != "还差 3 个字" {
		t.Errorf("with a short reason the box says %q", got)
	}
	c.Press("Escape")
	c.Frame()
	if got := browser.Eval[string](c.Page, `!document.querySelector(".reason-box") + document.activeElement.className`); got != "truetbs-input" {
		t.Errorf("after Esc: %q", got)
	}
	c.Press("Ctrl+m")
	// Enter belongs to the input method while it composes.
	c.Compose().Letters("benbumenxiashu").Key("Enter").Commit("Enter", "本部门下属企业代管资产")
	if browser.Eval[bool](c.Page, `!document.querySelector(".reason-box")`) {
		t.Fatal("the input method's Enter closed the box")
	}
	c.Screenshot("reason")
	c.Press("Enter")
	c.Frame()
	if got := c.mark(1, "C"); !strings.HasPrefix(got, "hint ") || !strings.Contains(got, "已说明：本部门下属企业代管资产") {
		t.Errorf("mark of C1 = %q", got)
	}

	// In the list.
	c.Click("#check")
	c.toast("校验完成")
	c.Wait(`document.querySelectorAll(".reason-text").length === 3`)
	c.Do(`[...document.querySelectorAll("#faults .reason-text")][1].focus()`)
	c.Type("no new code was given")
	c.Press("Enter")
	c.Wait(`document.querySelectorAll("#faults .reason-text")[1].value === "no new code was given"`)
	c.Screenshot("reasons")
	c.Press("Tab") // the list takes leave of the field without losing it
	c.Click("#submit")
	c.toast("已提交")

	c.Go(s.url + "/reports/" + rep.ID)
	c.ready()
	c.Wait(`document.querySelector("[data-fault=justify]")`)
	for row, want := range map[int]string{1: "hint 提示：代码首位", 2: "hint 提示：这是9位的旧组织机构代码", 3: "justify 需说明"} {
		if got := c.mark(row, "C"); !strings.HasPrefix(got, want) {
			t.Errorf("mark of C%d = %q, want %q", row, got, want)
		}
	}
}
