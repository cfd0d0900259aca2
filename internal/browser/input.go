package browser

import (
	"context"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

const (
	modAlt   = 1
	modCtrl  = 2
	modShift = 8
)

// vk holds the Windows key codes of the named keys.
var vk = map[string]int64{
	"Backspace": 8, "Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "PageUp": 33, "PageDown": 34,
	"End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
	"Insert": 45, "Delete": 46, "ContextMenu": 93, "F1": 112, "F2": 113, "F3": 114, "F8": 119, "F10": 121,
	"=": 187, "-": 189, "/": 191,
}

// commands are the editing commands that a desktop binds to keys; a headless
// browser has no such bindings of its own.
var commands = map[string]string{
	"Ctrl+c": "copy", "Ctrl+x": "cut", "Ctrl+v": "paste", "Ctrl+a": "selectAll", "Ctrl+z": "undo", "Ctrl+y": "redo",
}

func (p *Page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if _, err := run(p, chromedp.Steps(steps...)); err != nil {
		p.t.Fatal(err)
	}
}

func call[P, R any](p *Page, cmd cdp.Command[P, R], params P) {
	p.t.Helper()
	ask(p, cmd, params)
}

func ask[P, R any](p *Page, cmd cdp.Command[P, R], params P) R {
	p.t.Helper()
	r, err := run(p, func(ctx context.Context, tab *chromedp.Target) (R, error) { return cdp.Call(ctx, tab, cmd, params) })
	if err != nil {
		p.t.Fatalf("%s: %v", cmd.Method, err)
	}
	return r
}

// Press presses keys one after another, each with its modifiers in front:
// "F2", "Ctrl+Shift+ArrowDown", "a".
func (p *Page) Press(keys ...string) {
	p.t.Helper()
	for _, k := range keys {
		p.press(k)
	}
}

func (p *Page) press(chord string) {
	p.t.Helper()
	var mods int64
	key := chord
	for {
		mod, rest, ok := strings.Cut(key, "+")
		if !ok || rest == "" {
			break
		}
		switch mod {
		case "Alt":
			mods |= modAlt
		case "Ctrl":
			mods |= modCtrl
		case "Shift":
			mods |= modShift
		}
		key = rest
	}
	ev := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Modifiers: mods, Key: key, Code: code(key)}
	ev.WindowsVirtualKeyCode = virtual(key)
	if mods&(modCtrl|modAlt) == 0 {
		switch {
		case len([]rune(key)) == 1:
			ev.Text = key
		case key == "Enter":
			ev.Text = "\r"
		}
	}
	if ev.Text == "" {
		ev.Type = input.DispatchKeyEventTypeRawKeyDown
	}
	if c := commands[chord]; c != "" {
		ev.Commands = []string{c}
	}
	call(p, input.DispatchKeyEvent, ev)
	ev.Type, ev.Text, ev.Commands = input.DispatchKeyEventTypeKeyUp, "", nil
	call(p, input.DispatchKeyEvent, ev)
}

func code(key string) string {
	switch {
	case key == " ":
		return "Space"
	case key == "=":
		return "Equal"
	case key == "-":
		return "Minus"
	case len(key) == 1 && key >= "0" && key <= "9":
		return "Digit" + key
	case len(key) == 1:
		return "Key" + strings.ToUpper(key)
	}
	return key
}

func virtual(key string) int64 {
	if n, ok := vk[key]; ok {
		return n
	}
	if len(key) == 1 {
		return int64(strings.ToUpper(key)[0])
	}
	return 0
}

// Type types text key by key; "\n" is Enter and "\t" is Tab.
func (p *Page) Type(text string) {
	p.t.Helper()
	for _, r := range text {
		switch r {
		case '\n':
			p.press("Enter")
		case '\t':
			p.press("Tab")
		default:
			p.press(string(r))
		}
	}
}

// Insert puts text in as an input method does that composes nothing (voice, emoji,
// a committed word).
func (p *Page) Insert(text string) {
	p.t.Helper()
	call(p, input.InsertText, input.InsertTextParams{Text: text})
}

// IME is a composition under way. It imitates an input method faithfully: a letter
// reaches the composition only when the focused element is editable at that
// moment; otherwise it reaches the page as an ordinary key, as it does in life.
type IME struct {
	p       *Page
	text    string
	lost    bool
	Cadence time.Duration // pause after each key
}

// Compose begins a composition.
func (p *Page) Compose() *IME { return &IME{p: p} }

// Letters types letters into the composition.
func (m *IME) Letters(letters string) *IME {
	m.p.t.Helper()
	for _, r := range letters {
		if !m.editable() {
			m.lost = true
			m.p.press(string(r))
			continue
		}
		m.swallowed(string(r))
		m.text += string(r)
		m.set()
		time.Sleep(m.Cadence)
	}
	return m
}

func (m *IME) editable() bool {
	m.p.t.Helper()
	return Eval[bool](m.p, `(() => {
		const e = document.activeElement;
		return !!e && !e.readOnly && !e.disabled && (e.isContentEditable || /^(TEXTAREA|INPUT)$/.test(e.tagName));
	})()`)
}

