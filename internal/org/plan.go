package org

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/ident"
)

// Plan is what a workbook would do to the register. Every row of it is counted once.
type Plan struct {
	Day     time.Time // from when on it holds
	Rows    int
	New     int
	Changed int
	Closed  int
	Same    int
	Faulty  int // rows that are left out
	// Absent is how many open units of the scope the workbook does not name; they stay.
	Absent   int
	Problems []tianbao.Problem // by rows of the workbook
	Items    []Item            // the first of the changes, for the preview

	base    int64
	changes []tianbao.UnitChange
}

// Empty reports whether there is nothing to be done.
func (p *Plan) Empty() bool { return len(p.changes) == 0 }

// Item is one row of a preview.
type Item struct {
	SheetRow int
	Acts     []tianbao.UnitAct
	Name     string
	Code     string
	Fields   []tianbao.FieldChange
}

// maxItems is how many changes a preview lists; the counts tell of all.
const maxItems = 500

// Preview plans a workbook of the register's form; nothing is written.
func (s *Service) Preview(ctx context.Context, scope tianbao.Scope, imp *tianbao.Import, day time.Time) (*Plan, error) {
	if err := s.past(day); err != nil {
		return nil, err
	}
	entries, version, err := s.Store.Register(ctx, scope, true)
	if err != nil {
		return nil, err
	}
	regions, err := s.Store.Regions(ctx)
	if err != nil {
		return nil, err
	}
	p := newPlanner(s, scope, entries, regions, imp, day)
	p.plan.base = version
	return p.run(), nil
}

// Apply carries a plan out, if the register is still as it was planned from.
func (s *Service) Apply(ctx context.Context, a Actor, p *Plan) error {
	if p.Empty() {
		return nil
	}
	detail := "rows=" + strconv.Itoa(p.Rows) + " new=" + strconv.Itoa(p.New) + " changed=" + strconv.Itoa(p.Changed) +
		" closed=" + strconv.Itoa(p.Closed) + " left=" + strconv.Itoa(p.Faulty)
	return s.Store.ChangeRegister(ctx, &tianbao.RegisterChange{
		Base: p.base, Day: p.Day, At: s.Now(), By: a.User, Changes: p.changes,
		Events: []tianbao.Event{s.event(a, "register.import", 0, detail)},
	})
}

// node is a unit while a plan is made: an entry of the register, a row of the workbook,
// or both.
type node struct {
	entry *tianbao.UnitEntry // nil: new
	row   int                // -1: not in the workbook
	unit  tianbao.Unit       // as it is to be
	up    *node              // as it is to be; nil: above the scope, or none
	was   *node              // as it is
	moves bool               // the row names another parent
	depth int                // of the walk that orders the nodes, see order
	below int                // open nodes right below, as it is to be
	close bool
}

func (n *node) isNew() bool { return n.entry == nil }

// planner makes a plan.
type planner struct {
	s       *Service
	scope   tianbao.Scope
	whole   bool // the scope is everything
	imp     *tianbao.Import
	f       fields
	regions *regionFinder
	plan    *Plan

	nodes   []*node // of the register
	rows    []*node // by row of the workbook
	bad     []bool  // rows that are left out
	found   []tianbao.Problem
	byID    map[tianbao.ID]*node
	codes   map[string][]*node // open units by budget and organisation code
	entries []tianbao.UnitEntry
}

// fields are the places of the form's fields.
type fields struct{ budget, name, org, typ, kind, parent, region, contact, phone, mail, aliases, state int }

func newPlanner(s *Service, scope tianbao.Scope, entries []tianbao.UnitEntry, regions []tianbao.Region, imp *tianbao.Import, day time.Time) *planner {
	form := s.Checker.Form()
	p := &planner{
		s: s, scope: scope, whole: slices.Contains(scope.Paths, "/"), imp: imp, regions: newRegionFinder(regions),
		plan: &Plan{Day: day, Rows: len(imp.Rows)},
		rows: make([]*node, len(imp.Rows)), bad: make([]bool, len(imp.Rows)),
		byID: make(map[tianbao.ID]*node, len(entries)), codes: make(map[string][]*node), entries: entries,
		f: fields{
			form.Index(keyBudget), form.Index(keyName), form.Index(keyOrg), form.Index(keyType), form.Index(keyKind), form.Index(keyParent),
			form.Index(keyRegion), form.Index(keyContact), form.Index(keyPhone), form.Index(keyMail), form.Index(keyAliases), form.Index(keyState),
		},
	}
	for i := range entries {
		e := &entries[i]
		n := &node{entry: e, row: -1, unit: e.Unit}
		p.byID[e.ID] = n
		if !e.To.IsZero() {
			continue // what has closed is not changed any more
		}
		p.nodes = append(p.nodes, n)
		p.know(n, e.BudgetCode)
		p.know(n, e.OrgCode)
	}
	for _, n := range p.nodes {
		n.was = p.byID[n.entry.Parent]
		n.up = n.was
	}
	return p
}

