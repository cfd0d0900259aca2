package uitest

import (
	"fmt"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

func TestPaste(t *testing.T) {
	b := start(t)
	base := serve(t)
	tests := []struct {
		name   string
		start  string
		before func(s sheet)
		text   string
		html   string
		want   []string
		rows   int
		notice string
	}{
		{name: "a block", start: "E2", text: "1\t2\r\n3\t4\r\n", want: []string{"E2=1", "F2=2", "E3=3", "F3=4", "E4=E4", "G2=G2"}, rows: 6},
		{name: "one trailing line break ends the last row", start: "E2", text: "1\n", want: []string{"E2=1", "E3=E3"}, rows: 6},
		{name: "an empty row inside is data", start: "E2", text: "1\r\n\r\n3\r\n", want: []string{"E2=1", "E3=", "E4=3", "E5=E5"}, rows: 6},
		{name: "carriage returns alone", start: "E2", text: "1\r2", want: []string{"E2=1", "E3=2"}, rows: 6},
		{name: "quoted cells with breaks, tabs and quotes", start: "E2", text: "\"省\n市\"\t\"a\tb\"\r\n\"说\"\"好\"\"的\"\tx\r\n", want: []string{"E2=省 市", "F2=a b", `E3=说"好"的`, "F3=x", "E4=E4"}, rows: 6},
		{name: "an open quote is a character", start: "E2", text: "\"5寸\tb\nc\td", want: []string{`E2="5寸`, "F2=b", "E3=c", "F3=d"}, rows: 6},
		{name: "leading zeros and ids stay", start: "F2", text: "000\t210102199001019001", want: []string{"F2=000", "G2=210102199001019001"}, rows: 6},
		{name: "text before html", start: "E2", text: "000", html: "<table><tr><td>0</td></tr></table>", want: []string{"E2=000"}, rows: 6},
		{name: "html alone", start: "E2", html: "<table><tr><td>甲&amp;乙<br>丙</td><td>007</td></tr><tr><td colspan=2>x</td></tr></table>", want: []string{"E2=甲&乙 丙", "F2=007", "E3=x", "F3="}, rows: 6},
		{name: "one value fills the selection", start: "E2", before: func(s sheet) { s.Press("Shift+ArrowDown", "Shift+ArrowRight") }, text: "同", want: []string{"E2=同", "F2=同", "E3=同", "F3=同", "G2=G2"}, rows: 6},
		{name: "a block fills a multiple of itself", start: "E2", before: func(s sheet) { s.Press("Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowDown") }, text: "1\n2", want: []string{"E2=1", "E3=2", "E4=1", "E5=2"}, rows: 6},
		{name: "rows grow", start: "E5", text: "1\n2\n3\n4", want: []string{"E5=1", "E6=2", "E7=3", "E8=4"}, rows: 8},
		{name: "read-only is skipped", start: "A2", text: "x\ty\nx\ty", want: []string{"A2=A2", "B2=y", "A3=A3", "B3=y"}, rows: 6, notice: "有 2 个单元格是只读的"},
		{name: "columns over the edge", start: "G2", text: "1\t2\t3\t4", want: []string{"G2=1", "H2=2"}, rows: 6, notice: "超出表格的 2 列"},
		{name: "an unknown choice is kept", start: "D2", text: "主要部门\n事业单位", want: []string{"D2=主要部门", "D3=事业单位"}, rows: 6, notice: "1 个值不在下拉列表中"},
		{name: "full width becomes narrow in narrow columns only", start: "F2", text: "１\t１\t１", want: []string{"F2=１", "G2=1", "H2=1"}, rows: 6},
		{name: "nothing beyond the most rows", start: "E5", before: func(s sheet) { s.Do(`sheet.maxRows = 7`) }, text: "1\n2\n3\n4\n5", want: []string{"E5=1", "E7=3"}, rows: 7, notice: "超过 7 行的 2 行"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, b, base, 6)
			before := browser.Eval[string](s.Page, `JSON.stringify(sheet.rows())`)
			s.click(tt.start)
			if tt.before != nil {
				tt.before(s)
			}
			s.Paste(tt.text, tt.html)
			s.want(tt.want...)
			if got := s.rows(); got != tt.rows {
				t.Errorf("rows = %d, want %d", got, tt.rows)
			}
			if got := strings.Join(s.heard(), "|"); tt.notice == "" && got != "" || !strings.Contains(got, tt.notice) {
				t.Errorf("notices = %q, want %q", got, tt.notice)
			}
			s.Press("Ctrl+z")
			if got := browser.Eval[string](s.Page, `JSON.stringify(sheet.rows())`); got != before {
				t.Errorf("one undo did not restore the rows: %s", got)
			}
		})
	}
}

