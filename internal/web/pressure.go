package web

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// How many requests are worked on at once follows from how long they take: when those that
// come in great numbers take longer than pressTarget in the mean, fewer are let in, and more
// again while there are always as many as may be. What is too much is refused at once, before
// anything is asked of the database, so that what is let in stays fast; a server that takes
// all of it in answers nobody in time.
const (
	pressTarget = 250 * time.Millisecond
	pressWindow = 100 * time.Millisecond
	pressSample = 8   // fewer are no measure
	pressLeast  = 64  // may always be worked on: a tenth of a second of work, what comes while a disk stalls
	pressFirst  = 128 // what a second of work is, where a request costs ten milliseconds of two processors
	pressMost   = 512 // half of what may wait for the writer
)

// valve counts the requests that are worked on and says how many may be.
type valve struct {
	now clock.Clock

	mu     sync.Mutex
	limit  float64
	in     int
	full   bool      // the limit was met in this window
	since  time.Time // the window's beginning
	timed  int
	sum    time.Duration
	refuse int // in a row of the answers that spread the returns
}

func newValve(now clock.Clock) *valve { return &valve{now: now, limit: pressFirst} }

// enter lets a request in. Who only reads has three quarters of the room: what somebody has
// typed goes first.
func (v *valve) enter(reads bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	most := v.limit
	if reads {
		most *= .75
	}
	if float64(v.in+1) > most {
		v.full = true
		return false
	}
	v.in++
	return true
}

// leave ends a request that was let in; took is how long it was worked on, where it is one
// of those that are measured, otherwise negative.
func (v *valve) leave(took time.Duration) {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.in--
	if took >= 0 {
		v.timed++
		v.sum += took
	}
	if now.Sub(v.since) < pressWindow || v.timed < pressSample {
		return
	}
	switch mean := v.sum / time.Duration(v.timed); {
	case mean > pressTarget:
		v.limit = max(pressLeast, v.limit*.8)
	case v.full:
		v.limit = min(pressMost, v.limit*1.05+1)
	}
	v.full, v.since, v.timed, v.sum = false, now, 0, 0
}

// wait lets a request that is let in wait for its sender: it takes no room meanwhile, or
// some hundred who send slowly would keep everybody out. The function it returns ends that,
// whether there is room or not.
func (v *valve) wait() (end func()) {
	v.mu.Lock()
	v.in--
	v.mu.Unlock()
	return func() {
		v.mu.Lock()
		v.in++
		v.mu.Unlock()
	}
}

// slowBody is the body of a request, for which the valve does not wait.
type slowBody struct {
	io.ReadCloser
	s      *Server
	waited time.Duration
}

// Read implements io.Reader.
func (b *slowBody) Read(p []byte) (int, error) {
	start, end := b.s.Now(), b.s.valve.wait()
	defer func() {
		end()
		b.waited += b.s.Now().Sub(start)
	}()
	return b.ReadCloser.Read(p)
}

// again returns after how many seconds the next one who is refused may try again: they are
// told different ones, so that they do not all come back at once.
func (v *valve) again() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.refuse++
	return 2 + v.refuse%4
}

// busy returns how many requests are worked on, and how many may be.
func (v *valve) busy() (in, most int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.in, int(v.limit)
}

// pressed tells whether a request counts in the valve, and whether its time is a measure.
// Health, figures and files of the pages are always answered; streams of events are open for
// hours; files that come in or go out have bounds of their own and take long.
func pressed(r *http.Request) (counts, measured bool) {
	path := r.URL.Path
	switch {
	case path == "/healthz", path == "/readyz", path == "/openapi.json", strings.HasPrefix(path, "/ui/"), strings.HasSuffix(path, "/events"):
		return false, false
	case strings.HasSuffix(path, "/export"), strings.HasSuffix(path, "/imports"):
		return true, false
	}
	return true, strings.HasPrefix(path, "/reports/") || strings.HasPrefix(path, "/campaigns/")
}

// paced refuses what is too much.
func (s *Server) paced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counts, measured := pressed(r)
		if !counts {
			next.ServeHTTP(w, r)
			return
		}
		if !s.valve.enter(!unsafeMethod(r.Method)) {
			s.turnAway(w, r)
			return
		}
		if s.Patience > 0 {
			ctx, cancel := context.WithTimeout(r.Context(), s.Patience)
			defer cancel()
			r = r.WithContext(ctx)
		}
		start := s.Now()
		body := &slowBody{ReadCloser: r.Body, s: s}
		r.Body = body
		defer func() {
			took := time.Duration(-1)
			if measured {
				took = max(0, s.Now().Sub(start)-body.waited)
			}
			s.valve.leave(took)
		}()
		next.ServeHTTP(w, r)
	})
}

// turnAway answers who comes when there is no room. It costs as little as an answer can:
// no session, no page, no line of the log; who watches counts it.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request) {
	if s.Watch != nil {
		s.Watch.Began()
		defer s.Watch.Ended("", http.StatusServiceUnavailable, 0, false)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	e := errCrowded(s.valve.again())
	retryAfter(w, e)
	if wantsJSON(r) {
		writeFailure(w, http.StatusServiceUnavailable, wireError{Code: e.Code, Message: e.Message})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, e.Message+"\n")
}

func errCrowded(seconds int) *tianbao.Error {
	return &tianbao.Error{
		Kind: tianbao.ErrUnavailable, Code: "crowded", RetryAfter: seconds,
		Message: "现在使用的人很多，您的内容还没有保存，请不要关闭页面，过几秒再试一次。",
	}
}