// know lets a node be found by a code.
func (p *planner) know(n *node, code string) {
	if code != "" && !slices.Contains(p.codes[code], n) {
		p.codes[code] = append(p.codes[code], n)
	}
}

// cell is a cell of a row of the workbook.
func (p *planner) cell(row, field int) string {
	if v := p.imp.Rows[row].Row.Values; field < len(v) {
		return v[field]
	}
	return ""
}

// fault notes a problem of a row; an error leaves the row out.
func (p *planner) fault(row int, field, code string, sev tianbao.Severity, message string) {
	p.found = append(p.found, tianbao.Problem{Row: row, Field: field, Code: code, Severity: sev, Message: message})
	if sev == tianbao.SeverityError {
		p.bad[row] = true
	}
}

func (p *planner) run() *Plan {
	p.found = p.s.Checker.Imported(p.imp)
	for i := range p.found {
		if p.found[i].Severity == tianbao.SeverityError {
			p.bad[p.found[i].Row] = true
		}
	}
	p.mails()
	p.match()
	p.parents()
	// A row that is left out keeps its unit where and what it was, which may be in the way
	// of another row: so until nothing more falls out.
	order := p.order()
	for round := 0; ; round++ {
		left := p.left()
		p.values(order)
		p.collisions()
		p.closings(order)
		if p.left() == left {
			break
		}
		if round == maxRounds {
			p.giveUp()
		}
		order = p.order()
	}
	p.emit(order)
	slices.SortStableFunc(p.found, func(a, b tianbao.Problem) int { return cmp.Compare(a.Row, b.Row) })
	p.plan.Problems = p.found
	return p.plan
}

// mails brings the addresses into normal form and refuses what is none. A column that a
// workbook of the first version does not have is blank.
func (p *planner) mails() {
	for i := range p.rows {
		if text := p.mail(i); text != "" && !ident.IsMail(text) {
			p.fault(i, keyMail, "contact_mail.format", tianbao.SeverityError, badMail)
		}
	}
}

// mail is the address that a row gives.
func (p *planner) mail(i int) string { return ident.NormalizeMail(p.cell(i, p.f.mail)) }

// badMail says that a cell is no address.
const badMail = "电子邮箱无法识别，请按“name@example.gov.cn”的样子填写，一个单位只填一个。"

// left is how many rows are left out so far.
func (p *planner) left() (n int) {
	for _, bad := range p.bad {
		if bad {
			n++
		}
	}
	return n
}

// giveUp leaves out the rest of a workbook whose rows stand in each other's way.
func (p *planner) giveUp() {
	for i := range p.rows {
		if !p.bad[i] {
			p.fault(i, "", "row.tangled", tianbao.SeverityError, "本行与表中其他有错误的行互相影响，请先改正那些行。")
		}
	}
}

// match finds the unit of each row, and lets new ones be found by their codes.
func (p *planner) match() {
	byName := make(map[string][]*node, len(p.nodes))
	for _, n := range p.nodes {
		byName[n.entry.Name] = append(byName[n.entry.Name], n)
	}
	broken := slices.Clone(p.bad)
	for i := range p.rows {
		if p.bad[i] {
			continue
		}
		n := p.matched(i, byName)
		if p.bad[i] {
			continue
		}
		switch {
		case n == nil:
			n = &node{row: i}
			p.rows[i] = n
		case n.row >= 0:
			p.fault(i, keyBudget, "budget_code.twice", tianbao.SeverityError, "本行与前面的第"+strconv.Itoa(p.imp.Rows[n.row].SheetRow)+"行是同一个单位，请只留一行。")
		default:
			n.row = i
			p.rows[i] = n
		}
	}
	// Codes are made known when all rows have found their units, so that a row never
	// takes another row for its unit.
	for i, n := range p.rows {
		if n != nil {
			p.know(n, p.cell(i, p.f.budget))
			p.know(n, p.cell(i, p.f.org))
		}
	}
	// A row that breaks the form's rules is told what else is wrong, as far as that can
	// be seen without its unit.
	for i, broken := range broken {
		if !broken {
			continue
		}
		if text := p.cell(i, p.f.region); text != "" {
			if _, ok := p.regions.find(text); !ok {
				p.unknownRegion(i)
			}
		}
		if code := p.cell(i, p.f.parent); code != "" && len(p.codes[code]) == 0 {
			p.unknownParent(i)
		}
	}
}

