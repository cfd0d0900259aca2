package sheet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// markup is a file that begins with a tag: a page, or a spreadsheet in one XML
// document.
type markup struct {
	ctx  context.Context
	r    io.ReaderAt
	size int64
	enc  encoding.Encoding // nil: UTF-8
	skip int64             // byte order mark
	name string            // of the file, without its ending
}

// markupHead is how much of a file is looked at for its root and its encoding;
// HTML wants the latter within 1,024 bytes.
const markupHead = 8 << 10

// openMarkup tells by the first tag what the file is.
func openMarkup(ctx context.Context, r io.ReaderAt, size int64, name string, limits *Limits, mem *budget) (book, error) {
	m := &markup{ctx: ctx, r: r, size: size, name: baseName(name)}
	if err := m.decide(); err != nil {
		return nil, blame("reading markup", err)
	}
	head, err := io.ReadAll(io.LimitReader(m.reader(), markupHead))
	if err != nil {
		return nil, blame("reading markup", err)
	}
	root := rootOf(head)
	if first := bytes.TrimSpace(head); root == "" && !bytes.HasPrefix(first, []byte("<!")) && !bytes.HasPrefix(first, []byte("<?")) {
		return openCSV(ctx, r, size, name, limits) // a text that begins with <说明>
	}
	b, err := m.open(root, limits, mem)
	if err != nil {
		return nil, blame("reading markup", err)
	}
	return b, nil
}

func (m *markup) open(root string, limits *Limits, mem *budget) (book, error) {
	switch root {
	case "workbook":
		return readXML2003(m.part(), limits, mem)
	case "document", "document-content":
		return readODS(m.part(), limits, mem)
	case "uof", "uof2", "spreadsheetml":
		return nil, errUnsupported("标文通（UOF）格式的表格")
	case "html", "head", "body", "meta", "title", "style", "link", "script", "base", "table", "thead", "tbody", "tr", "td", "th",
		"div", "span", "p", "br", "center", "font", "h1", "h2", "h3", "form", "b", "strong", "caption", "colgroup":
		return readHTML(m.reader(), m.name, limits, mem)
	}
	return nil, errUnreadable("这是 XML 或网页文件，但不是表格；请选择采集表的 .xlsx 文件后再上传。", errors.New("sheet: markup without a known root"))
}

// rootOf returns the local name of the first start tag, in lower case.
func rootOf(head []byte) string {
	z := html.NewTokenizer(bytes.NewReader(head))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			return string(name[bytes.LastIndexByte(name, ':')+1:])
		}
	}
}

// baseName is the title of a sheet that has none.
func baseName(name string) string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	return clean(strings.TrimSuffix(base, path.Ext(base)))
}

// decide finds the encoding: a byte order mark, the pattern of UTF-16, what the
// file declares, UTF-8 if all of it is valid, else GB18030. A declared UTF-8 that
// is none in all the file is not believed: systems write that line into everything.
func (m *markup) decide() error {
	head := make([]byte, min(m.size, markupHead))
	if _, err := m.r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")):
		m.skip = 3
		return nil
	case bytes.HasPrefix(head, []byte("\xFF\xFE")), bytes.HasPrefix(head, []byte("\xFE\xFF")):
		m.enc = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
		return nil
	case bytes.HasPrefix(head, []byte("<\x00")):
		m.enc = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
		return nil
	case bytes.HasPrefix(head, []byte("\x00<")):
		m.enc = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
		return nil
	}
	label := declared(bytes.TrimLeft(head, " \t\r\n"))
	if label == "" {
		label = metaCharset(head)
	}
	if m.enc = namedEncoding(label); m.enc != nil && m.enc != simplifiedchinese.GB18030 {
		return nil
	}
	valid, err := validUTF8(m.ctx, io.NewSectionReader(m.r, 0, m.size))
	if err != nil {
		return err
	}
	switch {
	case !valid:
		m.enc = simplifiedchinese.GB18030
	case m.enc != nil && multibyte(m.ctx, m.r, m.size):
		// Declared as GB 2312 and yet all of it is UTF-8, which chance does not
		// bring about over a whole table.
		m.enc = nil
	}
	return nil
}

// multibyte reports whether most characters beyond ASCII in a valid UTF-8 file take
// three bytes, which is no accident: the bytes of GBK may form some of two.
func multibyte(ctx context.Context, r io.ReaderAt, size int64) bool {
	buf := make([]byte, 64<<10)
	rd := &ctxReader{ctx, io.NewSectionReader(r, 0, size)}
	two, three := 0, 0
	for {
		n, err := rd.Read(buf)
		for _, c := range buf[:n] {
			switch {
			case c >= 0xE0:
				three++
			case c >= 0xC0:
				two++
			}
		}
		if err != nil {
			return three > two
		}
	}
}

// metaCharset finds the encoding that a page declares.
func metaCharset(head []byte) string {
	z := html.NewTokenizer(bytes.NewReader(head))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
		default:
			continue
		}
		name, more := z.TagName()
		if string(name) == "table" || string(name) == "body" {
			return ""
		}
		if string(name) != "meta" {
			continue
		}
		for more {
			var key, val []byte
			key, val, more = z.TagAttr()
			v := strings.ToLower(string(val))
			if string(key) == "content" {
				_, after, ok := strings.Cut(v, "charset=")
				if !ok {
					continue
				}
				v = after
			} else if string(key) != "charset" {
				continue
			}
			v, _, _ = strings.Cut(v, ";")
			return strings.Trim(v, "\"' \t")
		}
	}
}

// reader gives the text in UTF-8, without a byte order mark.
func (m *markup) reader() io.Reader {
	var r io.Reader = &ctxReader{m.ctx, io.NewSectionReader(m.r, m.skip, m.size-m.skip)}
	if m.enc != nil {
		r = transform.NewReader(r, m.enc.NewDecoder())
	}
	return r
}

// part gives the text to the XML scanner.
func (m *markup) part() *part {
	r := m.reader()
	return &part{scanner: newScanner(r), src: r, zip: io.NopCloser(nil)}
}
