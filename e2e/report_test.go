package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/xuri/excelize/v2"
)

// Three faulty rows of fifty: all fifty are saved, 上报 is refused by page, API and
// import alike and names the cells, and after correction it gives a receipt.
func TestFaultyRowsAreSavedAndNotReported(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		c := s.client(t, "unit")
		rep := c.ownReport()
		cs := inserts(0, 50)
		bad := map[int]string{3: "person_id", 20: "phone", 41: "org_code"}
		for n, key := range bad {
			cells := person(n)
			cells[key] = "123"
			cs[n]["cells"] = cells
		}
		saved := c.save(rep.ID, 0, cs)
		if saved.Receipt.Rows != 50 || saved.Report.State != "draft" {
			t.Fatalf("saved %d rows, state %s; want 50, draft", saved.Receipt.Rows, saved.Report.State)
		}
		if got := c.sheet(rep.ID); len(got.Rows) != 50 || got.Rows[3].Values[6] != "123" {
			t.Fatalf("stored %d rows", len(got.Rows))
		}

		var e errorJSON
		if status := c.call("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, &e); status != http.StatusUnprocessableEntity {
			t.Fatalf("上报 by API: status %d, want 422", status)
		}
		checkNamed(t, e)

		book := c.export(rep.ID)
		res, body := c.upload("/reports/"+rep.ID+"/imports", "表.xlsx", book, map[string]string{"action": "submit", "key": newKey()})
		e = errorJSON{}
		if err := json.Unmarshal(body, &e); err != nil || res.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("上报 by import: status %d, want 422: %.300s", res.StatusCode, body)
		}
		checkNamed(t, e)

		// A browser's form gets a page that says so.
		req, err := http.NewRequest("POST", s.url+"/reports/"+rep.ID+"/submission", strings.NewReader("key=k1&csrf="+c.csrf))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Cookie", c.cookie)
		page, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		_, _ = text.ReadFrom(page.Body)
		page.Body.Close()
		if page.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text.String(), "第4行G列") {
			t.Errorf("上报 by page: status %d, names the cell: %v", page.StatusCode, strings.Contains(text.String(), "第4行G列"))
		}

		now := c.sheet(rep.ID)
		var fix []change
		for n, key := range bad {
			fix = append(fix, change{"op": "edit", "row": now.Rows[n].ID, "cells": map[string]string{key: person(n)[key]}})
		}
		c.save(rep.ID, now.Report.Version, fix)
		var r receiptJSON
		key := newKey()
		c.must("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": key}, &r)
		if r.Rows != 50 || r.Kind != "report" || len(r.Digest) < 32 || !strings.HasPrefix(r.Number, "TB20") || r.At == "" {
			t.Errorf("receipt %+v", r)
		}
		var again receiptJSON
		c.must("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": key}, &again)
		if again != r {
			t.Errorf("the same key gave another receipt: %+v, want %+v", again, r)
		}
		if got := c.sheet(rep.ID).Report.State; got != "reported" {
			t.Errorf("state %s, want reported", got)
		}
		// The same rows give the same digest, another row another one.
		var second receiptJSON
		c.must("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, &second)
		if second.Digest != r.Digest {
			t.Error("the same rows have another digest")
		}
		v := c.sheet(rep.ID).Report.Version
		c.save(rep.ID, v, []change{{"op": "edit", "row": now.Rows[0].ID, "cells": map[string]string{"legacy_username": "other"}}})
		if got := c.sheet(rep.ID).Report.State; got != "changed" {
			t.Errorf("state after a change %s, want changed", got)
		}
		c.must("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, &second)
		if second.Digest == r.Digest {
			t.Error("other rows have the same digest")
		}
	})
}

func checkNamed(t *testing.T, e errorJSON) {
	t.Helper()
	if e.Error.Code != "faulty" || len(e.Error.Problems) != 3 {
		t.Fatalf("code %s, %d problems, want faulty, 3", e.Error.Code, len(e.Error.Problems))
	}
	for _, place := range []string{"第4行G列", "第21行H列", "第42行C列"} {
		if !strings.Contains(e.Error.Message, place) {
			t.Errorf("message %q does not name %s", e.Error.Message, place)
		}
	}
}

