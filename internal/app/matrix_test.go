package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/clock"
	"tianbao/internal/report"
	"tianbao/internal/storetest"
	"tianbao/internal/web"
)

// The access matrix (SEC-13, SEC-14, SEC-15): every route of the document × every method ×
// everybody there can be × every place in the tree and two rounds. What a cell must answer
// is computed here from who holds what where, not from the code under test.

// spot is a unit of the matrix's world with its reports, one a round.
type spot struct {
	tianbao.Unit
	reports [2]tianbao.ID
	receipt [2]tianbao.ID
	rows    [2]tianbao.ID
}

// person is somebody who asks, with the roles held right now.
type person struct {
	name   string
	token  string
	office tianbao.Role
	grants []tianbao.Grant // those that hold
}

// below reports whether somebody has a grant below a path.
func (p *person) below(path string) bool {
	return slices.ContainsFunc(p.grants, func(g tianbao.Grant) bool { return strings.HasPrefix(g.UnitPath, path) })
}

func (p *person) covers(power tianbao.Power, path string) bool {
	for _, g := range p.grants {
		if g.Role.Allows(power) && strings.HasPrefix(path, g.UnitPath) {
			return true
		}
	}
	return false
}

func (p *person) may(power tianbao.Power) bool {
	if p.office != "" {
		return p.office.Allows(power)
	}
	return p.covers(power, "") || func() bool {
		for _, g := range p.grants {
			if g.Role.Allows(power) {
				return true
			}
		}
		return false
	}()
}

// matrix is the world with the site in this process.
type matrix struct {
	t       *testing.T
	in      *installation
	site    http.Handler
	spots   []spot
	people  []*person
	cells   atomic.Int64
	wrong   atomic.Int64
	ghosts  sync.Map // answers to what does not exist
	request *regexp.Regexp
	// comparison is that of the province's old list with the first round.
	comparison tianbao.ID
}

// With the race detector, which makes it ten times slower, each engine is asked every
// other cell, in the manner of a chessboard: together all of them.
func TestAccessMatrix(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		newMatrix(t, "").run(0)
	})
	t.Run("postgres", func(t *testing.T) { // waits for its server, often
		t.Parallel()
		newMatrix(t, storetest.PostgresURL(t)).run(1)
	})
}

func (m *matrix) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func newMatrix(t *testing.T, url string) *matrix {
	m := &matrix{t: t, request: regexp.MustCompile(`"request":"[0-9a-f]+"`)}
	ctx, log := t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil))
	dir := t.TempDir()
	p := place{data: dir, db: url, keyFile: filepath.Join(dir, "keys", "ring.json"), alg: "sm4-gcm"}
	var err error
	m.in, err = p.open(ctx, log)
	m.must(err)
	t.Cleanup(func() { m.in.close(log) })
	const all = 1_000_000 // the matrix asks more often than people do
	o := &serveOptions{reveals: all, guard: guard{header: time.Minute, read: time.Minute, write: time.Minute}}
	m.in.auth.Policy.FactorOptional = true // what comes before the rules has tests of its own
	cfg, err := m.in.config(log, o)
	m.must(err)
	for name := range cfg.Limits {
		cfg.Limits[name] = all
	}
	srv, err := web.New(cfg)
	m.must(err)
	t.Cleanup(srv.Close)
	m.site = srv.Handler()
	m.units()
	m.plantBeside()
	m.accounts()
	return m
}

