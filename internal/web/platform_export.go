package web

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/ident"
	"tianbao/internal/provision"
)

// planExportPage is the data of planexport.html.
type planExportPage struct {
	CSRF, Message string
	provision.Head
	Total int
	May   bool
	In    wirePlanExport
	Min   int
	Left  int // held
}

// wirePlanExport asks for the steps of a plan as a file, or for those held.
type wirePlanExport struct {
	Format string `json:"format"` // xlsx or csv
	Held   bool   `json:"held,omitempty"`
	Full   bool   `json:"full,omitempty"`
	Reason string `json:"reason,omitempty"` // with full
}

func (s *Server) askPlanExport(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.planExport(w, r, v, wirePlanExport{Format: "xlsx", Held: r.URL.Query().Get("held") != ""}, nil)
}

func (s *Server) planExport(w http.ResponseWriter, r *http.Request, v *viewer, in wirePlanExport, wrong error) error {
	h, err := s.planOf(r, v)
	if err != nil {
		return err
	}
	p := &planExportPage{CSRF: v.signed.CSRF, Head: h, Total: stepsOf(&h), May: mayReveal(v), In: in, Min: minPurpose}
	for _, n := range h.Held {
		p.Left += n
	}
	status := http.StatusOK
	if wrong != nil {
		e := asError(wrong)
		p.Message, status = e.Message, statuses[e.Kind]
	}
	p.In.Reason = clip(p.In.Reason, maxPurpose)
	s.page(w, r, v, status, "planexport.html", "导出账号方案", p)
	return nil
}

func (s *Server) planOf(r *http.Request, v *viewer) (provision.Head, error) {
	id, err := pathID(r, "plan")
	if err != nil {
		return provision.Head{}, err
	}
	return s.Platform.Store.PlanOf(r.Context(), v.official(r).Scope, id)
}

func stepsOf(h *provision.Head) (n int) {
	for _, states := range h.Steps {
		for _, c := range states {
			n += c
		}
	}
	return n
}

// exportPlan sends the steps of a plan in the platform's field names. Whole ids and phones
// go out by the rules of every export of them; as CSV, which bears no mark, only of a plan
// that a second person has approved.
func (s *Server) exportPlan(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wirePlanExport
	if err := read(r, &in); err != nil {
		return err
	}
	h, err := s.planOf(r, v)
	if err != nil {
		return err
	}
	switch {
	case in.Format != "csv" && in.Format != "xlsx":
		err = tianbao.Invalid("bad_format", "请选择导出为工作簿或 CSV。")
	case !in.Full:
		in.Reason = ""
	case !mayReveal(v):
		return needPower(v, tianbao.PowerReveal)
	case in.Format == "csv" && in.Held:
		err = tianbao.Invalid("held_csv", "CSV 文件里留不下导出标记，暂不处理的人的完整信息只能导出成工作簿。")
	case in.Format == "csv" && h.State != provision.Approved && h.State != provision.Done:
		err = tianbao.Invalid("not_approved", "CSV 文件里留不下导出标记，方案批准以后才能导出完整信息的 CSV；现在可以导出工作簿。")
	default:
		if in.Reason, err = purposeOf(in.Reason); err == nil {
			err = s.needFactor(v)
		}
	}
	if err != nil {
		if again(r, err, tianbao.ErrInvalid) {
			return s.planExport(w, r, v, in, err)
		}
		return err
	}
	leave, err := s.turnToLeave(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	what := fmt.Sprintf("plan of %d steps", stepsOf(&h))
	if in.Held {
		what = "held of a plan"
	}
	mark, err := s.recordLeaving(r, v, h.ID, what, in.Full, in.Reason)
	if err != nil {
		return err
	}
	profile := s.Profile
	title, rows := profile.Title, s.planEntries(r.Context(), h.ID, in.Full)
	form := heldForm()
	if in.Held {
		title, rows = form.Title, s.heldEntries(r.Context(), h.ID, in.Full)
	} else {
		titles := make([]string, len(profile.Columns))
		for i, c := range profile.Columns {
			titles[i] = c.Title
		}
		form = listForm("platform-"+profile.Name, profile.Title, titles...)
	}
	typ := xlsxType
	if in.Format == "csv" {
		typ = "text/csv; charset=utf-8"
	}
	w.Header().Set("Content-Type", typ)
	w.Header().Set("Content-Disposition", disposition(title+"-"+s.Now().In(clock.Shanghai).Format("20060102-1504")+"."+in.Format))
	if err := s.Workbooks.Across(w, form, rows, s.Now(), in.Format == "csv", mark); err != nil {
		return s.brokeOff(r, err)
	}
	return nil
}

// planEntries gives the steps of a plan one by one in the columns of the profile.
func (s *Server) planEntries(ctx context.Context, id tianbao.ID, full bool) iter.Seq2[tianbao.Row, error] {
	mask := func(person, phone string) (string, string) { return ident.MaskID(person), maskLogin(phone) }
	if full {
		mask = nil
	}
	return func(yield func(tianbao.Row, error) bool) {
		n := 0
		for behind := -1; ; {
			lines, err := s.Platform.Store.Lines(ctx, id, behind, "", "", 1000)
			if err != nil {
				yield(tianbao.Row{}, err)
				return
			}
			if len(lines) == 0 {
				return
			}
			var ids []tianbao.ID
			for i := range lines {
				ids = append(append(ids, lines[i].After.Units...), lines[i].Before.Units...)
			}
			units, err := s.PlatformAccounts.UnitsNamed(ctx, ids)
			if err != nil {
				yield(tianbao.Row{}, err)
				return
			}
			for i := range lines {
				l := &lines[i]
				behind = l.N
				e := provision.Entry{Kind: l.Kind, Before: l.Before, After: l.After}
				for _, u := range l.After.Units {
					e.Units = append(e.Units, units[u])
				}
				if len(l.Before.Units) > 0 {
					e.Was = units[l.Before.Units[0]]
				}
				n++
				if !yield(tianbao.Row{Seq: n, Values: s.Profile.Row(&e, mask)}, nil) {
					return
				}
			}
		}
	}
}
