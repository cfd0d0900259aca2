package storetest

import (
	"sync"

	"tianbao"
	"tianbao/internal/auth"
)

// SEC-18: versions of the notice count up and stay; a yes is to the newest, and once.
func testPurpose(w *world) {
	ctx := w.t.Context()
	if n, err := w.Purpose(ctx); err != nil || n.Version != 0 {
		w.t.Fatalf("a notice before there is one: %+v %v", n, err)
	}
	w.ok(w.PutSession(ctx, auth.Session{ID: w.id(), TokenHash: []byte("purpose"), User: clerk, Created: epoch(), Seen: epoch(), Method: auth.ByPassword}, 3))
	informed := func(want bool) {
		w.t.Helper()
		v, _, err := w.Session(ctx, []byte("purpose"))
		w.ok(err)
		if v.Informed != want {
			w.t.Errorf("informed: %t", v.Informed)
		}
	}
	informed(true) // of nothing
	for i, text := range []string{"第一版", "第二版"} {
		v, err := w.PublishPurpose(ctx, text, tianbao.Event{Actor: 5})
		w.ok(err)
		if v != i+1 {
			w.t.Errorf("version %d, want %d", v, i+1)
		}
	}
	informed(false)
	for _, version := range []int{-1, 0, 1, 3} {
		if err := w.AgreeToPurpose(ctx, version, tianbao.Event{Actor: clerk}); tianbao.KindOf(err) != tianbao.ErrConflict {
			w.t.Errorf("yes to version %d: %v", version, err)
		}
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := w.AgreeToPurpose(ctx, 2, tianbao.Event{Actor: clerk}); err != nil {
				w.t.Error(err)
			}
		})
	}
	all.Wait()
	yes, err := w.PurposeYes(ctx, clerk)
	w.ok(err)
	if yes.Version != 2 || yes.At.IsZero() {
		w.t.Errorf("the yes: %+v", yes)
	}
	informed(true)
	list, err := w.Purposes(ctx)
	w.ok(err)
	if len(list) != 2 || list[0].Text != "第二版" || list[0].Yes != 1 || list[1].Yes != 0 {
		w.t.Errorf("the versions: %+v", list)
	}
	var n int
	w.ok(w.DB().One(ctx, []any{&n}, `SELECT COUNT(*) FROM trail WHERE what = 'purpose.agree'`))
	if n != 1 {
		w.t.Errorf("%d lines on the trail of one yes", n)
	}
}
