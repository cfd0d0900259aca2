package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"tianbao"
	"tianbao/internal/ident"
)

// Describe returns the rules of a form as data, with which the page finds what
// [Checker.Rows] finds while a clerk types: the same codes, severities and sentences
// in the same order. It holds what a row and its neighbours can tell. What only the
// server knows, how a cell of a workbook was typed and which codes the register has,
// is not in it, and the day on which a birth lies in the future is the reader's.
//
// The data is a small program. A value is brought into normal form by steps of
// regular expressions; its tests are tried in turn, and the first whose conditions all
// hold is the verdict, a clean one if it has no code. The expressions are those of
// JavaScript with the flag u. Tables and classes of characters are asked of package
// ident, and a test in a browser holds the verdicts of both sides together.
func Describe(f *tianbao.Form) ([]byte, error) {
	c, err := New(f, func() time.Time { return time.Time{} })
	if err != nil {
		return nil, err
	}
	d := describer{idAt: c.idAt}
	out := description{
		Form: f.Name, Version: f.Version, Reason: tianbao.MinReason, Sets: sets(), Sums: sums(), Cross: []describedCross{},
		Chars: []describedChar{{"[<break>]", "换行"}, {`\t`, "制表符"}, {"[<blank>]", "空格"}, {"[<shown>]", "“{}”"}},
	}
	for i := range c.fields {
		x := &c.fields[i]
		out.Fields = append(out.Fields, describedField{x.Key, x.Letter, steps(x), d.tests(x)})
	}
	for i := range c.cross {
		r := &c.cross[i]
		out.Cross = append(out.Cross, describedCross{r.Code, string(r.Severity), r.elements, append([]int{}, r.differ...), f.Index(r.At), r.Message})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // < and > stand in every expression
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("check: describe %s: %w", f.Name, err)
	}
	return b.Bytes(), nil
}

// sets returns what is too long to be written in every expression that needs it:
// classes of characters and lists of codes. <han> in an expression stands for them.
func sets() map[string]string {
	m := map[string]string{"shown": class(isShown), "letter": class(isLatin), "word": class(isWord)}
	in := ident.Classes()
	for name, has := range in {
		m[name] = class(has)
	}
	m["gap"] = class(func(r rune) bool { return in["blank"](r) && !in["break"](r) })
	m["province"] = provinces()
	m["country"], m["nation"] = countries()
	m["surname"] = ident.Surnames
	return m
}

// description is the data as it is written; rules.ts of the page reads it.
type description struct {
	Form    string            `json:"form"`
	Version int               `json:"version"`
	Reason  int               `json:"min_reason"` // characters of an explanation
	Fields  []describedField  `json:"fields"`
	Cross   []describedCross  `json:"cross"`
	Sets    map[string]string `json:"sets"` // what <name> in an expression stands for
	Sums    map[string]sum    `json:"sums"`
	Chars   []describedChar   `json:"chars"` // how a wrong character is named, the first that fits
}

type describedField struct {
	Key    string `json:"key"`
	Letter string `json:"letter"`
	Steps  []step `json:"steps"`
	Tests  []test `json:"tests"`
}

// step is one step to the normal form: what Match finds becomes To, or is moved by so
// many code points. A step that ends is the last one where it finds something.
type step struct {
	Match string `json:"match"`
	To    string `json:"to"`
	Move  int    `json:"move,omitempty"`
	End   bool   `json:"end,omitempty"`
}

// test is one verdict and when it falls. At finds the part of the value that {it}
// names and behind which the wrong character stands.
type test struct {
	If       []atom `json:"if"`
	Code     string `json:"code,omitempty"`
	Severity string `json:"severity,omitempty"`
	At       string `json:"at,omitempty"`
	Message  string `json:"message,omitempty"`
}

// atom is one condition. Exactly one of its fields but Of is set.
type atom struct {
	Of    *int   `json:"of,omitempty"` // of another field's value, by position
	Is    string `json:"is,omitempty"`
	Not   string `json:"not,omitempty"`
	Sum   string `json:"sum,omitempty"`   // the check character fits
	Wrong string `json:"wrong,omitempty"` // it does not, or there is none
	Born  string `json:"born,omitempty"`  // "later" than today by characters 7 to 14, or "before"
}

// sum is a check character: of a value that Match finds, the place of each character in
// Values times its weight, summed up, is the place of the last character in Checks.
type sum struct {
	Match   string `json:"match"`
	Values  string `json:"values"`
	Weights []int  `json:"weights"`
	Checks  string `json:"checks"`
}

