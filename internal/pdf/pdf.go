// Package pdf writes small PDF documents of Chinese text and lines, for paper.
//
// Rules. No font is embedded: Chinese is set in STSong-Light, one of the fonts that
// ISO 32000-1 viewers know for the character collection Adobe-GB1 and put their own in
// place of, under the encoding UniGB-UTF16-H, so that text can be searched and copied;
// ASCII is set in Helvetica, one of the standard fourteen. The same calls give the same
// bytes: nothing here looks at a clock, and the date of a document is what the caller
// says. Coordinates are in points from the top left of an A4 page.
//
// Danger: a character outside of Adobe-GB1 is not shown; what has to be whole must be in
// another file too. What the page looks like is up to the viewer's own font; widths are those of
// the standard fonts, in which every Chinese character is as wide as high.
package pdf

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// Size of an A4 page in points.
const (
	Width  = 595.28
	Height = 841.89
)

// Doc is a document that is being made.
type Doc struct {
	title string
	at    time.Time
	pages []*bytes.Buffer
}

// New begins a document with a title and the date that it bears.
func New(title string, at time.Time) *Doc { return &Doc{title: title, at: at} }

// Page begins a new page; what follows is drawn on it.
func (d *Doc) Page() { d.pages = append(d.pages, &bytes.Buffer{}) }

// Pages returns how many pages there are.
func (d *Doc) Pages() int { return len(d.pages) }

// On runs fn with the page of a number, from 1 on, as the one that is drawn on: for what
// is known only in the end, as the number of pages.
func (d *Doc) On(page int, fn func()) {
	if page < 1 || page > len(d.pages) {
		return
	}
	all := d.pages
	d.pages = all[:page:page]
	fn()
	d.pages = all
}

func (d *Doc) here() *bytes.Buffer {
	if len(d.pages) == 0 {
		d.Page()
	}
	return d.pages[len(d.pages)-1]
}

// Text writes one line of text with its baseline's left end at x, y.
func (d *Doc) Text(x, y, size float64, text string) {
	b := d.here()
	for run, latin := range runs(text) {
		font, code := "/C", hex.EncodeToString(utf16be(run))
		if latin {
			font, code = "/L", hex.EncodeToString([]byte(run))
		}
		fmt.Fprintf(b, "BT %s %s Tf %s %s Td <%s> Tj ET\n", font, num(size), num(x), num(Height-y), code)
		x += TextWidth(run, size)
	}
}

// Center writes a line in the middle of the page.
func (d *Doc) Center(y, size float64, text string) {
	d.Text((Width-TextWidth(text, size))/2, y, size, text)
}

// Right writes a line that ends at x.
func (d *Doc) Right(x, y, size float64, text string) { d.Text(x-TextWidth(text, size), y, size, text) }

// Line draws a thin line.
func (d *Doc) Line(x1, y1, x2, y2 float64) {
	fmt.Fprintf(d.here(), "0.5 w %s %s m %s %s l S\n", num(x1), num(Height-y1), num(x2), num(Height-y2))
}

// WriteTo writes the document. It implements io.WriterTo.
func (d *Doc) WriteTo(w io.Writer) (int64, error) {
	d.here()
	var b bytes.Buffer
	var offsets []int
	object := func(text string) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), text)
	}
	b.WriteString("%PDF-1.5\n%\xE2\xE3\xCF\xD3\n")
	const first = 8 // object of the first page; its content follows it
	var kids strings.Builder
	for i := range d.pages {
		fmt.Fprintf(&kids, "%d 0 R ", first+2*i)
	}
	object("<< /Type /Catalog /Pages 2 0 R /Lang (zh-CN) /ViewerPreferences << /DisplayDocTitle true >> >>")
	object(fmt.Sprintf("<< /Type /Pages /Count %d /Kids [ %s] >>", len(d.pages), kids.String()))
	object(fmt.Sprintf("<< /Title <FEFF%s> /Producer (tianbao) /CreationDate (%s) >>", hex.EncodeToString(utf16be(d.title)), date(d.at)))
	object("<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light-UniGB-UTF16-H /Encoding /UniGB-UTF16-H /DescendantFonts [ 5 0 R ] >>")
	object("<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /DW 1000 /FontDescriptor 6 0 R >>")
	object("<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [ -25 -254 1000 880 ] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>")
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	for i, page := range d.pages {
		object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [ 0 0 %s %s ] /Resources << /Font << /C 4 0 R /L 7 0 R >> >> /Contents %d 0 R >>", num(Width), num(Height), first+2*i+1))
		var packed bytes.Buffer
		z := zlib.NewWriter(&packed)
		if _, err := z.Write(page.Bytes()); err != nil {
			return 0, fmt.Errorf("pdf: pack a page: %w", err)
		}
		if err := z.Close(); err != nil {
			return 0, fmt.Errorf("pdf: pack a page: %w", err)
		}
		object(fmt.Sprintf("<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream", packed.Len(), packed.String()))
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /Info 3 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	n, err := b.WriteTo(w)
	if err != nil {
		return n, fmt.Errorf("pdf: write: %w", err)
	}
	return n, nil
}

func num(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }

// date is a date string (ISO 32000-1 7.9.4).
func date(t time.Time) string {
	zone := t.Format("-0700")
	return "D:" + t.Format("20060102150405") + zone[:3] + "'" + zone[3:] + "'"
}

func utf16be(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}
