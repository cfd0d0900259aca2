package web

import (
	"net/http"
	"strings"

	"tianbao"
	"tianbao/internal/org"
)

// wireRegion is a region with the units that it had on a day.
type wireRegion struct {
	ID      tianbao.ID     `json:"id"`
	Parent  tianbao.ID     `json:"parent,omitempty"`
	Code    string         `json:"code,omitempty"` // GB/T 2260, none for a region without
	Name    string         `json:"name"`
	Fiscal  string         `json:"fiscal,omitempty"`
	InScope bool           `json:"in_scope"`
	Units   map[string]int `json:"units"` // by kind
}

type wireRegions struct {
	Day     string       `json:"day"`
	Regions []wireRegion `json:"regions"`
}

// wireSetRegion is what the province decides of a region.
type wireSetRegion struct {
	Fiscal  string `json:"fiscal,omitempty"`
	InScope bool   `json:"in_scope"`
}

// regionsPage is the data of regions.html.
type regionsPage struct {
	CSRF  string
	Today string
	wireRegions
	Sets  bool // the viewer keeps the whole register
	Kinds []kindTotal
}

type kindTotal struct {
	Kind, Name string
	Count      int
}

// keepsAll reports whether somebody keeps the register from a root of the tree on: a
// province's bureau.
func keepsAll(u tianbao.User) bool {
	for _, p := range u.Scope(tianbao.PowerRegister).Paths {
		if strings.Count(p, "/") <= 2 {
			return true
		}
	}
	return false
}

// regionsOf lists the regions, with the units in the viewer's care on ?day=.
func (s *Server) regionsOf(w http.ResponseWriter, r *http.Request, v *viewer) error {
	u := v.user()
	day, err := s.Org.ParseDay(r.URL.Query().Get("day"))
	if err != nil {
		return err
	}
	list, err := s.Register.Regions(r.Context())
	if err != nil {
		return err
	}
	counts, err := s.Register.CountByRegion(r.Context(), u.Scope(tianbao.PowerRegister), day)
	if err != nil {
		return err
	}
	p := &regionsPage{CSRF: v.signed.CSRF, Today: dayText(s.Org.Today()), Sets: keepsAll(u), wireRegions: wireRegions{Day: dayText(day), Regions: make([]wireRegion, len(list))}}
	at := make(map[tianbao.ID]int, len(list))
	for i, x := range list {
		at[x.ID] = i
		p.Regions[i] = wireRegion{ID: x.ID, Parent: x.Parent, Code: x.Code, Name: x.Name, Fiscal: x.Fiscal, InScope: x.InScope, Units: map[string]int{}}
	}
	total := map[string]int{}
	for _, c := range counts {
		total[c.Kind] += c.Count
		if i, ok := at[c.Key]; ok {
			p.Regions[i].Units[c.Kind] += c.Count
		}
	}
	for _, kind := range []string{"bureau", "department", "unit"} {
		p.Kinds = append(p.Kinds, kindTotal{kind, org.KindName(kind), total[kind]})
	}
	return s.answer(w, r, v, p.wireRegions, "regions.html", "行政区划", p)
}

// setRegion stores what the province decides of a region.
func (s *Server) setRegion(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireSetRegion
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := tianbao.ParseID(r.PathValue("region"))
	if err != nil || !keepsAll(v.user()) {
		return tianbao.NotFound()
	}
	in.Fiscal = strings.TrimSpace(in.Fiscal)
	if len(in.Fiscal) > 12 || strings.Trim(in.Fiscal, "0123456789") != "" {
		return tianbao.Invalid("fiscal", "财政区划代码由数字组成，最长 12 位，请改正。")
	}
	e := tianbao.Event{At: s.Now(), Actor: v.user().ID, From: address(r), What: "region.set", Object: id.String()}
	if err := s.Register.SetRegion(r.Context(), id, in.Fiscal, in.InScope, e); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/regions")
}