type describedChar struct {
	Match string `json:"match"`
	Name  string `json:"name"`
}

type describedCross struct {
	Code     string  `json:"code"`
	Severity string  `json:"severity"`
	Same     [][]int `json:"same"`
	Differ   []int   `json:"differ"`
	At       int     `json:"at"` // -1: the row as a whole
	Message  string  `json:"message"`
}

// describer knows of the form what a single field does not.
type describer struct {
	idAt int // the field with the resident id, -1 without one
}

// class writes the members of a class of characters as an expression's class does.
func class(in func(rune) bool) string {
	var b strings.Builder
	write := func(r rune) {
		switch {
		case r > 0x7F && r < 0x20000 && unicode.IsPrint(r) && !unicode.IsMark(r):
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\u{%X}`, r)
		}
	}
	for r := rune(0); r <= 0x10FFFF; r++ {
		switch r {
		case 0xD800:
			r = 0xE000 // surrogates are no characters
		case 0x40000:
			r = 0xF0000 // nothing is here but planes for private use
		}
		if !in(r) {
			continue
		}
		from := r
		for r < 0x10FFFF && r+1 != 0xD800 && in(r+1) {
			r++
		}
		write(from)
		if r > from {
			b.WriteByte('-')
			write(r)
		}
	}
	return b.String()
}

// steps returns the way to the normal form of package ident.
func steps(f *field) []step {
	lone := step{Match: `[\uD800-\uDFFF]`, To: "\uFFFD"} // what JSON makes of half a character
	text := []step{
		lone,
		{Match: `[<invisible>]`},
		{Match: `^['<blank>]+|[<blank>]+$`},
	}
	code := []step{
		{Match: `^[!-&(-` + "`" + `{-~][!-` + "`" + `{-~]*$`, To: "$&", End: true},
		lone,
		{Match: `[\uFF01-\uFF5E]`, Move: '!' - 0xFF01},
		{Match: `[<invisible><blank>]`},
		{Match: `^'+`},
		{Match: `[a-z]`, Move: 'A' - 'a'},
	}
	switch f.Kind {
	case tianbao.KindCode, tianbao.KindCreditCode, tianbao.KindResidentID:
		return code
	case tianbao.KindPhone:
		sep := `[<separator>]*`
		digits := strings.Repeat(sep+`([0-9])`, 10)
		area := `^` + sep + `(0[12][0-9]|0[03-9][0-9]{2})` + sep + `([0-9]{7,8})`
		return append(append([]step{{Match: `^1[0-9]{10}$`, To: "$&", End: true}}, code[1:]...),
			step{
				Match: `^(?![0-9]+\.0+$)` + sep + strings.NewReplacer("_", sep).Replace(`(?:(?:\+_|0_0_)?8_6_)?(1)`) + digits + sep + `$`,
				To:    "$1$2$3$4$5$6$7$8$9$10$11",
			},
			step{Match: area + `$`, To: "$1-$2"},
			step{Match: area + `[转#*,<hyphen>]([0-9]{1,6})$`, To: "$1-$2-$3"},
		)
	case tianbao.KindName:
		return append(append([]step{{Match: `^[<han>·]*$`, To: "$&", End: true}}, text...),
			step{Match: `^([<surname>][<han>]{1,2})[<gap>]+([<surname>][<han>]{1,2})$`, To: "$1 $2", End: true},
			step{Match: `[<dot>]|(?<=[<han>][<blank>]*)\.(?=[^])|(?<=[^])\.(?=[<blank>]*[<han>])`, To: "·"},
			step{Match: `(?<![·<blank>])[<blank>]*[<break>][<blank>]*(?![·<blank>])`, To: "\n"},
			step{Match: `(?<=·)[<blank>]+|[<blank>]+(?=·)`},
			step{Match: `(?<=[<han>])[<gap>]+|[<gap>]+(?=[<han>])`},
			step{Match: `[<gap>]+`, To: " "},
		)
	case tianbao.KindChoice:
		text = append(text, step{Match: `[<blank>]`}, step{Match: `^'+`})
		for from, to := range f.EnumAliases {
			text = append(text, step{Match: "^" + quote(from) + "$", To: strings.ReplaceAll(to, "$", "$$"), End: true})
		}
	}
	return text
}

// quote makes an expression that finds the text itself.
func quote(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\^$.*+?()[]{}|/`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
