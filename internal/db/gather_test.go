package db_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao/internal/db"
)

// Rows that come one after the other are written as if each came by itself.
func TestSendGathers(t *testing.T) {
	both(t, func(t *testing.T, d *db.DB) {
		const (
			insert = `INSERT INTO t (id, name, data)
 VALUES ($1, $2, $3)`
			swapped = `INSERT INTO t (name, id) VALUES ($2, $1)`
			perhaps = `INSERT INTO t (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING`
			rename  = `UPDATE t SET name = $2 WHERE id <= $1`
		)
		send := func(batch ...db.Statement) (counts []int64, err error) {
			err = d.Tx(t.Context(), func(tx db.Tx) (err error) {
				counts, err = tx.Send(t.Context(), batch)
				return err
			})
			return counts, err
		}
		name := func(n int) string { return "n" + strings.Repeat("x", n) }
		var batch []db.Statement
		want := make([]int64, 0, 100)
		for n := range 70 {
			batch, want = append(batch, db.Statement{SQL: insert, Args: []any{n, name(n), []byte{byte(n)}}}), append(want, 1)
		}
		batch, want = append(batch, db.Statement{SQL: rename, Args: []any{-1, "none"}}), append(want, 0)
		for n := 70; n < 73; n++ {
			batch, want = append(batch, db.Statement{SQL: swapped, Args: []any{n, name(n)}}), append(want, 1)
		}
		for range 2 {
			batch = append(batch, db.Statement{SQL: perhaps, Args: []any{73, name(73)}})
		}
		counts, err := send(batch...)
		if diff := cmp.Diff(append(want, 1, 0), counts); diff != "" || err != nil {
			t.Fatal(diff, err)
		}
		n := 0
		err = d.Each(t.Context(), func(scan db.Scan) error {
			var got string
			var data []byte
			if err := scan(&got, &data); err != nil {
				return err
			}
			if got != name(n) || n < 70 && !cmp.Equal(data, []byte{byte(n)}) {
				t.Errorf("row %d is %q, %v", n, got, data)
			}
			n++
			return nil
		}, `SELECT name, data FROM t ORDER BY id`)
		if n != 74 || err != nil {
			t.Errorf("%d rows, %v", n, err)
		}
		// One that is there already lets none of them stand.
		var again []db.Statement
		for n := 80; n < 85; n++ {
			again = append(again, db.Statement{SQL: insert, Args: []any{n, name(n), []byte{}}})
		}
		again[3].Args[0] = 7
		if _, err := send(again...); !db.IsUnique(err) {
			t.Errorf("twice: %v", err)
		}
		if _, err := send(again[0], db.Statement{SQL: insert, Args: []any{90}}); err == nil {
			t.Error("arguments are missing and nobody said so")
		}
		var rows int
		if err := d.One(t.Context(), []any{&rows}, `SELECT COUNT(*) FROM t`); err != nil || rows != 74 {
			t.Errorf("%d rows afterwards, %v", rows, err)
		}
	})
}
