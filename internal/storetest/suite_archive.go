package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/clock"
	"tianbao/internal/db"
)

// SEC-27: what is old goes into a file that verifies by itself, what is younger than six
// months never; the rest verifies from there on, and still shows what was bent.
func testTrailArchive(w *world) {
	ctx := w.t.Context()
	now := clock.System()
	trail := trailOf(w, w.Store)
	calls := 0 // two checkpoints are not of one millisecond
	trail.Now = func() time.Time { calls++; return now.Add(time.Duration(calls) * time.Millisecond) }
	write := func(n int, at time.Time) {
		for i := range n {
			w.ok(w.Record(ctx, tianbao.Event{At: at, Actor: tianbao.ID(500 + i%7), Login: fmt.Sprint("l", i), What: "signin", Object: fmt.Sprint(i)}))
		}
	}
	write(21, now.AddDate(0, -40, 0))
	early, err := trail.Checkpoint(ctx)
	w.ok(err)
	write(14, now.AddDate(0, 0, -185))
	write(7, now.AddDate(0, 0, -179))
	archive := func(before time.Time, keep error) (string, int64, error) {
		var b bytes.Buffer
		n, _, err := trail.Archive(ctx, before, func(line []byte) error {
			b.Write(line)
			return b.WriteByte('\n')
		}, func() error { return keep }, tianbao.Event{}, early)
		return b.String(), n, err
	}
	if _, _, err := archive(now.AddDate(0, 0, -180), nil); !errors.Is(err, audit.ErrTooYoung) {
		w.t.Errorf("records of 180 days ago: %v", err)
	}
	if _, _, err := archive(now.AddDate(0, -50, 0), nil); !errors.Is(err, audit.ErrNothingOld) {
		w.t.Errorf("nothing so old: %v", err)
	}
	if _, _, err := archive(now.AddDate(0, -36, 0), errors.New("no disk")); err == nil {
		w.t.Error("archived although the file was not kept")
	}
	if f := w.found(); !f.OK() || f.Records != 42 || f.Archived != 0 {
		w.t.Fatalf("after refusals: %d records, %d archived, %v", f.Records, f.Archived, f.Faults)
	}
	old, n, err := archive(now.AddDate(0, -36, 0), nil)
	w.ok(err)
	if n != 21 {
		w.t.Errorf("%d records archived, want 21", n)
	}
	second, n, err := archive(now.AddDate(0, -6, 0), nil)
	w.ok(err)
	if n != 14 {
		w.t.Errorf("%d records archived next, want 14", n)
	}
	f, err := trail.Verify(ctx, early)
	w.ok(err)
	if !f.OK() || f.Archived != 35 || f.Records != 9 { // seven, and two of the archives
		w.t.Errorf("the rest: %d records, %d archived, %v", f.Records, f.Archived, f.Faults)
	}
	// The files, each by itself, and what was done to them.
	key := trail.Signer.PublicKey()
	for name, text := range map[string]string{"the first": old, "the second": second} {
		got, err := audit.VerifyExport(strings.NewReader(text), key)
		if err != nil || !got.OK() || !strings.Contains(text, `"sealed":"`) {
			w.t.Errorf("%s archive: %v %v", name, got, err)
		}
		for what, bent := range map[string]string{
			"a line changed":   strings.Replace(text, `"object":"8"`, `"object":"9"`, 1),
			"its start moved":  strings.Replace(text, `"from":["`, `"from":["1`, 1),
			"its start gone":   text[strings.Index(text, "\n")+1:],
			"its end gone":     text[:strings.LastIndex(strings.TrimSpace(text), "\n")],
			"another's end":    text[:strings.LastIndex(strings.TrimSpace(text), "\n")+1] + old[strings.LastIndex(strings.TrimSpace(old), "\n")+1:],
			"the first's head": strings.Replace(text, "tianbao-audit-archive-1", "x", 1),
		} {
			if bent == text {
				continue
			}
			if got, err := audit.VerifyExport(strings.NewReader(bent), key); err == nil && got.OK() {
				w.t.Errorf("%s archive, %s: passes", name, what)
			}
		}
	}
	// An export of the rest verifies too.
	var rest bytes.Buffer
	w.ok(trail.Export(ctx, func(line []byte) error {
		rest.Write(line)
		return rest.WriteByte('\n')
	}))
	if got, err := audit.VerifyExport(bytes.NewReader(rest.Bytes()), key); err != nil || !got.OK() || got.Records != 9 || got.Archived != 35 {
		w.t.Errorf("an export of the rest: %+v %v", got, err)
	}
	// The statement itself takes nothing young, whatever it is asked for.
	var bases, ends [audit.Lanes]audit.Head
	w.ok(w.WalkTrail(ctx, func(from, to [audit.Lanes]audit.Head, _ iter.Seq2[audit.Record, error]) error {
		bases, ends = from, to
		return nil
	}))
	if err := w.DropArchived(ctx, bases, ends, now.Add(time.Second), audit.Signed{}, tianbao.Event{What: "trail.archive"}); !errors.Is(err, audit.ErrTooYoung) {
		w.t.Errorf("young records: %v", err)
	}
	w.archiveBent(ctx)
}

// archiveBent bends where the lanes begin.
func (w *world) archiveBent(ctx context.Context) {
	if f := w.found(); !f.OK() {
		w.t.Fatalf("before: %v", f.Faults)
	}
	lane := audit.LaneOf(&tianbao.Event{Actor: 500})
	for _, tt := range []struct{ do, undo string }{
		{"UPDATE trail_base SET seq = seq + 1 WHERE lane = %d", "UPDATE trail_base SET seq = seq - 1 WHERE lane = %d"},
		{"UPDATE trail_base SET lane = 99 WHERE lane = %d", ""},
	} {
		exec := func(q string) {
			w.ok(w.DB().Tx(ctx, func(tx db.Tx) error {
				_, err := tx.Exec(ctx, fmt.Sprintf(q, lane))
				return err
			}))
		}
		exec(tt.do)
		f, err := trailOf(w, w.Store).Verify(ctx)
		if err == nil && f.OK() {
			w.t.Errorf("%s: not found", tt.do)
		}
		if tt.undo != "" {
			exec(tt.undo)
		}
	}
}
