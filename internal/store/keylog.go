package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"tianbao"
	"tianbao/internal/compare"
	"tianbao/internal/db"
)

// Search keys on their way into row_key.
//
// The keys of a commit belong to random places of row_key, so that a submit of ten rows
// would change twenty of its pages, more than everything else it writes. On SQLite they are
// therefore written to a log, one line a commit, and held in memory, where they are looked
// up beside row_key. When there are many, a round brings them over in the order of row_key,
// some hundred in a transaction: each then changes few pages, and each page is changed once
// for many keys. A line of the log goes when all its keys are over, so a crash loses none.
// PostgreSQL writes to its indexes at once: it does not write whole pages for it.
//
// Who looks for a key asks the memory first and row_key after that: a key that is brought
// over in between is found twice, never missed. Inside of [db.DB.Read] it is too late to ask.

const (
	sqlInsertKey = `INSERT INTO row_key (kind, k, report_id, row_id) VALUES ($1, $2, $3, $4)`
	sqlBringKey  = `INSERT INTO row_key (kind, k, report_id, row_id) SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT)
 WHERE NOT EXISTS (SELECT 1 FROM row_key x WHERE x.kind = $1 AND x.k = $2 AND x.report_id = $3 AND x.row_id = $4)`
	sqlDeleteKey  = `DELETE FROM row_key WHERE kind = $1 AND k = $2 AND report_id = $3 AND row_id = $4`
	sqlKeyPlaces  = `SELECT k.report_id, k.row_id FROM row_key k WHERE k.kind = $1 AND k.k = $2`
	sqlLogKeys    = `INSERT INTO row_key_log (n, data) VALUES ($1, $2)`
	sqlKeyLog     = `SELECT l.n, l.data FROM row_key_log l ORDER BY l.n`
	sqlLogBrought = `DELETE FROM row_key_log WHERE n IN LIST`
)

const (
	// roundSize is from how many keys on a round begins. With a million rows row_key has
	// some 13 000 pages: then about five keys share the change of one.
	roundSize = 1 << 16
	// bringChunk is how many keys are brought over in one transaction, which the submits
	// that come meanwhile wait for: some milliseconds.
	bringChunk = 500
	// holdKeyLog is held by who brings over what was moved to PostgreSQL.
	holdKeyLog = 0x6b65796c6f67
)

// loggedKey is a key that is set (or taken away) by a commit.
type loggedKey struct {
	lookKey
	at   tianbao.RowPlace
	gone bool
}

func (a *loggedKey) compare(b *loggedKey) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.k, b.k), comparePlaces(a.at, b.at))
}

func comparePlaces(a, b tianbao.RowPlace) int {
	return cmp.Or(cmp.Compare(a.Report, b.Report), cmp.Compare(a.Row, b.Row))
}

// A line's data: 8 bytes of report, and for each key 1 byte (1: gone), 2 of kind, 8 of key, 8 of row.
const loggedSize = 1 + 2 + 8 + 8

func encodeKeys(rep tianbao.ID, add, drop []rowKey) []byte {
	b := make([]byte, 0, 8+loggedSize*(len(add)+len(drop)))
	b = binary.BigEndian.AppendUint64(b, uint64(rep))
	for i, keys := range [][]rowKey{add, drop} {
		for _, k := range keys {
			b = append(b, byte(i))
			b = binary.BigEndian.AppendUint16(b, uint16(k.kind))
			b = binary.BigEndian.AppendUint64(b, uint64(k.k))
			b = binary.BigEndian.AppendUint64(b, uint64(k.row))
		}
	}
	return b
}

func decodeKeys(b []byte) ([]loggedKey, error) {
	if len(b) < 8 || (len(b)-8)%loggedSize != 0 {
		return nil, errors.New("store: a line of the log of keys is not readable")
	}
	rep := tianbao.ID(binary.BigEndian.Uint64(b))
	out := make([]loggedKey, 0, len(b)/loggedSize)
	for b = b[8:]; len(b) > 0; b = b[loggedSize:] {
		out = append(out, loggedKey{
			lookKey: lookKey{int64(binary.BigEndian.Uint16(b[1:])), int64(binary.BigEndian.Uint64(b[3:]))},
			at:      tianbao.RowPlace{Report: rep, Row: tianbao.ID(binary.BigEndian.Uint64(b[11:]))},
			gone:    b[0] == 1,
		})
	}
	return out, nil
}

// keyState is the newest that is known of a key at a place; n is the line that says it.
type keyState struct {
	at   tianbao.RowPlace
	n    int64
	gone bool
	// there: row_key may have it already, by a round that was cut off.
	there bool
}

