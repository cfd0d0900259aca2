package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// week is an officer's week with one collection: the officer's page, and by the API whoever
// answers to it.
type week struct {
	*server
	t                               *testing.T
	c                               *clerk
	officer, city, dept, unit       *client
	post                            *postOffice
	id, path                        string // of the collection
	own, notice, remind, reviewPath string
	rep                             reportJSON
	saved                           savedJSON
}

// An officer opens a collection, publishes a notice about it, watches who is missing,
// reminds them, returns what is wrong and passes it when it is right, and certifies how far
// it has come.
func TestOfficersWeek(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		post := newPostOffice(t)
		s := startDemo(t, db, "--mail-server", post.addr, "--mail-security", "plain", "--mail-from", "tb@example.gov.cn")
		w := &week{
			server: s, t: t, post: post, c: s.clerk(t, browser.Start(t)),
			officer: s.client(t, "province"), city: s.client(t, "city"), dept: s.client(t, "dept"), unit: s.client(t, "unit"),
		}
		w.c.Media("prefers-reduced-motion: reduce")
		w.own = w.unit.ownReport().Owner
		w.unit.must("POST", "/units/"+w.own+"/mail", map[string]string{"mail": "school@example.gov.cn"}, nil)
		w.c.enter("province")
		w.opens()
		w.publishes()
		w.watches()
		w.seesMaps()
		w.reminds()
		w.returns()
		w.certifies()
		w.withdraws()
	})
}

// opens makes a collection, arranges its scope, tries it and opens it.
func (w *week) opens() {
	w.t.Helper()
	c, now := w.c, time.Now()
	day := func(days int) string { return now.AddDate(0, 0, days).Format("2006-01-02") + "T00:00" }
	c.Go(w.url + "/collections")
	c.accessible("the list of collections")
	c.set(map[string]string{"title": "资产管理人员信息更新", "form": "asset-role.1", "opens": day(-1), "closes": day(20)})
	c.bureauPicture("new")
	c.submitForm("#new + form .button-primary")
	w.path = browser.Eval[string](c.Page, `location.pathname`)
	w.id = w.path[strings.LastIndex(w.path, "/")+1:]
	for _, fields := range []map[string]string{
		{"kind": "window", "sunit": "501", "sopens": day(-1), "scloses": day(30)},
		{"kind": "exclude", "sunit": "511", "sreason": "今年单独登记"},
	} {
		c.set(fields)
		c.submitForm("#scope ~ form .button-primary")
	}
	c.accessible("a collection that is prepared")
	c.bureauPicture("scope")
	c.Go(w.url + w.path + "/rehearsal")
	if text := c.text(".main"); !strings.Contains(text, "应报") {
		w.t.Errorf("the dry run says %.200q", text)
	}
	c.bureauPicture("rehearsal")
	c.Go(w.url + w.path)
	c.submitForm(`form[action$="/phase"] .button-primary`)
	w.officer.must("POST", w.path+"/levels", map[string]any{"levels": []int{3, 4}}, nil)
	// Some need not report, so that there is something to be seen.
	var list struct {
		Units []struct{ Name string }
	}
	w.officer.must("GET", w.path+"/progress/units?state=undone", nil, &list)
	var codes []string
	for i, u := range list.Units {
		if i%3 != 0 && !strings.ContainsAny(u.Name, "学教园财") {
			codes = append(codes, u.Name)
		}
	}
	w.officer.must("POST", w.path+"/declarations", map[string]string{"reason": "已经并入其他单位填报", "codes": strings.Join(codes[:min(len(codes), 20)], "\n")}, nil)
}

