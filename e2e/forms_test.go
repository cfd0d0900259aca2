package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

// faultsOf are the codes of the faults that a report of the collection's form would have
// with one more row of these cells.
func (c *client) faultsOf(report string, version int64, cells map[string]string) []string {
	c.t.Helper()
	var out struct{ Problems []struct{ Code string } }
	c.must("POST", "/reports/"+report+"/check", map[string]any{"base": version, "changes": []change{{"op": "insert", "temp": "x", "after": "end", "cells": cells}}}, &out)
	codes := []string{}
	for _, p := range out.Problems {
		codes = append(codes, p.Code)
	}
	return codes
}

// collect makes a collection of a form and opens it.
func (c *client) collect(title, form string) string {
	c.t.Helper()
	var made struct{ ID string }
	c.must("POST", "/collections", map[string]string{"title": title, "form": form, "opens": "2022-09-01T00:00"}, &made)
	c.must("POST", "/collections/"+made.ID+"/phase", map[string]string{"phase": "open"}, nil)
	return made.ID
}

// reportIn opens the own unit's report in a collection.
func (c *client) reportIn(collection, unit string) reportJSON {
	c.t.Helper()
	var r reportJSON
	c.must("POST", "/campaigns/"+collection+"/reports", map[string]string{"unit": unit}, &r)
	return r
}

type draftJSON struct {
	ID, Name   string
	Base       int
	Version    int64
	Faults     []struct{ Place, Message string }
	Definition json.RawMessage
}

