package web

import (
	"net/http"
	"slices"
	"strings"

	"tianbao"
	"tianbao/internal/campaign"
)

// unitsShown is how many units a page of the list holds.
const unitsShown = 50

// wireStandings lists units with where they stand. Contacts are masked.
type wireStandings struct {
	Units []wireUnitStanding `json:"units"`
	Next  string             `json:"next,omitempty"` // to go on from, as ?after=
}

type wireUnitStanding struct {
	Unit       tianbao.ID       `json:"unit"`
	Name       string           `json:"name"`
	BudgetCode string           `json:"budget_code,omitempty"`
	RegionName string           `json:"region_name,omitempty"`
	State      tianbao.Standing `json:"state"`
	StateName  string           `json:"state_name"`
	// Rows, Faulty and Since are of now only.
	Rows         int    `json:"rows"`
	Faulty       int    `json:"faulty"`
	Since        string `json:"since,omitempty"`
	Door         string `json:"door"` // how it stands with its time, in words
	ContactName  string `json:"contact_name,omitempty"`
	ContactPhone string `json:"contact_phone,omitempty"`
}

// Mark is the look of the state.
func (u wireUnitStanding) Mark() string { return standingMark(u.State) }

// standingsPage is the data of standings.html.
type standingsPage struct {
	progressPage
	List       []wireUnitStanding
	Next       string
	State      string
	States     []stateChoice
	Regions    []tianbao.Region
	RegionID   tianbao.ID
	Own        bool
	RegionName string
	Reveals    bool
}

type stateChoice struct{ Key, Name string }

// undone chooses all of whom something is awaited.
const undone = "undone"

// statesOf reads ?state=: undone, or one state.
func statesOf(text string) ([]tianbao.Standing, error) {
	switch text {
	case "":
		return nil, nil
	case undone:
		return slices.DeleteFunc(tianbao.Standings(), tianbao.Standing.Done), nil
	}
	for _, s := range tianbao.Standings() {
		if stateKey(s) == text {
			return []tianbao.Standing{s}, nil
		}
	}
	return nil, tianbao.NotFound()
}

// filter reads which units a request asks for.
func (l *looking) filter(r *http.Request) (f campaign.Filter, err error) {
	q := r.URL.Query()
	f.Own = q.Get("own") != ""
	if f.States, err = statesOf(q.Get("state")); err != nil {
		return f, err
	}
	if text := q.Get("region"); text != "" {
		if f.Region, err = tianbao.ParseID(text); err != nil {
			return f, tianbao.NotFound()
		}
	}
	return f, nil
}

// lookUnits is look for lists of units, which a unit with nothing below it has too.
func (s *Server) lookUnits(r *http.Request, v *viewer) (*looking, error) {
	l, err := s.look(r, v)
	if l == nil || l.p == nil || err == nil {
		return l, err
	}
	u, err := s.Catalog.Unit(r.Context(), l.scope, l.unit)
	if err != nil {
		return nil, err
	}
	l.scope = tianbao.Scope{Paths: []string{u.Path}}
	return l, nil
}

// standings lists the units of a part with their contacts, behind ?after=.
func (s *Server) standings(w http.ResponseWriter, r *http.Request, v *viewer) error {
	l, err := s.lookUnits(r, v)
	if err != nil {
		return err
	}
	f, err := l.filter(r)
	if err != nil {
		return err
	}
	list, next, err := s.Campaigns.Units(r.Context(), l.below(), l.c.ID, l.at, f, r.URL.Query().Get("after"), unitsShown)
	if err != nil {
		return err
	}
	regions, err := s.Register.Regions(r.Context())
	if err != nil {
		return err
	}
	names := make(map[tianbao.ID]string, len(regions))
	for _, g := range regions {
		names[g.ID] = g.Name
	}
	out := wireStandings{Units: make([]wireUnitStanding, len(list)), Next: next}
	for i := range list {
		out.Units[i] = s.toStanding(&list[i], names)
	}
	u := v.user()
	p := &standingsPage{
		progressPage: progressPage{CSRF: v.signed.CSRF, ID: l.c.ID, Title: l.c.Title, At: l.p.At, Day: l.day, l: l, Collects: u.May(tianbao.PowerLock)},
		List:         out.Units, State: r.URL.Query().Get("state"), RegionID: f.Region, RegionName: names[f.Region], Own: f.Own, Reveals: u.May(tianbao.PowerReveal),
	}
	if l.node != nil {
		p.Unit, p.Above = &l.node.Unit, l.p.Above(l.unit)
	}
	if next != "" {
		p.Next = nextPage(r, next)
	}
	p.States = []stateChoice{{"", "全部"}, {undone, "未完成"}}
	for _, st := range tianbao.Standings() {
		p.States = append(p.States, stateChoice{stateKey(st), st.Title()})
	}
	return s.answer(w, r, v, out, "standings.html", "单位填报情况", p)
}