// publishes writes a notice about the collection, with copies by mail.
func (w *week) publishes() {
	w.t.Helper()
	c := w.c
	c.Go(w.url + "/notices/new")
	c.set(map[string]string{
		"title": "关于更新资产管理人员信息的通知", "campaign": w.id,
		"body": "各单位：\n\n请按时填报资产管理人员信息，要求如下：\n\n1. 人员有变动的，按实际情况填写。\n2. 没有人员的，做零申报。\n\n填报中的问题，请在本通知下面提问。",
	})
	c.submitForm(".form .button-primary")
	w.notice = strings.TrimSuffix(browser.Eval[string](c.Page, `location.pathname`), "/edit")
	c.accessible("a draft of a notice that can be copied")
	c.bureauPicture("notice")
	c.Click(`[name="mail"]`)
	c.submitForm(`form[action$="/publish"] .button-primary`)
	w.unit.must("GET", w.notice, nil, nil) // leaves a receipt
	c.Go(w.url + w.notice + "/readers")
	c.accessible("who has read a notice")
	c.bureauPicture("notice-readers")
	if got := browser.Eval[string](c.Page, `document.querySelector(".tally-add b").textContent`); got != "2" { // the unit, and the province itself
		w.t.Errorf("%s units have read the notice", got)
	}
}

// watches looks at the progress while somebody else declares.
func (w *week) watches() {
	w.t.Helper()
	c, progress := w.c, w.url+w.path+"/progress"
	c.Go(progress)
	c.Wait(`document.getElementById("live").textContent.includes("自动更新")`)
	c.accessible("progress")
	c.bureauPicture("progress")
	before := c.text(`#figures ~ .tally [data-f=done]`)
	c.Do(`window.same = true`)
	var list struct{ Reports []reportJSON }
	w.dept.must("GET", "/reports?campaign="+w.id+"&q=示范幼儿园", nil, &list)
	w.dept.must("POST", w.path+"/units/"+list.Reports[0].Owner+"/declaration", map[string]string{"reason": "本单位没有资产管理人员"}, nil)
	c.Wait(`document.querySelector("#figures ~ .tally [data-f=done]").textContent !== "` + before + `"`)
	if !browser.Eval[bool](c.Page, `window.same === true`) {
		w.t.Error("the page was loaded again")
	}
	c.Go(progress + "?screen=1")
	c.accessible("big screen")
	c.bureauPicture("screen")

	// Down to a unit, its declaration, and the phone of another.
	c.Go(progress + "/units/" + list.Reports[0].Owner)
	c.accessible("a unit with a declaration")
	c.submitForm(`a[href$="/declaration"]`)
	if text := c.text(".main"); !strings.Contains(text, "本单位没有资产管理人员") {
		w.t.Errorf("the declaration says %.200q", text)
	}
	c.Go(progress + "/units?state=undone&unit=" + w.dept.ownReport().Owner)
	c.accessible("units")
	c.bureauPicture("units")
	if text := c.text("tbody"); strings.Contains(text, "16000041990") || !strings.Contains(text, "****") || !strings.Contains(text, "锦州市第一示范小学") {
		w.t.Errorf("the list of units says %.300q", text)
	}
	second := browser.Eval[string](c.Page, `[...document.querySelectorAll("tbody a")].find((a) => a.textContent === "锦州市第二示范小学").pathname`)
	c.Go(w.url + second)
	c.accessible("one unit")
	c.submitForm(`a[href="` + second + `/contact"]`)
	c.Do(`const f = document.querySelector("main form"); f.reason.value = "催促尽快上报"; f.requestSubmit()`)
	c.Wait(`document.querySelector(".callout-warn")`)
	if !strings.Contains(c.text(".facts"), "16000041990") {
		w.t.Error("the phone is not shown whole")
	}
}

