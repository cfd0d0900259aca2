package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
)

// fate is the simple model: what was typed where, and which rows somebody took away.
type fate struct {
	serial int
	typed  map[string]string // text of column E → the name of its row
	made   []string          // names of rows that were added
	gone   map[string]bool   // names that left somebody's screen by his own hand
	bared  map[string]bool   // those of them whose row stayed, without a name
}

func (f *fate) text(name string) string {
	f.serial++
	text := fmt.Sprint("t", f.serial)
	f.typed[text] = name
	return text
}

// Random histories through the real pages and server: somebody at two machines and a
// colleague edit, paste, add, delete, undo, save and crash. No row is stored twice, no text
// stands in another row, no row is lost that nobody took away, and in the end all see what
// is stored. TIANBAO_HISTORIES asks for more than the few of an ordinary run.
func TestHistoriesThroughPages(t *testing.T) {
	n := 6
	if more, err := strconv.Atoi(os.Getenv("TIANBAO_HISTORIES")); err == nil {
		n = more
	}
	s := startWatched(t, "")
	api := s.client(t, "dept")
	rep := api.ownReport()
	rows := inserts(0, 3)
	for i, name := range []string{"起一", "起二", "起三"} {
		rows[i]["cells"].(map[string]string)["person_name"] = name
	}
	api.save(rep.ID, rep.Version, rows)
	pages := []*clerk{
		s.openAs(t, browser.Start(t), "dept", rep.ID), s.openAs(t, browser.Start(t), "dept", rep.ID),
		s.openAs(t, browser.Start(t), "province", rep.ID),
	}
	f := &fate{typed: map[string]string{}, gone: map[string]bool{}, bared: map[string]bool{}}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //#nosec G404 -- a test
	for h := range n {
		var log []string
		for range 8 {
			i := random.IntN(len(pages))
			log = append(log, fmt.Sprint(i, ":", f.step(pages[i], random)))
		}
		for range 2 { // what one saves the next takes in
			for _, c := range pages {
				c.submitAll()
			}
		}
		f.judge(t, api.sheet(rep.ID), pages)
		if t.Failed() {
			t.Fatalf("history %d of seed %d: %s", h, seed, strings.Join(log, " "))
		}
	}
}

// named reads the rows that have a name, as E and F.
func (c *clerk) named() [][2]string {
	c.t.Helper()
	return browser.Eval[[][2]string](c.Page, `document.querySelector("tb-sheet").rows().filter((r) => r.values[5]).map((r) => [r.values[4], r.values[5]])`)
}

// names reads the names of all rows, by the ids that rows have on the page.
func (c *clerk) names() map[string]string {
	c.t.Helper()
	return browser.Eval[map[string]string](c.Page, `Object.fromEntries(document.querySelector("tb-sheet").rows().map((r) => [r.id, r.values[5]]))`)
}

