package uitest

import (
	"strings"
	"testing"

	"tianbao/internal/browser"
)

func TestDropdown(t *testing.T) {
	b := start(t)
	base := serve(t)
	tests := []struct {
		name string
		do   func(s sheet)
		want string
		then string
	}{
		{"alt down, arrows, enter", func(s sheet) { s.Press("Alt+ArrowDown", "ArrowDown", "ArrowDown", "Enter") }, "行政单位", "D3"},
		{"F2, arrows, enter", func(s sheet) { s.Press("F2", "ArrowUp", "Enter") }, "事业单位", "D3"},
		{"a digit", func(s sheet) { s.Type("3\n") }, "事业单位", "D3"},
		{"initials", func(s sheet) { s.Type("xz\n") }, "行政单位", "D3"},
		{"initials in capitals, tab", func(s sheet) { s.Type("ZG\t") }, "主管部门", "E2"},
		{"part of the word", func(s sheet) { s.Insert("事业"); s.Press("Enter") }, "事业单位", "D3"},
		{"typed in full", func(s sheet) { s.Insert("行政单位"); s.Press("Enter") }, "行政单位", "D3"},
		{"an unknown value is kept", func(s sheet) { s.Insert("主要部门"); s.Press("Enter") }, "主要部门", "D3"},
		{"filter, then arrows among the rest", func(s sheet) { s.Insert("单位"); s.Press("ArrowDown", "Enter") }, "事业单位", "D3"},
		{"escape leaves it as it was", func(s sheet) { s.Press("Alt+ArrowDown", "ArrowDown", "Escape") }, "", "D2"},
		{"opened and left", func(s sheet) { s.Press("Alt+ArrowDown", "Enter") }, "", "D3"},
		{"a click on the arrow, a click on the choice", func(s sheet) {
			x, y := s.place("D2")
			w := browser.Eval[float64](s.Page, `document.querySelector('.tbs-row [data-c="3"]').getBoundingClientRect().width`)
			s.ClickAt(x+w/2-8, y)
			s.Click(`.tbs-option:nth-child(2)`)
		}, "行政单位", "D2"},
		{"delete clears", func(s sheet) { s.Type("1\n"); s.Press("ArrowUp", "Delete") }, "", "D2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, b, base, 6)
			s.click("D2")
			tt.do(s)
			s.want("D2="+tt.want, "D1=", "D3=", "E2=E2")
			s.wantActive(tt.then)
		})
	}

	t.Run("the focus stays in the text area and the list is named", func(t *testing.T) {
		s := open(t, b, base, 6)
		s.click("D2")
		s.Press("Alt+ArrowDown", "ArrowDown")
		got := browser.Eval[string](s.Page, `(() => {
			const a = document.activeElement;
			const option = document.getElementById(a.getAttribute("aria-activedescendant"));
			return a.className + " " + option.getAttribute("role") + " " + option.textContent;
		})()`)
		if got != "tbs-input option 1主管部门" {
			t.Errorf("focus and option = %q", got)
		}
		s.Screenshot("dropdown")
	})

	t.Run("the list opens upward where there is no room below", func(t *testing.T) {
		s := open(t, b, base, 60)
		s.Do(`sheet.goTo("r60", "d")`)
		s.Press("Alt+ArrowDown")
		inside := browser.Eval[bool](s.Page, `(() => {
			const list = document.querySelector(".tbs-drop").getBoundingClientRect();
			const all = sheet.getBoundingClientRect();
			return list.height > 60 && list.top >= all.top && list.bottom <= all.bottom;
		})()`)
		if !inside {
			t.Error("the list is cut off")
		}
	})
}

// setFaults marks three cells and a row.
const setFaults = `sheet.setFaults([
	{ row: "r2", key: "c", severity: "error", code: "org_code.checksum", message: "校验码不对，请核对。" },
	{ row: "r3", key: "h", severity: "hint", code: "phone.landline", message: "座机不能登录。" },
	{ row: "r3", key: "h", severity: "justify", code: "x", message: "请说明原因。" },
	{ row: "r5", key: "", severity: "error", code: "row.duplicate", message: "与第2行重复。" },
	{ row: "gone", key: "b", severity: "error", code: "x", message: "不显示" },
]);`

// marks lists the marked cells in view: "C2 error".
const marks = `[...document.querySelectorAll(".tbs-row:not([hidden]) > [data-fault]")].map((e) =>
	(e.hasAttribute("data-num") ? "#" : "ABCDEFGH"[e.dataset.c]) + (e.parentElement.getAttribute("aria-rowindex") - 2) +
	" " + e.dataset.fault + (e.hasAttribute("data-stale") ? " stale" : "")).sort().join(", ")`

func TestFaults(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 40)
	s.click("B1")
	s.Do(setFaults)
	check := func(want string) {
		t.Helper()
		s.Frame()
		if got := browser.Eval[string](s.Page, marks); got != want {
			t.Errorf("marks = %s, want %s", got, want)
		}
	}
	check("#5 error, C2 error, H3 justify")

	// They stay on their rows when a row is inserted above, and when rows are saved.
	s.Press("Ctrl+Home", "Ctrl+=")
	check("#6 error, C3 error, H4 justify")
	s.Press("ArrowRight")
	s.Type("n\n")
	s.Do(`sheet.committed({ [sheet.rows()[1].id]: "r100" })`)
	check("#6 error, C3 error, H4 justify")

	// F8 goes round, Shift+F8 back.
	s.Press("F8")
	s.wantActive("C3")
	tip := browser.Eval[string](s.Page, `(() => {
		const a = document.activeElement;
		const tip = document.getElementById(a.getAttribute("aria-describedby"));
		return [a.getAttribute("aria-invalid"), tip.hidden, tip.textContent, document.querySelector("tb-sheet [aria-live]").textContent].join("|");
	})()`)
	if want := "true|false|错误：校验码不对，请核对。|第3行 C列 组织机构代码 C2，错误：校验码不对，请核对。"; tip != want {
		t.Errorf("tooltip and announcement = %s, want %s", tip, want)
	}
	s.Screenshot("fault")
	s.Press("F8")
	s.wantActive("H4")
	s.Press("F8")
	s.wantActive("A6")
	s.Press("F8")
	s.wantActive("C3")
	s.Press("Shift+F8")
	s.wantActive("A6")
	s.Do(`sheet.nextFault(-1)`)
	s.wantActive("H4")

	// A changed cell is told apart until the next verdict; undo takes that back.
	s.Do(`sheet.goTo("r2", "c")`)
	s.Type("9\n")
	check("#6 error, C3 error stale, H4 justify")
	s.Press("Ctrl+z")
	check("#6 error, C3 error, H4 justify")

	aria := browser.Eval[string](s.Page, `(() => {
		const e = document.querySelector('[data-fault="justify"]');
		return e.getAttribute("aria-invalid") + "|" + e.getAttribute("aria-description");
	})()`)
	if aria != "true|提示：座机不能登录。；需说明：请说明原因。" {
		t.Errorf("cell says %s", aria)
	}
	s.Do(`sheet.setFaults([])`)
	check("")
	if got := s.heard(); len(got) != 0 {
		t.Errorf("notices: %q", strings.Join(got, "|"))
	}
}
