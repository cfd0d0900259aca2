package web

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// Limits of workbooks that are previewed and then carried out. A preview is kept in memory,
// with what is personal in it, until it is carried out or forgotten.
const (
	maxLoads  = 4
	loadLife  = 30 * time.Minute
	loadWait  = 3 * time.Second // how long a request waits for what is done in the background
	loadLimit = 10 * time.Minute
)

// loads are the previews of this process of workbooks of one kind, whose plan is a P; one a
// person. A workbook is carried out whole or not at all, so a process that ends in between
// leaves nothing half done.
type loads[P any] struct {
	now  clock.Clock
	log  *slog.Logger
	most int // are kept
	mu   sync.Mutex
	all  map[string]*load[P]
}

func newLoads[P any](now clock.Clock, log *slog.Logger, most int) *loads[P] {
	return &loads[P]{now: now, log: log, most: most, all: make(map[string]*load[P])}
}

// load is one such workbook.
type load[P any] struct {
	id    string
	user  tianbao.ID
	scope []string
	file  string
	made  time.Time
	done  chan struct{} // closed when the step that runs has ended; guarded by loads.mu

	// What follows is written by the running step and read by others when it has ended.
	state string // reading, ready, applying, applied, failed
	imp   *tianbao.Import
	plan  *P
	err   error
}

// begin makes a load and runs its first step; it takes the place of the person's last
// one.
func (ls *loads[P]) begin(user tianbao.ID, scope []string, file string, read func(context.Context) (*tianbao.Import, *P, error)) (*load[P], error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for id, l := range ls.all {
		if ended(l.done) && (l.user == user || ls.now().Sub(l.made) > loadLife) {
			delete(ls.all, id)
		} else if l.user == user {
			return nil, &tianbao.Error{Kind: tianbao.ErrTooMany, Code: "one_import", RetryAfter: 5, Message: "您有一个导入正在进行，请等它完成或取消后再导入下一个。"}
		}
	}
	if len(ls.all) >= ls.most {
		return nil, &tianbao.Error{Kind: tianbao.ErrUnavailable, Code: "busy", RetryAfter: 10, Message: "现在有几个大文件正在导入，请稍候再试。"}
	}
	l := &load[P]{id: requestID() + requestID(), user: user, scope: scope, file: file, made: ls.now(), state: "reading"}
	ls.all[l.id] = l
	time.AfterFunc(loadLife, func() { // what is personal is not kept longer than it is of use
		ls.mu.Lock()
		defer ls.mu.Unlock()
		delete(ls.all, l.id)
	})
	ls.run(l, func(ctx context.Context) (err error) {
		if l.imp, l.plan, err = read(ctx); err == nil {
			l.state = "ready"
		}
		return err
	})
	return l, nil
}

// run runs a step by itself; the caller holds the lock.
func (ls *loads[P]) run(l *load[P], step func(context.Context) error) {
	done := make(chan struct{})
	l.done = done
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), loadLimit)
		defer cancel()
		defer close(done)
		if l.err = step(ctx); l.err != nil {
			l.state, l.plan = "failed", nil
			if tianbao.KindOf(l.err) == tianbao.ErrInternal {
				ls.log.Error("a previewed workbook failed", "err", l.err)
			}
		}
	}()
}

// apply carries a preview out, once.
func (ls *loads[P]) apply(l *load[P], step func(context.Context, *P) error) error {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if !ended(l.done) || l.state != "ready" {
		return notReady()
	}
	l.state = "applying"
	ls.run(l, func(ctx context.Context) error {
		err := step(ctx, l.plan)
		if err == nil {
			l.state = "applied"
		}
		return err
	})
	return nil
}

// find returns a load of the person.
func (ls *loads[P]) find(id string, user tianbao.ID) (*load[P], error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l := ls.all[id]
	if l == nil || l.user != user || ended(l.done) && ls.now().Sub(l.made) > loadLife {
		return nil, tianbao.NotFound()
	}
	return l, nil
}

// wait waits a little for the running step. It returns what the load has come to, and
// false while the step runs.
func (ls *loads[P]) wait(ctx context.Context, l *load[P]) (load[P], bool) {
	ls.mu.Lock()
	done := l.done
	ls.mu.Unlock()
	t := time.NewTimer(loadWait)
	defer t.Stop()
	select {
	case <-done:
	case <-ctx.Done():
	case <-t.C:
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if !ended(l.done) {
		return load[P]{}, false
	}
	return *l, true
}

// annotateLoaded sends a previewed workbook back with its faults in their cells.
func annotateLoaded[P any](s *Server, w http.ResponseWriter, r *http.Request, v *viewer, ls *loads[P], form *tianbao.Form, problems func(*P) []tianbao.Problem) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	l, err := ls.find(r.PathValue("load"), v.user().ID)
	if err != nil {
		return err
	}
	now, ready := ls.wait(r.Context(), l)
	if !ready || now.plan == nil {
		return notReady()
	}
	e := tianbao.Event{Actor: v.user().ID, From: address(r), What: "annotate"}
	return s.sendAnnotated(w, r, e, form, now.imp, problems(now.plan), l.file)
}

// notReady is for who goes on with a preview that is not there yet, or is used up.
func notReady() error {
	return tianbao.Invalid("not_ready", "这个预览还没有完成，或者已经导入过，请刷新页面查看。")
}

func ended(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
