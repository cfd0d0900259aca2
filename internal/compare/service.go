package compare

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/clock"
)

// Comparison is an old list held against what a collection has gathered.
type Comparison struct {
	ID       tianbao.ID
	Owner    tianbao.ID // whose list it is
	Campaign tianbao.ID
	List     int64     // version of the list that was compared last, 0: never compared
	At       time.Time // when
	Turn     int64     // rises with every run that changed something
}

// Item is a finding as it is kept.
type Item struct {
	Finding
	Unit   tianbao.ID // within whose subtree it may be seen
	Report tianbao.ID // of a row
}

// Snapshot tells what a comparison depends on.
type Snapshot struct {
	Register int64
	List     int64                // version of the list, 0: there is none
	Reports  map[tianbao.ID]int64 // versions of the reports with rows of the owner's units
}

// Store keeps lists, findings and decisions; internal/store implements it. Where a scope is
// asked for it is applied in the query.
type Store interface {
	// PutList stores a list as the next version of its owner's, whole or not at all.
	PutList(ctx context.Context, l *NewList, events ...tianbao.Event) (OldList, error)
	// DropList deletes the list of a bureau in scope, all versions of it, with what was found
	// of it and the reasons of decisions, and returns how many lines there were.
	DropList(ctx context.Context, scope tianbao.Scope, owner, by tianbao.ID, at time.Time, event func(lines int64) tianbao.Event) (int64, error)
	// OpenComparison returns the comparison of a list with a collection, made if there is
	// none.
	OpenComparison(ctx context.Context, owner, campaign tianbao.ID) (Comparison, error)
	// Depends returns what the comparison depends on now.
	Depends(ctx context.Context, c *Comparison) (Snapshot, error)
	// OldRecords gives the lines of the list's version.
	OldRecords(ctx context.Context, c *Comparison, version int64, fn func(Record) error) error
	// NewRecords gives the rows of the owner's units that stand in the reports.
	NewRecords(ctx context.Context, c *Comparison, reports []tianbao.ID, fn func(Record) error) error
	// Decided returns the decisions that hold.
	Decided(ctx context.Context, c *Comparison) ([]Decision, error)
	// Items gives all findings that are kept.
	Items(ctx context.Context, c *Comparison, fn func(Item) error) error
	// PutItems keeps findings that are new or others than before and forgets those of lines
	// that are gone, as the comparison's next turn; tianbao.ErrConflict when somebody else
	// was faster.
	PutItems(ctx context.Context, c *Comparison, put []Item, gone []Line, events ...tianbao.Event) error
	// Item returns a finding about a line within the scope, and whether the other line lies
	// in it too.
	Item(ctx context.Context, scope tianbao.Scope, comparison tianbao.ID, line Line) (Item, bool, error)
	// PutDecision keeps a decision; one about the same lines ends.
	PutDecision(ctx context.Context, v *Verdict, events ...tianbao.Event) error
	// EndDecision ends a decision about a line within the scope and returns it.
	EndDecision(ctx context.Context, scope tianbao.Scope, comparison, decision, by tianbao.ID, at time.Time, events ...tianbao.Event) error
}

// Line names a line of a comparison.
type Line struct {
	Side Side
	ID   tianbao.ID
}

// Kind is what a person decides.
type Kind string

// The decisions.
const (
	KindSame    Kind = "same"    // one and the same
	KindApart   Kind = "apart"   // two people, or two accounts
	KindIgnore  Kind = "ignore"  // nothing is to be done
	KindCorrect Kind = "correct" // what was collected is to be corrected
)

// Title returns the decision in the users' words, "" for one that does not exist.
func (k Kind) Title() string {
	switch k {
	case KindSame:
		return "是同一人"
	case KindApart:
		return "不是同一人"
	case KindIgnore:
		return "不用处理"
	case KindCorrect:
		return "需要更正"
	}
	return ""
}

// Verdict is a decision with its reason. Old or New is 0 where it is about one line alone.
type Verdict struct {
	ID         tianbao.ID
	Comparison tianbao.ID
	Old, New   tianbao.ID
	Unit       tianbao.ID // of the line at which it was made
	Kind       Kind
	Reason     string
	By         tianbao.ID
	ByName     string
	At         time.Time
}

