package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
)

// count counts one more stream of a session in; leave counts it out again.
func (h *hub) count(session string) (leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.streams >= maxStreams || h.perSess[session] >= maxPerSession {
		return nil, &tianbao.Error{
			Kind: tianbao.ErrTooMany, Code: "too_many_streams", RetryAfter: 15,
			Message: "同时打开的页面太多，这一页不能自动更新，关闭几页不用的即可。",
		}
	}
	h.streams++
	h.perSess[session]++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.streams--
		if h.perSess[session]--; h.perSess[session] == 0 {
			delete(h.perSess, session)
		}
	}, nil
}

// progressEvents is the stream of one open progress page. Every second it looks at the
// pulse of the collection, one short question whatever the province's size, and tells the
// figures of the page when they are others: at most one message a second, however many
// units report. The figures come from the same cache as the page's. What the pulse does
// not show, a window that closes or a row that changes without the unit's standing, is
// told with the next beat. The session is not prolonged, and its scope is read anew.
func (s *Server) progressEvents(w http.ResponseWriter, r *http.Request, v *viewer) error {
	l, err := s.look(r, v)
	if err != nil {
		return err
	}
	leave, err := s.live.count(v.signed.CSRF)
	if err != nil {
		return err
	}
	defer leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // a gateway must pass events on as they come
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	// The server's limits are for answers that end.
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{})
	send := func(text string) bool {
		_ = rc.SetWriteDeadline(time.Now().Add(writeLimit)) // a limit, never a decision
		_, err := fmt.Fprint(w, text)
		return err == nil && rc.Flush() == nil
	}
	if !send("retry: 2000\n\n") {
		return nil
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var seen campaign.Pulse
	var told []byte
	for n := 0; ; n++ {
		beat := n%int(beatEvery/pollEvery) == 0
		pulse, err := s.Campaigns.Pulse(r.Context(), l.c.ID)
		if err != nil {
			return nil // the answer has begun; the page comes again
		}
		if pulse != seen || beat {
			seen = pulse
			end, err := s.relook(r.Context(), r, v, l)
			if end {
				send("event: end\ndata: {}\n\n")
			}
			if end || err != nil {
				return nil
			}
			out, _, err := s.toProgress(r, l)
			if err != nil {
				return nil
			}
			at := out.At
			out.At = "" // another second alone is no news
			now, err := json.Marshal(out)
			if err != nil {
				return nil
			}
			switch {
			case !slices.Equal(now, told):
				told, out.At = now, at
				data, err := json.Marshal(out)
				if err != nil || !send("event: progress\ndata: "+string(data)+"\n\n") {
					return nil
				}
			case beat && !send(": \n\n"):
				return nil
			}
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.live.done:
			return nil
		case <-tick.C:
		}
	}
}

// relook counts what a stream looks at anew, within the scope that the session has now;
// end tells that there is none any more.
func (s *Server) relook(ctx context.Context, r *http.Request, v *viewer, l *looking) (end bool, err error) {
	signed, err := s.Auth.Peek(ctx, v.token)
	if tianbao.KindOf(err) == tianbao.ErrUnsigned {
		return true, err
	}
	if err != nil {
		return false, err
	}
	now := &viewer{signed: signed, token: v.token}
	if needPower(now, tianbao.PowerSee) != nil {
		return true, nil
	}
	u := now.user()
	l.scope = u.Scope(tianbao.PowerSee)
	if l.c, _, err = s.Campaigns.Collection(ctx, now.runner(r), l.c.ID); err == nil {
		err = s.count(r, l)
	}
	return err != nil && tianbao.KindOf(err) == tianbao.ErrNotFound, err
}
