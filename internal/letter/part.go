package letter

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
)

// walker goes through the parts of a mail.
type walker struct {
	limits   Limits
	letter   *Letter
	parts    int
	inflated int
	html     string // the beginning of a text in HTML, without its marks
}

// part reads one part, and those within.
func (w *walker) part(h header, body []byte, depth int) error {
	if w.parts++; w.parts > w.limits.Parts || depth > w.limits.Depth {
		return FaultParts
	}
	kind, disposition := parseValue(h.get("Content-Type")), parseValue(h.get("Content-Disposition"))
	if kind.first == "" {
		kind.first = "text/plain"
	}
	switch {
	case strings.HasPrefix(kind.first, "multipart/"):
		if boundary := kind.param("boundary"); boundary != "" {
			return w.multipart(body, boundary, depth)
		}
	case kind.first == "message/rfc822" || kind.first == "message/global":
		inner := decode(body, h.get("Content-Transfer-Encoding"))
		ih, ibody, err := splitHeader(inner, w.limits.Header)
		if err != nil {
			return nil // no mail after all, and no file either
		}
		return w.part(ih, ibody, depth+1)
	}
	name := fileName(&disposition, &kind)
	isText := strings.HasPrefix(kind.first, "text/") && kind.first != "text/csv"
	if isText && disposition.first != "attachment" && !looksLikeBook(name) {
		w.text(decode(body, h.get("Content-Transfer-Encoding")), &kind)
		return nil
	}
	if strings.HasPrefix(kind.first, "image/") && disposition.first != "attachment" || kind.first == "application/pkcs7-signature" || kind.first == "application/pgp-signature" {
		return nil // a picture in the text, a signature
	}
	return w.file(name, decode(body, h.get("Content-Transfer-Encoding")), depth)
}

// multipart reads the parts between the lines of a boundary (RFC 2046 §5.1). The last part
// may lack its end.
func (w *walker) multipart(body []byte, boundary string, depth int) error {
	line := []byte("--" + boundary)
	start := -1 // of the part in hand
	end := func(at int) []byte {
		part := bytes.TrimSuffix(body[start:at], []byte("\n"))
		return bytes.TrimSuffix(part, []byte("\r"))
	}
	one := func(part []byte) error {
		h, inner, err := splitHeader(part, w.limits.Header)
		if len(part) > 0 && (part[0] == '\n' || part[0] == '\r') || len(part) == 0 {
			_, inner = cutLine(part) // a part without a header is text
			h, err = nil, nil
		}
		if err != nil {
			return nil //nolint:nilerr // no part of a mail: nothing in it is read
		}
		return w.part(h, inner, depth+1)
	}
	for at := 0; at < len(body); {
		i := bytes.Index(body[at:], line)
		if i < 0 {
			break
		}
		i += at
		at = i + len(line)
		if i > 0 && body[i-1] != '\n' {
			continue
		}
		eol := len(body)
		if n := bytes.IndexByte(body[at:], '\n'); n >= 0 {
			eol = at + n
		}
		rest := bytes.TrimRight(body[at:eol], " \t\r")
		last := bytes.HasPrefix(rest, []byte("--"))
		if len(rest) > 0 && !last {
			continue // a longer boundary that begins alike
		}
		if start >= 0 {
			if err := one(end(i)); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
		start = min(eol+1, len(body))
		at = start
	}
	if start >= 0 && start < len(body) {
		return one(body[start:])
	}
	return nil
}

// decode undoes a Content-Transfer-Encoding; what is broken is left out.
func decode(body []byte, encoding string) []byte {
	switch strings.ToLower(strings.Trim(encoding, " \t\";")) {
	case "base64":
		return decodeBase64(body)
	case "quoted-printable":
		out, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
		if err != nil {
			return unescape(strings.ReplaceAll(strings.ReplaceAll(string(body), "=\r\n", ""), "=\n", ""), '=')
		}
		return out
	}
	return body
}

// decodeBase64 decodes what there is of base64: lines of any length, other characters
// between, padding in the middle where two texts were put together.
func decodeBase64(body []byte) []byte {
	out := make([]byte, 0, base64.StdEncoding.DecodedLen(len(body)))
	var quad [4]byte
	n := 0
	flush := func() {
		if n > 1 {
			var b [3]byte
			m, _ := base64.RawStdEncoding.Decode(b[:], quad[:n])
			out = append(out, b[:m]...)
		}
		n = 0
	}
	for _, c := range body {
		switch {
		case c == '=':
			flush()
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			quad[n] = c
			if n++; n == len(quad) {
				flush()
			}
		}
	}
	flush()
	return out
}

// text keeps the beginning of what the sender wrote.
func (w *walker) text(b []byte, kind *value) {
	if len(b) > 4*w.limits.Text {
		b = b[:4*w.limits.Text]
	}
	s := toUTF8(b, kind.param("charset"))
	to := &w.letter.Text
	if kind.first == "text/html" {
		s, to = plain(s), &w.html
	}
	if *to == "" {
		if len(s) > w.limits.Text {
			s = strings.ToValidUTF8(s[:w.limits.Text], "")
		}
		*to = strings.TrimSpace(s)
	}
}

// plain takes the marks out of HTML, for finding words in it.
func plain(s string) string {
	var b strings.Builder
	for s != "" {
		before, rest, ok := strings.Cut(s, "<")
		b.WriteString(before)
		if !ok {
			break
		}
		tag, after, ok := strings.Cut(rest, ">")
		if !ok {
			break
		}
		s = after
		switch name := strings.ToLower(strings.Fields(strings.TrimLeft(tag, "/") + " x")[0]); name {
		case "style", "script", "head", "title":
			if !strings.HasPrefix(tag, "/") {
				if i := strings.Index(strings.ToLower(s), "</"+name); i >= 0 {
					s = s[i:]
				}
			}
		case "br", "p", "div", "tr", "li", "br/":
			b.WriteByte('\n')
		}
	}
	return strings.NewReplacer("&nbsp;", " ", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&amp;", "&").Replace(b.String())
}
