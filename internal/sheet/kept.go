package sheet

import (
	"context"
	"encoding/binary"
	"errors"
)

// keptBook holds the cells of a file whose sheets lie in one stream (.ods, HTML,
// XML 2003). Such a file is read once, to its end, before any row is handed on:
// reading it anew for each sheet would let a small file cost sixty-four times its
// inflated size. Rows are kept encoded, one behind the other, about four bytes a
// cell beside its text, and all of it is taken from the budget.
type keptBook struct {
	limits *Limits
	mem    *budget
	list   []SheetInfo
	tabs   []keptSheet
	cur    int // the sheet that rows and merges go to
	from04 bool

	// What repeated rows may stand for, over all sheets. They cost nothing to
	// write, so their copies are bounded apart from what is kept.
	copies budget
	rowsN  int

	row   []byte // cells of the row being read, encoded
	cells int
	next  int // column behind the last cell of the row
}

// keptSheet is one sheet: rows in chunks, a row never in two of them.
type keptSheet struct {
	chunks [][]byte
	merges []Merge
}

const keptChunk = 64 << 10

func newKept(limits *Limits, mem *budget) *keptBook {
	return &keptBook{limits: limits, mem: mem, copies: budget{left: limits.Memory}}
}

// addSheet begins a sheet, which rows go to from now on.
func (k *keptBook) addSheet(name string, hidden bool) error {
	if len(k.list) == k.limits.Sheets {
		return errTooBig("工作簿里的工作表太多；请只保留采集表，另存为 .xlsx 后再上传。", errors.New("sheet: sheets over the limit"))
	}
	k.list = append(k.list, SheetInfo{Name: clean(name), Hidden: hidden})
	k.tabs = append(k.tabs, keptSheet{})
	k.cur = len(k.tabs) - 1
	return nil
}

// startRow begins a row.
func (k *keptBook) startRow() { k.row, k.cells, k.next = k.row[:0], 0, 0 }

// cell adds a cell behind those of the row; raw is copied. Blank cells and those
// beyond the columns looked at are passed over.
func (k *keptBook) cell(c Cell, raw []byte) error {
	if len(raw) == 0 || c.Col >= k.limits.Columns {
		return nil
	}
	if c.Col < k.next || c.Col >= maxCol {
		return errRef
	}
	if most := k.limits.CellChars*4 + 4; len(raw) > most {
		raw = raw[:most]
	}
	if k.cells == maxCol || len(k.row)+len(raw) > maxRowText {
		return errRowSize
	}
	flags := byte(c.Kind)
	if c.Formula {
		flags |= 8
	}
	if c.NumFmt.Date {
		flags |= 16
	}
	k.row = binary.AppendUvarint(k.row, uint64(c.Col-k.next))
	k.row = append(k.row, flags, c.NumFmt.Zeros)
	k.row = binary.AppendUvarint(k.row, uint64(len(raw)))
	k.row = append(k.row, raw...)
	k.next = c.Col + 1
	k.cells++
	return nil
}

// endRow keeps the row as number num, and as the repeat-1 rows behind it.
func (k *keptBook) endRow(num, repeat int, hidden bool) error {
	if k.cells == 0 {
		return nil
	}
	if num < 1 || repeat < 1 || num+repeat-1 > maxRow {
		return errRef
	}
	if k.rowsN += repeat; k.rowsN > k.limits.Rows {
		return errTooBig("行数太多，请把文件分成几个后分别上传。", errors.New("sheet: rows over the limit"))
	}
	var head [3*binary.MaxVarintLen32 + 1]byte
	h := binary.AppendUvarint(head[:0], uint64(num))
	h = binary.AppendUvarint(h, uint64(repeat))
	h = append(h, 0)
	if hidden {
		h[len(h)-1] = 1
	}
	h = binary.AppendUvarint(h, uint64(k.cells))
	size := len(h) + len(k.row)
	if err := k.mem.take(size); err != nil {
		return err
	}
	if err := k.copies.take((repeat - 1) * size); err != nil {
		return err
	}
	t := &k.tabs[k.cur]
	last := len(t.chunks) - 1
	if last < 0 || cap(t.chunks[last])-len(t.chunks[last]) < size {
		t.chunks = append(t.chunks, make([]byte, 0, max(size, keptChunk)))
		last++
	}
	t.chunks[last] = append(append(t.chunks[last], h...), k.row...)
	return nil
}

// merge keeps a merged range that touches the columns looked at.
func (k *keptBook) merge(row1, row2, col1, col2 int) error {
	if col1 >= k.limits.Columns || row1 == row2 && col1 == col2 {
		return nil
	}
	if err := k.mem.take(16); err != nil {
		return err
	}
	t := &k.tabs[k.cur]
	t.merges = append(t.merges, Merge{int32(row1), int32(min(row2, maxRow)), int16(col1), int16(min(col2, maxCol-1))})
	return nil
}

func (k *keptBook) sheets() []SheetInfo { return k.list }
func (k *keptBook) date1904() bool      { return k.from04 }

func (k *keptBook) rows(ctx context.Context, i int, fn func(*RowData) error) ([]Merge, error) {
	var row RowData
	for _, chunk := range k.tabs[i].chunks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for len(chunk) > 0 {
			repeat := 0
			chunk, repeat = decodeKept(chunk, &row)
			for n := range repeat {
				if n > 0 {
					row.Num++
				}
				if n%4096 == 4095 && ctx.Err() != nil {
					return nil, ctx.Err()
				}
				if err := fn(&row); err != nil {
					if errors.Is(err, errStop) {
						return nil, nil
					}
					return nil, err
				}
			}
		}
	}
	return k.tabs[i].merges, nil
}

// decodeKept reads back what cell and endRow wrote.
func decodeKept(b []byte, row *RowData) (rest []byte, repeat int) {
	number := func() int {
		v, n := binary.Uvarint(b)
		b = b[n:]
		return int(v)
	}
	row.Num = number()
	repeat = number()
	row.Hidden = b[0] == 1
	b = b[1:]
	row.Cells = row.Cells[:0]
	col := 0
	for range number() {
		col += number()
		flags, zeros := b[0], b[1]
		b = b[2:]
		n := number()
		row.Cells = append(row.Cells, Cell{
			Col: col, Kind: Kind(flags & 7), Formula: flags&8 != 0,
			NumFmt: NumFmt{Date: flags&16 != 0, Zeros: zeros}, Raw: b[:n:n],
		})
		b = b[n:]
		col++
	}
	return b, repeat
}

// shownZeros tells how many digits a number is padded to from the text that the
// file shows for it: 001001 for 1001.
func shownZeros(raw, shown []byte) uint8 {
	n := len(shown) - len(raw)
	if n <= 0 || len(shown) > 64 || len(raw) == 0 || !allDigits(string(shown)) || string(shown[n:]) != string(raw) {
		return 0
	}
	for _, c := range shown[:n] {
		if c != '0' {
			return 0
		}
	}
	return uint8(len(shown))
}
