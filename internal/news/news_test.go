package news_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/news"
	"tianbao/internal/outward"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
	"tianbao/internal/webhook"
)

const (
	bureau     tianbao.ID = 1
	other      tianbao.ID = 2
	firstUnit  tianbao.ID = 10
	collection tianbao.ID = 90
	officer    tianbao.ID = 7
)

// receiver is another system on a port of this machine. It can be away.
type receiver struct {
	t      testing.TB
	mu     sync.Mutex
	addr   string
	srv    *http.Server
	now    func() time.Time
	secret string
	answer func(call int, b *event) int
	calls  int
	got    []event // what was answered with 2xx, in order
	bad    int     // signatures
}

// event is what it gets.
type event struct {
	Type string
	ID   string
	Data struct {
		Cursor, Unit, Report string
		Version              int64
		Rows                 int
	}
}

func newReceiver(t testing.TB, now func() time.Time) *receiver {
	r := &receiver{t: t, now: now, addr: "127.0.0.1:0"}
	r.up()
	t.Cleanup(r.down)
	return r
}

func (r *receiver) up() {
	r.t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(r.t.Context(), "tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.addr, r.srv = ln.Addr().String(), &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
	go func(s *http.Server) { _ = s.Serve(ln) }(r.srv)
}

// down: connections are refused.
func (r *receiver) down() { _ = r.srv.Close() }

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	b, err := io.ReadAll(q.Body)
	var e event
	if err != nil || json.Unmarshal(b, &e) != nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	secret, err := base64.StdEncoding.DecodeString(r.secret)
	if err != nil || q.Header.Get("Webhook-Signature") != webhook.SignStandard(secret, q.Header.Get("Webhook-Id"), r.now(), b) || q.Header.Get("Webhook-Id") != e.ID {
		r.bad++
	}
	status := http.StatusNoContent
	if r.answer != nil {
		status = r.answer(r.calls, &e)
	}
	if status/100 == 2 {
		r.got = append(r.got, e)
	}
	w.WriteHeader(status)
}

// house is a bureau in virtual time whose events another system is told.
type house struct {
	t     testing.TB
	store *store.Store
	mu    sync.Mutex
	now   time.Time
	recv  *receiver
	sub   tianbao.ID
	units []tianbao.ID
	said  map[tianbao.ID]int64 // versions by unit
	one   *news.Service
}

func engines(t *testing.T, fn func(h *house)) {
	t.Run("sqlite", func(t *testing.T) { fn(newHouse(t, storetest.OpenSQLite)) })
	t.Run("postgres", func(t *testing.T) { fn(newHouse(t, storetest.OpenPostgres)) })
}

func newHouse(t testing.TB, open func(t testing.TB, opts ...storetest.Option) *store.Store) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 9, 24, 1, 0, 0, 0, time.UTC), said: make(map[tianbao.ID]int64)}
	h.store = open(t, storetest.WithClock(h.clock))
	h.recv = newReceiver(t, h.clock)
	us := []tianbao.Unit{{ID: bureau, Name: "市财政局", BudgetCode: "1", Kind: "bureau"}, {ID: other, Name: "邻市财政局", BudgetCode: "2", Kind: "bureau"}}
	for i := range 12 {
		id := firstUnit + tianbao.ID(i)
		h.units = append(h.units, id)
		us = append(us, tianbao.Unit{ID: id, Parent: bureau, Name: fmt.Sprintf("第%d中学", i), BudgetCode: fmt.Sprint("1-", i), Kind: "unit"})
	}
	h.ok(h.store.PutUnits(t.Context(), us...))
	h.one = h.server("one", h.store)
	sub := h.subscribe(tianbao.NewsKinds()...)
	h.sub, h.recv.secret = sub.ID, base64.StdEncoding.EncodeToString(sub.Secret)
	return h
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) actor() news.Actor {
	return news.Actor{User: officer, Scope: tianbao.Scope{Paths: []string{"/1/"}}}
}

func (h *house) subscribe(kinds ...tianbao.NewsKind) *news.Subscription {
	h.t.Helper()
	sub := &news.Subscription{Name: "资产系统", Unit: bureau, UnitPath: "/1/", URL: "http://" + h.recv.addr + "/events", Kinds: kinds}
	h.ok(h.one.Make(h.t.Context(), h.actor(), sub))
	return sub
}

// server is one of those that share the database.
func (h *house) server(name string, s news.Store) *news.Service {
	return &news.Service{
		Store: s, IDs: &clock.IDs{Clock: h.clock}, Now: h.clock, Node: name, Jitter: rand.Float64, Log: slog.New(slog.DiscardHandler),
		Sender: &webhook.Pool{Now: h.clock, Guard: outward.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}},
	}
}

