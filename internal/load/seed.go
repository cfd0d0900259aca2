package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/clock"
	"tianbao/internal/compare"
	"tianbao/internal/report"
)

// Store is what a province is written through besides reports.
type Store interface {
	PutUnits(ctx context.Context, us ...tianbao.Unit) error
	PutCampaign(ctx context.Context, c tianbao.Campaign) error
	PutList(ctx context.Context, l *compare.NewList, events ...tianbao.Event) (compare.OldList, error)
	Campaigns(ctx context.Context) ([]tianbao.Campaign, error)
	OpenReport(ctx context.Context, scope tianbao.Scope, campaign, unit tianbao.ID) (tianbao.Report, error)
}

// World is an installation that a province is made in.
type World struct {
	Store   Store
	Auth    *auth.Service
	Reports *report.Service
	Form    *tianbao.Form
	Now     clock.Clock
	// Tell is called now and then with how many rows are stored.
	Tell func(rows int)
}

// ErrNotEmpty: the database holds something already.
var ErrNotEmpty = errors.New("load: the database is not empty")

// Make writes the province. Rows go through the door of the product, as everybody's do.
// A province that is there already is left as it is.
func (p *Province) Make(ctx context.Context, w World) error {
	cs, err := w.Store.Campaigns(ctx)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if i := slices.IndexFunc(cs, func(c tianbao.Campaign) bool { return c.ID == Campaign }); i >= 0 {
		return nil
	}
	if len(cs) > 0 {
		return ErrNotEmpty
	}
	units := p.tree()
	for chunk := range slices.Chunk(units, 1000) {
		if err := w.Store.PutUnits(ctx, chunk...); err != nil {
			return fmt.Errorf("load: store units: %w", err)
		}
	}
	if err := p.accounts(ctx, w, units); err != nil {
		return err
	}
	if err := p.oldList(ctx, w, units); err != nil {
		return err
	}
	now := w.Now()
	err = w.Store.PutCampaign(ctx, tianbao.Campaign{
		ID: Campaign, Title: w.Form.Title, Form: w.Form.Name, FormV: w.Form.Version, Owner: rootUnit,
		Opens: now.Add(-time.Hour), Closes: now.Add(365 * 24 * time.Hour), Released: true,
	})
	if err != nil {
		return fmt.Errorf("load: store the collection: %w", err)
	}
	return p.fill(ctx, w, units)
}

// firstUnit is where the units that fill in begin among all.
func (p *Province) firstUnit() int { return int(p.UnitID(0) - rootUnit) }

func (p *Province) accounts(ctx context.Context, w World, units []tianbao.Unit) error {
	type account struct {
		login string
		role  tianbao.Role
		unit  tianbao.ID
	}
	var all []account
	for i := range p.Cities() {
		all = append(all, account{p.CityLogin(i), tianbao.RoleCity, units[1+i].ID})
	}
	heads := p.firstUnit() - p.departments()
	for d := range p.Clerks() {
		all = append(all, account{p.ClerkLogin(d), tianbao.RoleDepartment, units[heads+d].ID})
	}
	return each(ctx, len(all), 2, func(i int) error {
		a := all[i]
		_, err := w.Auth.CreateUser(ctx, auth.By{}, tianbao.User{Login: a.login, Name: "压测账号", Grants: []tianbao.Grant{{Role: a.role, Unit: a.unit}}}, p.Password)
		if err != nil {
			return fmt.Errorf("load: create %s: %w", a.login, err)
		}
		return nil
	})
}

// oldList gives the province the old system's list, of people who stand in the rows too.
func (p *Province) oldList(ctx context.Context, w World, units []tianbao.Unit) error {
	if p.Old == 0 {
		return nil
	}
	l := &compare.NewList{Owner: rootUnit, File: "load.csv", Digest: "load", At: w.Now()}
	for i := range p.Old {
		u := &units[p.firstUnit()+i%p.Units]
		r := p.Row(u, i)
		l.Users = append(l.Users, compare.OldUser{Line: i + 2, Unit: u.ID, Values: tianbao.Values{
			u.BudgetCode, u.Name, u.OrgCode, fmt.Sprintf("jz%06d", i), r.Cells[5], r.Cells[6], r.Cells[7],
		}})
	}
	if _, err := w.Store.PutList(ctx, l); err != nil {
		return fmt.Errorf("load: store the old list: %w", err)
	}
	return nil
}

// fill stores the rows that are there beforehand.
func (p *Province) fill(ctx context.Context, w World, units []tianbao.Unit) error {
	if p.Rows == 0 {
		return nil
	}
	per := max(p.PerUnit, 1)
	var done atomic.Int64
	n := (p.Rows + per - 1) / per
	return each(ctx, n, 16, func(i int) error {
		u := &units[len(units)-1-i%p.Units]
		a := report.Actor{Name: "压测账号", Scope: tianbao.Scope{Paths: []string{"/" + rootUnit.String() + "/"}}}
		rep, err := w.Store.OpenReport(ctx, a.Scope, Campaign, u.ID)
		if err != nil {
			return fmt.Errorf("load: open a report: %w", err)
		}
		set := &tianbao.ChangeSet{Report: rep.ID, Base: rep.Version, Key: fmt.Sprintf("load-%d", i), Source: tianbao.SourceDemo}
		for j := range per {
			row := p.Row(u, People-1-i*per-j)
			c := tianbao.Change{Op: tianbao.OpInsert, Temp: fmt.Sprint(j), After: tianbao.AtEnd}
			for k, key := range Fields() {
				if f := w.Form.Index(key); f >= 0 && row.Cells[k] != "" {
					c.Cells = append(c.Cells, tianbao.CellEdit{Field: f, Value: row.Cells[k]})
				}
			}
			set.Changes = append(set.Changes, c)
		}
		if _, err := w.Reports.Save(ctx, a, set); err != nil {
			return fmt.Errorf("load: store rows: %w", err)
		}
		if rows := done.Add(int64(per)); w.Tell != nil && rows%50_000 < int64(per) {
			w.Tell(int(rows))
		}
		return nil
	})
}

// each calls fn for 0 to n-1 on some goroutines, until one of them fails.
func each(ctx context.Context, n, workers int, fn func(i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := fn(i); err != nil {
					stop(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
