package sheet

import (
	"context"
	"errors"
	"io"
)

// Limits bounds what a stranger's file may cost.
type Limits struct {
	Upload    int64 // bytes of the file
	Inflated  int64 // bytes out of the container, all parts together
	Ratio     int64 // inflated to packed, asked of parts above RatioFrom
	RatioFrom int64
	Entries   int // in the container
	Sheets    int
	Columns   int // looked at; what stands further right is passed over
	Rows      int // of a sheet
	Strings   int // shared strings
	CellChars int // in one cell; more is cut and said so
	// Memory bounds shared strings, kept rows and merged ranges together, in bytes.
	// It keeps a server below 300 MB whatever is sent, the collector's share included.
	Memory int64
	// HeaderRows is how far down the header is looked for.
	HeaderRows int
	// Old opens BIFF3 and BIFF4, which an import refuses and Dump shows.
	Old bool
}

// DefaultLimits returns the limits of the product.
func DefaultLimits() Limits {
	return Limits{
		Upload:     20 << 20,
		Inflated:   1 << 30,
		Ratio:      200,
		RatioFrom:  10 << 20,
		Entries:    4096,
		Sheets:     64,
		Columns:    64,
		Rows:       1 << 20,
		Strings:    8 << 20,
		CellChars:  32767,
		Memory:     96 << 20,
		HeaderRows: 30,
	}
}

// scanLimits returns the limits where no rows are kept: a full sheet of a million
// rows, and its shared strings.
func scanLimits() Limits {
	l := DefaultLimits()
	l.Upload, l.Memory = 128<<20, 192<<20
	return l
}

// errStop is what a row callback returns when it has seen enough.
var errStop = errors.New("sheet: enough")

// budget counts the memory that a file holds on to.
type budget struct{ left int64 }

func (b *budget) take(n int) error {
	b.left -= int64(n)
	if b.left < 0 {
		return errTooBig("文件内容太多，请把它分成几个文件后分别上传。", errors.New("sheet: memory limit"))
	}
	return nil
}

// meter counts inflated bytes over all parts of a container. A part that is read
// twice is charged once.
type meter struct {
	limits *Limits
	total  int64
	seen   map[string]int64
}

// meterReader counts one reading of one part, and ends it when the context ends.
type meterReader struct {
	ctx    context.Context
	r      io.Reader
	m      *meter
	part   string
	packed int64
	n      int64
}

// Read counts what was truly inflated; declared sizes are never believed.
func (c *meterReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	if over := c.n - c.m.seen[c.part]; over > 0 {
		c.m.seen[c.part] = c.n
		c.m.total += over
	}
	if c.m.over(c.n, c.m.total, c.packed) {
		return n, errInflated()
	}
	return n, err
}

// over reports whether a part of n bytes, packed from packed, or all parts together
// are beyond the limits.
func (m *meter) over(n, total, packed int64) bool {
	return total > m.limits.Inflated || n > m.limits.RatioFrom && n/m.limits.Ratio > packed
}

func errInflated() error {
	return errTooBig("文件展开后太大，可能是损坏或恶意的文件；请把内容复制到新的工作簿，另存为 .xlsx 后再上传。",
		errors.New("sheet: inflated size or ratio over the limit"))
}
