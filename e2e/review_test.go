package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao/internal/browser"
)

// A unit is returned with remarks on two cells, sees exactly these, corrects and reports
// again; the reviewer sees what changed and passes it, then the province; it is locked.
func TestReview(t *testing.T) {
	s := startDemo(t, "")
	unit, dept, city, province := s.client(t, "unit"), s.client(t, "dept"), s.client(t, "city"), s.client(t, "province")
	above := dept.ownReport()
	var gone []change // what the demonstration filled in above has faults
	for _, row := range dept.sheet(above.ID).Rows {
		gone = append(gone, change{"op": "delete", "row": row.ID})
	}
	dept.save(above.ID, above.Version, gone)
	rep := unit.ownReport()
	saved := unit.save(rep.ID, rep.Version, inserts(1, 4))
	review := "/collections/" + campaign + "/review"
	province.must("POST", "/collections/"+campaign+"/levels", map[string]any{"levels": []int{2, 3, 4}}, nil)
	unit.must("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, nil)

	c := s.clerk(t, browser.Start(t))
	c.Media("prefers-reduced-motion: reduce")
	c.enter("city")
	c.Go(s.url + "/review")
	c.accessible("collections to review")
	c.Go(s.url + review)
	c.accessible("units that wait")
	c.picture("bureau-review")
	c.submitForm(`a[href="` + review + "/" + rep.Owner + `"]`)
	c.Do(`document.querySelectorAll("details").forEach((d) => { d.open = true; })`)
	c.accessible("a unit under review")
	remark := func(row int, field, text string) {
		name := fmt.Sprintf("remark.%s.%s.%s", rep.ID, saved.Inserted[fmt.Sprint("t", row)], field)
		c.Do(fmt.Sprintf(`document.querySelector('[name="%s"]').value = %s`, name, browser.JS(text)))
	}
	remark(1, "phone", "与单位名册不一致")
	remark(2, "person_name", "请核对姓名")
	c.submitForm(`button[value="return"]`)
	if got := browser.Eval[string](c.Page, `location.pathname`); got != review {
		t.Fatalf("after the return at %s: %s", got, c.text(".main"))
	}

	c.enter("unit")
	if text := c.text(".main"); !strings.Contains(text, "已退回") || !strings.Contains(text, "审核意见：见表中标出的格") {
		t.Errorf("the home page says %.300q", text)
	}
	c.Go(s.url + "/reports/" + rep.ID)
	c.ready()
	c.Wait(`document.getElementById("count-hint") && document.querySelector("#count-hint b").textContent === "2"`)
	c.Do(`document.getElementById("faults").hidden = false; document.getElementById("faults-list").dispatchEvent(new Event("focusout"))`)
	c.Wait(`document.querySelectorAll("#faults-list li").length === 2`)
	if d := cmp.Diff([]string{"# 提示 2", "第1行 H列 审核意见：与单位名册不一致", "第2行 F列 审核意见：请核对姓名"}, c.listed()); d != "" {
		t.Error(d)
	}
	if got := c.mark(1, "H"); !strings.HasPrefix(got, "hint 提示：审核意见：与单位名册不一致") {
		t.Errorf("the mark of H1 is %q", got)
	}
	c.accessible("a returned sheet")
	c.picture("returned")
	row := saved.Inserted["t1"]
	second := unit.save(rep.ID, saved.Receipt.Version, []change{{"op": "edit", "row": row, "cells": map[string]string{"phone": "16012345678"}}})
	var left struct {
		Problems []struct{ Code, Field string }
	}
	unit.must("POST", "/reports/"+rep.ID+"/check", map[string]any{"base": second.Receipt.Version, "changes": []change{}}, &left)
	if len(left.Problems) != 1 || left.Problems[0].Code != "review.remark" || left.Problems[0].Field != "person_name" {
		t.Errorf("left after one correction: %+v", left.Problems)
	}
	unit.must("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, nil)

	c.enter("city")
	c.Go(s.url + review + "/" + rep.Owner)
	if got := browser.Eval[[]string](c.Page, `[...document.querySelectorAll("dd s")].map((e) => e.parentNode.querySelector("strong").textContent + " " + e.textContent)`); len(got) != 1 || !strings.HasPrefix(got[0], "160") || !strings.Contains(got[0], "原：160") {
		t.Errorf("what changed: %q", got)
	}
	if text := c.text(".main"); strings.Contains(text, "16012345678") || !strings.Contains(text, "上次意见：与单位名册不一致") {
		t.Error("the second look shows a full phone, or not the remark")
	}
	c.accessible("the second look")
	c.picture("bureau-review-unit")
	c.submitForm(`button[value="pass"]`)
	var done map[string]any
	if code := province.call("POST", review, map[string]any{"act": "pass", "units": []string{rep.Owner}}, &done); code != http.StatusOK {
		t.Errorf("the province passes: %d", code)
	}
	save := func() int {
		return unit.call("POST", "/reports/"+rep.ID+"/changes", map[string]any{"key": newKey(), "base": second.Receipt.Version, "changes": []change{{"op": "edit", "row": row, "cells": map[string]string{"person_name": "改示例"}}}}, nil)
	}
	if code := save(); code != http.StatusConflict {
		t.Errorf("a save of a passed unit: %d", code)
	}
	withdraw := map[string]any{"act": "withdraw", "units": []string{rep.Owner}, "remark": "再看一次"}
	if code := city.call("POST", review, withdraw, nil); code != http.StatusBadRequest {
		t.Errorf("the city withdraws first: %d", code)
	}
	province.must("POST", review, withdraw, nil)
	city.must("POST", review, withdraw, nil)
	if code := save(); code != http.StatusOK {
		t.Errorf("a save after the passes were withdrawn: %d", code)
	}
}

// 零申报 with a proof by the page; the bureau downloads it, others do not; with rows it is
// refused.
func TestNilReport(t *testing.T) {
	s := startDemo(t, "")
	unit, dept, city := s.client(t, "unit"), s.client(t, "dept"), s.client(t, "city")
	var list struct{ Reports []reportJSON }
	dept.must("GET", "/reports?campaign="+campaign+"&q=示范幼儿园", nil, &list)
	sister := list.Reports[0].Owner
	above := dept.ownReport()
	var gone []change
	for _, row := range dept.sheet(above.ID).Rows {
		gone = append(gone, change{"op": "delete", "row": row.ID})
	}
	dept.save(above.ID, above.Version, gone)
	page := "/collections/" + campaign + "/units/" + sister + "/declaration"
	file := filepath.Join(t.TempDir(), "证明.pdf")
	if err := os.WriteFile(file, []byte("%PDF-1.7\n%%EOF\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := s.clerk(t, browser.Start(t))
	c.Media("prefers-reduced-motion: reduce")
	c.enter("dept")
	c.Go(s.url + page)
	c.accessible("零申报")
	c.choose("#proof", file)
	c.Do(`document.getElementById("reason").value = "本单位没有资产管理人员"`)
	c.submitForm(".form button")
	if text := c.text(".main"); !strings.Contains(text, "本单位没有资产管理人员") || !strings.Contains(text, "零申报") {
		t.Errorf("the page says %.300q", text)
	}
	c.accessible("零申报, declared")
	res, body := city.do("GET", page+"/proof", "", nil)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") || !strings.HasPrefix(string(body), "%PDF") {
		t.Errorf("the proof: %d %s", res.StatusCode, res.Header)
	}
	if res, _ := unit.do("GET", page+"/proof", "", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("the proof for a sister: %d", res.StatusCode)
	}
	c.enter("city")
	c.Go(s.url + "/collections/" + campaign + "/declarations")
	c.accessible("零申报和免报")
	c.picture("bureau-declarations")
	if text := c.text(".table"); !strings.Contains(text, "示范幼儿园") {
		t.Errorf("the list says %q", text)
	}
	own := unit.ownReport()
	unit.save(own.ID, own.Version, inserts(1, 2))
	mine := "/collections/" + campaign + "/units/" + own.Owner + "/declaration"
	if code := unit.call("POST", mine, map[string]string{"reason": "本单位没有资产管理人员"}, nil); code != http.StatusBadRequest {
		t.Errorf("零申报 with rows: %d", code)
	}
	city.must("POST", page+"/end", map[string]string{}, nil)
	var now struct{ State, Kind string }
	dept.must("GET", page, nil, &now)
	if now.Kind != "" || now.State != "" {
		t.Errorf("after it was taken back: %+v", now)
	}
}
