package uitest

import (
	"fmt"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

// Keys as in a spreadsheet, checked in the rows, not by looks.
func TestKeys(t *testing.T) {
	b := start(t)
	base := serve(t)
	tests := []struct {
		name  string
		start string
		do    func(s sheet)
		want  []string
		then  string
	}{
		{"typing replaces, enter goes down", "B2", func(s sheet) { s.Type("xy\n") }, []string{"B2=xy", "B3=B3"}, "B3"},
		{"shift enter goes up", "B2", func(s sheet) { s.Type("xy"); s.Press("Shift+Enter") }, []string{"B2=xy"}, "B1"},
		{"tab goes right, shift tab left", "B2", func(s sheet) { s.Type("x\ty"); s.Press("Shift+Tab") }, []string{"B2=x", "C2=y"}, "B2"},
		{"enter after tabs returns", "B2", func(s sheet) { s.Type("1\t2\t\t3\n") }, []string{"B2=1", "C2=2", "E2=3"}, "B3"},
		{"two runs of tabs", "B2", func(s sheet) { s.Type("1\t2\n3\t4\n") }, []string{"B2=1", "C2=2", "B3=3", "C3=4"}, "B4"},
		{"an arrow ends a run of tabs", "B2", func(s sheet) { s.Type("\t\t"); s.Press("ArrowDown", "Enter") }, nil, "D4"},
		{"tab at the end of a row goes on", "H2", func(s sheet) { s.Type("1\t2") }, []string{"H2=1", "A3=A3"}, "A3"},
		{"tab stays at the last cell", "H60", func(s sheet) { s.Type("1\t") }, []string{"H60=1"}, "H60"},
		{"F2 appends", "B2", func(s sheet) { s.Press("F2"); s.Type("x\n") }, []string{"B2=B2x"}, "B3"},
		{"F2 moves the caret with arrows", "B2", func(s sheet) { s.Press("F2", "ArrowLeft"); s.Type("x\n") }, []string{"B2=Bx2"}, "B3"},
		{"F2 while typing lets arrows move the caret", "B2", func(s sheet) { s.Type("ab"); s.Press("F2", "ArrowLeft"); s.Type("x\n") }, []string{"B2=axb"}, "B3"},
		{"an arrow while typing commits and moves", "B2", func(s sheet) { s.Type("x"); s.Press("ArrowRight"); s.Type("y"); s.Press("ArrowUp") }, []string{"B2=x", "C2=y"}, "C1"},
		{"escape gives up", "B2", func(s sheet) { s.Type("xy"); s.Press("Escape") }, []string{"B2=B2"}, "B2"},
		{"delete clears", "B2", func(s sheet) { s.Press("Delete") }, []string{"B2=", "B3=B3"}, "B2"},
		{"backspace clears", "B2", func(s sheet) { s.Press("Backspace") }, []string{"B2="}, "B2"},
		{"backspace while typing is the text's", "B2", func(s sheet) { s.Type("xy"); s.Press("Backspace", "Enter") }, []string{"B2=x"}, "B3"},
		{"delete a range, undo and redo in one step", "B2", func(s sheet) {
			s.Press("Shift+ArrowDown", "Shift+ArrowRight", "Delete", "Ctrl+z", "Ctrl+y")
		}, []string{"B2=", "C2=", "B3=", "C3=", "D3=", "B4=B4"}, "B2 in B2:C3"},
		{"undo brings a range back", "B2", func(s sheet) {
			s.Press("Shift+ArrowDown", "Shift+ArrowRight", "Delete", "Ctrl+z")
		}, []string{"B2=B2", "C2=C2", "B3=B3", "C3=C3"}, "B2 in B2:C3"},
		{"undo goes back cell by cell", "B2", func(s sheet) { s.Type("1\n2\n"); s.Press("Ctrl+z") }, []string{"B2=1", "B3=B3"}, "B3"},
		{"ctrl shift z is redo", "B2", func(s sheet) { s.Type("1\n"); s.Press("Ctrl+z", "Ctrl+Shift+z") }, []string{"B2=1"}, "B2"},
		{"fill down", "B2", func(s sheet) { s.Press("Shift+ArrowDown", "Shift+ArrowDown", "Ctrl+d") }, []string{"B2=B2", "B3=B2", "B4=B2", "B5=B5"}, "B2 in B2:B4"},
		{"fill down from the row above", "B2", func(s sheet) { s.Press("Ctrl+d") }, []string{"B2=B1"}, "B2"},
		{"fill right", "B2", func(s sheet) { s.Press("Shift+ArrowRight", "Ctrl+r") }, []string{"C2=B2"}, "B2 in B2:C2"},
		{"ctrl enter fills the selection", "B2", func(s sheet) { s.Press("Shift+ArrowDown"); s.Type("q"); s.Press("Ctrl+Enter") }, []string{"B2=q", "B3=q", "B4=B4"}, "B2 in B2:B3"},
		{"home and end", "C3", func(s sheet) { s.Press("End", "Home") }, nil, "A3"},
		{"end", "C3", func(s sheet) { s.Press("End") }, nil, "H3"},
		{"shift end selects", "C3", func(s sheet) { s.Press("Shift+End") }, nil, "C3 in C3:H3"},
		{"ctrl home", "C3", func(s sheet) { s.Press("Ctrl+Home") }, nil, "A1"},
		{"ctrl end", "C3", func(s sheet) { s.Press("Ctrl+End") }, nil, "H60"},
		{"home while typing commits", "C3", func(s sheet) { s.Type("x"); s.Press("Home") }, []string{"C3=x"}, "A3"},
		{"page down and up", "B1", func(s sheet) { s.Press("PageDown", "PageDown", "PageUp", "PageUp") }, nil, "B1"},
		{"ctrl down to the end of a block", "B2", func(s sheet) { s.Press("Ctrl+ArrowDown") }, nil, "B60"},
		{"ctrl right over a gap", "C2", func(s sheet) { s.Press("Ctrl+ArrowRight") }, nil, "E2"},
		{"ctrl shift right", "E2", func(s sheet) { s.Press("Ctrl+Shift+ArrowRight") }, nil, "E2 in E2:H2"},
		{"shift arrows shrink again", "B2", func(s sheet) { s.Press("Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowUp") }, nil, "B2 in B2:B3"},
		{"alt enter puts a blank", "B2", func(s sheet) { s.Type("a"); s.Press("Alt+Enter"); s.Type("b\n") }, []string{"B2=a b"}, "B3"},
		{"read-only: type, delete, F2", "A2", func(s sheet) { s.Type("x"); s.Press("Delete", "F2"); s.Type("y"); s.Press("Enter") }, []string{"A2=A2", "A3=A3"}, "A3"},
		{"full-width digits become narrow", "C2", func(s sheet) { s.Insert("９１２Ａ－x"); s.Press("Enter") }, []string{"C2=912A-x"}, "C3"},
		{"full-width stays in a text column", "B2", func(s sheet) { s.Insert("（１）"); s.Press("Enter") }, []string{"B2=（１）"}, "B3"},
		{"leading zeros and long numbers stay text", "B2", func(s sheet) { s.Type("00012\n210102199001019001\n") }, []string{"B2=00012", "B3=210102199001019001"}, "B4"},
		{"insert and delete a row by keys", "B2", func(s sheet) { s.Press("Ctrl+="); s.Press("ArrowRight"); s.Type("n\n"); s.Press("Ctrl+z", "Ctrl+z") }, []string{"B3=B3", "B2=B2"}, "B2"},
		{"delete a row", "B2", func(s sheet) { s.Press("Ctrl+-") }, []string{"B2=B3", "B1=B1"}, "B2"},
		{"delete rows and undo", "B2", func(s sheet) { s.Press("Shift+ArrowDown", "Ctrl+-", "Ctrl+z") }, []string{"B2=B2", "B3=B3", "B4=B4"}, "B2 in B2:B3"},
		{"edges hold", "A1", func(s sheet) { s.Press("ArrowUp", "ArrowLeft", "PageUp", "Shift+Enter", "Shift+Tab") }, nil, "A1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, b, base, 60)
			if r, _ := at(tt.start); r > 8 {
				s.Do(fmt.Sprintf(`sheet.goTo("r%d", %q)`, r+1, strings.ToLower(tt.start[:1])))
			} else {
				s.click(tt.start)
			}
			tt.do(s)
			s.wantActive(tt.then)
			s.want(tt.want...)
		})
	}
}

