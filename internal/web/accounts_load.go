package web

import (
	"context"
	"net/http"
	"slices"

	"tianbao"
	"tianbao/internal/auth"
)

// accountPlan is a workbook of accounts on its way.
type accountPlan struct {
	*auth.Batch
	made []auth.Activation // once they are created, to be shown again to who sends twice
}

// maxBatches is how many workbooks of accounts are kept: each has few rows.
const maxBatches = 64

// wireBatch is a workbook of accounts: what it would create, or has created.
type wireBatch struct {
	ID       string          `json:"id"`
	File     string          `json:"file"`
	State    string          `json:"state"` // running, ready, applied, failed
	Error    string          `json:"error,omitempty"`
	Code     string          `json:"code,omitempty"`
	Choices  []string        `json:"choices,omitempty"`
	Counts   wireBatchCounts `json:"counts"`
	Remarks  []string        `json:"remarks,omitempty"`
	Accounts []wireNewcomer  `json:"accounts"` // the first of them
	Problems []wireProblem   `json:"problems"`
}

type wireBatchCounts struct {
	Rows  int `json:"rows"`
	New   int `json:"new"`
	Fault int `json:"fault"`
}

type wireNewcomer struct {
	SheetRow int        `json:"sheet_row"`
	Unit     tianbao.ID `json:"unit"`
	UnitName string     `json:"unit_name"`
	Name     string     `json:"name"`
	Phone    string     `json:"phone"` // masked
}

// wireBatchFile is the upload of a workbook of accounts.
type wireBatchFile struct {
	Sheet    string `json:"sheet,omitempty"`
	Password string `json:"password,omitempty"`
}

// batchPage is the data of batch.html.
type batchPage struct {
	CSRF string
	Load *wireBatch // nil: nothing sent yet
	Wait bool
	More int // problems that are not listed
	Most int
}

// batchForm is the form of workbooks of accounts.
func (s *Server) batchForm() (*tianbao.Form, error) {
	rules, err := s.Auth.Batches(func(map[string]string) tianbao.UnitMatch { return tianbao.UnitMatch{} })
	if err != nil {
		return nil, err
	}
	return rules.Form(), nil
}

// batchTemplate sends the blank workbook of accounts.
func (s *Server) batchTemplate(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	form, err := s.batchForm()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", xlsxType)
	w.Header().Set("Content-Disposition", disposition(form.Title+".xlsx"))
	if err := s.Workbooks.Write(w, form, slices.Values([]tianbao.Row(nil)), s.Now(), 0, 0); err != nil {
		return s.brokeOff(r, err)
	}
	return nil
}

func (s *Server) batchStart(w http.ResponseWriter, r *http.Request, v *viewer) error {
	s.page(w, r, v, http.StatusOK, "batch.html", "批量建立账号", &batchPage{CSRF: v.signed.CSRF, Most: auth.MostAccounts})
	return nil
}

// loadBatch takes a workbook and previews it.
func (s *Server) loadBatch(w http.ResponseWriter, r *http.Request, v *viewer) error {
	name, data, err := upload(r)
	if err != nil {
		return err
	}
	form, err := s.batchForm()
	if err != nil {
		return err
	}
	help := ReadHelp{Password: r.PostFormValue("password"), Sheet: r.PostFormValue("sheet")}
	u := v.user()
	scope := u.Scope(tianbao.PowerPeople)
	l, err := s.batches.begin(u.ID, scope.Paths, name, func(ctx context.Context) (imp *tianbao.Import, plan *accountPlan, err error) {
		imp, err = s.readBook(ctx, form.Name, form.Version, data, name, help)
		if err != nil {
			return nil, nil, err
		}
		b, err := s.Auth.PlanBatch(ctx, scope, imp)
		return imp, &accountPlan{Batch: b}, err
	})
	if err != nil {
		return err
	}
	return s.batchAnswer(w, r, v, l, true)
}