func (p *planner) unknownRegion(i int) {
	p.fault(i, keyRegion, "region.unknown", tianbao.SeverityError, "区划表中没有这个区划，或者同名的不止一个，请填写六位行政区划代码。")
}

func (p *planner) unknownParent(i int) {
	p.fault(i, keyParent, "parent_code.unknown", tianbao.SeverityError, "登记册和本表中都没有这个上级单位，请核对编码，或先登记上级单位。")
}

// matched returns the unit of a row, nil for a new one. A budget code is one within its
// region only, so a unit with the row's code is the row's unit if it lies in the region
// that the row names, or bears its organisation code or name. A unit whose budget code
// has changed is known by organisation code and name together.
func (p *planner) matched(i int, byName map[string][]*node) *node {
	budget, name, org := p.cell(i, p.f.budget), p.cell(i, p.f.name), p.cell(i, p.f.org)
	region, ok := tianbao.ID(0), true
	if text := p.cell(i, p.f.region); text != "" {
		if region, ok = p.regions.find(text); !ok {
			p.unknownRegion(i)
			return nil
		}
	}
	var list []*node
	for _, n := range p.codes[budget] {
		e := n.entry
		if e.BudgetCode == budget && (region == 0 || e.Region == region || org != "" && e.OrgCode == org || e.Name == name) {
			list = append(list, n)
		}
	}
	if len(list) > 1 {
		same := slices.DeleteFunc(slices.Clone(list), func(n *node) bool { return region != 0 && n.entry.Region != region || n.entry.Name != name })
		if len(same) == 1 {
			return same[0]
		}
		if region != 0 {
			same = slices.DeleteFunc(list, func(n *node) bool { return n.entry.Region != region })
			if len(same) == 1 {
				return same[0]
			}
		}
		p.fault(i, keyBudget, "budget_code.ambiguous", tianbao.SeverityError, "登记册中有几个单位使用这个编码，请填写所属区划，以便认出是哪一个。")
		return nil
	}
	if len(list) == 1 {
		return list[0]
	}
	if org != "" {
		for _, n := range byName[name] {
			if n.entry.OrgCode == org && n.row < 0 {
				return n
			}
		}
	}
	return nil
}

// parents finds the unit above each row's.
func (p *planner) parents() {
	for i, n := range p.rows {
		if n == nil {
			continue
		}
		code := p.cell(i, p.f.parent)
		root := !n.isNew() && n.was == nil
		switch {
		case root && !p.whole:
			// The place of the scope's own root is above the power of who imports.
		case code == "":
			if n.isNew() && !(p.whole && kindOf(p.cell(i, p.f.kind)) == "bureau") {
				p.fault(i, keyParent, "parent_code.required", tianbao.SeverityError, "登记册中还没有这个单位，请填写上级单位编码。")
			}
		default:
			up := p.above(i, n, code)
			if up != nil && (n.isNew() || up != n.was) {
				n.up, n.moves = up, true
			}
		}
	}
}

// above finds the unit that a row names as the one above it.
func (p *planner) above(i int, n *node, code string) *node {
	list := slices.DeleteFunc(slices.Clone(p.codes[code]), func(up *node) bool { return up == n })
	if len(list) > 1 && n.was != nil && slices.Contains(list, n.was) {
		return n.was // where it is already
	}
	// Codes are the same in many regions: the nearest unit is meant.
	region := p.regionOf(i, n)
	for r := region; len(list) > 1 && r != 0; r = p.regions.parent(r) {
		near := slices.DeleteFunc(slices.Clone(list), func(up *node) bool { return p.regionOf(up.row, up) != r })
		if len(near) > 0 {
			list = near
			break
		}
	}
	switch {
	case len(list) == 1:
		return list[0]
	case len(list) > 1:
		p.fault(i, keyParent, "parent_code.ambiguous", tianbao.SeverityError, "使用这个编码的单位不止一个，请改填上级单位的统一社会信用代码。")
	case slices.Contains(p.codes[code], n):
		p.fault(i, keyParent, "parent_code.self", tianbao.SeverityError, "上级单位不能是单位自己，请改正。")
	default:
		p.unknownParent(i)
	}
	return nil
}

// regionOf is the region that a row or an entry names, 0 where neither does.
func (p *planner) regionOf(i int, n *node) tianbao.ID {
	if i >= 0 {
		if r, ok := p.regions.find(p.cell(i, p.f.region)); ok {
			return r
		}
	}
	if n.entry != nil {
		return n.entry.Region
	}
	return 0
}
