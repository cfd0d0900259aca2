package org

import (
	"cmp"
	"slices"
	"strings"

	"tianbao"
)

// values makes the unit of each row as it is to be, from above: a new unit without a
// region has that of the unit above it.
func (p *planner) values(order []*node) {
	for _, n := range order {
		i := n.row
		if p.bad[i] {
			continue
		}
		u := &n.unit
		*u = tianbao.Unit{}
		if !n.isNew() {
			*u = n.entry.Unit
		}
		n.close = false
		u.BudgetCode, u.Name = p.cell(i, p.f.budget), p.cell(i, p.f.name)
		u.OrgCode = cmp.Or(p.cell(i, p.f.org), u.OrgCode)
		u.Type = cmp.Or(p.cell(i, p.f.typ), u.Type)
		u.Kind = cmp.Or(kindOf(p.cell(i, p.f.kind)), u.Kind)
		if u.Kind == "" {
			u.Kind = "unit"
			if u.Type == "主管部门" {
				u.Kind = "department"
			}
		}
		if r := p.regionOf(i, n); r != 0 {
			u.Region = r
		}
		if u.Region == 0 && n.up != nil {
			u.Region = n.up.unit.Region
		}
		if u.Region == 0 {
			p.fault(i, keyRegion, "region.required", tianbao.SeverityError, "上级单位没有区划可以沿用，请填写所属区划。")
			continue
		}
		if p.cell(i, p.f.state) == "撤销" {
			if n.isNew() {
				p.fault(i, keyState, "state.unknown_unit", tianbao.SeverityError, "登记册中没有这个单位，不能撤销；请核对单位预算编码，或删去这一行。")
				continue
			}
			n.close = true
		}
		if !n.isNew() && (p.differs(n) || n.close) && p.later(n.entry, p.plan.Day, false) || n.moves && !n.isNew() && p.later(n.entry, p.plan.Day, true) {
			p.fault(i, "", "day.early", tianbao.SeverityError, "这个单位或其下级单位在所填的生效日期之后还有变更，请把生效日期改晚。")
		}
	}
}

// differs reports whether the entry itself changes.
func (p *planner) differs(n *node) bool {
	return len(changedFields(&n.entry.Unit, &n.unit, p.regions)) > 0
}

// collisions refuses a second open unit with one budget code in one region.
func (p *planner) collisions() {
	type key struct {
		code   string
		region tianbao.ID
	}
	taken := make(map[key]*node, len(p.nodes)+len(p.rows))
	for _, n := range p.nodes {
		if n.row < 0 || p.bad[n.row] {
			taken[key{n.entry.BudgetCode, n.entry.Region}] = n
		}
	}
	for i, n := range p.rows {
		if n == nil || p.bad[i] {
			continue
		}
		k := key{n.unit.BudgetCode, n.unit.Region}
		// A unit that keeps code and region collides with nobody by what this workbook does.
		if _, twice := taken[k]; twice && (n.isNew() || n.entry.BudgetCode != k.code || n.entry.Region != k.region) {
			p.fault(i, keyBudget, "budget_code.taken", tianbao.SeverityError, "同一区划中已有单位使用这个预算编码，请核对两个单位的编码。")
			continue
		}
		taken[k] = n
	}
}

// hints tells what is odd about a row and stops nothing.
func (p *planner) hints(n *node, shared map[string]bool) {
	u := &n.unit
	if r := p.regions.all[u.Region]; !r.InScope && (n.isNew() || n.entry.Region != r.ID) {
		p.fault(n.row, keyRegion, "region.out_of_scope", tianbao.SeverityHint, "这个区划不参加省级采集，请核对；单位照样登记。")
	}
	if u.OrgCode == "" {
		return
	}
	if shared[u.OrgCode] && (n.isNew() || n.entry.OrgCode != u.OrgCode) {
		p.fault(n.row, keyOrg, "org_code.shared", tianbao.SeverityHint, "另有单位使用这个统一社会信用代码，请核对是不是同一个单位；单位照样登记。")
	}
	shared[u.OrgCode] = true
}

// emit writes the changes, those above first and closings last, and counts the rows.
func (p *planner) emit(order []*node) {
	var closing []tianbao.UnitChange
	shared := make(map[string]bool, len(p.nodes)) // organisation codes in use
	for _, n := range p.nodes {
		if n.row < 0 || p.bad[n.row] {
			shared[n.entry.OrgCode] = true
		}
	}
	for _, n := range order {
		if p.bad[n.row] {
			continue
		}
		p.hints(n, shared)
		it := Item{SheetRow: p.imp.Rows[n.row].SheetRow, Name: n.unit.Name, Code: n.unit.BudgetCode}
		if n.up != nil {
			n.unit.Parent = n.up.unit.ID
		}
		if n.isNew() {
			p.create(n, &it)
		} else {
			closing = append(closing, p.update(n, &it)...)
		}
		switch {
		case len(it.Acts) == 0:
			p.plan.Same++
			continue
		case n.isNew():
			p.plan.New++
		case n.close:
			p.plan.Closed++
		default:
			p.plan.Changed++
		}
		if len(p.plan.Items) < maxItems {
			p.plan.Items = append(p.plan.Items, it)
		}
	}
	p.plan.changes = append(p.plan.changes, closing...)
	p.plan.Faulty = p.plan.Rows - p.plan.New - p.plan.Changed - p.plan.Closed - p.plan.Same
	for _, n := range p.nodes {
		if n.row < 0 {
			p.plan.Absent++
		}
	}
}