// batch shows a workbook's preview, or what has become of it.
func (s *Server) batch(w http.ResponseWriter, r *http.Request, v *viewer) error {
	l, err := s.batches.find(r.PathValue("load"), v.user().ID)
	if err != nil {
		return err
	}
	return s.batchAnswer(w, r, v, l, false)
}

func (s *Server) batchAnswer(w http.ResponseWriter, r *http.Request, v *viewer, l *load[accountPlan], redirect bool) error {
	now, ready := s.batches.wait(r.Context(), l)
	if !wantsJSON(r) && redirect {
		http.Redirect(w, r, "/activation/batch/"+l.id, http.StatusSeeOther)
		return nil
	}
	out := wireBatch{ID: l.id, File: l.file, State: "running", Accounts: []wireNewcomer{}, Problems: []wireProblem{}}
	more := 0
	if ready {
		var err error
		if more, err = s.fillBatch(&out, &now); err != nil {
			return err
		}
	}
	if !wantsJSON(r) && !ready {
		w.Header().Set("Refresh", "2")
	}
	return s.answer(w, r, v, out, "batch.html", "批量建立账号", &batchPage{CSRF: v.signed.CSRF, Load: &out, Wait: !ready, More: more})
}

// fillBatch writes what a step that has ended found; it returns how many problems are not
// listed.
func (s *Server) fillBatch(out *wireBatch, l *load[accountPlan]) (more int, err error) {
	out.State = l.state
	if l.err != nil {
		e := asError(l.err)
		out.Error, out.Code, out.Choices = e.Message, e.Code, e.Choices
		return 0, nil
	}
	form, err := s.batchForm()
	if err != nil {
		return 0, err
	}
	mask, err := s.Mask(form.Name, form.Version)
	if err != nil {
		return 0, err
	}
	p := l.plan
	out.Counts, out.Remarks = wireBatchCounts{p.Rows, len(p.New), p.Faulty}, l.imp.Remarks
	for _, a := range p.New[:min(len(p.New), maxItems)] {
		out.Accounts = append(out.Accounts, wireNewcomer{l.imp.Rows[a.Row].SheetRow, a.Unit.ID, a.Unit.Name, a.Name, mask.Mask(form.Index("phone"), a.Login)})
	}
	for _, pr := range p.Problems[:min(len(p.Problems), maxItems)] {
		out.Problems = append(out.Problems, toProblem(form, l.imp.Rows[pr.Row].SheetRow, &pr))
	}
	return len(p.Problems) - len(out.Problems), nil
}

// createBatch creates the accounts of a preview and answers their codes. Sent twice it
// answers the same codes: nobody is left without them by a double click.
func (s *Server) createBatch(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	u, by := v.user(), v.by(r)
	l, err := s.batches.find(r.PathValue("load"), u.ID)
	if err != nil {
		return err
	}
	scope := u.Scope(tianbao.PowerPeople)
	if !slices.Equal(scope.Paths, l.scope) {
		return tianbao.Invalid("scope_changed", "您的权限在预览之后有变化，请重新上传文件。")
	}
	again := s.batches.apply(l, func(ctx context.Context, p *accountPlan) (err error) {
		p.made, err = s.Auth.CreateBatch(ctx, by, scope, l.imp, p.Batch)
		return err
	})
	now, ready := s.batches.wait(r.Context(), l)
	switch {
	case ready && now.err != nil:
		return now.err
	case !ready || now.state != "applied":
		if again != nil {
			return again
		}
		return s.batchAnswer(w, r, v, l, true)
	}
	return s.slips(w, r, v, now.plan.made)
}

// annotateBatch sends the workbook back with its faults in their cells.
func (s *Server) annotateBatch(w http.ResponseWriter, r *http.Request, v *viewer) error {
	form, err := s.batchForm()
	if err != nil {
		return err
	}
	return annotateLoaded(s, w, r, v, s.batches, form, func(p *accountPlan) []tianbao.Problem { return p.Problems })
}
