package remind_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/remind"
	"tianbao/internal/report"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

const (
	bureau     tianbao.ID = 1
	department tianbao.ID = 2
	firstUnit  tianbao.ID = 10
	collection tianbao.ID = 90
	officer    tianbao.ID = 7
)

// closes is the end of the collection's window.
func closes() time.Time { return shanghai("2026-10-01 00:00:00") }

// house is a bureau with units, in virtual time.
type house struct {
	*remind.Service
	t     testing.TB
	store *store.Store
	mu    sync.Mutex
	now   time.Time
	mail  *outside
	hook  *outside
	units []tianbao.ID
	keys  int
}

// outside is the world behind a channel.
type outside struct {
	mu     sync.Mutex
	fail   func(m *remind.Message) error // nil: it works
	before func(m *remind.Message)
	got    []remind.Message
}

func (o *outside) Send(_ context.Context, m *remind.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.before != nil {
		o.before(m)
	}
	if o.fail != nil {
		if err := o.fail(m); err != nil {
			return err
		}
	}
	o.got = append(o.got, *m)
	return nil
}

func engines(t *testing.T, units int, fn func(h *house)) {
	t.Run("sqlite", func(t *testing.T) { fn(newHouse(t, storetest.OpenSQLite, units)) })
	t.Run("postgres", func(t *testing.T) { fn(newHouse(t, storetest.OpenPostgres, units)) })
}

// newHouse makes units, every one with an account, a contact and a mail address.
func newHouse(t testing.TB, open func(t testing.TB, opts ...storetest.Option) *store.Store, units int) *house {
	t.Helper()
	h := &house{t: t, now: shanghai("2026-09-01 09:00:00"), mail: &outside{}, hook: &outside{}}
	h.store = open(t, storetest.WithClock(h.clock))
	h.Service = h.server("a")
	ctx := t.Context()
	h.ok(h.store.PutRegions(ctx, tianbao.Region{ID: 21, Name: "辽宁省", Code: "210000", InScope: true}))
	us := []tianbao.Unit{
		{ID: bureau, Region: 21, Name: "市财政局", BudgetCode: "1", Kind: "bureau"},
		{ID: department, Parent: bureau, Region: 21, Name: "市教育局", BudgetCode: "2", Kind: "department"},
	}
	for i := range units {
		id := firstUnit + tianbao.ID(i)
		h.units = append(h.units, id)
		us = append(us, tianbao.Unit{ID: id, Parent: department, Region: 21, Name: fmt.Sprintf("第%d中学", i), BudgetCode: fmt.Sprint("2-", i), Kind: "unit"})
	}
	h.ok(h.store.PutUnits(ctx, us...))
	h.ok(h.store.PutCampaign(ctx, tianbao.Campaign{
		ID: collection, Title: "采集", Form: "asset-role", FormV: 1, Opens: shanghai("2026-09-01 08:00:00"), Closes: closes(), Released: true, Owner: bureau,
	}))
	entries, version, err := h.store.Register(ctx, everything(), false)
	h.ok(err)
	rc := &tianbao.RegisterChange{Base: version, Day: h.now, At: h.now}
	for i := range entries {
		rc.Changes = append(rc.Changes, tianbao.UnitChange{
			Act: tianbao.UnitEdit, Unit: entries[i].Unit, Contact: &tianbao.Contact{Name: "张示例", Phone: fmt.Sprintf("160%08d", i)},
			Fields: []tianbao.FieldChange{{Field: "contact_phone"}},
		})
	}
	h.ok(h.store.ChangeRegister(ctx, rc))
	clerk := tianbao.User{ID: 5, Login: "clerk", Name: "填报员"}
	for i, id := range h.units {
		clerk.Grants = append(clerk.Grants, tianbao.Grant{ID: 100_000 + tianbao.ID(i), Role: tianbao.RoleFiller, Unit: id})
	}
	h.ok(h.store.CreateUser(ctx, clerk, "hash", false))
	return h
}

