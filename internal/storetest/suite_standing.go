package storetest

import (
	"errors"
	"time"

	"tianbao"
	collections "tianbao/internal/campaign"
	"tianbao/internal/db"
	"tianbao/internal/report"
	"tianbao/internal/store"
)

var _ collections.Store = (*store.Store)(nil)

// lines returns where the units of the world's campaign stand.
func (w *world) lines() map[tianbao.ID]collections.Line {
	w.t.Helper()
	out := make(map[tianbao.ID]collections.Line)
	w.ok(w.EachLine(w.t.Context(), all(), collections.Question{Campaign: campaign, At: time.Now()}, "", func(l *collections.Line) error {
		out[l.Unit.ID] = *l
		return nil
	}))
	return out
}

// stand tells where a unit is to stand.
func (w *world) stand(unit tianbao.ID, state tianbao.Standing, rows, faulty int) {
	w.t.Helper()
	if l := w.lines()[unit]; l.State != state || l.Rows != rows || l.Faulty != faulty {
		w.t.Errorf("unit %s stands as %q with %d rows, %d faulty; want %q, %d, %d", unit, l.State, l.Rows, l.Faulty, state, rows, faulty)
	}
	r, err := w.Recount(w.t.Context(), campaign, false)
	w.ok(err)
	if r.Parts != 0 || r.Standings != 0 {
		w.t.Errorf("a recount differs: %+v", r)
	}
}

// One unit's rows in two reports, from nothing to the pass of the last reviewer.
func testStanding(w *world) {
	ctx := w.t.Context()
	own, dept := w.open(unitA), w.open(department)
	w.stand(unitA, tianbao.StandingNone, 0, 0)
	w.ok(w.PutDraft(ctx, tianbao.Draft{Report: own.ID, User: clerk, Name: "d1", At: time.Now(), Body: []byte("{}")}))
	w.stand(unitA, tianbao.StandingDraft, 0, 0)
	w.ok(w.DropDraft(ctx, own.ID, clerk))
	w.stand(unitA, tianbao.StandingNone, 0, 0)

	d := w.draft(dept)
	a := d.insert(tianbao.AtEnd, Values(1))
	d.insert(tianbao.AtEnd, Values(2))
	d.Puts[0].Row.Unit, d.Puts[0].Faults = unitA, 1
	dept = d.save()
	w.stand(unitA, tianbao.StandingFaulty, 1, 1)
	w.stand(department, tianbao.StandingSaved, 1, 0)
	w.stand(unitB, tianbao.StandingNone, 0, 0)

	d = w.draft(dept)
	row := w.rows(dept.ID)[0]
	d.edit(row, Values(3))
	dept = d.save()
	w.stand(unitA, tianbao.StandingSaved, 1, 0)
	w.upward(dept)
	w.stand(unitA, tianbao.StandingReported, 1, 0)
	w.stand(department, tianbao.StandingReported, 1, 0)

	d = w.draft(own)
	d.insert(tianbao.AtEnd, Values(4))
	own = d.save()
	w.stand(unitA, tianbao.StandingSaved, 2, 0) // the own row waits
	w.upward(own)
	w.stand(unitA, tianbao.StandingReported, 2, 0)

	verdict := func(k tianbao.VerdictKind, level int, last bool) error {
		return w.Judge(ctx, []tianbao.Verdict{{ID: w.id(), Campaign: campaign, Unit: unitA, Kind: k, Level: level, Last: last, Remark: "看过", By: clerk, At: time.Now()}})
	}
	w.ok(verdict(tianbao.VerdictReturn, 2, false))
	w.stand(unitA, tianbao.StandingReturned, 2, 0)
	if r, err := w.Report(ctx, all(), own.ID); err != nil || r.State != tianbao.StateChanged {
		w.t.Errorf("the returned report is %q: %v", r.State, err)
	}
	refused(w.t, "pass what was returned", verdict(tianbao.VerdictPass, 2, false), tianbao.ErrInvalid)
	w.upward(own)
	w.stand(unitA, tianbao.StandingReturned, 2, 0) // its row in the department's report is not reported again
	w.upward(dept)
	w.stand(unitA, tianbao.StandingReported, 2, 0)
	w.ok(verdict(tianbao.VerdictPass, 2, false))
	w.stand(unitA, tianbao.StandingReported, 2, 0)
	d = w.draft(dept)
	d.edit(w.rows(dept.ID)[0], Values(5))
	refused(w.t, "a passed row", w.Commit(ctx, d.Commit), tianbao.ErrConflict)
	w.ok(verdict(tianbao.VerdictPass, 4, true))
	w.stand(unitA, tianbao.StandingPassed, 2, 0)
	refused(w.t, "withdrawn from below", verdict(tianbao.VerdictWithdraw, 2, false), tianbao.ErrInvalid)
	w.ok(verdict(tianbao.VerdictWithdraw, 4, false))
	w.ok(verdict(tianbao.VerdictWithdraw, 2, false))
	w.stand(unitA, tianbao.StandingReported, 2, 0)

	d = w.draft(dept)
	d.remove(a)
	dept = d.save()
	w.stand(unitA, tianbao.StandingReported, 1, 0) // what is left is as it was reported
	w.stand(department, tianbao.StandingReported, 1, 0)
}

