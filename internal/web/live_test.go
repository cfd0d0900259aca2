package web

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"tianbao"
)

// versions is a store of versions that can fail.
type versions struct {
	mu    sync.Mutex
	at    map[tianbao.ID]tianbao.Version
	asked []int
	err   error
}

func (v *versions) set(id tianbao.ID, n int64, by string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.at[id] = tianbao.Version{Number: n, By: by}
}

func (v *versions) read(_ context.Context, ids []tianbao.ID) (map[tianbao.ID]tianbao.Version, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked = append(v.asked, len(ids))
	out := make(map[tianbao.ID]tianbao.Version)
	for _, id := range ids {
		out[id] = v.at[id]
	}
	return out, v.err
}

func TestHub(t *testing.T) {
	v := &versions{at: map[tianbao.ID]tianbao.Version{1: {Number: 3}, 2: {Number: 7}}}
	h := newHub(v.read, slog.New(slog.DiscardHandler))
	defer h.close()
	wang, li := tianbao.User{ID: 11, Name: "王示例"}, tianbao.User{ID: 12, Name: "李示例"}
	join := func(rep tianbao.ID, u tianbao.User, session string) (*seat, func()) {
		t.Helper()
		st, leave, err := h.join(tianbao.Report{ID: rep, Version: v.at[rep].Number}, u, session)
		if err != nil {
			t.Fatal(err)
		}
		return st, leave
	}
	wait := func(st *seat, what string, ok func(state) bool, rep tianbao.ID) {
		t.Helper()
		for range 100 {
			if ok(h.state(rep, st)) {
				return
			}
			select {
			case <-st.news:
			case <-time.After(100 * time.Millisecond):
			}
		}
		t.Fatalf("%s: still %+v", what, h.state(rep, st))
	}
	a, leaveA := join(1, wang, "s1")
	b, leaveB := join(1, li, "s2")
	c, leaveC := join(2, li, "s2")
	wait(a, "who is there", func(s state) bool { return len(s.people) == 1 && s.people[0] == "李示例" && !s.self }, 1)
	if s := h.state(2, c); len(s.people) != 0 || s.self {
		t.Errorf("another sheet: %+v", s)
	}
	v.set(1, 4, "李示例")
	h.look()
	wait(a, "a save", func(s state) bool { return s.version == tianbao.Version{Number: 4, By: "李示例"} }, 1)
	if s := h.state(2, c); s.version.Number != 7 {
		t.Errorf("the other sheet has version %d", s.version.Number)
	}
	again, leaveAgain := join(1, wang, "s3")
	wait(again, "the same person twice", func(s state) bool { return s.self && len(s.people) == 1 }, 1)
	leaveB()
	leaveAgain()
	wait(a, "who has left", func(s state) bool { return len(s.people) == 0 && !s.self }, 1)
	// A database that fails for a while costs nobody the stream; without a kick the
	// hub looks by itself.
	v.mu.Lock()
	v.err = errors.New("down")
	v.mu.Unlock()
	v.set(1, 5, "")
	h.look()
	time.Sleep(20 * time.Millisecond)
	v.mu.Lock()
	v.err = nil
	v.mu.Unlock()
	wait(a, "a save seen later", func(s state) bool { return s.version.Number == 5 }, 1)
	for i := range maxPerSession - 1 {
		join(1, wang, "s1")
		_ = i
	}
	if _, _, err := h.join(tianbao.Report{ID: 1}, wang, "s1"); tianbao.KindOf(err) != tianbao.ErrTooMany {
		t.Errorf("a stream too many: %v", err)
	}
	_ = b
	leaveA()
	leaveC()
	if h.streams != maxPerSession-1 || len(h.rooms) != 1 {
		t.Errorf("%d streams in %d rooms are left", h.streams, len(h.rooms))
	}
	h.close()
	if _, _, err := h.join(tianbao.Report{ID: 1}, wang, "s9"); err == nil {
		t.Error("a stream begins after the end")
	}
}
