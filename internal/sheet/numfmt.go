package sheet

import (
	"context"
	"strconv"
	"strings"
)

// maxStyles bounds the cell formats of a workbook; Excel's own limit is 65,490.
const maxStyles = 1 << 16

// readStyles gives the meaning of each cell style's number format.
func readStyles(ctx context.Context, c *container, name string) ([]NumFmt, error) {
	p, err := c.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer p.close()
	custom := make(map[int]NumFmt)
	var out []NumFmt
	inFmts, inXfs := false, false
	for {
		tok, err := p.next()
		if err != nil {
			return nil, err
		}
		switch tok {
		case tokEOF:
			return out, nil
		case tokStart:
			switch string(p.name) {
			case "numFmts":
				inFmts = !p.closed
			case "cellXfs":
				inXfs = !p.closed
			case "numFmt":
				if code, ok := p.attr("formatCode"); ok && inFmts && len(custom) < maxStyles {
					custom[p.number("numFmtId")] = parseNumFmt(code)
				}
			case "xf":
				if inXfs && len(out) < maxStyles {
					id := p.number("numFmtId")
					f, ok := custom[id]
					if !ok {
						f = builtinFmt(id)
					}
					out = append(out, f)
				}
			}
		case tokEnd:
			switch string(p.name) {
			case "numFmts":
				inFmts = false
			case "cellXfs":
				inXfs = false
			}
		}
	}
}

// number returns an attribute as a number, 0 when it is none.
func (s *scanner) number(name string) int {
	v, _ := s.attr(name)
	n, _ := strconv.Atoi(v)
	return n
}

// builtinFmt gives the meaning of the formats that files name by number only
// (ECMA-376 part 1 §18.8.30); 27–36 and 50–58 are dates of the Chinese, Japanese
// and Korean editions.
func builtinFmt(id int) NumFmt {
	return NumFmt{Date: id >= 14 && id <= 22 || id >= 27 && id <= 36 || id >= 45 && id <= 47 || id >= 50 && id <= 58}
}

// parseNumFmt reads a format code: a date shows a part of a date or time outside
// quotes and brackets; a padding format consists of zeros alone.
func parseNumFmt(code string) NumFmt {
	section := code
	if i := strings.IndexByte(code, ';'); i >= 0 && !strings.Contains(code[:i], `"`) {
		section = code[:i]
	}
	if n := len(section); n >= 2 && n <= 64 && strings.Trim(section, "0") == "" {
		return NumFmt{Zeros: uint8(n)}
	}
	if strings.EqualFold(section, "general") {
		return NumFmt{}
	}
	for i := 0; i < len(section); i++ {
		switch section[i] {
		case '"':
			k := strings.IndexByte(section[i+1:], '"')
			if k < 0 {
				return NumFmt{}
			}
			i += k + 1
		case '[':
			k := strings.IndexByte(section[i:], ']')
			if k < 0 {
				return NumFmt{}
			}
			switch strings.ToLower(section[i+1 : i+k]) {
			case "h", "hh", "m", "mm", "s", "ss":
				return NumFmt{Date: true} // elapsed time
			}
			i += k
		case '\\', '_', '*':
			i++ // the next character is literal
		case 'y', 'Y', 'm', 'M', 'd', 'D', 'h', 'H', 's', 'S':
			return NumFmt{Date: true}
		}
	}
	return NumFmt{}
}
