package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"tianbao"
)

// Limits of event streams. A browser opens six connections to a server; a person with
// many sheets open keeps some for the saves.
const (
	maxStreams    = 2000
	maxPerSession = 4
	pollEvery     = time.Second
	beatEvery     = 15 * time.Second // below the minute after which gateways cut what is silent
	writeLimit    = 30 * time.Second
)

// hub tells the open sheets of this process what happens to their reports. It looks
// at the versions of all watched reports with one query, every second and after each
// save of this process, so it sees the saves of other processes too. Who is on a
// sheet is known within this process only.
type hub struct {
	versions func(context.Context, []tianbao.ID) (map[tianbao.ID]tianbao.Version, error)
	log      *slog.Logger
	kick     chan struct{}
	done     chan struct{}

	mu      sync.Mutex
	rooms   map[tianbao.ID]*room
	streams int
	perSess map[string]int
	polling bool
	closed  bool
}

// room is a report that is being watched.
type room struct {
	version tianbao.Version
	seats   map[*seat]bool
}

// seat is one open stream.
type seat struct {
	user    tianbao.ID
	name    string
	session string
	news    chan struct{} // something changed
}

// state is what a stream tells.
type state struct {
	version tianbao.Version
	people  []string // others on the sheet
	self    bool     // the same person has it open elsewhere too
}

func newHub(versions func(context.Context, []tianbao.ID) (map[tianbao.ID]tianbao.Version, error), log *slog.Logger) *hub {
	return &hub{
		versions: versions, log: log, kick: make(chan struct{}, 1), done: make(chan struct{}),
		rooms: make(map[tianbao.ID]*room), perSess: make(map[string]int),
	}
}

// join begins to watch a report; leave ends it.
func (h *hub) join(rep tianbao.Report, user tianbao.User, session string) (st *seat, leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.enter(session, "同时打开的表太多，这一张不能及时显示他人的改动，关闭几张不用的表即可。"); err != nil {
		return nil, nil, err
	}
	st = &seat{user: user.ID, name: user.Name, session: session, news: make(chan struct{}, 1)}
	rm := h.rooms[rep.ID]
	if rm == nil {
		rm = &room{version: tianbao.Version{Number: rep.Version, By: rep.UpdatedBy}, seats: make(map[*seat]bool)}
		h.rooms[rep.ID] = rm
	}
	rm.seats[st] = true
	rm.tell()
	if !h.polling {
		h.polling = true
		go h.poll()
	}
	return st, func() { h.leave(rep.ID, st) }, nil
}

// enter counts one more stream of a session in, exit counts it out; the caller holds the
// lock. Where there are too many, message says what that means for the page.
func (h *hub) enter(session, message string) error {
	if h.closed || h.streams >= maxStreams || h.perSess[session] >= maxPerSession {
		return &tianbao.Error{Kind: tianbao.ErrTooMany, Code: "too_many_streams", RetryAfter: 15, Message: message}
	}
	h.streams++
	h.perSess[session]++
	return nil
}

func (h *hub) exit(session string) {
	h.streams--
	if h.perSess[session]--; h.perSess[session] == 0 {
		delete(h.perSess, session)
	}
}

func (h *hub) leave(rep tianbao.ID, st *seat) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rm := h.rooms[rep]
	delete(rm.seats, st)
	h.exit(st.session)
	if len(rm.seats) == 0 {
		delete(h.rooms, rep)
	}
	rm.tell()
}

func (rm *room) tell() {
	for st := range rm.seats {
		select {
		case st.news <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// state returns what the seat should know now.
func (h *hub) state(rep tianbao.ID, st *seat) state {
	h.mu.Lock()
	defer h.mu.Unlock()
	rm := h.rooms[rep]
	out := state{version: rm.version, people: []string{}}
	names := make(map[tianbao.ID]string)
	for o := range rm.seats {
		switch {
		case o.user != st.user:
			names[o.user] = o.name
		case o != st:
			out.self = true
		}
	}
	for _, n := range names {
		out.people = append(out.people, n)
	}
	slices.Sort(out.people)
	return out
}

// look makes the hub look at the versions now.
func (h *hub) look() {
	select {
	case h.kick <- struct{}{}:
	default:
	}
}

// poll looks at the versions while anybody watches.
func (h *hub) poll() {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-h.kick:
		case <-h.done:
			return
		}
		h.mu.Lock()
		if len(h.rooms) == 0 {
			h.polling = false
			h.mu.Unlock()
			return
		}
		ids := make([]tianbao.ID, 0, len(h.rooms))
		for id := range h.rooms {
			ids = append(ids, id)
		}
		h.mu.Unlock()
		slices.SortFunc(ids, cmp.Compare)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		now, err := h.versions(ctx, ids)
		cancel()
		if err != nil {
			h.log.Warn("the versions of watched reports could not be read", "err", err)
			continue
		}
		h.mu.Lock()
		for id, v := range now {
			if rm := h.rooms[id]; rm != nil && v.Number > rm.version.Number {
				rm.version = v
				rm.tell()
			}
		}
		h.mu.Unlock()
	}
}

// close ends all streams, and lets no new one begin.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.done)
	}
}

// wireEventVersion and wireEventPeople are the data of the events.
type wireEventVersion struct {
	Version int64  `json:"version"`
	By      string `json:"by"`
}

type wireEventPeople struct {
	People []string `json:"people"` // others who have the sheet open, by name
	Self   bool     `json:"self"`   // so has the same person, in another window
}

// events is the stream of one open sheet. It lasts as long as session, scope and
// connection do, and does not prolong the session.
func (s *Server) events(w http.ResponseWriter, r *http.Request, v *viewer) error {
	st, leave, err := s.live.join(v.report, v.user(), v.signed.CSRF)
	if err != nil {
		return err
	}
	defer leave()
	out := stream{w, http.NewResponseController(w)}
	if !out.begin(r) {
		return nil
	}
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	told := state{version: tianbao.Version{Number: -1}}
	for {
		select {
		case <-r.Context().Done():
			return nil
		case <-s.live.done:
			out.goodbye()
			return nil
		case <-beat.C:
			if !out.send(": \n\n") {
				return nil
			}
		case <-st.news:
		}
		if end, err := s.streamEnded(r.Context(), v); err != nil || end {
			if end {
				out.event("end", struct{}{})
			}
			return nil // the answer has begun; the page comes again
		}
		now := s.live.state(v.report.ID, st)
		if now.version != told.version && !out.event("version", wireEventVersion{now.version.Number, now.version.By}) {
			return nil
		}
		if (now.self != told.self || told.people == nil || !slices.Equal(now.people, told.people)) && !out.event("people", wireEventPeople{now.people, now.self}) {
			return nil
		}
		told = now
	}
}

// streamEnded reports whether the session ended or the report left its scope.
func (s *Server) streamEnded(ctx context.Context, v *viewer) (bool, error) {
	signed, err := s.Auth.Peek(ctx, v.token)
	if err == nil {
		now := &viewer{signed: signed}
		_, err = s.Reports.Store.Report(ctx, now.actor().Scope, v.report.ID)
		if needPower(now, tianbao.PowerFill) != nil {
			return true, nil
		}
	}
	switch tianbao.KindOf(err) {
	case tianbao.ErrUnsigned, tianbao.ErrNotFound:
		return true, nil
	}
	return false, err
}
