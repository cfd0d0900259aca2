package backup

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// batch is how many rows are sent to the database at once.
const batch = 500

// Reader reads a backup.
type Reader struct {
	// Head is what the backup tells of itself.
	Head Head
	r    *bufio.Reader
	z    *zstd.Decoder
}

// NewReader reads the head of a backup. Its errors wrap [ErrFormat] or [ErrKey], or are
// those of r. The reader must be closed.
func NewReader(r io.Reader, s Sealer) (*Reader, error) {
	sealed, err := newSealReader(r, s)
	if err != nil {
		return nil, err
	}
	// One goroutine and a window that the writer never exceeds: memory is bounded.
	z, err := zstd.NewReader(sealed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(seal.PieceSize))
	if err != nil {
		return nil, err
	}
	x := &Reader{r: bufio.NewReaderSize(z, 1<<16), z: z}
	kind, err := x.r.ReadByte()
	if err == nil && kind != recHead {
		err = ErrFormat
	}
	if err == nil {
		err = readJSON(x.r, &x.Head)
	}
	if err != nil {
		z.Close()
		return nil, broken(err)
	}
	return x, nil
}

// Close frees what reading holds; what is read from stays open.
func (x *Reader) Close() { x.z.Close() }

// Verify reads the backup to its end and returns what it holds, if every piece is whole
// and every table is what it was when it was written.
func (x *Reader) Verify() (*Summary, error) {
	return x.each(func(*db.Table) error { return nil }, func([]any) error { return nil })
}

// each calls table for every table and row for each of its rows.
func (x *Reader) each(table func(*db.Table) error, row func([]any) error) (*Summary, error) {
	sum := &Summary{Schema: x.Head.Schema}
	for {
		kind, err := x.r.ReadByte()
		if err != nil {
			return nil, broken(err)
		}
		switch kind {
		case recTable:
			t, err := x.table(table, row)
			if err != nil {
				return nil, err
			}
			sum.Tables = append(sum.Tables, t)
		case recAll:
			var told Summary
			if err := readJSON(x.r, &told); err != nil {
				return nil, err
			}
			sum.sign()
			if told.Schema != sum.Schema || told.Digest != sum.Digest || !slices.Equal(told.Tables, sum.Tables) {
				return nil, fmt.Errorf("the digests differ: %w", ErrFormat)
			}
			if _, err := x.r.ReadByte(); err != io.EOF { //nolint:errorlint // bufio gives it bare; another error is not the end
				return nil, broken(fmt.Errorf("more after the end: %w", ErrFormat))
			}
			return sum, nil
		default:
			return nil, fmt.Errorf("a record of kind %q: %w", kind, ErrFormat)
		}
	}
}

func (x *Reader) table(table func(*db.Table) error, row func([]any) error) (TableSum, error) {
	var t db.Table
	if err := readJSON(x.r, &t); err != nil {
		return TableSum{}, err
	}
	if err := usable(&t); err != nil {
		return TableSum{}, err
	}
	if err := table(&t); err != nil {
		return TableSum{}, err
	}
	sum := newTableHash(&t)
	var buf []byte
	for {
		kind, err := x.r.ReadByte()
		if err != nil {
			return TableSum{}, broken(err)
		}
		switch kind {
		case recRow:
			vals, err := readRow(x.r, t.Columns)
			if err != nil {
				return TableSum{}, err
			}
			buf = appendRow(buf[:0], vals)
			sum.row(buf)
			if err := row(vals); err != nil {
				return TableSum{}, err
			}
		case recEnd:
			var told TableSum
			if err := readJSON(x.r, &told); err != nil {
				return TableSum{}, err
			}
			got := sum.end()
			if told != got {
				return TableSum{}, fmt.Errorf("%s is not what it was: %w", t.Name, ErrFormat)
			}
			return got, nil
		default:
			return TableSum{}, fmt.Errorf("a record of kind %q: %w", kind, ErrFormat)
		}
	}
}

// usable holds names that go into statements to what a name may be.
func usable(t *db.Table) error {
	names := []string{t.Name}
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	for _, n := range names {
		if n == "" || strings.Trim(n, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return fmt.Errorf("a name %q: %w", n, ErrFormat)
		}
	}
	if len(t.Columns) == 0 || len(t.Columns) > maxColumns {
		return fmt.Errorf("%d columns: %w", len(t.Columns), ErrFormat)
	}
	return nil
}

// Restore writes the backup into a database of the same schema, in one transaction:
// everything or nothing. Whatever stood there is deleted, so the caller makes sure that
// it is a database nobody has used. open is called anew each time the engine asks for the
// transaction again.
//
// It returns what the database then holds, which was read back and is the same as what
// the backup held.
func Restore(ctx context.Context, d *db.DB, open func() (*Reader, error)) (*Summary, error) {
	var want *Summary
	err := d.Tx(ctx, func(tx db.Tx) error {
		r, err := open()
		if err != nil {
			return err
		}
		defer r.Close()
		schema, err := db.SchemaVersion(ctx, tx)
		if err != nil {
			return err
		}
		if schema != r.Head.Schema {
			return fmt.Errorf("backup: of schema %d, the database is of %d", r.Head.Schema, schema)
		}
		tables, err := d.Catalog(ctx, tx)
		if err != nil {
			return err
		}
		for _, t := range tables { // the rows that the migrations write themselves
			if _, err := tx.Exec(ctx, "DELETE FROM "+t.Name); err != nil {
				return err
			}
		}
		w := &inserter{ctx: ctx, tx: tx}
		want, err = r.each(w.table, w.row)
		if err != nil {
			return err
		}
		return w.flush()
	})
	if err != nil {
		return nil, err
	}
	got, err := Sum(ctx, d)
	if err != nil {
		return nil, err
	}
	if diff := want.Differences(got); len(diff) > 0 {
		return nil, fmt.Errorf("backup: written, but read back otherwise: %s", strings.Join(diff, ", "))
	}
	return got, nil
}

// inserter sends rows in batches.
type inserter struct {
	ctx  context.Context
	tx   db.Tx
	sql  string
	todo []db.Statement
}

func (w *inserter) table(t *db.Table) error {
	w.sql = t.Insert()
	return nil
}

func (w *inserter) row(vals []any) error {
	w.todo = append(w.todo, db.Statement{SQL: w.sql, Args: vals})
	if len(w.todo) < batch {
		return nil
	}
	return w.flush()
}

func (w *inserter) flush() error {
	if len(w.todo) == 0 {
		return nil
	}
	_, err := w.tx.Send(w.ctx, w.todo)
	w.todo = w.todo[:0]
	return err
}
