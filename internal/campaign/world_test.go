package campaign_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/check"
	"tianbao/internal/clock"
	"tianbao/internal/form"
	"tianbao/internal/org"
	"tianbao/internal/report"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

// office is a province in virtual time.
type office struct {
	t       testing.TB
	mu      sync.Mutex
	now     time.Time
	asked   chan struct{} // holds a value when the clock was asked since it was emptied
	store   *store.Store
	reports *report.Service
	*campaign.Service
	org  *org.Service
	form *tianbao.Form
	keys int
	c    tianbao.ID // the collection that is open
}

const (
	province   tianbao.ID = 1
	city       tianbao.ID = 2
	department tianbao.ID = 5
	school     tianbao.ID = 6
	second     tianbao.ID = 7
	other      tianbao.ID = 3 // another city
	collection tianbao.ID = 90
)

func shanghai(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, clock.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

// engines runs a test on both engines.
func engines(t *testing.T, fn func(o *office)) {
	t.Run("sqlite", func(t *testing.T) { fn(newOffice(t, storetest.OpenSQLite)) })
	t.Run("postgres", func(t *testing.T) { fn(newOffice(t, storetest.OpenPostgres)) })
}

func newOffice(t testing.TB, open func(t testing.TB, opts ...storetest.Option) *store.Store) *office {
	t.Helper()
	forms, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, now: shanghai("2022-08-01 08:00:00"), asked: make(chan struct{}, 1), c: collection, form: forms.Latest("asset-role")}
	now := func() time.Time {
		o.mu.Lock()
		defer o.mu.Unlock()
		select {
		case o.asked <- struct{}{}:
		default:
		}
		return o.now
	}
	find := func(name string, version int) (*tianbao.Form, error) {
		if f := forms.Get(name, version); f != nil {
			return f, nil
		}
		return nil, tianbao.NotFound()
	}
	rules := map[string]*check.Checker{}
	for _, name := range []string{o.form.Name, org.FormName} {
		if rules[name], err = check.New(forms.Latest(name), now); err != nil {
			t.Fatal(err)
		}
	}
	o.store = open(t, storetest.WithForms(find), storetest.WithClock(now))
	ids := &clock.IDs{Clock: now}
	o.reports = &report.Service{
		Store: o.store, IDs: ids, Now: now, Digest: storetest.Ring(t).Digest,
		Rules: func(name string, _ int) (report.Checker, error) { return rules[name], nil },
	}
	o.Service = &campaign.Service{Store: o.store, IDs: ids, Now: now, Form: find}
	o.org = &org.Service{Store: o.store, Checker: rules[org.FormName], IDs: ids, Now: now}
	ctx := t.Context()
	o.ok(o.store.PutRegions(ctx, tianbao.Region{ID: 21, Name: "辽宁省", Code: "210000", InScope: true}, tianbao.Region{ID: 2107, Parent: 21, Name: "锦州市", Code: "210700", InScope: true}, tianbao.Region{ID: 2102, Parent: 21, Name: "大连市", Code: "210200"}))
	o.ok(o.store.PutUnits(ctx,
		tianbao.Unit{ID: province, Region: 21, Name: "省财政厅", BudgetCode: "105", Kind: "bureau"},
		tianbao.Unit{ID: city, Parent: province, Region: 2107, Name: "市财政局", BudgetCode: "501", Kind: "bureau"},
		tianbao.Unit{ID: other, Parent: province, Region: 2102, Name: "大连市财政局", BudgetCode: "502", Kind: "bureau"},
		tianbao.Unit{ID: department, Parent: city, Region: 2107, Name: "市教育局", BudgetCode: "501001", Kind: "department"},
		tianbao.Unit{ID: school, Parent: department, Region: 2107, Name: "第一小学", BudgetCode: "501001001", OrgCode: "12210700MB000001AA", Kind: "unit"},
		tianbao.Unit{ID: second, Parent: department, Region: 2107, Name: "第二小学", BudgetCode: "501001002", Kind: "unit"},
	))
	return o
}

func (o *office) ok(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) ctx() context.Context { return o.t.Context() }

// at sets the clock.
func (o *office) at(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = shanghai(text)
}

// collect makes the collection of the notice: the province's own until 23 September
// 24:00, the city until 30 September 24:00, Dalian not.
func (o *office) collect() {
	o.t.Helper()
	begin := shanghai("2022-09-01 09:00:00")
	o.ok(o.store.PutCampaign(o.ctx(), tianbao.Campaign{
		ID: o.c, Title: "采集", Form: o.form.Name, FormV: o.form.Version, Opens: begin, Closes: shanghai("2022-09-24 00:00:00"), Released: true, Opened: o.now, Owner: province,
	}))
	o.rule(tianbao.CampaignRule{Kind: tianbao.RuleWindow, Unit: city, Opens: begin, Closes: shanghai("2022-10-01 00:00:00")})
	o.rule(tianbao.CampaignRule{Kind: tianbao.RuleExclude, Region: 2102})
}

func runner() campaign.Actor {
	return campaign.Actor{Runs: tianbao.Scope{Paths: []string{"/1/"}}, Locks: tianbao.Scope{Paths: []string{"/1/"}}}
}

func (o *office) rule(r tianbao.CampaignRule) {
	o.t.Helper()
	o.ok(o.SetRule(o.ctx(), runner(), o.c, r))
}

func everything() tianbao.Scope { return tianbao.Scope{Paths: []string{"/"}} }

// filler acts for a unit.
func (o *office) filler(unit tianbao.ID) report.Actor {
	u, err := o.store.Unit(o.ctx(), everything(), unit)
	o.ok(err)
	return report.Actor{Login: "u", Name: "甲", Scope: tianbao.Scope{Paths: []string{u.Path}}}
}

func (o *office) open(unit tianbao.ID) tianbao.Report {
	o.t.Helper()
	r, err := o.store.OpenReport(o.ctx(), everything(), o.c, unit)
	o.ok(err)
	return r
}

func (o *office) key() string {
	o.keys++
	return fmt.Sprint("k", o.keys)
}

// person makes a new row for a unit, without faults unless faulty.
func (o *office) person(n int, unit string, faulty bool) tianbao.Change {
	id, phone := storetest.Person(n)
	cells := map[string]string{"unit_name": unit, "unit_type": "事业单位", "person_name": "张示例", "person_id": id, "phone": phone}
	cells["org_code"] = "1121010060181590XA"
	if faulty {
		cells["phone"] = "12"
	}
	c := tianbao.Change{Op: tianbao.OpInsert, Temp: fmt.Sprint("t", n), After: tianbao.AtEnd}
	for i, f := range o.form.Fields {
		if v := cells[f.Key]; v != "" {
			c.Cells = append(c.Cells, tianbao.CellEdit{Field: i, Value: v})
		}
	}
	return c
}

func (o *office) save(unit tianbao.ID, rep tianbao.Report, cs ...tianbao.Change) (*report.Saved, error) {
	return o.reports.Save(o.ctx(), o.filler(unit), &tianbao.ChangeSet{Report: rep.ID, Key: o.key(), Base: rep.Version, Source: tianbao.SourcePage, Changes: cs})
}