// step lets a page do something at random and says what.
func (f *fate) step(c *clerk, random *rand.Rand) string {
	c.t.Helper()
	rows := c.named()
	if len(rows) == 0 {
		return "nothing"
	}
	at := random.IntN(len(rows))
	took := func(act func()) {
		names := c.names()
		act()
		c.Frame()
		for id, name := range c.names() {
			f.bared[names[id]] = f.bared[names[id]] || name == ""
		}
		left := map[string]bool{}
		for _, row := range c.named() {
			left[row[1]] = true
		}
		for _, row := range rows {
			f.gone[row[1]] = f.gone[row[1]] || !left[row[1]]
		}
	}
	// By its name: a deletion by somebody else may come in at any moment.
	if !browser.Eval[bool](c.Page, `(() => { const s = document.querySelector("tb-sheet"), row = s.rows().find((r) => r.values[5] === `+strconv.Quote(rows[at][1])+`); if (row) s.goTo(row.id, "legacy_username"); return !!row })()`) {
		return "nothing"
	}
	// Where it comes in between here and the typing, the text is the next row's.
	defer func(before int) {
		left := map[string]bool{}
		for _, row := range c.named() {
			left[row[1]] = true
		}
		for n := before + 1; n <= f.serial; n++ {
			if text := fmt.Sprint("t", n); !left[f.typed[text]] {
				delete(f.typed, text)
			}
		}
	}(f.serial)
	what := random.IntN(9)
	switch what {
	case 0, 1:
		c.Type(f.text(rows[at][1]) + "\n")
		return "edit"
	case 2:
		if at+1 < len(rows) {
			below := browser.Eval[string](c.Page, `(() => { const rows = document.querySelector("tb-sheet").rows(); return rows[rows.findIndex((r) => r.values[5] === `+strconv.Quote(rows[at][1])+`) + 1].values[5] })()`)
			c.Paste(f.text(rows[at][1])+"\r\n"+f.text(below)+"\r\n", "") // below may be a row that an undo left without a name
		}
		return "paste"
	case 3, 4:
		f.serial++
		name := "行" + strings.Map(func(r rune) rune { return r - '0' + '甲' }, strconv.Itoa(f.serial))
		f.made = append(f.made, name)
		c.Press("Ctrl+=")
		c.Do(`const s = document.querySelector("tb-sheet"); await new Promise(requestAnimationFrame)`)
		c.Press("Home", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
		c.Insert(name)
		c.Press("Enter")
		return "add"
	case 5:
		if len(rows) > 2 {
			took(func() { c.Press("Ctrl+-") })
		}
		return "delete"
	case 6:
		took(func() { c.Press("Ctrl+z") })
		return "undo"
	case 7:
		c.submitAll()
		return "save"
	}
	c.reopen()
	return "crash"
}

// submitAll submits until nothing is left; where it is asked, what is marked stands.
func (c *clerk) submitAll() {
	c.t.Helper()
	c.Do(`const dirty = document.getElementById("dirty"), ask = document.getElementById("ask-dialog"), button = document.getElementById("submit");
		const end = performance.now() + 20000;
		while ((!dirty.hidden || ask.open || button.getAttribute("aria-busy")) && performance.now() < end) {
			if (ask.open) document.getElementById("ask-yes").click();
			else if (!button.getAttribute("aria-busy")) button.click();
			await new Promise((ok) => setTimeout(ok, 20));
		}
		if (!dirty.hidden) complaints.push("not submitted: " + dirty.textContent);`)
}

// reopen loads the page anew without leave, as after a crash, when the journal has what
// was done.
func (c *clerk) reopen() {
	c.t.Helper()
	c.Wait(`document.getElementById("dirty").hidden || document.getElementById("dirty").textContent.includes("已存本机")`)
	c.Do(`BeforeUnloadEvent.prototype.preventDefault = () => {}; Object.defineProperty(BeforeUnloadEvent.prototype, "returnValue", { set() {} })`)
	c.Go(browser.Eval[string](c.Page, `location.href`))
	// Somebody is asked about a draft that was spent before the sheet is checked.
	c.Do(`const ask = document.getElementById("ask-dialog");
		for (const end = performance.now() + 30000; document.getElementById("count-faults").hidden && performance.now() < end; await new Promise((ok) => setTimeout(ok, 20)))
			if (ask.open) document.getElementById("ask-yes").click();`)
	c.ready()
}

// judge compares what is stored with the model and with every screen.
func (f *fate) judge(t *testing.T, sheet sheetJSON, pages []*clerk) {
	t.Helper()
	stored := map[string]string{}
	for _, row := range sheet.Rows {
		name, text := row.Values[5], row.Values[4]
		if _, twice := stored[name]; twice && name != "" {
			t.Errorf("%s is stored twice", name)
		}
		stored[name] = text
		// A row may be bared by one while another types into it: each has what he did.
		if of, ours := f.typed[text]; ours && of != name && (name != "" || !f.bared[of]) {
			t.Errorf("%s stands in %s and was typed into %s", text, name, of)
		}
	}
	for _, name := range f.made {
		if _, ok := stored[name]; !ok && !f.gone[name] {
			t.Errorf("%s is lost", name)
		}
	}
	filled := 0 // a row that was emptied again is stored, and no page counts it
	for _, row := range sheet.Rows {
		if strings.Join(row.Values, "") != "" {
			filled++
		}
	}
	for i, c := range pages {
		c.Wait(`document.querySelector("tb-sheet").filled === ` + strconv.Itoa(filled))
		// What others saved comes by itself, cells of rows that stood already no less.
		other := c.otherThan(stored)
		for end := time.Now().Add(20 * time.Second); len(other) > 0 && time.Now().Before(end); other = c.otherThan(stored) {
			time.Sleep(50 * time.Millisecond)
		}
		if len(other) > 0 {
			t.Errorf("page %d shows what is not stored: %q", i, other)
		}
	}
}

// otherThan lists what the page shows otherwise than it is stored, by the names of rows.
func (c *clerk) otherThan(stored map[string]string) (other []string) {
	c.t.Helper()
	for _, row := range c.named() {
		if text, ok := stored[row[1]]; !ok || text != row[0] {
			other = append(other, fmt.Sprintf("%s: %q, stored %q", row[1], row[0], text))
		}
	}
	return other
}