// happens lets something happen to a unit.
func (h *house) happens(unit tianbao.ID) {
	h.t.Helper()
	h.said[unit]++
	h.ok(h.store.Record(h.t.Context(), tianbao.Event{
		At: h.clock(), Owner: unit, What: "save", Object: "report",
		News: &tianbao.News{Kind: tianbao.NewsSubmitted, Campaign: collection, Report: unit + 1000, Version: h.said[unit], Rows: 3},
	}))
}

func (h *house) get() news.Subscription {
	h.t.Helper()
	sub, err := h.one.Get(h.t.Context(), h.actor(), h.sub)
	h.ok(err)
	return sub
}

// mortal is the database as a process sees it that is killed at its next write of an
// answer: what was sent is not written down, and nothing else is.
type mortal struct {
	news.Store
	mu   sync.Mutex
	left int // answers that are still written
	dead bool
}

var errKilled = errors.New("killed")

func (m *mortal) FinishDelivery(ctx context.Context, id tianbao.ID, n int64, state news.DeliveryState, code int, at time.Time) error {
	m.mu.Lock()
	if m.left--; m.left < 0 {
		m.dead = true
	}
	dead := m.dead
	m.mu.Unlock()
	if dead {
		return errKilled
	}
	return m.Store.FinishDelivery(ctx, id, n, state, code, at)
}

func (m *mortal) LeaveSubscription(ctx context.Context, s *news.Subscription, node string, events ...tianbao.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errKilled
	}
	return m.Store.LeaveSubscription(ctx, s, node, events...)
}

// complete holds what was received against what happened: everything at least once, of each
// unit in order, also where something came twice.
func (h *house) complete() {
	h.t.Helper()
	h.recv.mu.Lock()
	defer h.recv.mu.Unlock()
	if h.recv.bad > 0 {
		h.t.Errorf("%d requests are not signed", h.recv.bad)
	}
	ids := make(map[string]string)
	last := make(map[string]int64)
	for _, e := range h.recv.got {
		at := e.Data.Unit + "/" + fmt.Sprint(e.Data.Version)
		if was, ok := ids[at]; ok && was != e.ID {
			h.t.Errorf("%s has the ids %s and %s", at, was, e.ID)
		}
		ids[at] = e.ID
		if v := e.Data.Version; v < last[e.Data.Unit] || v > last[e.Data.Unit]+1 {
			h.t.Errorf("unit %s: version %d after %d", e.Data.Unit, v, last[e.Data.Unit])
		}
		last[e.Data.Unit] = max(last[e.Data.Unit], e.Data.Version)
	}
	for unit, n := range h.said {
		if last[unit.String()] != n {
			h.t.Errorf("unit %s: told up to version %d of %d", unit, last[unit.String()], n)
		}
	}
}

// The receiver is away for an hour, answers with errors before and after, and of the servers
// one after the other is killed between sending and writing it down: nothing is lost, of each
// report everything comes in order.
func TestReceiverAwayForAnHour(t *testing.T) {
	engines(t, func(h *house) {
		t := h.t
		r := rand.New(rand.NewPCG(7, 6))
		servers := 0
		next := func() (*news.Service, *mortal) {
			servers++
			m := &mortal{Store: h.store, left: 5 + r.IntN(40)}
			return h.server(fmt.Sprint("server ", servers), m), m
		}
		s, m := next()
		h.recv.answer = func(call int, _ *event) int {
			switch call % 17 {
			case 3:
				return http.StatusInternalServerError
			case 11:
				return http.StatusServiceUnavailable
			}
			return http.StatusAccepted
		}
		happen := 4
		step := func() {
			for range r.IntN(happen) {
				h.happens(h.units[r.IntN(len(h.units))])
			}
			if _, err := s.Round(t.Context()); err != nil && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			if m.dead { // another process, or the same one started again
				s, m = next()
			}
			h.pass(time.Minute)
		}
		for range 20 {
			step()
		}
		h.recv.down()
		before := h.clock()
		for h.clock().Sub(before) < time.Hour {
			step()
		}
		if sub := h.get(); sub.Failing.IsZero() || sub.Waiting < 40 || sub.State != news.Active {
			t.Errorf("after an hour: %+v", sub)
		}
		h.recv.up()
		for range 20 {
			step()
		}
		happen = 1
		for i := 0; h.get().Waiting > 0; i++ {
			if i > 500 {
				t.Fatalf("it does not end: %+v, %d calls %d servers", h.get(), h.recv.calls, servers)
			}
			step()
		}
		h.complete()
		if servers < 3 || len(h.recv.got) < 100 {
			t.Errorf("%d servers, %d received", servers, len(h.recv.got))
		}
		t.Logf("%d servers, %d events, %d received", servers, func() (n int64) {
			for _, v := range h.said {
				n += v
			}
			return n
		}(), len(h.recv.got))
	})
}

