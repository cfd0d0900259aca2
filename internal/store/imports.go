package store

import (
	"context"
	"fmt"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/report"
	"tianbao/internal/seal"
)

// Both the cells and the name of an imported file are sealed: people name files
// after people.
func importPlace(column string, rep, id tianbao.ID) []byte {
	return seal.Place("import_record", column, rowPlace(rep, id))
}

const sqlInsertImport = `INSERT INTO import_record (report_id, id, file, digest, mode, row_count, by_id, at, raw, version)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

// sqlDropPreviews removes previews that no change set carried: they hold what a
// stranger's file said of people, and nobody will ask for it again.
const sqlDropPreviews = `DELETE FROM import_record WHERE report_id = $1 AND version = 0 AND at < $2`

// previewLife is how long a preview can still be carried, in ms: a day.
const previewLife = 24 * 60 * 60 * 1000

// PutImport implements report.Store. It also drops the report's old previews.
func (s *Store) PutImport(ctx context.Context, rec *report.ImportRecord) error {
	insert := s.importStatement(rec)
	return s.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Send(ctx, []db.Statement{{SQL: sqlDropPreviews, Args: []any{rec.Report, rec.At - previewLife}}, insert})
		return err
	})
}

// importStatement inserts a record.
func (s *Store) importStatement(rec *report.ImportRecord) db.Statement {
	file := s.ring.Seal(nil, []byte(rec.File), importPlace("file", rec.Report, rec.ID))
	raw := s.ring.Seal(nil, rec.Raw, importPlace("raw", rec.Report, rec.ID))
	return db.Statement{SQL: sqlInsertImport, Args: []any{
		rec.Report, rec.ID, file, rec.Digest, rec.Mode, rec.Rows, rec.By, rec.At, raw, rec.Version,
	}}
}

// storedImport is an import record with its sealed parts.
type storedImport struct {
	rec       report.ImportRecord
	file, raw []byte
}

const (
	importColumns = `i.report_id, i.id, i.file, i.digest, i.mode, i.row_count, i.by_id, COALESCE(p.name, ''), i.at, i.raw, i.version`
	sqlImportsOf  = `SELECT ` + importColumns + `
 FROM import_record i LEFT JOIN app_user p ON p.id = i.by_id
 WHERE i.report_id = $1 AND i.digest = $2 AND i.version > 0 ORDER BY i.id DESC`
	sqlImports = `SELECT ` + importColumns + `
 FROM import_record i LEFT JOIN app_user p ON p.id = i.by_id
 WHERE i.report_id = $1 AND i.id IN LIST ORDER BY i.id`
)

func scanImport(scan db.Scan) (st storedImport, err error) {
	r := &st.rec
	err = scan(&r.Report, &r.ID, &st.file, &r.Digest, &r.Mode, &r.Rows, &r.By, &r.ByName, &r.At, &st.raw, &r.Version)
	return st, err
}

func (s *Store) openImports(stored []storedImport) ([]report.ImportRecord, error) {
	out := make([]report.ImportRecord, len(stored))
	for i, st := range stored {
		r := st.rec
		file, err := s.ring.Open(nil, st.file, importPlace("file", r.Report, r.ID))
		if err == nil {
			r.Raw, err = s.ring.Open(nil, st.raw, importPlace("raw", r.Report, r.ID))
		}
		if err != nil {
			return nil, fmt.Errorf("store: open import %s: %w", r.ID, err)
		}
		r.File = string(file)
		out[i] = r
	}
	return out, nil
}

// ImportsOf implements report.Store.
func (s *Store) ImportsOf(ctx context.Context, rep tianbao.ID, digest string) ([]report.ImportRecord, error) {
	stored, err := db.Collect(ctx, s.db, scanImport, sqlImportsOf, rep, digest)
	if err != nil {
		return nil, err
	}
	return s.openImports(stored)
}

// Imports implements report.Store.
func (s *Store) Imports(ctx context.Context, rep tianbao.ID, ids []tianbao.ID) ([]report.ImportRecord, error) {
	var stored []storedImport
	err := listed(sqlImports, ids, []any{rep}, func(sql string, args []any) error {
		some, err := db.Collect(ctx, s.db, scanImport, sql, args...)
		stored = append(stored, some...)
		return err
	})
	if err != nil {
		return nil, err
	}
	recs, err := s.openImports(stored)
	if err != nil {
		return nil, err
	}
	for i := range recs {
		err := s.eachPiece(ctx, rep, recs[i].ID, func(plain []byte) error {
			recs[i].More = append(recs[i].More, plain)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return recs, nil
}