// seesMaps looks at the tiles and brings a map.
func (w *week) seesMaps() {
	w.t.Helper()
	c, progress := w.c, w.url+w.path+"/progress"
	c.Go(progress)
	if got := browser.Eval[[]string](c.Page, `[document.querySelector(".tile-out .tile-name").textContent, String(document.querySelectorAll(".tile").length)]`); !slices.Equal(got, []string{"大连", "16"}) {
		w.t.Errorf("left out, and tiles: %q", got)
	}
	c.Do(`document.getElementById("map").scrollIntoView()`)
	c.bureauPicture("map")
	file := filepath.Join(w.t.TempDir(), "map.geojson")
	if err := os.WriteFile(file, []byte(inventedMap()), 0o600); err != nil {
		w.t.Fatal(err)
	}
	for _, number := range []string{"无", "辽S（2020）118号"} {
		c.Go(w.url + "/regions/map")
		c.choose("#file", file)
		c.set(map[string]string{"approval": number})
		c.submitForm("#upload + form .button-primary")
		if refused := strings.Contains(c.text(".main"), "审图号无法识别"); refused != (number == "无") {
			w.t.Errorf("%s is refused: %t", number, refused)
		}
	}
	c.accessible("the province's map")
	c.Go(progress)
	if got := browser.Eval[[]string](c.Page, `[document.querySelector("p.approval").textContent, document.querySelector("#atlas ~ svg .tile-out .tile-name").textContent, String(document.querySelectorAll("#atlas ~ svg path").length), String(document.querySelectorAll("#atlas ~ svg rect").length)]`); !slices.Equal(got, []string{"审图号：辽S(2020)118号", "大连", "4", "12"}) {
		w.t.Errorf("the map: %q", got)
	}
	c.accessible("progress with a map")
	if got := w.city.call("GET", "/regions/map", nil, nil); got != http.StatusNotFound {
		w.t.Errorf("a city sees where maps come in: %d", got)
	}
	w.officer.must("POST", "/regions/map/remove", map[string]string{}, nil)
	if got := w.officer.call("POST", "/regions/map/remove", map[string]string{}, nil); got != http.StatusNotFound {
		w.t.Errorf("the map is deleted twice: %d", got)
	}
}

// preview is whom a round by hand would remind: how many, whether the unit, and how many
// are left out as done.
func (w *week) preview() (n int, named bool, done int) {
	w.t.Helper()
	var p struct {
		Recipients int `json:"recipients"`
		List       []struct{ Unit, Phone string }
		Left       []struct {
			Name  string
			Count int
		}
	}
	w.officer.must("GET", w.remind+"/preview", nil, &p)
	for _, l := range p.List {
		named = named || l.Unit == w.own
		if l.Phone != "" && !strings.Contains(l.Phone, "*") {
			w.t.Error("a phone is shown whole")
		}
	}
	for _, l := range p.Left {
		if l.Name == "done" {
			done = l.Count
		}
	}
	return p.Recipients, named, done
}

// reminds reminds whoever is missing; the unit sees it, and reports.
func (w *week) reminds() {
	w.t.Helper()
	c := w.c
	w.remind = w.path + "/reminders"
	c.Go(w.url + w.remind)
	c.bureauPicture("remind")
	c.accessible("the plan of reminding")
	// All days and hours, so that the test may run at any.
	var policy map[string]any
	w.officer.must("GET", w.remind, nil, &policy)
	for k, v := range map[string]any{"from": "00:00", "to": "24:00", "weekends": true, "page": true, "mail": false, "text": "{单位}请在{截止时间}前上报。"} {
		policy[k] = v
	}
	delete(policy, "runs")
	delete(policy, "counts")
	w.officer.must("POST", w.remind, policy, nil)
	policy["text"] = "{姓名}请上报"
	if status := w.officer.call("POST", w.remind, policy, nil); status != http.StatusBadRequest {
		w.t.Errorf("an unknown field: %d", status)
	}
	n, named, before := w.preview()
	if n == 0 || !named {
		w.t.Fatalf("%d recipients, the unit among them: %t", n, named)
	}
	c.Go(w.url + w.remind + "/preview")
	c.bureauPicture("remind-preview")
	c.accessible("the preview of reminders")
	c.submitForm("main form .button-primary")
	if n, _, _ = w.preview(); n != 0 {
		w.t.Errorf("%d would be reminded again at once", n)
	}
	var home struct{ Reminders []struct{ ID, Text string } }
	for end := time.Now().Add(30 * time.Second); len(home.Reminders) == 0 && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		w.unit.must("GET", "/", nil, &home)
	}
	if len(home.Reminders) != 1 || !strings.Contains(home.Reminders[0].Text, "前上报。") {
		w.t.Fatalf("the unit's messages: %v", home.Reminders)
	}
	c.Go(w.url + w.remind + "/log?state=sent")
	c.bureauPicture("remind-log")
	c.accessible("the log of reminders")

	// The copy of the notice has come to the unit meanwhile, once.
	w.post.waits(w.t)
	c.Go(w.url + w.notice + "/readers?show=mail")
	c.accessible("the copies of a notice")
	c.Wait(`document.querySelector("tbody").textContent.includes("已发送")`)

	c.enter("unit")
	c.bureauPicture("remind-unit")
	c.accessible("a home page with a reminder")
	c.submitForm(`#main form[action^="/reminders/"] button`)
	w.rep = w.unit.reportIn(w.id, w.own)
	w.saved = w.unit.save(w.rep.ID, w.rep.Version, inserts(1, 4))
	w.report()
	if _, _, done := w.preview(); done != before+1 {
		w.t.Errorf("%d are left out as done after the report, %d before", done, before)
	}
}