func TestSelectAllAndColumns(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 4)
	s.click("B2")
	s.Press("Ctrl+a")
	s.wantActive("A1 in A1:H4")
	s.Press("Delete")
	s.want("A1=A1", "B1=", "H4=")
	if got := s.heard(); len(got) != 1 || !strings.Contains(got[0], "4 个单元格是只读") {
		t.Errorf("notices = %q, want one about 4 read-only cells", got)
	}
	s.Press("Ctrl+z")
	s.Click(`.tbs-letters [data-c="2"]`)
	s.wantActive("C1 in C1:C4")
	s.Click(`.tbs-row[aria-rowindex="4"] [data-num]`)
	s.wantActive("A2 in A2:H2")
	s.Click(`[data-all]`)
	s.wantActive("A1 in A1:H4")
}

func TestMouse(t *testing.T) {
	b := start(t)
	base := serve(t)

	t.Run("double click edits", func(t *testing.T) {
		s := open(t, b, base, 5)
		x, y := s.place("B2")
		s.ClickAt(x, y)
		s.Mouse("mousePressed", x, y, 2, false)
		s.Mouse("mouseReleased", x, y, 2, false)
		s.Type("x\n")
		s.want("B2=B2x")
	})
	t.Run("shift click and drag select", func(t *testing.T) {
		s := open(t, b, base, 10)
		s.click("B2")
		x, y := s.place("C4")
		s.Mouse("mousePressed", x, y, 1, true)
		s.Mouse("mouseReleased", x, y, 1, true)
		s.wantActive("B2 in B2:C4")
		x, y = s.place("E5")
		s.Mouse("mousePressed", x, y, 1, false)
		x, y = s.place("F6")
		s.Mouse("mouseMoved", x, y, 1, false)
		s.Mouse("mouseReleased", x, y, 1, false)
		s.wantActive("E5 in E5:F6")
	})
	t.Run("a click elsewhere commits", func(t *testing.T) {
		s := open(t, b, base, 5)
		s.click("B2")
		s.Type("xy")
		s.click("E3")
		s.want("B2=xy", "E3=E3")
	})
	t.Run("a click outside commits", func(t *testing.T) {
		s := open(t, b, base, 5)
		s.click("B2")
		s.Type("xy")
		s.Click("#after")
		s.want("B2=xy")
	})
	t.Run("another window in front keeps the edit open", func(t *testing.T) {
		s := open(t, b, base, 5)
		s.click("B2")
		s.Type("xy")
		s.Do(`
			document.hasFocus = () => false;
			document.querySelector(".tbs-input").dispatchEvent(new FocusEvent("blur"));
			delete document.hasFocus;
		`)
		s.want("B2=B2")
		s.Type("z\n")
		s.want("B2=xyz")
	})
	t.Run("row buttons", func(t *testing.T) {
		s := open(t, b, base, 3)
		s.Click(`[data-do="insert"]`) // nothing chosen yet: at the end
		s.wantActive("A4")
		s.click("B1")
		s.Click(`[data-do="insert"]`)
		s.wantActive("A2")
		if got := s.rows(); got != 5 {
			t.Errorf("rows = %d, want 5", got)
		}
		s.Press("ArrowRight")
		s.Type("new\n")
		s.want("B2=new", "B3=B2")
		s.Click(`.tbs-row[aria-rowindex="3"] [data-do="delete"]`) // row 1
		s.want("B1=new")
		s.Press("Ctrl+z")
		s.want("B1=B1", "B2=new")
	})
	t.Run("deleting every row leaves an empty one", func(t *testing.T) {
		s := open(t, b, base, 2)
		s.Click(`.tbs-row[aria-rowindex="3"] [data-do="delete"]`)
		s.Frame()
		s.Click(`.tbs-row[aria-rowindex="3"] [data-do="delete"]`)
		if got, want := s.changes(), `[{"op":"delete","row":"r1"},{"op":"delete","row":"r2"}]`; got != want {
			t.Errorf("changes = %s, want %s", got, want)
		}
		s.want("B1=")
		if got := s.rows(); got != 1 {
			t.Errorf("rows = %d, want 1", got)
		}
	})
}

