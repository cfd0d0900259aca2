package web

import (
	"net/http"
	"strings"
)

// maxUnits is how many units a search answers at most: what a list under a cell shows.
const maxUnits = 20

// wireUnitQuery is a search for units. It travels in the body and not in the URL: a
// clerk may type anything into a cell, an id as well, and URLs are kept in places that
// nobody looks after.
type wireUnitQuery struct {
	Q string `json:"q"`
}

type wireUnits struct {
	Units []wireUnit `json:"units"`
}

// wireUnit is an entry of the register of units as rows of forms have it.
type wireUnit struct {
	Name  string            `json:"name"`
	Note  string            `json:"note,omitempty"` // its code, to tell units of one name apart
	Cells map[string]string `json:"cells"`          // by field key; what the register does not know is left out
}

// searchUnits answers the picker of the unit columns.
func (s *Server) searchUnits(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireUnitQuery
	if err := read(r, &in); err != nil {
		return err
	}
	units, err := s.Catalog.SearchUnits(r.Context(), v.actor().Scope, strings.TrimSpace(in.Q), maxUnits)
	if err != nil {
		return err
	}
	out := wireUnits{Units: make([]wireUnit, len(units))}
	for i := range units {
		u := &units[i]
		out.Units[i] = wireUnit{Name: u.Name, Note: u.BudgetCode, Cells: map[string]string{}}
		if u.BudgetCode == "" {
			out.Units[i].Note = u.OrgCode
		}
		for key, value := range map[string]string{"budget_code": u.BudgetCode, "unit_name": u.Name, "org_code": u.OrgCode, "unit_type": u.Type} {
			if value != "" {
				out.Units[i].Cells[key] = value
			}
		}
	}
	return s.json(w, http.StatusOK, out)
}