func (c *client) export(report string) []byte {
	c.t.Helper()
	res, b := c.do("GET", "/reports/"+report+"/export", "", nil)
	if res.StatusCode != http.StatusOK || !bytes.HasPrefix(b, []byte("PK")) {
		c.t.Fatalf("export: %d", res.StatusCode)
	}
	return b
}

// One key sent twenty times at once is one change set.
func TestSameKeyTwentyTimesAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startWatched(t, db)
		c := s.client(t, "unit")
		rep := c.ownReport()
		body, err := json.Marshal(map[string]any{"key": "one-key", "base": 0, "changes": inserts(0, 3)})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		answers := make([]savedJSON, 20)
		for i := range answers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				res, b, err := c.try("POST", "/reports/"+rep.ID+"/changes", "application/json", bytes.NewReader(body))
				if err != nil || res.StatusCode != http.StatusOK {
					t.Errorf("request %d: %v %.200s", i, err, b)
					return
				}
				if err := json.Unmarshal(b, &answers[i]); err != nil {
					t.Error(err)
				}
			}()
		}
		wg.Wait()
		fresh := 0
		for i := range answers {
			if answers[i].Receipt.ID != answers[0].Receipt.ID {
				t.Errorf("request %d has receipt %s, the first %s", i, answers[i].Receipt.ID, answers[0].Receipt.ID)
			}
			if !answers[i].Again {
				fresh++
			}
		}
		if fresh != 1 {
			t.Errorf("%d requests say they saved, want 1", fresh)
		}
		got := c.sheet(rep.ID)
		if len(got.Rows) != 3 || got.Report.Version != 1 {
			t.Errorf("%d rows at version %d, want 3 at 1", len(got.Rows), got.Report.Version)
		}
		var e errorJSON
		if status := c.call("POST", "/reports/"+rep.ID+"/changes", map[string]any{"key": "one-key", "base": 0, "changes": inserts(5, 6)}, &e); status != 400 || e.Error.Code != "key_reused" {
			t.Errorf("another content under the key: %d %s, want 400 key_reused", status, e.Error.Code)
		}
	})
}

// Different cells of a row: both are kept. The same cell: the second is shown both
// values, and nothing is written.
func TestTwoPeopleAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startWatched(t, db)
		a, b := s.client(t, "unit"), s.client(t, "dept")
		rep := a.ownReport()
		v := a.save(rep.ID, 0, inserts(0, 2)).Receipt.Version
		rows := a.sheet(rep.ID).Rows
		edit := func(row, key, value string) []change {
			return []change{{"op": "edit", "row": row, "cells": map[string]string{key: value}}}
		}
		a.save(rep.ID, v, edit(rows[0].ID, "phone", "16011112222"))
		b.save(rep.ID, v, edit(rows[0].ID, "person_name", "李示例"))
		got := a.sheet(rep.ID).Rows[0].Values
		if got[7] != "16011112222" || got[5] != "李示例" {
			t.Errorf("different cells: phone and name %s %s", got[7], got[5])
		}
		var e errorJSON
		status := b.call("POST", "/reports/"+rep.ID+"/changes", map[string]any{
			"key": newKey(), "base": v,
			"changes": append(edit(rows[0].ID, "phone", "16033334444"), edit(rows[1].ID, "person_name", "孙示例")...),
		}, &e)
		if status != http.StatusConflict || len(e.Error.Conflicts) != 1 {
			t.Fatalf("the same cell: %d with %d conflicts, want 409 with 1", status, len(e.Error.Conflicts))
		}
		k := e.Error.Conflicts[0]
		if k.Mine != "16033334444" || k.Theirs != "16011112222" || k.Base != person(0)["phone"] || k.Field != "phone" || k.By == "" {
			t.Errorf("conflict %+v", k)
		}
		if got := a.sheet(rep.ID).Rows[1].Values[5]; got != "张示例" {
			t.Error("a refused change set was written in part")
		}
		// A row that somebody deleted is not brought back without asking.
		v = a.sheet(rep.ID).Report.Version
		a.save(rep.ID, v, []change{{"op": "delete", "row": rows[1].ID}})
		if status := b.call("POST", "/reports/"+rep.ID+"/changes", map[string]any{"key": newKey(), "base": v, "changes": edit(rows[1].ID, "phone", "16055556666")}, &e); status != http.StatusConflict {
			t.Errorf("editing a deleted row: %d, want 409", status)
		}
	})
}

