package sheet

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"iter"
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
//	id . version . digest of the cells . keyed digest of these three
//
// It is part of the row, so sorting, inserting and deleting rows keep it where it
// belongs, and it is text, which every program keeps as it is. And a very hidden sheet
// of the same name says where the workbook came from and which rows it held, signed.
//
// Nobody without the key can make a mark, change one, or move one to another report.
// The digests are cut to 64 bits, because a guess costs an upload. That of the cells has
// no key of its own, which would double the cost of an export: the other binds it.
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
	labelLine   = "workbook-origin-line"
	labelMark   = "workbook-row"
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
	held   heldIDs
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
	s.held.add(r.ID)
	var room [maxMark]byte
	b := append(strconv.AppendInt(room[:0], int64(r.ID), 10), '.')
	b = append(strconv.AppendInt(b, r.Version, 10), '.')
	from := len(b)
	b = s.appendCells(b, r, fields)
	sign := s.sign(r.ID, r.Version, b[from:])
	return string(append(append(b, '.'), sign...))
}

// appendCells appends a digest of the row's cells, with the types in which they can be written. The
// row number is none of them: renumbering changes no row.
func (s *stamper) appendCells(dst []byte, r *tianbao.Row, fields int) []byte {
	var b [digestChars / 2]byte
	binary.BigEndian.PutUint64(b[:], s.sum(r, fields))
	return hex.AppendEncode(dst, b[:])
}

// sum is the digest of [stamper.appendCells] as a number.
func (s *stamper) sum(r *tianbao.Row, fields int) uint64 {
	b := s.buf[:0]
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
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// sign binds the id and the version of a row to its cells and the report.
func (s *stamper) sign(id tianbao.ID, version int64, cells []byte) string {
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

// heldIDs keeps the ids of the rows that were written. Ids rise with time, so what
// one differs by from the next is short: a million rows take some three megabytes.
type heldIDs struct {
	deltas []byte
	last   tianbao.ID
}

func (h *heldIDs) add(id tianbao.ID) {
	h.deltas = binary.AppendVarint(h.deltas, int64(id-h.last))
	h.last = id
}

// cells yields the ids as texts of [heldCell] each.
func (h *heldIDs) cells(yield func(string) bool) {
	var b []byte
	id, n := tianbao.ID(0), 0
	for rest := h.deltas; len(rest) > 0; {
		delta, size := binary.Varint(rest)
		rest = rest[size:]
		id += tianbao.ID(delta)
		if n > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(id), 10)
		if n++; n == heldCell || len(rest) == 0 {
			if !yield(string(b)) {
				return
			}
			b, n = b[:0], 0
		}
	}
}

// originLines yields the lines of the hidden sheet, name and text, the signature last.
func originLines(f *tianbao.Form, st *tianbao.Stamp, held *heldIDs) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		sign := &lineSigner{digest: st.Digest}
		line := func(name, text string) bool {
			sign.add(name, text)
			return yield(name, text)
		}
		if !line(keyFormat, originFormat) || !line(keyForm, f.Name) || !line(keyFormV, strconv.Itoa(f.Version)) ||
			!line(keyReport, st.Report.String()) || !line(keyVersion, strconv.FormatInt(st.Version, 10)) ||
			!line(keyAt, st.At.UTC().Format(time.RFC3339Nano)) {
			return
		}
		for ids := range held.cells {
			if !line(keyHeld, ids) {
				return
			}
		}
		yield(keySignature, sign.signature())
	}
}

// lineSigner signs the lines above the signature. Each is digested by itself, so that
// none has to be kept.
type lineSigner struct {
	digest digestFunc
	lines  []byte
}

func (s *lineSigner) add(name, text string) {
	size := binary.AppendUvarint(nil, uint64(len(name)))
	s.lines = append(s.lines, s.digest(labelLine, size, []byte(name), []byte(text))...)
}

func (s *lineSigner) signature() string { return s.digest(labelOrigin, s.lines) }
