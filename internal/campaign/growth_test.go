package campaign_test

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/report"
)

// Growth: what a person does must not become dearer as the province fills. Rows come with
// the units that report them, so the register grows alike, 25 rows a unit: 400, 4 000 and
// 40 000 units. A register that stays while its sheets grow a hundredfold does not happen,
// and a sheet of 2 500 rows is dearer to open whatever lies beside it. What one clerk or
// one bureau asks for is of the same size in all three.
//
// What is asked of the whole register is read once from each unit and so cannot be the same
// for 400 and 40 000. It is measured as one collection fills up: 40 000 units, of which 400,
// 4 000 and at last all have reported.

const (
	growthGoal   = 1.5
	growthRows   = 25  // a unit
	growthBureau = 100 // units
	growthTried  = 60  // units whose rows are real
	growthRounds = 9
)

var growthSizes = [...]int{400, 4_000, 40_000} // units with rows

// town is a province of bureaus of the same size.
type town struct {
	*office
	tried []desk
	turn  int
}

// desk is a unit with real rows.
type desk struct {
	report.Actor
	rep    tianbao.Report
	rows   []tianbao.ID
	person string // the resident id of one of them
	bureau tianbao.Scope
}

// found makes a register of so many units, of which the first so many have reported.
func found(o *office, units, filled int) *town {
	o.t.Helper()
	o.at("2022-09-05 08:00:00")
	o.collect()
	t := &town{office: o}
	var us []tianbao.Unit
	id := tianbao.ID(1000)
	next := func(parent tianbao.ID, name, kind string) tianbao.ID {
		id++
		us = append(us, tianbao.Unit{ID: id, Parent: parent, Region: 2107, Name: fmt.Sprint(name, id), BudgetCode: fmt.Sprint(id), Kind: kind})
		return id
	}
	for len(us) < units {
		bureau := next(province, "县财政局", "bureau")
		for range 4 {
			department := next(bureau, "县局", "department")
			for range growthBureau/4 - 1 {
				next(department, "单位", "unit")
			}
		}
	}
	o.ok(o.store.PutUnits(o.ctx(), us...))
	var planted, tried []tianbao.Unit
	every := filled / growthTried
	for i, u := range us[:filled] {
		if u.Kind == "unit" && i >= len(tried)*every {
			tried = append(tried, u)
		} else {
			planted = append(planted, u)
		}
	}
	t.plant(planted)
	for _, u := range tried {
		t.try(u)
	}
	if o.store.DB().Kind() == db.Postgres {
		o.ok(o.store.DB().Tx(o.ctx(), func(tx db.Tx) error { _, err := tx.Exec(o.ctx(), "ANALYZE"); return err }))
	}
	return t
}

