package store

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"tianbao"
	"tianbao/internal/db"
)

// What who watches the program is told: counts and times, nothing of a person or a unit.

const (
	sqlOpenCampaigns = `SELECT c.id FROM campaign c WHERE c.opened > 0 AND c.ended = 0 AND c.archived = 0 ORDER BY c.id DESC LIMIT 20`
	sqlStandingsNow  = `SELECT s.campaign_id, s.state, COUNT(*), CAST(SUM(s.row_count) AS BIGINT), CAST(SUM(s.faulty) AS BIGINT)
 FROM unit_status s WHERE s.campaign_id IN LIST GROUP BY s.campaign_id, s.state ORDER BY s.campaign_id, s.state`
	sqlOutboxDepth  = `SELECT o.channel, COUNT(*), COALESCE(MIN(o.made), 0) FROM remind_outbox o WHERE o.state IN ('waiting', 'sending') GROUP BY o.channel ORDER BY o.channel`
	sqlReplyDepth   = `SELECT COUNT(*), COALESCE(MIN(m.judged), 0) FROM mail_reply r JOIN mail_message m ON m.id = r.message_id WHERE r.state IN ('waiting', 'sending')`
	sqlInboxDepth   = `SELECT COUNT(*), COALESCE(MIN(m.received), 0) FROM mail_message m WHERE m.state = 'received'`
	sqlPlanDepth    = `SELECT COUNT(*), COALESCE(MIN(p.approved), 0) FROM platform_plan p WHERE p.state = 'approved'`
	sqlStagingDepth = `SELECT COUNT(*), COALESCE(MIN(g.seen), 0) FROM staging g`
	sqlOpenAsked    = `SELECT COUNT(*) FROM question q WHERE q.state = 'open'`
	sqlMailWaits    = `SELECT COUNT(*) FROM mail_message m WHERE m.state = 'waiting'`
)

// Figures are counts of a moment.
type Figures struct {
	// Standings are the units of open collections that have begun, by where they stand.
	Standings []StandingCount
	// Queues are what waits to be done by the program itself, by name: the channels of
	// reminders, "reply", "inbox", "platform" and "import".
	Queues []Queue
	// Questions and Mails wait for an officer.
	Questions, Mails int64
}

// StandingCount is how many units of a collection stand in one way, with their rows and
// those of them that have errors.
type StandingCount struct {
	Campaign            tianbao.ID
	Standing            tianbao.Standing
	Units, Rows, Faulty int64
}

// Queue is how much waits, and since when the oldest (zero: nothing waits).
type Queue struct {
	Name   string
	Depth  int64
	Oldest time.Time
}

// Figures counts. It reads the units of open collections, so do not ask at every request.
func (s *Store) Figures(ctx context.Context) (*Figures, error) {
	f := &Figures{}
	return f, s.db.Read(ctx, func(q db.Queryer) (err error) {
		open, err := db.Collect(ctx, q, func(scan db.Scan) (id tianbao.ID, err error) { return id, scan(&id) }, sqlOpenCampaigns)
		if err != nil {
			return err
		}
		err = listed(sqlStandingsNow, open, nil, func(sql string, args []any) error {
			return q.Each(ctx, func(scan db.Scan) error {
				var c StandingCount
				err := scan(&c.Campaign, &c.Standing, &c.Units, &c.Rows, &c.Faulty)
				f.Standings = append(f.Standings, c)
				return err
			}, sql, args...)
		})
		if err != nil {
			return err
		}
		if err := q.Each(ctx, func(scan db.Scan) error {
			var name string
			var n, oldest int64
			err := scan(&name, &n, &oldest)
			f.Queues = append(f.Queues, Queue{name, n, when(oldest)})
			return err
		}, sqlOutboxDepth); err != nil {
			return err
		}
		for _, one := range []struct{ name, sql string }{
			{"reply", sqlReplyDepth}, {"inbox", sqlInboxDepth}, {"platform", sqlPlanDepth}, {"import", sqlStagingDepth},
		} {
			var n, oldest int64
			if err := q.One(ctx, []any{&n, &oldest}, one.sql); err != nil {
				return err
			}
			f.Queues = append(f.Queues, Queue{one.name, n, when(oldest)})
		}
		if err := q.One(ctx, []any{&f.Questions}, sqlOpenAsked); err != nil {
			return err
		}
		return q.One(ctx, []any{&f.Mails}, sqlMailWaits)
	})
}

// EventCount is how many records of a kind this process has put on the trail.
type EventCount struct {
	What   string
	Result tianbao.Result
	N      uint64
}

// eventCounts counts records of the trail. Kinds and results are those that the program
// knows, so there are few.
type eventCounts struct{ m sync.Map }

type eventKind struct {
	what   string
	result tianbao.Result
}

func (c *eventCounts) add(what string, result tianbao.Result) {
	k := eventKind{what, cmp.Or(result, tianbao.ResultDone)}
	n, ok := c.m.Load(k)
	if !ok {
		n, _ = c.m.LoadOrStore(k, new(atomic.Uint64))
	}
	if n, ok := n.(*atomic.Uint64); ok {
		n.Add(1)
	}
}

// Events returns what this process has put on the trail since it began, counted when it
// was written: what a transaction took back or did twice is in it.
func (s *Store) Events() []EventCount {
	var out []EventCount
	s.events.m.Range(func(k, v any) bool {
		kind, _ := k.(eventKind)
		if n, ok := v.(*atomic.Uint64); ok {
			out = append(out, EventCount{kind.what, kind.result, n.Load()})
		}
		return true
	})
	return out
}

// errProbe takes back what [Store.Writable] wrote.
type errProbe struct{}

func (errProbe) Error() string { return "store: taken back" }

const sqlTouchSetting = `UPDATE setting SET value = value WHERE name = $1`

// Writable reports whether the database takes a change: it makes one that changes nothing
// and takes it back, so that asking costs no fsync. Where the last commit failed it lets
// it stand, or nobody would ever find out that the disk is well again.
func (s *Store) Writable(ctx context.Context) error {
	failing := s.db.Stats().Failing
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlTouchSetting, keysSetting); err != nil {
			return err
		}
		if failing {
			return nil
		}
		return errProbe{}
	})
	if err == (errProbe{}) {
		return nil
	}
	return err
}

// Schema returns the number of the database's newest migration.
func (s *Store) Schema(ctx context.Context) (int64, error) { return db.SchemaVersion(ctx, s.db) }