// Every stored change is in the history, with who and what, ids masked.
func TestHistory(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		c := s.client(t, "unit")
		rep := c.ownReport()
		v := c.save(rep.ID, 0, inserts(0, 2)).Receipt.Version
		rows := c.sheet(rep.ID).Rows
		v = c.save(rep.ID, v, []change{{"op": "edit", "row": rows[0].ID, "cells": map[string]string{"person_id": residentID(77), "person_name": "钱示例"}}}).Receipt.Version
		c.save(rep.ID, v, []change{{"op": "delete", "row": rows[1].ID}})
		res, b := c.do("GET", "/reports/"+rep.ID+"/history", "", nil)
		if res.StatusCode != http.StatusOK {
			t.Fatal(res.StatusCode)
		}
		var h struct {
			Revisions []struct {
				Version int64
				By      string
				Changes []struct {
					Op    string
					Cells []struct{ Field, Before, After string }
				}
			}
		}
		if err := json.Unmarshal(b, &h); err != nil {
			t.Fatal(err)
		}
		if len(h.Revisions) != 3 || h.Revisions[0].Changes[0].Op != "delete" || h.Revisions[1].Changes[0].Op != "edit" || len(h.Revisions[2].Changes) != 2 {
			t.Fatalf("history %+v", h)
		}
		if cells := h.Revisions[1].Changes[0].Cells; len(cells) != 2 || cells[0].Before != "张示例" || cells[0].After != "钱示例" {
			t.Errorf("cells %+v", cells)
		}
		for _, id := range []string{residentID(0), residentID(1), residentID(77), person(0)["phone"]} {
			if bytes.Contains(b, []byte(id)) {
				t.Errorf("the history shows %s in full", id)
			}
		}
	})
}

// What was deleted on the screen and not saved is there after a reload; a staged
// change set that is never sent changes nothing; 数据校验 writes nothing.
func TestCheckWritesNothing(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	c.save(rep.ID, 0, inserts(0, 2))
	before := c.sheet(rep.ID)
	var out struct {
		Problems []struct{ Row, Code string }
		Counts   struct{ Rows, Error int }
	}
	c.must("POST", "/reports/"+rep.ID+"/check", map[string]any{"base": 1, "changes": []change{
		{"op": "delete", "row": before.Rows[0].ID},
		{"op": "edit", "row": before.Rows[1].ID, "cells": map[string]string{"phone": "12"}},
		{"op": "insert", "temp": "n", "after": before.Rows[1].ID, "cells": map[string]string{"unit_name": "新单位"}},
	}}, &out)
	if out.Counts.Rows != 2 || out.Counts.Error < 2 {
		t.Errorf("counts %+v", out.Counts)
	}
	named := map[string]bool{}
	for _, p := range out.Problems {
		named[p.Row+" "+p.Code] = true
	}
	if !named[before.Rows[1].ID+" phone.format"] || !named["n required"] {
		t.Errorf("problems %v", named)
	}
	if after := c.sheet(rep.ID); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Error("checking changed the stored sheet")
	}
}

// A justify problem passes with a reason of six characters, kept with its author.
func TestJustify(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		c := s.client(t, "unit")
		rep := c.ownReport()
		cells := person(1)
		cells["org_code"] = cells["org_code"][8:17] // a right code of GB 11714
		v := c.save(rep.ID, 0, []change{{"op": "insert", "temp": "a", "after": "end", "cells": cells}}).Receipt.Version
		submit := func() (int, errorJSON) {
			var e errorJSON
			return c.call("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, &e), e
		}
		status, e := submit()
		if status != 422 || len(e.Error.Problems) != 1 || e.Error.Problems[0].Code != "org_code.old_form" {
			t.Fatalf("without a reason: %d %+v", status, e.Error)
		}
		row := c.sheet(rep.ID).Rows[0].ID
		reason := func(text string) int {
			return c.call("POST", "/reports/"+rep.ID+"/changes", map[string]any{
				"key": newKey(), "base": v,
				"changes": []change{{"op": "reason", "row": row, "code": "org_code.old_form", "text": text}},
			}, nil)
		}
		if got := reason("太短了吧"); got != 400 {
			t.Errorf("a reason of four characters: %d, want 400", got)
		}
		if got := reason("新代码证正在办理之中"); got != 200 {
			t.Errorf("a good reason: %d, want 200", got)
		}
		if status, e := submit(); status != 200 {
			t.Errorf("with a reason: %d %+v", status, e.Error)
		}
	})
}

