package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"tianbao/internal/browser"
)

// Every sample comes through the server as its expectation says: the rows, the
// faults by the form, or the refusal.
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
				// The samples' units stand in no register.
				if p.Severity != "hint" && !strings.HasPrefix(p.Code, "unit.") {
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
	head := headerRow(t, f, name)
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

// A workbook with a password is asked for it, by the API and in the page's dialog,
// and read with it; nothing of it is kept.
func TestPasswordWorkbook(t *testing.T) {
	f, err := excelize.OpenReader(bytes.NewReader(bigBook(t, 200)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var locked bytes.Buffer
	if err := f.Write(&locked, excelize.Options{Password: "打开密码-1"}); err != nil {
		t.Fatal(err)
	}
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	try := func(password string) (int, string) {
		res, body := c.upload("/reports/"+rep.ID+"/imports", "密.xlsx", locked.Bytes(), map[string]string{"mode": "append", "password": password})
		var e errorJSON
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, e.Error.Code
	}
	for password, want := range map[string]string{"": "encrypted", "wrong": "bad_password"} {
		if status, code := try(password); status != http.StatusBadRequest || code != want {
			t.Errorf("password %q: %d %s, want 400 %s", password, status, code, want)
		}
	}
	if status, _ := try("打开密码-1"); status != http.StatusOK {
		t.Errorf("the right password: %d", status)
	}

	page := s.clerk(t, browser.Start(t))
	page.signInByMouse("unit")
	page.Go(s.url + "/reports/" + rep.ID)
	page.ready()
	path := filepath.Join(t.TempDir(), "密.xlsx")
	if err := os.WriteFile(path, locked.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	page.Click("#import")
	page.choose("#import-file", path)
	page.Wait(`document.querySelector("#import-preview input[type=password]") === document.activeElement`)
	page.Insert("打开密码-1")
	page.Press("Enter")
	page.tally(200, 0, 0)
	page.Click("#import-apply")
	page.toast("新增 200 行")
}

// Two sheets of a workbook could be meant: the dialog asks, and takes the one chosen.
func TestWhichSheet(t *testing.T) {
	book := editBook(t, bigBook(t, 3), func(f *excelize.File, sheet string, _ func(int) int) {
		to, err := f.NewSheet("二季度")
		if err != nil {
			t.Fatal(err)
		}
		from, err := f.GetSheetIndex(sheet)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.CopySheet(from, to); err != nil {
			t.Fatal(err)
		}
	})
	s := startDemo(t, "")
	rep := s.client(t, "unit").ownReport()
	page := s.clerk(t, browser.Start(t))
	page.signInByMouse("unit")
	page.Go(s.url + "/reports/" + rep.ID)
	page.ready()
	path := filepath.Join(t.TempDir(), "两张.xlsx")
	if err := os.WriteFile(path, book, 0o600); err != nil {
		t.Fatal(err)
	}
	page.Click("#import")
	page.choose("#import-file", path)
	page.Wait(`document.querySelectorAll("#import-preview .row button").length === 2`)
	page.Screenshot("which-sheet")
	page.Click("#import-preview .row button:nth-child(2)")
	page.tally(3, 0, 0)
	page.Wait(`document.getElementById("import-preview").textContent.includes("二季度")`)
}