func (p *planner) create(n *node, it *Item) {
	n.unit.ID = tianbao.ID(p.s.IDs.Next())
	c := tianbao.UnitChange{Act: tianbao.UnitCreate, Unit: n.unit, Aliases: p.aliases(n)}
	if contact := p.contact(n); contact != (tianbao.Contact{}) {
		c.Contact = &contact
	}
	it.Acts = append(it.Acts, c.Act)
	p.plan.changes = append(p.plan.changes, c)
}

// update writes what becomes of an entry and returns its closing.
func (p *planner) update(n *node, it *Item) (closing []tianbao.UnitChange) {
	add := func(c tianbao.UnitChange) {
		c.Unit = n.unit
		it.Acts, it.Fields = append(it.Acts, c.Act), append(it.Fields, c.Fields...)
		if c.Act == tianbao.UnitClose {
			closing = append(closing, c)
			return
		}
		p.plan.changes = append(p.plan.changes, c)
	}
	if n.moves {
		before := ""
		if n.was != nil {
			before = n.was.entry.Name
		}
		add(tianbao.UnitChange{Act: tianbao.UnitMove, Fields: []tianbao.FieldChange{{Field: keyParent, Before: before, After: n.up.unit.Name}}})
	}
	c := edit(&tianbao.UnitEntry{Unit: n.entry.Unit, Contact: n.entry.Contact, Aliases: n.entry.Aliases}, n.unit, p.contact(n), p.aliases(n), p.regions)
	if c != nil {
		add(*c)
	}
	if n.close {
		add(tianbao.UnitChange{Act: tianbao.UnitClose})
	}
	return closing
}

// contact is the contact as it is to be: a blank changes nothing.
func (p *planner) contact(n *node) tianbao.Contact {
	c := tianbao.Contact{Name: p.cell(n.row, p.f.contact), Phone: p.cell(n.row, p.f.phone), Mail: p.mail(n.row)}
	if n.entry != nil {
		c.Name, c.Phone = cmp.Or(c.Name, n.entry.Contact.Name), cmp.Or(c.Phone, n.entry.Contact.Phone)
		c.Mail = cmp.Or(c.Mail, n.entry.Contact.Mail)
	}
	return c
}

func (p *planner) aliases(n *node) []tianbao.UnitAlias {
	return splitAliases(p.cell(n.row, p.f.aliases))
}

// splitAliases takes names apart that stand in one cell.
func splitAliases(text string) (out []tianbao.UnitAlias) {
	for _, name := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("、;；,，\n", r) }) {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, tianbao.UnitAlias{Field: keyName, Value: name})
		}
	}
	return out
}

// changedFields lists what differs between an entry and what it is to be.
func changedFields(old, now *tianbao.Unit, regions *regionFinder) (out []tianbao.FieldChange) {
	for _, f := range [...]tianbao.FieldChange{
		{Field: keyBudget, Before: old.BudgetCode, After: now.BudgetCode},
		{Field: keyName, Before: old.Name, After: now.Name},
		{Field: keyOrg, Before: old.OrgCode, After: now.OrgCode},
		{Field: keyType, Before: old.Type, After: now.Type},
		{Field: keyKind, Before: KindName(old.Kind), After: KindName(now.Kind)},
	} {
		if f.Before != f.After {
			out = append(out, f)
		}
	}
	if old.Region != now.Region {
		out = append(out, tianbao.FieldChange{Field: keyRegion, Before: regions.name(old.Region), After: regions.name(now.Region)})
	}
	return out
}

// edit is the change that makes an entry what it is to be, nil where it is that
// already. What it was called before stays an alias, so that rows and workbooks with the
// old name or code still find it.
func edit(old *tianbao.UnitEntry, now tianbao.Unit, contact tianbao.Contact, aliases []tianbao.UnitAlias, regions *regionFinder) *tianbao.UnitChange {
	c := tianbao.UnitChange{Act: tianbao.UnitEdit, Unit: now, Fields: changedFields(&old.Unit, &now, regions)}
	for _, f := range c.Fields {
		if f.Before != "" && slices.Contains([]string{keyBudget, keyName, keyOrg}, f.Field) {
			aliases = append(aliases, tianbao.UnitAlias{Field: f.Field, Value: f.Before})
		}
	}
	for _, a := range aliases {
		if !slices.Contains(old.Aliases, a) && !slices.Contains(c.Aliases, a) && !(a.Field == keyName && a.Value == now.Name) {
			c.Aliases = append(c.Aliases, a)
			if a.Value != old.Name && a.Value != old.BudgetCode && a.Value != old.OrgCode {
				c.Fields = append(c.Fields, tianbao.FieldChange{Field: keyAliases, After: a.Value})
			}
		}
	}
	if contact.Name != old.Contact.Name {
		c.Contact, c.Fields = &contact, append(c.Fields, tianbao.FieldChange{Field: keyContact})
	}
	if contact.Phone != old.Contact.Phone {
		c.Contact, c.Fields = &contact, append(c.Fields, tianbao.FieldChange{Field: keyPhone})
	}
	if contact.Mail != old.Contact.Mail {
		c.Contact, c.Fields = &contact, append(c.Fields, tianbao.FieldChange{Field: keyMail})
	}
	if len(c.Fields) == 0 && len(c.Aliases) == 0 {
		return nil
	}
	return &c
}
