package uitest

import (
	"testing"
	"time"

	"tianbao/internal/browser"
)

// typist types with an input method: an imitation of one ([browser.IME]), or a real
// one on a screen (ime_real_test.go). The cases below are typed by both.
type typist interface {
	// click clicks a cell.
	click(cell string)
	// press presses keys that no composition swallows.
	press(keys ...string)
	// compose types letters with a pause after each.
	compose(letters string, pause time.Duration)
	// list presses keys inside the candidate list.
	list(keys ...string)
	// cancel presses Esc in the composition.
	cancel()
	// commit presses key, upon which the input method hands over text.
	commit(key, text string)
}

// pace is an ordinary pause between two letters.
const pace = 60 * time.Millisecond

// imeCases types Chinese onto a selected cell: click a cell, go down with the arrow
// key (no F2, no Enter), type pinyin. Nothing may be lost, no letter may stay, and
// the neighbours may not change.
func imeCases() []imeCase {
	return []imeCase{
		{"plain", func(k typist) {
			k.compose("nihao", pace)
			k.commit(" ", "你好")
			k.press("Enter")
		}, "你好", "B3"},
		{"25 ms between keys", func(k typist) {
			k.compose("nihao", 25*time.Millisecond)
			k.commit(" ", "你好")
			k.press("Enter")
		}, "你好", "B3"},
		{"arrows in the candidate list", func(k typist) {
			k.compose("nihao", pace)
			k.list("ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp")
			k.commit(" ", "你好")
			k.press("Enter")
		}, "你好", "B3"},
		{"escape and again", func(k typist) {
			k.compose("nihap", pace)
			k.cancel()
			k.compose("nihao", pace)
			k.commit(" ", "你好")
			k.press("Enter")
		}, "你好", "B3"},
		{"enter keeps the letters", func(k typist) {
			k.compose("nihao", pace)
			k.commit("Enter", "nihao")
			k.press("Enter")
		}, "nihao", "B3"},
		{"two words", func(k typist) {
			k.compose("nihao", pace)
			k.commit(" ", "你好")
			k.compose("shijie", pace)
			k.commit(" ", "世界")
			k.press("Enter")
		}, "你好世界", "B3"},
		{"left by tab", func(k typist) {
			k.compose("nihao", pace)
			k.commit("1", "你好")
			k.press("Tab")
		}, "你好", "C2"},
		{"left by an arrow", func(k typist) {
			k.compose("nihao", pace)
			k.commit(" ", "你好")
			k.press("ArrowDown")
		}, "你好", "B3"},
		{"appended after F2", func(k typist) {
			k.press("F2")
			k.compose("nihao", pace)
			k.commit(" ", "你好")
			k.press("Enter")
		}, "B2你好", "B3"},
		{"given up", func(k typist) {
			k.compose("nihao", pace)
			k.commit(" ", "你好")
			k.press("Escape")
		}, "B2", "B2"},
		{"cell after cell", func(k typist) {
			k.compose("nihao", pace)
			k.commit(" ", "你好")
			k.press("Tab", "Tab", "Tab")
			k.compose("shijie", pace)
			k.commit(" ", "世界")
			k.press("Enter", "ArrowUp", "ArrowRight", "ArrowRight", "ArrowRight")
			k.press("Delete", "Escape")
			k.press("ArrowLeft", "ArrowLeft", "ArrowLeft")
		}, "你好", "B2"},
		{"off on a read-only cell, on at the next", func(k typist) {
			k.press("ArrowLeft")
			k.compose("nihao", pace)
			k.commit(" ", "你好")
			k.press("ArrowRight")
			k.compose("nihao", pace)
			k.commit(" ", "你好")
			k.press("Enter")
		}, "你好", "B3"},
		{"text filters the drop-down", func(k typist) {
			k.press("Tab", "Tab")
			k.compose("xingzheng", pace)
			k.commit(" ", "行政")
			k.press("Enter", "ArrowUp", "ArrowRight", "ArrowRight", "Ctrl+c", "ArrowLeft", "ArrowLeft", "Ctrl+v")
		}, "行政单位", "B2"},
	}
}

type imeCase struct {
	name string
	do   func(k typist)
	want string // of B2
	then string // the active cell at the end
}

// try types one case into a new sheet.
func (c imeCase) try(t *testing.T, s sheet, k typist) {
	t.Helper()
	k.click("B1")
	k.press("ArrowDown")
	c.do(k)
	s.wantActive(c.then)
	s.want("B2="+c.want, "A2=A2", "C2=C2", "B1=B1", "B3=B3")
}

// imitation is the typist whose input method is [browser.IME].
type imitation struct {
	sheet
	*browser.IME
}

func (k *imitation) press(keys ...string) { k.Press(keys...) }

func (k *imitation) compose(letters string, pause time.Duration) {
	k.IME = k.Compose()
	k.Cadence = pause
	k.Letters(letters)
}

func (k *imitation) list(keys ...string) {
	for _, key := range keys {
		k.Key(key)
	}
}
func (k *imitation) cancel()                 { k.Cancel() }
func (k *imitation) commit(key, text string) { k.Commit(key, text) }

func TestIME(t *testing.T) {
	b := start(t)
	base := serve(t)
	for _, tt := range imeCases() {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, b, base, 20)
			tt.try(t, s, &imitation{sheet: s})
		})
	}
}

func TestIMEEdges(t *testing.T) {
	b := start(t)
	base := serve(t)

	t.Run("a click elsewhere keeps what was composed", func(t *testing.T) {
		s := open(t, b, base, 5)
		s.click("B2")
		s.Compose().Letters("nihao")
		s.click("E4")
		s.want("B2=nihao", "E4=E4")
		s.wantActive("E4")
		s.Compose().Letters("hao").Commit(" ", "好")
		s.Press("Enter")
		s.want("E4=好")
	})

	t.Run("the cell is scrolled into view before its candidates appear", func(t *testing.T) {
		s := open(t, b, base, 500)
		s.click("B2")
		x, y := s.place("B2")
		s.Wheel(x, y, 5000)
		s.Wait(`document.querySelector(".tbs-scroll").scrollTop > 1000`)
		s.Compose().Letters("n")
		inside := browser.Eval[bool](s.Page, `(() => {
			const cell = document.querySelector(".tbs-input").getBoundingClientRect();
			const box = document.querySelector(".tbs-scroll").getBoundingClientRect();
			return cell.top >= box.top && cell.bottom <= box.bottom;
		})()`)
		if !inside {
			t.Error("the editor is out of view")
		}
	})

	t.Run("a voice or emoji text needs no composition", func(t *testing.T) {
		s := open(t, b, base, 5)
		s.click("B2")
		s.Insert("沈阳市")
		s.Press("Enter")
		s.want("B2=沈阳市")
	})
}