// statement brings a key over.
func (st *keyState) statement(k lookKey) db.Statement {
	sql := sqlInsertKey
	switch {
	case st.gone:
		sql = sqlDeleteKey
	case st.there:
		sql = sqlBringKey
	}
	return db.Statement{SQL: sql, Args: []any{k.kind, k.k, st.at.Report, st.at.Row}}
}

// keyLog is what memory holds of the log.
type keyLog struct {
	rounds sync.Mutex // one at a time

	loaded atomic.Bool
	busy   atomic.Bool // a round was begun because there are many

	mu    sync.RWMutex
	last  int64 // line
	count int   // of the states
	keys  map[lookKey][]keyState
	lines []int64 // that the next round may let go

	filter keyFilter // of what is in row_key
}

// set notes a key's newest state.
func (l *keyLog) set(n int64, k *loggedKey, there bool) {
	states := l.keys[k.lookKey]
	for i := range states {
		if states[i].at == k.at {
			if states[i].n <= n {
				states[i].n, states[i].gone = n, k.gone
			}
			return
		}
	}
	l.keys[k.lookKey] = append(states, keyState{at: k.at, n: n, gone: k.gone, there: there || k.gone})
	l.count++
}

// state returns the newest state of a key at a place.
func (l *keyLog) state(k lookKey, at tianbao.RowPlace) (keyState, bool) {
	for _, s := range l.keys[k] {
		if s.at == at {
			return s, true
		}
	}
	return keyState{}, false
}

// forget lets a key go that is brought over, unless there is something newer.
func (l *keyLog) forget(k lookKey, s keyState) {
	states := l.keys[k]
	i := slices.Index(states, s)
	if i < 0 {
		return
	}
	l.count--
	if len(states) == 1 {
		delete(l.keys, k)
		return
	}
	l.keys[k] = slices.Delete(states, i, i+1)
}

// next numbers a line: in the order of the commits, also over starts and clocks that jump.
func (l *keyLog) next(now int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = max(l.last+1, now<<20)
	return l.last
}

// take takes a line that is committed, and reports whether a round is to begin.
func (l *keyLog) take(n int64, keys []loggedKey) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(n, keys, false)
	return l.count >= roundSize && l.busy.CompareAndSwap(false, true)
}

// add takes a line; there, if its keys may be in row_key.
func (l *keyLog) add(n int64, keys []loggedKey, there bool) {
	l.lines, l.last = append(l.lines, n), max(l.last, n)
	for i := range keys {
		l.set(n, &keys[i], there)
	}
}

// loadKeys reads the log when it is first asked for: what an earlier process left.
func (s *Store) loadKeys(ctx context.Context, q db.Queryer) error {
	l := &s.keyLog
	if l.loaded.Load() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loaded.Load() {
		return nil
	}
	l.keys, l.lines, l.count = make(map[lookKey][]keyState), nil, 0
	if err := eachLogged(ctx, q, func(n int64, keys []loggedKey) { l.add(n, keys, true) }); err != nil {
		return err
	}
	l.loaded.Store(true)
	return nil
}

func eachLogged(ctx context.Context, q db.Queryer, fn func(n int64, keys []loggedKey)) error {
	err := q.Each(ctx, func(scan db.Scan) error {
		var n int64
		var data []byte
		if err := scan(&n, &data); err != nil {
			return err
		}
		keys, err := decodeKeys(data)
		fn(n, keys)
		return err
	}, sqlKeyLog)
	if err != nil {
		return fmt.Errorf("store: read the log of keys: %w", err)
	}
	return nil
}

