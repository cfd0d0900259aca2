package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
)

// count counts a stream in that watches no report; leave counts it out again.
func (h *hub) count(session string) (leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.enter(session, "同时打开的页面太多，这一页不能自动更新，关闭几页不用的即可。"); err != nil {
		return nil, err
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.exit(session)
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
	to := stream{w, http.NewResponseController(w)}
	if !to.begin(r) {
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
				to.event("end", struct{}{})
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
				if !to.event("progress", out) {
					return nil
				}
			case beat && !to.send(": \n\n"):
				return nil
			}
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.live.done:
			to.goodbye()
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
