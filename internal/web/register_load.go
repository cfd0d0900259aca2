package web

import (
	"context"
	"net/http"
	"slices"

	"tianbao"
	"tianbao/internal/org"
)

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
		imp, err = s.readBook(ctx, form.Name, form.Version, data, name, help)
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

func (s *Server) loadAnswer(w http.ResponseWriter, r *http.Request, v *viewer, l *load[org.Plan], redirect bool) error {
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
func (s *Server) fillLoad(out *wireLoad, l *load[org.Plan]) (more int) {
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
		out.Problems = append(out.Problems, toProblem(form, l.imp.Rows[pr.Row].SheetRow, &pr))
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
	return annotateLoaded(s, w, r, v, s.loads, s.Org.Checker.Form(), func(p *org.Plan) []tianbao.Problem { return p.Problems })
}
