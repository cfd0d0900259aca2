package check

import (
	"strings"

	"tianbao"
)

// keyOldUser is the field with the user name in the old system.
const keyOldUser = "legacy_username"

// Beside gives the rules together with those that hold rows against the old system's list
// of users (legacy.*) and against the reports of other units (person.elsewhere). They are the
// house's, not the form's, as those of [Checker.Against] are, and need what that knows of
// a row's unit.
func (c *Checker) Beside(b tianbao.Beside, failed func(error)) *Checker {
	if c.units == nil || b.Old == nil && b.Elsewhere == nil {
		return c
	}
	held, u := *c, *c.units
	u.beside, u.failed, u.old = b, failed, c.form.Index(keyOldUser)
	held.units = &u
	return &held
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
			say(k, "person.elsewhere", sayElsewhereNamed.fill("{it}", strings.Join(m.Units, "”“")))
		case m.Found:
			say(k, "person.elsewhere", string(sayElsewhere))
		}
	}
	return dst
}
