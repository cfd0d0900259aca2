package uitest

import (
	"testing"

	"tianbao/internal/browser"
)

// grip returns the place of the fill handle.
func (s sheet) grip() (x, y float64) {
	s.t.Helper()
	s.Frame()
	xy := browser.Eval[[]float64](s.Page, `(() => {
		const r = document.querySelector(".tbs-row:not([hidden]) .tbs-corner").getBoundingClientRect();
		return [r.right - 4, r.bottom - 4];
	})()`)
	return xy[0], xy[1]
}

// pull drags the fill handle to a cell.
func (s sheet) pull(to string) {
	s.t.Helper()
	x, y := s.grip()
	s.Mouse("mouseMoved", x, y, 0, false)
	s.Mouse("mousePressed", x, y, 1, false)
	tx, ty := s.place(to)
	s.Mouse("mouseMoved", (x+tx)/2, (y+ty)/2, 1, false)
	s.Mouse("mouseMoved", tx, ty, 1, false)
	s.Mouse("mouseReleased", tx, ty, 1, false)
	s.Frame()
}

func TestFillHandle(t *testing.T) {
	b := start(t)
	base := serve(t)
	tests := []struct {
		name string
		do   func(s sheet)
		want []string
		then string
	}{
		{"down, copied and never counted on", func(s sheet) { s.click("G2"); s.pull("G5") }, []string{"G3=G2", "G5=G2", "G6=G6", "F3=F3"}, "G2 in G2:G5"},
		{"up", func(s sheet) { s.click("E4"); s.pull("E2") }, []string{"E3=E4", "E2=E4", "E1=E1"}, "E4 in E2:E4"},
		{"right", func(s sheet) { s.click("E2"); s.pull("G2") }, []string{"F2=E2", "G2=E2", "H2=H2", "E3=E3"}, "E2 in E2:G2"},
		{"left over a read-only column", func(s sheet) { s.click("C2"); s.pull("A2") }, []string{"B2=C2", "A2=A2"}, "C2 in A2:C2"},
		{"a block is repeated", func(s sheet) { s.click("E1"); s.Press("Shift+ArrowDown", "Shift+ArrowRight"); s.pull("F5") }, []string{"E3=E1", "E4=E2", "E5=E1", "F5=F1", "G3=G3"}, "E1 in E1:F5"},
		{"a block is repeated upward", func(s sheet) { s.click("E3"); s.Press("Shift+ArrowDown"); s.pull("E1") }, []string{"E2=E4", "E1=E3"}, "E4 in E1:E4"},
		{"back where it began", func(s sheet) { s.click("E3"); s.pull("E3") }, []string{"E2=E2", "E4=E4"}, "E3"},
		{"what was typed is filled", func(s sheet) { s.click("E3"); s.Type("x"); s.Press("Enter", "ArrowUp"); s.pull("E5") }, []string{"E3=x", "E5=x"}, "E3 in E3:E5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, b, base, 8)
			tt.do(s)
			s.want(tt.want...)
			s.wantActive(tt.then)
			if s.rows() != 8 {
				t.Errorf("%d rows", s.rows())
			}
		})
	}

	t.Run("one undo step", func(t *testing.T) {
		s := open(t, b, base, 8)
		s.click("E5")
		s.Press("Shift+ArrowDown", "Shift+ArrowRight")
		s.Screenshot("handle")
		s.click("F2")
		s.pull("F6")
		s.Press("Ctrl+z")
		s.want("F3=F3", "F6=F6")
		if s.changes() != "[]" {
			t.Error(s.changes())
		}
	})

	t.Run("a double click fills down as far as the column beside has data", func(t *testing.T) {
		s := open(t, b, base, 12)
		s.click("E8")
		s.Press("Delete")
		s.click("F2")
		x, y := s.grip()
		for clicks := range int64(2) {
			s.Mouse("mousePressed", x, y, clicks+1, false)
			s.Mouse("mouseReleased", x, y, clicks+1, false)
		}
		s.Frame()
		s.want("F3=F2", "F7=F2", "F8=F8", "F9=F9")
		s.wantActive("F2 in F2:F7")
		if browser.Eval[bool](s.Page, `sheet.classList.contains("tbs-editing")`) {
			t.Error("the double click opened the cell")
		}
	})

	t.Run("a long way, the sheet scrolls with it", func(t *testing.T) {
		s := open(t, b, base, 200)
		s.click("F2")
		x, y := s.grip()
		s.Mouse("mouseMoved", x, y, 0, false)
		s.Mouse("mousePressed", x, y, 1, false)
		bottom := browser.Eval[float64](s.Page, `document.querySelector(".tbs-scroll").getBoundingClientRect().bottom`)
		s.Mouse("mouseMoved", x, bottom+20, 1, false)
		s.Wait(`document.querySelector(".tbs-scroll").scrollTop > 1500`)
		s.Mouse("mouseReleased", x, bottom+20, 1, false)
		s.want("F3=F2", "F60=F2", "F200=F200")
	})

	t.Run("none on a locked sheet", func(t *testing.T) {
		s := open(t, b, base, 8)
		s.Do(`sheet.setReadonly(true)`)
		s.click("F2")
		s.pull("F5")
		s.want("F3=F3")
	})
}
