package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

// bureauPicture is a picture of the manual for bureaus.
func (c *clerk) bureauPicture(name string) { c.picture("bureau-" + name) }

type certificateJSON struct {
	Kind, Says, Digest string
	Expected, Done     int
	Whole              bool
	Units              []struct{ Name, State string }
}

// An officer opens the progress of a collection, goes down to a unit that has not
// reported and sees whom to call; another clerk reports, and the page shows it without
// being loaded again. The paper about it is the same each time it is fetched, and never
// calls incomplete what is not.
func TestProgress(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startWatched(t, db)
		city, unit := s.client(t, "city"), s.client(t, "unit")
		own := unit.ownReport()
		dept := s.client(t, "dept") // whose sheet has a row of every unit
		above, gone := dept.ownReport(), []change{}
		for _, row := range dept.sheet(above.ID).Rows {
			gone = append(gone, change{"op": "delete", "row": row.ID})
		}
		dept.save(above.ID, above.Version, gone)
		c := s.clerk(t, browser.Start(t))
		c.signInByMouse("city")
		c.submitForm(`.card a[href="/collections/` + campaign + `/progress"]`)
		text := func(selector string) string { return c.text(selector) }
		before := text(`#figures ~ .tally [data-f=done]`)
		c.Wait(`document.getElementById("live").textContent.includes("自动更新")`)
		c.accessible("progress")
		c.bureauPicture("progress")
		c.Screenshot("progress")

		// Down to the unit and its phone.
		page := browser.Eval[string](c.Page, `location.href`)
		c.Go(s.url + "/collections/" + campaign + "/progress/units?state=undone")
		c.accessible("units")
		c.Screenshot("progress-units")
		if !strings.Contains(text("tbody"), "锦州市第一示范小学") {
			t.Error("the unit that has not begun is not listed")
		}
		c.bureauPicture("units")
		second := browser.Eval[string](c.Page, `[...document.querySelectorAll("tbody a")].find((a) => a.textContent === "锦州市第二示范小学").pathname`)
		if strings.Contains(text("tbody"), "16000041990") || !strings.Contains(text("tbody"), "****") {
			t.Error("the list shows a phone whole")
		}
		c.Go(s.url + second)
		c.accessible("one unit")
		c.submitForm(`a[href="` + second + `/contact"]`)
		c.Do(`const f = document.querySelector("main form"); f.reason.value = "催促尽快上报"; f.requestSubmit()`)
		c.Wait(`document.querySelector(".callout-warn")`)
		if !strings.Contains(text(".facts"), "16000041990") {
			t.Error("the phone is not shown whole")
		}

		// Another clerk reports.
		c.Go(page)
		c.Wait(`document.getElementById("live").textContent.includes("自动更新")`)
		c.Do(`window.same = true`)
		unit.save(own.ID, own.Version, inserts(0, 2))
		unit.must("POST", "/reports/"+own.ID+"/submission", map[string]string{"key": newKey()}, nil)
		c.Wait(`document.querySelector("#figures ~ .tally [data-f=done]").textContent !== "` + before + `"`)
		if !browser.Eval[bool](c.Page, `window.same === true`) {
			t.Error("the page was loaded again")
		}
		if rate := browser.Eval[string](c.Page, `[...document.querySelectorAll("tr[data-unit]")].find((r) => r.textContent.includes("教育局")).querySelector("[data-f=done]").textContent`); rate != "1" {
			t.Errorf("the department has %s done", rate)
		}
		c.Go(page + "?screen=1")
		c.Screenshot("progress-screen")
		c.accessible("big screen")
		c.bureauPicture("screen")

		// The province sees the map.
		p := s.clerk(t, browser.Start(t))
		p.signInByMouse("province")
		p.Go(s.url + "/collections/" + campaign + "/progress")
		if got := browser.Eval[string](p.Page, `document.querySelector(".tile-out .tile-name").textContent`); got != "大连" {
			t.Errorf("%q is left out on the map", got)
		}
		if n := browser.Eval[int](p.Page, `document.querySelectorAll(".tile").length`); n != 16 {
			t.Errorf("%d tiles", n)
		}
		p.accessible("the map")
		p.bureauPicture("map")
		p.Screenshot("progress-map")

		// It brings a map of its own.
		file := filepath.Join(t.TempDir(), "map.geojson")
		if err := os.WriteFile(file, []byte(inventedMap()), 0o600); err != nil {
			t.Fatal(err)
		}
		bring := func(number string) {
			p.Go(s.url + "/regions/map")
			p.choose("#file", file)
			p.Do(`document.getElementById("approval").value = "` + number + `"`)
			p.submitForm("#upload + form .button-primary")
		}
		bring("无")
		if got := p.text("[role=alert]"); !strings.Contains(got, "审图号无法识别") {
			t.Errorf("without a number: %q", got)
		}
		bring("辽S（2020）118号")
		p.accessible("the province's map")
		p.Go(s.url + "/collections/" + campaign + "/progress")
		if got := browser.Eval[[]string](p.Page, `[document.querySelector("p.approval").textContent, document.querySelector("#atlas ~ svg .tile-out .tile-name").textContent, String(document.querySelectorAll("#atlas ~ svg path").length), String(document.querySelectorAll("#atlas ~ svg rect").length)]`); !slices.Equal(got, []string{"审图号：辽S(2020)118号", "大连", "4", "12"}) {
			t.Errorf("the map: %q", got)
		}
		p.accessible("progress with a map")
		p.Do(`document.getElementById("atlas").scrollIntoView()`)
		p.Screenshot("progress-atlas")
		if got := city.call("GET", "/regions/map", nil, nil); got != http.StatusNotFound {
			t.Errorf("a city sees where maps come in: %d", got)
		}
		province := s.client(t, "province")
		province.must("POST", "/regions/map/remove", map[string]string{}, nil)
		if got := province.call("POST", "/regions/map/remove", map[string]string{}, nil); got != http.StatusNotFound {
			t.Errorf("the map is deleted twice: %d", got)
		}

		s.papers(t, city, c, own.Owner)
	})
}

