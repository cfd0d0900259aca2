package sheet

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tianbao"
	"tianbao/internal/ident"
)

// invisibles are the characters that normalisation drops everywhere, as far as
// people's programs put them there (copied phone numbers, above all).
func invisibles() []string {
	return []string{"\u200b", "\u200e", "\u200f", "\u202a", "\u202c", "\u202d", "\u2060", "\ufeff", "\u00ad"}
}

// blanks are those that normalisation drops inside codes and Han names.
func blanks() []string { return []string{" ", "\u3000", "\u00a0"} }

// kind writes a field's normal form and its outcomes, in the order of internal/check.
func (c *selfCheck) kind(f *fieldFormulas) {
	switch f.Kind {
	case tianbao.KindCode:
		c.norm(f, codeNorm(f.raw))
		c.code(f)
	case tianbao.KindCreditCode:
		c.norm(f, codeNorm(f.raw))
		c.creditCode(f)
	case tianbao.KindResidentID:
		c.norm(f, codeNorm(f.raw))
		c.residentID(f)
	case tianbao.KindPhone:
		c.phone(f)
	case tianbao.KindChoice:
		c.choice(f)
	case tianbao.KindName:
		c.name(f)
	default:
		c.norm(f, `TRIM(`+without(f.raw, invisibles()...)+`)`)
		c.text(f)
	}
}

func (c *selfCheck) norm(f *fieldFormulas, formula string) {
	f.norm = c.column(f.Letter+".norm", formula)
	f.value = f.norm
}

// codeNorm is the normal form of a code: narrow, without blanks, in capitals.
func codeNorm(raw string) string {
	return `UPPER(ASC(CLEAN(` + without(raw, append(invisibles(), blanks()...)...) + `)))`
}

// lost tells whether a cell is a number of more digits than a spreadsheet keeps.
func lost(raw string) string { return `AND(ISNUMBER(` + raw + `),` + raw + `>=1E15)` }

const replacement = "\uFFFD"

// excel tells whether a code has the form that a spreadsheet gives to a number:
// 105001.0 or 2.11E+17.
func excel(v string) string {
	const n = 30
	exp := `SUBSTITUTE(MID(` + v + `,FIND("E",` + v + `)+1,1),"+","")&MID(` + v + `,FIND("E",` + v + `)+2,` + fmt.Sprint(n) + `)`
	mantissa := `LEFT(` + v + `,FIND("E",` + v + `)-1)`
	return `OR(IFERROR(AND(FIND(".",` + v + `)>1,LEN(` + v + `)>FIND(".",` + v + `),` +
		only(`LEFT(`+v+`,FIND(".",`+v+`)-1)`, n, digitSet) + `,` + without(`MID(`+v+`,FIND(".",`+v+`)+1,`+fmt.Sprint(n)+`)`, "0") + `=""),FALSE),` +
		`IFERROR(AND(ISNUMBER(FIND(LEFT(` + v + `),"` + digitSet + `")),` +
		`OR(LEN(` + mantissa + `)=1,AND(MID(` + v + `,2,1)=".",LEN(` + mantissa + `)>2,` + only(`MID(`+mantissa+`,3,30)`, n, digitSet) + `)),` +
		`LEN(` + exp + `)>0,` + only(exp, n, digitSet) + `),FALSE))`
}

func (c *selfCheck) code(f *fieldFormulas) {
	v := f.norm
	bad := `NOT(` + only(v, max(f.MaxLength, 40), digitSet+letterSet) + `)`
	if f.MaxLength > 0 {
		bad = `OR(LEN(` + v + `)>` + fmt.Sprint(f.MaxLength) + `,` + bad + `)`
	}
	f.outcomes = []outcome{
		{`OR(` + lost(f.raw) + `,` + excel(v) + `)`, "float"},
		{lost(f.raw), "charset"},
		{bad, "charset"},
	}
}

func (c *selfCheck) choice(f *fieldFormulas) {
	v := without(f.raw, append(invisibles(), blanks()...)...)
	v = `TRIM(CLEAN(` + v + `))`
	for _, m := range f.Enum {
		for _, from := range slices.Sorted(maps.Keys(f.EnumAliases)) {
			if f.EnumAliases[from] == m {
				v = `IF(` + v + `=` + quote(from) + `,` + quote(m) + `,` + v + `)`
			}
		}
	}
	c.norm(f, v)
	f.outcomes = []outcome{{`SUMPRODUCT(--EXACT(` + f.norm + `,` + oneOf(f.Enum) + `))=0`, "unknown"}}
}

