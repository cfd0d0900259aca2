package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/org"
)

// Limits of workbooks of the register. A preview is kept in memory, with the contacts in
// it, until it is carried out or forgotten.
const (
	maxLoads  = 4
	loadLife  = 30 * time.Minute
	loadWait  = 3 * time.Second // how long a request waits for what is done in the background
	loadLimit = 10 * time.Minute
)

// unitLoads are the previews of this process, one a person. A workbook is carried out
// whole or not at all, so a process that ends in between leaves nothing half done.
type unitLoads struct {
	now clock.Clock
	log *slog.Logger
	mu  sync.Mutex
	all map[string]*unitLoad
}

// unitLoad is one workbook of the register.
type unitLoad struct {
	id    string
	user  tianbao.ID
	scope []string
	file  string
	made  time.Time
	done  chan struct{} // closed when the step that runs has ended; guarded by unitLoads.mu

	// What follows is written by the running step and read by others when it has ended.
	state string // reading, ready, applying, applied, failed
	imp   *tianbao.Import
	plan  *org.Plan
	err   error
}

// begin makes a load and runs its first step; it takes the place of the person's last
// one.
func (ls *unitLoads) begin(user tianbao.ID, scope []string, file string, read func(context.Context) (*tianbao.Import, *org.Plan, error)) (*unitLoad, error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for id, l := range ls.all {
		if ended(l.done) && (l.user == user || ls.now().Sub(l.made) > loadLife) {
			delete(ls.all, id)
		} else if l.user == user {
			return nil, &tianbao.Error{Kind: tianbao.ErrTooMany, Code: "one_import", RetryAfter: 5, Message: "您有一个导入正在进行，请等它完成或取消后再导入下一个。"}
		}
	}
	if len(ls.all) >= maxLoads {
		return nil, &tianbao.Error{Kind: tianbao.ErrUnavailable, Code: "busy", RetryAfter: 10, Message: "现在有几个大文件正在导入，请稍候再试。"}
	}
	l := &unitLoad{id: requestID() + requestID(), user: user, scope: scope, file: file, made: ls.now(), state: "reading"}
	ls.all[l.id] = l
	time.AfterFunc(loadLife, func() { // contacts are not kept longer than they are of use
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
func (ls *unitLoads) run(l *unitLoad, step func(context.Context) error) {
	done := make(chan struct{})
	l.done = done
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), loadLimit)
		defer cancel()
		defer close(done)
		if l.err = step(ctx); l.err != nil {
			l.state, l.plan = "failed", nil
			if tianbao.KindOf(l.err) == tianbao.ErrInternal {
				ls.log.Error("a workbook of the register failed", "err", l.err)
			}
		}
	}()
}

