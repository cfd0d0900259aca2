package report_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/clock"
	"tianbao/internal/form"
	"tianbao/internal/report"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

// office is the service on a real store, with the form as it is published.
type office struct {
	*report.Service
	t     testing.TB
	form  *tianbao.Form
	rules *check.Checker
	id    tianbao.ID // the report under test
	who   report.Actor
	other report.Actor
	keys  int
}

// onBoth runs a test on both engines.
func onBoth(t *testing.T, f func(o *office)) {
	t.Run("sqlite", func(t *testing.T) { f(newOffice(t, "")) })
	t.Run("postgres", func(t *testing.T) { f(newOffice(t, storetest.PostgresURL(t))) })
}

func newOffice(t testing.TB, url string) *office {
	t.Helper()
	forms, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f := forms.Latest("asset-role")
	rules, err := check.New(f, clock.System)
	if err != nil {
		t.Fatal(err)
	}
	find := storetest.WithForms(func(name string, version int) (*tianbao.Form, error) {
		if f := forms.Get(name, version); f != nil {
			return f, nil
		}
		return nil, tianbao.NotFound()
	})
	s := storetest.OpenSQLite
	if url != "" {
		s = func(t testing.TB, opts ...storetest.Option) *store.Store { return storetest.Open(t, url, opts...) }
	}
	st := s(t, find)
	ctx := t.Context()
	ring := storetest.Ring(t)
	o := &office{t: t, form: f, rules: rules, Service: &report.Service{
		Store: st, IDs: &clock.IDs{Clock: clock.System}, Now: clock.System, Digest: ring.Digest,
		Rules: func(string, int) (report.Checker, error) { return rules, nil },
	}}
	must(t, st.PutUnits(ctx, tianbao.Unit{ID: 1, Name: "市教育局", OrgCode: "112107000000000000", Kind: "department"},
		tianbao.Unit{ID: 2, Parent: 1, Name: "第一中学", Kind: "unit"}))
	must(t, st.PutCampaign(ctx, tianbao.Campaign{ID: 7, Title: "采集", Form: f.Name, FormV: f.Version, Opens: time.Now(), Released: true}))
	for i, name := range []string{"甲", "乙"} {
		must(t, st.CreateUser(ctx, tianbao.User{
			ID: tianbao.ID(50 + i), Login: fmt.Sprint("user", i), Name: name, Created: time.Now(),
			Grants: []tianbao.Grant{{ID: tianbao.ID(60 + i), User: tianbao.ID(50 + i), Role: tianbao.RoleFiller, Unit: 1}},
		}, "x", false))
	}
	scope := tianbao.Scope{Paths: []string{"/1/"}}
	o.who, o.other = report.Actor{User: 50, Login: "user0", Name: "甲", Scope: scope}, report.Actor{User: 51, Login: "user1", Name: "乙", Scope: scope}
	rep, err := st.OpenReport(ctx, scope, 7, 1)
	must(t, err)
	o.id = rep.ID
	return o
}

// quiet tells nobody how far an import has come.
func quiet(string, int, int) {}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (o *office) ctx() context.Context { return o.t.Context() }

// set makes a change set from the given base.
func (o *office) set(base int64, cs ...tianbao.Change) *tianbao.ChangeSet {
	o.keys++
	return &tianbao.ChangeSet{Report: o.id, Key: fmt.Sprint("k", o.keys), Base: base, Source: tianbao.SourcePage, Changes: cs}
}

// save saves as the first person and returns the outcome.
func (o *office) save(base int64, cs ...tianbao.Change) *report.Saved {
	o.t.Helper()
	s, err := o.Save(o.ctx(), o.who, o.set(base, cs...))
	must(o.t, err)
	return s
}

func (o *office) view() *report.Sheet {
	o.t.Helper()
	s, err := o.View(o.ctx(), o.who, o.id)
	must(o.t, err)
	return s
}

// insert makes a new row with the given cells by position.
func insert(temp string, after tianbao.ID, values ...string) tianbao.Change {
	c := tianbao.Change{Op: tianbao.OpInsert, Temp: temp, After: after}
	for i, v := range values {
		if v != "" {
			c.Cells = append(c.Cells, tianbao.CellEdit{Field: i, Value: v})
		}
	}
	return c
}

func edit(row tianbao.ID, field int, value string) tianbao.Change {
	return tianbao.Change{Op: tianbao.OpEdit, Row: row, Cells: []tianbao.CellEdit{{Field: field, Value: value}}}
}

func remove(row tianbao.ID) tianbao.Change { return tianbao.Change{Op: tianbao.OpDelete, Row: row} }

// file makes an import as a workbook would give it, numbered from the given number.
func (o *office) file(from int, rows ...tianbao.Values) *tianbao.Import {
	imp := &tianbao.Import{Sheet: "采集表"}
	for i, v := range rows {
		imp.Rows = append(imp.Rows, tianbao.ImportedRow{Row: tianbao.Row{Values: v}, Raw: v, Seq: fmt.Sprint(from + i), SheetRow: 12 + i})
	}
	return imp
}

func values(n int) tianbao.Values { return storetest.Values(n) }
