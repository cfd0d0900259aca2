package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
	"tianbao/internal/living"
)

// 人员登记: a collection that is kept as a register after its round, for bureaus.

// member is the viewer as registers know it.
func (v *viewer) member(r *http.Request) living.Actor {
	u := v.user()
	return living.Actor{
		Doer: tianbao.Doer{User: u.ID, Login: u.Login, Name: u.Name}, From: address(r),
		Fills: u.Scope(tianbao.PowerFill), Reviews: u.Scope(tianbao.PowerRegister), Sees: u.Scope(tianbao.PowerSee),
	}
}

type wireRegisters struct {
	Registers []wireRegister `json:"registers"`
}

type wireRegister struct {
	ID      tianbao.ID `json:"id"` // of the collection
	Title   string     `json:"title"`
	Since   string     `json:"since"`
	Accepts bool       `json:"accepts,omitempty"` // changes wait until a bureau accepts them
	Waiting int        `json:"waiting,omitempty"`
	// Returned are changes of the own unit that were returned and after which it reported none.
	Returned int        `json:"returned,omitempty"`
	Unit     tianbao.ID `json:"unit,omitempty"` // the caller's own
}

// registersPage is the data of registers.html.
type registersPage struct{ Registers []wireRegister }

// registers lists the registers of people.
func (s *Server) registers(w http.ResponseWriter, r *http.Request, v *viewer) error {
	list, err := s.registerList(r, v)
	if err != nil {
		return err
	}
	return s.answer(w, r, v, wireRegisters{list}, "registers.html", "人员登记", &registersPage{list})
}

// returnedFor is how long a unit is told that a change was returned.
const returnedFor = 60 * 24 * time.Hour

func (s *Server) registerList(r *http.Request, v *viewer) ([]wireRegister, error) {
	list, err := s.Living.Registers(r.Context())
	if err != nil {
		return nil, err
	}
	out := []wireRegister{}
	if len(list) == 0 {
		return out, nil
	}
	waiting, err := s.Living.Store.CountChanges(r.Context(), v.member(r).Sees)
	if err != nil {
		return nil, err
	}
	own := tianbao.ID(0)
	for _, g := range v.user().Grants {
		if own == 0 && g.Role.Allows(tianbao.PowerFill) {
			own = g.Unit
		}
	}
	returned := make(map[tianbao.ID]int)
	if own != 0 {
		returned, err = s.Living.Store.ReturnedChanges(r.Context(), v.member(r).Fills, own, s.Now().Add(-returnedFor))
		if err != nil {
			return nil, err
		}
	}
	for i := range list {
		c := &list[i]
		out = append(out, wireRegister{ID: c.ID, Title: c.Title, Since: stamp(c.Kept), Accepts: c.Accepts, Waiting: waiting[c.ID], Returned: returned[c.ID], Unit: own})
	}
	return out, nil
}

type wireRegisterChanges struct {
	Changes []wirePersonChange `json:"changes"`
	Next    tianbao.ID         `json:"next,omitempty"` // before= of the next ones
}

// wirePersonChange is a change of a person. Ids and phones in it are masked.
type wirePersonChange struct {
	ID       tianbao.ID          `json:"id"`
	Kind     tianbao.ChangeKind  `json:"kind"`
	State    tianbao.ChangeState `json:"state"`
	Unit     tianbao.ID          `json:"unit,omitempty"` // none: it lies out of sight
	UnitName string              `json:"unit_name,omitempty"`
	From     tianbao.ID          `json:"from,omitempty"` // the unit that was left by moving
	FromName string              `json:"from_name,omitempty"`
	Day      string              `json:"day"`
	Person   string              `json:"person,omitempty"`
	Row      tianbao.ID          `json:"row,omitempty"`
	Cells    []wireCell          `json:"cells,omitempty"`
	Why      string              `json:"why,omitempty"`
	By       string              `json:"by,omitempty"`
	At       string              `json:"at"`
	Decider  string              `json:"decider,omitempty"`
	Decided  string              `json:"decided,omitempty"`
	Remark   string              `json:"remark,omitempty"`
	Mine     bool                `json:"mine,omitempty"` // the caller may decide it

	day, made, decided time.Time
	fields             []filledCell
}

