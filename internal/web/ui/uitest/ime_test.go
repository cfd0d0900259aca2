package uitest

import (
	"testing"
	"time"

	"tianbao/internal/browser"
)

// Typing Chinese onto a selected cell: click a cell, go down with the arrow key
// (no F2, no Enter), type pinyin. Nothing may be lost, no letter may stay, and the
// neighbours may not change.
func TestIME(t *testing.T) {
	b := start(t)
	base := serve(t)
	tests := []struct {
		name string
		do   func(s sheet)
		want string // of B2
		then string // the active cell at the end
	}{
		{"plain", func(s sheet) {
			s.Compose().Letters("nihao").Commit(" ", "你好")
			s.Press("Enter")
		}, "你好", "B3"},
		{"25 ms between keys", func(s sheet) {
			m := s.Compose()
			m.Cadence = 25 * time.Millisecond
			m.Letters("nihao").Commit(" ", "你好")
			s.Press("Enter")
		}, "你好", "B3"},
		{"arrows in the candidate list", func(s sheet) {
			s.Compose().Letters("nihao").Key("ArrowDown").Key("ArrowDown").Key("ArrowUp").Commit(" ", "拟好")
			s.Press("Enter")
		}, "拟好", "B3"},
		{"escape and again", func(s sheet) {
			s.Compose().Letters("nihap").Cancel().Letters("nihao").Commit(" ", "你好")
			s.Press("Enter")
		}, "你好", "B3"},
		{"enter keeps the letters", func(s sheet) {
			s.Compose().Letters("nihao").Commit("Enter", "nihao")
			s.Press("Enter")
		}, "nihao", "B3"},
		{"two words", func(s sheet) {
			s.Compose().Letters("nihao").Commit(" ", "你好")
			s.Compose().Letters("shijie").Commit(" ", "世界")
			s.Press("Enter")
		}, "你好世界", "B3"},
		{"left by tab", func(s sheet) {
			s.Compose().Letters("nihao").Commit("1", "你好")
			s.Press("Tab")
		}, "你好", "C2"},
		{"left by an arrow", func(s sheet) {
			s.Compose().Letters("nihao").Commit(" ", "你好")
			s.Press("ArrowDown")
		}, "你好", "B3"},
		{"appended after F2", func(s sheet) {
			s.Press("F2")
			s.Compose().Letters("nihao").Commit(" ", "你好")
			s.Press("Enter")
		}, "B2你好", "B3"},
		{"given up", func(s sheet) {
			s.Compose().Letters("nihao").Commit(" ", "你好")
			s.Press("Escape")
		}, "B2", "B2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, b, base, 20)
			s.click("B1")
			s.Press("ArrowDown")
			tt.do(s)
			s.wantActive(tt.then)
			s.want("B2="+tt.want, "A2=A2", "C2=C2", "B1=B1", "B3=B3")
		})
	}
}

func TestIMEEdges(t *testing.T) {
	b := start(t)
	base := serve(t)

	t.Run("off on a read-only cell, on at the next", func(t *testing.T) {
		s := open(t, b, base, 5)
		s.click("A2")
		s.Compose().Letters("nihao").Commit(" ", "你好")
		s.want("A2=A2", "B2=B2")
		s.Press("ArrowRight")
		s.Compose().Letters("nihao").Commit(" ", "你好")
		s.Press("Enter")
		s.want("A2=A2", "B2=你好")
	})

	t.Run("text filters the drop-down", func(t *testing.T) {
		s := open(t, b, base, 5)
		s.click("D2")
		s.Compose().Letters("xingzheng").Commit(" ", "行政")
		s.Press("Enter")
		s.want("D2=行政单位")
		s.wantActive("D3")
	})

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