// units makes a province with two cities, a county, departments and units, and a report
// with a row in each, in two rounds.
func (m *matrix) units() {
	ctx := m.t.Context()
	m.must(m.in.store.PutRegions(ctx, tianbao.Region{ID: 9, Code: "210000", Name: "辽宁省", InScope: true}))
	add := func(id, parent tianbao.ID, kind string) {
		path := "/"
		for _, s := range m.spots {
			if s.ID == parent {
				path = s.Path
			}
		}
		u := tianbao.Unit{
			ID: id, Parent: parent, Region: 9, Path: path + id.String() + "/", Name: "记号" + id.String() + "单位",
			BudgetCode: "9" + id.String(), Type: "事业单位", Kind: kind,
		}
		m.must(m.in.store.PutUnits(ctx, u))
		m.spots = append(m.spots, spot{Unit: u})
	}
	add(110, 0, "bureau")       // province
	add(120, 110, "bureau")     // city
	add(130, 120, "bureau")     // county
	add(140, 130, "department") // where the people are
	add(150, 140, "unit")
	add(151, 140, "unit")
	add(160, 130, "department") // sibling
	add(170, 160, "unit")
	add(180, 110, "bureau") // other city
	add(190, 180, "unit")
	m.must(m.in.store.IndexUnits(ctx))
	f := m.in.forms.Latest("asset-role")
	for round, id := range []tianbao.ID{7001, 7002} {
		m.must(m.in.store.PutCampaign(ctx, tianbao.Campaign{ID: id, Title: "采集", Form: f.Name, FormV: f.Version, Opens: time.Now(), Released: true}))
		for i := range m.spots {
			s := &m.spots[i]
			scope := tianbao.Scope{Paths: []string{s.Path}}
			rep, err := m.in.store.OpenReport(ctx, scope, id, s.ID)
			m.must(err)
			saved, err := m.in.reports.Save(ctx, report.Actor{Name: "甲", Scope: scope}, &tianbao.ChangeSet{
				Report: rep.ID, Key: "k", Source: tianbao.SourceAPI,
				Changes: []tianbao.Change{{Op: tianbao.OpInsert, Temp: "t", After: tianbao.AtEnd, Cells: plant(f, s.ID)}},
			})
			m.must(err)
			s.reports[round], s.receipt[round], s.rows[round] = rep.ID, saved.Receipt.ID, saved.Inserted["t"]
		}
	}
}

// accounts makes everybody: each role at three heights of the tree, the offices, who has
// no role, or has one no longer, not yet, or lent.
func (m *matrix) accounts() {
	now := time.Now()
	at := func(id tianbao.ID) tianbao.Grant {
		for _, s := range m.spots {
			if s.ID == id {
				return tianbao.Grant{Unit: id, UnitPath: s.Path, From: now.Add(-time.Hour)}
			}
		}
		m.t.Fatal("no unit")
		return tianbao.Grant{}
	}
	add := func(name string, u tianbao.User, holds bool) *person {
		u.ID, u.Login, u.Name = tianbao.ID(m.in.ids.Next()), name, name
		for i := range u.Grants {
			u.Grants[i].ID = tianbao.ID(m.in.ids.Next())
			u.Grants[i].User = u.ID
		}
		m.must(m.in.store.CreateUser(m.t.Context(), u, "no password", false))
		p := &person{name: name, office: u.Office, token: strings.Repeat("x", 20) + u.ID.String()}
		if holds {
			p.grants = u.Grants
		}
		hash := sha256.Sum256([]byte(p.token))
		m.must(m.in.store.PutSession(m.t.Context(), auth.Session{TokenHash: hash[:], User: u.ID, Created: clock.System(), Seen: clock.System()}, 0))
		m.people = append(m.people, p)
		return p
	}
	for _, role := range houseRolesOf() {
		for _, unit := range []tianbao.ID{130, 140, 150} {
			g := at(unit)
			g.Role = role
			add(fmt.Sprint(role, ".", unit), tianbao.User{Grants: []tianbao.Grant{g}}, true)
		}
	}
	for _, office := range tianbao.Offices() {
		add(string(office), tianbao.User{Office: office}, true)
		add("asked."+string(office), tianbao.User{Asked: office}, false)
	}
	add("none", tianbao.User{}, false)
	over, soon := at(110), at(110)
	over.Role, soon.Role = tianbao.RoleProvince, tianbao.RoleProvince
	over.To, soon.From = now.Add(-time.Minute), now.Add(time.Hour)
	add("over", tianbao.User{Grants: []tianbao.Grant{over}}, false)
	add("soon", tianbao.User{Grants: []tianbao.Grant{soon}}, false)
	// Two roles at two heights: neither lends the other its reach.
	low, high, review := at(150), at(120), at(180)
	low.Role, high.Role, review.Role = tianbao.RoleFiller, tianbao.RoleService, tianbao.RoleReviewer
	add("mixed", tianbao.User{Grants: []tianbao.Grant{low, high, review}}, true)
	lender := at(140)
	lender.Role = tianbao.RoleDepartment
	p := add("lender", tianbao.User{Grants: []tianbao.Grant{lender}}, true)
	lent := at(151)
	lent.Role, lent.Lent, lent.By, lent.To = tianbao.RoleDepartment, p.grants[0].ID, p.grants[0].User, now.Add(time.Hour)
	add("lent", tianbao.User{Grants: []tianbao.Grant{lent}}, true)
	beyond := lent
	beyond.Unit, beyond.UnitPath, beyond.By = 190, at(190).UnitPath, 0
	add("lent more than there is", tianbao.User{Grants: []tianbao.Grant{beyond}}, false)
	m.people = append(m.people, &person{name: "nobody"})
}

