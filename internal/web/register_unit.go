package web

import (
	"net/http"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/org"
)

// unitHistorySize is how many acts the page of a unit lists.
const unitHistorySize = 100

// wireUnitEntry is the whole entry of a unit. The contact is masked.
type wireUnitEntry struct {
	wireEntry
	From         string            `json:"from,omitempty"`
	To           string            `json:"to,omitempty"`
	Since        string            `json:"since,omitempty"`
	Heir         tianbao.ID        `json:"heir,omitempty"`
	ContactName  string            `json:"contact_name,omitempty"`
	ContactPhone string            `json:"contact_phone,omitempty"`
	ContactMail  string            `json:"contact_mail,omitempty"`
	Aliases      []wireUnitAlias   `json:"aliases"`
	History      []wireUnitHistory `json:"history"`
}

type wireUnitAlias struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

type wireUnitHistory struct {
	Act    string            `json:"act"`
	Day    string            `json:"day"`
	At     string            `json:"at"`
	By     string            `json:"by,omitempty"`
	Other  string            `json:"other,omitempty"`
	Fields []wireFieldChange `json:"fields,omitempty"`
}

type wireFieldChange struct {
	Field  string `json:"field"`
	Title  string `json:"title"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// wireUnitAct is an act of a bureau on a unit: edit, create (below it), move, merge,
// split or close. In a form, fields that stay empty are not changed.
type wireUnitAct struct {
	Act          string     `json:"act"`
	Day          string     `json:"day,omitempty"`   // from when on, "" today
	Other        tianbao.ID `json:"other,omitempty"` // the new unit above, the heir
	OtherCode    string     `json:"other_code,omitempty"`
	Close        bool       `json:"close,omitempty"` // with split
	BudgetCode   string     `json:"budget_code,omitempty"`
	UnitName     string     `json:"unit_name,omitempty"`
	OrgCode      string     `json:"org_code,omitempty"`
	UnitType     string     `json:"unit_type,omitempty"`
	Kind         string     `json:"kind,omitempty"`
	Region       string     `json:"region,omitempty"`
	ContactName  string     `json:"contact_name,omitempty"`
	ContactPhone string     `json:"contact_phone,omitempty"`
	ContactMail  string     `json:"contact_mail,omitempty"`
	Aliases      string     `json:"aliases,omitempty"`
}

// values are the fields that are filled in.
func (in *wireUnitAct) values() map[string]string {
	out := map[string]string{}
	for key, value := range map[string]string{
		"budget_code": in.BudgetCode, "unit_name": in.UnitName, "org_code": in.OrgCode, "unit_type": in.UnitType, "kind": in.Kind,
		"region": in.Region, "contact_name": in.ContactName, "contact_phone": in.ContactPhone, "contact_mail": in.ContactMail, "aliases": in.Aliases,
	} {
		if strings.TrimSpace(value) != "" {
			out[key] = value
		}
	}
	return out
}

type wireChanged struct {
	Unit tianbao.ID `json:"unit"`
}

// unitPage is the data of unit.html.
type unitPage struct {
	CSRF   string
	Unit   wireUnitEntry
	Up     *tianbao.Unit // nil: above the viewer's scope
	Heir   *tianbao.Unit
	Today  string
	Types  []string
	Kinds  []string
	Fields []tianbao.Field // that a request may be about
	Closed bool
	Keeper bool // the viewer keeps this entry
	Own    bool // the viewer may ask for a correction
	// NoCopies tells whoever fills in that notices are not copied to the unit's address.
	NoCopies bool
	Message  string
}

// KindName names a kind in the users' words.
func (unitPage) KindName(kind string) string { return org.KindName(kind) }

// ActTitle names an act in the users' words.
func (unitPage) ActTitle(act string) string { return tianbao.UnitAct(act).Title() }

func dayText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(clock.Shanghai).Format(time.DateOnly)
}

// unit shows an entry.
func (s *Server) unit(w http.ResponseWriter, r *http.Request, v *viewer) error {
	p, err := s.unitPage(r, v)
	if err != nil {
		return err
	}
	return s.answer(w, r, v, p.Unit, "unit.html", p.Unit.Name, p)
}

func (s *Server) unitPage(r *http.Request, v *viewer) (*unitPage, error) {
	u, e := v.user(), &v.unit
	see := u.Scope(tianbao.PowerSee)
	regions, err := s.regionNames(r)
	if err != nil {
		return nil, err
	}
	form := s.Org.Checker.Form()
	p := &unitPage{
		CSRF: v.signed.CSRF, Today: s.Org.Today().Format(time.DateOnly), Closed: !e.Open(s.Now()),
		Keeper: u.Scope(tianbao.PowerRegister).Covers(e.Path), Own: u.Scope(tianbao.PowerFill).Covers(e.Path),
		Types: form.Field("unit_type").Enum, Kinds: form.Field("kind").Enum,
	}
	if s.Reminders != nil && p.Own {
		box, err := s.Reminders.Store.UnitMail(r.Context(), e.ID)
		if err != nil {
			return nil, err
		}
		p.NoCopies = box.Address != "" && !box.Copies
	}
	for _, key := range org.RequestFields() {
		p.Fields = append(p.Fields, *form.Field(key))
	}
	mask := s.Org.Checker.Mask
	p.Unit = wireUnitEntry{
		wireEntry: toRegisterEntry(&e.Unit, 0, regions), From: dayText(e.From), To: dayText(e.To), Since: dayText(e.Since), Heir: e.Heir,
		ContactName: mask(form.Index("contact_name"), e.Contact.Name), ContactPhone: mask(form.Index("contact_phone"), e.Contact.Phone),
		ContactMail: mask(form.Index("contact_mail"), e.Contact.Mail),
		Aliases:     []wireUnitAlias{}, History: []wireUnitHistory{},
	}
	for _, a := range e.Aliases {
		p.Unit.Aliases = append(p.Unit.Aliases, wireUnitAlias(a))
	}
	records, err := s.Register.UnitHistory(r.Context(), see, e.ID, unitHistorySize)
	if err != nil {
		return nil, err
	}
	for _, rec := range records {
		h := wireUnitHistory{Act: string(rec.Act), Day: dayText(rec.Day), At: stamp(rec.At), By: rec.By, Other: rec.Other}
		for _, f := range rec.Fields {
			h.Fields = append(h.Fields, wireFieldChange{f.Field, form.Field(f.Field).Title, f.Before, f.After})
		}
		p.Unit.History = append(p.Unit.History, h)
	}
	for id, dest := range map[tianbao.ID]**tianbao.Unit{e.Parent: &p.Up, e.Heir: &p.Heir} {
		if id == 0 {
			continue
		}
		other, err := s.Catalog.Unit(r.Context(), see, id)
		if err == nil {
			*dest = &other
		} else if tianbao.KindOf(err) != tianbao.ErrNotFound {
			return nil, err
		}
	}
	return p, nil
}

// changeUnit carries out an act of a bureau.
func (s *Server) changeUnit(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireUnitAct
	if err := read(r, &in); err != nil {
		return err
	}
	made, err := s.actOn(r, v, &in)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
			return err
		}
		p, perr := s.unitPage(r, v)
		if perr != nil {
			return perr
		}
		p.Message = asError(err).Message
		s.page(w, r, v, statuses[tianbao.KindOf(err)], "unit.html", p.Unit.Name, p)
		return nil
	}
	return s.done(w, r, wireChanged{made}, "/units/"+made.String())
}

func (s *Server) actOn(r *http.Request, v *viewer, in *wireUnitAct) (tianbao.ID, error) {
	day, err := s.Org.ParseDay(in.Day)
	if err != nil {
		return 0, err
	}
	a := v.keeper(r, tianbao.PowerRegister)
	act := org.Act{Act: tianbao.UnitAct(in.Act), Day: day, Values: in.values(), Other: in.Other, Close: in.Close}
	if in.OtherCode != "" && in.Other == 0 {
		if act.Other, err = s.unitByCode(r, a.Scope, in.OtherCode); err != nil {
			return 0, err
		}
	}
	return s.Org.Change(r.Context(), a, v.unit.ID, act)
}

// unitByCode finds the one open unit in scope with a code or name.
func (s *Server) unitByCode(r *http.Request, scope tianbao.Scope, code string) (tianbao.ID, error) {
	code = strings.TrimSpace(code)
	list, err := s.Catalog.SearchUnits(r.Context(), scope, code, foundMost)
	if err != nil {
		return 0, err
	}
	var found []tianbao.ID
	for _, u := range list {
		if strings.EqualFold(u.BudgetCode, code) || strings.EqualFold(u.OrgCode, code) || u.Name == code {
			found = append(found, u.ID)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return 0, tianbao.Invalid("unit_ambiguous", "有多个单位使用这个代码，请改填单位的另一个代码或单位编号。")
	}
	return 0, tianbao.Invalid("unknown_unit", "您管理的范围内没有这个单位，请填写单位的预算编码、统一社会信用代码或全称。")
}
