package web

import (
	"net/http"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/org"
)

// Pages of the register show so many units.
const (
	treePage  = 200
	foundMost = 100
)

// wireEntry is a unit of the register. The contact is masked.
type wireEntry struct {
	ID         tianbao.ID `json:"id"`
	Parent     tianbao.ID `json:"parent"`
	Name       string     `json:"name"`
	BudgetCode string     `json:"budget_code,omitempty"`
	OrgCode    string     `json:"org_code,omitempty"`
	Type       string     `json:"type,omitempty"`
	Kind       string     `json:"kind"`
	Region     tianbao.ID `json:"region"`
	RegionName string     `json:"region_name,omitempty"`
	Below      int        `json:"below"` // open units below it
}

type wireTree struct {
	Day   string      `json:"day,omitempty"` // of another day than today
	Units []wireEntry `json:"units"`
}

// unitsPage is the data of units.html.
type unitsPage struct {
	CSRF     string
	Unit     *tianbao.UnitEntry // nil: the tops of the scope
	Units    []wireEntry
	Day      string // as asked for, "" today
	Today    string
	Query    string
	Searched bool
	Next     int // offset of the next page, 0: none
	Keeper   bool
	Requests bool
}

// KindName names a kind in the users' words.
func (unitsPage) KindName(kind string) string { return org.KindName(kind) }

// regionNames are the names of the regions by id.
func (s *Server) regionNames(r *http.Request) (map[tianbao.ID]string, error) {
	list, err := s.Register.Regions(r.Context())
	if err != nil {
		return nil, err
	}
	names := make(map[tianbao.ID]string, len(list))
	for _, x := range list {
		names[x.ID] = x.Name
	}
	return names, nil
}

func toRegisterEntry(u *tianbao.Unit, below int, regions map[tianbao.ID]string) wireEntry {
	return wireEntry{
		ID: u.ID, Parent: u.Parent, Name: u.Name, BudgetCode: u.BudgetCode, OrgCode: u.OrgCode, Type: u.Type, Kind: u.Kind,
		Region: u.Region, RegionName: regions[u.Region], Below: below,
	}
}

func (s *Server) newUnitsPage(v *viewer) *unitsPage {
	u := v.user()
	return &unitsPage{CSRF: v.signed.CSRF, Today: s.Org.Today().Format(time.DateOnly), Keeper: u.May(tianbao.PowerRegister), Requests: u.May(tianbao.PowerRegister) || u.May(tianbao.PowerFill)}
}

// units shows the tree of the viewer's scope: its tops, or what is right below ?in=; of
// today, or as it was on ?day=.
func (s *Server) units(w http.ResponseWriter, r *http.Request, v *viewer) error {
	u, q := v.user(), r.URL.Query()
	scope := u.Scope(tianbao.PowerSee)
	p := s.newUnitsPage(v)
	regions, err := s.regionNames(r)
	if err != nil {
		return err
	}
	parent := tianbao.ID(0)
	if in := q.Get("in"); in != "" {
		id, err := tianbao.ParseID(in)
		if err != nil {
			return tianbao.NotFound()
		}
		e, err := s.Register.UnitEntry(r.Context(), scope, id)
		if err != nil {
			return err
		}
		p.Unit, parent = &e, id
	}
	day, err := s.Org.ParseDay(q.Get("day"))
	if err != nil {
		return err
	}
	if day.Equal(s.Org.Today()) {
		err = s.treeNow(r, p, scope, parent, regions)
	} else {
		p.Day = day.Format(time.DateOnly)
		err = s.treeThen(r, p, scope, parent, day, regions)
	}
	if err != nil {
		return err
	}
	return s.answer(w, r, v, wireTree{Day: p.Day, Units: p.Units}, "units.html", "单位登记册", p)
}

func (s *Server) treeNow(r *http.Request, p *unitsPage, scope tianbao.Scope, parent tianbao.ID, regions map[tianbao.ID]string) error {
	var list []tianbao.UnitBelow
	var err error
	offset := max(atoi(r.URL.Query().Get("offset"), 0), 0)
	if parent == 0 {
		list, err = s.Register.Roots(r.Context(), scope)
	} else {
		list, err = s.Register.Children(r.Context(), scope, parent, offset, treePage+1)
	}
	if len(list) > treePage && parent != 0 {
		list, p.Next = list[:treePage], offset+treePage
	}
	p.Units = make([]wireEntry, len(list))
	for i := range list {
		p.Units[i] = toRegisterEntry(&list[i].Unit, list[i].Below, regions)
	}
	return err
}

// treeThen works the tree of a day out from all units of that day.
func (s *Server) treeThen(r *http.Request, p *unitsPage, scope tianbao.Scope, parent tianbao.ID, day time.Time, regions map[tianbao.ID]string) error {
	list, err := s.Register.UnitsAsOf(r.Context(), scope, day)
	if err != nil {
		return err
	}
	there, below := make(map[tianbao.ID]bool, len(list)), make(map[string]int)
	for i := range list {
		there[list[i].ID] = true
		path := list[i].Path
		for at := strings.LastIndexByte(path[:len(path)-1], '/'); at > 0; at = strings.LastIndexByte(path[:at], '/') {
			below[path[:at+1]]++
		}
	}
	p.Units = []wireEntry{}
	for i := range list {
		if u := &list[i]; u.Parent == parent || parent == 0 && !there[u.Parent] {
			p.Units = append(p.Units, toRegisterEntry(u, below[u.Path], regions))
		}
	}
	return nil
}

// findUnits is the search of the tree page. What is looked for travels in the body, as
// in searchUnits.
func (s *Server) findUnits(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireUnitQuery
	if err := read(r, &in); err != nil {
		return err
	}
	regions, err := s.regionNames(r)
	if err != nil {
		return err
	}
	u := v.user()
	list, err := s.Catalog.SearchUnits(r.Context(), u.Scope(tianbao.PowerSee), strings.TrimSpace(in.Q), foundMost)
	if err != nil {
		return err
	}
	p := s.newUnitsPage(v)
	p.Query, p.Searched, p.Units = in.Q, true, make([]wireEntry, len(list))
	for i := range list {
		p.Units[i] = toRegisterEntry(&list[i], 0, regions)
	}
	return s.answer(w, r, v, wireTree{Units: p.Units}, "units.html", "单位登记册", p)
}
