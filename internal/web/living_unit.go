package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/living"
)

// Who is in a unit of a register, what the unit reports, and the timeline of one person.

// wireReportChange is what a unit reports. Cells are by field key: of who comes all that
// the register of units does not give, of who has another number the phone.
type wireReportChange struct {
	Kind  tianbao.ChangeKind `json:"kind"` // join, leave, phone, move or part
	Day   string             `json:"day"`  // 2026-10-01
	Row   tianbao.ID         `json:"row,omitempty"`
	Cells map[string]string  `json:"cells,omitempty"`
	Why   string             `json:"why,omitempty"`
}

type wireReported struct {
	ID    tianbao.ID          `json:"id"`
	State tianbao.ChangeState `json:"state"` // waiting, or accepted where nobody has to
}

type wireRoster struct {
	Open    bool               `json:"open"`           // changes are taken
	Shut    string             `json:"shut,omitempty"` // why not
	Day     string             `json:"day"`
	First   string             `json:"first"` // the first day of the register
	People  []wireMember       `json:"people"`
	Changes []wirePersonChange `json:"changes"`
}

// wireMember is somebody who is in a unit on the day. Ids and phones are masked.
type wireMember struct {
	Report tianbao.ID        `json:"report"`
	Row    tianbao.ID        `json:"row"`
	Person string            `json:"person"`
	Cells  map[string]string `json:"cells"`
	Now    bool              `json:"now"`             // they are there now
	Waits  bool              `json:"waits,omitempty"` // a change of them waits

	fields []filledCell
}

// Fields are the cells by the form's titles.
func (m *wireMember) Fields() []filledCell { return m.fields }

// rosterPage is the data of roster.html.
type rosterPage struct {
	C       tianbao.Campaign
	Unit    tianbao.Unit
	CSRF    string
	Fills   bool // the viewer may report changes
	Today   string
	On      time.Time
	Phone   *tianbao.Field
	New     []newCell // of who comes, those that the register of units does not give
	Given   []filledCell
	Kinds   []tianbao.ChangeKind
	Message string
	In      wireReportChange
	wireRoster
}

// newCell is a field of the form for who comes.
type newCell struct {
	tianbao.Field
	Value string
}

// Comes are the kinds that bring somebody in.
func (p *rosterPage) Comes() []tianbao.ChangeKind {
	return []tianbao.ChangeKind{tianbao.ChangeJoin, tianbao.ChangeMove, tianbao.ChangePart}
}

func (s *Server) roster(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.rosterShow(w, r, v, http.StatusOK, "", wireReportChange{Kind: tianbao.ChangeJoin})
}

func (s *Server) rosterShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, message string, in wireReportChange) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	day, err := dayOf(r.URL.Query().Get("day"))
	if err != nil {
		return err
	}
	a := v.member(r)
	got, err := s.Living.Roster(r.Context(), a, id, v.unit.ID, day)
	if err != nil {
		return err
	}
	e := tianbao.Event{Actor: a.User, Owner: v.unit.ID, From: a.From, What: "people.read", Object: id.String(), Detail: strconv.Itoa(len(got.People)) + " people"}
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	p := &rosterPage{
		C: got.Campaign, Unit: got.Unit, CSRF: v.signed.CSRF, Fills: got.Open && a.Fills.Covers(got.Unit.Path), Message: message, In: in,
		Today: s.Now().In(clock.Shanghai).Format(time.DateOnly), On: got.Day,
	}
	p.Open, p.Shut, p.Day, p.First = got.Open, got.Shut, got.Day.Format(time.DateOnly), got.Days.From.Format(time.DateOnly)
	if p.In.Day == "" {
		p.In.Day = p.Today
	}
	if p.People, err = s.toMembers(got.People); err != nil {
		return err
	}
	if p.Changes, err = s.toPersonChanges(got.Changes, nil); err != nil {
		return err
	}
	if wantsJSON(r) {
		return s.json(w, status, p.wireRoster)
	}
	given := living.Given(got.Form, &got.Unit)
	for k := range got.Form.Fields {
		fd := got.Form.Fields[k]
		if fd.Kind == tianbao.KindPhone && p.Phone == nil {
			p.Phone = &got.Form.Fields[k]
		}
		if given[k] {
			p.Given = append(p.Given, filledCell{Key: fd.Key, Title: fd.Title, Value: got.Unit.Key(fd.RegisterKey())})
		} else {
			p.New = append(p.New, newCell{fd, in.Cells[fd.Key]})
		}
	}
	s.page(w, r, v, status, "roster.html", "人员登记", p)
	return nil
}

func (s *Server) toMembers(list []living.Member) ([]wireMember, error) {
	out := []wireMember{}
	for i := range list {
		m := &list[i]
		mask, err := s.Mask(m.Form.Name, m.Form.Version)
		if err != nil {
			return nil, err
		}
		x := wireMember{Report: m.At.Report, Row: m.At.Row, Person: personIn(m.Form, m.Values), Cells: map[string]string{}, Now: m.Now, Waits: m.Waits}
		for k := range m.Form.Fields {
			fd := &m.Form.Fields[k]
			if m.Values[k] == "" || !ofPerson(m.Form, fd) {
				continue
			}
			x.Cells[fd.Key] = mask.Mask(k, m.Values[k])
			x.fields = append(x.fields, filledCell{Key: fd.Key, Title: fd.Title, Value: x.Cells[fd.Key]})
		}
		out = append(out, x)
	}
	return out, nil
}

