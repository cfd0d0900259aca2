package storetest

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/db"
	"tianbao/internal/store"
)

// Whatever is saved, deleted and changed while keys are brought over, and over new starts,
// each row is found by what it holds and by nothing else; and in the end row_key has
// exactly the keys of the rows.
func TestKeysOnTheirWay(t *testing.T) {
	ring := Ring(t)
	Engines(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		reports := map[tianbao.ID]tianbao.Report{unitA: w.open(unitA), elsewhere: w.open(elsewhere)}
		const people = 8
		check := func() {
			t.Helper()
			where := make(map[string][]tianbao.ID)
			for _, rep := range reports {
				for _, row := range w.rows(rep.ID) {
					where[row.Values[6]] = append(where[row.Values[6]], row.ID)
				}
			}
			for n := range people {
				id, _ := Person(n)
				refs, err := w.FindByKey(t.Context(), all(), "person_id", id)
				w.ok(err)
				var got []tianbao.ID
				for _, ref := range refs {
					got = append(got, ref.Row)
				}
				slices.Sort(got)
				slices.Sort(where[id])
				if !slices.Equal(got, where[id]) {
					t.Fatalf("person %d is found in %v, stands in %v", n, got, where[id])
				}
			}
			rep := reports[unitA]
			b, err := w.Beside(t.Context(), &rep)
			w.ok(err)
			ids := make([]string, people)
			for n := range ids {
				ids[n], _ = Person(n)
			}
			w.ok(b.Expect(ids))
			there := make(map[string]bool)
			for _, row := range w.rows(reports[elsewhere].ID) {
				there[row.Values[6]] = true
			}
			for n, id := range ids {
				m, err := b.Elsewhere(id, unitA)
				w.ok(err)
				if m.Found != there[id] {
					t.Fatalf("person %d: said to stand elsewhere: %t, does: %t", n, m.Found, there[id])
				}
			}
		}
		for step := range 60 {
			bring, stop := context.WithCancel(t.Context())
			var rounds sync.WaitGroup
			rounds.Go(func() {
				for bring.Err() == nil && step%3 > 0 {
					if err := w.BringKeys(bring); err != nil && bring.Err() == nil {
						t.Error(err)
					}
				}
			})
			for unit, rep := range reports {
				d := w.draft(rep)
				for _, row := range w.rows(rep.ID) {
					switch r.IntN(4) {
					case 0:
						d.remove(row.ID)
					case 1:
						d.edit(row, Values(r.IntN(people)))
					}
				}
				for range r.IntN(3) {
					d.insert(tianbao.AtEnd, Values(r.IntN(people)))
				}
				reports[unit] = d.save()
			}
			check()
			stop()
			rounds.Wait()
			if step%7 == 0 { // another start: it knows what stands in the log
				w.Store = store.New(w.DB(), ring, &clock.IDs{Clock: clock.System}, Forms, clock.System)
				check()
			}
		}
		w.ok(w.BringKeys(t.Context()))
		check()
		var keys, rows, log int64
		w.ok(w.DB().One(t.Context(), []any{&keys, &rows, &log}, `SELECT (SELECT COUNT(*) FROM row_key), (SELECT COUNT(*) FROM report_row), (SELECT COUNT(*) FROM row_key_log)`))
		if keys != 2*rows || log != 0 {
			t.Errorf("%d keys and %d lines of the log for %d rows of 2 sealed cells", keys, log, rows)
		}
	}, WithRing(ring))
}

// What an SQLite file still had in its log is found, and brought over where PostgreSQL got it.
func TestKeysAreMoved(t *testing.T) {
	ring := Ring(t)
	Engines(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		d := w.draft(w.open(unitA))
		row := d.insert(tianbao.AtEnd, Values(1))
		rep := d.save()
		w.ok(w.BringKeys(t.Context()))
		line := binary.BigEndian.AppendUint64(nil, uint64(rep.ID))
		w.ok(w.DB().Each(t.Context(), func(scan db.Scan) error {
			var kind, k int64
			err := scan(&kind, &k)
			line = binary.BigEndian.AppendUint16(append(line, 0), uint16(kind))
			line = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(line, uint64(k)), uint64(row))
			return err
		}, `SELECT kind, k FROM row_key`))
		w.ok(w.DB().Tx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Send(t.Context(), []db.Statement{{SQL: `DELETE FROM row_key`}, {SQL: `INSERT INTO row_key_log (n, data) VALUES ($1, $2)`, Args: []any{1, line}}})
			return err
		}))
		w.Store = store.New(w.DB(), ring, &clock.IDs{Clock: clock.System}, Forms, clock.System)
		for range 2 {
			id, _ := Person(1)
			refs, err := w.FindByKey(t.Context(), all(), "person_id", id)
			w.ok(err)
			if len(refs) != 1 || refs[0].Row != row {
				t.Fatalf("found in %v", refs)
			}
			if w.DB().Kind() == db.Postgres && w.count("row_key_log") > 0 {
				t.Error("the log is still there")
			}
			w.ok(w.BringKeys(t.Context()))
		}
		if keys, log := w.count("row_key"), w.count("row_key_log"); keys != 2 || log != 0 {
			t.Errorf("%d keys, %d lines", keys, log)
		}
	}, WithRing(ring))
}

// A sheet of many rows is held against all keys of the collection at once; who waits in the
// log is among them.
func TestManyAreFoundElsewhere(t *testing.T) {
	Engines(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		d := w.draft(w.open(elsewhere))
		d.insert(tianbao.AtEnd, Values(1))
		d.save()
		rep := w.open(unitA)
		b, err := w.Beside(t.Context(), &rep)
		w.ok(err)
		for i := range 500 {
			n := 2 + i
			if i%100 == 99 {
				n = 1
			}
			id, _ := Person(n)
			m, err := b.Elsewhere(id, unitA)
			w.ok(err)
			if m.Found != (n == 1) {
				t.Fatalf("question %d, person %d: found %t", i, n, m.Found)
			}
		}
	})
}
