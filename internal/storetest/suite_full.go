package storetest

import (
	"fmt"

	"tianbao/internal/db"
)

// SEC-28: when the disk is full, be it that the trail alone does not fit any more, the
// write is refused whole, and works again once there is space.
func testDiskFull(w *world) {
	ctx := w.t.Context()
	run := func(q string) {
		w.t.Helper()
		w.ok(w.DB().Tx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, q)
			return err
		}))
	}
	var fill, free []string
	if w.DB().Kind() == db.SQLite {
		// The engine's own limit answers as a disk without space does: SQLITE_FULL.
		var pages int64
		w.ok(w.DB().One(ctx, []any{&pages}, "PRAGMA page_count"))
		fill, free = []string{fmt.Sprintf("PRAGMA max_page_count = %d", pages+1)}, []string{"PRAGMA max_page_count = 1000000"}
	} else {
		// PostgreSQL says disk_full; here the trail's table says it, the last one written.
		fill = []string{
			`CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $f$`,
			`CREATE TRIGGER no_space BEFORE INSERT ON trail FOR EACH ROW EXECUTE FUNCTION no_space()`,
		}
		free = []string{"DROP TRIGGER no_space ON trail", "DROP FUNCTION no_space"}
	}
	r := w.open(unitA)
	w.events(3)
	before := w.footprint()
	for _, q := range fill {
		run(q)
	}
	d := w.draft(r)
	last := d.insert(0, Values(1))
	for i := range 400 {
		last = d.insert(last, Values(2+i))
	}
	for try := range 3 {
		if err := w.Commit(ctx, d.Commit); !db.IsFull(err) {
			w.t.Fatalf("try %d on a full disk: %v, want one that IsFull", try+1, err)
		}
	}
	if after := w.footprint(); after != before {
		w.t.Errorf("%s became %s", before, after)
	}
	for _, q := range free {
		run(q)
	}
	if now := d.save(); now.Rows != 401 || now.Version != r.Version+1 {
		w.t.Errorf("with space again: version %d with %d rows", now.Version, now.Rows)
	}
	if f := w.found(); !f.OK() {
		w.t.Errorf("the trail afterwards: %v", f.Faults)
	}
}
