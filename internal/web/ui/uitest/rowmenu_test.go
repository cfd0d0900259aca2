package uitest

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"tianbao/internal/browser"
)

// rightClick presses the right mouse button over a cell.
func (s sheet) rightClick(cell string) {
	s.t.Helper()
	x, y := s.place(cell)
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		_, err := chromedp.Call(s.Ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{
			Type: kind, X: x - 10, Y: y, Button: input.MouseButtonRight, ClickCount: 1,
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	s.Wait(menuOpen)
}

const (
	menuOpen   = `document.querySelector('[role="menu"]')?.hidden === false`
	menuClosed = `document.querySelector('[role="menu"]')?.hidden !== false`
)

// menu chooses the line of the open menu that begins with the words.
func (s sheet) menu(words string) {
	s.t.Helper()
	s.Do(`document.querySelectorAll('[role="menuitem"]').forEach((e) => e.toggleAttribute("data-want", e.textContent.startsWith(` + browser.JS(words) + `)))`)
	s.Click(`[data-want]`)
	s.Wait(menuClosed)
}

func TestRowMenu(t *testing.T) {
	b := start(t)
	base := serve(t)
	tests := []struct {
		name string
		do   func(s sheet)
		want []string
		then string
		rows int
	}{
		{"a row above", func(s sheet) { s.rightClick("B3"); s.menu("在上方插入行") }, []string{"B2=B2", "B3=", "B4=B3"}, "A3", 9},
		{"above the first", func(s sheet) { s.rightClick("B1"); s.menu("在上方插入行") }, []string{"B1=", "B2=B1"}, "A1", 9},
		{"a row below", func(s sheet) { s.rightClick("B3"); s.menu("在下方插入行") }, []string{"B3=B3", "B4=", "B5=B4"}, "A4", 9},
		{"as many as are selected", func(s sheet) {
			s.click("B2")
			s.Press("Shift+ArrowDown")
			s.rightClick("B3")
			s.menu("在上方插入行")
		}, []string{"B1=B1", "B2=", "B3=", "B4=B2"}, "A2 in A2:H3", 10},
		{"the row goes", func(s sheet) { s.rightClick("B3"); s.menu("删除 1 行") }, []string{"B3=B4"}, "B3", 7},
		{"the selected rows go", func(s sheet) { s.click("B2"); s.Press("Shift+ArrowDown"); s.rightClick("B2"); s.menu("删除 2 行") }, []string{"B2=B4"}, "B2", 6},
		{"outside of the selection the cell is chosen first", func(s sheet) { s.click("B2"); s.Press("Shift+ArrowDown"); s.rightClick("E6"); s.menu("清除") }, []string{"B2=B2", "E6=", "B6=B6"}, "E6", 8},
		{"by the key, downward to a line", func(s sheet) {
			s.click("E3")
			s.Press("Shift+F10")
			s.Wait(menuOpen)
			s.Press("ArrowDown", "Enter")
		}, []string{"E3=E3", "E4="}, "A4", 9},
		{"by the menu key, upward over the line that only says something", func(s sheet) {
			s.click("E3")
			s.Press("ContextMenu")
			s.Wait(menuOpen)
			s.Press("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", " ")
		}, []string{"E3=", "E4=E4"}, "E3", 8},
		{"escape closes it, and keys are keys again", func(s sheet) {
			s.click("E3")
			s.Press("Shift+F10")
			s.Wait(menuOpen)
			s.Press("Escape", "ArrowDown")
			s.Type("x\n")
		}, []string{"E4=x"}, "E5", 8},
		{"typing closes it and is typed", func(s sheet) {
			s.click("E3")
			s.Press("Shift+F10")
			s.Wait(menuOpen)
			s.Type("xy\n")
		}, []string{"E3=xy"}, "E4", 8},
		{"an input method closes it and loses nothing", func(s sheet) {
			s.click("E3")
			s.Press("Shift+F10")
			s.Wait(menuOpen)
			s.Compose().Letters("nihao").Commit(" ", "你好")
			s.Wait(menuClosed)
			s.Press("Enter")
		}, []string{"E3=你好"}, "E4", 8},
		{"fill down", func(s sheet) { s.click("E3"); s.Press("Shift+ArrowDown"); s.rightClick("E3"); s.menu("向下填充") }, []string{"E4=E3"}, "E3 in E3:E4", 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, b, base, 8)
			tt.do(s)
			s.want(tt.want...)
			s.wantActive(tt.then)
			if got := s.rows(); got != tt.rows {
				t.Errorf("%d rows, want %d", got, tt.rows)
			}
			s.Wait(menuClosed)
		})
	}

	t.Run("copy and cut", func(t *testing.T) {
		s := open(t, b, base, 8)
		s.click("E3")
		s.Press("Shift+ArrowRight")
		s.rightClick("E3")
		s.menu("复制")
		if got := s.Clipboard("text/plain"); strings.TrimSpace(got) != "E3\tF3" {
			t.Errorf("copied %q", got)
		}
		s.want("E3=E3")
		s.rightClick("E4")
		s.menu("剪切")
		if got := s.Clipboard("text/plain"); strings.TrimSpace(got) != "E4" {
			t.Errorf("cut %q", got)
		}
		s.want("E4=")
	})

	t.Run("what the page adds", func(t *testing.T) {
		s := open(t, b, base, 8)
		s.Do(`
			sheet.rowMenu = (row, key) => (row === "r3" && key === "e" ? [{ id: "history", text: "这一行的历史" }] : []);
			sheet.addEventListener("tb-row-menu", (e) => said.push({ type: "menu", ...e.detail }));
		`)
		s.rightClick("E2")
		if n := browser.Eval[int](s.Page, `document.querySelectorAll('[role="menuitem"]').length`); n != 8 {
			t.Errorf("%d lines without the page's", n)
		}
		s.Press("Escape")
		s.rightClick("E3")
		s.Screenshot("menu")
		s.menu("这一行的历史")
		if got := browser.Eval[string](s.Page, `JSON.stringify(said.filter((e) => e.type === "menu"))`); got != `[{"type":"menu","id":"history","row":"r3","key":"e"}]` {
			t.Error(got)
		}
	})

	t.Run("the focus stays and the line is named", func(t *testing.T) {
		s := open(t, b, base, 8)
		s.rightClick("E3")
		s.Press("ArrowDown")
		got := browser.Eval[string](s.Page, `(() => {
			const a = document.activeElement;
			const line = document.getElementById(a.getAttribute("aria-activedescendant"));
			return [a.className, line.getAttribute("role"), line.textContent, line.hasAttribute("aria-selected")].join("|");
		})()`)
		if got != "tbs-input|menuitem|在下方插入行Ctrl+=|false" {
			t.Error(got)
		}
		s.click("B2")
		s.Wait(menuClosed)
	})

	t.Run("a locked sheet offers to copy", func(t *testing.T) {
		s := open(t, b, base, 8)
		s.Do(`sheet.setReadonly(true)`)
		s.rightClick("E3")
		if got := browser.Eval[string](s.Page, `[...document.querySelectorAll('[role="menuitem"]')].map((e) => e.textContent).join()`); got != "复制Ctrl+C" {
			t.Error(got)
		}
	})

	t.Run("keys ask for the card", func(t *testing.T) {
		s := open(t, b, base, 8)
		s.Do(`window.cards = 0; sheet.addEventListener("tb-keys", () => cards++)`)
		s.click("E3")
		s.Press("F1", "Ctrl+/")
		s.Type("a")
		s.Press("F1")
		if n := browser.Eval[int](s.Page, `cards`); n != 3 {
			t.Errorf("asked %d times", n)
		}
		s.want("E3=a")
	})
}
