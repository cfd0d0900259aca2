package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tianbao"
)

func TestRation(t *testing.T) {
	r := newRation(10)
	a, full := r.take(6)
	if full != nil {
		t.Fatal("an empty room is full")
	}
	if _, full = r.take(5); full == nil {
		t.Error("more is given than there is")
	}
	if give, full := r.take(4); full != nil {
		t.Error("what is left is not given")
	} else {
		give()
	}
	a()
	a() // once is once
	if r.busy() != 0 {
		t.Errorf("%d are held by nobody", r.busy())
	}
	big, full := r.take(100)
	if full != nil {
		t.Fatal("what is more than all of it is never given")
	}
	var e *tianbao.Error
	if _, err := r.await(t.Context(), 1, time.Millisecond); !errors.As(err, &e) || e.RetryAfter == 0 {
		t.Errorf("who waits in vain is told %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.await(gone, 1, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone is told %v", err)
	}
	got := make(chan error)
	go func() { _, err := r.await(t.Context(), 7, time.Minute); got <- err }()
	big()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// A body is counted before it is read, also one that does not say how long it is.
func TestBodiesAreCounted(t *testing.T) {
	s := &Server{bodies: newRation(10 << 20), work: newRation(10 << 20)}
	upload := &route{Upload: true, Body: 8 << 20}
	ask := func(length int64) *http.Request {
		r := httptest.NewRequest("POST", "/", strings.NewReader(""))
		r.ContentLength = length
		return r
	}
	r, back, err := s.admitBody(ask(-1), upload)
	if err != nil || s.bodies.busy() != 8<<20 {
		t.Fatalf("%d taken, %v", s.bodies.busy(), err)
	}
	if err := s.hold(r.Context(), 3<<20); err != nil || s.work.busy() != 3<<20 {
		t.Errorf("%d of work, %v", s.work.busy(), err)
	}
	if _, _, err := s.admitBody(ask(5<<20), upload); asError(err).Kind != tianbao.ErrUnavailable {
		t.Errorf("one too many: %v", err)
	}
	if _, small, err := s.admitBody(ask(smallBody), upload); err != nil || s.bodies.busy() != 8<<20 {
		t.Errorf("a small one: %v", err)
	} else {
		small()
	}
	back()
	if s.bodies.busy() != 0 || s.work.busy() != 0 {
		t.Errorf("%d and %d are held by nobody", s.bodies.busy(), s.work.busy())
	}
	if err := s.hold(t.Context(), 1<<40); err != nil {
		t.Errorf("in the background: %v", err)
	}
}
