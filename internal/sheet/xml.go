package sheet

import (
	"bytes"
	"errors"
	"io"
)

// What makes a part unreadable. Positions are left out: the sender cannot use
// them, and text around them may be personal.
var (
	errXMLCut     = errors.New("xml: unexpected end")
	errXMLNest    = errors.New("xml: end tag does not match")
	errXMLDeep    = errors.New("xml: nested too deep")
	errXMLLong    = errors.New("xml: tag or section too long")
	errXMLDoctype = errors.New("xml: document type declaration refused")
	errXMLSyntax  = errors.New("xml: malformed tag")
)

const (
	scanBuffer = 64 << 10
	maxTag     = 1 << 20 // a tag, comment or CDATA section longer than this is refused
	maxDepth   = 256
	maxName    = 1 << 10
	// entityTail is how many bytes are held back at the end of a piece of text,
	// so that an entity is never cut in two.
	entityTail = 16
)

// token is what scanner.next found.
type token uint8

const (
	tokEOF token = iota
	tokStart
	tokEnd
	tokText
)

// scanner cuts XML into tags and text over a sliding buffer, without objects and
// without copying. It checks what protects against loss — that every tag is closed
// by its own name and that the document ends — and leaves the rest alone: a bare
// '&' or a control character costs a cell, not the sheet. No entity is expanded
// but the predefined and numeric ones, and a DOCTYPE is an error, so neither XXE
// nor entity bombs exist.
type scanner struct {
	r        io.Reader
	buf      []byte
	pos, end int
	eof      bool

	// The current token, valid until the next call of next.
	name   []byte // local name of a tag
	attrs  []byte // raw attributes of a start tag
	text   []byte // raw text
	closed bool   // the start tag closes itself; no end tag follows
	cdata  bool   // text is literal

	left   int    // tags and sections still allowed
	names  []byte // qualified names of the open elements, one behind the other
	starts []int  // where each begins in names
	rooted bool
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, buf: make([]byte, scanBuffer), left: maxTags}
}

// Tags cost time whatever they say, and a bomb of them packs to nothing: 250 million
// in a file that no other limit refuses. A part may have some millions, and some for
// each byte that it really has.
const (
	maxTags     = 8 << 20
	tagsPerByte = 3
)

// depth is the number of open elements.
func (s *scanner) depth() int { return len(s.starts) }

