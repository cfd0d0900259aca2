package check

import "tianbao"

// RowPasses is [Checker.Rows] for rows that are not kept, in two passes over them:
// note takes each row once, then second begins the other pass and gives what appends
// the problems of each row in turn.
func (c *Checker) RowPasses() (note func(*tianbao.Row), second func() func(dst []tianbao.Problem, i int, row *tianbao.Row) []tianbao.Problem) {
	keys := c.Keys()
	return keys.Add, func() func(dst []tianbao.Problem, i int, row *tianbao.Row) []tianbao.Problem {
		return keys.Stream().Row
	}
}

// Passes checks the rows of a workbook that are too many to keep, in two passes: note
// takes each row once, then second gives the function that appends the problems of
// each, in the same order. Together they find just what [Checker.Imported] finds.
func (c *Checker) Passes() (note func(*tianbao.ImportedRow), second func() func(dst []tianbao.Problem, i int, row *tianbao.ImportedRow) []tianbao.Problem) {
	keys := c.Keys()
	last, rising := 0, true // the row numbers so far
	note = func(r *tianbao.ImportedRow) {
		keys.Add(&r.Row)
		if r.Seq != "" {
			rising = rising && r.Row.Seq > last
			last = r.Row.Seq
		}
	}
	second = func() func([]tianbao.Problem, int, *tianbao.ImportedRow) []tianbao.Problem {
		stream := keys.Stream()
		var first map[string]string // by number as compared: the number as people know it
		if !rising {
			first = make(map[string]string)
		}
		return func(dst []tianbao.Problem, i int, r *tianbao.ImportedRow) []tianbao.Problem {
			start := len(dst)
			dst = stream.Row(dst, i, &r.Row)
			own := len(dst)
			if n := seqNumber(r.Seq); n != "" && first != nil {
				if number, taken := first[n]; taken {
					dst = append(dst, c.seqTaken(i, r, number))
				} else {
					first[n] = rowNumber(&r.Row, i)
				}
			}
			if r.Hidden {
				dst = append(dst, rowHidden(i, r))
			}
			if len(dst) > own {
				c.sortRow(dst[start:])
			}
			return dst
		}
	}
	return note, second
}

// seqTaken is the hint that an earlier row, known by the given number, has the row's
// number.
func (c *Checker) seqTaken(i int, r *tianbao.ImportedRow, number string) tianbao.Problem {
	return hint(i, r, c.form.SeqKey, "seq.duplicate",
		"本行的"+c.form.SeqTitle+"与第"+number+"行相同，各行仍按先后次序读入，建议重新编号。")
}

// rowHidden is the hint that the row was hidden in the workbook.
func rowHidden(i int, r *tianbao.ImportedRow) tianbao.Problem {
	return hint(i, r, "", "row.hidden", "本行在文件中是隐藏的，也已读入，如不需要请在文件中取消隐藏后删除。")
}

func hint(i int, r *tianbao.ImportedRow, field, code, message string) tianbao.Problem {
	return tianbao.Problem{Row: i, RowID: r.Row.ID, Field: field, Code: code, Severity: tianbao.SeverityHint, Message: message}
}