func houseRolesOf() []tianbao.Role {
	var out []tianbao.Role
	for _, r := range tianbao.Roles() {
		if !r.Office() {
			out = append(out, r)
		}
	}
	return out
}

// target is what the parameters of a path stand for in one cell.
type target struct {
	name   string
	values *strings.Replacer
	path   string // of the unit it belongs to; empty: it does not exist
}

func (m *matrix) targets() []target {
	var out []target
	values := func(rep, receipt, row, unit any) *strings.Replacer {
		return strings.NewReplacer(
			"{report}", fmt.Sprint(rep), "{receipt}", fmt.Sprint(receipt), "{row}", fmt.Sprint(row), "{unit}", fmt.Sprint(unit),
			"{comparison}", m.comparison.String(), "{line}", fmt.Sprint(row),
			"{version}", "1", "{job}", "1", "{campaign}", "7001", "{form}", "asset-role", "{file}", "none", "{token}", "none",
		)
	}
	for round := range 2 {
		for i, s := range m.spots {
			if round == 1 && i%3 != 0 { // of the other round some at each height
				continue
			}
			out = append(out, target{fmt.Sprintf("unit %d, round %d", s.ID, round), values(s.reports[round], s.receipt[round], s.rows[round], s.ID), s.Path})
		}
	}
	for _, none := range []string{"999999999999", "0", "-1", "x", "9223372036854775807", "1%27--"} {
		out = append(out, target{"none " + none, values(none, "1", "1", none), ""})
	}
	return out
}

// outcome is what a cell must answer.
type outcome string

const (
	passes    outcome = "passes"
	unsigned  outcome = "401"
	forbidden outcome = "403"
	missing   outcome = "404"
)

// want computes the outcome; ok is false for a rule that the matrix does not know.
func want(access string, p *person, path string) (o outcome, ok bool) {
	if access == "everyone" {
		return passes, true
	}
	if p.token == "" || access == "service" || strings.HasPrefix(access, "service-") { // a session is no token
		return unsigned, true
	}
	page := func(powers ...tianbao.Power) (outcome, bool) {
		for _, power := range powers {
			if p.may(power) {
				return passes, true
			}
		}
		return forbidden, true
	}
	within := func(power tianbao.Power) (outcome, bool) {
		if path != "" && p.office == "" && p.covers(power, path) {
			return passes, true
		}
		return missing, true
	}
	switch access {
	case "signed-in":
		return passes, true
	case "fill-or-register":
		return page(tianbao.PowerFill, tianbao.PowerRegister)
	case "report-in-scope":
		return within(tianbao.PowerFill)
	case "reveal-in-scope":
		return within(tianbao.PowerReveal)
	case "unit-see", "unit-fill", "unit-register", "unit-review", "unit-reveal":
		return within(tianbao.Power(strings.TrimPrefix(access, "unit-")))
	}
	for _, r := range tianbao.Roles() {
		if r.Allows(tianbao.Power(access)) {
			return page(tianbao.Power(access))
		}
	}
	return "", false
}

// ask sends a request as somebody. Unsafe ones bear no form token: a rule that lets it
// pass ends in "forged", and nothing is done.
func (m *matrix) ask(p *person, method, path string) (int, []byte, http.Header) {
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, "http://tianbao.test"+path, nil)
	r.Header.Set("Accept", "application/json")
	if p.token != "" {
		r.Header.Set("Cookie", "__Host-tianbao="+p.token)
	}
	w := &opening{httptest.NewRecorder(), cancel}
	m.site.ServeHTTP(w, r)
	return w.Code, w.Body.Bytes(), w.Header()
}

// opening ends a stream when its beginning is there.
type opening struct {
	*httptest.ResponseRecorder
	end func()
}

func (o *opening) Flush() {
	o.ResponseRecorder.Flush()
	o.end()
}

func (m *matrix) fail(format string, args ...any) {
	if m.wrong.Add(1) <= 30 {
		m.t.Errorf(format, args...)
	}
}