// readReportChange reads what a unit reports, as JSON or as the form that works without a
// script: its cells are named cell.KEY.
func readReportChange(r *http.Request) (in wireReportChange, err error) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return in, read(r, &in)
	}
	if err := r.ParseForm(); err != nil {
		return in, badBody(err)
	}
	f := r.PostForm
	in = wireReportChange{Kind: tianbao.ChangeKind(f.Get("kind")), Day: f.Get("day"), Why: f.Get("why"), Cells: map[string]string{}}
	if row := f.Get("row"); row != "" {
		if in.Row, err = tianbao.ParseID(row); err != nil {
			return in, tianbao.NotFound()
		}
	}
	for name, values := range f {
		key, ok := strings.CutPrefix(name, "cell.")
		switch {
		case len(values) != 1 || !utf8.ValidString(values[0]):
			return in, badBody(nil)
		case ok:
			in.Cells[key] = values[0]
		case !slices.Contains([]string{"csrf", "kind", "day", "why", "row"}, name):
			return in, badBody(nil)
		}
	}
	return in, nil
}

// reportChange takes a change from a unit.
func (s *Server) reportChange(w http.ResponseWriter, r *http.Request, v *viewer) error {
	in, err := readReportChange(r)
	if err != nil {
		return err
	}
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	day, err := dayOf(in.Day)
	var made *tianbao.PersonChange
	if err == nil {
		made, err = s.Living.Report(r.Context(), v.member(r), id, v.unit.ID, living.Wish{Kind: in.Kind, Day: day, Row: in.Row, Values: in.Cells, Why: in.Why})
	}
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict, tianbao.ErrFaulty, tianbao.ErrTooMany) {
			return err
		}
		return s.rosterShow(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message, in)
	}
	return s.done(w, r, wireReported{made.ID, made.State}, rosterPath(id, v.unit.ID))
}

func rosterPath(campaign, unit tianbao.ID) string {
	return "/collections/" + campaign.String() + "/units/" + unit.String() + "/register"
}

// withdrawChange takes a waiting change back.
func (s *Server) withdrawChange(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := read(r, &wireEmpty{}); err != nil {
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
	if err := s.Living.Withdraw(r.Context(), v.member(r), id, v.unit.ID, change); err != nil {
		if !again(r, err, tianbao.ErrConflict) {
			return err
		}
		return s.rosterShow(w, r, v, statuses[tianbao.ErrConflict], asError(err).Message, wireReportChange{Kind: tianbao.ChangeJoin})
	}
	return s.done(w, r, wireDone{true}, rosterPath(id, v.unit.ID))
}

// wireLife is the timeline of a person, as far as the caller sees the units concerned.
type wireLife struct {
	Person string      `json:"person"`
	Spans  []wireSpan  `json:"spans"`
	Facts  []wireLived `json:"facts"`
}

type wireSpan struct {
	Unit     tianbao.ID `json:"unit"`
	UnitName string     `json:"unit_name"`
	From     string     `json:"from"`
	Known    bool       `json:"known"` // else: they were there by then
	To       string     `json:"to,omitempty"`
	Sure     bool       `json:"sure,omitempty"` // else: they were gone by then
	Last     string     `json:"last"`
}

type wireLived struct {
	Unit     tianbao.ID `json:"unit"`
	UnitName string     `json:"unit_name"`
	Day      string     `json:"day"`
	What     string     `json:"what"`
	Title    string     `json:"title"` // of the collection
	Other    string     `json:"other,omitempty"`
}

// lifePage is the data of life.html.
type lifePage struct {
	Campaign tianbao.ID
	Unit     tianbao.Unit
	Person   string
	ID       string // masked
	Spans    []living.Span
	Facts    []living.Fact
}

// personLife shows the timeline of somebody who is or was in the unit.
func (s *Server) personLife(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	row, err := pathID(r, "row")
	if err != nil {
		return err
	}
	a := v.member(r)
	l, err := s.Living.Life(r.Context(), a, id, v.unit.ID, row)
	if err != nil {
		return err
	}
	e := tianbao.Event{Actor: a.User, Owner: v.unit.ID, From: a.From, What: "people.read", Object: row.String(), Detail: "timeline"}
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	p := &lifePage{Campaign: id, Unit: l.Unit, Person: personIn(l.Form, l.Values), Spans: l.Spans, Facts: l.Facts}
	mask, err := s.Mask(l.Form.Name, l.Form.Version)
	if err != nil {
		return err
	}
	for k := range l.Form.Fields {
		if l.Form.Fields[k].Kind == tianbao.KindResidentID && p.ID == "" {
			p.ID = mask.Mask(k, l.Values[k])
		}
	}
	out := wireLife{Person: p.Person, Spans: []wireSpan{}, Facts: []wireLived{}}
	for _, x := range l.Spans {
		to := ""
		if !x.To.IsZero() {
			to = x.To.Format(time.DateOnly)
		}
		out.Spans = append(out.Spans, wireSpan{x.Unit, x.UnitName, x.From.Format(time.DateOnly), x.Known, to, x.Sure, x.Last.Format(time.DateOnly)})
	}
	for i := range l.Facts {
		x := &l.Facts[i]
		out.Facts = append(out.Facts, wireLived{x.Unit, x.UnitName, x.Day.Format(time.DateOnly), x.What(), x.Title, x.Other})
	}
	return s.answer(w, r, v, out, "life.html", "人员经历", p)
}
