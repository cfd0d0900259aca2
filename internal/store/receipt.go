package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/report"
	"tianbao/internal/seal"
)

const sqlInsertReceipt = `INSERT INTO receipt
 (report_id, id, idem_key, request_digest, kind, number, version, row_count, digest, by_name, at, inserted)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`

// insertedPlace names the place of the sender's names of new rows. They are sealed
// because nobody knows what senders use as names.
func insertedPlace(rep, receipt tianbao.ID) []byte {
	return seal.Place("receipt", "inserted", rowPlace(rep, receipt))
}

// receiptStatement stores a receipt under the idempotency key that asked for it.
func (s *Store) receiptStatement(r tianbao.Receipt, key, digest string, inserted map[string]tianbao.ID) (db.Statement, error) {
	sealed := []byte{}
	if len(inserted) > 0 {
		plain, err := json.Marshal(inserted)
		if err != nil {
			return db.Statement{}, errors.New("store: names of new rows cannot be encoded")
		}
		sealed = s.ring.Seal(nil, plain, insertedPlace(r.Report, r.ID))
	}
	return db.Statement{SQL: sqlInsertReceipt, Args: []any{
		r.Report, r.ID, key, digest, r.Kind, r.Number, r.Version, r.Rows, r.Digest, r.By, ms(r.At), sealed,
	}}, nil
}

const receiptColumns = `c.report_id, c.id, c.kind, c.number, c.version, c.row_count, c.digest, c.by_name, c.at`

func scanReceipt(scan db.Scan) (r tianbao.Receipt, err error) {
	var at int64
	err = scan(&r.Report, &r.ID, &r.Kind, &r.Number, &r.Version, &r.Rows, &r.Digest, &r.By, &at)
	r.At = when(at)
	return r, err
}

const sqlOutcome = `SELECT ` + receiptColumns + `, c.request_digest, c.inserted
 FROM receipt c WHERE c.report_id = $1 AND c.idem_key = $2`

// Outcome implements report.Store.
func (s *Store) Outcome(ctx context.Context, rep tianbao.ID, key string) (o report.Outcome, ok bool, err error) {
	var (
		at     int64
		sealed []byte
	)
	r := &o.Receipt
	err = s.db.One(ctx, []any{
		&r.Report, &r.ID, &r.Kind, &r.Number, &r.Version, &r.Rows, &r.Digest, &r.By, &at, &o.RequestDigest, &sealed,
	}, sqlOutcome, rep, key)
	if errors.Is(err, db.ErrNoRows) {
		return report.Outcome{}, false, nil
	}
	if err != nil {
		return report.Outcome{}, false, err
	}
	r.At = when(at)
	o.Inserted = make(map[string]tianbao.ID)
	if err := s.openInserted(o.Inserted, rep, r.ID, sealed); err != nil {
		return report.Outcome{}, false, err
	}
	return o, true, nil
}

// openInserted adds the names of new rows that a receipt holds.
func (s *Store) openInserted(names map[string]tianbao.ID, rep, receipt tianbao.ID, sealed []byte) error {
	if len(sealed) == 0 {
		return nil // it brought none, or they are erased
	}
	plain, err := s.ring.Open(nil, sealed, insertedPlace(rep, receipt))
	if err != nil {
		return fmt.Errorf("store: open receipt %s: %w", receipt, err)
	}
	if json.Unmarshal(plain, &names) != nil {
		return errors.New("store: stored names of new rows are not readable")
	}
	return nil
}

const sqlNamed = `SELECT c.id, c.inserted FROM change_set h
 JOIN receipt c ON c.report_id = h.report_id AND c.idem_key = h.idem_key
 WHERE h.report_id = $1 AND h.version > $2 AND h.version <= $3 AND h.by_id = $4 ORDER BY h.version`

// Named implements report.Store.
func (s *Store) Named(ctx context.Context, rep, by tianbao.ID, since, upTo int64) (map[string]tianbao.ID, error) {
	names := make(map[string]tianbao.ID)
	err := s.db.Each(ctx, func(scan db.Scan) error {
		var (
			id     tianbao.ID
			sealed []byte
		)
		if err := scan(&id, &sealed); err != nil {
			return err
		}
		return s.openInserted(names, rep, id, sealed)
	}, sqlNamed, rep, since, upTo, by)
	if err != nil {
		return nil, fmt.Errorf("store: read the names of new rows: %w", err)
	}
	return names, nil
}