// marks are the names of units and people in an answer.
var marks = regexp.MustCompile(`记号(\d+)`)

type cell struct {
	method, path, access string
	p                    *person
	to                   target
	scoped               bool
}

// run asks all cells, some at a time; half tells which of them under the race detector.
func (m *matrix) run(half int) {
	spec, err := web.Specification(Version)
	m.must(err)
	var doc struct {
		Paths map[string]map[string]struct {
			Access string `json:"x-access"`
		}
	}
	m.must(json.Unmarshal(spec, &doc))
	targets := m.targets()
	cells := make(chan cell, 64)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for c := range cells {
				m.cell(c)
			}
		})
	}
	patterns := make(map[string]*regexp.Regexp, len(doc.Paths))
	for path := range doc.Paths {
		patterns[path] = regexp.MustCompile("^" + parameter.ReplaceAllString(path, "[^/]+") + "$")
	}
	row := 0
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		methods := doc.Paths[path]
		scoped := strings.Contains(path, "{report}") || strings.Contains(path, "{unit}") || strings.Contains(path, "{line}")
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			op, known := methods[strings.ToLower(method)]
			if !known {
				op.Access = "" // another method: nothing is here, for anybody
				meets := false // but what a wider pattern leads to
				for other, has := range doc.Paths {
					_, ok := has[strings.ToLower(method)]
					meets = meets || ok && patterns[other].MatchString(path)
				}
				if meets {
					continue
				}
			}
			for i, to := range targets {
				if !scoped && i > 0 || !known && i > 3 {
					break
				}
				row++
				for column, p := range m.people { // each has its own part of the trail to wait for
					if raceDetector && (row+column)%2 != half {
						continue
					}
					cells <- cell{method, path, op.Access, p, to, scoped}
				}
			}
		}
	}
	close(cells)
	wg.Wait()
	m.lists()
	if n := m.cells.Load(); n < 20_000 {
		m.t.Errorf("only %d cells", n)
	}
	if n := m.wrong.Load(); n > 0 {
		m.t.Errorf("%d of %d cells are wrong", n, m.cells.Load())
	}
	m.t.Logf("%d cells", m.cells.Load())
}

// parameter is one in a path of the document.
var parameter = regexp.MustCompile(`\{\w+\}`)

func (m *matrix) cell(c cell) {
	m.cells.Add(1)
	path := parameter.ReplaceAllString(c.to.values.Replace(c.path), "1")
	where := fmt.Sprintf("%s %s (%s) as %s, %s", c.method, c.path, c.access, c.p.name, c.to.name)
	expect := missing
	if c.access != "" {
		var ok bool
		if expect, ok = want(c.access, c.p, c.to.path); !ok {
			m.fail("%s: the matrix does not know this rule", where)
			return
		}
		if c.access == "everyone" && c.method != "GET" { // these act at once: they have tests of their own
			return
		}
	}
	code, body, header := m.ask(c.p, c.method, path)
	var e struct{ Error struct{ Code string } }
	_ = json.Unmarshal(body, &e) // not every answer is an error
	switch {
	case expect == passes && c.method != "GET":
		if code != http.StatusForbidden || e.Error.Code != "forged" {
			m.fail("%s: %d %s, want the rule to let it pass", where, code, e.Error.Code)
		}
	case expect == passes:
		// What lies behind the rule may not be there (job 1); it is no denial.
		if code == http.StatusUnauthorized || code == http.StatusForbidden && e.Error.Code == "forbidden" || code >= 500 {
			m.fail("%s: %d %s, want it to be answered", where, code, e.Error.Code)
		}
		m.seen(where, c.p, body)
	case fmt.Sprint(code) != string(expect) || e.Error.Code == "forged":
		m.fail("%s: %d %s, want %s", where, code, e.Error.Code, expect)
	case c.scoped && expect == missing && c.to.path != "":
		// To the byte as what does not exist.
		m.alike(c, where, code, body, header)
	}
}