// more reads more input behind what is unread, making room if there is none.
func (s *scanner) more() error {
	if s.eof {
		return nil
	}
	if s.pos > 0 {
		copy(s.buf, s.buf[s.pos:s.end])
		s.end -= s.pos
		s.pos = 0
	}
	if s.end == len(s.buf) {
		if len(s.buf) >= maxTag {
			return errXMLLong
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if err == io.EOF {
			s.eof = true
			return nil
		}
		if err != nil {
			return err
		}
		if n > 0 {
			return nil
		}
	}
	return io.ErrNoProgress
}

// next moves to the next token. Comments and processing instructions are passed
// over. At the end of a complete document it gives tokEOF.
func (s *scanner) next() (token, error) {
	for {
		if s.pos == s.end {
			if s.eof {
				if len(s.starts) > 0 || !s.rooted {
					return tokEOF, errXMLCut
				}
				return tokEOF, nil
			}
			if err := s.more(); err != nil {
				return tokEOF, err
			}
			continue
		}
		b := s.buf[s.pos:s.end]
		if b[0] != '<' {
			if s.cutText(b) {
				return tokText, nil
			}
			if err := s.more(); err != nil {
				return tokEOF, err
			}
			continue
		}
		if len(b) < 2 && !s.eof {
			if err := s.more(); err != nil {
				return tokEOF, err
			}
			continue
		}
		if s.left--; s.left < 0 {
			return tokEOF, errInflated()
		}
		if len(b) >= 2 && (b[1] == '!' || b[1] == '?') {
			isText, err := s.section()
			if err != nil {
				return tokEOF, err
			}
			if isText {
				return tokText, nil
			}
			continue
		}
		return s.tag()
	}
}

// cutText takes the text before the next tag, or a full buffer of it.
func (s *scanner) cutText(b []byte) bool {
	i := bytes.IndexByte(b, '<')
	if i < 0 {
		if !s.eof && len(b) < scanBuffer/2 {
			return false
		}
		i = len(b)
		if !s.eof {
			if k := bytes.LastIndexByte(b[i-entityTail:], '&'); k >= 0 {
				i -= entityTail - k
			}
		}
	}
	s.text, s.cdata = b[:i], false
	s.pos += i
	return true
}

var (
	commentOpen  = []byte("<!--")
	commentClose = []byte("-->")
	cdataOpen    = []byte("<![CDATA[")
	cdataClose   = []byte("]]>")
	piOpen       = []byte("<?")
	piClose      = []byte("?>")
)

// section passes over a comment or processing instruction, or takes a CDATA
// section as text.
func (s *scanner) section() (isText bool, err error) {
	for s.end-s.pos < len(cdataOpen) && !s.eof {
		if err := s.more(); err != nil {
			return false, err
		}
	}
	b := s.buf[s.pos:s.end]
	var open, stop []byte
	switch {
	case bytes.HasPrefix(b, piOpen):
		open, stop = piOpen, piClose
	case bytes.HasPrefix(b, commentOpen):
		open, stop = commentOpen, commentClose
	case bytes.HasPrefix(b, cdataOpen):
		open, stop, isText = cdataOpen, cdataClose, true
	case len(b) < len(cdataOpen):
		return false, errXMLCut
	default:
		return false, errXMLDoctype
	}
	from := len(open)
	for {
		b = s.buf[s.pos:s.end]
		if i := bytes.Index(b[from:], stop); i >= 0 {
			s.text, s.cdata = b[len(open):from+i], true
			s.pos += from + i + len(stop)
			return isText, nil
		}
		if s.eof {
			return false, errXMLCut
		}
		from = max(len(open), len(b)-len(stop)+1)
		if err := s.more(); err != nil {
			return false, err
		}
	}
}

// tag takes a start or end tag.
func (s *scanner) tag() (token, error) {
	from := 1
	for {
		b := s.buf[s.pos:s.end]
		i := bytes.IndexByte(b[from:], '>')
		if i < 0 {
			if s.eof {
				return tokEOF, errXMLCut
			}
			from = len(b)
			if err := s.more(); err != nil {
				return tokEOF, err
			}
			continue
		}
		body := b[1 : from+i]
		if len(body) > 0 && body[0] == '/' {
			s.pos += from + i + 1
			return s.endTag(body[1:])
		}
		// A '>' between quotes belongs to the attribute. The shortest tag that has
		// one is a b="".
		if len(body) > 5 && openQuote(body) {
			from += i + 1
			continue
		}
		s.pos += from + i + 1
		return s.startTag(body)
	}
}

// openQuote reports whether an attribute value is still open at the end of b.
func openQuote(b []byte) bool {
	if bytes.IndexByte(b, '\'') < 0 {
		return bytes.Count(b, dquote)%2 != 0
	}
	var q byte
	for _, c := range b {
		switch {
		case q == 0 && (c == '"' || c == '\''):
			q = c
		case q == c:
			q = 0
		}
	}
	return q != 0
}

var dquote = []byte{'"'}

func (s *scanner) startTag(body []byte) (token, error) {
	if s.closed = len(body) > 0 && body[len(body)-1] == '/'; s.closed {
		body = body[:len(body)-1]
	}
	n, colon := 0, -1
	for n < len(body) && !isSpace(body[n]) {
		if body[n] == ':' {
			colon = n
		}
		n++
	}
	if n == 0 || n == colon+1 || n > maxName {
		return tokEOF, errXMLSyntax
	}
	if len(s.starts) == 0 && s.rooted {
		return tokEOF, errXMLSyntax // a second root
	}
	s.rooted = true
	s.name, s.attrs = body[colon+1:n], body[n:]
	if !s.closed {
		if len(s.starts) >= maxDepth {
			return tokEOF, errXMLDeep
		}
		s.starts = append(s.starts, len(s.names))
		s.names = append(s.names, body[:n]...)
	}
	return tokStart, nil
}

func (s *scanner) endTag(name []byte) (token, error) {
	for len(name) > 0 && isSpace(name[len(name)-1]) {
		name = name[:len(name)-1]
	}
	top := len(s.starts) - 1
	if top < 0 || !bytes.Equal(s.names[s.starts[top]:], name) {
		return tokEOF, errXMLNest
	}
	s.names = s.names[:s.starts[top]]
	s.starts = s.starts[:top]
	s.name = name[bytes.LastIndexByte(name, ':')+1:]
	return tokEnd, nil
}

// each calls fn at every start tag below the element at hand until that one ends, or,
// before the first element, until the document does. fn reads its element or skips
// it; the elements in what it leaves come to fn too.
func (s *scanner) each(fn func() error) error {
	for depth := s.depth(); s.depth() >= depth; {
		tok, err := s.next()
		if err == nil && tok == tokStart {
			err = fn()
		}
		if err != nil || tok == tokEOF {
			return err
		}
	}
	return nil
}

// skip passes over the element whose start tag was just read.
func (s *scanner) skip() error {
	if s.closed {
		return nil
	}
	for depth := s.depth(); s.depth() >= depth; {
		if _, err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// nextAttr cuts the first attribute off a start tag's raw attributes. The name is
// the local one, the value still escaped. ok is false at the end, and at anything
// that is not an attribute.
func nextAttr(a []byte) (name, value, rest []byte, ok bool) {
	i := 0
	for i < len(a) && isSpace(a[i]) {
		i++
	}
	j := i
	for j < len(a) && a[j] != '=' && !isSpace(a[j]) {
		if a[j] == ':' {
			i = j + 1
		}
		j++
	}
	name = a[i:j]
	for j < len(a) && isSpace(a[j]) {
		j++
	}
	if len(name) == 0 || j >= len(a) || a[j] != '=' {
		return nil, nil, nil, false
	}
	j++
	for j < len(a) && isSpace(a[j]) {
		j++
	}
	if j >= len(a) || a[j] != '"' && a[j] != '\'' {
		return nil, nil, nil, false
	}
	k := bytes.IndexByte(a[j+1:], a[j])
	if k < 0 {
		return nil, nil, nil, false
	}
	return name, a[j+1 : j+1+k], a[j+2+k:], true
}

// attr returns the unescaped value of an attribute of the current start tag.
func (s *scanner) attr(name string) (string, bool) {
	for a := s.attrs; ; {
		n, v, rest, ok := nextAttr(a)
		if !ok {
			return "", false
		}
		if string(n) == name {
			return string(appendText(nil, v, false)), true
		}
		a = rest
	}
}
