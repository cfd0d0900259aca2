package sheetbench

import (
	"fmt"
	"strings"
	"time"

	"tianbao/internal/browser"
)

// check is a row of a table.
type check struct {
	name string
	run  func(g *grid) string
}

// at60 is a check on 60 rows after a click on a cell.
func at60(cell string, do func(g *grid) string) func(g *grid) string {
	return func(g *grid) string {
		g.mount(60)
		g.click(cell)
		return do(g)
	}
}

// slowly presses keys as a clerk does who looks at each.
func (g *grid) slowly(keys ...string) {
	for _, k := range keys {
		g.Press(k)
		time.Sleep(30 * time.Millisecond)
	}
}

func keyChecks() []check {
	return []check{
		{"typing replaces, Enter commits and goes down", at60("B2", func(g *grid) string {
			g.slowly("x", "y", "Enter", "z", "Enter")
			return yes(g.has("B2=xy", "B3=z"))
		})},
		{"Enter after a run of Tabs returns to the first column", at60("B2", func(g *grid) string {
			g.slowly("1", "Tab", "2", "Enter", "3", "Enter")
			return yes(g.has("B2=1", "C2=2", "B3=3"))
		})},
		{"F2 appends, keeps the old text", at60("B2", func(g *grid) string {
			g.slowly("F2", "x", "Enter")
			return yes(g.has("B2=B2x"))
		})},
		{"an arrow while typing commits and moves", at60("B2", func(g *grid) string {
			g.slowly("x", "ArrowRight", "y", "ArrowDown")
			return yes(g.has("B2=x", "C2=y"))
		})},
		{"Delete clears a range; undo and redo in one step", at60("B2", func(g *grid) string {
			g.slowly("Shift+ArrowDown", "Shift+ArrowRight", "Delete")
			if !g.has("B2=", "C2=", "B3=", "C3=") {
				return "✗"
			}
			g.slowly("Ctrl+z")
			if !g.has("B2=B2", "C2=C2", "B3=B3", "C3=C3") {
				return "clears only"
			}
			g.slowly("Ctrl+y")
			return yes(g.has("B2=", "C2=", "B3=", "C3="))
		})},
		{"Ctrl+D fills down", at60("B2", func(g *grid) string {
			g.slowly("Shift+ArrowDown", "Shift+ArrowDown", "Ctrl+d")
			return yes(g.has("B2=B2", "B3=B2", "B4=B2", "B5=B5"))
		})},
		{"Ctrl+End, then typing", at60("B2", func(g *grid) string {
			g.slowly("Ctrl+End", "x", "Enter")
			return yes(g.has("H60=x"))
		})},
		{"PageDown, then typing", at60("B2", func(g *grid) string {
			g.slowly("PageDown", "x", "Enter")
			for r, row := range g.data() {
				if row[1] == "x" {
					return yes(r > 10)
				}
			}
			return "✗"
		})},
		{"Alt+Enter stays in the cell", at60("B2", func(g *grid) string {
			g.slowly("a", "Alt+Enter", "b", "Enter")
			return yes(g.has("B2=a b") || g.has("B2=a\nb"))
		})},
		{"a drop-down by keyboard", func(g *grid) string {
			var ways []string
			for _, way := range []string{"Alt+ArrowDown ArrowDown Enter", "F2 ArrowDown Enter", "Enter ArrowDown Enter", "2 Enter", "x z Enter"} {
				g.Go(g.url + "/")
				g.mount(60)
				g.click("D2")
				g.slowly("Escape")
				for _, k := range strings.Fields(way) {
					g.slowly(k)
					g.settle()
				}
				switch g.data()[1][3] {
				case "主管部门", "行政单位", "事业单位":
					ways = append(ways, strings.NewReplacer("2 Enter", "digit", "x z Enter", "initials", " ArrowDown Enter", "", "Alt+ArrowDown", "Alt+↓").Replace(way))
				}
			}
			if ways == nil {
				return "✗"
			}
			return strings.Join(ways, ", ")
		}},
		{"10 × (2 characters + Enter), no pause", at60("B1", func(g *grid) string { return g.ten(0) })},
		{"the same, 40 ms between keys", at60("B1", func(g *grid) string { return g.ten(40 * time.Millisecond) })},
		{"read-only kept against typing, Delete, paste", at60("A2", func(g *grid) string {
			var broken []string
			g.slowly("x", "Enter")
			if !g.has("A2=A2", "A3=A3") {
				broken = append(broken, "typing")
			}
			g.click("A4")
			g.slowly("Delete")
			if !g.has("A4=A4") {
				broken = append(broken, "Delete")
			}
			g.click("A6")
			g.Paste("x", "")
			g.settle()
			if !g.has("A6=A6") {
				broken = append(broken, "paste")
			}
			if broken == nil {
				return "✓"
			}
			return "✗ " + strings.Join(broken, ", ")
		})},
		{"the keyboard gets out of the grid", at60("B2", func(g *grid) string {
			out := func() bool {
				return browser.Eval[bool](g.Page, `document.activeElement !== document.body && !document.getElementById("host").contains(document.activeElement)`)
			}
			g.slowly("Escape", "Tab")
			if out() {
				return "Esc, Tab"
			}
			for n := 2; n <= 12; n++ {
				g.slowly("Tab")
				if out() {
					return fmt.Sprintf("%d Tabs", n)
				}
			}
			return "not in 12 Tabs"
		})},
	}
}

