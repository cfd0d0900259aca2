package uitest

import (
	"fmt"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

// tick ticks a value in the open panel of a column.
func (s sheet) tick(value string) {
	s.t.Helper()
	s.Click(fmt.Sprintf(`.tbs-menu input[value="%s"]`, value))
}

// act clicks a button of the open panel.
func (s sheet) act(words string) {
	s.t.Helper()
	s.Do(`[...document.querySelectorAll(".tbs-menu button")].find((b) => b.textContent === ` + browser.JS(words) + `).id = "wanted"`)
	s.Click("#wanted")
	s.Do(`document.querySelectorAll("#wanted").forEach((b) => b.removeAttribute("id"))`)
}

func (s sheet) focused() string {
	s.t.Helper()
	return browser.Eval[string](s.Page, `document.activeElement.className`)
}

func TestColumnMenu(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 1)
	s.Do(people)
	s.click("E1")
	s.Click(`[data-menu="3"]`)
	if got := browser.Eval[string](s.Page, `[...document.querySelectorAll(".tbs-menu-list label")].map((l) => l.textContent).join()`); got != "事业单位3,行政单位2,（空白）1" {
		t.Errorf("values = %s", got)
	}
	s.tick("事业单位")
	s.tick("")
	s.act("筛选")
	s.wantSeen("1 3 5 6")
	if got := s.focused(); got != "tbs-input" {
		t.Errorf("the focus is on %q after the panel closed", got)
	}
	// The other columns offer what is left; the text narrows it, and filters by itself.
	s.Click(`[data-menu="1"]`)
	s.Type("小学\n")
	s.wantSeen("1")
	s.click("E1")
	s.Press("ArrowRight")
	s.Press("Ctrl+Shift+l")
	if got := browser.Eval[string](s.Page, `document.querySelector(".tbs-menu").getAttribute("aria-label") + document.querySelectorAll(".tbs-menu-list label").length`); got != "F列 姓名1" {
		t.Errorf("the panel says %s", got)
	}
	s.Press("Escape")
	if got := s.focused(); got != "tbs-input" {
		t.Errorf("the focus is on %q after Esc", got)
	}
	s.Click(`[data-menu="1"]`)
	s.act("清除筛选")
	s.Click(`[data-menu="0"]`)
	s.act("降序")
	s.wantSeen("6 3 1 5")
	heads := `[...document.querySelectorAll(".tbs-title")].map((e) => (e.getAttribute("aria-sort") || "") + (e.getAttribute("aria-description") || "")).join()`
	if got := browser.Eval[string](s.Page, heads); got != "descending,,,已筛选,,,," {
		t.Errorf("heads say %s", got)
	}
	if got := browser.Eval[string](s.Page, `sheet.querySelector("[aria-live]").textContent`); got != "按单位预算编码降序，显示 4 行，共 6 行" {
		t.Errorf("said %q", got)
	}
	s.Click(`[data-menu="0"]`)
	s.act("原来的顺序")
	s.wantSeen("1 3 5 6")
	// The keyboard alone: the panel, a value, the button's key.
	s.Press("Ctrl+Shift+l", "Tab", "Tab", " ", "Enter")
	s.wantSeen("6")
	// A click elsewhere closes the panel.
	s.Click(`[data-menu="0"]`)
	s.click("E1")
	if browser.Eval[bool](s.Page, `!document.querySelector(".tbs-menu").hidden`) {
		t.Error("the panel stays open")
	}
}

// Typing Chinese into the panel's text does not filter by letters.
func TestColumnMenuIME(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 1)
	s.Do(people)
	s.Click(`[data-menu="1"]`)
	ime := s.Compose()
	ime.Letters("anquan")
	ime.Commit(" ", "安全")
	s.Press("Enter")
	s.wantSeen("2 5")
}

