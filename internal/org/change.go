package org

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/ident"
)

// Act is one act of a bureau on a unit.
type Act struct {
	Act tianbao.UnitAct
	Day time.Time // from when on it holds
	// Values are fields of the register's form by key, for create, edit and split.
	Values map[string]string
	// Other is the new parent for move, the heir for merge.
	Other tianbao.ID
	// Close closes the unit that is split.
	Close bool
}

// Change carries out an act on a unit within the actor's scope: for create the unit is
// the one above the new one. It returns the unit that the act made or changed.
func (s *Service) Change(ctx context.Context, a Actor, unit tianbao.ID, act Act) (tianbao.ID, error) {
	return s.change(ctx, a, unit, act, nil)
}

// desk is where an act is planned, on the register as it is.
type desk struct {
	s       *Service
	act     Act
	entries []tianbao.UnitEntry
	regions *regionFinder
	e       *tianbao.UnitEntry // the unit, open
	out     []tianbao.UnitChange
}

func (s *Service) change(ctx context.Context, a Actor, unit tianbao.ID, act Act, req *tianbao.UnitRequest) (tianbao.ID, error) {
	if err := s.past(act.Day); err != nil {
		return 0, err
	}
	entries, version, err := s.Store.Register(ctx, a.Scope, false)
	if err != nil {
		return 0, err
	}
	regions, err := s.Store.Regions(ctx)
	if err != nil {
		return 0, err
	}
	d := &desk{s: s, act: act, entries: entries, regions: newRegionFinder(regions)}
	if d.e = d.open(unit); d.e == nil {
		if d.closed(unit) {
			return 0, tianbao.Invalid("unit_closed", "这个单位已经撤销或并入其他单位，不能再变更。")
		}
		return 0, tianbao.NotFound()
	}
	if d.e.Contact, err = s.contactOf(ctx, a, unit, act); err != nil {
		return 0, err
	}
	made, err := d.plan()
	if err != nil {
		return 0, err
	}
	if len(d.out) == 0 && req == nil {
		return 0, tianbao.Invalid("no_change", "填写的内容与登记册相同，没有需要变更的。")
	}
	events := []tianbao.Event{s.event(a, eventOf(act.Act), unit, act.Day.Format(time.DateOnly))}
	if req != nil {
		events = []tianbao.Event{s.event(a, "request.accept", unit, "request="+req.ID.String()+" field="+req.Field)}
	}
	return made, s.Store.ChangeRegister(ctx, &tianbao.RegisterChange{
		Base: version, Day: act.Day, At: s.Now(), By: a.User, Changes: d.out, Request: req, Events: events,
	})
}

// contactOf opens the contact of a unit, which only an edit has to know.
func (s *Service) contactOf(ctx context.Context, a Actor, unit tianbao.ID, act Act) (tianbao.Contact, error) {
	if act.Act != tianbao.UnitEdit {
		return tianbao.Contact{}, nil
	}
	e, err := s.Store.UnitEntry(ctx, a.Scope, unit)
	return e.Contact, err
}

func eventOf(act tianbao.UnitAct) string {
	switch act {
	case tianbao.UnitCreate:
		return "unit.create"
	case tianbao.UnitMove:
		return "unit.move"
	case tianbao.UnitMerge:
		return "unit.merge"
	case tianbao.UnitSplit:
		return "unit.split"
	case tianbao.UnitClose:
		return "unit.close"
	}
	return "unit.edit"
}

func (d *desk) at(id tianbao.ID) *tianbao.UnitEntry {
	for i := range d.entries {
		if d.entries[i].ID == id {
			return &d.entries[i]
		}
	}
	return nil
}

// open returns a unit that has not closed, nil where there is none in scope.
func (d *desk) open(id tianbao.ID) *tianbao.UnitEntry {
	if e := d.at(id); e != nil && e.To.IsZero() {
		return e
	}
	return nil
}

func (d *desk) closed(id tianbao.ID) bool {
	e := d.at(id)
	return e != nil && !e.To.IsZero()
}

// early refuses a day before the last change.
func (d *desk) early(e *tianbao.UnitEntry, below bool) error {
	if below && laterBelow(d.entries, e.Path, d.act.Day) || e.Since.After(d.act.Day) {
		return tianbao.Invalid("day_early", "这个单位或其下级单位在这个日期之后还有变更，请把生效日期改晚。")
	}
	return nil
}