// nextPage is the address of the request behind a place of the list.
func nextPage(r *http.Request, after string) string {
	q := r.URL.Query()
	q.Set("after", after)
	return r.URL.Path + "?" + q.Encode()
}

func (s *Server) toStanding(u *campaign.UnitState, regions map[tianbao.ID]string) wireUnitStanding {
	form := s.Org.Checker.Form()
	mask := s.Org.Checker.Mask
	return wireUnitStanding{
		Unit: u.Unit.ID, Name: u.Unit.Name, BudgetCode: u.Unit.BudgetCode, RegionName: regions[u.Unit.Region], State: u.Shown, StateName: u.Shown.Title(),
		Rows: u.Rows, Faulty: u.Faulty, Since: stamp(u.Since), Door: u.Door.Explain(),
		ContactName:  mask(form.Index("contact_name"), u.Contact.Name),
		ContactPhone: mask(form.Index("contact_phone"), u.Contact.Phone),
	}
}

// wireUnitCourse is how a unit has stood in a collection, the last first.
type wireUnitCourse struct {
	wireUnitStanding
	Steps []wireStep `json:"steps"`
}

type wireStep struct {
	At        string           `json:"at"`
	State     tianbao.Standing `json:"state"`
	StateName string           `json:"state_name"`
	Rows      int              `json:"rows"`
	Faulty    int              `json:"faulty"`
	By        string           `json:"by,omitempty"`

	step campaign.Step
}

// Step is the step behind it, for the page.
func (s wireStep) Step() campaign.Step { return s.step }

// Mark is the look of the state.
func (s wireStep) Mark() string { return standingMark(s.State) }

// coursePage is the data of course.html.
type coursePage struct {
	ID      tianbao.ID
	Title   string
	U       wireUnitCourse
	Region  string
	Code    string
	Reveals bool
	// Declared is what the unit declares instead of rows, "" for nothing; Declares: the
	// viewer may declare for it.
	Declared string
	Declares bool
}

// stepsShown is how many changes the page of a unit lists.
const stepsShown = 100

// course shows one unit: where it stands, whom to call, and how it came there.
func (s *Server) course(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	c, _, err := s.Campaigns.Collection(r.Context(), v.runner(r), id)
	if err != nil {
		return err
	}
	u := v.user()
	state, err := s.Campaigns.State(r.Context(), u.Scope(tianbao.PowerSee), c.ID, v.unit.ID)
	if err != nil {
		return err
	}
	state.Contact = v.unit.Contact
	regions, err := s.regionNames(r)
	if err != nil {
		return err
	}
	steps, err := s.Campaigns.Store.StandingHistory(r.Context(), c.ID, v.unit.ID, stepsShown)
	if err != nil {
		return err
	}
	out := wireUnitCourse{wireUnitStanding: s.toStanding(&state, regions), Steps: []wireStep{}}
	for _, st := range steps {
		out.Steps = append(out.Steps, wireStep{stamp(st.At), st.State, st.State.Title(), st.Rows, st.Faulty, st.ByName, st})
	}
	p := &coursePage{
		ID: c.ID, Title: c.Title, U: out, Reveals: u.Scope(tianbao.PowerReveal).Covers(v.unit.Path),
		Code: strings.Join(slices.DeleteFunc([]string{v.unit.BudgetCode, v.unit.OrgCode}, func(c string) bool { return c == "" }), " · "),
	}
	d, err := s.Campaigns.Store.Declaration(r.Context(), c.ID, v.unit.ID)
	if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound {
		return err
	}
	p.Declared, p.Declares = d.Kind.Title(), u.Scope(tianbao.PowerFill).Covers(v.unit.Path)
	return s.answer(w, r, v, out, "course.html", v.unit.Name, p)
}