// inventedMap is a map of squares where some cities lie, one of them as two counties.
func inventedMap() string {
	var features []string
	for _, f := range []struct {
		code string
		x, y float64
	}{{"210100", 123, 42}, {"210200", 122, 39}, {"210702", 121, 41}, {"210726", 122, 41}, {"210300", 123, 41}, {"110000", 116, 40}} {
		features = append(features, fmt.Sprintf(`{"type":"Feature","properties":{"adcode":%s},"geometry":{"type":"Polygon","coordinates":[[[%[2]g,%[3]g],[%[4]g,%[3]g],[%[4]g,%[5]g],[%[2]g,%[5]g],[%[2]g,%[3]g]]]}}`, f.code, f.x, f.y, f.x+1, f.y+1))
	}
	return `{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`
}

// papers are the certificates of the city, where units are missing, and of a unit that
// has reported.
func (s *server) papers(t *testing.T, city *client, c *clerk, reported string) {
	t.Helper()
	for _, tt := range []struct {
		unit, code string
		whole      bool
	}{{code: "锦州市财政局"}, {unit: reported, whole: true}} {
		var made struct{ ID string }
		city.must("POST", "/collections/"+campaign+"/certificates", map[string]string{"unit": tt.unit, "unit_code": tt.code}, &made)
		path := "/certificates/" + made.ID
		var paper certificateJSON
		city.must("GET", path, nil, &paper)
		if paper.Whole != tt.whole || strings.Contains(paper.Says, "无遗漏") != tt.whole || (paper.Kind == "完成证明") != tt.whole {
			t.Errorf("%s: %+v", tt.code, paper.Says)
		}
		if !tt.whole && paper.Units[0].State == "reported" {
			t.Errorf("the first of the list has reported")
		}
		for _, file := range []string{"/pdf", "/workbook", "/list"} {
			res, first := city.do("GET", path+file, "", nil)
			_, again := city.do("GET", path+file, "", nil)
			if res.StatusCode != http.StatusOK || len(first) == 0 || !bytes.Equal(first, again) {
				t.Errorf("%s: %d, %d bytes, the same twice: %v", file, res.StatusCode, len(first), bytes.Equal(first, again))
			}
		}
		if got := s.client(t, "unit").call("GET", path, nil, nil); (got == http.StatusOK) != tt.whole {
			t.Errorf("to the unit's clerk: %d", got)
		}
		c.Go(s.url + path)
		c.accessible("a certificate")
		c.Screenshot("certificate")
		if !tt.whole {
			c.bureauPicture("certificate")
		}
	}
}
