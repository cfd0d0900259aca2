package app

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/clock"
	"tianbao/internal/report"
	"tianbao/internal/storetest"
	"tianbao/internal/web"
)

// office is a site in this process with a province (110), two of its units (120, 130), a
// collection (7001) and an officer of the province.
type office struct {
	t     *testing.T
	in    *installation
	cfg   web.Config
	site  http.Handler
	token string // of the officer's session
	path  map[tianbao.ID]string
}

func newOffice(t *testing.T, set func(*serveOptions)) *office {
	t.Helper()
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	dir := t.TempDir()
	p := place{data: dir, keyFile: filepath.Join(dir, "keys", "ring.json"), alg: "sm4-gcm"}
	o := &office{t: t, token: strings.Repeat("o", 43), path: map[tianbao.ID]string{110: "/110/", 120: "/110/120/", 130: "/110/130/"}}
	var err error
	o.in, err = p.open(ctx, log)
	o.ok(err)
	t.Cleanup(func() { o.in.close(log) })
	o.in.auth.Policy.FactorOptional = true
	o.ok(o.in.store.PutRegions(ctx, tianbao.Region{ID: 9, Code: "210000", Name: "辽宁省", InScope: true}))
	o.ok(o.in.store.PutUnits(ctx,
		tianbao.Unit{ID: 110, Region: 9, Path: "/110/", Name: "财政厅", BudgetCode: "001", Kind: "bureau"},
		tianbao.Unit{ID: 120, Region: 9, Parent: 110, Path: "/110/120/", Name: "第一中学", BudgetCode: "101", OrgCode: "12210100463201001B", Type: "事业单位", Kind: "unit"},
		tianbao.Unit{ID: 130, Region: 9, Parent: 110, Path: "/110/130/", Name: "第二中学", BudgetCode: "102", OrgCode: "12210100463202004U", Type: "事业单位", Kind: "unit"},
	))
	f := o.in.forms.Latest("asset-role")
	o.ok(o.in.store.PutCampaign(ctx, tianbao.Campaign{ID: 7001, Title: "采集", Form: f.Name, FormV: f.Version, Opens: time.Now().Add(-time.Hour), Released: true, Owner: 110}))
	g := tianbao.Grant{ID: 801, User: 800, Role: tianbao.RoleProvince, Unit: 110, UnitPath: "/110/", From: time.Now().Add(-time.Hour)}
	o.ok(o.in.store.CreateUser(ctx, tianbao.User{ID: 800, Login: "officer", Name: "经办人", Grants: []tianbao.Grant{g}}, "no password", false))
	hash := sha256.Sum256([]byte(o.token))
	o.ok(o.in.store.PutSession(ctx, auth.Session{TokenHash: hash[:], User: 800, Created: clock.System(), Seen: clock.System()}, 0))
	opts := &serveOptions{reveals: 100, guard: guard{header: time.Minute, read: time.Minute, write: time.Minute}}
	if set != nil {
		set(opts)
	}
	o.cfg, err = o.in.config(log, opts)
	o.ok(err)
	srv, err := web.New(o.cfg)
	o.ok(err)
	t.Cleanup(srv.Close)
	o.site = srv.Handler()
	return o
}

func (o *office) ok(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// save writes rows of persons into a unit's report and returns it.
func (o *office) save(unit tianbao.ID, key string, changes ...tianbao.Change) tianbao.Report {
	o.t.Helper()
	scope := tianbao.Scope{Paths: []string{o.path[unit]}}
	rep, err := o.in.store.OpenReport(o.t.Context(), scope, 7001, unit)
	o.ok(err)
	_, err = o.in.reports.Save(o.t.Context(), report.Actor{Name: "甲", Scope: scope}, &tianbao.ChangeSet{Report: rep.ID, Key: key, Base: rep.Version, Source: tianbao.SourceAPI, Changes: changes})
	o.ok(err)
	rep, err = o.in.store.OpenReport(o.t.Context(), scope, 7001, unit)
	o.ok(err)
	return rep
}

// person inserts the n-th person into a unit's report.
func (o *office) person(unit tianbao.ID, n int) tianbao.Change {
	id, phone := storetest.Person(n)
	values := map[tianbao.ID][]string{120: {"101", "第一中学", "12210100463201001B"}, 130: {"102", "第二中学", "12210100463202004U"}}[unit]
	c := tianbao.Change{Op: tianbao.OpInsert, Temp: "t" + strconv.Itoa(n), After: tianbao.AtEnd}
	for i, v := range append(values, "事业单位", "user"+strconv.Itoa(n), "示例人员", id, phone) {
		c.Cells = append(c.Cells, tianbao.CellEdit{Field: i, Value: v})
	}
	return c
}

// officer asks as the officer of the province.
func (o *office) officer(method, path, body string, out any) (int, string) {
	o.t.Helper()
	r := httptest.NewRequestWithContext(o.t.Context(), method, "http://tianbao.test"+path, strings.NewReader(body))
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", "__Host-tianbao="+o.token)
	csrf := sha256.Sum256([]byte("tianbao csrf\x00" + o.token))
	r.Header.Set("X-CSRF-Token", base64.RawURLEncoding.EncodeToString(csrf[:]))
	w := httptest.NewRecorder()
	o.site.ServeHTTP(w, r)
	if out != nil && json.Unmarshal(w.Body.Bytes(), out) != nil {
		o.t.Errorf("%s %s: no JSON: %s", method, path, w.Body.String())
	}
	return w.Code, w.Body.String()
}

// service makes a token over a unit with verbs.
func (o *office) service(unit tianbao.ID, verbs ...auth.Verb) string {
	o.t.Helper()
	_, secret, err := o.in.auth.MakeServiceToken(o.t.Context(), auth.By{}, auth.ServiceToken{Name: "一体化平台", Unit: unit, Verbs: verbs, Expires: clock.System().Add(time.Hour)})
	o.ok(err)
	return secret
}
