package remind

import (
	"strings"
	"unicode/utf8"

	"tianbao"
)

// The fields of a text.
const (
	fieldUnit  = "单位"
	fieldUntil = "截止时间"
	fieldState = "状态"
	fieldPhone = "经办电话"
)

// maxText and maxField bound a text and what is quoted of an unknown field, in characters.
const (
	maxText  = 500
	maxField = 20
)

// Fields are what the fields of a text stand for.
type Fields struct {
	Unit  string
	Until string // the end of the unit's window
	State string
	Phone string // of the bureau above, whom to ask
}

// CheckText refuses a text that is empty, too long, or has a field that there is not.
func CheckText(text string) error {
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return tianbao.Invalid("no_text", "请填写催报的内容。")
	case n > maxText:
		return tianbao.Invalid("long_text", "催报的内容最多 500 个字，请写得短一些。")
	}
	var err error
	expand(text, func(name string) (string, bool) {
		switch name {
		case fieldUnit, fieldUntil, fieldState, fieldPhone:
			return "", true
		}
		switch {
		case err != nil:
		case name == "":
			err = tianbao.Invalid("bad_braces", "催报的内容里有没有配对的花括号，字段请写成 {单位} 的样子。")
		default:
			name = string([]rune(name)[:min(maxField, utf8.RuneCountInString(name))])
			err = tianbao.Invalid("bad_field", "催报的内容里没有“"+name+"”这个字段，能用的是 {单位}、{截止时间}、{状态}、{经办电话}。")
		}
		return "", false
	})
	return err
}

// UsesPhone reports whether a text names the phone to call.
func UsesPhone(text string) bool { return strings.Contains(text, "{"+fieldPhone+"}") }

// Render puts the fields into a text.
func Render(text string, f *Fields) string {
	or := func(s, none string) string {
		if s == "" {
			return none
		}
		return s
	}
	return expand(text, func(name string) (string, bool) {
		switch name {
		case fieldUnit:
			return f.Unit, true
		case fieldUntil:
			return or(f.Until, "另行通知"), true
		case fieldState:
			return f.State, true
		case fieldPhone:
			return or(f.Phone, "上级财政部门"), true
		}
		return "", false
	})
}

// expand replaces what stands in braces; what is no field stays. An open brace that is
// never closed is asked for as the field "".
func expand(text string, field func(name string) (string, bool)) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			break
		}
		length := strings.IndexAny(text[open+1:], "{}")
		name, closed := text[open+1:], false
		if length >= 0 {
			name, closed = text[open+1:open+1+length], text[open+1+length] == '}'
		}
		asked := name
		if !closed {
			asked = ""
		}
		value, ok := field(asked)
		if !ok {
			value = text[open : open+1+len(name)]
			if closed {
				value += "}"
			}
		}
		b.WriteString(text[:open])
		b.WriteString(value)
		if text = text[open+1+len(name):]; closed {
			text = text[1:]
		}
	}
	b.WriteString(text)
	return b.String()
}
