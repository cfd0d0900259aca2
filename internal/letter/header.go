package letter

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// field is one line of a header, unfolded.
type field struct{ name, value string }

// header keeps its fields in order, the topmost first.
type header []field

// get returns the first field of a name, "" for none.
func (h header) get(name string) string {
	for i := range h {
		if strings.EqualFold(h[i].name, name) {
			return h[i].value
		}
	}
	return ""
}

// all returns the values of a name.
func (h header) all(name string) (out []string) {
	for i := range h {
		if strings.EqualFold(h[i].name, name) {
			out = append(out, h[i].value)
		}
	}
	return out
}

func (h header) has(name string) bool { return len(h.all(name)) > 0 }

// splitHeader parts a header from what follows. Lines may end in LF alone; a line that is
// no field ends the header, unless it is the separator of an mbox or folder in front.
func splitHeader(b []byte, limit int) (h header, body []byte, err error) {
	begin := len(b)
	for len(b) > 0 {
		line, rest := cutLine(b)
		if len(line) == 0 {
			if len(h) == 0 {
				return nil, rest, FaultHeader
			}
			return h, rest, nil
		}
		if begin-len(rest) > limit {
			return h, nil, FaultHeader
		}
		switch name, value, ok := bytes.Cut(line, []byte(":")); {
		case (line[0] == ' ' || line[0] == '\t') && len(h) > 0:
			h[len(h)-1].value += " " + strings.TrimSpace(string(line))
		case ok && fieldName(name):
			h = append(h, field{string(bytes.TrimRight(name, " \t")), strings.TrimSpace(string(value))})
		case len(h) == 0 && bytes.HasPrefix(line, []byte("From ")):
		case len(h) == 0:
			return nil, b, FaultHeader
		default:
			return h, b, nil // the empty line is missing
		}
		b = rest
	}
	if len(h) == 0 {
		return nil, nil, FaultHeader
	}
	return h, nil, nil
}

// cutLine takes a line off, without its end.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil
	}
	return bytes.TrimSuffix(b[:i], []byte("\r")), b[i+1:]
}

// fieldName reports whether a line begins as a field does (RFC 5322 §3.6.8), blanks
// before the colon allowed as of old.
func fieldName(b []byte) bool {
	b = bytes.TrimRight(b, " \t")
	for _, c := range b {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return len(b) > 0 && len(b) < 100
}

// oneLine makes a text one line without what is not printed.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r), r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// clipRunes shortens a text to n characters.
func clipRunes(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// sender returns the one address of From. Two are refused: a program that shows one and a
// program that trusts the other could be told apart by that.
func sender(h header) (string, error) {
	list := h.all("From")
	if len(list) != 1 {
		return "", FaultSender
	}
	found := addresses(list[0])
	if len(found) != 1 {
		return "", FaultSender
	}
	return found[0], nil
}

// addresses finds the addresses of a list, whatever stands around them. Names, also quoted
// ones with an @ in them, and comments are no addresses.
func addresses(s string) (out []string) {
	s = unquote(s)
	if strings.Contains(s, "<") {
		for {
			_, rest, ok := strings.Cut(s, "<")
			if !ok {
				return out
			}
			in, after, ok := strings.Cut(rest, ">")
			if !ok {
				in, after = rest, ""
			}
			if a := address(in); a != "" {
				out = append(out, a)
			}
			s = after
		}
	}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) }) {
		if a := address(part); a != "" {
			out = append(out, a)
		}
	}
	return out
}

// unquote leaves quoted texts and comments out.
func unquote(s string) string {
	var b strings.Builder
	quoted, comment := false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && (quoted || comment > 0):
			i++
		case c == '"' && comment == 0:
			quoted = !quoted
			b.WriteByte(' ')
		case quoted:
		case c == '(':
			comment++
		case c == ')' && comment > 0:
			comment--
		case comment > 0:
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// address brings an address into small letters, "" for what is none to which anybody
// could answer.
func address(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	local, domain, ok := strings.Cut(s, "@")
	const longest = 254 // RFC 5321 §4.5.3.1.3
	if !ok || local == "" || domain == "" || len(s) > longest || strings.Contains(domain, "..") || domain[0] == '.' || domain[0] == '-' {
		return ""
	}
	for _, c := range []byte(local) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),:;<>@[\]`, c) >= 0 {
			return ""
		}
	}
	for _, c := range []byte(domain) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return ""
		}
	}
	return s
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return domain
}