func (m *IME) set() {
	m.p.t.Helper()
	n := int64(len(m.text))
	call(m.p, input.ImeSetComposition, input.ImeSetCompositionParams{Text: m.text, SelectionStart: n, SelectionEnd: n})
}

// swallowed sends a key that the input method keeps for itself. Some systems name
// it "Process", others give the key's own name, which is the harder case: only code
// 229 tells that it is not for the page.
func (m *IME) swallowed(key string) {
	m.p.t.Helper()
	ev := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: key, Code: code(key), WindowsVirtualKeyCode: 229}
	call(m.p, input.DispatchKeyEvent, ev)
	ev.Type = input.DispatchKeyEventTypeKeyUp
	ev.WindowsVirtualKeyCode = virtual(key)
	call(m.p, input.DispatchKeyEvent, ev)
}

// Key presses a key inside the candidate list (arrows, page keys): the page sees
// only code 229.
func (m *IME) Key(key string) *IME {
	m.p.t.Helper()
	m.swallowed(key)
	return m
}

// Cancel presses Esc: the input method drops its letters.
func (m *IME) Cancel() *IME {
	m.p.t.Helper()
	m.swallowed("Escape")
	m.text = ""
	m.set()
	m.lost = false
	return m
}

// Commit presses key (Space, Enter, a digit) and hands over the chosen text, but
// only when every letter reached the composition.
func (m *IME) Commit(key, text string) {
	m.p.t.Helper()
	if m.lost {
		return
	}
	m.swallowed(key)
	call(m.p, input.InsertText, input.InsertTextParams{Text: text})
	m.text = ""
}

// Clip puts plain text, and HTML if it is not empty, on the clipboard.
func (p *Page) Clip(text, html string) {
	p.t.Helper()
	p.Do(`
		const parts = {};
		if (` + JS(text) + `) parts["text/plain"] = new Blob([` + JS(text) + `], { type: "text/plain" });
		if (` + JS(html) + `) parts["text/html"] = new Blob([` + JS(html) + `], { type: "text/html" });
		await navigator.clipboard.write([new ClipboardItem(parts)]);
	`)
}

// Clipboard returns what is on the clipboard under a media type, "" if nothing.
func (p *Page) Clipboard(mediaType string) string {
	p.t.Helper()
	return Eval[string](p, `(async () => {
		for (const item of await navigator.clipboard.read())
			if (item.types.includes(`+JS(mediaType)+`)) return await (await item.getType(`+JS(mediaType)+`)).text();
		return "";
	})()`)
}

// Paste puts text on the clipboard and presses Ctrl+V.
func (p *Page) Paste(text, html string) {
	p.t.Helper()
	p.Clip(text, html)
	p.press("Ctrl+v")
}

// Mouse sends one mouse event; kind is "mousePressed", "mouseReleased" or
// "mouseMoved", clicks counts double clicks.
func (p *Page) Mouse(kind string, x, y float64, clicks int64, shift bool) {
	p.t.Helper()
	ev := input.DispatchMouseEventParams{Type: input.DispatchMouseEventType(kind), X: x, Y: y, ClickCount: clicks}
	ev.Button = input.MouseButtonLeft
	if kind != "mouseReleased" {
		ev.Buttons = 1
	}
	if clicks == 0 && kind == "mouseMoved" {
		ev.Button, ev.Buttons = input.MouseButtonNone, 0
	}
	if shift {
		ev.Modifiers = modShift
	}
	call(p, input.DispatchMouseEvent, ev)
}

// ClickAt clicks at a point of the viewport.
func (p *Page) ClickAt(x, y float64) {
	p.t.Helper()
	p.Mouse("mouseMoved", x, y, 0, false)
	p.Mouse("mousePressed", x, y, 1, false)
	p.Mouse("mouseReleased", x, y, 1, false)
}

// Point returns the middle of the first element that a CSS selector finds.
func (p *Page) Point(selector string) (x, y float64) {
	p.t.Helper()
	xy := Eval[[]float64](p, `(() => {
		const e = document.querySelector(`+JS(selector)+`);
		if (!e) return [];
		e.scrollIntoView({ block: "nearest", inline: "nearest" });
		const r = e.getBoundingClientRect();
		return [r.x + r.width / 2, r.y + r.height / 2];
	})()`)
	if len(xy) != 2 {
		p.t.Fatalf("nothing matches %s", selector)
	}
	return xy[0], xy[1]
}

// Click clicks the first element that a CSS selector finds.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.ClickAt(p.Point(selector))
}

// Wheel turns the mouse wheel over a point.
func (p *Page) Wheel(x, y, delta float64) {
	p.t.Helper()
	// A delta of exactly 0 would be left out of the message, and the browser wants both.
	const none = 0.001
	call(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseWheel, X: x, Y: y, DeltaX: none, DeltaY: delta})
}
