package campaign_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
	"tianbao/internal/report"
	"tianbao/internal/storetest"
)

// fill makes a province of so many units in 14 cities with 30 departments each. Each unit
// has a report with rows, of which every third is reported, and has stood in four ways on
// the days before; the rows are written straight into the tables.
func (o *office) fill(units, rows int) (reports []tianbao.Report) {
	o.t.Helper()
	o.at("2022-09-05 08:00:00")
	o.collect()
	var us []tianbao.Unit
	id := tianbao.ID(1000)
	next := func(parent tianbao.ID, region tianbao.ID, name, kind string) tianbao.ID {
		id++
		us = append(us, tianbao.Unit{ID: id, Parent: parent, Region: region, Name: fmt.Sprint(name, id), BudgetCode: fmt.Sprint(id), Kind: kind})
		return id
	}
	var departments []tianbao.ID
	for c := range 14 {
		city := next(province, tianbao.ID(2110+c), "市财政局", "bureau")
		for range 30 {
			departments = append(departments, next(city, tianbao.ID(2110+c), "市局", "department"))
		}
	}
	for i := 0; len(us) < units; i++ {
		next(departments[i%len(departments)], tianbao.ID(2110+i%len(departments)/30), "单位", "unit")
	}
	o.ok(o.store.PutUnits(o.ctx(), us...))
	var batch []db.Statement
	flush := func() {
		o.ok(o.store.DB().Tx(o.ctx(), func(tx db.Tx) error { _, err := tx.Send(o.ctx(), batch); return err }))
		batch = batch[:0]
	}
	states := []tianbao.Standing{tianbao.StandingReported, tianbao.StandingSaved, tianbao.StandingFaulty}
	for i, u := range us {
		rep := tianbao.ID(1_000_000 + i)
		state := states[i%3]
		batch = append(batch, db.Statement{SQL: "INSERT INTO report (id, campaign_id, owner_id, form, form_version, version, state, row_count, updated_at, updated_by) VALUES ($1, $2, $3, $4, 1, 1, 'draft', $5, 0, 0)", Args: []any{rep, collection, u.ID, o.form.Name, rows}},
			db.Statement{SQL: "INSERT INTO unit_part (report_id, unit_id, campaign_id, row_count, faulty, newest, sent) VALUES ($1, $2, $3, $4, 0, 1, 0)", Args: []any{rep, u.ID, collection, rows}},
			db.Statement{SQL: "INSERT INTO unit_status (campaign_id, unit_id, turn, state, row_count, faulty, review, passes, declared, since) VALUES ($1, $2, 1, $3, $4, 0, '', 0, '', 0)", Args: []any{collection, u.ID, state, rows}},
		)
		begin := shanghai("2022-09-05 08:00:00").Add(time.Duration(i%3600) * time.Second)
		for n, stood := range []tianbao.Standing{tianbao.StandingDraft, tianbao.StandingFaulty, tianbao.StandingSaved, state} {
			batch = append(batch, db.Statement{SQL: "INSERT INTO unit_status_log (campaign_id, unit_id, at, id, state, row_count, faulty, by_id) VALUES ($1, $2, $3, $4, $5, $6, 0, 0)", Args: []any{collection, u.ID, begin.AddDate(0, 0, n).UnixMilli(), n*len(us) + i, stood, rows}})
		}
		for r := range rows {
			batch = append(batch, db.Statement{SQL: "INSERT INTO report_row (report_id, row_id, unit_id, pos, version, faults, vals, look_keys) VALUES ($1, $2, $3, $4, 1, 0, $5, $6)", Args: []any{rep, rep*100 + tianbao.ID(r), u.ID, r << 30, []byte(`{"v":{"unit_name":"单位","person_name":"张示例"}}`), []byte{}}})
		}
		if len(batch) > 20_000 {
			flush()
		}
		if i%3 == 0 && u.Kind == "unit" {
			reports = append(reports, tianbao.Report{ID: rep, Campaign: collection, Owner: u.ID, Form: o.form.Name, FormV: o.form.Version, Version: 1, Rows: rows})
		}
	}
	flush()
	if o.store.DB().Kind() == db.Postgres {
		o.ok(o.store.DB().Tx(o.ctx(), func(tx db.Tx) error { _, err := tx.Exec(o.ctx(), "ANALYZE"); return err }))
	}
	o.at("2022-09-10 08:00:00")
	return reports
}