// The faults of a file come back in its cells; corrected there and sent again it is
// clean. Asking for the copy keeps nothing.
func TestAnnotatedCopy(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	cs := inserts(0, 3)
	cells := person(1)
	cells["phone"] = "123"
	cs[1]["cells"] = cells
	c.save(rep.ID, 0, cs)
	book := c.export(rep.ID)
	res, marked := c.upload("/reports/"+rep.ID+"/imports", "一览.xlsx", book, map[string]string{"action": "annotate"})
	if res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Content-Disposition"), "%E6%89%B9%E6%B3%A8") {
		t.Fatalf("%d %s", res.StatusCode, res.Header.Get("Content-Disposition"))
	}
	f, err := excelize.OpenReader(bytes.NewReader(marked))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	name := f.GetSheetList()[0]
	rows, err := f.GetRows(name)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for i, r := range rows {
		for j, v := range r {
			if v != "123" {
				continue
			}
			found = true
			if !strings.Contains(strings.Join(r[j+1:], " "), "号码") {
				t.Errorf("row %d does not say what is wrong: %v", i+1, r)
			}
			at, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.SetCellStr(name, at, person(1)["phone"]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !found {
		t.Fatal("the faulty cell is not in the copy")
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	res, b := c.upload("/reports/"+rep.ID+"/imports", "一览-批注.xlsx", out.Bytes(), map[string]string{"mode": "replace"})
	var plan struct {
		Counts struct{ Rows, Add, Delete, Same, Error int }
	}
	if err := json.Unmarshal(b, &plan); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d %.300s", res.StatusCode, b)
	}
	if plan.Counts.Error != 0 || plan.Counts.Rows != 3 || plan.Counts.Same != 2 {
		t.Errorf("the corrected copy: %+v", plan.Counts)
	}
}

// A workbook exported by the server comes home through the server: both sides'
// work is kept, an offline deletion is asked about, and a conflict is not written.
func TestExportComesHome(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		c, other := s.client(t, "unit"), s.client(t, "dept")
		rep := c.ownReport()
		c.save(rep.ID, 0, inserts(0, 4))
		rows := c.sheet(rep.ID).Rows
		book := c.export(rep.ID)
		other.save(rep.ID, 1, []change{{"op": "edit", "row": rows[2].ID, "cells": map[string]string{"phone": "16055550000"}}})
		edited := editBook(t, book, func(f *excelize.File, sheet string, row func(n int) int) {
			set(t, f, sheet, row(3), "G", "改名字") // F is column G of the workbook, behind 序号
			dropRow(t, f, sheet, row(2), row(4))
		})
		send := func(book []byte, fields map[string]string) (int, []byte) {
			fields["mode"], fields["action"], fields["key"] = "merge", "save", newKey()
			res, b := c.upload("/reports/"+rep.ID+"/imports", "带回.xlsx", book, fields)
			return res.StatusCode, b
		}
		if status, b := send(edited, map[string]string{}); status != http.StatusConflict || !bytes.Contains(b, []byte("第 2 行")) {
			t.Fatalf("an offline deletion is not asked about: %d %.300s", status, b)
		}
		if status, b := send(edited, map[string]string{"confirm": "yes"}); status != http.StatusOK {
			t.Fatalf("%d %.300s", status, b)
		}
		got := c.sheet(rep.ID).Rows
		if len(got) != 3 || got[1].ID != rows[2].ID || got[1].Values[5] != "改名字" || got[1].Values[7] != "16055550000" {
			t.Fatalf("%d rows, the third is now %v", len(got), got[1].Values)
		}
		// Both sides changed one cell: nothing is written.
		both := editBook(t, book, func(f *excelize.File, sheet string, row func(n int) int) {
			set(t, f, sheet, row(3), "I", "16066660000")
		})
		version := c.sheet(rep.ID).Report.Version
		status, b := send(both, map[string]string{"confirm": "yes"})
		var e errorJSON
		if err := json.Unmarshal(b, &e); err != nil || status != http.StatusConflict || len(e.Error.Conflicts) == 0 || e.Error.Conflicts[0].Mine != "16066660000" {
			t.Errorf("a conflict: %d %.300s", status, b)
		}
		if v := c.sheet(rep.ID).Report.Version; v != version {
			t.Error("a conflict was written")
		}
		// Copied into a new workbook, the sheet is a foreign one and still reads.
		foreign := editBook(t, book, func(f *excelize.File, _ string, _ func(int) int) {
			for _, name := range f.GetSheetList()[1:] {
				if err := f.DeleteSheet(name); err != nil {
					t.Fatal(err)
				}
			}
		})
		if status, b := send(foreign, map[string]string{}); status != http.StatusOK {
			t.Errorf("without its origin: %d %.300s", status, b)
		}
	})
}

