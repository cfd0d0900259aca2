package web

import (
	"fmt"
	"mime"
	"net/http"

	"tianbao"
)

// A workbook with full ids and phones leaves the house by 原样导出. Who fills in a unit's
// sheet takes it as it is; who exports a sheet that others fill in says why. Every one
// bears a mark: in the footer of its printed pages, and in its cells for `tianbao trace`.

// wireExport are the unsaved changes that an export is to hold, and why it is made.
type wireExport struct {
	wireChanges
	Reason string `json:"reason,omitempty"`
}

// exportPage is the data of export.html.
type exportPage struct {
	Report                      tianbao.ID
	Owner, CSRF, Message, Title string
	Reason                      string
	Rows, Min                   int
}

// fillsIn reports whether the viewer is one of those who fill in the report: it is the
// sheet of a unit of theirs, or below one where they are filler.
func (v *viewer) fillsIn() bool {
	u := v.user()
	for _, g := range u.Grants {
		if g.Role.Allows(tianbao.PowerFill) && g.Unit == v.report.Owner {
			return true
		}
		if g.Role == tianbao.RoleFiller {
			s := tianbao.Scope{Paths: []string{g.UnitPath}}
			if s.Covers(v.report.OwnerPath) {
				return true
			}
		}
	}
	return false
}

// exportReason returns the reason in shape; one is needed where others fill in.
func (s *Server) exportReason(v *viewer, text string) (string, error) {
	if text == "" && v.fillsIn() {
		return "", nil
	}
	reason, err := purposeOf(text)
	if err == nil && !v.fillsIn() {
		if err := needPower(v, tianbao.PowerReveal); err != nil {
			return "", err
		}
		err = s.needFactor(v)
	}
	return reason, err
}

// errPurpose tells a program, or the page with unsaved changes, what is missing.
func errPurpose() error {
	return tianbao.Invalid("purpose", "这张表由其他单位填报，导出要写明用途：请先提交改动，再点“原样导出”。")
}

// export is 原样导出 of the stored sheet; a browser is asked why first where that is
// needed.
func (s *Server) export(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if !v.fillsIn() {
		if wantsJSON(r) {
			return errPurpose()
		}
		return s.askExport(w, r, v, http.StatusOK, "", "")
	}
	return s.exportStored(w, r, v, "")
}

func (s *Server) askExport(w http.ResponseWriter, r *http.Request, v *viewer, status int, message, reason string) error {
	s.page(w, r, v, status, "export.html", "原样导出", &exportPage{
		Report: v.report.ID, Owner: v.report.OwnerName, Title: s.formTitle(v), CSRF: v.signed.CSRF,
		Message: message, Reason: clip(reason, maxPurpose), Rows: v.report.Rows, Min: minPurpose,
	})
	return nil
}

func (s *Server) exportStored(w http.ResponseWriter, r *http.Request, v *viewer, reason string) error {
	if err := s.hold(r.Context(), int64(v.report.Rows)*perRow); err != nil {
		return err
	}
	sheet, err := s.Reports.View(r.Context(), v.actor(), v.report.ID)
	if err != nil {
		return err
	}
	return s.sendWorkbook(w, r, v, sheet.Form, sheet.Rows, sheet.Report.Version, reason)
}

// exportScreen is 原样导出 of the sheet as it is seen, unsaved changes included; from
// the page that asks why, of the stored one.
func (s *Server) exportScreen(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if ct, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); ct == "application/x-www-form-urlencoded" {
		var in wireReveal
		if err := read(r, &in); err != nil {
			return err
		}
		reason, err := s.exportReason(v, in.Reason)
		if err != nil {
			if tianbao.KindOf(err) != tianbao.ErrInvalid {
				return err
			}
			return s.askExport(w, r, v, http.StatusBadRequest, asError(err).Message, in.Reason)
		}
		return s.exportStored(w, r, v, reason)
	}
	var in wireExport
	if err := read(r, &in); err != nil {
		return err
	}
	if in.Reason == "" && !v.fillsIn() {
		return errPurpose()
	}
	reason, err := s.exportReason(v, in.Reason)
	if err != nil {
		return err
	}
	set, err := s.changeSet(r, v, &in.wireChanges)
	if err != nil {
		return err
	}
	scr, rules, err := s.Reports.Screen(r.Context(), v.actor(), set)
	if err != nil {
		return err
	}
	return s.sendWorkbook(w, r, v, rules.Form(), scr.Rows, scr.Report.Version, reason)
}

// markExport makes the mark of an export and writes on the trail what it stands for.
func (s *Server) markExport(r *http.Request, v *viewer, reason string, rows int) (m tianbao.ExportMark, err error) {
	e := v.event(r, "export", fmt.Sprintf("%d rows", rows))
	e.Reason = reason
	if v.report.ID != 0 {
		if m, err = s.newMark(v, reason); err != nil {
			return m, err
		}
		e.Detail += fmt.Sprintf(" mark=%08x", m.Code)
	}
	return m, s.Auth.Record(r.Context(), e)
}
