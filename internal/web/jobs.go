package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/report"
)

// Limits of background imports.
const (
	maxJobs   = 4 // at once in this process, to bound memory
	jobLife   = 30 * time.Minute
	keepEnded = time.Hour // how long the outcome can be asked for
)

// jobs are the background imports of this process. An import saves whole or not at
// all, so a process that ends in between leaves nothing half done; the clerk sees
// that the job is gone and imports again.
type jobs struct {
	now clock.Clock
	log *slog.Logger
	mu  sync.Mutex
	all map[string]*job
}

// job is one background import.
type job struct {
	id     string
	user   tianbao.ID
	report tianbao.ID
	cancel context.CancelFunc
	ended  time.Time // guarded by jobs.mu

	mu    sync.Mutex
	state wireJob
}

func newJobs(now clock.Clock, log *slog.Logger) *jobs {
	return &jobs{now: now, log: log, all: make(map[string]*job)}
}

// start runs work by itself. A person has one import at a time.
func (js *jobs) start(user, rep tianbao.ID, work func(context.Context, report.Progress) (*wirePlan, error)) (*job, error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	running := 0
	for id, j := range js.all {
		switch {
		case j.ended.IsZero():
			if running++; j.user == user {
				return nil, &tianbao.Error{Kind: tianbao.ErrTooMany, Code: "one_import", RetryAfter: 5, Message: "您有一个导入正在进行，请等它完成或取消后再导入下一个。"}
			}
		case js.now().Sub(j.ended) > keepEnded:
			delete(js.all, id)
		}
	}
	if running >= maxJobs {
		return nil, &tianbao.Error{Kind: tianbao.ErrUnavailable, Code: "busy", RetryAfter: 10, Message: "现在有几个大文件正在导入，请稍候再试。"}
	}
	ctx, cancel := context.WithTimeout(context.Background(), jobLife)
	j := &job{id: requestID() + requestID(), user: user, report: rep, cancel: cancel}
	j.state = wireJob{ID: j.id, State: "running"}
	js.all[j.id] = j
	go func() {
		defer cancel()
		plan, err := work(ctx, j.progress)
		j.end(ctx, plan, err)
		if err != nil && tianbao.KindOf(err) == tianbao.ErrInternal && ctx.Err() == nil {
			js.log.Error("import failed", "job", j.id, "err", err)
		}
		js.mu.Lock()
		j.ended = js.now()
		js.mu.Unlock()
	}()
	return j, nil
}

// find returns a job of the report.
func (js *jobs) find(id string, rep tianbao.ID) (*job, error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	if j := js.all[id]; j != nil && j.report == rep {
		return j, nil
	}
	return nil, tianbao.NotFound()
}

func (j *job) progress(stage string, done, total int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state.Stage, j.state.Done, j.state.Total = stage, done, total
}

func (j *job) end(ctx context.Context, plan *wirePlan, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case err == nil:
		j.state.State, j.state.Plan = "done", plan
	case errors.Is(ctx.Err(), context.Canceled):
		j.state.State, j.state.Error = "cancelled", "导入已取消，什么都没有改变。"
	default:
		e := asError(err)
		j.state.State, j.state.Error, j.state.Code = "failed", e.Message, e.Code
	}
}

func (j *job) wire() wireJob {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state
}

func (s *Server) job(w http.ResponseWriter, r *http.Request, v *viewer) error {
	j, err := s.jobs.find(r.PathValue("job"), v.report.ID)
	if err != nil {
		return err
	}
	return s.json(w, http.StatusOK, j.wire())
}

func (s *Server) cancelJob(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	j, err := s.jobs.find(r.PathValue("job"), v.report.ID)
	if err != nil {
		return err
	}
	j.cancel()
	return s.json(w, http.StatusOK, j.wire())
}