func TestGroupedNumbers(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 1)
	tests := []struct{ kind, stored, shown string }{
		{"id18", "210102199001019001", "210102 19900101 9001"},
		{"id18", "21010219900101900X", "210102 19900101 900X"},
		{"id18", "210102900101901", "210102900101901"},
		{"id18", "2101021990010190011", "2101021990010190011"},
		{"credit", "11210100MB1234567X", "11 210100 MB1234567 X"},
		{"credit", "MB1234567", "MB1234567"},
		{"phone", "16000001234", "160 0000 1234"},
		{"phone", "024-23456789", "024-23456789"},
		{"phone", "", ""},
		{"", "16000001234", "16000001234"},
	}
	for _, tt := range tests {
		s.Do(fmt.Sprintf(`sheet.columns = sheet.columns.map((c) => ({ ...c, readonly: false, display: c.key === "c" ? %q : "" }));
			sheet.setRows([{ id: "r1", values: ["", "", %q] }]); sheet.goTo("r1", "c")`, tt.kind, tt.stored))
		s.Frame()
		if got := browser.Eval[string](s.Page, `document.querySelector(".tbs-active").textContent`); got != tt.shown {
			t.Errorf("%s %s is shown as %q, want %q", tt.kind, tt.stored, got, tt.shown)
		}
		if got := browser.Eval[string](s.Page, `document.activeElement.getAttribute("aria-label")`); !strings.Contains(got, tt.stored) {
			t.Errorf("%s is read as %q", tt.stored, got)
		}
	}
	s.Do(`sheet.columns = sheet.columns.map((c) => ({ ...c, display: "phone" })); sheet.setRows([{ id: "r1", values: ["", "", "16000001234"] }]); sheet.goTo("r1", "c")`)
	s.Press("Ctrl+c")
	if got := s.Clipboard("text/plain"); got != "16000001234" {
		t.Errorf("copied %q", got)
	}
	s.Press("F2", "Backspace")
	if got := browser.Eval[string](s.Page, `document.activeElement.value`); got != "1600000123" {
		t.Errorf("edits %q", got)
	}
	s.Type("5")
	s.Press("Enter")
	s.want("C1=16000001235")
	s.Frame()
	if got := browser.Eval[string](s.Page, `document.querySelector('.tbs-row[aria-rowindex="3"] [data-c="2"]').textContent`); got != "160 0000 1235" {
		t.Errorf("shows %q after an edit", got)
	}
	s.Press("Ctrl+f")
	s.Type("00001235")
	s.Frame()
	if got := browser.Eval[string](s.Page, `sheet.querySelector(".tbs-find-count").textContent`); got != "1 / 1" {
		t.Errorf("found %q", got)
	}
}

// Frozen columns stay in sight, as many as leave room, and hide nothing that is active.
func TestFrozenColumns(t *testing.T) {
	b := start(t)
	base := serve(t)
	tests := []struct {
		width, height int64
		sized         string // widths given by hand
		want          string // columns that stay at the left edge when scrolled to the end
	}{
		{1366, 768, `{ b: 300, c: 400, g: 800 }`, "b f"},
		{683, 384, `{}`, "b"}, // 1366 at 200 %
		{400, 600, `{}`, "f"},
		{240, 600, `{}`, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.width), func(t *testing.T) {
			s := open(t, b, base, 40)
			defer s.Size(1366, 768)
			s.Size(tt.width, tt.height)
			s.Do(`sheet.columns = sheet.columns.map((c) => ({ ...c, width: (` + tt.sized + `)[c.key] || c.width, frozen: c.key === "b" || c.key === "f", readonly: false }));
				sheet.setRows(Array.from({ length: 40 }, (_, i) => ({ id: "r" + (i + 1), values: [..."ABCDEFGH"].map((l) => l + (i + 1)) })));`)
			s.Frame()
			s.Do(`document.querySelector(".tbs-scroll").scrollLeft = 9999`)
			s.Frame()
			got := browser.Eval[string](s.Page, `(() => {
				const box = document.querySelector(".tbs-scroll").getBoundingClientRect();
				let edge = document.querySelector(".tbs-num").getBoundingClientRect().right;
				const at = [];
				for (const c of [1, 5])
					for (const cell of document.querySelectorAll('.tbs-row[aria-rowindex="4"] [data-c="' + c + '"]')) {
						const r = cell.getBoundingClientRect();
						if (getComputedStyle(cell).position !== "sticky" || Math.abs(r.left - edge) > 1) continue;
						edge = r.right;
						at.push("abcdefgh"[c]);
					}
				if (edge - box.left > box.width / 2) at.push("no room");
				return at.join(" ");
			})()`)
			if got != tt.want {
				t.Errorf("stays: %q, want %q", got, tt.want)
			}
			s.Do(`sheet.goTo("r3", "h")`)
			for _, key := range []string{"ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowRight", "End", "Home", "Tab", "Tab"} {
				s.Press(key)
				s.Frame()
				if got := browser.Eval[string](s.Page, `(() => {
					const cell = document.querySelector(".tbs-active"), r = cell.getBoundingClientRect();
					const input = document.querySelector(".tbs-input").getBoundingClientRect();
					if (Math.abs(r.x - input.x) > 1) return "text area at " + input.x + ", cell at " + r.x;
					const box = document.querySelector(".tbs-scroll").getBoundingClientRect();
					if (r.width > box.width - 60) return "";
					for (const x of [r.x + 2, r.right - 3]) if (document.elementFromPoint(x, r.y + 14) !== cell) return cell.textContent + " is hidden at " + x;
					return "";
				})()`); got != "" {
					t.Errorf("after %s: %s", key, got)
				}
			}
			// The text area goes along with a frozen cell while the sheet is scrolled.
			s.Do(`sheet.goTo("r3", "b"); document.querySelector(".tbs-scroll").scrollLeft = 200`)
			s.Frame()
			if d := browser.Eval[float64](s.Page, `document.querySelector(".tbs-input").getBoundingClientRect().x - document.querySelector(".tbs-active").getBoundingClientRect().x`); d > 1 || d < -1 {
				t.Errorf("the text area is %v px off", d)
			}
		})
	}
}

