package check

import (
	"slices"
	"strings"

	"tianbao"
)

const (
	// keyOldUser is the field with the user name in the old system.
	keyOldUser = "legacy_username"
	// codeElsewhere is the same person in another unit.
	codeElsewhere = "person.elsewhere"
	// codeTwice is the form's rule against the same person twice in one unit.
	codeTwice = "row.duplicate"
	// codeOtherName is the form's rule against one id under two names.
	codeOtherName = "person_id.name_conflict"
)

// Beside gives the rules together with those that hold rows against the old system's list
// of users (legacy.*) and against the rows of other units (person.elsewhere), in their own
// reports or in the same sheet. They are the
// house's, not the form's, as those of [Checker.Against] are, and need what that knows of
// a row's unit.
func (c *Checker) Beside(b tianbao.Beside, failed func(error)) *Checker {
	if c.units == nil || b.Old == nil && b.Elsewhere == nil {
		return c
	}
	held, u := *c, *c.units
	u.beside, u.failed, u.old = b, failed, c.form.Index(keyOldUser)
	held.units = &u
	if name := c.unitName(); b.Elsewhere != nil && c.idAt >= 0 && name >= 0 {
		// Other units may stand in the same sheet, a department's or a bureau's.
		held.cross = append(slices.Clone(c.cross), crossRule{
			CrossRule: &tianbao.CrossRule{
				Code: codeElsewhere, Severity: tianbao.SeverityJustify, At: c.fields[c.idAt].Key, Message: string(sayElsewhereHere),
			},
			elements: [][]int{{c.idAt}}, differ: []int{name},
		})
	}
	return &held
}

// unitName is the field with the name of the row's unit, -1 without one.
func (c *Checker) unitName() int {
	for _, k := range c.units.keys {
		if c.form.Fields[k].RegisterKey() == "unit_name" {
			return k
		}
	}
	return -1
}

// said reports whether the problems of a row make one of a rule between rows idle: a
// person whom another report has too is not told of once more for this sheet, nor is one
// that the same unit, however it is called, has twice; and under another name it is first to
// be told who it is.
func said(ps []tianbao.Problem, r *crossRule) bool {
	return r.Code == codeElsewhere && slices.ContainsFunc(ps, func(p tianbao.Problem) bool {
		return p.Code == codeElsewhere || p.Code == codeTwice || p.Code == codeOtherName
	})
}

// beside appends what stands beside the row against it; m is the row's unit.
func (c *Checker) beside(dst []tianbao.Problem, bad []bool, i int, row *tianbao.Row, unit tianbao.ID) []tianbao.Problem {
	u := c.units
	say := func(k int, code, message string) {
		p := tianbao.Problem{Row: i, RowID: row.ID, Field: c.fields[k].Key, Code: code, Severity: tianbao.SeverityJustify, Message: message}
		p.Reason = reason(row, &p)
		dst = append(dst, p)
	}
	if k := u.old; u.beside.Old != nil && k >= 0 && !bad[k] && value(row, k) != "" {
		m, err := u.beside.Old(value(row, k), unit)
		if err != nil {
			u.failed(err)
			return dst
		}
		switch m {
		case tianbao.OldUnknown:
			say(k, "legacy.unknown", string(sayOldUnknown))
		case tianbao.OldOther:
			say(k, "legacy.other_unit", string(sayOldOther))
		}
	}
	if k := c.idAt; u.beside.Elsewhere != nil && k >= 0 && !bad[k] && value(row, k) != "" {
		m, err := u.beside.Elsewhere(value(row, k), unit)
		switch {
		case err != nil:
			u.failed(err)
		case m.Found && len(m.Units) > 0:
			say(k, codeElsewhere, sayElsewhereNamed.fill("{it}", strings.Join(m.Units, "”“")))
		case m.Found:
			say(k, codeElsewhere, string(sayElsewhere))
		}
	}
	return dst
}