func (d *desk) plan() (made tianbao.ID, err error) {
	switch d.act.Act {
	case tianbao.UnitEdit:
		return d.e.ID, d.edit()
	case tianbao.UnitMove:
		up := d.open(d.act.Other)
		if up == nil {
			return 0, errNoParent()
		}
		return d.e.ID, d.move(d.e, up)
	case tianbao.UnitMerge:
		return d.act.Other, d.merge()
	case tianbao.UnitClose:
		return d.e.ID, d.close()
	case tianbao.UnitCreate, tianbao.UnitSplit:
		return d.create()
	}
	return 0, tianbao.Invalid("bad_act", "请选择要做的变更：变更内容、新设下级、划转、并入、分设或撤销。")
}

func errNoParent() error {
	return tianbao.Invalid("unknown_parent", "您管理的范围内没有这个单位，请重新选择。")
}

// values puts the fields of the act into a unit; each is held against the form's rules.
func (d *desk) values(u *tianbao.Unit, contact *tianbao.Contact) (aliases []tianbao.UnitAlias, err error) {
	form := d.s.Checker.Form()
	row := tianbao.Row{Values: make(tianbao.Values, len(form.Fields))}
	for key, text := range d.act.Values {
		i := form.Index(key)
		if i < 0 || key == keyParent || key == keyState {
			return nil, tianbao.Invalid("bad_field", "登记册没有这个栏目，或者它不在这里变更。")
		}
		row.Values[i] = d.s.Checker.Normalize(i, text)
	}
	for _, p := range d.s.Checker.Row(nil, 0, &row) {
		if _, given := d.act.Values[p.Field]; given && p.Severity == tianbao.SeverityError {
			return nil, tianbao.Invalid(p.Code, p.Message)
		}
	}
	for key := range d.act.Values {
		text := row.Values[form.Index(key)]
		switch key {
		case keyBudget:
			u.BudgetCode = text
		case keyName:
			u.Name = text
		case keyOrg:
			u.OrgCode = text
		case keyType:
			u.Type = text
		case keyKind:
			u.Kind = cmp.Or(kindOf(text), u.Kind)
		case keyContact:
			contact.Name = text
		case keyPhone:
			contact.Phone = text
		case keyMail:
			if contact.Mail = ident.NormalizeMail(text); contact.Mail != "" && !ident.IsMail(contact.Mail) {
				return nil, tianbao.Invalid("contact_mail.format", badMail)
			}
		case keyAliases:
			aliases = splitAliases(text)
		case keyRegion:
			id, ok := d.regions.find(text)
			if !ok {
				return nil, tianbao.Invalid("region.unknown", "区划表中没有这个区划，或者同名的不止一个，请填写六位行政区划代码。")
			}
			u.Region = id
		}
	}
	return aliases, nil
}

// free refuses a budget code that another open unit of the region bears.
func (d *desk) free(u *tianbao.Unit) error {
	for i := range d.entries {
		e := &d.entries[i]
		if e.ID != u.ID && e.To.IsZero() && e.BudgetCode == u.BudgetCode && e.Region == u.Region && u.BudgetCode != "" {
			return tianbao.Invalid("budget_code.taken", "同一区划中已有单位使用这个预算编码，请核对两个单位的编码。")
		}
	}
	return nil
}

func (d *desk) edit() error {
	u, contact := d.e.Unit, d.e.Contact
	aliases, err := d.values(&u, &contact)
	if err != nil {
		return err
	}
	c := edit(d.e, u, contact, aliases, d.regions)
	if c == nil {
		return nil
	}
	d.out = append(d.out, *c)
	if u.BudgetCode == d.e.BudgetCode && u.Region == d.e.Region {
		return d.early(d.e, false)
	}
	return errors.Join(d.early(d.e, false), d.free(&u))
}

