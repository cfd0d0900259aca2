package web

import (
	"net/http"
	"strings"
	"time"
)

// Watch is told of each request. It must not block.
type Watch interface {
	// Began is told of its beginning.
	Began()
	// Ended is told of its end. route is the pattern that it matched, "" where it came to
	// none; stream: the answer was a stream of events.
	Ended(route string, status int, took time.Duration, stream bool)
}

// Check is one thing that must be so for the server to be ready.
type Check struct {
	Name string
	// Trouble is a word that says what is wrong, "" when nothing is. Anybody may read it.
	Trouble string
}

// Load is how much of what is bounded is in use.
type Load struct {
	Streams, StreamsMost int // open streams of events
	Reading, ReadingMost int // workbooks being read
	Leaving, LeavingMost int // city views going out
	Imports, ImportsMost int // background imports
	// Requests are worked on; how many may be follows from how long they take.
	Requests, RequestsMost int
}

// Load returns the figures of now.
func (s *Server) Load() Load {
	l := Load{StreamsMost: maxStreams, Reading: len(s.reading), ReadingMost: cap(s.reading), Leaving: len(s.leaving), LeavingMost: cap(s.leaving), ImportsMost: maxJobs}
	l.Requests, l.RequestsMost = s.valve.busy()
	s.live.mu.Lock()
	l.Streams = s.live.streams
	s.live.mu.Unlock()
	s.jobs.mu.Lock()
	defer s.jobs.mu.Unlock()
	for _, j := range s.jobs.all {
		if j.ended.IsZero() {
			l.Imports++
		}
	}
	return l
}

// watched tells who watches of the beginning of a request; the function it returns tells
// of its end, also where a handler gave up in the middle.
func (s *Server) watched(r *http.Request, rec *recorder, start time.Time) func() {
	if s.Watch == nil {
		return func() {}
	}
	s.Watch.Began()
	return func() {
		status := rec.status
		if status == 0 {
			status = http.StatusOK // as net/http answers where a handler wrote nothing
		}
		stream := strings.HasPrefix(rec.Header().Get("Content-Type"), "text/event-stream")
		s.Watch.Ended(r.Pattern, status, time.Since(start), stream)
	}
}

// readyz tells a load balancer whether to send people here.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	out := wireReady{Ready: true, Checks: map[string]string{}}
	if s.Checks == nil {
		return s.healthz(w, r, nil)
	}
	for _, c := range s.Checks(r.Context()) {
		if out.Checks[c.Name] = "ok"; c.Trouble != "" {
			out.Ready, out.Checks[c.Name] = false, c.Trouble
		}
	}
	if !out.Ready {
		return s.json(w, http.StatusServiceUnavailable, out)
	}
	return s.json(w, http.StatusOK, out)
}