// Actor is who compares: the subtrees of the register that the actor keeps, and where the
// act comes from.
type Actor struct {
	User  tianbao.ID
	From  string
	Scope tianbao.Scope
}

// Service compares. Lists that were compared lately are kept in memory, ids, phones and
// user names as keyed indexes, so that a run after changes judges only what depends on them.
type Service struct {
	Store Store
	// Find looks units up within a subtree.
	Find func(ctx context.Context, scope tianbao.Scope, lookups int) (tianbao.UnitFinder, error)
	Form *tianbao.Form // of FormName
	IDs  *clock.IDs
	Now  clock.Clock

	mu    sync.Mutex
	desks []*desk // the one used last at the end
}

// maxDesks is how many comparisons are kept in memory.
const maxDesks = 2

// desk is a comparison in memory.
type desk struct {
	id     tianbao.ID
	mu     sync.Mutex
	engine *Engine // nil: nothing is known
	turn   int64
	seen   Snapshot
	rows   map[tianbao.ID][]tianbao.ID // of each report
	olds   []tianbao.ID
}

func (s *Service) event(a Actor, what string, owner tianbao.ID, object tianbao.ID, detail string) tianbao.Event {
	return tianbao.Event{At: s.Now(), Actor: a.User, Owner: owner, From: a.From, What: what, Object: object.String(), Detail: detail}
}

// Import stores what a workbook gave as the list of a bureau.
func (s *Service) Import(ctx context.Context, a Actor, owner *tianbao.Unit, imp *tianbao.Import, file, digest string, headers map[string]string) (OldList, error) {
	if !a.Scope.Covers(owner.Path) {
		return OldList{}, tianbao.NotFound()
	}
	if len(imp.Rows) == 0 {
		return OldList{}, tianbao.Invalid("empty", "文件里没有名单，请检查选的工作表和表头。")
	}
	if len(imp.Rows) > MaxList {
		return OldList{}, &tianbao.Error{Kind: tianbao.ErrTooLarge, Code: "list_long", Message: fmt.Sprintf("名单超过 %d 行，请按市县分成几个文件，由各财政局分别导入。", MaxList)}
	}
	find, err := s.Find(ctx, tianbao.Scope{Paths: []string{owner.Path}}, len(imp.Rows))
	if err != nil {
		return OldList{}, err
	}
	l := &NewList{Owner: owner.ID, File: file, Digest: digest, Headers: headers, At: s.Now(), By: a.User, Users: make([]OldUser, len(imp.Rows))}
	for i := range imp.Rows {
		row := &imp.Rows[i]
		u := OldUser{Line: row.SheetRow, Values: row.Row.Values}
		keys := make(map[string]string, 3)
		for _, key := range s.Form.UnitKeys {
			if v := u.Values[s.Form.Index(key)]; v != "" {
				keys[key] = v
			}
		}
		m, err := find(keys)
		if err != nil {
			return OldList{}, err
		}
		u.Unit = m.ID()
		l.Users[i] = u
	}
	return s.Store.PutList(ctx, l, s.event(a, "compare.list", owner.ID, owner.ID, fmt.Sprintf("rows=%d", len(l.Users))))
}

// Drop deletes the list of a bureau, and returns how many lines it had in all versions.
func (s *Service) Drop(ctx context.Context, a Actor, owner *tianbao.Unit) (int64, error) {
	if !a.Scope.Covers(owner.Path) {
		return 0, tianbao.NotFound()
	}
	return s.Store.DropList(ctx, a.Scope, owner.ID, a.User, s.Now(), func(lines int64) tianbao.Event {
		return s.event(a, "compare.drop", owner.ID, owner.ID, fmt.Sprintf("lines=%d", lines))
	})
}

// Run brings a comparison up to date and returns it.
func (s *Service) Run(ctx context.Context, a Actor, owner, campaign tianbao.ID) (Comparison, error) {
	c, err := s.Store.OpenComparison(ctx, owner, campaign)
	if err != nil {
		return c, err
	}
	d := s.desk(c.ID)
	d.mu.Lock()
	defer d.mu.Unlock()
	for try := 0; ; try++ {
		if c, err = s.Store.OpenComparison(ctx, owner, campaign); err != nil {
			return c, err
		}
		err = s.run(ctx, a, &c, d)
		if err != nil {
			d.engine = nil // what it knows may not be what is kept
		}
		if tianbao.KindOf(err) != tianbao.ErrConflict || err == nil || try == 2 {
			return c, err
		}
	}
}

