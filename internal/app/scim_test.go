package app

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/auth"
	"tianbao/internal/clock"
	"tianbao/internal/provision"
	"tianbao/internal/storetest"
	"tianbao/internal/web"
)

// Another system pulls accounts by SCIM 2.0 with a service token: pages and filters by RFC
// 7644 §3.4.2, of its own subtree only, without resident ids, and nothing with another
// token or a session.
func TestSCIM(t *testing.T) {
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	dir := t.TempDir()
	p := place{data: dir, keyFile: filepath.Join(dir, "keys", "ring.json"), alg: "sm4-gcm"}
	in, err := p.open(ctx, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.close(log) })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(in.store.PutUnits(ctx,
		tianbao.Unit{ID: 110, Path: "/110/", Name: "财政厅", BudgetCode: "001", Kind: "bureau"},
		tianbao.Unit{ID: 120, Parent: 110, Path: "/110/120/", Name: "第一中学", BudgetCode: "101", OrgCode: "12210100000000003C", Kind: "unit"},
		tianbao.Unit{ID: 130, Parent: 110, Path: "/110/130/", Name: "第二中学", BudgetCode: "102", Kind: "unit"},
	))
	var steps []provision.Step
	for n := range 5 {
		id, phone := storetest.Person(n)
		a := provision.Account{ID: tianbao.ID(500 + n), Person: id, Name: "张某某", Login: phone, Units: []tianbao.ID{120}, Disabled: n == 3}
		if n == 4 {
			a.Units = []tianbao.ID{130, 120}
		}
		if n == 2 {
			a.Units = []tianbao.ID{130}
		}
		steps = append(steps, provision.Step{Kind: provision.Create, After: a, Needs: -1})
	}
	h := &provision.Head{ID: 9, Root: 110, State: provision.Planned, Made: time.Now()}
	must(in.store.PutPlan(ctx, h, &provision.Plan{Steps: steps}))
	must(in.store.Decide(ctx, h.ID, provision.Approved, 1, time.Now()))
	o := &serveOptions{guard: guard{header: time.Minute, read: time.Minute, write: time.Minute}}
	cfg, err := in.config(log, o)
	must(err)
	if n, err := cfg.Platform.Round(ctx); n != 5 || err != nil {
		t.Fatalf("%d steps, %v", n, err)
	}
	srv, err := web.New(cfg)
	must(err)
	t.Cleanup(srv.Close)
	token := func(unit tianbao.ID) string {
		_, secret, err := in.auth.MakeServiceToken(ctx, auth.By{}, auth.ServiceToken{Name: "一体化平台", Unit: unit, Verbs: []auth.Verb{auth.VerbAccounts}, Expires: clock.System().Add(time.Hour)})
		must(err)
		return secret
	}
	all, school := token(110), token(120)
	get := func(secret, path string, out any) (int, string) {
		t.Helper()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://tianbao.test/scim/v2"+path, nil)
		r.Header.Set("Accept", "application/scim+json")
		if secret != "" {
			r.Header.Set("Authorization", "Bearer "+secret)
		}
		w := httptest.NewRecorder()
		srv.Handler().ServeHTTP(w, r)
		body, _ := io.ReadAll(w.Body)
		if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/scim+json") {
			t.Errorf("%s: %s", path, got)
		}
		if out != nil && json.Unmarshal(body, out) != nil {
			t.Errorf("%s: no JSON", path)
		}
		for n := range 5 {
			if id, _ := storetest.Person(n); strings.Contains(string(body), id) {
				t.Errorf("%s tells a resident id", path)
			}
		}
		return w.Code, string(body)
	}
	type list struct {
		Schemas                                []string
		TotalResults, StartIndex, ItemsPerPage int
		Resources                              []struct {
			ID, UserName, DisplayName string
			Active                    bool
			Groups, Members           []struct{ Value, Display string }
		}
	}
	_, phone := storetest.Person(1)
	_, foreign := storetest.Person(2)
	filter := func(f string) string { return "/Users?filter=" + url.QueryEscape(f) }
	for _, tt := range []struct {
		name, secret, path  string
		status, total, here int
		first               string
	}{
		{"all", all, "/Users", 200, 5, 5, "500"},
		{"a page", all, "/Users?startIndex=2&count=2", 200, 5, 2, "501"},
		{"the last page", all, "/Users?startIndex=5&count=2", 200, 5, 1, "504"},
		{"behind the end", all, "/Users?startIndex=6", 200, 5, 0, ""},
		{"only the count", all, "/Users?count=0", 200, 5, 0, ""},
		{"less than nothing", all, "/Users?startIndex=-3&count=-1", 200, 5, 0, ""},
		{"no number", all, "/Users?count=x", 400, 0, 0, ""},
		{"a part of the tree", school, "/Users", 200, 4, 4, "500"},
		{"by login", all, filter(`userName eq "` + phone + `"`), 200, 1, 1, "501"},
		{"by login in another case", all, filter(`username EQ "` + phone + `"`), 200, 1, 1, "501"},
		{"by login elsewhere", school, filter(`userName eq "` + foreign + `"`), 200, 0, 0, ""},
		{"by id", all, filter(`id eq "503"`), 200, 1, 1, "503"},
		{"by no id", all, filter(`id eq "x"`), 200, 0, 0, ""},
		{"by an id there", all, filter(`externalId eq ""`), 200, 0, 0, ""},
		{"another filter", all, filter(`userName co "160"`), 400, 0, 0, ""},
		{"two filters", all, filter(`userName eq "1" or userName eq "2"`), 400, 0, 0, ""},
		{"units", all, "/Groups", 200, 2, 2, "120"},
		{"units of a part", school, "/Groups", 200, 1, 1, "120"},
		{"what there are", all, "/ResourceTypes", 200, 2, 2, "User"},
		{"without a token", "", "/Users", 401, 0, 0, ""},
		{"with another token", all + "x", "/Users", 401, 0, 0, ""},
	} {
		var l list
		status, body := get(tt.secret, tt.path, &l)
		if status != tt.status || l.TotalResults != tt.total || len(l.Resources) != tt.here || l.ItemsPerPage != tt.here || tt.first != "" && l.Resources[0].ID != tt.first {
			t.Errorf("%s: %d, %d of %d", tt.name, status, len(l.Resources), l.TotalResults)
		}
		if tt.status != 200 && (!strings.Contains(body, "urn:ietf:params:scim:api:messages:2.0:Error") || strings.Contains(tt.path, "filter") && !strings.Contains(body, `"scimType":"invalidFilter"`)) {
			t.Errorf("%s: %s", tt.name, body)
		}
	}
	var l list
	get(school, "/Users?startIndex=4", &l)
	if u := l.Resources[0]; u.ID != "504" || len(u.Groups) != 1 || u.Groups[0].Display != "第一中学" {
		t.Errorf("a foreign unit is told: %+v", u)
	}
	var g struct {
		DisplayName string
		Members     []struct{ Value string }
	}
	if status, _ := get(all, "/Groups/130", &g); status != 200 || g.DisplayName != "第二中学" || len(g.Members) != 2 {
		t.Errorf("a unit: %d %+v", status, g)
	}
	var u struct{ Active bool }
	if status, _ := get(all, "/Users/503", &u); status != 200 || u.Active {
		t.Errorf("a disabled account: %d, active %t", status, u.Active)
	}
	for _, path := range []string{"/Users/502", "/Users/999", "/Groups/130", "/Groups/x"} {
		if status, _ := get(school, path, nil); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
	for _, path := range []string{"/ServiceProviderConfig", "/Schemas"} {
		if status, body := get(all, path, nil); status != 200 || !strings.Contains(body, "schemas") {
			t.Errorf("%s: %d", path, status)
		}
	}
	for path, want := range map[string]int{
		"/ResourceTypes/User": 200, "/ResourceTypes/Group": 200, "/ResourceTypes/Device": 404, "/Schemas/urn:x": 404,
		"/Schemas/urn:ietf:params:scim:schemas:core:2.0:User": 200, "/Schemas/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": 200,
	} {
		var one struct {
			ID   string
			Meta struct{ Location string }
		}
		if status, _ := get(all, path, &one); status != want || want == 200 && (!strings.HasSuffix(path, "/"+one.ID) || !strings.HasSuffix(one.Meta.Location, path)) {
			t.Errorf("%s: %d, %+v", path, status, one)
		}
	}
	lines, err := in.store.Trail(ctx, audit.Query{What: "platform.read", Limit: 10})
	must(err)
	if len(lines) == 0 {
		t.Error("nothing is on the trail")
	}
}
