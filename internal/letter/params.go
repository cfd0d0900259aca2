package letter

import (
	"slices"
	"strconv"
	"strings"
)

// value is a field with parameters: Content-Type or Content-Disposition.
type value struct {
	first  string // in small letters
	params []field
}

// param returns a parameter as it stands there.
func (v *value) param(name string) string { return header(v.params).get(name) }

// parseValue reads what clients write, also names with blanks that are not quoted.
func parseValue(s string) (v value) {
	first, rest, _ := strings.Cut(s, ";")
	v.first = strings.ToLower(strings.TrimSpace(first))
	const most = 100
	for rest != "" && len(v.params) < most {
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		// What stands before without a value is of no use.
		if i := strings.LastIndexByte(name, ';'); i >= 0 {
			name = name[i+1:]
		}
		var text string
		text, rest = cutParam(strings.TrimLeft(after, " \t"))
		v.params = append(v.params, field{strings.ToLower(strings.TrimSpace(name)), text})
	}
	return v
}

// cutParam takes the text of a parameter off, with quotes or without.
func cutParam(s string) (text, rest string) {
	if !strings.HasPrefix(s, `"`) {
		text, rest, _ = strings.Cut(s, ";")
		return strings.TrimSpace(text), rest
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case c == '"':
			_, rest, _ = strings.Cut(s[i+1:], ";")
			return b.String(), rest
		default:
			b.WriteByte(c) // a lone backslash is of a path
		}
	}
	return b.String(), ""
}

// text returns a parameter decoded: by RFC 2231 where it is written so, which goes before
// the plain one beside it, else by RFC 2047, as clients do though §5 forbids it.
func (v *value) text(name string) string {
	if p, ok := v.extended(name); ok {
		return p
	}
	return decodeWords(v.param(name))
}

// extended reads name*, name*0, name*0* and so on.
func (v *value) extended(name string) (string, bool) {
	type piece struct {
		n       int
		escaped bool
		text    string
	}
	var pieces []piece
	for _, p := range v.params {
		rest, ok := strings.CutPrefix(p.name, name+"*")
		if !ok {
			continue
		}
		if rest == "" {
			pieces = []piece{{0, true, p.value}}
			break
		}
		number, escaped := strings.CutSuffix(rest, "*")
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 {
			continue
		}
		pieces = append(pieces, piece{n, escaped, p.value})
	}
	if len(pieces) == 0 {
		return "", false
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return a.n - b.n })
	var raw []byte
	charset := ""
	for i, p := range pieces {
		if !p.escaped {
			raw = append(raw, p.text...)
			continue
		}
		if i == 0 {
			if cs, rest, ok := strings.Cut(p.text, "'"); ok {
				if _, text, ok := strings.Cut(rest, "'"); ok {
					charset, p.text = cs, text
				}
			}
		}
		raw = append(raw, unescape(p.text, '%')...)
	}
	text := toUTF8(raw, charset)
	if charset == "" && strings.Contains(text, "=?") {
		text = decodeWords(text)
	}
	return text, true
}

// fileName is the name of a part's file without its folder, "" for none.
func fileName(disposition, kind *value) string {
	name := disposition.text("filename")
	if name == "" {
		name = kind.text("name")
	}
	return cleanName(name)
}

// cleanName leaves of a name what may be shown: its last part, in one line.
func cleanName(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	return clipRunes(oneLine(name), maxName)
}
