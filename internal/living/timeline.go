package living

import (
	"cmp"
	"slices"
	"time"

	"tianbao"
)

// FactKind is what is known of a person on a day.
type FactKind string

// The kinds.
const (
	FactRound FactKind = "round" // was reported in a round
	FactCame  FactKind = "came"  // by a change: 新任, 调入, 兼任
	FactPhone FactKind = "phone"
	FactLeft  FactKind = "left" // by a change: 离任, 调出
	FactGone  FactKind = "gone" // the unit said in the next round that they had left
)

// Fact is one thing that is known of a person at one unit.
type Fact struct {
	Unit     tianbao.ID
	UnitName string
	Kind     FactKind
	Day      time.Time // of a round, the last one of it
	Campaign tianbao.ID
	Title    string // of the collection
	Change   tianbao.ChangeKind
	// Other is the unit on the other side of a move, empty for who may not see it.
	Other string
}

// What tells the fact in the users' words.
func (f *Fact) What() string {
	switch f.Kind {
	case FactRound:
		return "采集登记"
	case FactCame, FactPhone:
		return f.Change.Title()
	case FactLeft:
		if f.Change == tianbao.ChangeMove {
			return "调出"
		}
		return "离任"
	case FactGone:
		return "确认时已离任"
	}
	return ""
}

// Span is a time that a person spent at a unit.
type Span struct {
	Unit     tianbao.ID
	UnitName string
	// From is the day on which it began. Known is false where all that is known is that
	// they were there by then.
	From  time.Time
	Known bool
	// To is the day from which on they were no longer there, zero: they still are. Sure is
	// false where all that is known is that they were gone by then.
	To   time.Time
	Sure bool
	// Last is the day of the last that is known of it.
	Last time.Time
}

// Timeline puts facts into order and tells the times that follow from them: who came, or
// was reported, at a unit is there until a fact says otherwise. Each unit's times follow
// from its own facts alone, so that whoever sees fewer units sees a part of the same.
func Timeline(facts []Fact) ([]Fact, []Span) {
	facts = slices.Clone(facts)
	slices.SortStableFunc(facts, func(a, b Fact) int {
		return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(order(a.Kind), order(b.Kind)), cmp.Compare(a.Unit, b.Unit))
	})
	open := make(map[tianbao.ID]int)
	var spans []Span
	for i := range facts {
		f := &facts[i]
		at, is := open[f.Unit]
		if !is { // of who leaves or has another phone all that is known is that they were there
			at = len(spans)
			open[f.Unit] = at
			spans = append(spans, Span{Unit: f.Unit, UnitName: f.UnitName, From: f.Day, Known: f.Kind == FactCame})
		}
		spans[at].Last = f.Day
		if f.Kind == FactCame && spans[at].From.Equal(f.Day) {
			spans[at].Known = true // and was in a round that ended on that day
		}
		if f.Kind == FactLeft || f.Kind == FactGone {
			spans[at].To, spans[at].Sure = f.Day, f.Kind == FactLeft
			delete(open, f.Unit)
		}
	}
	slices.SortStableFunc(spans, func(a, b Span) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Unit, b.Unit))
	})
	return facts, spans
}

// order is that of facts of one day: who leaves on the last day of a round was there in
// it, and who leaves in the morning may come back by noon.
func order(k FactKind) int {
	switch k {
	case FactRound:
		return 0
	case FactGone, FactLeft:
		return 1
	case FactCame:
		return 2
	}
	return 3
}