func TestLeaving(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 5)
	s.click("B2")
	s.Press("Escape")
	if got := browser.Eval[string](s.Page, `document.querySelector("tb-sheet [aria-live]").textContent`); !strings.Contains(got, "Tab") {
		t.Errorf("announced %q, want how to leave", got)
	}
	s.Press("Tab")
	if got := browser.Eval[string](s.Page, `document.activeElement.id`); got != "after" {
		t.Errorf("focus on %q, want after", got)
	}
	s.Press("Shift+Tab", "Escape", "Shift+Tab")
	if got := browser.Eval[string](s.Page, `document.activeElement.id`); got != "before" {
		t.Errorf("focus on %q, want before", got)
	}
	s.Press("Tab")
	s.Type("x\n")
	s.want("B2=x")
}

func TestSubmitKeyAndFind(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 300)
	s.click("B2")
	s.Type("改过")
	s.Press("Ctrl+s")
	s.want("B2=改过")
	if n := browser.Eval[int](s.Page, `said.filter((e) => e.type === "tb-submit").length`); n != 1 {
		t.Errorf("tb-submit came %d times, want 1", n)
	}
	s.Press("Ctrl+f")
	s.Type("B250")
	s.Frame()
	s.wantActive("B250")
	s.Screenshot("find")
	s.Press("Escape")
	s.Press("ArrowDown")
	s.wantActive("B251")
	s.Press("Ctrl+f")
	s.Compose().Letters("gaiguo").Commit(" ", "改过")
	s.wantActive("B2")
	s.Press("Escape")
}