// plant writes a report with rows, their keys and a history for each unit straight into the
// tables.
func (t *town) plant(us []tianbao.Unit) {
	t.t.Helper()
	const some = 2_000
	numbers := "SELECT 0 AS n"
	for n := 1; n < growthRows; n++ {
		numbers += fmt.Sprint(" UNION ALL SELECT ", n)
	}
	kind := func(field string) int64 { // as the store numbers fields
		h := fnv.New32a()
		_, _ = h.Write([]byte(field))
		return int64(h.Sum32() & 0x7fff)
	}
	// Nobody opens these cells.
	vals := []byte(`{"v":{"unit_name":"单位","person_name":"张示例"},"s":{"person_id":"` + strings.Repeat("x", 120) + `"}}`)
	for at := 0; at < len(us); at += some {
		var batch []db.Statement
		first := tianbao.ID(1_000_000 + at)
		for i := range us[at:min(at+some, len(us))] {
			u, rep := us[at+i].ID, first+tianbao.ID(i)
			batch = append(batch,
				db.Statement{SQL: "INSERT INTO report (id, campaign_id, owner_id, form, form_version, version, state, row_count, updated_at, updated_by) VALUES ($1, $2, $3, $4, 1, 1, 'draft', $5, 0, 0)", Args: []any{rep, collection, u, t.form.Name, growthRows}},
				db.Statement{SQL: "INSERT INTO unit_part (report_id, unit_id, campaign_id, row_count, faulty, newest, sent) VALUES ($1, $2, $3, $4, 0, 1, 0)", Args: []any{rep, u, collection, growthRows}},
				db.Statement{SQL: "INSERT INTO unit_status (campaign_id, unit_id, turn, state, row_count, faulty, review, passes, declared, since) VALUES ($1, $2, 1, 'saved', $3, 0, '', 0, '', $4)", Args: []any{collection, u, growthRows, t.now.UnixMilli()}},
				db.Statement{SQL: "INSERT INTO unit_status_log (campaign_id, unit_id, at, id, state, row_count, faulty, by_id) VALUES ($1, $2, $3, $4, 'saved', $5, 0, 0)", Args: []any{collection, u, t.now.UnixMilli(), rep, growthRows}},
				db.Statement{SQL: "INSERT INTO change_set (report_id, version, id, idem_key, source, by_id, at, delta) VALUES ($1, 1, $1, 'k', 'page', 0, 0, $2)", Args: []any{rep, vals}},
				db.Statement{SQL: "INSERT INTO receipt (report_id, id, idem_key, request_digest, kind, number, version, row_count, digest, by_name, at, inserted) VALUES ($1, $1, 'k', 'd', 'save', 'n', 1, $2, 'd', '甲', 0, $3)", Args: []any{rep, growthRows, []byte{}}})
		}
		span := []any{first, first + some}
		batch = append(batch, db.Statement{SQL: `INSERT INTO report_row (report_id, row_id, unit_id, pos, version, faults, vals, look_keys)
 SELECT p.report_id, p.report_id * 100 + x.n, p.unit_id, CAST(x.n AS BIGINT) * 1073741824, 1, 0, $3, $4
 FROM unit_part p CROSS JOIN (` + numbers + `) x WHERE p.report_id >= $1 AND p.report_id < $2 ORDER BY p.report_id, x.n`, Args: append(slices.Clip(span), vals, []byte{})})
		for i, field := range []string{"person_id", "phone"} {
			batch = append(batch, db.Statement{SQL: `INSERT INTO row_key (kind, k, report_id, row_id)
 SELECT $3, (w.row_id * 1103515245 + $4) % 2147483648 * 4294967296 - 4611686018427387904, w.report_id, w.row_id
 FROM report_row w WHERE w.report_id >= $1 AND w.report_id < $2`, Args: append(slices.Clip(span), kind(field), i)})
		}
		t.ok(t.store.DB().Tx(t.ctx(), func(tx db.Tx) error { _, err := tx.Send(t.ctx(), batch); return err }))
	}
}

// try fills in for a unit as a clerk does.
func (t *town) try(u tianbao.Unit) {
	t.t.Helper()
	d := desk{Actor: t.filler(u.ID), rep: t.open(u.ID)}
	d.bureau.Paths = []string{strings.Join(strings.SplitAfter(d.Scope.Paths[0], "/")[:3], "")}
	var cs []tianbao.Change
	for n := range growthRows {
		c := t.person(len(t.tried)*growthRows+n, u.Name, false)
		c.Temp = fmt.Sprint(n)
		cs = append(cs, c)
	}
	saved, err := t.reports.Save(t.ctx(), d.Actor, &tianbao.ChangeSet{Report: d.rep.ID, Key: t.key(), Source: tianbao.SourcePage, Changes: cs})
	t.ok(err)
	_, rows, err := t.store.Snapshot(t.ctx(), d.Scope, d.rep.ID)
	t.ok(err)
	if len(rows) != growthRows {
		t.t.Fatalf("%d rows", len(rows))
	}
	for i := range rows {
		d.rows = append(d.rows, rows[i].ID)
	}
	d.person = rows[0].Values[t.form.Index("person_id")]
	d.rep.Version = saved.Receipt.Version
	t.tried = append(t.tried, d)
}

// submit writes ten rows of the next desk anew.
func (t *town) submit() error {
	t.turn++
	d := &t.tried[t.turn%len(t.tried)]
	var cs []tianbao.Change
	for i := range 10 {
		cs = append(cs, tianbao.Change{Op: tianbao.OpEdit, Row: d.rows[i], Cells: []tianbao.CellEdit{{Field: t.form.Index("phone"), Value: fmt.Sprintf("160%08d", t.turn*10+i)}}})
	}
	saved, err := t.reports.Save(t.ctx(), d.Actor, &tianbao.ChangeSet{Report: d.rep.ID, Key: t.key(), Base: d.rep.Version, Source: tianbao.SourcePage, Changes: cs})
	if err == nil {
		d.rep.Version = saved.Receipt.Version
	}
	return err
}

