package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// sealedColumn is a column that holds sealed values. Every one is listed in
// [sealedColumns]; a test holds the list against all BYTEA columns of the schema.
type sealedColumn struct {
	table, column string
	at            string   // the column in the value's place where that is another name
	keys          []string // BIGINT columns that name a row, in the order of an index
	cells         bool     // the sealed values stand inside the JSON of a row's cells
	// place names the place of the value; of a cell, that of the row.
	place func(k []int64) string
}

func sealedColumns() []sealedColumn {
	two := func(k []int64) string { return fmt.Sprintf("%d/%d", k[0], k[1]) }
	one := func(k []int64) string { return strconv.FormatInt(k[0], 10) }
	return []sealedColumn{
		{table: "report_row", column: "vals", keys: []string{"report_id", "row_id"}, cells: true, place: two},
		// A staged row is sealed for where it will stand; see [stagedRows].
		{table: stagedRows, column: "vals", keys: []string{"report_id", "staging_id", "kind", "row_id"}, cells: true, place: func(k []int64) string {
			return two([]int64{k[0], k[3]})
		}},
		{table: "change_set", column: "delta", keys: []string{"report_id", "version"}, place: two},
		{table: "receipt", column: "inserted", keys: []string{"report_id", "id"}, place: two},
		{table: "import_record", column: "file", keys: []string{"report_id", "id"}, place: two},
		{table: "import_record", column: "raw", keys: []string{"report_id", "id"}, place: two},
		{table: "piece", column: "data", keys: []string{"report_id", "of_id", "n"}, place: func(k []int64) string {
			return fmt.Sprintf("%d/%d/%d", k[0], k[1], k[2])
		}},
		{table: "draft", column: "body", keys: []string{"report_id", "user_id"}, place: two},
		{table: "unit_contact", column: "contact", keys: []string{"unit_id"}, place: one},
		{table: "unit_request", column: "wish", keys: []string{"id"}, place: one},
		{table: "unit_request", column: "remark", keys: []string{"id"}, place: one},
		{table: "campaign_rule", column: "reason", keys: []string{"id"}, place: one},
		{table: "unit_declaration", column: "reason", keys: []string{"id"}, place: one},
		{table: "unit_verdict", column: "remark", keys: []string{"id"}, place: one},
		{table: "unit_remark", column: "remark", keys: []string{"id"}, place: one},
		{table: "unit_proof", column: "name", keys: []string{"id"}, place: one},
		{table: "unit_proof", column: "data", keys: []string{"id"}, place: one},
		{table: "question", column: "asked", keys: []string{"id"}, place: one},
		{table: "question", column: "shown", keys: []string{"id"}, place: one},
		{table: "question", column: "answer", keys: []string{"id"}, place: one},
		{table: "remind_outbox", column: "body", keys: []string{"id"}, place: one},
		{table: "person_change", column: "body", keys: []string{"id"}, place: one},
		{table: "person_change", column: "remark", keys: []string{"id"}, place: one},
		{table: "legacy_list", column: "file", keys: []string{"owner_id", "version"}, place: two},
		{table: "legacy_user", column: "body", keys: []string{"id", "since"}, place: two},
		{table: "compare_decision", column: "reason", keys: []string{"id"}, place: one},
		{table: "unit_mail", column: "address", keys: []string{"unit_id"}, place: one},
		{table: "mail_message", column: "head", keys: []string{"id"}, place: one},
		{table: "mail_text", column: "data", keys: []string{"message_id"}, place: one},
		{table: "mail_sender", column: "address", keys: []string{"id"}, place: one},
		{table: "mail_reply", column: "body", keys: []string{"id"}, place: one},
		{table: "mail_reply", column: "file", keys: []string{"id"}, place: one},
		{table: "platform_account", column: "body", keys: []string{"id"}, place: one},
		{table: "platform_step", column: "body", keys: []string{"plan_id", "n"}, place: two},
		{table: "platform_held", column: "body", keys: []string{"plan_id", "n"}, place: two},
		{table: "phone_code", column: "body", keys: []string{"id"}, place: one},
		{table: "webhook", column: "body", keys: []string{"id"}, place: one},
		{table: "erasure", column: "person", keys: []string{"id"}, place: one},
		{table: "factor", column: "secret", keys: []string{"id"}, place: one},
		{table: "credential", column: "body", keys: []string{"id", "user_id"}, place: two},
		{table: "ceremony", column: "body", keys: []string{"id"}, place: one},
		{table: "app_user", column: "login", keys: []string{"id"}, place: one},
		{table: "trail", column: "personal_sealed", at: "personal", keys: []string{"id"}, place: one},
	}
}

// SealedColumns returns the sealed columns as table.column.
func SealedColumns() []string {
	var out []string
	for _, c := range sealedColumns() {
		out = append(out, c.table+"."+c.column)
	}
	return out
}

// stagedRows is read together with the report that each row is staged for, which is
// part of its place.
const stagedRows = "staged_row"

