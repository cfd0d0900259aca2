package campaign_test

import (
	"context"
	"errors"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
	"tianbao/internal/report"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

// meeting is an office in which transactions are made to meet.
type meeting struct {
	*office
	// app is the name by which the server knows the connections, "" on SQLite.
	app string
}

// meetings runs a test on both engines.
func meetings(t *testing.T, fn func(t *testing.T, m *meeting)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, &meeting{office: newOffice(t, storetest.OpenSQLite)}) })
	t.Run("postgres", func(t *testing.T) {
		var app string
		o := newOffice(t, func(t testing.TB, opts ...storetest.Option) *store.Store {
			u, err := url.Parse(storetest.PostgresURL(t))
			if err != nil {
				t.Fatal("not a URL")
			}
			q := u.Query()
			app = q.Get("search_path") // which nobody else has
			q.Set("application_name", app)
			u.RawQuery = q.Encode()
			return storetest.Open(t, u.String(), opts...)
		})
		fn(t, &meeting{office: o, app: app})
	})
}

// play runs a case in a collection of its own.
func (m *meeting) play(t *testing.T, name string, fn func()) {
	t.Run(name, func(t *testing.T) {
		m.t, m.c = t, m.c+1
		m.at("2022-08-01 08:00:00")
		m.collect()
		fn()
	})
}

// waits returns when so many connections wait for what another has locked. On SQLite,
// where a change waits for its turn before it begins, it lets the others run.
func (m *meeting) waits(n int) {
	m.t.Helper()
	if m.app == "" {
		for range 1000 {
			runtime.Gosched()
		}
		return
	}
	m.ok(m.waiting(n))
}

func (m *meeting) waiting(n int) error {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); runtime.Gosched() {
		var waiting int
		err := m.store.DB().One(m.ctx(), []any{&waiting}, `SELECT COUNT(*) FROM pg_stat_activity
 WHERE application_name = $1 AND wait_event_type = 'Lock' AND wait_event IN ('transactionid', 'tuple', 'advisory')`, m.app)
		if err != nil || waiting >= n {
			return err
		}
	}
	return errors.New("so many never wait")
}

// meets returns when what runs has ended, which is put back, or waits as the nth.
func (m *meeting) meets(running <-chan error, n int) <-chan error {
	m.t.Helper()
	if m.app == "" {
		m.waits(n)
		return running
	}
	waits := run(func() error { return m.waiting(n) })
	select {
	case err := <-running:
		return run(func() error { return err })
	case err := <-waits:
		m.ok(err)
		return running
	}
}

// hold keeps rows locked, on SQLite the whole database, until it is let go.
func (m *meeting) hold(sql string, args ...any) (release func()) {
	m.t.Helper()
	held, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- m.store.DB().Tx(context.Background(), func(tx db.Tx) error {
			_, err := tx.Exec(m.ctx(), sql, args...)
			close(held)
			<-end
			return err
		})
	}()
	<-held
	release = sync.OnceFunc(func() {
		close(end)
		if err := <-ended; err != nil {
			m.t.Error(err)
		}
	})
	m.t.Cleanup(release)
	return release
}

// turnOf keeps the turn of a unit, on which a writer waits that the gate has let in.
func (m *meeting) turnOf(unit tianbao.ID) (release func()) {
	sql := "UPDATE unit_status SET turn = turn WHERE campaign_id = $1 AND unit_id = $2"
	if m.app != "" { // without a new version of the row, those that wait go on in the order in which they came
		sql = "SELECT turn FROM unit_status WHERE campaign_id = $1 AND unit_id = $2 FOR UPDATE"
	}
	return m.hold(sql, m.c, unit)
}

// run runs what is to meet others.
func run(fn func() error) <-chan error {
	out := make(chan error, 1)
	go func() { out <- fn() }()
	return out
}

