package app

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/auth"
	"tianbao/internal/ident"
	"tianbao/internal/storetest"
)

// feedPage is an answer of the feed.
type feedPage struct {
	Context string           `json:"@odata.context"`
	Next    string           `json:"@odata.nextLink"`
	Delta   string           `json:"@odata.deltaLink"`
	Value   []map[string]any `json:"value"`
	Error   struct{ Code string }
}

// feed asks with a token, as program do (basic: as Excel does).
func (o *office) feed(secret, path string, basic bool) (int, http.Header, string, feedPage) {
	o.t.Helper()
	r := httptest.NewRequestWithContext(o.t.Context(), http.MethodGet, "http://tianbao.test"+path, nil)
	if basic {
		r.SetBasicAuth("excel", secret)
	} else if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	w := httptest.NewRecorder()
	o.site.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Body)
	var p feedPage
	_ = json.Unmarshal(body, &p) // CSV and metadata are none
	return w.Code, w.Header(), string(body), p
}

// Other systems read units, progress, events and rows page by page: only what token and verb
// allow, ids and phones masked but for who may read them whole, which the trail tells.
func TestFeed(t *testing.T) {
	o := newOffice(t, nil)
	ctx := t.Context()
	var own []tianbao.Change
	for n := range 7 {
		own = append(own, o.person(120, n))
	}
	rep := o.save(120, "k1", own...)
	o.save(130, "k1", o.person(130, 50))
	if _, err := o.cfg.News.Round(ctx); err != nil {
		t.Fatal(err)
	}
	all := o.service(110, auth.Verbs()...)
	masked := o.service(110, auth.VerbRows)
	school := o.service(130, auth.Verbs()...)
	rows := "/api/v1/rows?collection=7001"

	// Walks all pages and returns the values of a property.
	walk := func(secret, path, property string) (got []string, pages int) {
		t.Helper()
		for path != "" {
			code, _, body, p := o.feed(secret, path, false)
			if code != http.StatusOK {
				t.Fatalf("%s: %d %s", path, code, body)
			}
			for _, v := range p.Value {
				s, _ := v[property].(string)
				got = append(got, s)
			}
			u, err := url.Parse(p.Next)
			if err != nil || p.Next != "" && u.Host != "tianbao.test" {
				t.Fatalf("next page %q", p.Next)
			}
			path = ""
			if p.Next != "" {
				path = u.RequestURI()
			}
			if pages++; pages > 20 {
				t.Fatal("there is no end")
			}
		}
		return got, pages
	}
	for _, tt := range []struct {
		name, secret, path, property, want string
	}{
		{"collections", all, "/api/v1/collections", "id", "7001"},
		{"units", all, "/api/v1/units", "budget_code", "001 101 102"},
		{"units of a school", school, "/api/v1/units", "budget_code", "102"},
		{"progress", all, "/api/v1/progress?collection=7001", "state", "none saved saved"},
		{"progress of a school", school, "/api/v1/progress?collection=7001", "id", "130"},
		{"events", all, "/api/v1/events", "unit", "120 130"},
		{"events of a school", school, "/api/v1/events", "unit", "130"},
		{"events behind one", all, "/api/v1/events?since=1", "unit", "130"},
		{"events behind all", all, "/api/v1/events?since=2", "unit", ""},
		{"rows", masked, rows, "owner", "120 120 120 120 120 120 120 130"},
		{"rows of a report", all, rows + "&report=" + rep.ID.String(), "owner", "120 120 120 120 120 120 120"},
		{"rows of a school", school, rows, "owner", "130"},
		{"the first rows", all, rows + "&%24top=2", "owner", "120 120"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := walk(tt.secret, tt.path, tt.property); strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}

	// A report that is saved between two of its pages begins anew: a row that moved up is
	// not left out.
	whole, _ := walk(all, rows, "id")
	first, err := tianbao.ParseID(whole[0])
	o.ok(err)
	o.save(120, "k2", tianbao.Change{Op: tianbao.OpDelete, Row: first}, o.person(120, 30))
	for token, want := range map[string]int{"3.1": 7, "3.2": 4, "7.2": 0} {
		got, _ := walk(all, rows+"&report="+rep.ID.String()+"&%24skiptoken="+rep.ID.String()+"."+token, "id")
		if len(got) != want || want == 7 && !slices.Contains(got, whole[3]) {
			t.Errorf("behind %s: %v", token, got)
		}
	}

	id, phone := storetest.Person(3)
	for _, tt := range []struct {
		name, secret, path string
		basic              bool
		code               int
		says               string // "" nothing
		hides              []string
	}{
		{"masked", all, rows, false, 200, ident.MaskPhone(phone), []string{id, phone}},
		{"as a password", masked, rows, true, 200, ident.MaskID(id), []string{id, phone}},
		{"whole", all, "/api/v1/clear_rows?collection=7001", false, 200, id, nil},
		{"whole without the verb", masked, "/api/v1/clear_rows?collection=7001", false, 403, "forbidden", []string{phone}},
		{"whole as CSV", all, "/api/v1/clear_rows?collection=7001&%24format=csv", false, 400, "no_mark", []string{phone}},
		{"another report", school, rows + "&report=" + rep.ID.String(), false, 404, "", nil},
		{"another report as CSV", school, rows + "&%24format=csv&report=" + rep.ID.String(), false, 404, "", nil},
		{"a place elsewhere", school, rows + "&%24skiptoken=" + rep.ID.String() + ".0.1", false, 404, "", nil},
		{"no place", all, rows + "&%24skiptoken=x", false, 400, "bad_token", nil},
		{"no place of units", all, "/api/v1/units?%24skiptoken=x", false, 400, "bad_token", nil},
		{"no place of progress", all, "/api/v1/progress?collection=7001&%24skiptoken=x", false, 400, "bad_token", nil},
		{"no collection", all, "/api/v1/rows", false, 400, "no_collection", nil},
		{"another collection", all, "/api/v1/rows?collection=7002", false, 404, "", nil},
		{"a filter", all, rows + "&%24filter=x", false, 400, "not_supported", nil},
		{"no number", all, "/api/v1/events?since=x", false, 400, "bad_since", nil},
		{"no top", all, rows + "&%24top=0", false, 400, "bad_top", nil},
		{"units without the verb", masked, "/api/v1/units", false, 403, "forbidden", nil},
		{"progress without the verb", masked, "/api/v1/progress?collection=7001", false, 403, "forbidden", nil},
		{"events without the verb", masked, "/api/v1/events", false, 403, "forbidden", nil},
		{"no token", "", rows, false, 401, "bad_token", nil},
		{"another token", "tianbao_x", rows, true, 401, "bad_token", nil},
		{"units as CSV", all, "/api/v1/units?%24format=csv", false, 200, "第二中学", nil},
		{"units of a school as CSV", school, "/api/v1/units?%24format=csv", false, 200, "第二中学", []string{"第一中学"}},
		{"progress as CSV", all, "/api/v1/progress?collection=7001&%24format=csv", true, 200, "已提交", nil},
		{"progress of a school as CSV", school, "/api/v1/progress?collection=7001&%24format=csv", true, 200, "第二中学", []string{"第一中学"}},
		{"rows as CSV", all, rows + "&%24format=csv", true, 200, ident.MaskID(id), []string{id, phone}},
		{"rows of a school as CSV", school, rows + "&%24format=csv", true, 200, "第二中学", []string{"第一中学", ident.MaskID(id)}},
		{"the index", masked, "/api/v1/", true, 200, "clear_rows", nil},
		{"metadata", masked, "/api/v1/$metadata", true, 200, `<Property Name="person_id" Type="Edm.String"`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, h, body, _ := o.feed(tt.secret, tt.path, tt.basic)
			if code != tt.code || !strings.Contains(body, tt.says) {
				t.Errorf("%d %.600s", code, body)
			}
			for _, s := range tt.hides {
				if strings.Contains(body, s) {
					t.Errorf("tells %q", s)
				}
			}
			if code == http.StatusUnauthorized && len(h.Values("WWW-Authenticate")) != 2 {
				t.Errorf("asks for %q", h.Values("WWW-Authenticate"))
			}
			if strings.HasSuffix(tt.path, "metadata") {
				var doc struct{ XMLName xml.Name }
				if err := xml.Unmarshal([]byte(body), &doc); err != nil || doc.XMLName.Space != "http://docs.oasis-open.org/odata/ns/edmx" {
					t.Errorf("%v %v", doc, err)
				}
			}
		})
	}
	if _, _, body, p := o.feed(all, "/api/v1/events?since=3", false); p.Delta != "http://tianbao.test/api/v1/events?since=3" {
		t.Errorf("where to ask again: %s", body)
	}
	// Who read rows is on the trail, and what was refused.
	clear := 0
	lines, err := o.in.store.Trail(ctx, audit.Query{What: "feed.read", Limit: 100})
	o.ok(err)
	for i := range lines {
		if !strings.Contains(lines[i].Detail, "masked") {
			clear++
		}
		if lines[i].Owner == 0 || lines[i].Object != "7001" || !strings.Contains(lines[i].Detail, "token=") {
			t.Errorf("%+v", lines[i].Event)
		}
	}
	if clear != 1 || len(lines) < 10 {
		t.Errorf("%d reads on the trail, %d of them whole", len(lines), clear)
	}
	if denied, err := o.in.store.Trail(ctx, audit.Query{What: "denied", Limit: 100}); err != nil || len(denied) != 4 {
		t.Errorf("%d denied, %v", len(denied), err)
	}
}