// Days and times for the page.
func (w *wirePersonChange) Since() time.Time     { return w.day }
func (w *wirePersonChange) Made() time.Time      { return w.made }
func (w *wirePersonChange) DecidedAt() time.Time { return w.decided }

// What names the change in the users' words; to the unit that was left a move is 调出.
func (w *wirePersonChange) What() string {
	if w.Kind == tianbao.ChangeMove && w.Unit == 0 {
		return "调出"
	}
	return w.Kind.Title()
}

// Fields are the cells that tell who it is and what changes, by the form's titles.
func (w *wirePersonChange) Fields() []filledCell { return w.fields }

// Mark is the look of the state.
func (w *wirePersonChange) Mark() string {
	switch w.State {
	case tianbao.ChangeAccepted:
		return "badge-reported"
	case tianbao.ChangeReturned:
		return "badge-fault"
	case tianbao.ChangeWaiting:
		return "badge-draft"
	}
	return "badge-empty"
}

// toPersonChanges masks changes for whoever looks.
func (s *Server) toPersonChanges(list []tianbao.PersonChange, mine map[tianbao.ID]bool) ([]wirePersonChange, error) {
	out := []wirePersonChange{}
	for i := range list {
		c := &list[i]
		x := wirePersonChange{
			ID: c.ID, Kind: c.Kind, State: c.State, Unit: c.Unit, UnitName: c.UnitName, From: c.From, FromName: c.FromName,
			Day: c.Day.In(clock.Shanghai).Format(time.DateOnly), Row: cmp.Or(c.At.Row, c.FromAt.Row), Why: c.Why, By: c.ByName, At: stamp(c.Made),
			Decider: c.DeciderName, Decided: stamp(c.Decided), Remark: c.Remark, Mine: mine[c.ID], day: c.Day, made: c.Made, decided: c.Decided,
		}
		if c.Erased {
			out = append(out, x)
			continue
		}
		rules, err := s.Reports.Rules(c.Form, c.FormV)
		if err != nil {
			return nil, err
		}
		mask, err := s.Mask(c.Form, c.FormV)
		if err != nil {
			return nil, err
		}
		f := rules.Form()
		if len(c.Values) == len(f.Fields) {
			x.Person = personIn(f, c.Values)
		}
		for k := range f.Fields {
			fd := &f.Fields[k]
			if len(c.Values) != len(f.Fields) || c.Values[k] == "" || !ofPerson(f, fd) {
				continue
			}
			cell := wireCell{Field: fd.Key, After: mask.Mask(k, c.Values[k])}
			text := cell.After
			if c.Kind == tianbao.ChangePhone && len(c.Before) == len(f.Fields) && c.Before[k] != c.Values[k] {
				cell.Before = mask.Mask(k, c.Before[k])
				text = cell.Before + " → " + text
			}
			x.Cells = append(x.Cells, cell)
			x.fields = append(x.fields, filledCell{Key: fd.Key, Title: fd.Title, Value: text})
		}
		out = append(out, x)
	}
	return out, nil
}

// ofPerson reports whether a field says something of a person besides the name, which
// stands above.
func ofPerson(f *tianbao.Form, fd *tianbao.Field) bool {
	return !slices.Contains(f.UnitKeys, fd.Key) && fd.Kind != tianbao.KindChoice && fd.Kind != tianbao.KindName
}

// changesSize is how many changes one page lists.
const changesSize = 50

// registerChangesPage is the data of register.html.
type registerChangesPage struct {
	C       tianbao.Campaign
	CSRF    string
	State   string
	Message string
	wireRegisterChanges
}

// States are the states by which the list is chosen.
func (p *registerChangesPage) States() []tianbao.ChangeState { return tianbao.ChangeStates() }

