package uitest

import (
	"testing"
	"time"

	"tianbao/internal/browser"
)

// register lets columns A, B and C of a sheet suggest units. "慢…" answers late,
// "坏" fails; every question is kept in window.asked.
const register = `
	const units = [
		["001", "辽宁省中医院", "12210000A", "事业单位"], ["002", "辽宁省中医药学会", "12210000B", ""], ["003", "沈阳市图书馆", "", "事业单位"],
	];
	window.asked = [];
	const suggest = async (text) => {
		asked.push(text);
		if (text === "坏") throw new Error("no network");
		if (text.startsWith("慢")) await new Promise((ok) => setTimeout(ok, 400));
		return units.filter((u) => !text || text === "lnszy" ? true : u.join().includes(text.replace("慢", ""))).map((u) => {
			const cells = { b: u[1] };
			if (u[0]) cells.a = u[0];
			if (u[2]) cells.c = u[2];
			return { text: u[1], note: u[0], cells, blanks: u[3] ? { d: u[3] } : {} };
		});
	};
	const rows = sheet.rows();
	sheet.columns = sheet.columns.map((c) => ("abc".includes(c.key) ? { ...c, readonly: false, suggest } : c));
	sheet.setRows(rows);
	await new Promise((ok) => requestAnimationFrame(() => requestAnimationFrame(ok)));
`

const (
	listOpen   = `document.querySelector('[aria-label="建议"]')?.hidden === false`
	listClosed = `document.querySelector('[aria-label="建议"]')?.hidden !== false`
)

