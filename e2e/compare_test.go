package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

type comparedJSON struct {
	ID     string
	Counts struct{ Matched, Missing, Extra, Doubt int }
	Lines  []struct {
		ID, Side, List, Unit, Partner, Evidence string
		Hidden                                  bool
		Cells                                   []struct{ Key, Old, New, State string }
		Decision                                *struct{ ID, Kind, Reason string }
	}
}

// A city imports its old list under headers of its own, compares, decides and takes it back;
// the rules of the list reach the sheet, and what a unit is told of others names nobody.
func TestCompare(t *testing.T) {
	s := startDemo(t, "")
	city, unit, province, dept := s.client(t, "city"), s.client(t, "unit"), s.client(t, "province"), s.client(t, "dept")

	// Two units report the same person; one of them has a user of the old list.
	own := unit.ownReport()
	row := inserts(0, 1)
	cells, _ := row[0]["cells"].(map[string]string)
	cells["legacy_username"] = "jzzc01"
	unit.save(own.ID, own.Version, row)
	name, id, phone := cells["person_name"], cells["person_id"], cells["phone"]

	list := "锦州市资产系统用户\n账户,使用人,证件,电话,所在部门\n" +
		"JZZC01," + name + "," + id + "," + phone + ",锦州市第一示范小学\n" +
		"jzzc02,离职人,,16000009999,锦州市第一示范小学\n" +
		"jzzc03,不明人,,,锦州市早已不在的单位\n"
	res, body := city.upload("/compare/lists", "名单.csv", []byte(list), nil)
	var load struct {
		ID, State, Error string
		Headers          []string
		Columns          map[string]string
		List             struct{ Version, Rows, Strange int }
	}
	if err := json.Unmarshal(body, &load); err != nil || load.State != "ready" || len(load.Headers) != 5 {
		t.Fatalf("the columns of the list: %d %s", res.StatusCode, body)
	}
	if load.Columns["legacy_username"] != "" || load.Columns["phone"] != "4" {
		t.Errorf("what is known of the columns: %v", load.Columns)
	}
	apply := "/compare/lists/" + load.ID + "/apply"
	columns := map[string]string{"legacy_username": "1", "person_name": "2", "person_id": "3", "phone": "4", "unit_name": "1"}
	if got := city.call("POST", apply, columns, nil); got != http.StatusBadRequest {
		t.Errorf("one column chosen twice: %d", got)
	}
	columns["unit_name"] = "5"
	if got := province.call("POST", apply, columns, nil); got != http.StatusNotFound {
		t.Errorf("somebody else's list: %d", got)
	}
	city.must("POST", apply, columns, &load)
	if load.State != "applied" || load.List.Rows != 3 || load.List.Strange != 1 {
		t.Fatalf("the list: %+v", load)
	}
	// The headers are remembered.
	_, body = city.upload("/compare/lists", "名单.csv", []byte(list), nil)
	if err := json.Unmarshal(body, &load); err != nil || load.Columns["legacy_username"] != "1" || load.Columns["unit_name"] != "5" {
		t.Errorf("the columns of the second list: %s", body)
	}

	var lists struct{ Lists []struct{ Owner string } }
	city.must("GET", "/compare/lists", nil, &lists)
	run := map[string]string{"campaign": campaign, "of": lists.Lists[0].Owner}
	page := "/compare?campaign=" + campaign + "&of=" + lists.Lists[0].Owner
	city.must("POST", "/compare/runs", run, nil)
	var c comparedJSON
	city.must("GET", page+"&list=matched", nil, &c)
	if c.Counts.Matched != 1 || c.Counts.Missing != 2 || len(c.Lines) != 1 || c.Lines[0].Evidence != "单位内用户名相同" {
		t.Fatalf("the comparison: %+v", c)
	}
	for _, cell := range c.Lines[0].Cells {
		if strings.Contains(cell.Old+cell.New, id) || strings.Contains(cell.Old+cell.New, phone) {
			t.Errorf("%s is shown whole", cell.Key)
		}
	}

	// A decision is kept through a run and taken back.
	line := "/comparisons/" + c.ID + "/lines/" + c.Lines[0].ID
	say := map[string]string{"kind": "apart", "reason": "电话核实不是同一人"}
	if got := dept.call("POST", line+"/decision", say, nil); got != http.StatusForbidden {
		t.Errorf("a department decides: %d", got)
	}
	city.must("POST", line+"/decision", say, nil)
	city.must("POST", "/compare/runs", run, nil)
	city.must("GET", page, nil, &c)
	if c.Counts.Matched != 0 || c.Counts.Missing != 3 {
		t.Errorf("after a decision: %+v", c.Counts)
	}
	var one struct{ Decision struct{ ID, Reason string } }
	city.must("GET", line, nil, &one)
	if one.Decision.Reason != say["reason"] {
		t.Errorf("the decision: %+v", one)
	}
	city.must("POST", "/comparisons/"+c.ID+"/decisions/"+one.Decision.ID+"/undo", nil, nil)
	if city.must("GET", page, nil, &c); c.Counts.Matched != 1 {
		t.Errorf("after taking it back: %+v", c.Counts)
	}

	// Workbooks: masked, and the units that the register does not know.
	res, book := city.do("POST", "/comparisons/"+c.ID+"/export", "application/json", strings.NewReader(`{}`))
	if res.StatusCode != http.StatusOK || !bytes.HasPrefix(book, []byte("PK")) {
		t.Errorf("the export: %d", res.StatusCode)
	}
	if got := city.call("POST", "/comparisons/"+c.ID+"/export", map[string]any{"full": true}, nil); got != http.StatusBadRequest {
		t.Errorf("whole values without a purpose: %d", got)
	}
	var strange struct{ Units []json.RawMessage }
	if city.must("GET", "/comparisons/"+c.ID+"/units", nil, &strange); len(strange.Units) != 1 {
		t.Errorf("units that nobody knows: %+v", strange)
	}
	res, book = city.do("POST", "/comparisons/"+c.ID+"/units/export", "application/json", strings.NewReader(`{}`))
	if res.StatusCode != http.StatusOK || !bytes.HasPrefix(book, []byte("PK")) {
		t.Errorf("the workbook of units: %d", res.StatusCode)
	}

	// The list reaches the sheet, and so does what another unit reports.
	upper := dept.ownReport()
	foreign := inserts(0, 1)
	theirs, _ := foreign[0]["cells"].(map[string]string)
	theirs["legacy_username"], theirs["person_id"], theirs["person_name"] = "jzzc77", id, name
	dept.save(upper.ID, upper.Version, foreign)
	var checked struct {
		Problems []struct{ Code, Message string }
	}
	dept.must("POST", "/reports/"+upper.ID+"/check", map[string]any{"key": newKey(), "base": dept.sheet(upper.ID).Report.Version, "changes": []change{}}, &checked)
	codes := ""
	for _, p := range checked.Problems {
		codes += p.Code + " "
	}
	if !strings.Contains(codes, "legacy.unknown") {
		t.Errorf("problems of the department's sheet: %s", codes)
	}

	b := s.clerk(t, browser.Start(t))
	b.enter("city")
	b.Go(s.url + page)
	b.bureauPicture("compare")
	b.accessible("the comparison")
	b.Go(s.url + line)
	b.bureauPicture("compare-line")
	b.accessible("a line of the comparison")
	b.Go(s.url + "/comparisons/" + c.ID + "/units")
	b.Click("tbody summary")
	b.accessible("units that nobody knows")
	b.Screenshot("compare-units")
	b.Do(`const f = document.querySelector("tbody form"); f.budget_code.value = "501001099"; f.unit_name.value = "锦州市登记示范小学"; f.org_code.value = ` + browser.JS(orgCode(900999)))
	b.submitForm("tbody .button-primary")
	if text := b.text("main"); !strings.Contains(text, "锦州市登记示范小学") {
		t.Errorf("a unit of the old list is not entered: %.400q", text)
	}
	b.Go(s.url + "/compare/lists")
	b.accessible("the old lists")
	b.Screenshot("compare-lists")
	b.Go(s.url + "/compare/doubles?campaign=" + campaign)
	b.accessible("doubles")
	b.Screenshot("compare-doubles")
}