func (w *week) report() {
	w.t.Helper()
	w.unit.must("POST", "/reports/"+w.rep.ID+"/submission", map[string]string{"key": newKey()}, nil)
}

func (w *week) judge(who *client, act string) int {
	w.t.Helper()
	remark := ""
	if act == "withdraw" {
		remark = "再看一次"
	}
	return who.call("POST", w.reviewPath, map[string]any{"act": act, "units": []string{w.own}, "remark": remark}, nil)
}

// returns sends the unit back with remarks on its cells, and passes it on a second look.
func (w *week) returns() {
	w.t.Helper()
	c := w.c
	w.reviewPath = w.path + "/review"
	c.enter("province")
	c.Go(w.url + "/review")
	c.accessible("collections to review")
	if text := c.text("tbody"); !strings.Contains(text, "市 1，省 0") {
		w.t.Errorf("waiting for review: %q", text)
	}
	if code := w.judge(w.city, "pass"); code != http.StatusOK {
		w.t.Fatalf("the city passes: %d", code)
	}
	c.Go(w.url + w.reviewPath)
	c.accessible("units that wait")
	c.bureauPicture("review")
	c.submitForm(`a[href="` + w.reviewPath + "/" + w.own + `"]`)
	c.Do(`document.querySelectorAll("details").forEach((d) => { d.open = true; })`)
	c.accessible("a unit under review")
	remark := func(row int, field, text string) {
		name := fmt.Sprintf("remark.%s.%s.%s", w.rep.ID, w.saved.Inserted[fmt.Sprint("t", row)], field)
		c.Do(fmt.Sprintf(`document.querySelector('[name="%s"]').value = %s`, name, browser.JS(text)))
	}
	remark(1, "phone", "与单位名册不一致")
	remark(2, "person_name", "请核对姓名")
	c.submitForm(`button[value="return"]`)
	if got := browser.Eval[string](c.Page, `location.pathname`); got != w.reviewPath {
		w.t.Fatalf("after the return at %s: %s", got, c.text(".main"))
	}

	c.enter("unit")
	if text := c.text(".main"); !strings.Contains(text, "已退回") || !strings.Contains(text, "审核意见：见表中标出的格") {
		w.t.Errorf("the home page says %.300q", text)
	}
	c.Go(w.url + "/reports/" + w.rep.ID)
	c.ready()
	c.Wait(`document.getElementById("count-hint") && document.querySelector("#count-hint b").textContent === "2"`)
	c.Do(`document.getElementById("faults").hidden = false; document.getElementById("faults-list").dispatchEvent(new Event("focusout"))`)
	c.Wait(`document.querySelectorAll("#faults-list li").length === 2`)
	if d := cmp.Diff([]string{"# 提示 2", "第1行 H列 审核意见：与单位名册不一致", "第2行 F列 审核意见：请核对姓名"}, c.listed()); d != "" {
		w.t.Error(d)
	}
	if got := c.mark(1, "H"); !strings.HasPrefix(got, "hint 提示：审核意见：与单位名册不一致") {
		w.t.Errorf("the mark of H1 is %q", got)
	}
	c.accessible("a returned sheet")
	c.picture("returned")
	row := w.saved.Inserted["t1"]
	w.saved = w.unit.save(w.rep.ID, w.saved.Receipt.Version, []change{{"op": "edit", "row": row, "cells": map[string]string{"phone": "16012345678"}}})
	w.rep.Version = w.saved.Receipt.Version
	var left struct {
		Problems []struct{ Code, Field string }
	}
	w.unit.must("POST", "/reports/"+w.rep.ID+"/check", map[string]any{"base": w.rep.Version, "changes": []change{}}, &left)
	if len(left.Problems) != 1 || left.Problems[0].Code != "review.remark" || left.Problems[0].Field != "person_name" {
		w.t.Errorf("left after one correction: %+v", left.Problems)
	}
	w.report()

	if code := w.judge(w.city, "pass"); code != http.StatusOK {
		w.t.Errorf("the city passes once more: %d", code)
	}
	c.enter("province")
	c.Go(w.url + w.reviewPath + "/" + w.own)
	if got := browser.Eval[[]string](c.Page, `[...document.querySelectorAll("dd s")].map((e) => e.parentNode.querySelector("strong").textContent + " " + e.textContent)`); len(got) != 1 || !strings.HasPrefix(got[0], "160") || !strings.Contains(got[0], "原：160") {
		w.t.Errorf("what changed: %q", got)
	}
	if text := c.text(".main"); strings.Contains(text, "16012345678") || !strings.Contains(text, "上次意见：与单位名册不一致") {
		w.t.Error("the second look shows a full phone, or not the remark")
	}
	c.accessible("the second look")
	c.bureauPicture("review-unit")
	c.submitForm(`button[value="pass"]`)
}