// kept is all that is stored of the units below the department.
type kept struct {
	Version map[tianbao.ID]int64 // of reports, by owner
	State   map[tianbao.ID]tianbao.ReportState
	Rows    map[tianbao.ID]int64 // versions of rows
	Stands  map[tianbao.ID]tianbao.Standing
}

func (o *office) kept(ctx context.Context) (kept, error) {
	k := kept{map[tianbao.ID]int64{}, map[tianbao.ID]tianbao.ReportState{}, map[tianbao.ID]int64{}, map[tianbao.ID]tianbao.Standing{}}
	for _, u := range []tianbao.ID{department, school, second} {
		r, err := o.store.OpenReport(ctx, everything(), o.c, u)
		if err != nil {
			return k, err
		}
		r, rows, err := o.store.Snapshot(ctx, everything(), r.ID)
		if err != nil {
			return k, err
		}
		k.Version[u], k.State[u] = r.Version, r.State
		for i := range rows {
			k.Rows[rows[i].ID] = rows[i].Version
		}
		st, err := o.State(ctx, everything(), o.c, u)
		if err != nil {
			return k, err
		}
		k.Stands[u] = st.State
	}
	return k, nil
}

// refusedBy tells whether an error is a closed door's.
func refusedBy(err error, codes ...string) bool {
	var e *tianbao.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.Code == c {
			return true
		}
	}
	return false
}

// writer is one way to change what a unit reports.
type writer struct {
	name  string
	unit  tianbao.ID
	first func(o *office) func() error
}

func writers() []writer {
	edit := func(o *office, owner, unit tianbao.ID) func() error {
		rep := o.open(owner)
		name := map[tianbao.ID]string{school: "第一小学", second: "第二小学"}[unit]
		_, err := o.save(owner, rep, o.person(int(owner), name, false))
		o.ok(err)
		rep, err = o.store.Report(o.ctx(), everything(), rep.ID)
		o.ok(err)
		return func() error {
			_, err := o.save(owner, rep, o.person(100+int(owner), name, false))
			return err
		}
	}
	return []writer{
		{"save", school, func(o *office) func() error { return edit(o, school, school) }},
		{"a row in the department's sheet", school, func(o *office) func() error { return edit(o, department, school) }},
		{"上报", school, func(o *office) func() error {
			edit(o, school, school)
			rep, actor, key := o.open(school), o.filler(school), o.key()
			return func() error {
				_, err := o.reports.Submit(o.ctx(), actor, rep.ID, key)
				return err
			}
		}},
		{"import", school, func(o *office) func() error {
			edit(o, school, school)
			svc := *o.reports
			svc.Short, svc.Part = -1, 2
			rep, actor, imp := o.open(school), o.filler(school), book{o.file(800, 3, "第一小学")}
			set := &tianbao.ChangeSet{Report: rep.ID, Key: o.key(), Source: tianbao.SourceImport}
			return func() error {
				_, _, err := svc.ApplyBook(o.ctx(), actor, set, imp, report.ModeAppend, "a.xlsx", []byte(set.Key), true, func(string, int, int) {})
				return err
			}
		}},
		{"零申报", second, func(o *office) func() error {
			u, err := o.store.Unit(o.ctx(), everything(), second)
			o.ok(err)
			a := campaign.Declarer{Fills: tianbao.Scope{Paths: []string{u.Path}}}
			say := campaign.Say{Kind: tianbao.DeclareNil, Units: []tianbao.ID{second}, Reason: "没有资产管理人员"}
			o.ok(o.Declare(o.ctx(), a, o.c, say)) // so that there is a turn to wait for
			return func() error { return o.Declare(o.ctx(), a, o.c, say) }
		}},
		{"撤销零申报", second, func(o *office) func() error {
			u, err := o.store.Unit(o.ctx(), everything(), second)
			o.ok(err)
			a := campaign.Declarer{Fills: tianbao.Scope{Paths: []string{u.Path}}}
			o.ok(o.Declare(o.ctx(), a, o.c, campaign.Say{Kind: tianbao.DeclareNil, Units: []tianbao.ID{second}, Reason: "没有资产管理人员"}))
			return func() error { return o.TakeBack(o.ctx(), a, o.c, second) }
		}},
	}
}