func TestPicker(t *testing.T) {
	b := start(t)
	base := serve(t)
	wait := func(s sheet) { s.t.Helper(); s.Wait(listOpen) }
	tests := []struct {
		name string
		do   func(s sheet)
		want []string
		then string
	}{
		{"arrow and Enter fill the row", func(s sheet) {
			s.Type("lnszy")
			wait(s)
			s.Press("ArrowDown", "ArrowDown", "Enter")
		}, []string{"A2=002", "B2=辽宁省中医药学会", "C2=12210000B", "D2=", "E2=E2"}, "B3"},
		{"what the register knows beside goes into an empty cell", func(s sheet) {
			s.Type("lnszy")
			wait(s)
			s.Press("ArrowDown", "Tab")
		}, []string{"A2=001", "B2=辽宁省中医院", "C2=12210000A", "D2=事业单位"}, "C2"},
		{"what the register does not know stays", func(s sheet) {
			s.Insert("沈阳")
			wait(s)
			s.Press("ArrowDown", "Enter")
		}, []string{"A2=003", "B2=沈阳市图书馆", "C2=C2"}, "B3"},
		{"typed text is kept, whatever is offered", func(s sheet) {
			s.Insert("辽宁省")
			wait(s)
			s.Press("Enter")
		}, []string{"A2=A2", "B2=辽宁省", "C2=C2", "D2="}, "B3"},
		{"Enter before the answer", func(s sheet) { s.Type("lnszy\n"); s.Type("x\n") }, []string{"B2=lnszy", "B3=x", "A2=A2"}, "B4"},
		{"an arrow before the answer commits and moves", func(s sheet) { s.Type("ln"); s.Press("ArrowDown") }, []string{"B2=ln"}, "B3"},
		{"escape closes the list, a second one gives up", func(s sheet) {
			s.Type("lnszy")
			wait(s)
			s.Press("ArrowDown", "Escape")
			s.Wait(listClosed)
			s.Type("g")
			s.Press("Escape")
			s.Wait(listClosed)
			s.Press("Escape")
		}, []string{"B2=B2", "A2=A2"}, "B2"},
		{"after escape the text is what was typed", func(s sheet) {
			s.Type("lnszy")
			wait(s)
			s.Press("ArrowDown", "Escape", "Enter")
		}, []string{"B2=lnszy", "A2=A2"}, "B3"},
		{"a click chooses", func(s sheet) {
			s.Type("lnszy")
			wait(s)
			s.Click(`[aria-label="建议"] .tbs-option:nth-child(2)`)
		}, []string{"A2=002", "B2=辽宁省中医药学会"}, "B2"},
		{"alt down asks without text", func(s sheet) {
			s.Press("Delete", "Alt+ArrowDown")
			wait(s)
			s.Press("ArrowDown", "Enter")
		}, []string{"B2=辽宁省中医院", "A2=001", "D2=事业单位"}, "B3"},
		{"alt down over a text, typing replaces it", func(s sheet) { s.Press("Alt+ArrowDown"); s.Type("x\n") }, []string{"B2=x"}, "B3"},
		{"Ctrl+Enter fills all selected rows", func(s sheet) {
			s.Press("Shift+ArrowDown")
			s.Type("lnszy")
			wait(s)
			s.Press("ArrowDown", "Ctrl+Enter")
		}, []string{"A2=001", "A3=001", "C3=12210000A", "D3=事业单位", "A4=A4"}, "B2 in B2:B3"},
		{"an answer that comes late is for an old text", func(s sheet) {
			s.Insert("慢辽")
			s.Wait(`asked.includes("慢辽")`)
			s.Press("Escape")
			s.Insert("沈阳")
			wait(s)
			time.Sleep(500 * time.Millisecond)
			s.Press("ArrowDown", "Enter")
		}, []string{"B2=沈阳市图书馆"}, "B3"},
		{"without an answer the text is kept", func(s sheet) {
			s.Insert("坏")
			s.Wait(`asked.includes("坏")`)
			s.Press("Enter")
		}, []string{"B2=坏"}, "B3"},
		{"pinyin composed onto the cell", func(s sheet) {
			m := s.Compose().Letters("shenyang")
			if browser.Eval[int](s.Page, `asked.length`) != 0 {
				s.t.Error("the letters of a composition were looked for")
			}
			m.Commit(" ", "沈阳")
			wait(s)
			s.Press("ArrowDown", "Enter")
		}, []string{"B2=沈阳市图书馆", "A2=003"}, "B3"},
		{"a composition goes on over an open list", func(s sheet) {
			s.Compose().Letters("liao").Commit(" ", "辽宁")
			wait(s)
			m := s.Compose().Letters("sheng")
			s.Wait(listClosed)
			m.Key("ArrowDown").Commit(" ", "省")
			wait(s)
			s.Press("Enter")
		}, []string{"B2=辽宁省", "A2=A2"}, "B3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, b, base, 6)
			s.Do(register)
			s.click("B1")
			s.Press("ArrowDown")
			tt.do(s)
			s.want(append(tt.want, "B1=B1", "A1=A1")...)
			s.wantActive(tt.then)
		})
	}

	t.Run("one undo step, and the focus stays where it is", func(t *testing.T) {
		s := open(t, b, base, 6)
		s.Do(register)
		s.click("C2")
		s.Type("1221")
		wait(s)
		s.Press("ArrowDown")
		got := browser.Eval[string](s.Page, `(() => {
			const a = document.activeElement;
			const option = document.getElementById(a.getAttribute("aria-activedescendant"));
			return a.className + " " + option.getAttribute("role") + " " + option.getAttribute("aria-selected") + " " + option.textContent;
		})()`)
		if want := "tbs-input option true 辽宁省中医院001"; got != want {
			t.Errorf("focus and option = %q, want %q", got, want)
		}
		s.Screenshot("picker")
		s.Press("Enter")
		s.want("A2=001", "B2=辽宁省中医院", "C2=12210000A", "D2=事业单位")
		s.Press("Ctrl+z")
		s.want("A2=A2", "B2=B2", "C2=C2", "D2=")
		s.Press("Ctrl+y")
		s.want("A2=001", "D2=事业单位")
	})

	t.Run("one question for a word typed at speed", func(t *testing.T) {
		s := open(t, b, base, 6)
		s.Do(register)
		s.click("B2")
		s.Type("lnszy")
		wait(s)
		if got := browser.Eval[string](s.Page, `asked.join()`); got != "lnszy" {
			t.Errorf("asked %s", got)
		}
	})
}