func (d *desk) move(e, up *tianbao.UnitEntry) error {
	switch {
	case up.ID == e.Parent:
		return nil
	case strings.HasPrefix(up.Path, e.Path):
		return tianbao.Invalid("unit_cycle", "单位不能移到自己或自己的下级单位之下，请另选上级单位。")
	}
	if d.root(e) {
		return tianbao.Invalid("unit_root", "这个单位的上级在您管理的范围之外，请由上级财政部门划转。")
	}
	was := ""
	if p := d.at(e.Parent); p != nil {
		was = p.Name
	}
	u := e.Unit
	u.Parent = up.ID
	d.out = append(d.out, tianbao.UnitChange{Act: tianbao.UnitMove, Unit: u, Fields: []tianbao.FieldChange{{Field: keyParent, Before: was, After: up.Name}}})
	return d.early(e, true)
}

// root reports whether what is above a unit lies outside of the scope.
func (d *desk) root(e *tianbao.UnitEntry) bool { return e.Parent != 0 && d.at(e.Parent) == nil }

// below are the open units right below one.
func (d *desk) below(e *tianbao.UnitEntry) (out []*tianbao.UnitEntry) {
	for i := range d.entries {
		if c := &d.entries[i]; c.Parent == e.ID && c.To.IsZero() {
			out = append(out, c)
		}
	}
	return out
}

func (d *desk) merge() error {
	heir := d.open(d.act.Other)
	switch {
	case heir == nil:
		return errNoParent()
	case strings.HasPrefix(heir.Path, d.e.Path):
		return tianbao.Invalid("unit_cycle", "单位不能并入自己或自己的下级单位，请先把那个下级单位划转出去。")
	case d.root(d.e):
		return tianbao.Invalid("unit_root", "这个单位的上级在您管理的范围之外，请由上级财政部门办理。")
	}
	for _, c := range d.below(d.e) {
		if err := d.move(c, heir); err != nil {
			return err
		}
	}
	aliases := []tianbao.UnitAlias{{Field: keyName, Value: d.e.Name}}
	for _, a := range []tianbao.UnitAlias{{Field: keyBudget, Value: d.e.BudgetCode}, {Field: keyOrg, Value: d.e.OrgCode}} {
		if a.Value != "" {
			aliases = append(aliases, a)
		}
	}
	d.out = append(d.out, tianbao.UnitChange{Act: tianbao.UnitMerge, Unit: d.e.Unit, Other: heir.ID, Aliases: aliases})
	return d.early(d.e, false)
}

func (d *desk) close() error {
	if len(d.below(d.e)) > 0 {
		return tianbao.Invalid("state.below", "这个单位还有下级单位，请先把下级单位划转或撤销。")
	}
	if d.root(d.e) {
		return tianbao.Invalid("unit_root", "这个单位的上级在您管理的范围之外，请由上级财政部门办理。")
	}
	d.out = append(d.out, tianbao.UnitChange{Act: tianbao.UnitClose, Unit: d.e.Unit})
	return d.early(d.e, false)
}

// create founds a unit below the unit, or for a split beside it.
func (d *desk) create() (tianbao.ID, error) {
	split := d.act.Act == tianbao.UnitSplit
	u := tianbao.Unit{ID: tianbao.ID(d.s.IDs.Next()), Parent: d.e.ID, Region: d.e.Region, Type: "事业单位", Kind: "unit"}
	c := tianbao.UnitChange{Act: tianbao.UnitCreate}
	if split {
		u.Parent, u.Type, u.Kind = d.e.Parent, d.e.Type, d.e.Kind
		c.Act, c.Other = tianbao.UnitSplit, d.e.ID
		if d.root(d.e) || d.e.Parent == 0 {
			return 0, tianbao.Invalid("unit_root", "这个单位的上级在您管理的范围之外，请由上级财政部门办理。")
		}
	}
	var contact tianbao.Contact
	aliases, err := d.values(&u, &contact)
	if err != nil {
		return 0, err
	}
	if u.Name == "" || u.BudgetCode == "" {
		return 0, tianbao.Invalid("required", "请填写新单位的名称和预算编码。")
	}
	if contact != (tianbao.Contact{}) {
		c.Contact = &contact
	}
	c.Unit, c.Aliases = u, aliases
	if d.e.From.After(d.act.Day) {
		return 0, tianbao.Invalid("day_early", "原单位或上级单位在这个日期还没有设立，请把生效日期改晚。")
	}
	if err := d.free(&u); err != nil {
		return 0, err
	}
	d.out = append(d.out, c)
	if split && d.act.Close {
		return u.ID, d.close()
	}
	return u.ID, nil
}
