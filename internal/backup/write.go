package backup

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// Summary is what a database holds: the same from a database and from each of its copies,
// whatever the engine.
type Summary struct {
	// Schema is the number of the newest migration.
	Schema int64      `json:"schema"`
	Tables []TableSum `json:"tables"`
	// Digest is the SHA-256 over the tables' digests, in hex.
	Digest string `json:"digest"`
}

// TableSum is what a table holds.
type TableSum struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
	// Digest is the SHA-256 over the columns and the rows in the order of the key, in hex.
	Digest string `json:"digest"`
}

// Rows is how many rows there are in all tables.
func (s *Summary) Rows() (n int64) {
	for _, t := range s.Tables {
		n += t.Rows
	}
	return n
}

// Differences names the tables that are not the same in another summary.
func (s *Summary) Differences(o *Summary) (out []string) {
	theirs := make(map[string]TableSum, len(o.Tables))
	for _, t := range o.Tables {
		theirs[t.Name] = t
	}
	for _, t := range s.Tables {
		if theirs[t.Name] != t {
			out = append(out, t.Name)
		}
		delete(theirs, t.Name)
	}
	for _, t := range o.Tables {
		if _, left := theirs[t.Name]; left {
			out = append(out, t.Name)
		}
	}
	return out
}

func (s *Summary) sign() {
	h := sha256.New()
	for _, t := range s.Tables {
		_, _ = fmt.Fprintf(h, "%s %d %s\n", t.Name, t.Rows, t.Digest) // never fails (hash.Hash)
	}
	s.Digest = hex.EncodeToString(h.Sum(nil))
}

// Head is what a backup tells of itself.
type Head struct {
	// At is when it was taken, in UTC.
	At time.Time `json:"at"`
	// Schema is the number of the newest migration of the database.
	Schema int64 `json:"schema"`
}

// Write writes a backup of the database, as of one moment.
func Write(ctx context.Context, d *db.DB, s Sealer, w io.Writer, at time.Time) (*Summary, error) {
	sealed, err := newSealWriter(w, s)
	if err != nil {
		return nil, err
	}
	z, err := zstd.NewWriter(sealed, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(seal.PieceSize))
	if err != nil {
		return nil, err
	}
	sum, err := walk(ctx, d, &out{w: z}, at)
	if err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return sum, sealed.Close()
}

// Sum returns what the database holds at this moment.
func Sum(ctx context.Context, d *db.DB) (*Summary, error) {
	return walk(ctx, d, &out{w: io.Discard}, time.Time{})
}

// out gathers records into larger writes.
type out struct {
	w   io.Writer
	buf []byte
}

func (o *out) flush(limit int) error {
	if len(o.buf) <= limit {
		return nil
	}
	_, err := o.w.Write(o.buf)
	o.buf = o.buf[:0]
	return err
}

func (o *out) json(kind byte, v any) (err error) {
	o.buf, err = appendJSON(o.buf, kind, v)
	return err
}

// walk reads all tables in one read transaction.
func walk(ctx context.Context, d *db.DB, o *out, at time.Time) (*Summary, error) {
	sum := &Summary{}
	err := d.Read(ctx, func(q db.Queryer) error {
		tables, err := d.Catalog(ctx, q)
		if err != nil {
			return err
		}
		if sum.Schema, err = db.SchemaVersion(ctx, q); err != nil {
			return err
		}
		if err := o.json(recHead, Head{At: at.UTC(), Schema: sum.Schema}); err != nil {
			return err
		}
		for i := range tables {
			t, err := walkTable(ctx, q, &tables[i], o)
			if err != nil {
				return fmt.Errorf("%s: %w", tables[i].Name, err)
			}
			sum.Tables = append(sum.Tables, t)
		}
		sum.sign()
		if err := o.json(recAll, sum); err != nil {
			return err
		}
		return o.flush(0)
	})
	if err != nil {
		return nil, err
	}
	return sum, nil
}

func walkTable(ctx context.Context, q db.Queryer, t *db.Table, o *out) (TableSum, error) {
	sum := newTableHash(t)
	if err := o.json(recTable, t); err != nil {
		return TableSum{}, err
	}
	vals := places(t.Columns)
	err := q.Each(ctx, func(scan db.Scan) error {
		if err := scan(vals...); err != nil {
			return err
		}
		o.buf = append(o.buf, recRow)
		from := len(o.buf)
		o.buf = appendRow(o.buf, vals)
		sum.row(o.buf[from:])
		return o.flush(1 << 16)
	}, t.Select())
	if err != nil {
		return TableSum{}, err
	}
	got := sum.end()
	return got, o.json(recEnd, got)
}

// tableHash makes the digest of a table.
type tableHash struct {
	h   hash.Hash
	sum TableSum
}

func newTableHash(t *db.Table) *tableHash {
	x := &tableHash{h: sha256.New(), sum: TableSum{Name: t.Name}}
	for _, c := range t.Columns {
		_, _ = fmt.Fprintf(x.h, "%s %c\n", c.Name, c.Type) // never fails (hash.Hash)
	}
	return x
}

func (x *tableHash) row(b []byte) {
	x.sum.Rows++
	var size [binary.MaxVarintLen64]byte
	_, _ = x.h.Write(size[:binary.PutUvarint(size[:], uint64(len(b)))]) // never fails (hash.Hash)
	_, _ = x.h.Write(b)
}

func (x *tableHash) end() TableSum {
	x.sum.Digest = hex.EncodeToString(x.h.Sum(nil))
	return x.sum
}
