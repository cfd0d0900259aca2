package check

import (
	"fmt"
	"strings"

	"tianbao"
	"tianbao/internal/ident"
)

// variant is one sentence about a fault: [field.message] tries them in this order.
type variant struct {
	fault ident.Fault
	when  []atom
	at    string
	say   sentence
}

// tests puts the sentences of the field's kind under the rules that the form lists.
func (d *describer) tests(f *field) []test {
	empty := test{If: []atom{is("^$")}}
	if f.required {
		empty.Code, empty.Severity, empty.Message = "required", string(f.Rules["required"]), f.known(sayRequired, "").fill()
	}
	clean, variants := d.kind(f)
	ts := []test{empty}
	for _, when := range clean {
		ts = append(ts, test{If: when})
	}
	for _, r := range f.faults {
		for _, v := range variants {
			if v.fault&r.fault == 0 {
				continue
			}
			ts = append(ts, test{
				If: v.when, Code: f.Key + "." + r.rule, Severity: string(f.Rules[r.rule]),
				At: v.at, Message: f.known(v.say, unit(f.Kind)).fill(),
			})
		}
	}
	return ts
}

// unit is in what the length of a kind is counted.
func unit(k tianbao.Kind) string {
	if k == tianbao.KindCode {
		return "位"
	}
	return "个字"
}

func is(re string) atom     { return atom{Is: re} }
func not(re string) atom    { return atom{Not: re} }
func fits(sum string) atom  { return atom{Sum: sum} }
func wrong(sum string) atom { return atom{Wrong: sum} }
func all(as ...atom) []atom { return as }
func shorter(n int) string  { return fmt.Sprintf(`^[^]{0,%d}$`, max(0, n-1)) }
func longer(n int) string   { return fmt.Sprintf(`^[^]{%d,}$`, n+1) }
func between(a, b int) string {
	if b == 0 {
		return fmt.Sprintf("{%d,}", a)
	}
	return fmt.Sprintf("{%d,%d}", a, b)
}

// What stands in the expressions of several kinds.
const (
	lostChar = `\uFFFD`
	lostAt   = `^[^\uFFFD]*`
	excel    = `^[0-9](?:\.[0-9]+)?E\+?[0-9]+$|^[0-9]+\.0+$`
	star     = `\*`
)

// kind returns what is certainly clean, to be done with it quickly or because nothing
// later says so, and the variants of the kind.
func (d *describer) kind(f *field) (clean [][]atom, vs []variant) {
	switch f.Kind {
	case tianbao.KindCode:
		return d.code(f)
	case tianbao.KindCreditCode:
		return d.credit()
	case tianbao.KindChoice:
		return d.choice(f)
	case tianbao.KindName:
		return d.name(f)
	case tianbao.KindResidentID:
		return d.resident()
	case tianbao.KindPhone:
		return d.phone(f)
	}
	return d.text(f)
}

func (d *describer) text(f *field) ([][]atom, []variant) {
	const good = `^[^\uFFFD\u0000-\u001F\u007F-\u009F\u2028\u2029]`
	vs := []variant{
		{ident.Replaced, all(is(good + `*` + lostChar)), lostAt, sayReplaced},
	}
	if f.longest > 0 {
		vs = append(vs, variant{ident.Length, all(is(longer(f.longest))), "", sayLong})
	}
	vs = append(vs,
		variant{ident.Length, all(is(shorter(f.shortest))), "", sayShort},
		variant{ident.Charset, all(is(good + `*[\u0000-\u001F\u007F-\u009F\u2028\u2029]`)), good + `*`, sayTextChar},
	)
	return [][]atom{all(is(good + between(f.shortest, f.longest) + `$`))}, vs
}

func (d *describer) code(f *field) ([][]atom, []variant) {
	vs := []variant{
		{ident.Replaced, all(is(lostChar)), lostAt, sayReplaced},
		{ident.Excel, all(is(excel)), "", sayCodeNumber},
		{ident.Charset, all(is(`[^0-9A-Z]`)), `^[0-9A-Z]*`, sayCodeChar},
	}
	if f.longest > 0 {
		vs = append(vs, variant{ident.Length, all(is(longer(f.longest))), "", sayLong})
	}
	return [][]atom{all(is(`^[0-9A-Z]`+between(1, f.longest)+`$`), not(excel))}, vs
}

