package check

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/ident"
)

// finding is what the check of one cell comes to. The zero finding is a clean
// cell; otherwise rule is the short name of the fault as the form lists it.
type finding struct {
	rule  string
	fault ident.Fault // the one fault that made the rule
	mark  tianbao.Mark
	at    int    // place of the wrong character, from 0, or -1
	right string // what the register has instead
}

// Faults of a cell that its text alone does not have; the bits are far from those
// of package ident.
const (
	wrongType ident.Fault = 1 << (31 - iota) // the cell is a date or an error value
	lostTail                                 // a number of more digits than a spreadsheet keeps
	unlisted                                 // not a member of the list
	noZeros                                  // a code of the register without its leading zeros
)

// faultRule says under which rule a fault is reported.
type faultRule struct {
	fault ident.Fault
	rule  string
}

// faultsOf returns a kind's faults, the first to be reported first (form.md §5).
// Where a fault stands twice, the second rule serves a form that does not list the
// first. Masked and zeroed ids come before their length: the length of what is not
// the value says nothing.
func faultsOf(k tianbao.Kind) []faultRule {
	switch k {
	case tianbao.KindText:
		return []faultRule{
			{wrongType | lostTail | ident.Replaced | ident.Charset, "charset"},
			{wrongType | lostTail | ident.Replaced | ident.Charset, "length"},
			{ident.Length, "length"},
		}
	case tianbao.KindCode:
		return []faultRule{
			{lostTail | ident.Excel, "float"},
			{wrongType | lostTail | ident.Replaced | ident.Charset | ident.Length, "charset"},
			{wrongType, "float"},
			{noZeros, "leading_zeros"},
		}
	case tianbao.KindCreditCode:
		return []faultRule{
			{wrongType | lostTail | ident.Replaced | ident.Masked | ident.Excel, "charset"},
			{wrongType | lostTail, "checksum"},
			{ident.Length, "length"},
			{ident.Charset, "charset"},
			{ident.Checksum, "checksum"},
			{ident.Kind, "kind"},
			{ident.Province, "province"},
			{ident.OldForm, "old_form"},
			{ident.NotPublic, "not_public"},
		}
	case tianbao.KindChoice:
		return []faultRule{{wrongType | lostTail | unlisted, "unknown"}}
	case tianbao.KindName:
		return []faultRule{
			{wrongType | lostTail | ident.Replaced | ident.PrivateUse | ident.Dot | ident.Charset, "charset"},
			{ident.Length, "length"},
		}
	case tianbao.KindResidentID:
		return []faultRule{
			{wrongType | ident.Replaced, "charset"},
			{ident.Masked, "masked"},
			{lostTail | ident.Excel, "precision_lost"},
			{ident.Old15, "old15"},
			{lostTail, "checksum"},
			{ident.Length, "length"},
			{ident.Charset, "charset"},
			{ident.Province | ident.Nation, "province"},
			{ident.Birthdate | ident.Future | ident.Ancient, "birthdate"},
			{ident.Checksum, "checksum"},
			{ident.Permit, "permit"},
		}
	case tianbao.KindPhone:
		return []faultRule{
			{ident.Landline, "landline"},
			{^ident.Landline, "format"},
		}
	}
	return nil
}

// listed returns the faults of the field's kind that the form asks for.
func listed(f *tianbao.Field) []faultRule {
	return slices.DeleteFunc(faultsOf(f.Kind), func(r faultRule) bool {
		_, asked := f.Rules[r.rule]
		return !asked
	})
}

// cell checks the k-th cell of the row, whose text is v.
func (c *Checker) cell(f *field, v string, row *tianbao.Row, k int, day time.Time) finding {
	mark := row.Mark(k)
	fault, at, right := ident.OK, -1, ""
	switch {
	case mark == tianbao.MarkDate || mark == tianbao.MarkError:
		fault = wrongType
	case v == "":
		if f.required {
			return finding{rule: "required", at: -1}
		}
		return finding{}
	default:
		fault, at = c.fault(f, v, row, day)
		if fault == ident.OK && f.Kind == tianbao.KindCode && c.knownCodes != nil {
			if padded, ok := c.knownCodes(v); ok && padded != v {
				fault, right = noZeros, padded
			}
		}
		// Decided by the cell's type: 9 % of damaged ids still pass their check.
		if mark == tianbao.MarkNumber && tooLong(v) {
			fault |= lostTail
		}
	}
	if fault == ident.OK {
		return finding{}
	}
	for _, r := range f.faults {
		if hit := fault & r.fault; hit != 0 {
			return finding{rule: r.rule, fault: hit, mark: mark, at: at, right: right}
		}
	}
	return finding{}
}

// fault checks the text of a filled cell by its kind. It returns the place of the
// wrong character where one is known, else -1.
func (c *Checker) fault(f *field, v string, row *tianbao.Row, day time.Time) (ident.Fault, int) {
	switch f.Kind {
	case tianbao.KindCode:
		return ident.BudgetCode(v, f.longest), -1
	case tianbao.KindCreditCode:
		return ident.CreditCode(v), -1
	case tianbao.KindChoice:
		if !slices.Contains(f.Enum, v) {
			return unlisted, -1
		}
		return ident.OK, -1
	case tianbao.KindName:
		latin := c.idAt >= 0 && ident.IsForeignCard(value(row, c.idAt))
		return ident.PersonName(v, latin, f.shortest, f.longest)
	case tianbao.KindResidentID:
		return ident.ResidentID(v, day), -1
	case tianbao.KindPhone:
		return ident.Phone(v), -1
	}
	return text(v, f.shortest, f.longest)
}

// text checks free text: its length, and that each character can be printed.
// unicode.IsPrint would refuse the newest CJK extensions, in which units and
// people are named before the tables know them.
func text(v string, shortest, longest int) (f ident.Fault, at int) {
	n, at := 0, -1
	for _, r := range v {
		if f == ident.OK {
			switch {
			case r == utf8.RuneError:
				f, at = ident.Replaced, n
			case unicode.IsControl(r), r == '\u2028', r == '\u2029':
				f, at = ident.Charset, n
			}
		}
		n++
	}
	if n < shortest || longest > 0 && n > longest {
		f |= ident.Length
	}
	return f, at
}

// tooLong reports whether a number has more than the 15 digits that a spreadsheet
// keeps.
func tooLong(v string) bool {
	v = strings.TrimLeft(v, "0")
	if len(v) <= 15 {
		return false
	}
	for i := 0; i < len(v); i++ {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
	}
	return true
}
