package living_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/living"
)

func date(n int) time.Time { return time.Date(2022, 10, 1+n, 0, 0, 0, 0, clock.Shanghai) }

// moment is a row from a day on; unit 0: it is gone.
type moment struct {
	day    int
	unit   tianbao.ID
	values tianbao.Values
}

// model is two units whose rows are known on every day, and the changes that made them.
type model struct {
	rows    map[tianbao.RowPlace][]moment
	changes []tianbao.PersonChange
	next    tianbao.ID
}

func (m *model) add(day int, unit tianbao.ID, values tianbao.Values) tianbao.RowPlace {
	m.next++
	at := tianbao.RowPlace{Report: unit, Row: m.next}
	m.rows[at] = []moment{{day, unit, values}}
	return at
}

func (m *model) last(at tianbao.RowPlace) moment { return m.rows[at][len(m.rows[at])-1] }

func (m *model) on(unit tianbao.ID, day int) (out []living.Entry) {
	for at, life := range m.rows {
		var now moment
		for _, x := range life {
			if x.day <= day {
				now = x
			}
		}
		if now.unit == unit {
			out = append(out, living.Entry{At: at, Values: now.values})
		}
	}
	slices.SortFunc(out, func(a, b living.Entry) int {
		return cmpPlace(a.At, b.At)
	})
	return out
}

func cmpPlace(a, b tianbao.RowPlace) int {
	if a.Report != b.Report {
		return int(a.Report - b.Report)
	}
	return int(a.Row - b.Row)
}

const today = 40

// change makes one accepted change, of a day not before the last one of its row.
func (m *model) change(t *rapid.T) {
	n := len(m.changes)
	c := tianbao.PersonChange{
		ID: tianbao.ID(1000 + n), State: tianbao.ChangeAccepted, Decided: date(today).Add(time.Duration(n/2) * time.Minute),
		Kind: rapid.SampledFrom(tianbao.ChangeKinds()).Draw(t, "kind"),
	}
	var there []tianbao.RowPlace
	for at := range m.rows {
		if m.last(at).unit != 0 {
			there = append(there, at)
		}
	}
	slices.SortFunc(there, cmpPlace)
	fresh := tianbao.Values{fmt.Sprint("v", n)}
	if c.Kind == tianbao.ChangeJoin || c.Kind == tianbao.ChangePart || len(there) == 0 {
		c.Kind, c.Unit = tianbao.ChangeJoin, tianbao.ID(rapid.IntRange(1, 2).Draw(t, "unit"))
		day := rapid.IntRange(1, today).Draw(t, "day")
		c.Day, c.Values, c.At = date(day), fresh, m.add(day, c.Unit, fresh)
		m.changes = append(m.changes, c)
		return
	}
	at := rapid.SampledFrom(there).Draw(t, "row")
	was := m.last(at)
	day := rapid.IntRange(max(1, was.day), today).Draw(t, "day")
	c.Day, c.Unit, c.At, c.Before = date(day), was.unit, at, was.values
	switch c.Kind {
	case tianbao.ChangePhone:
		c.Values = fresh
		m.rows[at] = append(m.rows[at], moment{day, was.unit, fresh})
	case tianbao.ChangeLeave:
		c.Values = was.values
		m.rows[at] = append(m.rows[at], moment{day: day})
	case tianbao.ChangeMove:
		c.From, c.FromAt, c.Unit = was.unit, at, 3-was.unit
		m.rows[at] = append(m.rows[at], moment{day: day})
		c.Values, c.At = fresh, m.add(day, c.Unit, fresh)
	}
	m.changes = append(m.changes, c)
}

// The roster of each unit on each day is what the model knows of it, folded back from what
// stands in the end.
func TestAsOfModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{rows: make(map[tianbao.RowPlace][]moment)}
		for i := range rapid.IntRange(0, 5).Draw(t, "rows") {
			m.add(0, tianbao.ID(1+i%2), tianbao.Values{fmt.Sprint("r", i)})
		}
		for range rapid.IntRange(0, 12).Draw(t, "changes") {
			m.change(t)
		}
		// What nobody accepted changes nothing.
		noise := append(slices.Clone(m.changes), tianbao.PersonChange{ID: 1, Unit: 1, Kind: tianbao.ChangeLeave, State: tianbao.ChangeWaiting, Day: date(today), At: tianbao.RowPlace{Report: 9, Row: 9}})
		for unit := tianbao.ID(1); unit <= 2; unit++ {
			now := m.on(unit, today)
			for day := 0; day <= today; day++ {
				got := living.AsOf(unit, now, noise, date(day))
				if d := cmp.Diff(plain(m.on(unit, day)), plain(got)); d != "" {
					t.Fatalf("unit %d on day %d: %s", unit, day, d)
				}
			}
		}
	})
}

