package sheet

import (
	"context"
	"io"
	"strings"

	"tianbao"
	"tianbao/internal/check"
)

// Head is the line of a sheet that looks most like a header.
type Head struct {
	Sheet string
	Row   int      // as the spreadsheet numbers it
	Texts []string // its texts, from the left
	// Names are the texts as [HeaderName] has them, Fields the keys of the fields that they
	// name, empty where none.
	Names, Fields []string
}

// maxHeads is how many texts of a head are told.
const maxHeads = 64

// Heads returns for each visible sheet the line among the first that has the most short
// texts, for a person to say what the columns are: whoever makes a list names them anyhow.
// Lines that hold numbers are rows already. Errors are those of [Read].
func Heads(ctx context.Context, r io.ReaderAt, size int64, name string, c *check.Checker, opt ReadOptions) ([]Head, error) {
	limits := DefaultLimits()
	mem := &budget{left: limits.Memory}
	b, err := open(ctx, r, size, name, &limits, mem, opt.Password)
	if err != nil {
		return nil, err
	}
	known := namesOf(c.Form()).with(opt.Headers)
	var out []Head
	for i, info := range b.sheets() {
		if opt.Sheet == "" && info.Hidden || opt.Sheet != "" && info.Name != opt.Sheet {
			continue
		}
		best := Head{Sheet: info.Name}
		_, err := b.rows(ctx, i, func(row *RowData) error {
			if row.Num > limits.HeaderRows {
				return errStop
			}
			if l := lineOf(row); !l.other && len(l.texts) > len(best.Texts) && !likeRow(l) {
				best.Row, best.Texts = row.Num, l.texts[:min(len(l.texts), maxHeads)]
			}
			return nil
		})
		if err != nil {
			return nil, blame("reading the workbook", err)
		}
		if len(best.Texts) > 1 {
			for _, t := range best.Texts {
				key := ""
				if f, _ := known.find(t); f >= 0 {
					key = known.form.Fields[f].Key
				}
				best.Names, best.Fields = append(best.Names, HeaderName(t)), append(best.Fields, key)
			}
			out = append(out, best)
		}
	}
	if len(out) == 0 {
		return nil, tianbao.WorkbookError("no_header", "没有找到表头；请在名单的第一行写上每一列的名称再上传。", nil)
	}
	return out, nil
}

// likeRow reports whether a line holds a text with many digits, as an id or phone number has:
// it is a row.
func likeRow(l *line) bool {
	for _, t := range l.texts {
		n := 0
		for _, r := range t {
			if r >= '0' && r <= '9' {
				n++
			}
		}
		if n >= 6 {
			return true
		}
	}
	return false
}

// HeaderName brings a header into the form in which equal ones are one.
func HeaderName(text string) string { return headerKey(strings.TrimFunc(text, isBlank)) }
