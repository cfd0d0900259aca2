package web

import (
	"net/http"
	"slices"
	"strconv"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/org"
)

// unitTemplate sends the blank workbook of the register.
func (s *Server) unitTemplate(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	return s.unitBook(w, r, s.Org.Checker.Form().Title+".xlsx", nil)
}

// exportUnits sends the open units that the viewer keeps, as a workbook that can be
// corrected and imported. Contacts are left out: a blank changes nothing there.
func (s *Server) exportUnits(w http.ResponseWriter, r *http.Request, v *viewer) error {
	u := v.user()
	entries, _, err := s.Register.Register(r.Context(), u.Scope(tianbao.PowerRegister), false)
	if err != nil {
		return err
	}
	regions, err := s.Register.Regions(r.Context())
	if err != nil {
		return err
	}
	codes := make(map[tianbao.ID]string, len(regions))
	for _, x := range regions {
		codes[x.ID] = x.Code
		if x.Code == "" {
			codes[x.ID] = x.Name
		}
	}
	form := s.Org.Checker.Form()
	byID := make(map[tianbao.ID]*tianbao.UnitEntry, len(entries))
	for i := range entries {
		byID[entries[i].ID] = &entries[i]
	}
	var rows []tianbao.Row
	for i := range entries {
		e := &entries[i]
		if !e.Open(s.Now()) {
			continue
		}
		above := ""
		if up := byID[e.Parent]; up != nil {
			above = up.OrgCode // one in the whole country, where there is one
			if above == "" {
				above = up.BudgetCode
			}
		}
		row := tianbao.Row{Seq: len(rows) + 1, Values: make(tianbao.Values, len(form.Fields))}
		for key, text := range map[string]string{
			"budget_code": e.BudgetCode, "unit_name": e.Name, "org_code": e.OrgCode, "unit_type": e.Type, "kind": org.KindName(e.Kind),
			"parent_code": above, "region": codes[e.Region],
		} {
			row.Values[form.Index(key)] = text
		}
		rows = append(rows, row)
	}
	event := tianbao.Event{Actor: u.ID, From: address(r), What: "export", Object: form.Name, Detail: strconv.Itoa(len(rows)) + " units"}
	if err := s.Auth.Record(r.Context(), event); err != nil {
		return err
	}
	return s.unitBook(w, r, form.Title+"-"+s.Now().In(clock.Shanghai).Format("20060102-1504")+".xlsx", rows)
}

func (s *Server) unitBook(w http.ResponseWriter, r *http.Request, name string, rows []tianbao.Row) error {
	w.Header().Set("Content-Type", xlsxType)
	w.Header().Set("Content-Disposition", disposition(name))
	if err := s.Workbooks.Write(w, s.Org.Checker.Form(), slices.Values(rows), s.Now(), 0, 0); err != nil {
		return s.brokeOff(r, err)
	}
	return nil
}
