package e2e

import (
	"net/http"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

type unitsJSON struct {
	Units []struct {
		Name, Note string
		Cells      map[string]string
	}
}

// The search for units sees the viewer's scope and nothing else, and what was looked
// for stands in no log.
func TestUnitSearch(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		search := func(login, q string) unitsJSON {
			t.Helper()
			var out unitsJSON
			s.client(t, login).must("POST", "/units/search", map[string]string{"q": q}, &out)
			return out
		}
		all := search("dept", "").Units
		if len(all) < 2 {
			t.Fatalf("the department sees %d units", len(all))
		}
		own := search("unit", "").Units
		if len(own) != 1 {
			t.Fatalf("the unit sees %d units, want itself", len(own))
		}
		// Every unit of the department is found by its name, code and organisation code;
		// the unit finds but itself.
		for _, u := range all {
			for _, q := range []string{u.Name, u.Cells["budget_code"], strings.ToLower(u.Cells["org_code"])} {
				if q == "" {
					continue
				}
				if got := search("dept", q).Units; len(got) == 0 || got[0].Name != u.Name {
					t.Errorf("%q finds %v first, want %s", q, got, u.Name)
				}
				for _, got := range search("unit", q).Units {
					if got.Name != own[0].Name {
						t.Errorf("%q shows the unit %s", q, got.Name)
					}
				}
			}
		}
		const typed = "21010219900101900X"
		if got := search("dept", typed).Units; len(got) != 0 {
			t.Errorf("an id finds %v", got)
		}
		if strings.Contains(s.log.String(), typed) {
			t.Error("what was looked for is in the log")
		}
		for login, want := range map[string]int{"admin": http.StatusForbidden, "": http.StatusUnauthorized} {
			c := s.anonymous(t)
			if login != "" {
				c = s.client(t, login)
			}
			if got := c.call("POST", "/units/search", map[string]string{"q": "x"}, nil); got != want {
				t.Errorf("as %q: %d, want %d", login, got, want)
			}
		}
		if got := s.client(t, "dept").call("POST", "/units/search", map[string]string{"q": strings.Repeat("x", 5000)}, nil); got != http.StatusRequestEntityTooLarge {
			t.Errorf("a long body: %d", got)
		}
	})
}

// A clerk types the initials of a unit and the row is filled from the register; the
// only unit of a clerk is offered without typing.
func TestUnitPicker(t *testing.T) {
	s := startDemo(t, "")
	var own unitsJSON
	s.client(t, "unit").must("POST", "/units/search", map[string]string{"q": ""}, &own)
	u := own.Units[0]
	open := `document.querySelector('[aria-label="建议"]')?.hidden === false`
	b := browser.Start(t)
	c := s.clerk(t, b)
	c.signInByMouse("unit")
	c.Go(s.url + "/reports/" + s.client(t, "unit").ownReport().ID)
	c.up()
	row := c.rows() + 1
	c.Do(`document.querySelector("tb-sheet").insertRow(document.querySelector("tb-sheet").rows().slice(-1)[0].id)`)
	if row == 1 {
		c.Do(`document.querySelector("tb-sheet").undo()`)
	}
	c.Frame()
	c.clickCell(row, "B")
	c.Press("Alt+ArrowDown")
	c.Wait(open)
	c.Press("ArrowDown", "Enter")
	for letter, key := range map[string]string{"A": "budget_code", "B": "unit_name", "C": "org_code", "D": "unit_type"} {
		if got := c.value(row, letter); got != u.Cells[key] {
			t.Errorf("%s%d = %q, want %q", letter, row, got, u.Cells[key])
		}
	}
	c.Press("Ctrl+z")
	if got := c.value(row, "B"); got != "" {
		t.Errorf("after undo B = %q", got)
	}
}
