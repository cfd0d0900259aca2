package web

import (
	"net/http"
	"strconv"

	"tianbao"
	"tianbao/internal/report"
)

// undoPage is the data of undo.html.
type undoPage struct {
	Report tianbao.ID
	Undo   *report.Undo
	What   string
	Kept   []historyLine
	Key    string
	CSRF   string
}

// undoPlan tells what taking back a version would do.
func (s *Server) undoPlan(w http.ResponseWriter, r *http.Request, v *viewer) error {
	u, err := s.Reports.PlanUndo(r.Context(), v.actor(), v.report.ID, version(r))
	if err != nil {
		return err
	}
	f, mask, err := s.masked(v)
	if err != nil {
		return err
	}
	out := wireUndo{Version: u.Revision.Version, Cells: u.Cells, Removed: u.Removed, Back: u.Back, Kept: []wireConflict{}}
	p := undoPage{Report: v.report.ID, Undo: u, What: sourceNames[u.Revision.Source], Key: requestID(), CSRF: v.signed.CSRF}
	for _, k := range u.Kept {
		i := f.Index(k.Field)
		k.Base, k.Mine, k.Theirs = mask.Mask(i, k.Base), mask.Mask(i, k.Mine), mask.Mask(i, k.Theirs)
		out.Kept = append(out.Kept, toConflict(k))
		now := k.Theirs
		if k.Kind == "deleted" {
			now = "（行已删除）"
		}
		if len(p.Kept) < maxLines {
			p.Kept = append(p.Kept, historyLine{Field: f.Fields[i].Title, Before: k.Mine, After: now})
		}
	}
	return s.answer(w, r, v, out, "undo.html", "撤销", &p)
}

// undo takes back a version.
func (s *Server) undo(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireSubmit
	if err := read(r, &in); err != nil {
		return err
	}
	if h := r.Header.Get("Idempotency-Key"); h != "" {
		in.Key = h
	}
	_, saved, err := s.Reports.Undo(r.Context(), v.actor(), v.report.ID, version(r), in.Key)
	if err != nil {
		return err
	}
	out, err := s.toSaved(r.Context(), v, saved)
	if err != nil {
		return err
	}
	return s.done(w, r, out, "/reports/"+v.report.ID.String()+"/history")
}

// version reads the version of the path; 0, which no revision has, for nonsense.
func version(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.PathValue("version"), 10, 64)
	if err != nil || n < 0 || n > 1<<53 {
		return 0
	}
	return n
}
