package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
)

// Figures are counted from the units of the day and where they stood, each unit once, and
// grouped here: the engines read rows faster than they group them. There are two ways to
// the same rows. In a narrow scope the units are found by their paths and each brings where
// it stands. In a wide one that is a search a unit, which costs several times what it costs
// to read both tables in the order in which they lie; there units and standings are read
// from end to end and meet here.
//
// $1 is the time, $2 the collection, where both are asked for.

const (
	// What units are grouped by; the last column tells bureaus and departments.
	countedUnit = `SELECT u.id, u.parent, u.region_id, CASE WHEN u.kind = 'unit' THEN 0 ELSE 1 END`
	countedPast = `SELECT u.unit_id, u.parent, u.region_id, CASE WHEN u.kind = 'unit' THEN 0 ELSE 1 END`

	sqlCountNow = countedUnit + `, ` + stateNow + `, COALESCE(s.row_count, 0), COALESCE(s.faulty, 0)
 FROM unit u LEFT JOIN unit_status s ON s.campaign_id = $2 AND s.unit_id = u.id
 WHERE SCOPE(u.path) AND u.since <= $1 AND (u.valid_to = 0 OR u.valid_to > $1)`
	sqlCountThen = `SELECT x.id, x.parent, x.region_id, CASE WHEN x.kind = 'unit' THEN 0 ELSE 1 END, ` + statePast + `, 0, 0 FROM ` + unitsThen

	sqlScanUnits    = countedUnit + ` FROM unit u WHERE SCAN(u.path) AND u.since <= $1 AND (u.valid_to = 0 OR u.valid_to > $1)`
	sqlScanPast     = countedPast + dayPast
	sqlScanStatuses = `SELECT s.unit_id, s.state, s.row_count, s.faulty FROM unit_status s WHERE s.campaign_id = $1`

	// How many units lie in a scope, counted up to $1; how many there are.
	sqlScopeSize    = `SELECT COUNT(*) FROM (SELECT 1 FROM unit u WHERE SCOPE(u.path) LIMIT $1) x`
	sqlRegisterSize = `SELECT COUNT(*) FROM unit`
)

// wideShare is from which share of the register on a scope is wide: one in so many.
const wideShare = 5

// counted is a unit of the day with where it stood.
type counted struct {
	id, parent, region tianbao.ID
	office             bool // a bureau or department
	lastChange
	rows, faulty int
}