// processor is the processor time that this process has taken, which is what says
// something on a machine that others use too; with PostgreSQL it is the smaller part.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchOffices(b *testing.B, fn func(b *testing.B, open func() *office)) {
	b.Run("sqlite", func(b *testing.B) { fn(b, func() *office { return newOffice(b, storetest.OpenSQLite) }) })
	b.Run("postgres", func(b *testing.B) { fn(b, func() *office { return newOffice(b, storetest.OpenPostgres) }) })
}

// BenchmarkProgress is the progress of 40 000 units with 1 000 000 rows, not from memory:
// of the province, of a city, and of the province as of a past day; and a page of units.
func BenchmarkProgress(b *testing.B) {
	benchOffices(b, func(b *testing.B, open func() *office) {
		o := open()
		o.fill(40_000, 25)
		o.ok(o.SetLevels(o.ctx(), runner(), collection, tianbao.LevelsOf(tianbao.LevelProvince)))
		then := campaign.EndOf(shanghai("2022-09-08 12:00:00"))
		past := func() error {
			_, err := o.Progress(b.Context(), everything(), collection, then)
			return err
		}
		tick := func() { o.set(o.now.Add(2 * time.Second)) }
		for _, bm := range []struct {
			name string
			run  func() error
		}{
			{"province", func() error {
				tick()
				p, err := o.Progress(b.Context(), everything(), collection, time.Time{})
				if n := 0; err == nil {
					if n = p.Total.Expected + p.Total.Outside; n < 40_000 {
						err = fmt.Errorf("%d units", n)
					}
				}
				return err
			}},
			{"city", func() error {
				tick()
				_, err := o.Progress(b.Context(), tianbao.Scope{Paths: []string{"/1/1001/"}}, collection, time.Time{})
				return err
			}},
			{"past day", past},
			{"past day that is kept", func() error {
				if kept, err := o.store.KeptDays(b.Context(), collection); err != nil || !kept[then.UTC()] {
					o.ok(errors.Join(err, o.store.KeepDay(b.Context(), collection, then)))
				}
				return past()
			}},
			{"pulse", func() error {
				_, err := o.Pulse(b.Context(), collection)
				return err
			}},
			{"province within a second, with its trend", func() error {
				p, err := o.Progress(b.Context(), everything(), collection, time.Time{})
				if err == nil {
					_, err = o.Trend(b.Context(), everything(), p, &p.Total)
				}
				return err
			}},
			{"waiting for review", func() error {
				w, err := o.Waiting(b.Context(), campaign.Reviewer{Scope: everything()}, collection)
				if err == nil && w.Mine < 10_000 {
					err = fmt.Errorf("%d wait", w.Mine)
				}
				return err
			}},
			{"page of units", func() error {
				_, _, err := o.Units(b.Context(), everything(), collection, time.Time{}, campaign.Filter{States: []tianbao.Standing{tianbao.StandingFaulty}}, "", 50)
				return err
			}},
		} {
			b.Run(bm.name, func(b *testing.B) {
				begin := processor(b)
				for b.Loop() {
					if err := bm.run(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64((processor(b)-begin).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			})
		}
	})
}

// BenchmarkSubmit saves one more row into a unit's report, one client, in provinces of
// growing size.
func BenchmarkSubmit(b *testing.B) {
	benchOffices(b, func(b *testing.B, open func() *office) {
		for _, units := range []int{1_000, 40_000} {
			b.Run(fmt.Sprint(units, " units"), func(b *testing.B) {
				o := open()
				reports := o.fill(units, 1)
				n := 0
				for b.Loop() {
					rep := &reports[n%len(reports)]
					n++
					c := &report.Commit{Report: *rep, Set: &tianbao.ChangeSet{Report: rep.ID, Key: o.key(), Source: tianbao.SourcePage, At: o.now}, RequestDigest: "d"}
					c.Report.Rows, c.Report.State = rep.Rows+1, tianbao.StateDraft
					c.Puts = []report.Put{{Row: tianbao.Row{ID: o.fresh(), Unit: rep.Owner, Values: make(tianbao.Values, len(o.form.Fields))}, New: true, After: tianbao.AtEnd}}
					c.Receipt = tianbao.Receipt{ID: o.fresh(), Report: rep.ID, Kind: "save", Version: rep.Version + 1, Rows: rep.Rows + 1, At: o.now}
					if err := o.store.Commit(b.Context(), c); err != nil {
						b.Fatal(err)
					}
					rep.Version++
					rep.Rows++
				}
			})
		}
	})
}
