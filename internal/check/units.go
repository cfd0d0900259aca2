package check

import (
	"strings"

	"tianbao"
)

// units holds rows against the register. The rules are the register's, not the form's:
// they apply to every form whose UnitKeys name units, and their severities are those of
// form.md §5.
type units struct {
	find func(keys map[string]string) tianbao.UnitMatch
	keys []int // the fields of UnitKeys
	typ  int   // unit_type, -1 without one

	beside tianbao.Beside
	failed func(error)
	old    int // legacy_username, -1 without one

	// What was found for the values of the row before, which mostly names the same unit.
	values []string
	last   tianbao.UnitMatch
	found  tianbao.ID // the unit of the row that is looked at
	buf    []string
}

// Against returns the rules together with those that hold rows against the register of
// units: find looks up what the values of the form's UnitKeys fields name. What it returns
// remembers the row before and is used by one goroutine.
//
// A cell with an error takes no part, and an error of these rules keeps no cell out of the
// rules between rows: a unit that nobody knows may still be named twice.
func (c *Checker) Against(find func(keys map[string]string) tianbao.UnitMatch) *Checker {
	if find == nil || len(c.form.UnitKeys) == 0 {
		return c
	}
	u := &units{find: find, typ: -1}
	for _, key := range c.form.UnitKeys {
		if k := c.form.Index(key); k >= 0 {
			u.keys = append(u.keys, k)
		}
	}
	for k := range c.form.Fields {
		if c.form.Fields[k].RegisterKey() == "unit_type" {
			u.typ = k
		}
	}
	held := *c
	held.units = u
	return &held
}

// unit appends what the register, and what stands beside the report, have against the row,
// whose own problems begin at start; bad are its fields with an error.
func (c *Checker) unit(dst []tianbao.Problem, start int, bad []bool, i int, row *tianbao.Row) []tianbao.Problem {
	c.units.found = 0
	dst = c.registered(dst, start, bad, i, row)
	if c.units.failed == nil {
		return dst
	}
	return c.beside(dst, bad, i, row, c.units.found)
}

// registered appends what the register has against the row.
func (c *Checker) registered(dst []tianbao.Problem, start int, bad []bool, i int, row *tianbao.Row) []tianbao.Problem {
	u := c.units
	at := -1 // the field that names the unit for most certain
	u.buf = u.buf[:0]
	for _, k := range u.keys {
		v := value(row, k)
		if bad[k] {
			v = ""
		}
		if v != "" && at < 0 {
			at = k
		}
		u.buf = append(u.buf, v)
	}
	if at < 0 {
		return dst
	}
	m := u.match(c)
	u.found = m.ID()
	say := func(k int, code string, severity tianbao.Severity, message string) {
		p := tianbao.Problem{Row: i, RowID: row.ID, Field: c.fields[k].Key, Code: code, Severity: severity, Message: message}
		p.Reason = reason(row, &p)
		dst = append(dst, p)
	}
	switch {
	case m.Several:
		return dst
	case m.Unit == nil && m.Outside:
		say(at, "unit.out_of_scope", tianbao.SeverityError, string(sayUnitOutside))
		return dst
	case m.Unit == nil:
		say(at, "unit.unknown", tianbao.SeverityError, string(sayUnitUnknown))
		return dst
	case m.Closed:
		say(at, "unit.unknown", tianbao.SeverityError, string(sayUnitClosed))
		return dst
	}
	own := dst[start:]
	for n, k := range u.keys {
		f := &c.fields[k]
		v, has := u.buf[n], m.Unit.Key(f.RegisterKey())
		if v == "" || has == "" || m.Bears(f.RegisterKey(), v) {
			continue
		}
		switch {
		case f.Kind == tianbao.KindText:
			say(k, "unit.name_mismatch", tianbao.SeverityJustify, sayUnitDiffers.fill("{it}", has))
		case f.Kind == tianbao.KindCreditCode && isPart(has, v): // org_code.old_form tells of it
		case f.Kind == tianbao.KindCode && strings.TrimLeft(has, "0") == v:
			c.lostZeros(own, k, has, say)
		default:
			say(k, "unit.code_mismatch", tianbao.SeverityJustify, sayUnitDiffers.fill("{it}", has))
		}
	}
	if k := u.typ; k >= 0 && !bad[k] {
		if v, has := value(row, k), m.Unit.Type; v != "" && has != "" && v != has {
			say(k, "unit.type_mismatch", tianbao.SeverityJustify, sayUnitDiffers.fill("{it}", has))
		}
	}
	return dst
}

// lostZeros says that a code lacks its leading zeros, unless the rules of the field, which
// know less of the unit, said so.
func (c *Checker) lostZeros(own []tianbao.Problem, k int, has string, say func(int, string, tianbao.Severity, string)) {
	f := &c.fields[k]
	severity, asked := f.Rules["leading_zeros"]
	if !asked {
		severity = tianbao.SeverityHint
	}
	code := f.Key + ".leading_zeros"
	for i := range own {
		if own[i].Code == code {
			return
		}
	}
	say(k, code, severity, sayCodeZeros.fill("{title}", f.Title, "{code}", has))
}

// match returns what the register has for the values in buf.
func (u *units) match(c *Checker) *tianbao.UnitMatch {
	same := len(u.values) == len(u.buf)
	for n := 0; same && n < len(u.buf); n++ {
		same = u.values[n] == u.buf[n]
	}
	if same {
		return &u.last
	}
	keys := make(map[string]string, len(u.keys))
	u.values = u.values[:0]
	for n, k := range u.keys {
		v := u.buf[n]
		if v != "" {
			v = strings.Clone(v) // rows of a stream are not kept
			keys[c.fields[k].RegisterKey()] = v
		}
		u.values = append(u.values, v)
	}
	u.last = u.find(keys)
	return &u.last
}

// isPart reports whether old is the organisation code within a credit code.
func isPart(code, old string) bool {
	old = strings.ReplaceAll(old, "-", "")
	return len(code) == 18 && len(old) == 9 && code[8:17] == old
}
