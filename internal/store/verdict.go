package store

import (
	"context"
	"fmt"
	"slices"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// What is said of units besides their rows: 零申报, 免报, and the verdicts of reviewers.

const (
	sqlEndDeclarations = `UPDATE unit_declaration SET ended = $1, ended_by = $2 WHERE campaign_id = $3 AND unit_id = $4 AND ended = 0`
	sqlDeclare         = `INSERT INTO unit_declaration (id, campaign_id, unit_id, kind, reason, attachment_id, by_id, at, ended, ended_by)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)`
	sqlDeclaration = `SELECT d.id, d.kind, d.reason, d.attachment_id, d.by_id, d.at FROM unit_declaration d
 WHERE d.campaign_id = $1 AND d.unit_id = $2 AND d.ended = 0 ORDER BY d.id DESC`
	sqlVerdicts = `SELECT v.id, v.verdict, v.level, v.last, v.remark, v.by_id, v.at FROM unit_verdict v
 WHERE v.campaign_id = $1 AND v.unit_id = $2 ORDER BY v.id DESC`
	sqlStatusLog = `SELECT l.at, l.state, l.row_count, l.faulty, l.by_id, COALESCE(p.name, '') FROM unit_status_log l
 LEFT JOIN app_user p ON p.id = l.by_id WHERE l.campaign_id = $1 AND l.unit_id = $2 ORDER BY l.at DESC, l.id DESC LIMIT $3`
)

func declarationPlace(id tianbao.ID) []byte {
	return seal.Place("unit_declaration", "reason", id.String())
}

func verdictPlace(id tianbao.ID) []byte { return seal.Place("unit_verdict", "remark", id.String()) }

// Declare implements campaign.Store.
func (s *Store) Declare(ctx context.Context, ds []tianbao.Declaration, force bool, events ...tianbao.Event) error {
	if len(ds) == 0 {
		return nil
	}
	units, kinds := make([]tianbao.ID, len(ds)), make(map[tianbao.ID]tianbao.DeclarationKind, len(ds))
	batch := make([]db.Statement, 0, 2*len(ds))
	for i := range ds {
		d := &ds[i]
		units[i], kinds[d.Unit] = d.Unit, d.Kind
		if d.Proof != nil {
			batch = append(batch, s.insertProof(d))
		}
		batch = append(batch,
			db.Statement{SQL: sqlEndDeclarations, Args: []any{ms(d.At), d.By, d.Campaign, d.Unit}},
			db.Statement{SQL: sqlDeclare, Args: []any{d.ID, d.Campaign, d.Unit, d.Kind, s.sealText(d.Reason, declarationPlace(d.ID)), d.Attachment, d.By, ms(d.At)}})
	}
	return s.again(ctx, func(tx db.Tx) error {
		if !force { // before the turn, as everybody does who is let in by the rules
			if err := tx.Hold(ctx, int64(ds[0].Campaign), true); err != nil {
				return err
			}
		}
		// The turn comes first: nobody brings rows meanwhile.
		slices.Sort(units)
		if _, err := s.takeTurns(ctx, tx, ds[0].Campaign, units); err != nil {
			return err
		}
		sums, err := sumUp(ctx, tx, ds[0].Campaign, units)
		if err != nil {
			return err
		}
		for _, u := range units {
			if sums[u].Rows > 0 {
				return tianbao.Invalid("has_rows", "这个单位已经有填报的人员，不能再作零申报或免报；确实没有的，请先删除这些行。")
			}
		}
		var pass *passage // nil: nobody asked
		if !force {
			if pass, err = s.gate(ctx, tx, ds[0].Campaign, units); err != nil {
				return err
			}
		}
		if _, err := tx.Send(ctx, batch); err != nil {
			return fmt.Errorf("store: declare: %w", err)
		}
		st := settling{campaign: ds[0].Campaign, units: units, by: ds[0].By, facts: func(u tianbao.ID, f *campaign.Facts) { f.Declared = kinds[u] }}
		if err := s.settle(ctx, tx, &st); err != nil {
			return err
		}
		return pass.after(ctx, tx, s.trail(ctx, tx, events...))
	})
}

// EndDeclaration implements campaign.Store.
func (s *Store) EndDeclaration(ctx context.Context, id, unit, by tianbao.ID, force bool, events ...tianbao.Event) error {
	return s.again(ctx, func(tx db.Tx) error {
		var pass *passage
		if !force {
			var err error
			if pass, err = s.gate(ctx, tx, id, []tianbao.ID{unit}); err != nil {
				return err
			}
		}
		n, err := tx.Exec(ctx, sqlEndDeclarations, ms(s.now()), by, id, unit)
		if err != nil {
			return err
		}
		if n == 0 {
			return tianbao.NotFound()
		}
		st := settling{campaign: id, units: []tianbao.ID{unit}, by: by, facts: func(_ tianbao.ID, f *campaign.Facts) { f.Declared = "" }}
		if err := s.settle(ctx, tx, &st); err != nil {
			return err
		}
		return pass.after(ctx, tx, s.trail(ctx, tx, events...))
	})
}

// Declaration implements campaign.Store.
func (s *Store) Declaration(ctx context.Context, id, unit tianbao.ID) (tianbao.Declaration, error) {
	return first(ctx, s.db, func(scan db.Scan) (d tianbao.Declaration, err error) {
		d.Campaign, d.Unit = id, unit
		var at int64
		var reason []byte
		if err = scan(&d.ID, &d.Kind, &reason, &d.Attachment, &d.By, &at); err != nil {
			return d, err
		}
		d.At = when(at)
		if d.Reason, err = s.openText(reason, declarationPlace(d.ID)); err != nil {
			return d, fmt.Errorf("store: open the reason of declaration %s: %w", d.ID, err)
		}
		return d, nil
	}, sqlDeclaration, id, unit)
}

// Verdicts implements campaign.Store.
func (s *Store) Verdicts(ctx context.Context, id, unit tianbao.ID) ([]tianbao.Verdict, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (v tianbao.Verdict, err error) {
		v.Campaign, v.Unit = id, unit
		var at int64
		var remark []byte
		if err = scan(&v.ID, &v.Kind, &v.Level, &v.Last, &remark, &v.By, &at); err != nil {
			return v, err
		}
		v.At = when(at)
		if v.Remark, err = s.openText(remark, verdictPlace(v.ID)); err != nil {
			return v, fmt.Errorf("store: open the remark of verdict %s: %w", v.ID, err)
		}
		return v, nil
	}, sqlVerdicts, id, unit)
}

// StandingHistory implements campaign.Store.
func (s *Store) StandingHistory(ctx context.Context, id, unit tianbao.ID, limit int) ([]campaign.Step, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (st campaign.Step, err error) {
		var at int64
		err = scan(&at, &st.State, &st.Rows, &st.Faulty, &st.By, &st.ByName)
		st.At = when(at)
		return st, err
	}, sqlStatusLog, id, unit, max(limit, 0))
}