// A1: the list of column D changes in the page: version 2 is published, which new
// collections use; reports of version 1 show and check by version 1 as before. Others than
// the province's officers have no part in it, and another server knows of it at once.
func TestFormVersions(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		province, unit := s.client(t, "province"), s.client(t, "unit")
		own := unit.ownReport()
		own = unit.save(own.ID, own.Version, inserts(0, 2)).Report
		other := s
		if db != "" {
			other = startIn(t, s.data, db, "--demo")
		}

		for who, want := range map[string]int{"unit": http.StatusForbidden, "dept": http.StatusForbidden, "city": http.StatusForbidden, "admin": http.StatusForbidden} {
			c := s.client(t, who)
			if got := c.call("GET", "/form-definitions", nil, nil); got != want {
				t.Errorf("%s sees the forms: %d", who, got)
			}
			if got := c.call("POST", "/form-drafts", map[string]string{"form": "asset-role.1"}, nil); got != want {
				t.Errorf("%s makes a draft: %d", who, got)
			}
		}
		for _, name := range []string{"unit-register.1", "account-batch.1", "asset-role.9", "none.1", ""} {
			want := http.StatusNotFound
			if name == "" {
				want = http.StatusOK
			}
			if got := province.call("POST", "/form-drafts", map[string]string{"form": name}, nil); got != want {
				t.Errorf("a draft of %q: %d, want %d", name, got, want)
			}
		}

		for _, name := range []string{"unit-register.2", "account-batch.1"} { // the program's own
			if got := province.call("POST", "/collections", map[string]string{"title": "采集", "form": name, "opens": "2026-09-01"}, nil); got != http.StatusBadRequest {
				t.Errorf("a collection with %s: %d", name, got)
			}
		}

		c := s.clerk(t, browser.Start(t))
		c.enter("province")
		c.Go(s.url + "/form-definitions")
		c.accessible("the list of forms")
		c.Screenshot("forms")
		c.bureauPicture("forms")
		c.submitForm(`button[aria-label^="修改：预算管理"]`)
		draft := browser.Eval[string](c.Page, `location.pathname`)
		c.Do(`document.querySelectorAll("details").forEach((d) => { d.open = true; })`)
		c.accessible("a draft")
		c.Screenshot("form-draft")
		c.bureauPicture("form-draft")
		// A mistake is kept and told; it keeps the draft from being published.
		c.Do(`document.querySelector('[name="f3.enum"]').value = "主管部门\n主管部门"`)
		c.submitForm(".form-editor .button-primary")
		if got := browser.Eval[string](c.Page, `document.querySelector(".panel td.code").textContent`); got != "fields #4 (unit_type) constraints enum 1" {
			t.Errorf("the fault stands at %q", got)
		}
		c.Go(s.url + draft + "/preview")
		if browser.Eval[bool](c.Page, `!!document.querySelector('form[action$="/publish"]')`) {
			t.Error("a draft with faults is offered for publishing")
		}
		c.Go(s.url + draft)
		c.Do(`document.querySelector('[name="f3.enum"]').value = "主管部门\n行政单位\n公益单位"`)
		c.submitForm(".form-editor .button-primary")
		c.Go(s.url + draft + "/preview")
		c.accessible("the preview")
		c.Screenshot("form-preview")
		c.bureauPicture("form-preview")
		if got := browser.Eval[[]string](c.Page, `[...document.querySelectorAll(".diff tbody tr")].map((r) => [...r.cells].map((c) => c.textContent.trim()).join("|"))`); !slices.Equal(got, []string{"单位类型 unit_type|选项|主管部门、行政单位、事业单位|主管部门、行政单位、公益单位"}) {
			t.Errorf("the difference is %q", got)
		}
		var before draftJSON
		province.must("GET", draft, nil, &before)
		c.submitForm(`form[action$="/publish"] .button-primary`)
		if got := browser.Eval[string](c.Page, `location.pathname`); got != "/form-definitions/asset-role/2" {
			t.Errorf("after publishing: %s", got)
		}
		c.accessible("the version")
		if got := province.call("POST", draft+"/publish", map[string]any{"version": before.Version}, nil); got != http.StatusNotFound {
			t.Errorf("published twice: %d", got)
		}

		// The old report stays as it was.
		v1, v2 := person(5), person(6)
		v2["unit_type"] = "公益单位"
		if got := unit.faultsOf(own.ID, own.Version, v1); slices.Contains(got, "unit_type.unknown") {
			t.Errorf("version 1 refuses its own list: %v", got)
		}
		if got := unit.faultsOf(own.ID, own.Version, v2); !slices.Contains(got, "unit_type.unknown") {
			t.Errorf("version 1 takes the new list: %v", got)
		}
		second := province.collect("第二次采集", "asset-role.2")
		for _, at := range []*server{s, other} {
			u := at.client(t, "unit")
			rep := u.reportIn(second, own.Owner)
			if got := u.faultsOf(rep.ID, rep.Version, v1); !slices.Contains(got, "unit_type.unknown") {
				t.Errorf("version 2 takes the old list: %v", got)
			}
			if got := u.faultsOf(rep.ID, rep.Version, v2); slices.Contains(got, "unit_type.unknown") {
				t.Errorf("version 2 refuses its own list: %v", got)
			}
			for id, want := range map[string]string{own.ID: "事业单位", rep.ID: "公益单位"} { // what the sheet offers
				if _, sheet := u.do("GET", "/reports/"+id+"?rows=none", "", nil); !strings.Contains(string(sheet), `"choices":["主管部门","行政单位","`+want+`"]`) {
					t.Errorf("the sheet of report %s does not offer %s", id, want)
				}
			}
		}
		for path, want := range map[string]bool{"/forms/asset-role/1/rules": false, "/forms/asset-role/2/rules": true, "/forms/asset-role/1": false, "/forms/asset-role/2": true} {
			res, b := other.client(t, "unit").do("GET", path, "", nil)
			if res.StatusCode != http.StatusOK || strings.Contains(string(b), "公益单位") != want {
				t.Errorf("%s: %d, the new list %v", path, res.StatusCode, !want)
			}
		}
		// The collection of version 1 is edited without being moved to version 2.
		c.Go(s.url + "/collections/" + campaign)
		if got := browser.Eval[string](c.Page, `document.getElementById("form").value`); got != "asset-role.1" {
			t.Errorf("the old collection would get the form %s", got)
		}
		c.Go(s.url + "/form-definitions")
		if got := browser.Eval[string](c.Page, `[...document.querySelectorAll("tbody tr")].map((r) => r.textContent).find((s) => s.includes("asset-role"))`); !strings.Contains(got, "第 2 版") || !strings.Contains(got, "第 1 版") {
			t.Errorf("the list has %q", got)
		}
		if out := s.mustTool(t, "audit", "verify"); !strings.Contains(out, "没有发现改动") {
			t.Errorf("the trail: %s", out)
		}
	})
}