func (g *grid) ten(pause time.Duration) string {
	for i := range 10 {
		for _, k := range []string{fmt.Sprint(i), fmt.Sprint(i), "Enter"} {
			g.Press(k)
			time.Sleep(pause)
		}
	}
	right := 0
	for i, row := range g.data()[:10] {
		if row[1] == fmt.Sprintf("%d%d", i, i) {
			right++
		}
	}
	return fmt.Sprintf("%d of 10", right)
}

// pasteChecks paste 200 rows of 8 columns, as a spreadsheet writes them, into 60 rows
// from A1. Columns C to H are compared, 1200 cells; A is read-only, B holds the text
// that has line breaks.
func pasteChecks() []check {
	paste := func(g *grid, from string, quoted, html bool) string {
		_, first := at(from)
		text, table := block(first, quoted)
		if !html {
			table = ""
		}
		g.mount(60)
		g.click(from)
		g.Paste(text, table)
		time.Sleep(600 * time.Millisecond)
		d := g.data()
		right, torn := 0, ""
		for r := range 200 {
			for c := 2; c < 8; c++ {
				if r < len(d) && c < len(d[r]) && d[r][c] == value(r, c) {
					right++
				} else if right == r*6+c-2 && r < len(d) {
					g.log("first wrong cell in row %d: %q", r+1, d[r])
				}
			}
		}
		if len(d) != 200 {
			torn = fmt.Sprintf(", %d rows", len(d))
		}
		return fmt.Sprint(right) + torn
	}
	return []check{
		{"plain text, of 1200 cells", func(g *grid) string { return paste(g, "A1", false, false) }},
		{"the same without the frozen columns, from C1", func(g *grid) string { return paste(g, "C1", false, false) }},
		{"with cells of several lines and quotes", func(g *grid) string { return paste(g, "A1", true, false) }},
		{"text and HTML", func(g *grid) string { return paste(g, "A1", false, true) }},
		{"leading zeros and 18 digits stay text", func(g *grid) string {
			g.mount(60)
			g.click("F1")
			g.Paste("000123\t210102199001019001\tx\r\n", "")
			g.settle()
			return yes(g.has("F1=000123", "G1=210102199001019001"))
		}},
		{"undone in one step", func(g *grid) string {
			text, _ := block(0, false)
			g.mount(60)
			g.click("A1")
			g.Paste(text, "")
			time.Sleep(600 * time.Millisecond)
			if g.others("") {
				return "✗"
			}
			for n := 1; n <= 3; n++ {
				g.slowly("Ctrl+z")
				g.settle()
				if g.others("") && len(g.data()) == 60 {
					if n > 1 {
						return fmt.Sprintf("in %d steps", n)
					}
					return "✓"
				}
			}
			return "✗"
		}},
		{"one value fills the selection", at60("E2", func(g *grid) string {
			g.slowly("Shift+ArrowDown", "Shift+ArrowRight")
			g.Paste("q", "")
			g.settle()
			return yes(g.has("E2=q", "F2=q", "E3=q", "F3=q", "E4=E4", "G2=G2"))
		})},
	}
}

func value(r, c int) string {
	switch c {
	case 3:
		return "事业单位"
	case 6:
		return fmt.Sprintf("2101021990010190%02d", r%100)
	}
	return fmt.Sprintf("%03d-%d", r, c)
}

// block returns 200 rows from column first on, as a spreadsheet writes them.
func block(first int, quoted bool) (text, html string) {
	var t, h strings.Builder
	h.WriteString("<table>")
	for r := range 200 {
		h.WriteString("<tr>")
		for c := first; c < 8; c++ {
			v, cell := value(r, c), value(r, c)
			if c > first {
				t.WriteByte('\t')
			}
			if quoted && c == 1 {
				v = "\"第一行\n\"\"第二行\"\"\""
			}
			t.WriteString(v)
			h.WriteString("<td>" + cell + "</td>")
		}
		t.WriteString("\r\n")
		h.WriteString("</tr>")
	}
	h.WriteString("</table>")
	return t.String(), h.String()
}