// Tally implements campaign.Store.
func (s *Store) Tally(ctx context.Context, scope tianbao.Scope, q campaign.Question) (*campaign.Tally, error) {
	t := &campaign.Tally{}
	err := s.db.Read(ctx, func(r db.Queryer) (err error) {
		if t.Plan, err = s.planOf(ctx, r, q.Campaign); err != nil {
			return err
		}
		then, err := scopeThen(ctx, r, scope, q)
		if err != nil {
			return err
		}
		t.Tops = then.Paths
		c := counting{ctx: ctx, q: r, scope: then, ask: q}
		wide, err := s.wide(&c)
		if err != nil {
			return err
		}
		if wide {
			err = c.scan()
		} else {
			err = c.find()
		}
		if err != nil {
			return err
		}
		var some []tianbao.ID
		t.Cells, some = group(t.Plan, c.units)
		t.Units, err = place(ctx, r, t.Cells, some, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// group puts units together that stand alike. A unit is counted by itself where a rule
// names it, where units lie below it, and where it is a bureau or department. It returns
// one of the units of each cell too.
func group(plan *campaign.Plan, units []counted) (cells []campaign.Cell, some []tianbao.ID) {
	parents := make(map[tianbao.ID]bool)
	for i := range units {
		if p := units[i].parent; i == 0 || p != units[i-1].parent {
			parents[p] = true
		}
	}
	type key struct {
		parent, alone, region tianbao.ID
		state                 string
	}
	at := make(map[key]int)
	for i := range units {
		u := &units[i]
		k := key{u.parent, 0, u.region, u.state}
		if u.office || parents[u.id] || plan.Names(u.id) {
			k.alone = u.id
		}
		n, ok := at[k]
		if !ok {
			n = len(cells)
			at[k] = n
			cells = append(cells, campaign.Cell{Unit: k.alone, Region: u.region, State: tianbao.Standing(u.state)})
			some = append(some, u.id)
		}
		c := &cells[n]
		c.Count++
		c.Rows += u.rows
		c.Faulty += u.faulty
	}
	return cells, some
}

// place tells cells where they lie, which is where one of the units of each lay, and
// returns the units above them and those that are a cell by themselves, as they were.
func place(ctx context.Context, q db.Queryer, cells []campaign.Cell, some []tianbao.ID, ask campaign.Question) (map[tianbao.ID]tianbao.Unit, error) {
	units, err := unitsAt(ctx, q, some, ask)
	if err != nil {
		return nil, err
	}
	ids := make(map[tianbao.ID]bool)
	for i := range cells {
		u := units[some[i]]
		cells[i].Path, cells[i].Kind = u.Path, u.Kind
		if cells[i].Unit == 0 {
			delete(units, u.ID)
		}
		for _, id := range above(u.Path) {
			ids[id] = true
		}
	}
	maps.DeleteFunc(ids, func(id tianbao.ID, _ bool) bool { _, there := units[id]; return there })
	more, err := unitsAt(ctx, q, slices.Sorted(maps.Keys(ids)), ask)
	maps.Copy(units, more)
	return units, err
}

// registerSize is how many units there are, as it was a while ago.
type registerSize struct {
	units int
	at    time.Time
}

// sizeFor is for how long a count of all units is good enough to choose a way by.
const sizeFor = 10 * time.Minute

// wide reports whether a scope is a large share of the register.
func (s *Store) wide(c *counting) (wide bool, err error) {
	if len(c.scope.Paths) == 0 || c.scope.Paths[0] == "/" {
		return true, nil
	}
	units, err := s.registered(c.ctx, c.q)
	if err != nil {
		return false, err
	}
	limit := units/wideShare + 1
	var n int
	sql, args := within(sqlScopeSize, c.scope, limit)
	err = c.q.One(c.ctx, []any{&n}, sql, args...)
	return n >= limit, err
}

// registered returns how many units there are, about.
func (s *Store) registered(ctx context.Context, q db.Queryer) (int, error) {
	size, now := s.size.Load(), s.now()
	if size == nil || now.Sub(size.at).Abs() > sizeFor {
		size = &registerSize{at: now}
		if err := q.One(ctx, []any{&size.units}, sqlRegisterSize); err != nil {
			return 0, err
		}
		s.size.Store(size)
	}
	return size.units, nil
}

// counting reads the units of a day with where they stood.
type counting struct {
	ctx   context.Context
	q     db.Queryer
	scope tianbao.Scope
	ask   campaign.Question
	units []counted
}

// find reads the units of a narrow scope.
func (c *counting) find() error {
	text := sqlCountNow
	if c.ask.Past {
		text = sqlCountThen
	}
	sql, args := within(text, c.scope, ms(c.ask.At), c.ask.Campaign)
	return c.read(sql, args, true)
}

// read adds units, with where they stood if the query tells it.
func (c *counting) read(sql string, args []any, state bool) error {
	var id, parent, region int64
	var office int
	var u counted
	dest := []any{&id, &parent, &region, &office}
	if state {
		dest = append(dest, &u.state, &u.rows, &u.faulty)
	}
	return c.q.Each(c.ctx, func(scan db.Scan) error {
		err := scan(dest...)
		u.id, u.parent, u.region, u.office = tianbao.ID(id), tianbao.ID(parent), tianbao.ID(region), office != 0
		c.units = append(c.units, u)
		return err
	}, sql, args...)
}

// scan reads the units of a wide scope, and then where all units of the collection stood.
func (c *counting) scan() error {
	sql, args := within(sqlScanUnits, c.scope, ms(c.ask.At))
	if err := c.read(sql, args, false); err != nil {
		return err
	}
	if c.ask.Past {
		sql, args = within(sqlScanPast, c.scope, ms(c.ask.At))
		if err := c.read(sql, args, false); err != nil {
			return err
		}
	}
	find := finder(c.units)
	if c.ask.Past {
		return stoodThen(c.ctx, c.q, c.ask.Campaign, c.ask.At, func(id tianbao.ID) *lastChange {
			if u := find(id); u != nil {
				return &u.lastChange
			}
			return nil
		})
	}
	var id int64
	var state string
	var rows, faulty int
	dest := []any{&id, &state, &rows, &faulty}
	return c.q.Each(c.ctx, func(scan db.Scan) error {
		if err := scan(dest...); err != nil {
			return err
		}
		if u := find(tianbao.ID(id)); u != nil {
			u.state, u.rows, u.faulty = state, rows, faulty
		}
		return nil
	}, sqlScanStatuses, c.ask.Campaign)
}

// finder finds units by id. Who asks in their order is answered without a search.
func finder(units []counted) func(id tianbao.ID) *counted {
	var at map[tianbao.ID]int
	last := 0
	return func(id tianbao.ID) *counted {
		for i := last; i < min(last+2, len(units)); i++ {
			if units[i].id == id {
				last = i
				return &units[i]
			}
		}
		if at == nil {
			at = make(map[tianbao.ID]int, len(units))
			for i := range units {
				at[units[i].id] = i
			}
		}
		i, ok := at[id]
		if !ok {
			return nil
		}
		last = i
		return &units[i]
	}
}