// editBook changes a workbook as an office does; row gives the sheet's row of data
// row n.
func editBook(t *testing.T, book []byte, change func(f *excelize.File, sheet string, row func(n int) int)) []byte {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(book))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sheet := f.GetSheetList()[0]
	head := headerRow(t, f, sheet)
	change(f, sheet, func(n int) int { return head + n })
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// dropRow deletes a row as an office program does, moving up those below it.
// excelize's own RemoveRow cannot parse the names in our formulas.
func dropRow(t *testing.T, f *excelize.File, sheet string, row, last int) {
	t.Helper()
	for ; row <= last; row++ {
		for col := 1; col <= 40; col++ {
			at, err := excelize.CoordinatesToCellName(col, row)
			if err != nil {
				t.Fatal(err)
			}
			below, err := excelize.CoordinatesToCellName(col, row+1)
			if err != nil {
				t.Fatal(err)
			}
			if formula, err := f.GetCellFormula(sheet, at); err != nil || formula != "" {
				continue // it is the same in each row
			}
			v, err := f.GetCellValue(sheet, below)
			if err != nil {
				t.Fatal(err)
			}
			if row == last {
				v = ""
			}
			if err := f.SetCellStr(sheet, at, v); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func set(t *testing.T, f *excelize.File, sheet string, row int, col, value string) {
	t.Helper()
	if err := f.SetCellStr(sheet, fmt.Sprint(col, row), value); err != nil {
		t.Fatal(err)
	}
}

// 原样导出 of a screen with unsaved edits holds them; brought home to the stored
// sheet they are changes, not lost.
func TestUnsavedEditsTravel(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	c.save(rep.ID, 0, inserts(0, 2))
	row := c.sheet(rep.ID).Rows[0].ID
	res, book := c.do("POST", "/reports/"+rep.ID+"/export", "application/json", jsonBody(map[string]any{"base": 1, "changes": []change{
		{"op": "edit", "row": row, "cells": map[string]string{"person_name": "没有提交"}},
		{"op": "insert", "temp": "n", "after": "end", "cells": person(9)},
	}}))
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.StatusCode)
	}
	res, b := c.upload("/reports/"+rep.ID+"/imports", "a.xlsx", book, map[string]string{"action": "save", "key": newKey()})
	var plan struct {
		Counts struct{ Add, Change, Delete, Conflict int }
	}
	if err := json.Unmarshal(b, &plan); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d %.200s", res.StatusCode, b)
	}
	if k := plan.Counts; k.Add != 1 || k.Change != 1 || k.Delete != 0 || k.Conflict != 0 {
		t.Errorf("%+v", k)
	}
	if got := c.sheet(rep.ID).Rows; len(got) != 3 || got[0].Values[5] != "没有提交" {
		t.Errorf("stored %d rows, the first is %v", len(got), got[0].Values)
	}
}
