package e2e

import (
	"regexp"
	"testing"
	"unicode"

	"tianbao/internal/browser"
)

// English is chosen by a link, stays chosen, reaches every page, and goes again.
// What stays Chinese is data: the form, units, notices, the manual.
func TestEnglish(t *testing.T) {
	s := startDemo(t, "")
	places, empty := s.places(t)
	c := s.clerk(t, browser.Start(t))
	c.enter("unit")
	c.Go(s.url + "/notices")
	if got := browser.Eval[string](c.Page, `document.documentElement.lang`); got != "zh-CN" {
		t.Errorf("the page is in %s before anybody chose", got)
	}
	c.submitForm(".lang button")
	if got := browser.Eval[string](c.Page, `location.pathname + " " + document.documentElement.lang + " " + document.querySelector("h1").textContent`); got != "/notices en Notices" {
		t.Errorf("after choosing English: %s", got)
	}
	c.Screenshot("english-notices")
	quoted := regexp.MustCompile(`“[^”]*”`)
	for _, p := range places {
		if p.who != "unit" {
			continue
		}
		c.load(s.url + p.path)
		// Everything that is said, less what is marked as Chinese and what is data.
		said := browser.Eval[[]string](c.Page, `(() => {
			const out = [document.title.split(" · ").pop()];
			const data = "[lang=zh-CN], tb-sheet, .topbar-unit, .topbar-name, .topbar-mark, .card-mark, .card-links, .feed, .tree, .prose, .lead, .crumbs, .form-head, .notes-list, td, dd, .receipt-title, .timeline b, .title, option, .attachments";
			const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
			for (let n = walk.nextNode(); n; n = walk.nextNode())
				if (!n.parentElement.closest(data) && n.textContent.trim()) out.push(n.textContent.trim());
			for (const e of document.querySelectorAll("[aria-label], [title], [placeholder]"))
				if (!e.closest("[lang=zh-CN], tb-sheet, .tree, td")) for (const a of ["aria-label", "title", "placeholder"]) if (e.getAttribute(a)) out.push(e.getAttribute(a));
			return out;
		})()`)
		for _, text := range said {
			for _, r := range quoted.ReplaceAllString(text, "") {
				if unicode.Is(unicode.Han, r) {
					t.Errorf("%s says %q", p.path, text)
					break
				}
			}
		}
	}
	// What the sheet says, and what the server says to it, checks and refusals.
	faulty := inserts(0, 2)
	faulty[1]["cells"].(map[string]string)["person_id"] = "12345"
	s.client(t, "unit").save(empty, 0, faulty)
	c.Go(s.url + "/reports/" + empty)
	c.ready()
	c.clickCell(2, "G")
	c.Click("#check")
	c.toast("Checked: 1 errors")
	for selector, want := range map[string]string{
		".fault-text": "An id number has 18 characters, now 5; enter it in full from the card.",
		"#state":      "Saved",
		"#count-rows": "2 rows",
	} {
		c.says(selector, want) // the list of faults is drawn after the answer
	}
	c.Screenshot("english-form")
	c.accessible("the form page in English")
	c.dismiss()
	c.Click("#report")
	c.Wait(`document.getElementById("ask-dialog").open`)
	c.Click("#ask-yes")
	c.toast("Cannot be reported yet: 1 errors to correct")

	c.Go(s.url + "/notices")
	c.submitForm(".lang button")
	if got := browser.Eval[string](c.Page, `document.documentElement.lang`); got != "zh-CN" {
		t.Errorf("back in %s", got)
	}
}