// upward reports a report as it stands.
func (w *world) upward(r tianbao.Report) {
	w.t.Helper()
	w.keys++
	rec := tianbao.Receipt{ID: w.id(), Report: r.ID, Kind: "report", Number: "TB", Version: r.Version, Rows: r.Rows, Digest: "d", By: "填报员", At: time.Now()}
	w.ok(w.MarkReported(w.t.Context(), rec, "up"+rec.ID.String(), "asked", clerk))
}

func testDeclared(w *world) {
	ctx := w.t.Context()
	say := func(k tianbao.DeclarationKind) error {
		return w.Declare(ctx, []tianbao.Declaration{{ID: w.id(), Campaign: campaign, Unit: unitA, Kind: k, Reason: "没有这样的岗位", By: clerk, At: time.Now()}}, false)
	}
	w.ok(say(tianbao.DeclareNil))
	w.stand(unitA, tianbao.StandingNil, 0, 0)
	w.ok(say(tianbao.DeclareExempt))
	w.stand(unitA, tianbao.StandingExempt, 0, 0)
	if d, err := w.Declaration(ctx, campaign, unitA); err != nil || d.Reason != "没有这样的岗位" || d.Kind != tianbao.DeclareExempt {
		w.t.Errorf("the declaration is %q: %v", d.Kind, err)
	}
	d := w.draft(w.open(unitA))
	row := d.insert(tianbao.AtEnd, Values(1))
	r := d.save()
	w.stand(unitA, tianbao.StandingSaved, 1, 0) // who names somebody has somebody
	refused(w.t, "nil with rows", say(tianbao.DeclareNil), tianbao.ErrInvalid)
	d = w.draft(r)
	d.remove(row)
	d.save()
	w.stand(unitA, tianbao.StandingExempt, 0, 0)
	w.ok(w.EndDeclaration(ctx, campaign, unitA, clerk, true))
	refused(w.t, "taken back twice", w.EndDeclaration(ctx, campaign, unitA, clerk, true), tianbao.ErrNotFound)
	w.stand(unitA, tianbao.StandingNone, 0, 0)
	steps, err := w.StandingHistory(ctx, campaign, unitA, 10)
	w.ok(err)
	var got []tianbao.Standing
	for _, s := range steps {
		got = append(got, s.State)
	}
	want := []tianbao.Standing{tianbao.StandingNone, tianbao.StandingExempt, tianbao.StandingSaved, tianbao.StandingExempt, tianbao.StandingNil}
	if len(got) != len(want) {
		w.t.Fatalf("history %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			w.t.Errorf("history %q, want %q", got, want)
		}
	}
}

// Two people who touch one unit for the first time in two reports at once lose nothing.
func testStandingRaced(w *world) {
	reports := []tianbao.Report{w.open(unitA), w.open(department), w.open(bureau)}
	done := make(chan error)
	for i, r := range reports {
		d := w.draft(r)
		d.insert(tianbao.AtEnd, Values(i))
		d.Puts[0].Row.Unit = unitA
		d.Receipt.Rows = 1
		go func() {
			for {
				err := w.Commit(w.t.Context(), d.Commit)
				if !errors.Is(err, report.ErrStale) {
					done <- err
					return
				}
			}
		}()
	}
	for range reports {
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	}
	w.stand(unitA, tianbao.StandingSaved, 3, 0)
}

// A recount finds what was bent and puts it right.
func testRecount(w *world) {
	d := w.draft(w.open(unitA))
	d.insert(tianbao.AtEnd, Values(1))
	d.save()
	bend := func(sql string) {
		w.ok(w.DB().Tx(w.t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(w.t.Context(), sql)
			return err
		}))
	}
	for _, sql := range []string{
		"DELETE FROM unit_part", "UPDATE unit_part SET row_count = 7", "DELETE FROM unit_status", "UPDATE unit_status SET state = 'passed'",
	} {
		bend(sql)
		r, err := w.Recount(w.t.Context(), campaign, false)
		w.ok(err)
		if r.Parts+r.Standings == 0 {
			w.t.Errorf("%s: not found", sql)
		}
		_, err = w.Recount(w.t.Context(), campaign, true)
		w.ok(err)
		w.stand(unitA, tianbao.StandingSaved, 1, 0)
	}
}