// The texts are made of these for each column, since what differs are names only.
const (
	resealFind = `SELECT KEYS, length(COLUMN) FROM TABLE
 WHERE length(COLUMN) >= $1 AND substr(COLUMN, 1, 5) <> $2 AND (KEYS) > (NEXT) ORDER BY KEYS LIMIT 200`
	resealCells = `SELECT KEYS, length(COLUMN) FROM TABLE WHERE (KEYS) > (NEXT) ORDER BY KEYS LIMIT 200`
	resealRead  = `SELECT COLUMN FROM TABLE WHERE (KEYS) = (NEXT)`
	resealSwap  = `UPDATE TABLE SET COLUMN = $1 WHERE COLUMN = $2 AND (KEYS) = (NEXT)`
	resealHeads = `SELECT substr(COLUMN, 1, 5), COUNT(*) FROM TABLE WHERE length(COLUMN) >= $1 GROUP BY 1`
	resealAll   = `SELECT COLUMN FROM TABLE`
)

// sql makes the text for the column, whose keys are the parameters from $from on.
func (c *sealedColumn) sql(text string, from int) string {
	table, keys := c.table, c.keys
	if table == stagedRows {
		if text == resealSwap {
			keys = keys[1:]
		} else {
			table = `(SELECT g.report_id, r.staging_id, r.kind, r.row_id, r.vals FROM staged_row r JOIN staging g ON g.id = r.staging_id) x`
		}
	}
	next := make([]string, len(keys))
	for i := range keys {
		next[i] = "$" + strconv.Itoa(from+i)
	}
	return strings.NewReplacer("KEYS", strings.Join(keys, ", "), "NEXT", strings.Join(next, ", "),
		"COLUMN", c.column, "TABLE", table).Replace(text)
}

func anys(k []int64) []any {
	out := make([]any, len(k))
	for i := range k {
		out[i] = k[i]
	}
	return out
}

// Resealed is what a pass of [Store.Reseal] did.
type Resealed struct {
	Values int64 // sealed anew
	Failed int64 // do not open; they stay as they are
	Lost   int64 // changed by somebody else meanwhile
}

// batchBytes bounds what is sealed anew in one transaction, batchPause is left to
// others after each.
const (
	batchBytes = 1 << 20
	batchPause = 5 * time.Millisecond
)

// Reseal goes once through all sealed values and seals with the newest key what was
// sealed with an older one, in short transactions between those of others. A value is
// replaced only where it still is what was opened, so nobody's change is lost. It can
// be stopped at any moment and begun again; it is done when a pass finds nothing.
func (s *Store) Reseal(ctx context.Context) (Resealed, error) {
	return s.ResealTelling(ctx, func(string, Resealed) {})
}

// ResealTelling is [Store.Reseal] that tells, after each short transaction, the column it is
// at and what it has done so far.
func (s *Store) ResealTelling(ctx context.Context, tell func(column string, sum Resealed)) (sum Resealed, err error) {
	for _, c := range sealedColumns() {
		next := make([]int64, len(c.keys))
		for {
			n, err := s.resealSome(ctx, &c, next, &sum)
			if err != nil {
				return sum, fmt.Errorf("store: seal %s.%s anew: %w", c.table, c.column, err)
			}
			tell(c.table+"."+c.column, sum)
			if n == 0 {
				break
			}
		}
	}
	return sum, nil
}

// found is a value that may have to be sealed anew.
type found struct {
	keys []int64
	size int64
}

// resealSome handles the values behind next, which it moves on, and returns how many
// it looked at.
func (s *Store) resealSome(ctx context.Context, c *sealedColumn, next []int64, sum *Resealed) (int, error) {
	head := s.ring.Head()
	text, args := resealCells, []any{}
	if !c.cells {
		text, args = resealFind, []any{seal.Overhead, head}
	}
	list, err := db.Collect(ctx, s.db, func(scan db.Scan) (f found, err error) {
		f.keys = make([]int64, len(c.keys))
		dest := make([]any, len(c.keys))
		for i := range f.keys {
			dest[i] = &f.keys[i]
		}
		err = scan(append(dest, &f.size)...)
		return f, err
	}, c.sql(text, len(args)+1), append(args, anys(next)...)...)
	if err != nil {
		return 0, err
	}
	var batch []db.Statement
	size := int64(0)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		var counts []int64
		err := s.db.Tx(ctx, func(tx db.Tx) (err error) {
			counts, err = tx.Send(ctx, batch)
			return err
		})
		if err != nil {
			return err
		}
		for _, n := range counts {
			sum.Values += n
			sum.Lost += 1 - n
		}
		batch, size = nil, 0
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(batchPause):
			return nil
		}
	}
	for _, f := range list {
		copy(next, f.keys)
		if size += f.size; size > batchBytes {
			if err := flush(); err != nil {
				return 0, err
			}
			size = f.size
		}
		var old []byte
		err := s.db.One(ctx, []any{&old}, c.sql(resealRead, 1), anys(f.keys)...)
		if errors.Is(err, db.ErrNoRows) {
			continue // gone since
		}
		if err != nil {
			return 0, err
		}
		fresh, err := s.resealValue(c, f.keys, old, head)
		if err != nil {
			sum.Failed++
			continue
		}
		if fresh == nil {
			continue
		}
		keys := f.keys
		if c.table == stagedRows {
			keys = keys[1:]
		}
		batch = append(batch, db.Statement{SQL: c.sql(resealSwap, 3), Args: append([]any{fresh, old}, anys(keys)...)})
	}
	return len(list), flush()
}