// Two servers at once: each event goes out once.
func TestTwoServers(t *testing.T) {
	engines(t, func(h *house) {
		t := h.t
		for range 8 {
			for _, u := range h.units {
				h.happens(u)
			}
		}
		two := h.server("two", h.store)
		for h.get().Waiting > 0 || len(h.recv.got) == 0 {
			var wg sync.WaitGroup
			for _, s := range []*news.Service{h.one, two} {
				wg.Go(func() {
					if _, err := s.Round(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		h.complete()
		if n := len(h.recv.got); n != 8*len(h.units) {
			t.Errorf("%d received, want %d", n, 8*len(h.units))
		}
	})
}

// What one address answers decides what becomes of its deliveries.
func TestAnswers(t *testing.T) {
	engines(t, func(h *house) {
		t := h.t
		round := func(want int) {
			t.Helper()
			n, err := h.one.Round(t.Context())
			if err != nil || n != want {
				t.Errorf("%d answers, %v; want %d", n, err, want)
			}
		}
		bad := h.units[0].String()
		status := http.StatusUnprocessableEntity
		h.recv.answer = func(_ int, e *event) int {
			if e.Data.Unit == bad {
				return status
			}
			return http.StatusOK
		}
		// Refused for good: noted, and what comes behind it goes out.
		h.happens(h.units[0])
		h.happens(h.units[1])
		round(2)
		if sub := h.get(); sub.Refused != 1 || sub.Waiting != 0 || !sub.Failing.IsZero() {
			t.Errorf("%+v", sub)
		}
		log, err := h.store.Deliveries(t.Context(), h.sub, news.Refused, 0, 10)
		if err != nil || len(log) != 1 || log[0].Code != status || log[0].Unit != h.units[0] || log[0].Attempts != 1 {
			t.Errorf("%+v %v", log, err)
		}
		// Of one unit something fails again and again: the others go on, and in the end it is
		// left out.
		status = http.StatusInternalServerError
		h.happens(h.units[0])
		for i := 0; h.get().Refused == 1; i++ {
			if i > 20 {
				t.Fatal("the others wait for ever")
			}
			h.happens(h.units[1])
			if _, err := h.one.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
			h.pass(40 * time.Minute)
		}
		if sub := h.get(); sub.State != news.Active || sub.Waiting != 0 {
			t.Errorf("%+v", sub)
		}
		// All of it again, the refused ones only.
		status = http.StatusOK
		n, err := h.one.Replay(t.Context(), h.actor(), h.sub, news.Range{From: h.clock().Add(-24 * time.Hour), To: h.clock(), Refused: true})
		if err != nil || n != 2 {
			t.Errorf("%d again, %v", n, err)
		}
		h.pass(time.Hour)
		round(2)
		if sub := h.get(); sub.Refused != 0 || sub.Waiting != 0 {
			t.Errorf("%+v", sub)
		}
		// 410 stops at once, and what happens meanwhile is kept.
		h.recv.answer = func(int, *event) int { return http.StatusGone }
		h.happens(h.units[2])
		round(1)
		if sub := h.get(); sub.State != news.Stopped || sub.Waiting != 1 || sub.Code != http.StatusGone {
			t.Errorf("%+v", sub)
		}
		h.happens(h.units[2])
		h.recv.answer = nil
		round(0)
		h.ok(h.one.Set(t.Context(), h.actor(), h.sub, "资产系统", tianbao.NewsKinds(), news.Active))
		round(2)
		// Three days without an answer stop it too.
		h.recv.down()
		h.happens(h.units[2])
		for before := h.clock(); h.get().State == news.Active; h.pass(31 * time.Minute) {
			if h.clock().Sub(before) > 4*24*time.Hour {
				t.Fatal("it never stops")
			}
			if _, err := h.one.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		h.recv.up()
		h.ok(h.one.Set(t.Context(), h.actor(), h.sub, "资产系统", tianbao.NewsKinds(), news.Active))
		round(1)
		h.recv.got = slices.DeleteFunc(h.recv.got, func(e event) bool { return e.Data.Unit == bad })
		delete(h.said, h.units[0])
		h.complete()
		// News goes after a month.
		h.pass(news.Keep + time.Hour)
		if n, err := h.one.Drop(t.Context()); err != nil || n < 10 {
			t.Errorf("%d forgotten, %v", n, err)
		}
		if log, err := h.store.Deliveries(t.Context(), h.sub, "", 0, 10); err != nil || len(log) != 0 {
			t.Errorf("%d left, %v", len(log), err)
		}
	})
}

// Who subscribes what: scope, kinds, addresses, and what is told of whom.
func TestSubscriptions(t *testing.T) {
	engines(t, func(h *house) {
		t := h.t
		ctx, a := t.Context(), h.actor()
		for _, tt := range []struct {
			name string
			sub  news.Subscription
			kind tianbao.ErrKind
		}{
			{"outside the scope", news.Subscription{Name: "系统", UnitPath: "/2/", URL: "https://example.com/", Kinds: tianbao.NewsKinds()}, tianbao.ErrNotFound},
			{"no kind", news.Subscription{Name: "系统", UnitPath: "/1/", URL: "https://example.com/"}, tianbao.ErrInvalid},
			{"another kind", news.Subscription{Name: "系统", UnitPath: "/1/", URL: "https://example.com/", Kinds: []tianbao.NewsKind{"all"}}, tianbao.ErrInvalid},
			{"no name", news.Subscription{UnitPath: "/1/", URL: "https://example.com/", Kinds: tianbao.NewsKinds()}, tianbao.ErrInvalid},
			{"without TLS", news.Subscription{Name: "系统", UnitPath: "/1/", URL: "http://example.com/", Kinds: tianbao.NewsKinds()}, tianbao.ErrInvalid},
			{"an inner address", news.Subscription{Name: "系统", UnitPath: "/1/", URL: "https://10.0.0.1/", Kinds: tianbao.NewsKinds()}, tianbao.ErrInvalid},
			{"another inner address", news.Subscription{Name: "系统", UnitPath: "/1/", URL: "https://[::1]/", Kinds: tianbao.NewsKinds()}, tianbao.ErrInvalid},
		} {
			if err := h.one.Make(ctx, a, &tt.sub); tianbao.KindOf(err) != tt.kind {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		b := news.Actor{User: officer, Scope: tianbao.Scope{Paths: []string{"/2/"}}}
		if _, err := h.one.Get(ctx, b, h.sub); tianbao.KindOf(err) != tianbao.ErrNotFound {
			t.Errorf("another bureau sees it: %v", err)
		}
		if all, err := h.store.Subscriptions(ctx, b.Scope); err != nil || len(all) != 0 {
			t.Errorf("another bureau lists it: %v %v", all, err)
		}
		if _, err := h.one.Replay(ctx, b, h.sub, news.Range{N: 1}); tianbao.KindOf(err) != tianbao.ErrNotFound {
			t.Errorf("another bureau sends again: %v", err)
		}
		if status, err := h.one.Ping(ctx, a, h.sub); err != nil || status != http.StatusNoContent || h.recv.got[0].Type != "ping" {
			t.Errorf("ping: %d %v", status, err)
		}
		h.recv.got = nil
		h.ok(h.one.Set(ctx, a, h.sub, "资产系统", []tianbao.NewsKind{tianbao.NewsReported}, news.Active))
		h.happens(other)
		h.happens(h.units[0])
		_, err := h.one.Round(ctx)
		h.ok(err)
		if len(h.recv.got) != 0 {
			t.Errorf("told of another kind, or another bureau: %v", h.recv.got)
		}
		items, last, err := h.store.News(ctx, a.Scope, 0, 10)
		if err != nil || len(items) != 1 || items[0].Unit != h.units[0] || items[0].BudgetCode != "1-0" || last != 2 {
			t.Errorf("%v %d %v", items, last, err)
		}
		// Kinds that were added later come by asking for the time.
		h.ok(h.one.Set(ctx, a, h.sub, "资产系统", tianbao.NewsKinds(), news.Paused))
		n, err := h.one.Replay(ctx, a, h.sub, news.Range{From: h.clock().Add(-time.Hour), To: h.clock().Add(time.Hour)})
		if err != nil || n != 1 {
			t.Errorf("%d again, %v", n, err)
		}
		if n, err := h.one.Round(ctx); n != 0 || err != nil {
			t.Errorf("told while paused: %d %v", n, err)
		}
		h.ok(h.one.Set(ctx, a, h.sub, "资产系统", tianbao.NewsKinds(), news.Active))
		if n, err := h.one.Round(ctx); n != 1 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		h.ok(h.one.Set(ctx, a, h.sub, "", nil, news.Ended))
		h.happens(h.units[0])
		if n, err := h.one.Round(ctx); n != 0 || err != nil {
			t.Errorf("told after its end: %d %v", n, err)
		}
		if _, err := h.one.Get(ctx, a, h.sub); tianbao.KindOf(err) != tianbao.ErrNotFound {
			t.Errorf("after its end: %v", err)
		}
	})
}