// apply carries a preview out, once.
func (ls *unitLoads) apply(l *unitLoad, step func(context.Context, *org.Plan) error) error {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if !ended(l.done) || l.state != "ready" {
		return tianbao.Invalid("not_ready", "这个预览还没有完成，或者已经导入过，请刷新页面查看。")
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
func (ls *unitLoads) find(id string, user tianbao.ID) (*unitLoad, error) {
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
func (ls *unitLoads) wait(ctx context.Context, l *unitLoad) (unitLoad, bool) {
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
		return unitLoad{}, false
	}
	return *l, true
}

func ended(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// wireLoad is a workbook of the register on its way.
type wireLoad struct {
	ID       string         `json:"id"`
	File     string         `json:"file"`
	State    string         `json:"state"` // running, ready, applied, failed
	Day      string         `json:"day,omitempty"`
	Error    string         `json:"error,omitempty"`
	Code     string         `json:"code,omitempty"`
	Choices  []string       `json:"choices,omitempty"`
	Counts   wireLoadCounts `json:"counts"`
	Remarks  []string       `json:"remarks,omitempty"`
	Items    []wireLoadItem `json:"items"`
	Problems []wireProblem  `json:"problems"`
}

type wireLoadCounts struct {
	Rows   int `json:"rows"`
	New    int `json:"new"`
	Change int `json:"change"`
	Close  int `json:"close"`
	Same   int `json:"same"`
	Fault  int `json:"fault"`
	Absent int `json:"absent"`
}

type wireLoadItem struct {
	SheetRow int               `json:"sheet_row"`
	Acts     []string          `json:"acts"`
	Name     string            `json:"name"`
	Code     string            `json:"code"`
	Fields   []wireFieldChange `json:"fields,omitempty"`
}

// wireUnitFile is the upload of a workbook of the register.
type wireUnitFile struct {
	Day      string `json:"day,omitempty"`
	Sheet    string `json:"sheet,omitempty"`
	Password string `json:"password,omitempty"`
}

// loadPage is the data of unitload.html.
type loadPage struct {
	CSRF  string
	Today string
	Load  *wireLoad // nil: nothing sent yet
	Wait  bool
	More  int // problems that are not listed
}

// ActTitle names an act in the users' words.
func (loadPage) ActTitle(act string) string { return tianbao.UnitAct(act).Title() }

func (s *Server) loadForm(w http.ResponseWriter, r *http.Request, v *viewer) error {
	s.page(w, r, v, http.StatusOK, "unitload.html", "导入单位登记表", &loadPage{CSRF: v.signed.CSRF, Today: dayText(s.Org.Today())})
	return nil
}

// loadUnits takes a workbook and previews it.
func (s *Server) loadUnits(w http.ResponseWriter, r *http.Request, v *viewer) error {
	name, data, err := upload(r)
	if err != nil {
		return err
	}
	day, err := s.Org.ParseDay(r.PostFormValue("day"))
	if err != nil {
		return err
	}
	help := ReadHelp{Password: r.PostFormValue("password"), Sheet: r.PostFormValue("sheet")}
	u, form := v.user(), s.Org.Checker.Form()
	scope := u.Scope(tianbao.PowerRegister)
	l, err := s.loads.begin(u.ID, scope.Paths, name, func(ctx context.Context) (imp *tianbao.Import, plan *org.Plan, err error) {
		err = s.oneOfFew(ctx, func() error {
			imp, err = s.Workbooks.Read(ctx, data, name, form.Name, form.Version, help)
			return err
		})
		if err == nil {
			plan, err = s.Org.Preview(ctx, scope, imp, day)
		}
		return imp, plan, err
	})
	if err != nil {
		return err
	}
	return s.loadAnswer(w, r, v, l, true)
}

// load shows how far a workbook has come, and its preview.
func (s *Server) load(w http.ResponseWriter, r *http.Request, v *viewer) error {
	l, err := s.loads.find(r.PathValue("load"), v.user().ID)
	if err != nil {
		return err
	}
	return s.loadAnswer(w, r, v, l, false)
}

func (s *Server) loadAnswer(w http.ResponseWriter, r *http.Request, v *viewer, l *unitLoad, redirect bool) error {
	now, ready := s.loads.wait(r.Context(), l)
	if !wantsJSON(r) && redirect {
		http.Redirect(w, r, "/units/import/"+l.id, http.StatusSeeOther)
		return nil
	}
	out := wireLoad{ID: l.id, File: l.file, State: "running", Items: []wireLoadItem{}, Problems: []wireProblem{}}
	more := 0
	if ready {
		more = s.fillLoad(&out, &now)
	}
	if !wantsJSON(r) && !ready {
		w.Header().Set("Refresh", "2")
	}
	return s.answer(w, r, v, out, "unitload.html", "导入单位登记表", &loadPage{CSRF: v.signed.CSRF, Today: dayText(s.Org.Today()), Load: &out, Wait: !ready, More: more})
}

// fillLoad writes what a step that has ended found; it returns how many problems are
// not listed.
func (s *Server) fillLoad(out *wireLoad, l *unitLoad) (more int) {
	out.State = l.state
	if l.err != nil {
		e := asError(l.err)
		out.Error, out.Code, out.Choices = e.Message, e.Code, e.Choices
		return 0
	}
	p, form := l.plan, s.Org.Checker.Form()
	out.Day, out.Remarks = dayText(p.Day), l.imp.Remarks
	out.Counts = wireLoadCounts{p.Rows, p.New, p.Changed, p.Closed, p.Same, p.Faulty, p.Absent}
	for _, pr := range p.Problems {
		if len(out.Problems) == maxItems {
			break
		}
		w := wireProblem{Seq: l.imp.Rows[pr.Row].SheetRow, Field: pr.Field, Code: pr.Code, Severity: string(pr.Severity), Message: pr.Message}
		if f := form.Field(pr.Field); f != nil {
			w.Letter = f.Letter
		}
		out.Problems = append(out.Problems, w)
	}
	for _, it := range p.Items {
		x := wireLoadItem{SheetRow: it.SheetRow, Name: it.Name, Code: it.Code}
		for _, a := range it.Acts {
			x.Acts = append(x.Acts, string(a))
		}
		for _, f := range it.Fields {
			x.Fields = append(x.Fields, wireFieldChange{f.Field, form.Field(f.Field).Title, f.Before, f.After})
		}
		out.Items = append(out.Items, x)
	}
	return len(p.Problems) - len(out.Problems)
}

// applyLoad carries a preview out.
func (s *Server) applyLoad(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	l, err := s.loads.find(r.PathValue("load"), v.user().ID)
	if err != nil {
		return err
	}
	a := v.keeper(r, tianbao.PowerRegister)
	if !slices.Equal(a.Scope.Paths, l.scope) {
		return tianbao.Invalid("scope_changed", "您的权限在预览之后有变化，请重新上传文件。")
	}
	if err := s.loads.apply(l, func(ctx context.Context, p *org.Plan) error { return s.Org.Apply(ctx, a, p) }); err != nil {
		return err
	}
	return s.loadAnswer(w, r, v, l, true)
}

// annotateLoad sends the workbook back with its faults in their cells.
func (s *Server) annotateLoad(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	l, err := s.loads.find(r.PathValue("load"), v.user().ID)
	if err != nil {
		return err
	}
	now, ready := s.loads.wait(r.Context(), l)
	if !ready || now.plan == nil {
		return tianbao.Invalid("not_ready", "这个预览还没有完成，或者已经导入过，请刷新页面查看。")
	}
	e := tianbao.Event{Actor: v.user().ID, From: address(r), What: "annotate", Detail: strconv.Itoa(len(now.imp.Rows)) + " rows"}
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	w.Header().Set("Content-Type", xlsxType)
	w.Header().Set("Content-Disposition", disposition(strings.TrimSuffix(l.file, path.Ext(l.file))+"-批注.xlsx"))
	if err := s.Workbooks.Annotate(w, s.Org.Checker.Form(), now.imp, now.plan.Problems, s.Now()); err != nil {
		return s.brokeOff(r, err)
	}
	return nil
}

// brokeOff ends a download that cannot be ended well.
func (s *Server) brokeOff(r *http.Request, err error) error {
	if r.Context().Err() == nil && !errors.Is(err, http.ErrHandlerTimeout) {
		s.Log.Warn("a workbook broke off", "route", r.Pattern, "err", err)
	}
	panic(http.ErrAbortHandler)
}