const (
	sqlMarkReported = `UPDATE report SET state = $1 WHERE id = $2 AND version = $3`
)

// MarkReported implements report.Store.
func (s *Store) MarkReported(ctx context.Context, r tianbao.Receipt, key, requestDigest string, by tianbao.ID) error {
	receipt, err := s.receiptStatement(r, key, requestDigest, nil)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlMarkReported, tianbao.StateReported, r.Report, r.Version)
		if err != nil {
			return fmt.Errorf("store: mark reported: %w", err)
		}
		if n != 1 {
			return staleOrUsed(ctx, tx, r.Report, key)
		}
		var rep tianbao.Report
		if err := tx.One(ctx, []any{&rep.Campaign, &rep.Owner}, sqlReportHead, r.Report); err != nil {
			return fmt.Errorf("store: read owner: %w", err)
		}
		_, err = tx.Send(ctx, []db.Statement{receipt})
		if db.IsUnique(err) {
			return report.ErrDuplicate
		}
		if err != nil {
			return err
		}
		pass, err := s.settleReported(ctx, tx, r.Report, &rep, by)
		if err != nil {
			return err
		}
		return pass.after(ctx, tx, s.trail(ctx, tx, tianbao.Event{
			Owner: rep.Owner, At: r.At, Actor: by, What: "report", Object: r.Report.String(),
			Detail: fmt.Sprintf("version=%d rows=%d", r.Version, r.Rows),
			News:   &tianbao.News{Kind: tianbao.NewsReported, Campaign: rep.Campaign, Report: r.Report, Version: r.Version, Rows: r.Rows},
		}))
	})
}

// settleReported asks the gate for the units whose rows are reported, or reported anew, and
// settles them. Those that were reported before and have not changed are not asked.
func (s *Store) settleReported(ctx context.Context, tx db.Tx, id tianbao.ID, rep *tianbao.Report, by tianbao.ID) (*passage, error) {
	if err := s.allAnswered(ctx, tx, rep); err != nil {
		return nil, err
	}
	units, err := db.Collect(ctx, tx, func(scan db.Scan) (u tianbao.ID, err error) { return u, scan(&u) }, sqlWaitingParts, id)
	if err != nil {
		return nil, fmt.Errorf("store: read whose rows are reported: %w", err)
	}
	asked := units
	if len(asked) == 0 {
		asked = []tianbao.ID{rep.Owner}
	}
	pass, err := s.gate(ctx, tx, rep.Campaign, asked)
	if err != nil {
		return nil, err
	}
	return pass, s.settle(ctx, tx, &settling{campaign: rep.Campaign, report: id, sent: true, units: units, by: by})
}

const (
	sqlReceipt = `SELECT ` + receiptColumns + `
 FROM receipt c JOIN report r ON r.id = c.report_id JOIN unit u ON u.id = r.owner_id
 WHERE c.report_id = $1 AND c.id = $2 AND SCOPE(u.path)`
	sqlReceipts = `SELECT ` + receiptColumns + `
 FROM receipt c JOIN report r ON r.id = c.report_id JOIN unit u ON u.id = r.owner_id
 WHERE c.report_id = $1 AND SCOPE(u.path) ORDER BY c.id DESC LIMIT $2`
)

// Receipt implements report.Store.
func (s *Store) Receipt(ctx context.Context, scope tianbao.Scope, rep, id tianbao.ID) (tianbao.Receipt, error) {
	sql, args := within(sqlReceipt, scope, rep, id)
	return first(ctx, s.db, scanReceipt, sql, args...)
}

// Receipts implements report.Store. A report outside the scope is not found.
func (s *Store) Receipts(ctx context.Context, scope tianbao.Scope, rep tianbao.ID, limit int) ([]tianbao.Receipt, error) {
	if _, err := s.Report(ctx, scope, rep); err != nil {
		return nil, err
	}
	sql, args := within(sqlReceipts, scope, rep, max(limit, 0))
	return db.Collect(ctx, s.db, scanReceipt, sql, args...)
}
