package uitest

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
)

// desktop is the typist at a real keyboard with a real Pinyin input method. It waits
// for what its keys do in the page, never for a time.
type desktop struct {
	sheet
	desk *browser.Desk
}

// onScreen returns a window on the screen that scripts/with-ime.sh made; without it
// the test is skipped. make test-ime runs these tests.
func onScreen(t *testing.T) (w *world, base string) {
	t.Helper()
	if os.Getenv("TIANBAO_IME") != "1" {
		t.Skip("needs a screen with a real input method: make test-ime")
	}
	base = serve(t)
	w = &world{Browser: browser.StartOnScreen(t), t: t}
	w.page = w.OpenOnScreen(t, base+"/bare")
	w.page.Wait(`customElements.get("tb-sheet")`)
	w.page.Do(`
		window.seen = { keydown: 0, compositionend: 0, mouseup: 0 };
		for (const type in seen) addEventListener(type, () => seen[type]++, true);
	`)
	return w, base
}

// atDesk opens a sheet of n rows with a typist before it.
func atDesk(t *testing.T, w *world, base string, n int) *desktop {
	t.Helper()
	s := open(t, w, base, n)
	return &desktop{sheet: s, desk: s.Desk()}
}

// until acts and waits until the page has seen n more events of a type.
func (k *desktop) until(event string, n int, act func()) {
	k.t.Helper()
	before := browser.Eval[int](k.Page, "seen."+event)
	act()
	k.Wait(fmt.Sprintf("seen.%s >= %d", event, before+n))
}

func (k *desktop) click(cell string) {
	k.t.Helper()
	x, y := k.place(cell)
	k.until("mouseup", 1, func() { k.desk.ClickAt(x-10, y) })
	k.Frame()
}

func (k *desktop) press(keys ...string) {
	k.t.Helper()
	n := len(keys)
	for _, key := range keys {
		n += strings.Count(key, "+") // the modifier is a key too
	}
	k.until("keydown", n, func() { k.desk.Press(keys...) })
}

func (k *desktop) compose(letters string, pause time.Duration) {
	k.t.Helper()
	if k.readonly() {
		k.until("keydown", len(letters), func() { k.desk.Type(letters) })
		return
	}
	k.desk.Cadence = pause
	k.desk.Type(letters)
	k.desk.Cadence = pace
	k.Wait(`document.activeElement.value.replace(/[ ']/g, "").endsWith(` + browser.JS(letters) + `)`)
}

func (k *desktop) readonly() bool {
	k.t.Helper()
	return browser.Eval[bool](k.Page, `document.activeElement.readOnly`)
}

// Keys that the input method keeps reach the page as keydown 229 or not at all, so
// what waits for them looks at the composition.
func (k *desktop) list(keys ...string) { k.t.Helper(); k.desk.Press(keys...) }

func (k *desktop) cancel() {
	k.t.Helper()
	k.until("compositionend", 1, func() { k.desk.Press("Escape") })
}

func (k *desktop) commit(key, text string) {
	k.t.Helper()
	if k.readonly() {
		k.press(key)
		return
	}
	k.until("compositionend", 1, func() { k.desk.Press(key) })
	if got := browser.Eval[string](k.Page, `document.activeElement.value`); !strings.HasSuffix(got, text) {
		k.t.Errorf("after %q the field holds %q, want %q at its end", key, got, text)
	}
}

// The cases of TestIME, typed with a real input method.
func TestRealIME(t *testing.T) {
	w, base := onScreen(t)
	for _, tt := range imeCases() {
		t.Run(tt.name, func(t *testing.T) {
			k := atDesk(t, w, base, 20)
			tt.try(t, k.sheet, k)
		})
	}
}

// The candidates appear under the cell they are for, also at the sheet's far corner,
// after scrolling, and in the find bar.
func TestRealIMEWindow(t *testing.T) {
	w, base := onScreen(t)
	near := func(t *testing.T, k *desktop, name, selector string) {
		t.Helper()
		k.desk.Photograph(name)
		box := browser.Eval[[]float64](k.Page, `(() => { const r = document.querySelector(`+browser.JS(selector)+`).getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; })()`)
		left, top := k.desk.OnScreen(box[0], box[1])
		right, bottom := k.desk.OnScreen(box[2], box[3])
		win, ok := k.desk.Candidates()
		if !ok {
			t.Fatal("no candidate window")
		}
		below := win.Y >= bottom-8 && win.Y <= bottom+12
		above := win.Y+win.H >= top-12 && win.Y+win.H <= top+8
		// At the screen's edge the window is moved in.
		beside := win.X >= left-8 && win.X <= right || win.X+win.W >= 1360 && win.X < right
		if !beside || !below && !above {
			t.Errorf("candidates at %+v, the cell at %d,%d to %d,%d", win, left, top, right, bottom)
		}
	}
	t.Run("cell", func(t *testing.T) {
		k := atDesk(t, w, base, 20)
		k.click("B2")
		k.compose("nihao", pace)
		near(t, k, "ime-cell", ".tbs-input")
		k.cancel()
	})
	t.Run("far corner", func(t *testing.T) {
		k := atDesk(t, w, base, 300)
		k.click("B2")
		k.press("Ctrl+End", "ArrowLeft", "ArrowLeft")
		k.compose("nihao", pace)
		near(t, k, "ime-corner", ".tbs-input")
		k.commit(" ", "你好")
		k.press("Enter")
		k.want("F300=你好")
	})
	t.Run("scrolled away", func(t *testing.T) {
		k := atDesk(t, w, base, 500)
		k.click("B2")
		k.Do(`document.querySelector(".tbs-scroll").scrollTop = 5000`)
		k.Frame()
		k.compose("nihao", pace)
		near(t, k, "ime-scrolled", ".tbs-input")
		k.commit(" ", "你好")
		k.press("Enter")
		k.want("B2=你好", "B3=B3")
	})
	t.Run("drop-down", func(t *testing.T) {
		k := atDesk(t, w, base, 20)
		k.click("D2")
		k.press("Escape")
		k.compose("xingzheng", pace)
		near(t, k, "ime-drop", ".tbs-input")
		k.commit(" ", "行政")
		k.press("Enter")
		k.want("D2=行政单位")
	})
	t.Run("find bar", func(t *testing.T) {
		k := atDesk(t, w, base, 300)
		k.Do(`sheet.apply([{ op: "edit", row: "r250", cells: { f: "你好" } }], "")`)
		k.click("B2")
		k.press("Ctrl+f")
		k.compose("nihao", pace)
		near(t, k, "ime-find", ".tbs-find-text")
		k.commit(" ", "你好")
		k.wantActive("F250")
		k.press("Escape")
		k.compose("shijie", pace)
		k.commit(" ", "世界")
		k.press("Enter")
		k.want("F250=世界", "B2=B2")
	})
}

// Another cell is clicked in the middle of a composition: the letters stay where
// they were typed.
func TestRealIMEClick(t *testing.T) {
	w, base := onScreen(t)
	k := atDesk(t, w, base, 20)
	k.click("B2")
	k.compose("nihao", pace)
	k.click("E4")
	k.wantActive("E4")
	if got := strings.ReplaceAll(k.get("B2"), " ", ""); got != "nihao" && got != "你好" {
		t.Errorf("B2 = %q, want what was composed", got)
	}
	k.want("E4=E4")
	k.compose("shijie", pace)
	k.commit(" ", "世界")
	k.press("Enter")
	k.want("E4=世界", "E5=E5")
}
