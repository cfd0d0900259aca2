package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/xuri/excelize/v2"
)

// Every sample comes through the server as its expectation says: the rows, the
// faults, or the refusal.
func TestSamplesThroughTheServer(t *testing.T) {
	dir := filepath.Join("..", "internal", "sheet", "testdata", "samples")
	b, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		Rows   [][]*string
		Issues [][3]any
		Error  string
	}
	if err := json.Unmarshal(b, &want); err != nil || len(want) < 20 {
		t.Fatalf("%d expectations, %v", len(want), err)
	}
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	for name, w := range want {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			res, body := c.upload("/reports/"+rep.ID+"/imports", name, data, map[string]string{"mode": "append"})
			if w.Error != "" {
				var e errorJSON
				if err := json.Unmarshal(body, &e); err == nil && res.StatusCode == http.StatusOK && w.Error == "any" {
					return // read, which is as good
				}
				if res.StatusCode != http.StatusBadRequest || w.Error != "any" && e.Error.Code != w.Error {
					t.Errorf("%d %s, want 400 %s", res.StatusCode, e.Error.Code, w.Error)
				}
				return
			}
			var plan struct {
				Changes  []struct{ Cells map[string]string }
				Problems []struct {
					Seq                   int
					Field, Code, Severity string
				}
			}
			if err := json.Unmarshal(body, &plan); err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("%d %.200s", res.StatusCode, body)
			}
			if len(plan.Changes) != len(w.Rows) {
				t.Fatalf("%d rows, want %d", len(plan.Changes), len(w.Rows))
			}
			keys := []string{"budget_code", "unit_name", "org_code", "unit_type", "legacy_username", "person_name", "person_id", "phone"}
			for i, row := range w.Rows {
				for k, v := range row[1:] {
					text := ""
					if v != nil {
						text = *v
					}
					if got := plan.Changes[i].Cells[keys[k]]; got != text {
						t.Errorf("row %d %s is %q, want %q", i+1, keys[k], got, text)
					}
				}
			}
			found := 0
			for _, issue := range w.Issues {
				for _, p := range plan.Problems {
					if float64(p.Seq) == issue[0] && (issue[1] == nil && p.Field == "" || issue[1] == p.Field) && (issue[2] == nil || issue[2] == p.Code) {
						found++
						break
					}
				}
			}
			errors := 0
			for _, p := range plan.Problems {
				if p.Severity != "hint" {
					errors++
				}
			}
			if found != len(w.Issues) || errors != len(w.Issues) {
				t.Errorf("%d of %d faults found, %d told", found, len(w.Issues), errors)
			}
		})
	}
}

// A thousand ids typed as numbers: each is flagged and none can be reported, also
// the one in eleven whose zeroed tail happens to pass the check digit.
func TestThousandNumericIDs(t *testing.T) {
	const n = 1000
	f, err := excelize.OpenReader(bytes.NewReader(bigBook(t, n)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	name := f.GetSheetList()[0]
	rows, err := f.GetRows(name)
	if err != nil {
		t.Fatal(err)
	}
	head := len(rows) - n
	plausible := 0
	for i := range n {
		id := person(i)["person_id"][:15] + "000" // what a double keeps of 18 digits
		if checks(id) {
			plausible++
		}
		at, err := excelize.CoordinatesToCellName(8, head+i+1)
		if err != nil {
			t.Fatal(err)
		}
		number, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetCellInt(name, at, number); err != nil {
			t.Fatal(err)
		}
	}
	if plausible < 20 {
		t.Fatalf("only %d of the damaged ids pass their check digit", plausible)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	res, body := c.upload("/reports/"+rep.ID+"/imports", "号码.xlsx", out.Bytes(), map[string]string{"mode": "append", "action": "save", "key": newKey()})
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%d %.300s", res.StatusCode, body)
	}
	flagged := func(status int, body []byte, want int) {
		t.Helper()
		var e errorJSON
		var p struct{ Problems []struct{ Code string } }
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(body, &p); err != nil {
			t.Fatal(err)
		}
		lost := 0
		for _, x := range e.Error.Problems {
			if x.Code == "person_id.precision_lost" {
				lost++
			}
		}
		for _, x := range p.Problems {
			if x.Code == "person_id.precision_lost" {
				lost++
			}
		}
		if status != want || lost != n {
			t.Errorf("%d with %d flagged, want %d with %d", status, lost, want, n)
		}
	}
	res, body = c.do("POST", "/reports/"+rep.ID+"/check", "application/json", jsonBody(map[string]any{"base": 1, "changes": []change{}}))
	flagged(res.StatusCode, body, http.StatusOK)
	res, body = c.do("POST", "/reports/"+rep.ID+"/submission", "application/json", jsonBody(map[string]string{"key": newKey()}))
	flagged(res.StatusCode, body, http.StatusUnprocessableEntity)
}

// checks reports whether an id passes its check digit.
func checks(id string) bool {
	sum := 0
	for i, c := range id[:17] {
		sum += int(c-'0') * (1 << (17 - i) % 11)
	}
	return "10X98765432"[sum%11] == id[17]
}
