package living_test

import (
	"fmt"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/check"
	"tianbao/internal/clock"
	"tianbao/internal/form"
	"tianbao/internal/living"
	"tianbao/internal/report"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

var _ living.Store = (*store.Store)(nil)

var _ living.Office = report.Register{}

// office is a province in virtual time, with a round that is over and kept.
type office struct {
	t         *testing.T
	now       time.Time
	store     *store.Store
	reports   *report.Service
	campaigns *campaign.Service
	*living.Service
	form *tianbao.Form
	keys int
}

const (
	province   tianbao.ID = 1
	city       tianbao.ID = 2
	far        tianbao.ID = 3 // another city
	department tianbao.ID = 5
	school     tianbao.ID = 6
	second     tianbao.ID = 7
	farSchool  tianbao.ID = 8
	collection tianbao.ID = 90
)

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, clock.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

func engines(t *testing.T, fn func(o *office)) {
	t.Run("sqlite", func(t *testing.T) { fn(newOffice(t, storetest.OpenSQLite)) })
	t.Run("postgres", func(t *testing.T) { fn(newOffice(t, storetest.OpenPostgres)) })
}

func newOffice(t *testing.T, open func(t testing.TB, opts ...storetest.Option) *store.Store) *office {
	t.Helper()
	forms, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, now: at("2022-09-01 09:00"), form: forms.Latest("asset-role")}
	now := func() time.Time { return o.now }
	find := func(name string, version int) (*tianbao.Form, error) {
		if f := forms.Get(name, version); f != nil {
			return f, nil
		}
		return nil, tianbao.NotFound()
	}
	rules, err := check.New(o.form, now)
	o.ok(err)
	o.store = open(t, storetest.WithForms(find), storetest.WithClock(now))
	ids := &clock.IDs{Clock: now}
	o.reports = &report.Service{
		Store: o.store, IDs: ids, Now: now, Digest: storetest.Ring(t).Digest,
		Rules: func(string, int) (report.Checker, error) { return rules, nil },
		Held: func(_ string, _ int, find func(map[string]string) tianbao.UnitMatch, beside tianbao.Beside, failed func(error)) (report.Checker, error) {
			return rules.Against(find).Beside(beside, failed), nil
		},
	}
	o.campaigns = &campaign.Service{Store: o.store, IDs: ids, Now: now, Form: find}
	o.Service = &living.Service{Store: o.store, Office: report.Register{Service: o.reports}, Form: find, IDs: ids, Now: now}
	ctx := t.Context()
	o.ok(o.store.PutRegions(ctx, tianbao.Region{ID: 21, Name: "辽宁省", Code: "210000", InScope: true}))
	unit := func(id, parent tianbao.ID, name, code, org, kind string) tianbao.Unit {
		return tianbao.Unit{ID: id, Parent: parent, Region: 21, Name: name, BudgetCode: code, OrgCode: org, Type: "事业单位", Kind: kind}
	}
	o.ok(o.store.PutUnits(ctx,
		unit(province, 0, "省财政厅", "105", "", "bureau"),
		unit(city, province, "市财政局", "501", "", "bureau"),
		unit(far, province, "远市财政局", "502", "", "bureau"),
		unit(department, city, "市教育局", "501001", "", "department"),
		unit(school, department, "第一小学", "501001001", "1121010060181590XA", "unit"),
		unit(second, department, "第二小学", "501001002", "12210700MB1D2345X6", "unit"),
		unit(farSchool, far, "远山小学", "502001001", "", "unit"),
	))
	o.ok(o.store.PutCampaign(ctx, tianbao.Campaign{
		ID: collection, Title: "2022年采集", Form: o.form.Name, FormV: o.form.Version, Opens: o.now, Closes: at("2022-10-01 00:00"), Released: true, Opened: o.now, Owner: province,
	}))
	return o
}

