package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tianbao/internal/demo"
)

type entryJSON struct {
	ID, Parent   string
	Name         string
	BudgetCode   string `json:"budget_code"`
	OrgCode      string `json:"org_code"`
	ContactPhone string `json:"contact_phone"`
	ContactName  string `json:"contact_name"`
	Below        int
	To           string
	Aliases      []struct{ Field, Value string }
	History      []struct{ Act, Day string }
}

type treeJSON struct{ Units []entryJSON }

type loadJSON struct {
	ID, State, Error string
	Counts           struct{ Rows, New, Change, Close, Same, Fault, Absent int }
	Problems         []struct {
		Seq          int
		Letter, Code string
		Message      string
		Severity     string
	}
}

// entry returns the entry of a unit by its whole name.
func (c *client) entry(name string) entryJSON {
	c.t.Helper()
	var tree treeJSON
	c.must("POST", "/units/find", map[string]string{"q": name}, &tree)
	for _, u := range tree.Units {
		if u.Name == name {
			return u
		}
	}
	c.t.Fatalf("no unit %s", name)
	return entryJSON{}
}

// A bureau looks at its part of the register, loads a workbook, changes units and
// decides a unit's request; others see and change nothing of it.
func TestRegister(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		city, unit, dept, province := s.client(t, "city"), s.client(t, "unit"), s.client(t, "dept"), s.client(t, "province")
		const school, bureau, department = "锦州市第一示范小学", "锦州市财政局", "锦州市教育局"

		// The tree begins at the own top, and goes down by ?in=.
		var top, below treeJSON
		city.must("GET", "/units", nil, &top)
		if len(top.Units) != 1 || top.Units[0].Name != bureau || top.Units[0].Below != 76 {
			t.Fatalf("the top of the city: %+v", top)
		}
		city.must("GET", "/units?in="+top.Units[0].ID, nil, &below)
		if len(below.Units) != 10 {
			t.Errorf("%d units below the city", len(below.Units))
		}
		unit.must("GET", "/units", nil, &top)
		if len(top.Units) != 1 || top.Units[0].Name != school {
			t.Errorf("the unit sees %+v", top)
		}
		own, other := city.entry(school), city.entry("锦州市示范医院")
		if got := unit.call("GET", "/units/"+other.ID, nil, nil); got != http.StatusNotFound {
			t.Errorf("another unit's entry: %d", got)
		}
		if got := unit.call("GET", "/units?in="+other.ID, nil, nil); got != http.StatusNotFound {
			t.Errorf("below another unit: %d", got)
		}

		// Who only fills in asks; the department sees and decides nothing.
		ask := map[string]string{"field": "contact_phone", "value": "16012345699", "why": "联系电话换了号码"}
		for path, who := range map[string]*client{"/units/" + own.ID + "/changes": unit, "/units/" + other.ID + "/requests": unit, "/units/" + other.ID + "/changes": dept} {
			body := any(ask)
			if strings.HasSuffix(path, "changes") {
				body = map[string]string{"act": "close"}
			}
			if got := who.call("POST", path, body, nil); got != http.StatusNotFound {
				t.Errorf("%s: %d, want 404", path, got)
			}
		}
		var made struct{ ID string }
		unit.must("POST", "/units/"+own.ID+"/requests", ask, &made)
		var requests struct {
			Requests []struct {
				ID, Value, State string
				Mine             bool
			}
		}
		city.must("GET", "/requests?state=open", nil, &requests)
		found := false
		for _, x := range requests.Requests {
			found = found || x.ID == made.ID && x.Mine && x.Value == "160****5699"
		}
		if !found {
			t.Errorf("the request in the list of the city: %+v", requests)
		}
		if got := unit.call("POST", "/requests/"+made.ID, map[string]any{"accept": true}, nil); got != http.StatusForbidden {
			t.Errorf("the unit decides itself: %d", got)
		}
		city.must("POST", "/requests/"+made.ID, map[string]any{"accept": true}, nil)
		if got := city.call("POST", "/requests/"+made.ID, map[string]any{"accept": true}, nil); got != http.StatusConflict {
			t.Errorf("decided twice: %d", got)
		}
		var e entryJSON
		unit.must("GET", "/units/"+own.ID, nil, &e)
		if e.ContactPhone != "160****5699" || len(e.History) == 0 || e.History[0].Act != "edit" {
			t.Errorf("the entry: %+v", e)
		}

		// A workbook: preview, annotated copy, import; no one else meets it.
		file := "序号,单位预算编码,单位名称,上级单位编码,统一社会信用代码\n" +
			"1," + own.BudgetCode + ",锦州市第一实验小学,,\n" +
			"2,501001777,锦州市新建小学,501001,\n" +
			"3,501001778,锦州市错误小学,999,12210700MB9000001A\n"
		_, body := city.upload("/units/import", "登记表.csv", []byte(file), nil)
		var load loadJSON
		if err := json.Unmarshal(body, &load); err != nil {
			t.Fatalf("the preview: %s", body)
		}
		if load.State != "ready" || load.Counts.New != 1 || load.Counts.Change != 1 || load.Counts.Fault != 1 || load.Counts.Rows != 3 {
			t.Fatalf("the preview: %s", body)
		}
		codes := ""
		for _, p := range load.Problems {
			codes += p.Code + " "
		}
		if !strings.Contains(codes, "org_code.checksum") || !strings.Contains(codes, "parent_code.unknown") {
			t.Errorf("the faults: %s", codes)
		}
		for _, p := range []string{"", "/apply", "/annotated"} {
			method := "POST"
			if p == "" {
				method = "GET"
			}
			if got := province.call(method, "/units/import/"+load.ID+p, nil, nil); got != http.StatusNotFound {
				t.Errorf("another's preview%s: %d", p, got)
			}
		}
		if res, body := city.do("POST", "/units/import/"+load.ID+"/annotated", "application/json", strings.NewReader("{}")); res.StatusCode != http.StatusOK || !bytes.HasPrefix(body, []byte("PK")) {
			t.Errorf("the annotated copy: %d", res.StatusCode)
		}
		city.must("POST", "/units/import/"+load.ID+"/apply", map[string]any{}, &load)
		if load.State != "applied" {
			t.Errorf("applied: %+v", load)
		}
		if got := city.call("POST", "/units/import/"+load.ID+"/apply", map[string]any{}, nil); got != http.StatusBadRequest {
			t.Errorf("applied twice: %d", got)
		}
		unit.must("GET", "/units/"+own.ID, nil, &e)
		if e.Name != "锦州市第一实验小学" || len(e.Aliases) != 1 || e.Aliases[0].Value != school || e.ContactPhone != "160****5699" {
			t.Errorf("after the import: %+v", e)
		}

		// Merging: the heir bears the name, the report of the merged unit stays.
		rep := unit.ownReport()
		fresh := city.entry("锦州市新建小学")
		city.must("POST", "/units/"+own.ID+"/changes", map[string]string{"act": "merge", "other": fresh.ID}, nil)
		city.must("GET", "/units/"+own.ID, nil, &e)
		if e.To == "" {
			t.Error("the merged unit is open")
		}
		city.must("GET", "/units/"+fresh.ID, nil, &e)
		if len(e.Aliases) < 3 {
			t.Errorf("the heir: %+v", e.Aliases)
		}
		if got := city.call("GET", "/reports/"+rep.ID, nil, nil); got != http.StatusOK {
			t.Errorf("the report of the merged unit: %d", got)
		}

		// Regions: a bureau sees them, the province sets them.
		var regions struct {
			Regions []struct {
				ID, Name, Code string
				InScope        bool `json:"in_scope"`
			}
		}
		city.must("GET", "/regions", nil, &regions)
		names := map[string]bool{}
		for _, r := range regions.Regions {
			names[r.Name] = true
			if strings.HasPrefix(r.Code, "2102") && r.InScope {
				t.Errorf("%s takes part", r.Name)
			}
		}
		if len(regions.Regions) != 116 || !names["沈抚改革创新示范区"] {
			t.Errorf("%d regions", len(regions.Regions))
		}
		set := map[string]any{"fiscal": "219900", "in_scope": true}
		if got := city.call("POST", "/regions/219999", set, nil); got != http.StatusNotFound {
			t.Errorf("the city sets a region: %d", got)
		}
		province.must("POST", "/regions/219999", set, nil)

		// All of it is on the trail, and no phone is in the log.
		var trail struct{ Records []struct{ What string } }
		s.client(t, "audit").must("GET", "/audit", nil, &trail)
		seen := map[string]bool{}
		for _, r := range trail.Records {
			seen[r.What] = true
		}
		for _, what := range []string{"request.make", "request.accept", "register.import", "unit.merge", "region.set", "annotate"} {
			if !seen[what] {
				t.Errorf("%s is not on the trail", what)
			}
		}
		if strings.Contains(s.log.String(), "16012345699") || strings.Contains(s.log.String(), demo.Password) {
			t.Error("the log says too much")
		}
	})
}