// A form comes from a file: every fault is told with its line; published, it runs beside
// the others, and its own names of the unit's columns find the unit in the register.
func TestFormFromFile(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		province, unit := s.client(t, "province"), s.client(t, "unit")
		own := unit.ownReport()
		res, b := unit.do("GET", "/forms/contacts/1", "", nil)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("the definition: %d", res.StatusCode)
		}
		file := strings.NewReplacer(`"contacts"`, `"duty-list"`, `"org_code"`, `"dm"`, `"org_code.checksum"`, `"dm.checksum"`,
			`"tianbao:kind": "credit_code"`, `"tianbao:kind": "credit_code", "tianbao:register": "org_code"`).Replace(string(b))
		load := func(text string) (id string, faults []struct {
			Line           int
			Place, Message string
		},
		) {
			t.Helper()
			var out struct {
				ID     string
				Faults []struct {
					Line           int
					Place, Message string
				}
			}
			_, answer := province.upload("/form-definitions", "a.json", []byte(text), nil)
			if err := json.Unmarshal(answer, &out); err != nil {
				t.Fatalf("%v: %.200s", err, answer)
			}
			return out.ID, out.Faults
		}
		bad := strings.Replace(file, `"checksum": "error"`, `"checksumm": "bad"`, 1)
		bad = strings.Replace(bad, `"tianbao:width": 30`, `"tianbao:width": 999`, 1)
		if id, faults := load(bad); id != "" || len(faults) != 4 || faults[0].Line == 0 || !strings.Contains(faults[0].Message, "请") {
			t.Errorf("a file with faults: %s %v", id, faults)
		}
		if _, faults := load(strings.Replace(file, `"duty-list"`, `"unit-register"`, 1)); len(faults) != 1 {
			t.Errorf("a form of the program's own: %v", faults)
		}
		id, faults := load(file)
		if id == "" {
			t.Fatalf("the file is refused: %v", faults)
		}
		var d draftJSON
		province.must("GET", "/form-drafts/"+id, nil, &d)
		if res, book := province.do("GET", "/form-drafts/"+id+"/template", "", nil); res.StatusCode != http.StatusOK || len(book) < 1000 {
			t.Errorf("the blank workbook: %d", res.StatusCode)
		}
		// Two edit at once: the second is told.
		set := map[string]any{"version": d.Version, "definition": json.RawMessage(strings.Replace(string(d.Definition), "值班联系人登记表", "值班表", 1))}
		province.must("POST", "/form-drafts/"+id, set, nil)
		if got := province.call("POST", "/form-drafts/"+id, set, nil); got != http.StatusConflict {
			t.Errorf("an edit of an older state: %d", got)
		}
		if got := province.call("POST", "/form-drafts/"+id+"/publish", map[string]any{"version": d.Version}, nil); got != http.StatusConflict {
			t.Errorf("publishing an older state: %d", got)
		}
		province.must("POST", "/form-drafts/"+id+"/publish", map[string]any{"version": d.Version + 1}, nil)
		if id, _ := load(strings.Replace(file, "值班联系人登记表", "值班表", 1)); province.call("POST", "/form-drafts/"+id+"/publish", map[string]any{"version": 1}, nil) != http.StatusBadRequest {
			t.Error("the same is published once more")
		} else {
			province.must("POST", "/form-drafts/"+id+"/drop", map[string]any{"version": 1}, nil)
		}
		rep := unit.reportIn(province.collect("值班", "duty-list.1"), own.Owner)
		code := person(0)["org_code"]
		cells := map[string]string{"dm": code, "shift": "白班", "contact": "张示例", "mobile": "16010000001", "remark": ""}
		if got := unit.faultsOf(rep.ID, rep.Version, cells); len(got) != 0 {
			t.Errorf("the own unit: %v", got)
		}
		cells["dm"] = orgCode(900999)
		if got := unit.faultsOf(rep.ID, rep.Version, cells); !slices.Contains(got, "unit.unknown") {
			t.Errorf("an unknown unit: %v", got)
		}
		cells["dm"] = code
		saved := unit.save(rep.ID, rep.Version, []change{{"op": "insert", "temp": "a", "after": "end", "cells": cells}})
		var receipt receiptJSON
		unit.must("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, &receipt)
		if receipt.Version < saved.Report.Version || receipt.Rows != 1 {
			t.Errorf("reported version %d with %d rows", receipt.Version, receipt.Rows)
		}
		if got := unit.export(rep.ID); len(got) < 1000 {
			t.Error("no workbook")
		}
	})
}
