package web

import (
	"net/http"

	"tianbao"
)

// wireContact is whom to call at a unit, whole.
type wireContact struct {
	Unit  tianbao.ID  `json:"unit"`
	Name  string      `json:"name"`
	Cells []wireNamed `json:"cells"`
}

// contactToReveal is the contact of the path's unit as it is shown masked.
func (s *Server) contactToReveal(r *http.Request, v *viewer) (tianbao.Campaign, *revealPage, error) {
	id, err := pathID(r, "campaign")
	if err != nil {
		return tianbao.Campaign{}, nil, err
	}
	c, _, err := s.Campaigns.Collection(r.Context(), v.runner(r), id)
	if err != nil {
		return c, nil, err
	}
	back := collectionPath(c.ID) + "/progress/units/" + v.unit.ID.String()
	return c, &revealPage{
		Owner: v.unit.Name, Action: r.URL.Path, CSRF: v.signed.CSRF, Min: minPurpose, Limit: s.RevealLimit, Back: back, BackTo: "单位填报情况",
		Cells: s.contactCells(&v.unit, s.Org.Checker.Mask),
	}, nil
}

func (s *Server) contactCells(e *tianbao.UnitEntry, show func(int, string) string) []wireNamed {
	form := s.Org.Checker.Form()
	cell := func(key, value string) wireNamed {
		i := form.Index(key)
		return wireNamed{Key: key, Title: form.Fields[i].Title, Value: show(i, value)}
	}
	cells := []wireNamed{cell("contact_name", e.Contact.Name), cell("contact_phone", e.Contact.Phone)}
	if e.Contact.Mail != "" {
		cells = append(cells, cell("contact_mail", e.Contact.Mail))
	}
	return cells
}

// contactForm asks why the contact is wanted whole.
func (s *Server) contactForm(w http.ResponseWriter, r *http.Request, v *viewer) error {
	_, p, err := s.contactToReveal(r, v)
	if err == nil {
		err = s.needFactor(v)
	}
	if err != nil {
		return err
	}
	s.page(w, r, v, http.StatusOK, "reveal.html", "查看完整信息", p)
	return nil
}

// revealContact shows the contact of a unit once; it counts as a row does.
func (s *Server) revealContact(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireReveal
	if err := read(r, &in); err != nil {
		return err
	}
	c, p, err := s.contactToReveal(r, v)
	if err != nil {
		return err
	}
	e := tianbao.Event{
		Actor: v.user().ID, Owner: v.unit.ID, From: address(r), What: "reveal", Object: c.ID.String(),
		Detail: "contact of unit=" + v.unit.ID.String(),
	}
	return s.showWhole(w, r, v, in.Reason, e, p, func() (cells []wireNamed, out any) {
		cells = s.contactCells(&v.unit, plain)
		return cells, wireContact{v.unit.ID, v.unit.Name, cells}
	})
}
