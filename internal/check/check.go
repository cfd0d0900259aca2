// Package check applies the rules of a form to its rows. It gives problems,
// never errors: whatever a cell holds, the answer is a list of what is wrong.
//
// Rules. The form decides: a fault that it does not list is not reported, and the
// severity is the one that it gives. Values come in normal form, see
// [Checker.Normalize]. A cell with a fault of severity error takes no part in the
// rules between rows, because a placeholder or a damaged number proves nothing
// about another row. The cost is linear in the rows, and a clean row allocates
// nothing.
//
// Danger. A message is shown, stored with imports and written into workbooks that
// travel; it must never quote a full id, phone number or name. Messages quote at
// most the one wrong character, its place, a length, or the two digits of a
// province.
package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/ident"
)

// Checker applies the rules of one form at one version. It may be used from many
// goroutines.
type Checker struct {
	form   *tianbao.Form
	today  func() time.Time
	fields []field
	cross  []crossRule
	idAt   int // the field with the resident id, -1 without one

	knownCodes func(code string) (padded string, ok bool)
	units      *units // nil: rows are held against no register
}

// Option adds to a checker what the form alone does not know.
type Option func(*Checker)

// KnownCodes lets the checker ask the register of units for codes that a spreadsheet
// has robbed of their leading zeros: lookup is given a right code (1001), and returns
// the one that the register has when zeros are put before it (001001), or false when
// it has the code as it is, or none such. It is asked for every row, from many
// goroutines.
func KnownCodes(lookup func(code string) (padded string, ok bool)) Option {
	return func(c *Checker) { c.knownCodes = lookup }
}

// field is a field of the form with what the check needs at hand.
type field struct {
	*tianbao.Field
	faults   []faultRule
	required bool
	shortest int
	longest  int
}

// New returns the checker of the form. today tells the time at which birth dates
// are held against the day in Shanghai.
func New(f *tianbao.Form, today func() time.Time, options ...Option) (*Checker, error) {
	if f == nil || today == nil {
		return nil, errors.New("check: no form or no clock")
	}
	c := &Checker{form: f, today: today, fields: make([]field, len(f.Fields)), idAt: -1}
	for i := range f.Fields {
		d := &f.Fields[i]
		known := d.Kind.Faults()
		if known == nil {
			return nil, fmt.Errorf("check: field %s: kind %q is not known", d.Key, d.Kind)
		}
		for name := range d.Rules {
			if !slices.Contains(known, name) {
				return nil, fmt.Errorf("check: field %s: a %s has no fault %q", d.Key, d.Kind, name)
			}
		}
		x := field{Field: d, faults: listed(d), shortest: d.MinLength, longest: d.MaxLength}
		_, x.required = d.Rules["required"]
		if d.Kind == tianbao.KindName {
			// What the form leaves open is what 民委发〔2016〕33号 asks for.
			if x.shortest == 0 {
				x.shortest = ident.NameMin
			}
			if x.longest == 0 {
				x.longest = ident.NameMax
			}
		}
		if d.Kind == tianbao.KindResidentID && c.idAt < 0 {
			c.idAt = i
		}
		c.fields[i] = x
	}
	for _, o := range options {
		o(c)
	}
	for i := range f.CrossRules {
		r, err := compile(f, &f.CrossRules[i])
		if err != nil {
			return nil, err
		}
		c.cross = append(c.cross, r)
	}
	return c, nil
}

// Form returns the form whose rules are applied.
func (c *Checker) Form() *tianbao.Form { return c.form }

// Normalize returns the normal form of the text of a cell: what is stored, shown
// and compared (form.md §4). It is a fixed point.
func (c *Checker) Normalize(field int, raw string) string {
	f := &c.fields[field]
	switch f.Kind {
	case tianbao.KindCode, tianbao.KindCreditCode, tianbao.KindResidentID:
		return ident.NormalizeCode(raw)
	case tianbao.KindPhone:
		return ident.NormalizePhone(raw)
	case tianbao.KindName:
		return ident.NormalizeName(raw)
	case tianbao.KindChoice:
		s := ident.NormalizeChoice(raw)
		if to, ok := f.EnumAliases[s]; ok {
			return to
		}
		return s
	}
	return ident.NormalizeText(raw)
}

// Mask returns the value as it is shown to those who may not see it whole.
func (c *Checker) Mask(field int, value string) string {
	if value == tianbao.ErasedMark {
		return value
	}
	switch c.fields[field].Mask {
	case tianbao.MaskID:
		return ident.MaskID(value)
	case tianbao.MaskPhone:
		return ident.MaskPhone(value)
	case tianbao.MaskName:
		return ident.MaskName(value)
	case tianbao.MaskMail:
		return ident.MaskMail(value)
	}
	return value
}

// Row appends to dst the problems that the row has by itself, in the order of the
// fields, as problems of row i. The values are in normal form; cells that the row
// lacks are empty.
func (c *Checker) Row(dst []tianbao.Problem, i int, row *tianbao.Row) []tianbao.Problem {
	if c.units == nil {
		return c.row(dst, nil, i, row, c.day())
	}
	start, bad := len(dst), make([]bool, len(c.fields))
	dst = c.row(dst, bad, i, row, c.day())
	own := len(dst)
	if dst = c.unit(dst, start, bad, i, row); len(dst) > own {
		c.sortRow(dst[start:])
	}
	return dst
}

// day returns the time in the zone in which the trade counts its days.
func (c *Checker) day() time.Time { return c.today().In(clock.Shanghai) }

// row is Row on a given day. It sets bad[k] for each field k with an error.
func (c *Checker) row(dst []tianbao.Problem, bad []bool, i int, row *tianbao.Row, day time.Time) []tianbao.Problem {
	for k := range c.fields {
		f := &c.fields[k]
		v := value(row, k)
		found := c.cell(f, v, row, k, day)
		if found.rule == "" {
			continue
		}
		code := found.rule
		if code != "required" {
			code = f.Key + "." + code
		}
		p := tianbao.Problem{
			Row: i, RowID: row.ID, Field: f.Key, Code: code,
			Severity: f.Rules[found.rule],
			Message:  f.message(v, found),
		}
		p.Reason = reason(row, &p)
		if bad != nil && p.Severity == tianbao.SeverityError {
			bad[k] = true
		}
		dst = append(dst, p)
	}
	return dst
}

// reason returns the explanation that the row has for the problem, if it asks for
// one and the one given is long enough.
func reason(row *tianbao.Row, p *tianbao.Problem) string {
	if p.Severity != tianbao.SeverityJustify {
		return ""
	}
	for i := len(row.Reasons) - 1; i >= 0; i-- {
		r := &row.Reasons[i]
		if r.Code == p.Code {
			if text := strings.TrimSpace(r.Text); utf8.RuneCountInString(text) >= tianbao.MinReason {
				return text
			}
			return ""
		}
	}
	return ""
}

// value returns the text of the row's k-th cell.
func value(row *tianbao.Row, k int) string {
	if k < len(row.Values) {
		return row.Values[k]
	}
	return ""
}