// certifies has papers made of a city, where units are missing, and of the unit that is
// passed. A paper is the same each time it is fetched, and never calls incomplete what is
// not.
func (w *week) certifies() {
	w.t.Helper()
	c := w.c
	c.Go(w.url + w.path + "/progress")
	c.submitForm(`[aria-labelledby="certify"] .button`)
	if got := browser.Eval[string](c.Page, `location.pathname`); !strings.HasPrefix(got, "/certificates/") {
		w.t.Errorf("after certifying at %s", got)
	}
	for _, tt := range []struct {
		unit, code string
		whole      bool
	}{{code: "锦州市财政局"}, {unit: w.own, whole: true}} {
		var made struct{ ID string }
		w.officer.must("POST", w.path+"/certificates", map[string]string{"unit": tt.unit, "unit_code": tt.code}, &made)
		path := "/certificates/" + made.ID
		var paper certificateJSON
		w.officer.must("GET", path, nil, &paper)
		if paper.Whole != tt.whole || strings.Contains(paper.Says, "无遗漏") != tt.whole || (paper.Kind == "完成证明") != tt.whole {
			w.t.Errorf("%s: %+v", tt.code, paper.Says)
		}
		if s := paper.Units[0].State; !tt.whole && (s == "passed" || s == "exempt" || s == "nil") {
			w.t.Errorf("the first of the list is %s", s)
		}
		for _, file := range []string{"/pdf", "/workbook", "/list"} {
			res, first := w.officer.do("GET", path+file, "", nil)
			_, again := w.officer.do("GET", path+file, "", nil)
			if res.StatusCode != http.StatusOK || len(first) == 0 || !slices.Equal(first, again) {
				w.t.Errorf("%s: %d, %d bytes, the same twice: %v", file, res.StatusCode, len(first), slices.Equal(first, again))
			}
		}
		if got := w.unit.call("GET", path, nil, nil); (got == http.StatusOK) != tt.whole {
			w.t.Errorf("to the unit's clerk: %d", got)
		}
		c.Go(w.url + path)
		c.accessible("a certificate")
		if !tt.whole {
			c.bureauPicture("certificate")
		}
	}
}

// withdraws: what is passed is locked until the passes are withdrawn from the top down.
func (w *week) withdraws() {
	w.t.Helper()
	save := func() int {
		return w.unit.call("POST", "/reports/"+w.rep.ID+"/changes", map[string]any{
			"key": newKey(), "base": w.rep.Version, "changes": []change{{"op": "insert", "temp": "t", "after": "end", "cells": person(9)}},
		}, nil)
	}
	for _, step := range []struct {
		name string
		do   func() int
		want int
	}{
		{"a save of a passed unit", save, http.StatusConflict},
		{"the city withdraws first", func() int { return w.judge(w.city, "withdraw") }, http.StatusBadRequest},
		{"the province withdraws", func() int { return w.judge(w.officer, "withdraw") }, http.StatusOK},
		{"the city withdraws", func() int { return w.judge(w.city, "withdraw") }, http.StatusOK},
		{"a save afterwards", save, http.StatusOK},
	} {
		if got := step.do(); got != step.want {
			w.t.Errorf("%s: %d, want %d", step.name, got, step.want)
		}
	}
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