// plain has the values as text, which they do not print.
func plain(es []living.Entry) (out []string) {
	for _, e := range es {
		out = append(out, fmt.Sprint(e.At, []string(e.Values)))
	}
	return out
}

// A person's times at units follow from what was registered, and who sees some of the
// units sees the same of them as who sees all.
func TestTimelineModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rounds := []int{0, 30, 60}
		var facts []living.Fact
		var want []living.Span
		for unit := tianbao.ID(1); unit <= 4; unit++ {
			day := rapid.IntRange(-5, 20).Draw(t, "first")
			for range rapid.IntRange(0, 3).Draw(t, "stays") {
				from := day + rapid.IntRange(1, 10).Draw(t, "pause")
				to := from + rapid.IntRange(1, 25).Draw(t, "stay")
				for _, r := range rounds {
					if r >= from && r < to {
						facts = append(facts, living.Fact{Unit: unit, Kind: living.FactRound, Day: date(r)})
					}
				}
				facts = append(facts, living.Fact{Unit: unit, Kind: living.FactCame, Day: date(from)}, living.Fact{Unit: unit, Kind: living.FactLeft, Day: date(to)})
				if phone := rapid.IntRange(from, to+3).Draw(t, "phone"); phone < to {
					facts = append(facts, living.Fact{Unit: unit, Kind: living.FactPhone, Day: date(phone)})
				}
				want = append(want, living.Span{Unit: unit, From: date(from), Known: true, To: date(to), Sure: true, Last: date(to)})
				day = to
			}
		}
		facts = rapid.Permutation(facts).Draw(t, "order")
		all, spans := living.Timeline(facts)
		slices.SortStableFunc(want, func(a, b living.Span) int {
			if c := a.From.Compare(b.From); c != 0 {
				return c
			}
			return int(a.Unit - b.Unit)
		})
		if d := cmp.Diff(want, spans, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
		sees := rapid.SliceOfDistinct(rapid.IntRange(1, 4), func(i int) int { return i }).Draw(t, "sees")
		hidden := func(u tianbao.ID) bool { return !slices.Contains(sees, int(u)) }
		some, few := living.Timeline(slices.DeleteFunc(slices.Clone(facts), func(f living.Fact) bool { return hidden(f.Unit) }))
		all = slices.DeleteFunc(all, func(f living.Fact) bool { return hidden(f.Unit) })
		spans = slices.DeleteFunc(spans, func(s living.Span) bool { return hidden(s.Unit) })
		if d := cmp.Diff(all, some, cmpopts.EquateEmpty()) + cmp.Diff(spans, few, cmpopts.EquateEmpty()); d != "" {
			t.Fatal("who sees less sees something else: " + d)
		}
	})
}

func TestTimeline(t *testing.T) {
	round := func(day int) living.Fact { return living.Fact{Unit: 1, Kind: living.FactRound, Day: date(day)} }
	for _, tc := range []struct {
		name  string
		facts []living.Fact
		want  []living.Span
	}{
		{"nothing", nil, nil},
		{"one round", []living.Fact{round(3)}, []living.Span{{Unit: 1, From: date(3), Last: date(3)}}},
		{"two rounds", []living.Fact{round(30), round(3)}, []living.Span{{Unit: 1, From: date(3), Last: date(30)}}},
		{"gone by the next", []living.Fact{round(3), {Unit: 1, Kind: living.FactGone, Day: date(30)}}, []living.Span{{Unit: 1, From: date(3), To: date(30), Last: date(30)}}},
		{"only that they left", []living.Fact{{Unit: 1, Kind: living.FactLeft, Day: date(5)}}, []living.Span{{Unit: 1, From: date(5), To: date(5), Sure: true, Last: date(5)}}},
		{"left on the last day of a round", []living.Fact{{Unit: 1, Kind: living.FactLeft, Day: date(5)}, round(5)}, []living.Span{{Unit: 1, From: date(5), To: date(5), Sure: true, Last: date(5)}}},
		{"came on the last day of a round", []living.Fact{{Unit: 1, Kind: living.FactCame, Day: date(5)}, round(5)}, []living.Span{{Unit: 1, From: date(5), Known: true, Last: date(5)}}},
		{"back on the same day", []living.Fact{round(1), {Unit: 1, Kind: living.FactCame, Day: date(5)}, {Unit: 1, Kind: living.FactLeft, Day: date(5)}}, []living.Span{
			{Unit: 1, From: date(1), To: date(5), Sure: true, Last: date(5)}, {Unit: 1, From: date(5), Known: true, Last: date(5)},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, got := living.Timeline(tc.facts)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
