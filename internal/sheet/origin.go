package sheet

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"tianbao"
)

// The origin of an exported workbook, so that it can come back and be merged row by
// row. Two things carry it.
//
// Each row ends in a hidden cell under the header [originTitle] with the row's mark,
//
//	id . version . digest of the cells . digest of these three
//
// It is part of the row, so sorting, inserting and deleting rows keep it where it
// belongs, and it is text, which every program keeps as it is. And a very hidden sheet
// of the same name says where the workbook came from and which rows it held, signed.
//
// The digests are keyed: nobody without the key can make a mark, nor move one to
// another report. They are cut to 64 bits, because a guess costs an upload.
const (
	// hiddenPrefix begins the names of columns and sheets that are ours alone.
	hiddenPrefix = "_tianbao"
	originTitle  = hiddenPrefix
	originSheet  = hiddenPrefix

	originFormat = "1"
	digestChars  = 16 // of a row's digests
	maxMark      = 96 // bytes of a row's mark
	// heldCell is how many ids one cell lists: 500 of 19 digits are less than a third of
	// the longest text of a cell.
	heldCell = 500

	labelOrigin = "workbook-origin"
	labelMark   = "workbook-row"
	labelCells  = "workbook-row-cells"
)

// The names of the hidden sheet's lines.
const (
	keyFormat    = hiddenPrefix
	keyForm      = "form"
	keyFormV     = "form_version"
	keyReport    = "report"
	keyVersion   = "version"
	keyAt        = "time"
	keyHeld      = "held"
	keySignature = "signature"
)

// digestFunc is a keyed digest in hexadecimal. It takes the parts as one piece,
// however they are cut, so every part is written with its length.
type digestFunc func(label string, parts ...[]byte) string

// stamper makes the marks of the rows while they are written.
type stamper struct {
	digest digestFunc
	report tianbao.ID
	held   []byte // the ids so far, 8 bytes each
	buf    []byte
}

func newStamper(s *tianbao.Stamp) *stamper {
	return &stamper{digest: s.Digest, report: s.Report}
}

// mark returns the mark of a row. A row without an id has none: it is a new one.
func (s *stamper) mark(r *tianbao.Row, fields int) string {
	if r.ID <= 0 {
		return ""
	}
	s.held = binary.BigEndian.AppendUint64(s.held, uint64(r.ID))
	cells := s.cells(r, fields)
	return r.ID.String() + "." + strconv.FormatInt(r.Version, 10) + "." + cells + "." + s.sign(r.ID, r.Version, cells)
}

// cells digests the row's cells, with the types in which they can be written. The
// row number is none of them: renumbering changes no row.
func (s *stamper) cells(r *tianbao.Row, fields int) string {
	b := binary.BigEndian.AppendUint64(s.buf[:0], uint64(s.report))
	for i := range fields {
		text := ""
		if i < len(r.Values) {
			text = r.Values[i]
		}
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
		b = append(b, byte(keptMark(text, r.Mark(i))))
	}
	s.buf = b
	return short(s.digest(labelCells, b))
}

// sign binds the id and the version of a row to its cells and the report.
func (s *stamper) sign(id tianbao.ID, version int64, cells string) string {
	b := binary.BigEndian.AppendUint64(s.buf[:0], uint64(s.report))
	b = binary.BigEndian.AppendUint64(b, uint64(id))
	b = binary.BigEndian.AppendUint64(b, uint64(version))
	b = append(b, cells...)
	s.buf = b
	return short(s.digest(labelMark, b))
}

func short(digest string) string {
	if len(digest) > digestChars {
		return digest[:digestChars]
	}
	return digest
}

// rowMark is a row's mark, taken apart.
type rowMark struct {
	id      tianbao.ID
	version int64
	cells   string
	sign    string
}

// parseMark takes a mark apart. It does not verify it.
func parseMark(text string) (m rowMark, ok bool) {
	if len(text) > maxMark {
		return m, false
	}
	parts := strings.Split(text, ".")
	if len(parts) != 4 {
		return m, false
	}
	id, err := tianbao.ParseID(parts[0])
	if err != nil {
		return m, false
	}
	version, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || version < 0 || strconv.FormatInt(version, 10) != parts[1] || !isHex(parts[2]) || !isHex(parts[3]) {
		return m, false
	}
	return rowMark{id, version, parts[2], parts[3]}, true
}

func isHex(s string) bool {
	return len(s) == digestChars && strings.Trim(s, "0123456789abcdef") == ""
}

// originLines returns the lines of the hidden sheet, name and text by turns, and
// signed.
func originLines(f *tianbao.Form, st *tianbao.Stamp, held []byte) []string {
	lines := []string{
		keyFormat, originFormat,
		keyForm, f.Name,
		keyFormV, strconv.Itoa(f.Version),
		keyReport, st.Report.String(),
		keyVersion, strconv.FormatInt(st.Version, 10),
		keyAt, st.At.UTC().Format(time.RFC3339Nano),
	}
	var b strings.Builder
	for n := 0; len(held) > 0; held = held[8:] {
		if n > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(tianbao.ID(binary.BigEndian.Uint64(held)).String())
		if n++; n == heldCell || len(held) == 8 {
			lines = append(lines, keyHeld, b.String())
			b.Reset()
			n = 0
		}
	}
	return append(lines, keySignature, signLines(st.Digest, lines))
}

// signLines digests the lines above the signature.
func signLines(digest digestFunc, lines []string) string {
	parts := make([][]byte, 0, 2*len(lines))
	for _, l := range lines {
		parts = append(parts, binary.AppendUvarint(nil, uint64(len(l))), []byte(l))
	}
	return digest(labelOrigin, parts...)
}