func (o *office) ok(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// refused fails unless the error is one that is shown, with a code.
func (o *office) refused(what string, err error, code string) {
	o.t.Helper()
	e, ok := err.(*tianbao.Error) //nolint:errorlint // shown as it is
	if !ok || e.Code != code {
		o.t.Errorf("%s: %v (%+v), want %s", what, err, e, code)
	}
}

func everything() tianbao.Scope { return tianbao.Scope{Paths: []string{"/"}} }

func (o *office) path(unit tianbao.ID) tianbao.Scope {
	u, err := o.store.Unit(o.t.Context(), everything(), unit)
	o.ok(err)
	return tianbao.Scope{Paths: []string{u.Path}}
}

// clerk fills in for a unit, officer reviews below one.
func (o *office) clerk(unit tianbao.ID) living.Actor {
	s := o.path(unit)
	return living.Actor{Doer: tianbao.Doer{User: 100 + unit, Login: "clerk", Name: "经办" + unit.String()}, Fills: s, Sees: s}
}

func (o *office) officer(unit tianbao.ID) living.Actor {
	s := o.path(unit)
	return living.Actor{Doer: tianbao.Doer{User: 200 + unit, Login: "officer", Name: "财政" + unit.String()}, Fills: s, Reviews: s, Sees: s}
}

func (o *office) cells(n int, name string) map[string]string {
	id, phone := storetest.Person(n)
	return map[string]string{"person_name": name, "person_id": id, "phone": phone}
}

// filled reports people of units in the sheet of an owner.
func (o *office) filled(c, owner tianbao.ID, people map[int]tianbao.ID) tianbao.Report {
	o.t.Helper()
	ctx := o.t.Context()
	rep, err := o.store.OpenReport(ctx, everything(), c, owner)
	o.ok(err)
	var set []tianbao.Change
	for n, unit := range people {
		u, err := o.store.Unit(ctx, everything(), unit)
		o.ok(err)
		in := tianbao.Change{Op: tianbao.OpInsert, Temp: fmt.Sprint("t", n), After: tianbao.AtEnd}
		cells := o.cells(n, "张示例")
		for i, f := range o.form.Fields {
			v := u.Key(f.Key)
			if v == "" {
				v = cells[f.Key]
			}
			if f.Key == "org_code" && v == "" {
				v = "1121010060181590XA"
			}
			in.Cells = append(in.Cells, tianbao.CellEdit{Field: i, Value: v})
		}
		set = append(set, in)
	}
	_, err = o.reports.Save(ctx, o.filler(owner), &tianbao.ChangeSet{Report: rep.ID, Key: o.key(), Base: rep.Version, Source: tianbao.SourcePage, Changes: set})
	o.ok(err)
	return rep
}

func (o *office) filler(unit tianbao.ID) report.Actor {
	return report.Actor{User: 100 + unit, Login: "clerk", Name: "经办", Scope: o.path(unit)}
}

func (o *office) key() string {
	o.keys++
	return fmt.Sprint("k", o.keys)
}

// upward marks reports as reported as they stand, faults or not.
func (o *office) upward(reps ...tianbao.Report) {
	o.t.Helper()
	for _, r := range reps {
		now, err := o.store.Report(o.t.Context(), everything(), r.ID)
		o.ok(err)
		o.keys++
		rec := tianbao.Receipt{ID: tianbao.ID(9000 + o.keys), Report: r.ID, Kind: "report", Number: "TB", Version: now.Version, Rows: now.Rows, Digest: "d", By: "经办", At: o.now}
		o.ok(o.store.MarkReported(o.t.Context(), rec, o.key(), "asked", 1))
	}
}

func runner() campaign.Actor {
	return campaign.Actor{User: 1, Runs: tianbao.Scope{Paths: []string{"/1/"}}, Locks: tianbao.Scope{Paths: []string{"/1/"}}}
}

// round holds the round: 1 and 2 in the school's own sheet, 3 of the second school in the
// department's, 4 far away; then it ends and is kept.
func (o *office) round(accepts bool) {
	o.t.Helper()
	ctx := o.t.Context()
	o.upward(
		o.filled(collection, school, map[int]tianbao.ID{1: school, 2: school}),
		o.filled(collection, department, map[int]tianbao.ID{3: second}),
		o.filled(collection, farSchool, map[int]tianbao.ID{4: farSchool}),
	)
	o.now = at("2022-10-08 09:00")
	o.ok(o.campaigns.SetPhase(ctx, runner(), collection, tianbao.PhaseEnded))
	o.ok(o.campaigns.Keep(ctx, runner(), collection, true, accepts))
	o.now = at("2022-11-20 10:00")
}

// who lists who stands in a unit by the numbers of their phones.
func (o *office) who(unit tianbao.ID) (out []string) {
	o.t.Helper()
	list, err := o.store.People(o.t.Context(), everything(), collection, unit, 100)
	o.ok(err)
	for _, p := range list {
		out = append(out, p.Row.Values[o.form.Index("phone")])
	}
	return out
}

// row is the row of somebody by their number.
func (o *office) row(unit tianbao.ID, n int) tianbao.ID {
	o.t.Helper()
	id, _ := storetest.Person(n)
	list, err := o.store.People(o.t.Context(), everything(), collection, unit, 100)
	o.ok(err)
	for _, p := range list {
		if p.Row.Values[o.form.Index("person_id")] == id {
			return p.Row.ID
		}
	}
	o.t.Fatalf("person %d is not in unit %s", n, unit)
	return 0
}

// stands tells where a unit is to stand, and that a recount finds the same.
func (o *office) stands(unit tianbao.ID, state tianbao.Standing) {
	o.t.Helper()
	st, err := o.campaigns.State(o.t.Context(), everything(), collection, unit)
	o.ok(err)
	if st.State != state {
		o.t.Errorf("unit %s stands as %q, want %q", unit, st.State, state)
	}
	r, err := o.store.Recount(o.t.Context(), collection, false)
	o.ok(err)
	if r.Parts != 0 || r.Standings != 0 {
		o.t.Errorf("a recount differs: %+v", r)
	}
}