func everything() tianbao.Scope { return tianbao.Scope{Paths: []string{"/"}} }

// server is one of those that share the database.
func (h *house) server(name string) *remind.Service {
	return &remind.Service{
		Store: h.store, IDs: &clock.IDs{}, Now: h.clock, Node: name,
		Senders: map[remind.Channel]remind.Sender{remind.ChannelMail: h.mail, remind.ChannelHook: h.hook},
	}
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) at(text string) { h.set(shanghai(text)) }

func (h *house) set(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = t
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) runner() remind.Actor {
	return remind.Actor{User: officer, Runs: true, Scope: everything()}
}

// policy stores a policy that reminds by itself.
func (h *house) policy(change func(p *remind.Policy)) {
	h.t.Helper()
	p, err := h.Policy(h.t.Context(), collection)
	h.ok(err)
	p.Active = true
	if change != nil {
		change(&p)
	}
	h.ok(h.SetPolicy(h.t.Context(), h.runner(), p))
}

// tick is what the server does all the time.
func (h *house) tick(s *remind.Service) (reminded int) {
	h.t.Helper()
	n, err := s.Round(h.t.Context())
	h.ok(err)
	_, err = s.Deliver(h.t.Context())
	h.ok(err)
	return n
}

// reports has a unit report a row upward, as a person does.
func (h *house) reports(unit tianbao.ID) {
	h.t.Helper()
	h.ok(h.report(unit))
}

func (h *house) report(unit tianbao.ID) error {
	ctx := h.t.Context()
	r, err := h.store.OpenReport(ctx, everything(), collection, unit)
	if err != nil {
		return err
	}
	now := h.clock()
	key := fmt.Sprint("k", unit)
	ids := &clock.IDs{}
	row := tianbao.Row{ID: tianbao.ID(ids.Next()), Unit: unit, Values: storetest.Values(int(unit))}
	c := &report.Commit{
		Report: r, Set: &tianbao.ChangeSet{Report: r.ID, Key: key, Base: r.Version, Source: tianbao.SourcePage, At: now},
		RequestDigest: key, Puts: []report.Put{{Row: row, New: true, After: tianbao.AtEnd}},
		Recorded: []tianbao.Recorded{{Op: tianbao.OpInsert, Row: row.ID, AfterRow: tianbao.AtEnd}},
		Receipt:  tianbao.Receipt{ID: tianbao.ID(ids.Next()), Report: r.ID, Kind: "save", Number: key, Version: r.Version + 1, Digest: "d", At: now},
	}
	c.Report.Rows = 1
	c.Receipt.Rows = 1
	if err := h.store.Commit(ctx, c); err != nil {
		return err
	}
	return h.store.MarkReported(ctx, tianbao.Receipt{
		ID: tianbao.ID(ids.Next()), Report: r.ID, Kind: "report", Number: "up" + key, Version: r.Version + 1, Rows: 1, Digest: "d", At: now,
	}, "up"+key, "asked", 0)
}

// declares says that units have nobody to report, which is done thereby.
func (h *house) declares(units ...tianbao.ID) {
	h.t.Helper()
	var ds []tianbao.Declaration
	for _, u := range units {
		h.keys++
		ds = append(ds, tianbao.Declaration{ID: tianbao.ID(5_000_000 + h.keys), Campaign: collection, Unit: u, Kind: tianbao.DeclareNil, Reason: "没有", At: h.clock()})
	}
	h.ok(h.store.Declare(h.t.Context(), ds, false))
}

// log returns all reminders, the first made first.
func (h *house) log() []remind.Reminder {
	h.t.Helper()
	list, err := h.store.Reminders(h.t.Context(), everything(), collection, remind.Query{Limit: 1_000_000})
	h.ok(err)
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// states counts the log.
func (h *house) states() map[remind.State]int {
	out := make(map[remind.State]int)
	for _, r := range h.log() {
		out[r.State]++
	}
	return out
}