func (c *selfCheck) text(f *fieldFormulas) {
	v := f.norm
	bad := `OR(` + lost(f.raw) + `,CLEAN(` + v + `)<>` + v + `,` + holds(v, replacement) + `)`
	f.outcomes = []outcome{{bad, "charset"}, {bad, "length"}, {outside(v, f.MinLength, f.MaxLength), "length"}}
}

// outside tells whether a text is too short or too long.
func outside(v string, shortest, longest int) string {
	s := `LEN(` + v + `)<` + fmt.Sprint(shortest)
	if longest > 0 {
		s = `OR(` + s + `,LEN(` + v + `)>` + fmt.Sprint(longest) + `)`
	}
	return s
}

// name: the characters of GB 13000 that a name may have, by the boundaries of their
// blocks. Some programs see the planes beyond the first whole, others as surrogates,
// whose halves may have no number: what has none passes here and is looked at where it
// is handed in.
func (c *selfCheck) name(f *fieldFormulas) {
	v := without(f.raw, append(append(invisibles(), blanks()...), "\t")...)
	for _, dot := range []string{"•", "・", "･", "‧", "∙", "⋅", "·", "●", "᛫", "⸱", "⸳", "．"} {
		v = `SUBSTITUTE(` + v + `,"` + dot + `","·")`
	}
	latinHolder := ""
	if id := c.idField(); id != nil {
		latinHolder = `OR(AND(LEN(` + id.norm + `)=18,LEFT(` + id.norm + `)="9"),` + id.class + `=15,` + id.class + `=1)`
		v = `SUBSTITUTE(` + v + `,IF(` + latinHolder + `,"·","."),"·")`
	} else {
		v = `SUBSTITUTE(` + v + `,".","·")`
	}
	c.norm(f, v)
	v = f.norm
	// Every second boundary ends what is allowed: an odd place is a wrong character.
	han := []int{
		1, 0xB7, 0xB8, 0x3007, 0x3008, 0x3400, 0x4DC0, 0x4E00, 0xA000, 0xD840, 0xD88E, 0xDC00, 0xE000, 0xF900, 0xFB00, 0x20000, 0x2A6E0, 0x2A700, 0x2EE60, 0x2F800, 0x2FA20, 0x30000, 0x33480,
	}
	latin := []int{
		1, ' ', ' ' + 1, '\'', '\'' + 1, ',', '/', 'A', 'Z' + 1, 'a', 'z' + 1, 0xAA, 0xAB, 0xB7, 0xB8, 0xBA, 0xBB, 0xC0, 0xD7, 0xD8, 0xF7, 0xF8, 0x2B9,
		0x1E00, 0x1F00, 0x2019, 0x201A, 0x3007, 0x3008, 0x3400, 0x4DC0, 0x4E00, 0xA000, 0xD840, 0xD88E, 0xDC00, 0xE000, 0xF900, 0xFB00, 0x20000, 0x2A6E0, 0x2A700, 0x2EE60, 0x2F800, 0x2FA20, 0x30000, 0x33480,
	}
	const most = 60
	wrong := func(bounds []int) string {
		return `SUMPRODUCT(--ISNUMBER(1/MOD(MATCH(_xlfn.UNICODE(MID(` + v + `&REPT("一",` + fmt.Sprint(most) + `),` + upTo(most) + `,1)),` + numbers(bounds...) + `,1),2)))>0`
	}
	bad := wrong(han)
	if latinHolder != "" {
		bad = `IF(` + latinHolder + `,` + wrong(latin) + `,` + bad + `)`
	}
	bad = `OR(` + bad + `,LEFT(` + v + `)="·",RIGHT(` + v + `)="·",` + holds(v, "··") + `)`
	shortest, longest := nameSpan(f.MinLength, f.MaxLength)
	f.outcomes = []outcome{{bad, "charset"}, {outside(v, shortest, longest), "length"}}
}

// nameSpan puts what 民委发〔2016〕33号 asks for in place of a bound that the form
// leaves open, as internal/check does.
func nameSpan(shortest, longest int) (int, int) {
	if shortest == 0 {
		shortest = ident.NameMin
	}
	if longest == 0 {
		longest = ident.NameMax
	}
	return shortest, longest
}

// idField is the field with the resident id, or nil.
func (c *selfCheck) idField() *fieldFormulas {
	for i := range c.fields {
		if c.fields[i].Kind == tianbao.KindResidentID {
			return &c.fields[i]
		}
	}
	return nil
}

// literal splits a long text into constants of at most 255 characters.
func literal(s string) string {
	var parts []string
	for len(s) > 250 {
		parts = append(parts, quote(s[:250]))
		s = s[250:]
	}
	return strings.Join(append(parts, quote(s)), "&")
}