// alike compares an answer with the one to an id that nothing has.
func (m *matrix) alike(c cell, where string, code int, body []byte, header http.Header) {
	type ghost struct {
		code   int
		body   string
		header string
	}
	plain := func(code int, b []byte, h http.Header) ghost {
		h = h.Clone()
		h.Del("X-Request-Id")
		return ghost{code, m.request.ReplaceAllString(string(b), ""), fmt.Sprint(h)}
	}
	key := c.method + " " + c.path + " " + c.p.name
	g, ok := m.ghosts.Load(key)
	if !ok {
		none := strings.NewReplacer("{report}", "999999999999", "{unit}", "999999999999", "{receipt}", "1", "{row}", "1", "{version}", "1", "{job}", "1").Replace(c.path)
		g = plain(m.ask(c.p, c.method, none))
		m.ghosts.Store(key, g)
	}
	if got := plain(code, body, header); got != g {
		m.fail("%s: tells it from what does not exist:\n%+v\n%+v", where, got, g)
	}
}

// seen fails when an answer names a unit or a person outside what somebody sees. Those
// who administer rights see units, and no people's data.
func (m *matrix) seen(where string, p *person, body []byte) {
	m.planted(where, p, body)
	for _, mark := range marks.FindAllSubmatch(body, -1) {
		if p.office != "" {
			if bytes.Contains(body, []byte(string(mark[0])+"人员")) {
				m.fail("%s: an administrator sees people", where)
			}
			continue
		}
		ok := false
		for _, s := range m.spots {
			ok = ok || s.ID.String() == string(mark[1]) && p.covers(tianbao.PowerSee, s.Path)
			// The home page names the bureau above, whom to ask.
			ok = ok || s.ID.String() == string(mark[1]) && strings.HasPrefix(where, "GET / (") && p.below(s.Path)
			// So do those of the comparison, whose list it is.
			ok = ok || s.ID.String() == string(mark[1]) && strings.HasPrefix(where, "GET /compare") && p.below(s.Path)
		}
		if !ok {
			m.fail("%s: names %s", where, mark[0])
		}
	}
}

// lists asks what lists, searches and opens by what the request says, with everybody's own
// form token.
func (m *matrix) lists() {
	post := func(p *person, path, body string) (int, []byte) {
		r := httptest.NewRequestWithContext(m.t.Context(), "POST", "http://tianbao.test"+path, strings.NewReader(body))
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", "__Host-tianbao="+p.token)
		token := sha256.Sum256([]byte("tianbao csrf\x00" + p.token))
		r.Header.Set("X-CSRF-Token", base64.RawURLEncoding.EncodeToString(token[:]))
		w := httptest.NewRecorder()
		m.site.ServeHTTP(w, r)
		return w.Code, w.Body.Bytes()
	}
	m.elsewhereSaid(post)
	for _, p := range m.people {
		if p.token == "" || !p.may(tianbao.PowerFill) {
			continue
		}
		_, body, _ := m.ask(p, "GET", "/reports?campaign=7001")
		for _, path := range []string{"/reports?campaign=7001&q=" + "%E8%AE%B0%E5%8F%B7", "/campaigns/7001/sheet", "/campaigns/7001/rows?from=0&count=100", "/campaigns/7002/rows?from=0&count=100"} {
			_, b, _ := m.ask(p, "GET", path)
			body = append(body, b...)
			m.cells.Add(1)
		}
		for _, q := range []string{"", "记号", "9", "jh"} {
			_, b := post(p, "/units/search", `{"q":"`+q+`"}`)
			body = append(body, b...)
			m.cells.Add(1)
		}
		m.seen("lists as "+p.name, p, body)
		for _, s := range m.spots {
			m.cells.Add(1)
			code, b := post(p, "/campaigns/7001/reports", `{"unit":"`+s.ID.String()+`"}`)
			found := p.covers(tianbao.PowerFill, s.Path)
			if found != (code == http.StatusOK) || !found && code != http.StatusNotFound {
				m.fail("open the report of %s as %s: %d %s", s.ID, p.name, code, b)
			}
			if found != bytes.Contains(body, []byte(s.Name)) {
				m.fail("lists as %s: %s is among them: %v", p.name, s.Name, !found)
			}
			// Correcting what was filled in, for a report that lies elsewhere.
			if own := m.spots[4]; p.covers(tianbao.PowerFill, own.Path) && s.ID != own.ID {
				m.cells.Add(1)
				code, b := post(p, "/reports/"+own.reports[0].String()+"/filled", fmt.Sprintf(`{"of":"%s","key":"m","base":1,"changes":[{"op":"delete","row":"%s"}]}`, s.reports[0], s.rows[0]))
				if code != http.StatusNotFound {
					m.fail("correct a row of %s as %s: %d %s", s.ID, p.name, code, b)
				}
			}
		}
	}
}
