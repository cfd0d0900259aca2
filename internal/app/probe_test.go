package app

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
	"tianbao/internal/ident"
	"tianbao/internal/report"
	"tianbao/internal/storetest"
	"tianbao/internal/web"
)

// probeSpec is as much of the API document as the probes need.
type probeSpec struct {
	Paths map[string]map[string]struct {
		RequestBody struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				}
			}
		}
	}
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct{ Type string }
		}
	}
}

// No answer to a unit's user names another unit, or somebody there: generated from the API
// document, every route of both faces, asked for the own ids and for those of a unit beside
// it that has reported people, whatever it is asked for. Bodies and queries name that unit
// wherever they can. (What each role sees of the tree is the matter of TestAccessMatrix.)
func TestNothingOfTheUnitBeside(t *testing.T) {
	o := newOffice(t, nil)
	ctx := t.Context()
	beside := o.person(130, 50)
	beside.Cells[5].Value = "邻示例"
	foreign := o.save(130, "k1", beside)
	own := o.save(120, "k1", o.person(120, 1))
	scope := tianbao.Scope{Paths: []string{o.path[130]}}
	receipt, err := o.in.reports.Submit(ctx, report.Actor{Name: "邻填报", Scope: scope}, foreign.ID, "k2")
	o.ok(err)
	_, rows, err := o.in.store.Window(ctx, scope, foreign.ID, 0, 0, 1)
	o.ok(err)
	_, version, err := o.in.store.Register(ctx, tianbao.Scope{Paths: []string{"/"}}, false)
	o.ok(err)
	o.ok(o.in.store.ChangeRegister(ctx, &tianbao.RegisterChange{Base: version, Day: time.Now(), At: time.Now(), Changes: []tianbao.UnitChange{{
		Act: tianbao.UnitEdit, Unit: tianbao.Unit{ID: 130, Region: 9, Parent: 110, Path: "/110/130/", Name: "第二中学", BudgetCode: "102", OrgCode: "12210100463202004U", Type: "事业单位", Kind: "unit"},
		Contact: &tianbao.Contact{Name: "邻联系人", Phone: "16077777777"}, Fields: []tianbao.FieldChange{{Field: "contact_phone"}},
	}}}))
	runs := tianbao.Scope{Paths: []string{"/110/"}}
	o.ok(o.in.campaigns.SetLevels(ctx, campaign.Actor{User: 800, Runs: runs, Locks: runs}, 7001, tianbao.Levels(1<<tianbao.LevelProvince)))
	o.ok(o.in.campaigns.Review(ctx, campaign.Reviewer{User: 800, Scope: runs}, 7001, campaign.ReviewAct{Units: []tianbao.ID{130}, Kind: tianbao.VerdictReturn, Remark: "邻意见"}))
	id, phone := storetest.Person(50)
	secrets := []string{"第二中学", "邻", "12210100463202004U", id, phone, ident.MaskID(id), ident.MaskPhone(phone), "16077777777", ident.MaskPhone("16077777777")}

	g := tianbao.Grant{ID: 811, User: 810, Role: tianbao.RoleFiller, Unit: 120, UnitPath: o.path[120], From: time.Now().Add(-time.Hour)}
	o.ok(o.in.store.CreateUser(ctx, tianbao.User{ID: 810, Login: "clerk", Name: "填报员", Grants: []tianbao.Grant{g}}, "no password", false))
	sessions, asked, answered := 0, 0, 0
	ask := func(method, path, accept, media, body string) {
		t.Helper()
		sessions++ // some routes end the one that asks
		token := fmt.Sprintf("%043d", sessions)
		hash, csrf := sha256.Sum256([]byte(token)), sha256.Sum256([]byte("tianbao csrf\x00"+token))
		o.ok(o.in.store.PutSession(ctx, auth.Session{TokenHash: hash[:], User: 810, Created: clock.System(), Seen: clock.System()}, 0))
		some, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		r := httptest.NewRequestWithContext(some, method, "http://tianbao.test"+path, strings.NewReader(body))
		r.Header.Set("Accept", accept)
		r.Header.Set("Content-Type", media)
		r.Header.Set("Cookie", "__Host-tianbao="+token)
		r.Header.Set("X-CSRF-Token", base64.RawURLEncoding.EncodeToString(csrf[:]))
		w := &opening{httptest.NewRecorder(), cancel}
		o.site.ServeHTTP(w, r)
		if asked++; w.Code == http.StatusOK {
			answered++
		}
		text := w.Body.String() + fmt.Sprint(w.Header())
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("%s %s (%s): %d tells %q", method, path, accept, w.Code, s)
			}
		}
		if w.Code >= 500 {
			t.Errorf("%s %s (%s): %d", method, path, accept, w.Code)
		}
	}

	b, err := web.Specification(Version)
	o.ok(err)
	var spec probeSpec
	o.ok(json.Unmarshal(b, &spec))
	// What a parameter or a field stands for, for the unit beside.
	known := map[string]string{
		"unit": "130", "report": foreign.ID.String(), "of": foreign.ID.String(), "row": rows[0].ID.String(), "receipt": receipt.ID.String(), "campaign": "7001", "collection": "7001",
		"version": "1", "form": "asset-role", "in": "130", "parent": "130", "into": "130", "owner": "130", "q": "二中", "text": "请问怎么填报", "name": "某某", "reason": "与本人核对联系方式", "key": "probe",
		"to": "2030-01-01", "from": "2020-01-01", "day": time.Now().Format(time.DateOnly), "state": "returned",
	}
	value := func(name string) string {
		if v, ok := known[name]; ok {
			return v
		}
		return "1"
	}
	query := make(url.Values)
	for _, name := range []string{"unit", "report", "campaign", "in", "q", "day", "state"} {
		query.Set(name, known[name])
	}
	targets := []*strings.Replacer{
		strings.NewReplacer("{report}", own.ID.String(), "{unit}", "120", "{campaign}", "7001", "{version}", "1", "{form}", "asset-role"),
		strings.NewReplacer("{report}", foreign.ID.String(), "{unit}", "130", "{campaign}", "7001", "{version}", "1", "{form}", "asset-role", "{row}", known["row"], "{receipt}", known["receipt"]),
	}
	const page, data = "text/html", "application/json"
	for n, path := range slices.Sorted(maps.Keys(spec.Paths)) {
		if raceDetector && n%4 != 0 {
			continue // what the detector watches is the matter of other tests
		}
		for method, op := range spec.Paths[path] {
			for i, to := range targets {
				at := parameter.ReplaceAllString(to.Replace(path), "1")
				if i > 0 && at == parameter.ReplaceAllString(targets[0].Replace(path), "1") {
					continue // it names neither
				}
				if method == "get" {
					ask("GET", at, data, "", "")
					ask("GET", at, page, "", "")
					ask("GET", at+"?"+query.Encode(), data, "", "")
					continue
				}
				fields, form := map[string]any{}, url.Values{}
				for media, c := range op.RequestBody.Content {
					if media != data {
						continue // a file says itself what it says
					}
					for name, p := range spec.Components.Schemas[c.Schema.Ref[strings.LastIndex(c.Schema.Ref, "/")+1:]].Properties {
						switch p.Type {
						case "string":
							fields[name] = value(name)
							form.Set(name, value(name))
						case "integer":
							fields[name] = 1
						case "boolean":
							fields[name] = true
						}
					}
				}
				body, err := json.Marshal(fields)
				o.ok(err)
				ask(strings.ToUpper(method), at, data, data, string(body))
				if method == "post" {
					ask("POST", at, page, "application/x-www-form-urlencoded", form.Encode())
				}
			}
		}
	}
	t.Logf("%d asked, %d answered", asked, answered)
	if !raceDetector && (asked < 500 || answered < 60) {
		t.Errorf("only %d asked, %d answered", asked, answered)
	}
}