// desk finds the place of a comparison in memory.
func (s *Service) desk(id tianbao.ID) *desk {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.desks, func(d *desk) bool { return d.id == id })
	d := &desk{id: id}
	if at >= 0 {
		d = s.desks[at]
		s.desks = slices.Delete(s.desks, at, at+1)
	} else if len(s.desks) == maxDesks {
		s.desks = slices.Delete(s.desks, 0, 1)
	}
	s.desks = append(s.desks, d)
	return d
}

// run judges what has changed and keeps what is found.
func (s *Service) run(ctx context.Context, a Actor, c *Comparison, d *desk) error {
	now, err := s.Store.Depends(ctx, c)
	if err != nil {
		return err
	}
	if now.List == 0 {
		return tianbao.Invalid("no_list", "还没有旧系统用户名单，请先导入名单再比对。")
	}
	anew := d.engine == nil || d.turn != c.Turn || d.seen.Register != now.Register
	if anew {
		d.engine, d.rows, d.olds, d.seen = NewEngine(1024), make(map[tianbao.ID][]tianbao.ID), nil, Snapshot{}
	}
	var gone []Line
	if d.seen.List != now.List {
		if gone, err = s.loadOld(ctx, c, d, now.List, gone); err != nil {
			return err
		}
	}
	if gone, err = s.loadNew(ctx, c, d, now.Reports, gone); err != nil {
		return err
	}
	if err := s.loadDecisions(ctx, c, d); err != nil {
		return err
	}
	found := d.engine.Judge()
	put := make([]Item, 0, len(found))
	for _, f := range found {
		put = append(put, d.item(f))
	}
	if anew {
		if put, gone, err = s.news(ctx, c, d, put); err != nil {
			return err
		}
	}
	if c.List != now.List || len(put) > 0 || len(gone) > 0 {
		c.List, c.At = now.List, s.Now()
		e := s.event(a, "compare.run", c.Owner, c.Campaign, fmt.Sprintf("list=%d judged=%d changed=%d gone=%d", now.List, d.engine.Judged(), len(put), len(gone)))
		if err := s.Store.PutItems(ctx, c, put, gone, e); err != nil {
			return err
		}
	}
	d.turn, d.seen = c.Turn, now
	return nil
}

// loadOld brings the list in memory to a version.
func (s *Service) loadOld(ctx context.Context, c *Comparison, d *desk, version int64, gone []Line) ([]Line, error) {
	var ids []tianbao.ID
	there := make(map[tianbao.ID]bool, len(d.olds))
	err := s.Store.OldRecords(ctx, c, version, func(r Record) error {
		d.engine.Put(Old, r)
		ids = append(ids, r.ID)
		there[r.ID] = true
		return nil
	})
	for _, id := range d.olds {
		if !there[id] {
			d.engine.Drop(Old, id)
			gone = append(gone, Line{Old, id})
		}
	}
	d.olds = ids
	return gone, err
}

// loadNew brings the rows in memory to the versions of their reports.
func (s *Service) loadNew(ctx context.Context, c *Comparison, d *desk, reports map[tianbao.ID]int64, gone []Line) ([]Line, error) {
	var read []tianbao.ID
	for id, version := range reports {
		if at, met := d.seen.Reports[id]; !met || at != version {
			read = append(read, id)
		}
	}
	slices.Sort(read)
	fresh := make(map[tianbao.ID][]tianbao.ID, len(read))
	err := s.Store.NewRecords(ctx, c, read, func(r Record) error {
		d.engine.Put(New, r)
		fresh[r.Report] = append(fresh[r.Report], r.ID)
		return nil
	})
	if err != nil {
		return gone, err
	}
	drop := func(report tianbao.ID, keep []tianbao.ID) {
		there := make(map[tianbao.ID]bool, len(keep))
		for _, id := range keep {
			there[id] = true
		}
		for _, id := range d.rows[report] {
			if r := d.engine.Record(New, id); !there[id] && r != nil && r.Report == report {
				d.engine.Drop(New, id)
				gone = append(gone, Line{New, id})
			}
		}
	}
	for _, id := range read {
		drop(id, fresh[id])
		d.rows[id] = fresh[id]
	}
	for id := range d.rows {
		if _, there := reports[id]; !there {
			drop(id, nil)
			delete(d.rows, id)
		}
	}
	return gone, nil
}

