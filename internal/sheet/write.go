package sheet

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/klauspost/compress/flate"

	"tianbao"
)

// WriteOptions says how a workbook is written. The zero value is 原样导出 as it is
// meant to be.
type WriteOptions struct {
	Level   int            // of deflate, 1 to 9; 0: 1, which is 12 % larger than 5 at 0.6 times its cost
	Sheet   string         // title of the sheet; empty: 采集表
	Created time.Time      // zero: not written, and the same rows give the same bytes
	Stamp   *tianbao.Stamp // with it the workbook carries its origin and can be merged back
	Rows    int            // how many rows come, if known; too many are refused before the first byte
	// SelfCheck adds formulas that find faults while the sheet is filled in: see
	// template.go. It is meant for workbooks that travel, the template above all.
	SelfCheck bool
	// Trace marks the cells with the code of the export, see trace.go; Footer stands
	// beside the page number of every printed page.
	Trace  *Trace
	Footer string
}

const defaultLevel = 1

// Write streams a workbook of the form in its fixed layout to w: title, column
// notes, letters, header, rows. No rows give the template. Memory does not depend
// on the number of rows. An error of the iterator ends it and is returned; what w
// then holds is no workbook, as a zip file without its directory cannot be opened.
//
// A cell with a mark keeps its type: a number that has lost its tail goes out as a
// number, so that a file which travels through an export still shows the fault.
func Write(w io.Writer, f *tianbao.Form, rows iter.Seq2[tianbao.Row, error], opt WriteOptions) error {
	l := layoutOf(f, opt.SelfCheck)
	l.marked = opt.Stamp != nil
	if opt.SelfCheck {
		l.self = compileSelfCheck(l)
	}
	if opt.Rows > l.maxData() {
		return errTooManyRows(l)
	}
	var st *stamper
	if opt.Stamp != nil {
		st = newStamper(opt.Stamp)
	}
	p := newPackage(w, l, opt)
	if err := p.head(); err != nil {
		return err
	}
	s, err := p.sheet()
	if err != nil {
		return err
	}
	n := 0
	for row, err := range rows {
		if err != nil {
			return fmt.Errorf("sheet: rows to export: %w", err)
		}
		if n++; n > l.maxData() {
			return errTooManyRows(l)
		}
		seq := row.Seq
		if seq <= 0 {
			seq = n
		}
		s.startRow()
		s.seq(seq, 0)
		for i := range f.Fields {
			text := ""
			if i < len(row.Values) {
				text = row.Values[i]
			}
			s.value(text, row.Mark(i), sevNone)
		}
		if l.self != nil {
			s.formula(-1, n)
		}
		if st != nil {
			s.text(st.mark(&row, len(f.Fields)), styleColumn)
		}
		s.helpers(n)
		if err := s.endRow(); err != nil {
			return err
		}
	}
	if l.self != nil {
		s.spare(n)
	}
	if err := s.end(false); err != nil {
		return err
	}
	if st != nil {
		if err := p.originSheet(originLines(f, opt.Stamp, &st.held)); err != nil {
			return err
		}
	}
	return p.close()
}

func errTooManyRows(l *layout) error {
	return errTooBig(fmt.Sprintf("行数超过一张工作表能容纳的 %d 行，请分单位导出。", l.maxData()), errors.New("sheet: rows over the limit"))
}

// pack writes the parts of a workbook one behind the other.
type pack struct {
	zip    *zip.Writer
	l      *layout
	opt    WriteOptions
	result bool // a sheet with the results stands behind the form's
}

func newPackage(w io.Writer, l *layout, opt WriteOptions) *pack {
	if opt.Level < 1 || opt.Level > 9 {
		opt.Level = defaultLevel
	}
	if opt.Sheet == "" {
		opt.Sheet = sheetTitle
	}
	z := zip.NewWriter(w)
	// Parts are written one behind the other, so one compressor, whose tables are
	// the largest thing that a small export allocates, serves them all.
	var deflate *flate.Writer
	z.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		if deflate == nil {
			var err error
			deflate, err = flate.NewWriter(out, opt.Level)
			return deflate, err
		}
		deflate.Reset(out)
		return deflate, nil
	})
	return &pack{zip: z, l: l, opt: opt}
}

// part starts a part. It bears no time, so that equal content gives equal bytes.
func (p *pack) part(name string) (io.Writer, error) {
	w, err := p.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
	if err != nil {
		return nil, fmt.Errorf("sheet: writing %s: %w", name, err)
	}
	return w, nil
}

// put writes a whole part.
func (p *pack) put(name string, body []byte) error {
	w, err := p.part(name)
	if err != nil {
		return err
	}
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("sheet: writing %s: %w", name, err)
	}
	return nil
}

func (p *pack) close() error {
	if err := p.zip.Close(); err != nil {
		return fmt.Errorf("sheet: writing the directory: %w", err)
	}
	return nil
}

// severity of a cell's worst problem, as styles count it.
type severity int

const (
	sevNone severity = iota
	sevError
	sevJustify
	sevHint
)

func severityOf(s tianbao.Severity) severity {
	switch s {
	case tianbao.SeverityError:
		return sevError
	case tianbao.SeverityJustify:
		return sevJustify
	case tianbao.SeverityHint:
		return sevHint
	}
	return sevNone
}
