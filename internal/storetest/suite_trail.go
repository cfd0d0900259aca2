package storetest

import (
	"fmt"
	"sync"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/db"
	"tianbao/internal/store"
)

// trailOf is the trail of a world, with keys of its own.
func trailOf(w *world, s *store.Store) *audit.Service {
	w.t.Helper()
	ring := Ring(w.t)
	secret, err := ring.SigningSecret("audit")
	w.ok(err)
	signer, err := audit.NewSigner(secret)
	w.ok(err)
	return &audit.Service{Store: s, Digest: ring.Digest, Signer: signer, Now: epoch}
}

func (w *world) events(n int) {
	w.t.Helper()
	for i := range n {
		w.ok(w.Record(w.t.Context(), tianbao.Event{
			At: epoch(), Actor: tianbao.ID(500 + i%7), Login: fmt.Sprint("l", i), What: "signin", Object: fmt.Sprint(i), Detail: "d",
		}))
	}
}

func (w *world) found() *audit.Findings {
	w.t.Helper()
	f, err := trailOf(w, w.Store).Verify(w.t.Context())
	w.ok(err)
	return f
}

// Records written at once, in few lanes and many, make whole chains.
func testTrailRaced(w *world) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 12 {
				e := tianbao.Event{At: epoch(), Actor: tianbao.ID(1 + i%3), What: "signin", Object: fmt.Sprint(i, j)}
				if err := w.Record(w.t.Context(), e); err != nil {
					w.t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if f := w.found(); !f.OK() || f.Records < 96 {
		w.t.Errorf("%d records, faults %v", f.Records, f.Faults)
	}
}

// SEC-24: whoever can write to the tables but has no key changes nothing unnoticed.
func testTrailMutations(w *world) {
	ctx := w.t.Context()
	w.events(40)
	if f := w.found(); !f.OK() {
		w.t.Fatalf("an honest trail: %v", f.Faults)
	}
	first := audit.LaneOf(&tianbao.Event{Actor: 500})
	set := func(q string, args ...any) string {
		w.ok(w.DB().Tx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, q, args...)
			return err
		}))
		return q
	}
	at := func(seq int64) string { return fmt.Sprintf(" WHERE lane = %d AND seq = %d", first, seq) }
	tests := []struct {
		name       string
		do, undone []string
	}{
		{"edit an object", []string{"UPDATE trail SET object = 'x'" + at(2)}, []string{"UPDATE trail SET object = '7'" + at(2)}},
		{"edit a time", []string{"UPDATE trail SET at = at + 1" + at(2)}, []string{"UPDATE trail SET at = at - 1" + at(2)}},
		{"swap", []string{"UPDATE trail SET seq = 99" + at(2), "UPDATE trail SET seq = 2" + at(3), "UPDATE trail SET seq = 3" + at(99)}, []string{"UPDATE trail SET seq = 99" + at(2), "UPDATE trail SET seq = 2" + at(3), "UPDATE trail SET seq = 3" + at(99)}},
		{"another lane", []string{"UPDATE trail SET lane = 17" + at(2)}, []string{fmt.Sprintf("UPDATE trail SET lane = %d WHERE lane = 17", first)}},
		{"a head set back", []string{fmt.Sprintf("UPDATE trail_lane SET seq = seq - 1 WHERE lane = %d", first)}, []string{fmt.Sprintf("UPDATE trail_lane SET seq = seq + 1 WHERE lane = %d", first)}},
		{"cut off", []string{fmt.Sprintf("DELETE FROM trail WHERE lane = %d AND seq > 3", first)}, nil},
		{"delete", []string{"DELETE FROM trail" + at(2)}, nil},
		{"delete all of it", []string{"DELETE FROM trail"}, nil},
	}
	for _, tt := range tests {
		for _, q := range tt.do {
			set(q)
		}
		if f := w.found(); f.OK() {
			w.t.Errorf("%s: not found", tt.name)
		}
		for _, q := range tt.undone {
			set(q)
		}
		if tt.undone != nil {
			if f := w.found(); !f.OK() {
				w.t.Fatalf("%s, undone: %v", tt.name, f.Faults)
			}
		}
	}
}

// A checkpoint shows that the whole trail was put back to an earlier state, also one
// with right heads; what was said of a person can be erased.
func testTrailCheckpoints(w *world) {
	ctx := w.t.Context()
	trail := trailOf(w, w.Store)
	w.events(10)
	c, err := trail.Checkpoint(ctx)
	w.ok(err)
	w.events(10)
	w.ok(w.DB().Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE trail SET personal_sealed = $1", []byte{})
		return err
	}))
	f, err := trail.Verify(ctx, c)
	w.ok(err)
	if !f.OK() {
		w.t.Errorf("erased: %v", f.Faults)
	}
	if stored, err := w.Checkpoints(ctx); err != nil || len(stored) != 1 {
		w.t.Errorf("stored checkpoints: %d, %v", len(stored), err)
	}
	w.ok(w.DB().Tx(ctx, func(tx db.Tx) error {
		for _, q := range []string{
			"DELETE FROM trail", "DELETE FROM trail_checkpoint", "UPDATE trail_lane SET seq = 0, mac = ''",
		} {
			if _, err := tx.Exec(ctx, q); err != nil {
				return err
			}
		}
		return nil
	}))
	if f, err := trail.Verify(ctx); err != nil || !f.OK() {
		w.t.Fatalf("an empty database looks like a new one without the checkpoint: %v %v", f, err)
	}
	if f, err := trail.Verify(ctx, c); err != nil || f.OK() {
		w.t.Errorf("a trail put back: not found, %v", err)
	}
}
