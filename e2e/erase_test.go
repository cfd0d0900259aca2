package e2e

import (
	"net/http"
	"strings"
	"testing"

	"tianbao"
	"tianbao/internal/browser"
)

// SEC-19: the operator erases a campaign whose time is over while the server runs; its
// sheets then hold nobody and take nobody in, and the trail is whole.
func TestSEC19Erase(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		unit := s.client(t, "unit")
		own := unit.ownReport()
		unit.save(own.ID, own.Version, inserts(0, 5))
		s.sql(t, `UPDATE campaign SET closes = 0 WHERE id = 1001`)
		if out, err := s.tool(t, "", "erase", "--campaign", campaign); err == nil || !strings.Contains(out, "截止日期") {
			t.Errorf("without an end: %v %s", err, out)
		}
		s.sql(t, `UPDATE campaign SET closes = 1663891200000 WHERE id = 1001`)
		if out, err := s.tool(t, "", "erase", "--campaign", campaign, "--months", "1200"); err == nil || !strings.Contains(out, "还不能清除") {
			t.Errorf("too early: %v %s", err, out)
		}
		if out := s.mustTool(t, "erase", "--campaign", campaign); !strings.Contains(out, "已清除") {
			t.Errorf("erase: %s", out)
		}
		got := unit.sheet(own.ID)
		if len(got.Rows) != 5 || got.Report.State != "erased" {
			t.Fatalf("%d rows, state %s", len(got.Rows), got.Report.State)
		}
		for _, r := range got.Rows {
			if r.Values[1] == "" || strings.ReplaceAll(strings.Join(r.Values[4:], ""), tianbao.ErasedMark, "") != "" || r.Values[6] != tianbao.ErasedMark {
				t.Errorf("a row holds %d characters of a person", len(strings.Join(r.Values[4:], "")))
			}
		}
		var failed errorJSON
		for path, body := range map[string]map[string]any{
			"/changes":    {"key": newKey(), "base": got.Report.Version, "changes": inserts(5, 6)},
			"/submission": {"key": newKey()},
		} {
			if status := unit.call("POST", "/reports/"+own.ID+path, body, &failed); status != http.StatusConflict || failed.Error.Code != "erased" {
				t.Errorf("%s: %d %s", path, status, failed.Error.Code)
			}
		}
		if res, b := unit.upload("/reports/"+own.ID+"/imports", "a.xlsx", unit.export(own.ID), map[string]string{"action": "save", "key": newKey()}); res.StatusCode != http.StatusConflict {
			t.Errorf("an import: %d %.200s", res.StatusCode, b)
		}
		if out := s.mustTool(t, "audit", "verify"); !strings.Contains(out, "没有发现改动") {
			t.Errorf("the trail: %s", out)
		}
	})
}

// SEC-19: who opens collections erases one person on the page, after a look at what there
// is, with a reason; others may not, and nobody comes back into the row.
func TestSEC19ErasePerson(t *testing.T) {
	s := startDemo(t, "")
	unit, province := s.client(t, "unit"), s.client(t, "province")
	own := unit.ownReport()
	unit.save(own.ID, own.Version, inserts(0, 3))
	book := unit.export(own.ID)
	id := person(1)["person_id"]
	for _, who := range []string{"unit", "dept", "city", "admin", "security", "audit"} {
		if got := s.client(t, who).call("POST", "/erasure/person", map[string]any{"person": id, "reason": "本人书面申请"}, nil); got != http.StatusForbidden {
			t.Errorf("%s: %d", who, got)
		}
	}
	ask := func(confirm bool, want map[string]int64) {
		t.Helper()
		var out map[string]any
		province.must("POST", "/erasure/person", map[string]any{"person": id, "reason": "本人书面申请", "confirm": confirm}, &out)
		for k, v := range want {
			if out[k] != float64(v) {
				t.Errorf("confirm %v: %v, want %s %d", confirm, out, k, v)
			}
		}
	}
	ask(true, map[string]int64{"rows": 0, "kept": 1}) // the collection is not over
	s.sql(t, `UPDATE campaign SET closes = 1663891200000, version = version + 1000000 WHERE id = 1001`)
	ask(false, map[string]int64{"rows": 1, "kept": 0})
	if got := unit.sheet(own.ID).Rows[1].Values[6]; got != id {
		t.Fatal("counting erased")
	}
	for _, reason := range []string{"", "短", "删除 " + id} {
		if got := province.call("POST", "/erasure/person", map[string]any{"person": id, "reason": reason, "confirm": true}, nil); got != http.StatusBadRequest {
			t.Errorf("a reason of %d bytes: %d", len(reason), got)
		}
	}
	c := s.clerk(t, browser.Start(t))
	c.enter("province")
	c.Go(s.url + "/erasure")
	c.accessible("erasure")
	c.Screenshot("erasure")
	c.Do(`document.getElementById("person").value = ` + browser.JS(id) + `; document.getElementById("reason").value = "本人书面申请"`)
	c.submitForm(".form .button-primary")
	c.Screenshot("erasure-asked")
	if got := browser.Eval[string](c.Page, `location.pathname + location.search`); strings.Contains(got, id) {
		t.Error("the address names the person")
	}
	c.submitForm(".button-danger")
	c.Screenshot("erasure-done")
	sheet := unit.sheet(own.ID)
	row := sheet.Rows[1]
	if row.Values[6] != tianbao.ErasedMark || row.Values[5] != tianbao.ErasedMark || row.Values[1] == tianbao.ErasedMark || sheet.Rows[0].Values[6] != person(0)["person_id"] {
		t.Error("the row is not as it should be")
	}
	s.sql(t, `UPDATE campaign SET closes = 0, version = version + 1000000 WHERE id = 1001`) // open once more
	var failed errorJSON
	body := map[string]any{"key": newKey(), "base": sheet.Report.Version, "changes": []change{{"op": "edit", "row": row.ID, "cells": map[string]string{"person_id": id}}}}
	if got := unit.call("POST", "/reports/"+own.ID+"/changes", body, &failed); got != http.StatusConflict || failed.Error.Code != "row_erased" {
		t.Errorf("an edit of the row: %d %s", got, failed.Error.Code)
	}
	// The workbook of before does not bring the person back either.
	if res, b := unit.upload("/reports/"+own.ID+"/imports", "a.xlsx", book, map[string]string{"action": "save", "mode": "merge", "key": newKey()}); res.StatusCode == http.StatusOK {
		if got := unit.sheet(own.ID).Rows[1].Values[6]; got == id {
			t.Errorf("an old workbook brings the person back: %.100s", b)
		}
	}
	unit.must("GET", "/reports/"+own.ID+"/history", nil, nil)
	if out := s.mustTool(t, "audit", "verify"); !strings.Contains(out, "没有发现改动") {
		t.Errorf("the trail: %s", out)
	}
}