// movedIn brings over what a database brought along that was an SQLite file before.
func (s *Store) movedIn(ctx context.Context, tx db.Tx) error {
	l := &s.keyLog
	if l.loaded.Load() {
		return nil
	}
	if err := tx.Hold(ctx, holdKeyLog, false); err != nil {
		return err
	}
	var lines []int64
	var batch []db.Statement
	err := eachLogged(ctx, tx, func(n int64, keys []loggedKey) {
		lines = append(lines, n)
		for _, k := range keys {
			st := keyState{at: k.at, gone: k.gone, there: true}
			batch = append(batch, st.statement(k.lookKey))
		}
	})
	if err != nil {
		return err
	}
	if _, err := tx.Send(ctx, batch); err != nil {
		return err
	}
	tx.After(func() { l.loaded.Store(true) })
	return listed(sqlLogBrought, lines, nil, func(sql string, args []any) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
}

// readyKeys makes the log ready to be looked into.
func (s *Store) readyKeys(ctx context.Context) error {
	switch {
	case s.keyLog.loaded.Load():
		return nil
	case s.db.Kind() == db.SQLite:
		return s.loadKeys(ctx, s.db)
	}
	return s.db.Tx(ctx, func(tx db.Tx) error { return s.movedIn(ctx, tx) })
}

// keepKeys makes the statements that write the keys which rows of a report get and lose,
// for the transaction that writes the rows.
func (s *Store) keepKeys(ctx context.Context, tx db.Tx, rep tianbao.ID, add, drop []rowKey) ([]db.Statement, error) {
	if len(add)+len(drop) == 0 {
		return nil, nil
	}
	if s.db.Kind() != db.SQLite {
		if err := s.movedIn(ctx, tx); err != nil {
			return nil, err
		}
		sortKeys(add)
		return keyStatements(keyStatements(nil, sqlDeleteKey, rep, drop), sqlInsertKey, rep, add), nil
	}
	if err := s.loadKeys(ctx, tx); err != nil {
		return nil, err
	}
	n := s.keyLog.next(ms(s.now()))
	data := encodeKeys(rep, add, drop)
	tx.After(func() {
		keys, _ := decodeKeys(data) // as it was encoded
		if s.keyLog.take(n, keys) {
			go func() {
				_ = s.BringKeys(db.Apart(ctx)) // what is left comes with the next round
				s.keyLog.busy.Store(false)
			}()
		}
	})
	return []db.Statement{{SQL: sqlLogKeys, Args: []any{n, data}}}, nil
}

// keyPlaces returns where the rows may stand that have a key; the row itself tells whether
// it does. Rows of a transaction that runs are not among them.
func (s *Store) keyPlaces(ctx context.Context, k lookKey) ([]tianbao.RowPlace, error) {
	if err := s.readyKeys(ctx); err != nil {
		return nil, err
	}
	var out []tianbao.RowPlace
	l := &s.keyLog
	l.mu.RLock()
	for _, st := range l.keys[k] {
		if !st.gone {
			out = append(out, st.at)
		}
	}
	l.mu.RUnlock()
	err := s.db.Each(ctx, func(scan db.Scan) error {
		var at tianbao.RowPlace
		err := scan(&at.Report, &at.Row)
		out = append(out, at)
		return err
	}, sqlKeyPlaces, k.kind, k.k)
	if err != nil {
		return nil, fmt.Errorf("store: look a key up: %w", err)
	}
	slices.SortFunc(out, comparePlaces)
	return slices.Compact(out), nil
}

// keysLogged returns the keys of a kind that are in the log.
func (s *Store) keysLogged(ctx context.Context, kind int64, found func(k int64)) error {
	if err := s.readyKeys(ctx); err != nil {
		return err
	}
	l := &s.keyLog
	l.mu.RLock()
	defer l.mu.RUnlock()
	for k := range l.keys {
		if k.kind == kind {
			found(k.k)
		}
	}
	return nil
}

// BringKeys brings all keys of the log to row_key: before a question that reads row_key as
// a whole, and when there are many. It does nothing where there is none.
func (s *Store) BringKeys(ctx context.Context) error {
	l := &s.keyLog
	l.rounds.Lock()
	defer l.rounds.Unlock()
	if err := s.readyKeys(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	all := make([]loggedKey, 0, l.count)
	for k, states := range l.keys {
		for _, st := range states {
			all = append(all, loggedKey{lookKey: k, at: st.at})
		}
	}
	lines := l.lines
	l.lines = nil
	l.mu.Unlock()
	slices.SortFunc(all, func(a, b loggedKey) int { return a.compare(&b) })
	var err error
	for chunk := range slices.Chunk(all, bringChunk) {
		if err = s.bring(ctx, chunk, false); db.IsUnique(err) {
			err = s.bring(ctx, chunk, true)
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = listed(sqlLogBrought, lines, nil, func(sql string, args []any) error {
			_, err := s.exec(ctx, sql, args...)
			return err
		})
	}
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(lines, l.lines...)
		return fmt.Errorf("store: bring keys over: %w", err)
	}
	return nil
}

// bring brings keys over as they are when it runs: nothing is committed meanwhile that
// memory does not know. A careful one minds keys that are there already.
func (s *Store) bring(ctx context.Context, keys []loggedKey, careful bool) error {
	l := &s.keyLog
	person := keyKind(compare.KeyPerson)
	return s.db.Tx(ctx, func(tx db.Tx) error {
		batch := make([]db.Statement, 0, len(keys))
		states := make([]keyState, len(keys))
		l.mu.RLock()
		for i := range keys {
			k := &keys[i]
			st, ok := l.state(k.lookKey, k.at)
			if states[i] = st; !ok {
				continue
			}
			st.there = st.there || careful
			batch = append(batch, st.statement(k.lookKey))
		}
		l.mu.RUnlock()
		if _, err := tx.Send(ctx, batch); err != nil {
			return err
		}
		tx.After(func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			for i := range keys {
				if keys[i].kind == person && !states[i].gone {
					l.filter.add(keys[i].k)
				}
				l.forget(keys[i].lookKey, states[i])
			}
		})
		return nil
	})
}