// widths returns the widths of the columns on the screen.
func (s sheet) widths() []int {
	s.t.Helper()
	s.Frame()
	return browser.Eval[[]int](s.Page, `[...document.querySelectorAll(".tbs-title")].map((e) => Math.round(e.getBoundingClientRect().width))`)
}

func TestColumnWidths(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 3)
	fresh := func(n int) {
		s.Do(fmt.Sprintf(`
			const old = sheet;
			window.sheet = document.createElement("tb-sheet");
			sheet.add(tbExtras);
			sheet.className = old.className;
			sheet.setAttribute("data-remember", "form%d");
			old.replaceWith(sheet);
			sheet.columns = old.columns;
			sheet.setRows(old.rows());`, n))
	}
	s.Do(`localStorage.clear()`)
	fresh(1)
	first := s.widths()
	drag := func(grip string, by float64) {
		x, y := s.Point(grip)
		s.Mouse("mousePressed", x, y, 1, false)
		s.Mouse("mouseMoved", x+by/2, y, 1, false)
		s.Mouse("mouseMoved", x+by, y, 1, false)
		s.Mouse("mouseReleased", x+by, y, 1, false)
	}
	check := func(what string, c, want int) {
		t.Helper()
		got := s.widths()
		for i := range got {
			if i != c && got[i] != first[i] {
				t.Errorf("%s: column %d changed from %d to %d", what, i, first[i], got[i])
			}
		}
		if got[c] != want {
			t.Errorf("%s: width %d, want %d", what, got[c], want)
		}
	}
	drag(`.tbs-titles [data-grip="2"]`, 60)
	check("dragged", 2, first[2]+60)
	drag(`.tbs-letters [data-grip="2"]`, -60)
	check("dragged back", 2, first[2])
	s.click("E1")
	s.Press("Alt+Shift+ArrowRight", "Alt+Shift+ArrowRight", "Alt+Shift+ArrowLeft")
	check("by keys", 4, first[4]+16)
	s.wantActive("E1")
	if got := browser.Eval[string](s.Page, `sheet.querySelector("[aria-live]").textContent`); !strings.Contains(got, fmt.Sprint(first[4]+16)) {
		t.Errorf("said %q", got)
	}
	fresh(1)
	check("remembered", 4, first[4]+16)
	stored := browser.Eval[string](s.Page, `JSON.stringify(localStorage)`)
	if !strings.Contains(stored, "tb-sheet form1") || strings.Contains(stored, "E1") {
		t.Errorf("stored %s", stored)
	}
	fresh(2)
	check("another form", 4, first[4])
	fresh(1)
	s.Click(`[data-menu="4"]`)
	s.act("变窄")
	check("by the panel", 4, first[4])
	s.act("恢复列宽")
	check("given back", 4, first[4])
	fresh(1)
	check("forgotten", 4, first[4])
	// A double click fits the longest text, which then is not cut.
	s.Do(`sheet.setRows([{ id: "a", values: ["", "很长的单位名称".repeat(8)] }, { id: "b", values: ["", "短"] }])`)
	x, y := s.Point(`.tbs-letters [data-grip="1"]`)
	s.ClickAt(x, y)
	s.Mouse("mousePressed", x, y, 2, false)
	s.Mouse("mouseReleased", x, y, 2, false)
	if got := browser.Eval[[]int](s.Page, `(() => { const e = document.querySelector('.tbs-row[aria-rowindex="3"] [data-c="1"]'); return [e.scrollWidth, e.clientWidth]; })()`); got[0] > got[1] || got[1] < first[1] {
		t.Errorf("text of %d in a column of %d", got[0], got[1])
	}
	// What stands in the storage may be anything.
	for _, bad := range []string{`{`, `null`, `{"a":-5,"b":"x","c":99999}`} {
		s.Do(fmt.Sprintf(`localStorage.setItem("tb-sheet form3", %q)`, bad))
		fresh(3)
		check("stored "+bad, 1, first[1])
	}
}

// More than one cell: the page hears how many are selected, and how many are filled.
func TestSelectionCount(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 9)
	s.Do(`sheet.addEventListener("tb-select", (e) => said.push({ type: e.type, ...e.detail })); said.length = 0; sheet.goTo("r2", "c")`)
	s.Press("Shift+ArrowDown", "Shift+ArrowRight")
	s.Wait(`said.some((e) => e.type === "tb-select" && e.cells === 4 && e.filled === 2)`)
	s.Press("Delete")
	s.Wait(`said.some((e) => e.type === "tb-select" && e.cells === 4 && e.filled === 0)`)
}
