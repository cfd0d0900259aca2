package browser

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// StartOnScreen starts a Chromium with a window on the screen that DISPLAY names, and which takes its input method from the desktop. scripts/with-ime.sh
// makes such a screen.
func StartOnScreen(t testing.TB) *Browser {
	t.Helper()
	return launch(t,
		chromedp.Flag("headless", false),
		chromedp.Flag("ozone-platform", "x11"),
		// GTK decides which input method module is loaded; the one for 3 is what
		// scripts/with-ime.sh installs.
		chromedp.Flag("gtk-version", "3"),
		chromedp.Flag("start-maximized", true),
	)
}

// OpenOnScreen opens url in the window: in its real size, and with the focus that
// the window manager gives, so that keys of the desktop reach it.
func (b *Browser) OpenOnScreen(t testing.TB, url string) *Page {
	t.Helper()
	p := b.tab(t)
	p.listen()
	p.Go(url)
	call(p, page.BringToFront, cdp.Empty{})
	p.Wait(`document.hasFocus()`)
	return p
}

// Desk is the keyboard and the mouse of the screen that a page of
// [Browser.OpenOnScreen] is on. What it types passes through the desktop's input
// method before the browser sees it.
type Desk struct {
	p *Page
	// Cadence is the pause between two keys.
	Cadence time.Duration
}

// Desk returns the keyboard of the page's screen, with an ordinary typist's pace.
func (p *Page) Desk() *Desk { return &Desk{p: p, Cadence: 60 * time.Millisecond} }

// keysyms are the X names of keys that are called otherwise in the DOM.
var keysyms = map[string]string{
	"Enter": "Return", " ": "space", "ArrowUp": "Up", "ArrowDown": "Down", "ArrowLeft": "Left", "ArrowRight": "Right",
	"PageUp": "Prior", "PageDown": "Next", "Backspace": "BackSpace", "Shift+Tab": "shift+Tab", "Ctrl+f": "ctrl+f", "Ctrl+z": "ctrl+z",
}

// Press presses keys one after another, named as [Page.Press] names them.
func (d *Desk) Press(keys ...string) {
	d.p.t.Helper()
	args := []string{"key", "--delay", strconv.FormatInt(d.Cadence.Milliseconds(), 10)}
	for _, k := range keys {
		if x, ok := keysyms[k]; ok {
			k = x
		}
		args = append(args, k)
	}
	d.tool(args...)
}

// Type types letters and digits.
func (d *Desk) Type(text string) {
	d.p.t.Helper()
	var keys []string
	for _, r := range text {
		keys = append(keys, string(r))
	}
	d.Press(keys...)
}

// ClickAt clicks at a point of the viewport.
func (d *Desk) ClickAt(x, y float64) {
	d.p.t.Helper()
	sx, sy := d.OnScreen(x, y)
	d.tool("mousemove", strconv.Itoa(sx), strconv.Itoa(sy), "click", "1")
}

// OnScreen returns where on the screen a point of the viewport is.
func (d *Desk) OnScreen(x, y float64) (sx, sy int) {
	d.p.t.Helper()
	// The frame is as wide at the left as at the right and below; the rest is above.
	at := Eval[[]float64](d.p, `(() => { const b = (outerWidth - innerWidth) / 2; return [screenX + b, screenY + outerHeight - innerHeight - b]; })()`)
	return int(at[0] + x), int(at[1] + y)
}

// Photograph writes a picture of the whole screen, candidate window included, when
// TIANBAO_SHOTS names a folder.
func (d *Desk) Photograph(name string) {
	d.p.t.Helper()
	dir := os.Getenv("TIANBAO_SHOTS")
	if dir == "" {
		return
	}
	d.run("import", "-window", "root", filepath.Join(dir, name+".png"))
}

// Window is a rectangle of the screen in pixels.
type Window struct{ X, Y, W, H int }

// Candidates returns where the input method's candidate window is; ok is false when
// there is none.
func (d *Desk) Candidates() (w Window, ok bool) {
	d.p.t.Helper()
	out, err := exec.Command("xdotool", "search", "--onlyvisible", "--name", "Fcitx5 Input Window", "getwindowgeometry", "--shell").Output()
	if err != nil {
		return w, false
	}
	_, err = fmt.Sscanf(string(out), "WINDOW=%d\nX=%d\nY=%d\nWIDTH=%d\nHEIGHT=%d", new(int), &w.X, &w.Y, &w.W, &w.H)
	return w, err == nil
}

func (d *Desk) tool(args ...string) {
	d.p.t.Helper()
	d.run("xdotool", args...)
}

func (d *Desk) run(name string, args ...string) {
	d.p.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		d.p.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}