// 200 rows of 8 columns as a spreadsheet writes them, into a sheet of 60 rows.
func TestPasteBlock(t *testing.T) {
	b := start(t)
	base := serve(t)
	for _, quoted := range []bool{false, true} {
		t.Run(fmt.Sprintf("quoted=%v", quoted), func(t *testing.T) {
			s := open(t, b, base, 60)
			var text strings.Builder
			for r := range 200 {
				for c := range 8 {
					if c > 0 {
						text.WriteByte('\t')
					}
					if quoted && c == 1 {
						fmt.Fprintf(&text, "\"第%d\n\"\"行\"\"\"", r)
					} else {
						fmt.Fprintf(&text, "%04d-%d", r, c)
					}
				}
				text.WriteString("\r\n")
			}
			s.click("A1")
			s.Paste(text.String(), "")
			if got := s.rows(); got != 200 {
				t.Errorf("rows = %d, want 200", got)
			}
			wrong := browser.Eval[[]string](s.Page, fmt.Sprintf(`sheet.rows().flatMap((row, r) => row.values.flatMap((v, c) => {
				let want = String(r).padStart(4, "0") + "-" + c;
				if (c === 0) want = r < 60 ? "A" + (r + 1) : "";
				if (c === 1 && %v) want = "第" + r + ' "行"';
				return v === want ? [] : [v + " for " + want];
			})).slice(0, 5)`, quoted))
			if len(wrong) > 0 {
				t.Errorf("wrong cells: %q", wrong)
			}
			s.Press("Ctrl+z")
			if got := s.rows(); got != 60 {
				t.Errorf("rows after undo = %d, want 60", got)
			}
		})
	}
}

func TestCopyAndCut(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 6)
	s.Do(`sheet.apply([{ op: "edit", row: "r2", cells: { e: '"a"', f: "<b>&", g: "210102199001019001" } }], "test")`)
	s.click("E2")
	s.Press("Shift+ArrowDown", "Shift+ArrowRight", "Shift+ArrowRight", "Ctrl+c")
	if got, want := s.Clipboard("text/plain"), "\"\"\"a\"\"\"\t<b>&\t210102199001019001\r\nE3\tF3\tG3"; strings.ReplaceAll(got, "\r\n", "\n") != strings.ReplaceAll(want, "\r\n", "\n") {
		t.Errorf("text = %q, want %q", got, want)
	}
	html := s.Clipboard("text/html")
	if n := strings.Count(html, "mso-number-format"); n != 6 {
		t.Errorf("%d of 6 cells are text cells in %s", n, html)
	}
	if !strings.Contains(html, "&lt;b&gt;&amp;") {
		t.Errorf("html is not escaped: %s", html)
	}

	// Back in at another place: the same cells.
	s.Press("ArrowDown", "ArrowDown", "Ctrl+v")
	s.want(`E4="a"`, "F4=<b>&", "G4=210102199001019001", "E5=E3", "G5=G3")
	s.Press("Ctrl+z")

	s.click("E3")
	s.Press("Ctrl+x")
	s.want("E3=")
	s.Press("ArrowDown", "Ctrl+v")
	s.want("E4=E3")
	s.Press("Ctrl+z", "Ctrl+z")
	s.want("E3=E3", "E4=E4")

	// From a read-only cell one can copy, and paste onto it does nothing.
	s.click("A2")
	s.Press("Ctrl+c", "ArrowRight", "Ctrl+v")
	s.want("B2=A2")
	s.Press("ArrowLeft", "ArrowDown", "Ctrl+v", "Ctrl+x")
	s.want("A3=A3", "A2=A2")
}

func TestPasteWhileEditing(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 6)
	s.click("E2")
	s.Press("F2")
	s.Paste("a\nb\tc", "")
	s.Press("Enter")
	s.want("E2=E2a b c", "E3=E3", "F2=F2")
}

// Text written by the sheet is read back as the same cells, for random cells.
func TestTextRoundTrip(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 1)
	wrong := browser.Eval[string](s.Page, `(async () => {
		let seed = 20220923;
		const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
		const alphabet = ["a", "省", '"', '""', " ", "'", ",", "0", "-", "=", "\\"];
		const area = document.querySelector(".tbs-input");
		for (let i = 0; i < 300; i++) {
			const cells = Array.from({ length: 1 + random(5) }, () =>
				Array.from({ length: 7 }, () => Array.from({ length: random(5) }, () => alphabet[random(alphabet.length)]).join("")));
			sheet.setRows(cells.map((v, n) => ({ id: "x" + n, values: ["", ...v] })));
			const want = JSON.stringify(sheet.rows().map((r) => r.values));
			sheet.goTo("x0", "b");
			const press = (key, opts) => area.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...opts }));
			press("a", { ctrlKey: true });
			const data = new DataTransfer();
			area.dispatchEvent(new ClipboardEvent("copy", { clipboardData: data, bubbles: true, cancelable: true }));
			sheet.setRows(cells.map((_, n) => ({ id: "y" + n, values: [] })));
			press("Home", { ctrlKey: true });
			const text = new DataTransfer();
			text.setData("text/plain", data.getData("text/plain"));
			area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: text, bubbles: true, cancelable: true }));
			const got = JSON.stringify(sheet.rows().map((r) => r.values));
			if (got !== want) return data.getData("text/plain") + " gave " + got + " for " + want;
		}
		return "";
	})()`)
	if wrong != "" {
		t.Error(wrong)
	}
}
