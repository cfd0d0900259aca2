package living

import (
	"cmp"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// Person is somebody who stands in the register.
type Person struct {
	Unit   tianbao.Unit
	Report tianbao.Report
	Row    tianbao.Row
	At     time.Time // when the row was written last
}

// Entry is a person as [AsOf] knows them.
type Entry struct {
	At     tianbao.RowPlace
	Values tianbao.Values
}

// AsOf returns who was in a unit at the end of a day: those who are in it now, with the
// accepted changes of a later day taken back, the last first. The changes may be all of
// the unit's; of each row they come in the order of their days (the service sees to that).
func AsOf(unit tianbao.ID, now []Entry, changes []tianbao.PersonChange, day time.Time) []Entry {
	out := slices.Clone(now)
	later := slices.DeleteFunc(slices.Clone(changes), func(c tianbao.PersonChange) bool {
		return c.State != tianbao.ChangeAccepted || !c.Day.After(day)
	})
	slices.SortFunc(later, func(a, b tianbao.PersonChange) int {
		return cmp.Or(b.Decided.Compare(a.Decided), cmp.Compare(b.ID, a.ID))
	})
	at := func(p tianbao.RowPlace) int {
		return slices.IndexFunc(out, func(e Entry) bool { return e.At == p })
	}
	for i := range later {
		c := &later[i]
		switch {
		case c.From == unit && c.Unit != unit: // left by moving
			out = append(out, Entry{At: c.FromAt, Values: c.Before})
		case c.Unit != unit:
		case c.Kind.Comes():
			if i := at(c.At); i >= 0 {
				out = slices.Delete(out, i, i+1)
			}
		case c.Kind == tianbao.ChangeLeave:
			out = append(out, Entry{At: c.At, Values: c.Values})
		case c.Kind == tianbao.ChangePhone:
			if i := at(c.At); i >= 0 {
				out[i].Values = c.Before
			}
		}
	}
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.At.Report, b.At.Report), cmp.Compare(a.At.Row, b.At.Row))
	})
	return out
}

// Day is the beginning of a time's day, in the zone of Shanghai.
func Day(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	t = t.In(clock.Shanghai)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, clock.Shanghai)
}
