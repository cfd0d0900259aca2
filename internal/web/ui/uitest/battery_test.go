package uitest

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	"tianbao/internal/browser"
)

// Nothing typed at speed is lost or lands elsewhere: with no pause, at a fast
// typist's pace, and while the page is busy with other work.
func TestTypingAtSpeed(t *testing.T) {
	b := start(t)
	base := serve(t)
	tests := []struct {
		name   string
		pause  time.Duration
		before string
	}{
		{"no pause", 0, ``},
		{"40 ms", 40 * time.Millisecond, ``},
		{"a busy page", 0, `window.busy = setInterval(() => { const end = performance.now() + 60; while (performance.now() < end); }, 80)`},
		{"others saving", 0, `window.busy = setInterval(() => sheet.merge({
			rows: [{ id: "r50", values: ["", "theirs" + Math.random()] }, { id: "x" + Math.random(), values: ["", "new"] }],
		}), 30)`},
		{"faults arriving", 0, `window.busy = setInterval(() => sheet.setFaults(Array.from({ length: 50 }, (_, i) => ({ row: "r" + (i + 1), key: "b", severity: "error", code: "x", message: "x" }))), 30)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, b, base, 60)
			s.click("B1")
			s.Do(tt.before)
			for i := range 10 {
				for _, k := range []string{fmt.Sprint(i), "x", "Enter"} {
					s.Press(k)
					time.Sleep(tt.pause)
				}
			}
			s.Do(`clearInterval(window.busy)`)
			for i := range 10 {
				s.want(fmt.Sprintf("B%d=%dx", i+1, i), fmt.Sprintf("C%d=C%d", i+1, i+1))
			}
			s.wantActive("B11")
		})
	}
}

// The wheel turned in the middle of an edit moves the sheet, not the edit.
func TestWheelWhileEditing(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 300)
	s.click("B2")
	s.Type("ab")
	x, y := s.place("C4")
	s.Wheel(x, y, 3000)
	s.Wait(`document.querySelector(".tbs-scroll").scrollTop > 1000`)
	s.Type("c\n")
	s.want("B2=abc", "B3=B3")
	s.wantActive("B3")
}

// A block copied from a spreadsheet carries text and HTML; the text counts, for the
// HTML of a spreadsheet shows numbers as they look.
func TestPasteTextAndHTML(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 60)
	var text, html strings.Builder
	html.WriteString("<html><body><!--StartFragment--><table>")
	for r := range 200 {
		html.WriteString("<tr>")
		for c := range 7 {
			if c > 0 {
				text.WriteByte('\t')
			}
			fmt.Fprintf(&text, "%03d%d", r, c)
			fmt.Fprintf(&html, `<td x:num>%d</td>`, r*10+c)
		}
		text.WriteString("\r\n")
		html.WriteString("</tr>")
	}
	html.WriteString("</table><!--EndFragment--></body></html>")
	s.click("B1")
	s.Paste(text.String(), html.String())
	if got := s.rows(); got != 200 {
		t.Errorf("rows = %d, want 200", got)
	}
	wrong := browser.Eval[[]string](s.Page, `sheet.rows().flatMap((row, r) => row.values.slice(1).flatMap((v, c) =>
		v === String(r).padStart(3, "0") + c ? [] : [r + "," + c + ": " + v])).slice(0, 5)`)
	if len(wrong) > 0 {
		t.Errorf("wrong cells: %q", wrong)
	}
	s.Press("Ctrl+z")
	if got := s.changes(); got != "[]" {
		t.Errorf("one undo left %.200s", got)
	}
}

// What the sheet writes to the clipboard it reads back, for 200 000 random tables of
// all that is special there. One table cannot: a single column whose last cell is
// empty looks like a line break at the end.
func TestTextOfRandomTables(t *testing.T) {
	ts, err := filepath.Abs("../sheet/clipboard.ts")
	if err != nil {
		t.Fatal(err)
	}
	res := api.Build(api.BuildOptions{
		EntryPoints: []string{ts}, Bundle: true, Format: api.FormatIIFE, GlobalName: "clip",
		Engines: []api.Engine{{Name: api.EngineChrome, Version: "90"}}, LogLevel: api.LogLevelSilent,
	})
	if len(res.Errors) > 0 {
		t.Fatal(res.Errors[0].Text)
	}
	p := browser.Start(t).Open(t, "about:blank")
	wrong := browser.Eval[string](p, `(() => {`+string(res.OutputFiles[0].Contents)+`
		let seed = 20220923;
		const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
		const parts = ["a", "省市", '"', '""', " ", "0", "00012", "-", "=1+1", "\\", "'", ",", "５", "210102199001019001", "\u{20BB7}", "5寸\""];
		const cell = () => { let s = ""; for (let n = random(4); n > 0; n--) s += parts[random(parts.length)]; return s; };
		for (let i = 0; i < 200000; i++) {
			const cols = 1 + random(4);
			const table = Array.from({ length: 1 + random(4) }, () => Array.from({ length: cols }, cell));
			if (cols === 1 && table[table.length - 1][0] === "") continue;
			const text = clip.writeText(table);
			const got = JSON.stringify(clip.parseText(text));
			if (got !== JSON.stringify(table)) return JSON.stringify(text) + " gave " + got + " for " + JSON.stringify(table);
		}
		return "";
	})()`)
	if wrong != "" {
		t.Error(wrong)
	}
}