// A lock that is set while a writer stands between its gate and its commit: whoever comes
// first, when the lock is answered what is stored stands still.
func TestWriteMeetsLock(t *testing.T) {
	meetings(t, func(t *testing.T, m *meeting) {
		for _, w := range writers() {
			m.play(t, w.name, func() {
				m.at("2022-09-05 08:00:00")
				write := w.first(m.office)
				before, err := m.kept(m.ctx())
				m.ok(err)
				release := m.turnOf(w.unit)
				written := run(write)
				m.waits(1)
				var answered kept
				locked := run(func() error {
					err := m.SetRule(m.ctx(), runner(), m.c, tianbao.CampaignRule{Kind: tianbao.RuleLock, Unit: department, Reason: "数据核对"})
					if err == nil {
						answered, err = m.kept(m.ctx())
					}
					return err
				})
				locked = m.meets(locked, 2)
				release()
				werr := <-written
				m.ok(<-locked)
				now, err := m.kept(m.ctx())
				m.ok(err)
				if diff := cmp.Diff(answered, now); diff != "" {
					m.t.Errorf("%s after the lock was answered: %s", w.name, diff)
				}
				switch {
				case werr == nil && cmp.Equal(before, now) && w.name != "零申报":
					m.t.Error("it was answered, and nothing is stored")
				case werr != nil && (!refusedBy(werr, "gate_locked", "door_shut") || !cmp.Equal(before, now)):
					m.t.Errorf("it was refused with %v: %s", werr, cmp.Diff(before, now))
				case m.app != "" && werr != nil:
					m.t.Errorf("it had been let in, and was refused: %v", werr)
				}
			})
		}
	})
}

// The window ends while a writer waits: for its turn at the unit, or at the trail, which is
// the last thing before its commit.
func TestWriteMeetsTheEnd(t *testing.T) {
	meetings(t, func(t *testing.T, m *meeting) {
		for _, w := range writers() {
			m.play(t, w.name, func() {
				m.at("2022-09-30 23:59:58")
				write := w.first(m.office)
				before, err := m.kept(m.ctx())
				m.ok(err)
				for _, hold := range []struct {
					what string
					at   func() func()
				}{
					{"its turn", func() func() { return m.turnOf(w.unit) }},
					{"the trail", func() func() { return m.hold("UPDATE trail_lane SET seq = seq") }},
				} {
					m.at("2022-09-30 23:59:59")
					release := hold.at()
					select {
					case <-m.asked: // by what came before
					default:
					}
					written := run(write)
					if m.app == "" {
						<-m.asked // it is on its way
					}
					m.waits(1)
					m.at("2022-10-01 00:00:00")
					release()
					if err := <-written; !refusedBy(err, "gate_closed", "door_shut") {
						m.t.Errorf("waiting for %s: %v", hold.what, err)
					}
					now, err := m.kept(m.ctx())
					m.ok(err)
					if diff := cmp.Diff(before, now); diff != "" {
						m.t.Errorf("waiting for %s: %s", hold.what, diff)
					}
				}
			})
		}
	})
}