// resealValue returns the stored value sealed with the newest key, nil if it is.
func (s *Store) resealValue(c *sealedColumn, keys []int64, old, head []byte) ([]byte, error) {
	place := c.place(keys)
	again := func(sealed []byte, table, column string) ([]byte, error) {
		at := seal.Place(table, column, place)
		plain, err := s.ring.Open(nil, sealed, at)
		if err != nil {
			return nil, err
		}
		return s.ring.Seal(nil, plain, at), nil
	}
	if !c.cells {
		if bytes.HasPrefix(old, head) {
			return nil, nil
		}
		return again(old, c.table, cmp.Or(c.at, c.column))
	}
	var fresh []byte
	err := eachSealed(old, func(column string, sealed []byte) error {
		if bytes.HasPrefix(sealed, head) {
			return nil
		}
		anew, err := again(sealed, rowTable, column)
		if err != nil {
			return err
		}
		if fresh == nil {
			fresh = bytes.Clone(old)
		}
		// A sealed value is in the row once, by its nonce; all else stays as it is.
		fresh = bytes.Replace(fresh, appendSealed(nil, sealed), appendSealed(nil, anew), 1)
		return nil
	})
	return fresh, err
}

// eachSealed calls fn for every sealed value in the JSON of a row's cells.
func eachSealed(vals []byte, fn func(column string, sealed []byte) error) error {
	if len(vals) == 0 {
		return nil // of a staged row that goes
	}
	var j struct {
		S map[string][]byte `json:"s"`
		R []byte            `json:"r"`
	}
	if json.Unmarshal(vals, &j) != nil {
		return errors.New("store: a stored row is not readable")
	}
	for column, sealed := range j.S {
		if err := fn(column, sealed); err != nil {
			return err
		}
	}
	if len(j.R) > 0 {
		return fn(reasonsColumn, j.R)
	}
	return nil
}

// SealedBy counts the stored values by the id of the key that sealed them.
func (s *Store) SealedBy(ctx context.Context) (map[uint32]int64, error) {
	out := make(map[uint32]int64)
	for _, c := range sealedColumns() {
		var err error
		if c.cells {
			err = s.db.Each(ctx, func(scan db.Scan) error {
				var vals []byte
				if err := scan(&vals); err != nil {
					return err
				}
				return eachSealed(vals, func(_ string, sealed []byte) error {
					out[seal.KeyIDOf(sealed)]++
					return nil
				})
			}, c.sql(resealAll, 1))
		} else {
			err = s.db.Each(ctx, func(scan db.Scan) error {
				var head []byte
				var n int64
				err := scan(&head, &n)
				if err == nil && len(head) == 5 {
					out[binary.BigEndian.Uint32(head[1:])] += n
				}
				return err
			}, c.sql(resealHeads, 1), seal.Overhead)
		}
		if err != nil {
			return nil, fmt.Errorf("store: count the keys of %s.%s: %w", c.table, c.column, err)
		}
	}
	return out, nil
}

// newestSetting names the highest key id that the database was used with.
const newestSetting = "keys.newest"

const sqlUpdateSetting = `UPDATE setting SET value = $2 WHERE name = $1`

// NoteKey keeps in the database which key seals by now, with the event that tells why,
// so that a start with the key file of before the rotation is refused.
func (s *Store) NoteKey(ctx context.Context, events ...tianbao.Event) error {
	mine := strconv.FormatUint(uint64(binary.BigEndian.Uint32(s.ring.Head()[1:])), 10)
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := upsert(ctx, tx, sqlUpdateSetting, sqlInsertSetting, newestSetting, mine); err != nil {
			return err
		}
		return s.trail(ctx, tx, events...)
	})
}

// checkNewest refuses a key file that is older than what the database was used with.
func (s *Store) checkNewest(ctx context.Context, tx db.Tx) error {
	var v string
	err := tx.One(ctx, []any{&v}, sqlSetting, newestSetting)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(v, 10, 32)
	if err == nil && uint32(n) > binary.BigEndian.Uint32(s.ring.Head()[1:]) {
		return fmt.Errorf("密钥文件是轮换以前的，没有第 %d 号密钥；请放回最新的密钥文件，否则轮换以后保存的内容打不开", n)
	}
	return err
}