// registerChanges lists changes of people for those who decide them, and all who see.
func (s *Server) registerChanges(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.registerChangesShow(w, r, v, http.StatusOK, "")
}

func (s *Server) registerChangesShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, message string) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	c, err := s.Catalog.Campaign(r.Context(), id)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	state := tianbao.ChangeState(q.Get("state"))
	if !q.Has("state") {
		state = tianbao.ChangeWaiting
	}
	f := living.Filter{Campaign: id, State: state, Limit: changesSize + 1}
	f.Before, _ = tianbao.ParseID(q.Get("before"))
	f.Unit, _ = tianbao.ParseID(q.Get("unit"))
	a := v.member(r)
	list, err := s.Living.List(r.Context(), a, f)
	if err != nil {
		return err
	}
	p := &registerChangesPage{C: c, CSRF: v.signed.CSRF, State: string(state), Message: message}
	if len(list) > changesSize {
		list = list[:changesSize]
		p.Next = list[changesSize-1].ID
	}
	mine, err := s.Living.Mine(r.Context(), a, list)
	if err != nil {
		return err
	}
	if p.Changes, err = s.toPersonChanges(list, mine); err != nil {
		return err
	}
	e := tianbao.Event{Actor: a.User, From: a.From, What: "people.read", Object: id.String(), Detail: strconv.Itoa(len(list)) + " changes"}
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	if wantsJSON(r) {
		return s.json(w, status, p.wireRegisterChanges)
	}
	s.page(w, r, v, status, "register.html", "人员变更", p)
	return nil
}

// decideChange accepts a change or returns it.
func (s *Server) decideChange(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireDecision
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	change, err := pathID(r, "change")
	if err != nil {
		return err
	}
	if in.Accept {
		err = s.Living.Accept(r.Context(), v.member(r), id, change, in.Remark)
	} else {
		err = s.Living.Return(r.Context(), v.member(r), id, change, in.Remark)
	}
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict, tianbao.ErrFaulty) {
			return err
		}
		return s.registerChangesShow(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message)
	}
	return s.done(w, r, wireDone{true}, "/collections/"+id.String()+"/register")
}

// wireKeep keeps a collection as a register, or stops that.
type wireKeep struct {
	Keep    bool `json:"keep"`
	Accepts bool `json:"accepts,omitempty"` // changes wait until a bureau accepts them
}

func (s *Server) keep(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireKeep
	if err := read(r, &in); err != nil {
		return err
	}
	return s.onCollection(w, r, v, func(id tianbao.ID) (tianbao.ID, error) {
		return id, s.Campaigns.Keep(r.Context(), v.runner(r), id, in.Keep, in.Accepts)
	})
}

// wirePrefill names the collection whose people are to be confirmed, none: nobody's.
type wirePrefill struct {
	From string `json:"from,omitempty"`
}

func (s *Server) prefill(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wirePrefill
	if err := read(r, &in); err != nil {
		return err
	}
	return s.onCollection(w, r, v, func(id tianbao.ID) (tianbao.ID, error) {
		from := tianbao.ID(0)
		if text := strings.TrimSpace(in.From); text != "" {
			var err error
			if from, err = tianbao.ParseID(text); err != nil {
				return id, tianbao.NotFound()
			}
		}
		return id, s.Campaigns.Prefill(r.Context(), v.runner(r), id, from)
	})
}

// prefillSources are the collections whose people a collection may ask about.
func (s *Server) prefillSources(r *http.Request, a campaign.Actor, c *tianbao.Campaign) (out []tianbao.Campaign, err error) {
	all, err := s.Campaigns.Store.Collections(r.Context())
	if err != nil {
		return nil, err
	}
	for i := range all {
		o := &all[i]
		if o.ID == c.ID || o.Form != c.Form || o.Phase() == tianbao.PhasePreparing {
			continue
		}
		_, runs, err := s.Campaigns.Collection(r.Context(), a, o.ID)
		if err != nil {
			return nil, err
		}
		if runs {
			out = append(out, *o)
		}
	}
	return out, nil
}