func (d *describer) choice(f *field) ([][]atom, []variant) {
	var members, chars []string
	for _, m := range f.Enum {
		members = append(members, quote(m))
		for _, r := range m {
			chars = append(chars, quote(string(r)))
		}
	}
	const word = `[<word>]`
	kindred := fmt.Sprintf(`^(?=%s*(?:%s))%s{1,%d}$`, word, strings.Join(chars, "|"), word, quoted)
	return [][]atom{all(is(`^(?:` + strings.Join(members, "|") + `)$`))}, []variant{
		{unlisted, all(is(kindred)), `^[^]*`, sayChoiceThis},
		{unlisted, nil, "", sayChoiceOther},
	}
}

func (d *describer) name(f *field) ([][]atom, []variant) {
	const card = `^9[\u0000-\u007F]{17}$|^[A-Z]{3}[\u0000-\u007F]{12}$`
	var vs []variant
	for _, latin := range []bool{true, false} {
		ok, guard := `<han>`, []atom{}
		switch {
		case d.idAt >= 0 && latin:
			ok, guard = `<han><latin>`, all(atom{Of: &d.idAt, Is: card})
		case d.idAt >= 0:
			guard = all(atom{Of: &d.idAt, Not: card})
		case latin:
			continue
		}
		// The characters that are right one by one, and then one that is not.
		good := `^(?:[` + ok + `]|(?<=[` + ok + `])·)*`
		bad := `[^·\uFFFD<private>` + ok + `]`
		add := func(fault ident.Fault, re, at string, say sentence) {
			vs = append(vs, variant{fault, append(all(is(re)), guard...), at, say})
		}
		add(ident.Replaced, good+lostChar, good, sayReplaced)
		add(ident.PrivateUse, good+`[<private>]`, good, sayNamePrivate)
		add(ident.Dot, good+`(?:(?<![`+ok+`])·|(?<=·)$)`, "", sayNameDot)
		add(ident.Charset, `^=`, "", sayNameFormula)
		add(ident.Charset, good+`(?=[`+strings.ReplaceAll(betweenNames, `\`, `\\`)+`])`+bad, good, sayNameTwo)
		add(ident.Charset, good+`(?=[<letter>])`+bad, good, sayNameLatin)
		add(ident.Charset, good+bad, good, sayNameChar)
	}
	vs = append(vs, variant{ident.Length, all(is(shorter(f.shortest) + `|` + longer(f.longest))), "", sayNameLength})
	return [][]atom{all(is(`^(?=[^]` + between(f.shortest, f.longest) + `$)[<han>]+(?:·[<han>]+)*$`))}, vs
}

func (d *describer) phone(f *field) ([][]atom, []variant) {
	const form = `^(?:0[12][0-9]|0[03-9][0-9]{2})-[0-9]{7,8}(?:-[0-9]{1,6})?$`
	known, landline := areas()
	clean := [][]atom{all(is(`^1[3-9][0-9]{9}$`))}
	if _, asked := f.Rules["landline"]; !asked {
		clean = append(clean, all(is(landline)))
	}
	other := ident.Charset | ident.Length
	return clean, []variant{
		{ident.Landline, all(is(landline)), "", sayPhoneLandline},
		{ident.Segment, all(is(`^1[0-2][0-9]{9}$`)), `(?<=^1).`, sayPhoneSegment},
		{ident.AreaCode, all(is(form), not(known)), `^[^-]*`, sayPhoneArea},
		{ident.Number, all(is(form), not(landline)), `^[^-]*`, sayPhoneDigits},
		{ident.Replaced, all(is(lostChar)), lostAt, sayReplaced},
		{ident.Masked, all(is(star)), "", sayPhoneMasked},
		{ident.Excel, all(is(excel)), "", sayPhoneNumber},
		{ident.NoArea, all(is(`^[2-8][0-9]{6,7}$`)), "", sayPhoneNoArea},
		{other, all(is(`(?:[^0-9]*[0-9]){20}`)), "", sayPhoneTwo},
		{other, all(is(`^[0-9]+$`)), "", sayPhoneLength},
		{other, all(is(`[` + strings.ReplaceAll(betweenPhones, `\`, `\\`) + `]`)), "", sayPhoneTwo},
		{other, all(is(`^(?:\+|00)`)), "", sayPhoneAbroad},
		{other, nil, `^[0-9]*`, sayPhoneChar},
	}
}