// loadDecisions brings the decisions in memory up to date.
func (s *Service) loadDecisions(ctx context.Context, c *Comparison, d *desk) error {
	hold, err := s.Store.Decided(ctx, c)
	if err != nil {
		return err
	}
	d.engine.DecideAll(hold)
	return nil
}

// item is a finding with where its lines lie.
func (d *desk) item(f Finding) Item {
	it := Item{Finding: f}
	if r := d.engine.Record(f.Side, f.ID); r != nil {
		it.Unit, it.Report = r.Place, r.Report
	}
	return it
}

// news holds findings against those that are kept: what differs, and what is gone.
func (s *Service) news(ctx context.Context, c *Comparison, d *desk, all []Item) (put []Item, gone []Line, err error) {
	kept := make(map[Line]Item)
	if err := s.Store.Items(ctx, c, func(it Item) error {
		line := Line{it.Side, it.ID}
		if d.engine.Record(it.Side, it.ID) == nil {
			gone = append(gone, line)
			return nil
		}
		kept[line] = it
		return nil
	}); err != nil {
		return nil, nil, err
	}
	for _, it := range all {
		if kept[Line{it.Side, it.ID}] != it {
			put = append(put, it)
		}
	}
	return put, gone, nil
}

// Lengths of a decision's reason, in characters.
const (
	minReason = 4
	maxReason = 200
)

// Decide keeps what a person says of a line and, where two are meant, of the other one. Who
// decides about two lines must see both.
func (s *Service) Decide(ctx context.Context, a Actor, c *Comparison, line Line, kind Kind, reason string) error {
	reason = strings.Join(strings.Fields(reason), " ")
	if n := utf8.RuneCountInString(reason); n < minReason || n > maxReason {
		return tianbao.Invalid("reason", "请写明理由，4 到 200 个字，例如“已与单位电话核实”。")
	}
	if kind.Title() == "" {
		return tianbao.Invalid("bad_decision", "请选择处理结果。")
	}
	it, both, err := s.Store.Item(ctx, a.Scope, c.ID, line)
	if err != nil {
		return err
	}
	v := &Verdict{ID: tianbao.ID(s.IDs.Next()), Comparison: c.ID, Unit: it.Unit, Kind: kind, Reason: reason, By: a.User, At: s.Now()}
	ends := [2]*tianbao.ID{&v.Old, &v.New}
	*ends[line.Side] = line.ID
	if kind == KindSame || kind == KindApart {
		switch {
		case it.Partner == 0:
			return tianbao.Invalid("no_partner", "这一条没有可以配对的另一条，请选择“不用处理”或“需要更正”。")
		case !both:
			return tianbao.Invalid("elsewhere", "另一条属于其他单位，请由上级财政部门认定。")
		}
		*ends[1-line.Side] = it.Partner
	}
	if err := s.Store.PutDecision(ctx, v, s.event(a, "compare.decide", it.Unit, c.ID, "decision="+v.ID.String()+" kind="+string(kind))); err != nil {
		return err
	}
	return s.after(ctx, a, c, kind)
}

// Undo takes a decision back.
func (s *Service) Undo(ctx context.Context, a Actor, c *Comparison, decision tianbao.ID) error {
	e := s.event(a, "compare.undo", c.Owner, c.ID, "decision="+decision.String())
	if err := s.Store.EndDecision(ctx, a.Scope, c.ID, decision, a.User, s.Now(), e); err != nil {
		return err
	}
	return s.after(ctx, a, c, KindSame)
}

// after judges what depends on a decision.
func (s *Service) after(ctx context.Context, a Actor, c *Comparison, kind Kind) error {
	if kind != KindSame && kind != KindApart {
		return nil
	}
	_, err := s.Run(ctx, a, c.Owner, c.Campaign)
	return err
}
