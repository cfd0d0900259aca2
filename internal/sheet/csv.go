package sheet

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// textBook is a file of separated values.
type textBook struct {
	r      io.ReaderAt
	size   int64
	enc    encoding.Encoding // nil: UTF-8
	skip   int64             // byte order mark
	comma  byte
	sepRow bool // the first line is Excel's "sep=;"
	name   string
	limits *Limits
}

// openCSV decides encoding and separator once for the whole file. A cell alone
// does not tell: of the two-character names in GBK, 130 are valid UTF-8.
func openCSV(ctx context.Context, r io.ReaderAt, size int64, name string, limits *Limits) (book, error) {
	b := &textBook{r: r, size: size, limits: limits, name: baseName(name)}
	var mark [3]byte
	n, _ := r.ReadAt(mark[:], 0)
	switch head := string(mark[:n]); {
	case head == "\xEF\xBB\xBF":
		b.skip = 3
	case strings.HasPrefix(head, "\xFF\xFE"), strings.HasPrefix(head, "\xFE\xFF"):
		b.enc = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
	default:
		var err error
		if b.enc, err = guessUTF16(r, size); err != nil {
			return nil, blame("reading text", err)
		}
		if b.enc != nil {
			break
		}
		ok, err := validUTF8(ctx, io.NewSectionReader(r, 0, size))
		if err != nil {
			return nil, blame("reading text", err)
		}
		if !ok {
			b.enc = simplifiedchinese.GB18030
		}
	}
	if err := b.survey(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// guessUTF16 tells UTF-16 without a byte order mark by its zeros, the high bytes of
// separators and line ends: all stand at even places, or all at odd ones. Neither
// UTF-8 nor GB18030 has any.
func guessUTF16(r io.ReaderAt, size int64) (encoding.Encoding, error) {
	head := make([]byte, min(size&^1, 64<<10))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch {
	case zeros[0] == 0 && zeros[1] > len(head)/64:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), nil
	case zeros[1] == 0 && zeros[0] > len(head)/64:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), nil
	}
	return nil, nil
}

// validUTF8 reads all of r.
func validUTF8(ctx context.Context, r io.Reader) (bool, error) {
	buf := make([]byte, 64<<10)
	kept := 0
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := io.ReadFull(r, buf[kept:])
		n += kept
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return false, err
		}
		cut := n
		if !last {
			// A character may go on in the next piece.
			for cut > n-utf8.UTFMax && !utf8.RuneStart(buf[cut-1]) {
				cut--
			}
			cut--
		}
		if !utf8.Valid(buf[:cut]) {
			return false, nil
		}
		if last {
			return true, nil
		}
		kept = copy(buf, buf[cut:n])
	}
}

// reader gives the file's text in UTF-8, without a byte order mark.
func (b *textBook) reader(ctx context.Context) *bufio.Reader {
	var r io.Reader = &ctxReader{ctx, io.NewSectionReader(b.r, b.skip, b.size-b.skip)}
	if b.enc != nil {
		r = transform.NewReader(r, b.enc.NewDecoder())
	}
	return bufio.NewReaderSize(r, 64<<10)
}

type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// survey refuses what is no text and finds the separator: the one that cuts some
// line of the beginning into the most cells.
func (b *textBook) survey(ctx context.Context) error {
	head, err := b.reader(ctx).Peek(32 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return blame("reading text", err)
	}
	odd, runes := 0, 0
	for _, r := range string(head) {
		runes++
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' || r == utf8.RuneError || r == 0x7F {
			odd++
		}
	}
	if strings.IndexByte(string(head), 0) >= 0 || odd*20 > runes {
		return errUnreadable("这不是表格文件，无法识别其内容；请选择采集表的 .xlsx 文件后再上传。", errors.New("sheet: binary data"))
	}
	if rest, ok := strings.CutPrefix(string(head), "sep="); ok && len(rest) > 1 && (rest[1] == '\r' || rest[1] == '\n') {
		b.comma, b.sepRow = rest[0], true
		return nil
	}
	b.comma = findComma(head)
	return nil
}

func findComma(head []byte) byte {
	best, most := byte(','), 0
	for _, sep := range []byte{',', '\t', ';'} {
		n, quoted := 0, false
		for _, c := range head {
			switch {
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == '\n', c == '\r':
				n = 0
			case c == sep:
				if n++; n > most {
					best, most = sep, n
				}
			}
		}
	}
	return best
}

func (b *textBook) sheets() []SheetInfo { return []SheetInfo{{Name: b.name}} }
func (b *textBook) date1904() bool      { return false }

func (b *textBook) rows(ctx context.Context, _ int, fn func(*RowData) error) ([]Merge, error) {
	p := &csvParser{r: b.reader(ctx), comma: b.comma, limits: b.limits, fn: fn}
	if b.sepRow {
		p.num = 1
		if _, err := p.r.ReadSlice('\n'); err != nil {
			return nil, nil
		}
	}
	if err := p.run(); err != nil && !errors.Is(err, errStop) {
		return nil, err
	}
	return nil, nil
}