// A unit is passed while a writer stands between its gate and its commit, and the other
// way round: of the two the second is refused.
func TestWriteMeetsAPass(t *testing.T) {
	meetings(t, func(t *testing.T, m *meeting) {
		for _, w := range slices.DeleteFunc(writers()[:4], func(w writer) bool { return w.name == "上报" }) { // before it, there is nothing to pass
			for _, order := range []string{"pass first", "write first"} {
				m.play(t, w.name+", "+order, func() {
					m.ok(m.SetLevels(m.ctx(), runner(), m.c, tianbao.LevelsOf(tianbao.LevelCity)))
					m.at("2022-09-05 08:00:00")
					write := w.first(m.office)
					for _, u := range []tianbao.ID{school, department} {
						if r := m.open(u); r.Version > 0 {
							_, err := m.reports.Submit(m.ctx(), m.filler(u), r.ID, m.key())
							m.ok(err)
						}
					}
					before, err := m.kept(m.ctx())
					m.ok(err)
					rv := campaign.Reviewer{Scope: tianbao.Scope{Paths: []string{"/1/2/"}}}
					pass := func() error {
						return m.Review(m.ctx(), rv, m.c, campaign.ReviewAct{Units: []tianbao.ID{school}, Kind: tianbao.VerdictPass})
					}
					acts := map[string][]func() error{"pass first": {pass, write}, "write first": {write, pass}}[order]
					release := m.turnOf(school)
					one := run(acts[0])
					m.waits(1)
					two := run(acts[1])
					m.waits(2)
					release()
					errs := []error{<-one, <-two}
					now, err := m.kept(m.ctx())
					m.ok(err)
					if m.app != "" && (errs[0] != nil || errs[1] == nil) {
						m.t.Errorf("the first: %v, the second: %v", errs[0], errs[1])
					}
					if (errs[0] == nil) == (errs[1] == nil) {
						m.t.Errorf("both or none: %v", errs)
					}
					passed := now.Stands[school] == tianbao.StandingPassed
					if !cmp.Equal(before.Rows, now.Rows) == passed {
						m.t.Errorf("it stands as %q, and its rows: %s", now.Stands[school], cmp.Diff(before.Rows, now.Rows))
					}
					for _, err := range errs {
						if err != nil && !refusedBy(err, "gate_passed", "not_to_pass") {
							m.t.Errorf("refused: %v", err)
						}
					}
				})
			}
		}
	})
}

// A unit is returned while the sheet of its department, in which it stands beside another,
// is on its way to be reported for that other: the returned rows wait on.
func TestReturnMeetsReport(t *testing.T) {
	meetings(t, func(t *testing.T, m *meeting) {
		m.collect()
		m.ok(m.SetLevels(m.ctx(), runner(), m.c, tianbao.LevelsOf(tianbao.LevelCity)))
		m.at("2022-09-05 08:00:00")
		submit := func() error {
			_, err := m.reports.Submit(m.ctx(), m.filler(department), m.open(department).ID, m.key())
			return err
		}
		_, err := m.save(department, m.open(department), m.person(1, "第一小学", false), m.person(2, "第二小学", false))
		m.ok(err)
		m.ok(submit())
		_, err = m.save(department, m.open(department), m.person(3, "第二小学", false))
		m.ok(err)
		release := m.turnOf(second)
		reported := run(submit)
		m.waits(1)
		rv := campaign.Reviewer{Scope: tianbao.Scope{Paths: []string{"/1/2/"}}}
		returned := run(func() error {
			return m.Review(m.ctx(), rv, m.c, campaign.ReviewAct{Units: []tianbao.ID{school}, Kind: tianbao.VerdictReturn, Remark: "请核对"})
		})
		returned = m.meets(returned, 2)
		release()
		m.ok(<-reported)
		m.ok(<-returned)
		now, err := m.kept(m.ctx())
		m.ok(err)
		if m.app != "" && now.Stands[school] != tianbao.StandingReturned || now.Stands[second] != tianbao.StandingReported || (now.Stands[school] == tianbao.StandingReported) != (now.State[department] == tianbao.StateReported) {
			m.t.Errorf("they stand as %v, the sheet is %q", now.Stands, now.State[department])
		}
		sum, err := m.store.Recount(m.ctx(), m.c, false)
		m.ok(err)
		if sum.Parts != 0 || sum.Standings != 0 {
			m.t.Errorf("a recount differs: %+v", sum)
		}
		m.ok(submit()) // and is reported again
		now, err = m.kept(m.ctx())
		m.ok(err)
		if now.Stands[school] != tianbao.StandingReported {
			m.t.Errorf("reported again, it stands as %q", now.Stands[school])
		}
	})
}
