package letter

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// toUTF8 decodes text of a charset. One that is not named, or not known, is UTF-8 if it
// is valid as that, else GB 18030, of which GBK and GB 2312 are parts.
func toUTF8(b []byte, charset string) string {
	var e encoding.Encoding
	switch name := strings.ToLower(strings.TrimSpace(charset)); name {
	case "gb2312", "gbk", "gb18030", "x-gbk", "cp936", "ms936", "windows-936", "gb_2312-80", "chinese":
		e = simplifiedchinese.GB18030
	case "hz-gb-2312":
		e = simplifiedchinese.HZGB2312
	case "", "utf-8", "utf8", "us-ascii", "ascii", "unknown-8bit", "default", "8bit":
	default:
		e, _ = htmlindex.Get(name) // nil for one that is not known
	}
	if e == nil {
		if utf8.Valid(b) {
			return string(b)
		}
		e = simplifiedchinese.GB18030
	}
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(out)
}

// word is one encoded word (RFC 2047 §2).
type word struct {
	charset string
	base64  bool
	text    string
}

// decodeWords decodes the encoded words of a text. What stands between may be in raw
// UTF-8 or GBK. Words of one charset that follow each other are decoded together, since
// clients cut characters in two.
func decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return toUTF8([]byte(s), "")
	}
	var out strings.Builder
	var pending []byte
	charset := ""
	flush := func() {
		if len(pending) > 0 {
			out.WriteString(toUTF8(pending, charset))
			pending = pending[:0]
		}
	}
	for s != "" {
		start := strings.Index(s, "=?")
		if start < 0 {
			break
		}
		w, rest, ok := cutWord(s[start:])
		if !ok {
			flush()
			out.WriteString(toUTF8([]byte(s[:start+2]), ""))
			s = s[start+2:]
			continue
		}
		// Blanks between words are not part of the text.
		if between := s[:start]; len(pending) == 0 || strings.TrimSpace(between) != "" {
			flush()
			out.WriteString(toUTF8([]byte(between), ""))
		}
		if !strings.EqualFold(w.charset, charset) {
			flush()
			charset = w.charset
		}
		pending = append(pending, w.bytes()...)
		s = rest
	}
	flush()
	out.WriteString(toUTF8([]byte(s), ""))
	return out.String()
}

// cutWord takes an encoded word off a text that begins with =?.
func cutWord(s string) (w word, rest string, ok bool) {
	charset, after, ok := strings.Cut(s[2:], "?")
	if !ok || len(charset) > 40 || len(after) < 2 || after[1] != '?' {
		return w, s, false
	}
	charset, _, _ = strings.Cut(charset, "*") // a language (RFC 2231 §5)
	switch after[0] {
	case 'B', 'b':
		w.base64 = true
	case 'Q', 'q':
	default:
		return w, s, false
	}
	w.charset = charset
	w.text, rest, ok = strings.Cut(after[2:], "?=")
	return w, rest, ok
}

// bytes decodes a word; what is no base64 ends it.
func (w *word) bytes() []byte {
	if w.base64 {
		text := strings.TrimRight(strings.Map(dropSpace, w.text), "=")
		out := make([]byte, base64.RawStdEncoding.DecodedLen(len(text)))
		n, _ := base64.RawStdEncoding.Decode(out, []byte(text))
		return out[:n]
	}
	return unescape(strings.ReplaceAll(w.text, "_", " "), '=')
}

func dropSpace(r rune) rune {
	if r == ' ' || r == '\t' {
		return -1
	}
	return r
}

// unescape replaces a mark and two hex digits by their byte; what is none stays.
func unescape(s string, mark byte) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == mark && i+2 < len(s) {
			hi, ok1 := hexDigit(s[i+1])
			lo, ok2 := hexDigit(s[i+2])
			if ok1 && ok2 {
				out = append(out, hi<<4|lo)
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