// next goes to the next desk, with a second passed, so that nothing is from memory.
func (t *town) next() *desk {
	t.turn++
	t.set(t.now.Add(2 * time.Second))
	return &t.tried[t.turn%len(t.tried)]
}

func (t *town) sheet() error {
	d := t.next()
	v, err := t.reports.View(t.ctx(), d.Actor, d.rep.ID)
	if err == nil && len(v.Rows) != growthRows {
		err = fmt.Errorf("%d rows", len(v.Rows))
	}
	return err
}

func (t *town) searchPerson() error {
	found, err := t.store.FindByKey(t.ctx(), everything(), "person_id", t.next().person)
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d found", len(found))
	}
	return err
}

func (t *town) searchUnit() error {
	d := t.next()
	found, err := t.store.SearchUnits(t.ctx(), d.bureau, "单位"+d.rep.Owner.String(), 20)
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d found", len(found))
	}
	return err
}

func (t *town) bureauProgress() error {
	p, err := t.Progress(t.ctx(), t.next().bureau, collection, time.Time{})
	if err == nil && p.Total.Expected != growthBureau+1 {
		err = fmt.Errorf("%d units", p.Total.Expected)
	}
	return err
}

func (t *town) provinceProgress() error {
	t.next()
	_, err := t.Progress(t.ctx(), everything(), collection, time.Time{})
	return err
}

// BenchmarkGrowth prints what each thing costs at 10 000, 100 000 and 1 000 000 rows.
func BenchmarkGrowth(b *testing.B) {
	benchOffices(b, func(b *testing.B, open func() *office) {
		var alike, filling []*town
		for _, n := range growthSizes {
			alike = append(alike, found(open(), n, n))
		}
		for _, n := range growthSizes[:2] {
			filling = append(filling, found(open(), growthSizes[2], n))
		}
		filling = append(filling, alike[2])
		// On SQLite everything is done by this process; PostgreSQL's part shows on the clock.
		clock := func() time.Duration { return processor(b) }
		unit := "processor"
		if alike[0].store.DB().Kind() == db.Postgres {
			begin := time.Now()
			clock, unit = func() time.Duration { return time.Since(begin) }, "wall"
		}
		var out strings.Builder
		w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(w, "ms of %s time, rows:\t10 000\t100 000\t1 000 000\tratio\tgoal\t \t\n", unit)
		for _, bm := range []struct {
			name  string
			towns []*town
			times int
			run   func(t *town) error
		}{
			{"submit of 10 rows", alike, 20, (*town).submit},
			{"open a sheet of 25 rows", alike, 40, (*town).sheet},
			{"search a person by id, of all", alike, 100, (*town).searchPerson},
			{"search a unit by name, of a bureau's 100", alike, 100, (*town).searchUnit},
			{"progress of a bureau of 100 units", alike, 40, (*town).bureauProgress},
			{"the same while 40 000 units fill in", filling, 40, (*town).bureauProgress},
			{"progress of these 40 000 units", filling, 2, (*town).provinceProgress},
		} {
			var costs [len(growthSizes)][]time.Duration
			for round := range growthRounds + 1 { // they take turns, and the first warms up
				for i, t := range bm.towns {
					begin := clock()
					for range bm.times {
						if err := bm.run(t); err != nil {
							b.Fatal(bm.name, err)
						}
					}
					if round > 0 {
						costs[i] = append(costs[i], (clock()-begin)/time.Duration(bm.times))
					}
				}
			}
			var ms [len(costs)]float64
			for i := range costs { // what disturbs only adds
				ms[i] = float64(slices.Min(costs[i]).Microseconds()) / 1000
			}
			ratio := slices.Max(ms[:]) / slices.Min(ms[:])
			verdict := "yes"
			if ratio > growthGoal {
				verdict = "NO"
			}
			fmt.Fprintf(w, "%s\t%.3f\t%.3f\t%.3f\t%.2f\t<= %.1f\t%s\t\n", bm.name, ms[0], ms[1], ms[2], ratio, growthGoal, verdict)
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
		fmt.Println("\n" + out.String())
	})
}
