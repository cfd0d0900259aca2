package sheet

import (
	"encoding/binary"
	"errors"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// macEurope is the upper half of code page 10029, Central Europe on the Macintosh,
// which the library of encodings lacks.
const macEurope = "ÄĀāÉĄÖÜáąČäčĆćéŹźĎíďĒēĖóėôöõúĚěü†°Ę£§•¶ß®©™ę¨≠ģĮįĪ≤≥īĶ∂∑łĻļĽľĹĺŅ" +
	"ņŃ¬√ńŇ∆«»…\u00a0ňŐÕőŌ–—“”‘’÷◊ōŔŕŘ‹›řŖŗŠ‚„šŚśÁŤťÍŽžŪÓÔūŮÚůŰűŲųÝýķŻŁżĢˇ"

// codePage returns the decoder of a code page; nil for one that is not known,
// whose characters beyond ASCII then are seen to be lost.
func codePage(n uint16) *encoding.Decoder {
	var e encoding.Encoding
	switch n {
	case 936, 54936:
		e = simplifiedchinese.GB18030
	case 437:
		e = charmap.CodePage437
	case 850:
		e = charmap.CodePage850
	case 852:
		e = charmap.CodePage852
	case 866:
		e = charmap.CodePage866
	case 874:
		e = charmap.Windows874
	case 1250:
		e = charmap.Windows1250
	case 1251:
		e = charmap.Windows1251
	case 1252, 32769:
		e = charmap.Windows1252
	case 1253:
		e = charmap.Windows1253
	case 1254:
		e = charmap.Windows1254
	case 1255:
		e = charmap.Windows1255
	case 1256:
		e = charmap.Windows1256
	case 1257:
		e = charmap.Windows1257
	case 1258:
		e = charmap.Windows1258
	case 10000, 32768:
		e = charmap.Macintosh
	case 10007:
		e = charmap.MacintoshCyrillic
	default:
		return nil
	}
	return e.NewDecoder()
}

// appendBytes decodes bytes in the workbook's code page.
func (b *biffBook) appendBytes(dst, raw []byte) []byte {
	if ascii(raw) {
		return append(dst, raw...)
	}
	if b.mac {
		upper := []rune(macEurope)
		for _, c := range raw {
			r := rune(c)
			if c >= utf8.RuneSelf {
				r = upper[c-utf8.RuneSelf]
			}
			dst = utf8.AppendRune(dst, r)
		}
		return dst
	}
	if b.page != nil {
		b.page.Reset()
		if s, err := b.page.Bytes(raw); err == nil {
			return append(dst, s...)
		}
	}
	for _, c := range raw {
		if c < utf8.RuneSelf {
			dst = append(dst, c)
		} else {
			dst = utf8.AppendRune(dst, utf8.RuneError)
		}
	}
	return dst
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// appendUnits decodes n characters of BIFF8: the low bytes of UTF-16, or all of it.
// raw holds them.
func appendUnits(dst, raw []byte, wide bool) []byte {
	if !wide {
		if ascii(raw) {
			return append(dst, raw...)
		}
		for _, c := range raw {
			dst = utf8.AppendRune(dst, rune(c))
		}
		return dst
	}
	for i := 0; i+1 < len(raw); i += 2 {
		r := rune(binary.LittleEndian.Uint16(raw[i:]))
		switch {
		case r < utf8.RuneSelf:
			dst = append(dst, byte(r))
			continue
		case utf16.IsSurrogate(r):
			low := rune(0)
			if i+3 < len(raw) {
				low = rune(binary.LittleEndian.Uint16(raw[i+2:]))
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				i += 2
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// shortOrLong reads the string of a record: its length in one byte, or two if long.
func (b *biffBook) shortOrLong(body []byte, long bool) ([]byte, error) {
	head := 1
	if long {
		head = 2
	}
	if len(body) < head {
		return nil, errBIFFForm
	}
	n := int(body[0])
	if long {
		n = int(binary.LittleEndian.Uint16(body))
	}
	return b.chars(nil, body[head:], n)
}

// chars decodes n characters at the beginning of body.
func (b *biffBook) chars(dst, body []byte, n int) ([]byte, error) {
	if n == 0 {
		return dst, nil
	}
	if !b.eight {
		if len(body) < n {
			return nil, errBIFFForm
		}
		return b.appendBytes(dst, body[:n]), nil
	}
	if len(body) < 1 {
		return nil, errBIFFForm
	}
	wide := body[0]&1 != 0
	body = body[1:]
	if wide {
		n *= 2
	}
	if len(body) < n {
		return nil, errBIFFForm
	}
	return appendUnits(dst, body[:n], wide), nil
}

// pieces reads what a record and the CONTINUE records behind it hold.
type pieces struct {
	b    *biffBook
	body []byte // rest of the current record
	next int    // offset of the following record
}

// errPieces is the end of the last CONTINUE record.
var errPieces = errors.New("biff: string runs over its records")

// more goes on to the next CONTINUE record.
func (p *pieces) more() error {
	if p.next >= len(p.b.data) {
		return errPieces
	}
	id, body, next, err := p.b.record(p.next)
	if err != nil {
		return err
	}
	if id != recContinue {
		return errPieces
	}
	p.body, p.next = body, next
	return nil
}

// uint reads a number of size bytes; it may be cut anywhere.
func (p *pieces) uint(size int) (int, error) {
	v := 0
	for i := range size {
		for len(p.body) == 0 {
			if err := p.more(); err != nil {
				return 0, err
			}
		}
		v |= int(p.body[0]) << (8 * i)
		p.body = p.body[1:]
	}
	return v, nil
}

// skip passes over n bytes.
func (p *pieces) skip(n int) error {
	for n > len(p.body) {
		n -= len(p.body)
		if err := p.more(); err != nil {
			return err
		}
	}
	p.body = p.body[n:]
	return nil
}

// text reads n characters. Where they cross into another record, that record
// begins with a flag byte of its own, and the width may change; a pair of
// surrogates may be cut there too.
func (p *pieces) text(dst []byte, n int, wide bool) ([]byte, error) {
	var pair [4]byte
	held := false // the first half of a pair
	for {
		size := 1
		if wide {
			size = 2
		}
		k := min(n, len(p.body)/size)
		piece := p.body[:k*size]
		p.body = p.body[k*size:]
		n -= k
		if held && len(piece) > 0 {
			held = false
			if wide {
				copy(pair[2:], piece)
				piece = piece[2:]
				dst = appendUnits(dst, pair[:], true)
			} else {
				dst = utf8.AppendRune(dst, utf8.RuneError)
			}
		}
		if last := len(piece) - 2; wide && n > 0 && last >= 0 && piece[last+1]&0xFC == 0xD8 {
			held = true
			copy(pair[:], piece[last:])
			piece = piece[:last]
		}
		if dst = appendUnits(dst, piece, wide); n == 0 {
			return dst, nil
		}
		if err := p.more(); err != nil {
			return nil, err
		}
		if len(p.body) > 0 {
			wide = p.body[0]&1 != 0
			p.body = p.body[1:]
		}
	}
}

// readSST reads the shared strings and returns the offset behind them. The counts
// in its head are not believed: strings are read until the records end.
func (b *biffBook) readSST(body []byte, next int) (int, error) {
	p := &pieces{b, body, next}
	if _, err := p.uint(4); err != nil {
		return 0, err
	}
	declared, err := p.uint(4)
	if err != nil {
		return 0, err
	}
	var buf []byte
	for {
		for len(p.body) == 0 {
			if err := p.more(); errors.Is(err, errPieces) {
				return p.next, nil
			} else if err != nil {
				return 0, err
			}
		}
		if buf, err = p.richString(buf[:0]); err != nil {
			if b.sst.n >= declared && errors.Is(err, errPieces) {
				return p.next, nil // padding behind the last string
			}
			return 0, err
		}
		if b.sst.n >= b.limits.Strings {
			return 0, errTooBig("文件里的文字太多，请把它分成几个文件后分别上传。", errors.New("sheet: strings over the limit"))
		}
		if err := b.mem.take(len(buf) + 8); err != nil {
			return 0, err
		}
		b.sst.add(buf)
	}
}

// richString reads an XLUnicodeRichExtendedString ([MS-XLS] §2.5.293); the runs of
// its formatting and the phonetic guide are passed over.
func (p *pieces) richString(dst []byte) ([]byte, error) {
	n, err := p.uint(2)
	if err != nil {
		return nil, err
	}
	flags, err := p.uint(1)
	if err != nil {
		return nil, err
	}
	rest := 0
	if flags&8 != 0 {
		runs, err := p.uint(2)
		if err != nil {
			return nil, err
		}
		rest += 4 * runs
	}
	if flags&4 != 0 {
		ext, err := p.uint(4)
		if err != nil {
			return nil, err
		}
		rest += ext
	}
	if dst, err = p.text(dst, n, flags&1 != 0); err != nil {
		return nil, err
	}
	return dst, p.skip(rest)
}
