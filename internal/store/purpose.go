package store

import (
	"context"
	"errors"
	"fmt"

	"tianbao"
	"tianbao/internal/db"
)

const (
	purposeColumns   = `n.version, n.at, COALESCE(p.name, ''), n.body`
	sqlPurpose       = `SELECT ` + purposeColumns + ` FROM purpose n LEFT JOIN app_user p ON p.id = n.by_id ORDER BY n.version DESC LIMIT 1`
	sqlPurposes      = `SELECT ` + purposeColumns + `, (SELECT COUNT(*) FROM purpose_yes y WHERE y.version = n.version) FROM purpose n LEFT JOIN app_user p ON p.id = n.by_id ORDER BY n.version DESC`
	sqlNewestPurpose = `SELECT COALESCE(MAX(n.version), 0) FROM purpose n`
	sqlInsertPurpose = `INSERT INTO purpose (version, at, by_id, body) VALUES ($1, $2, $3, $4)`
	sqlPurposeYes    = `SELECT y.version, y.at FROM purpose_yes y WHERE y.user_id = $1 ORDER BY y.version DESC LIMIT 1`
	sqlInsertYes     = `INSERT INTO purpose_yes (user_id, version, at) VALUES ($1, $2, $3)`
	// Both numbers at once, since every request for a sheet asks for them.
	sqlPurposeState = `SELECT COALESCE(MAX(n.version), 0), COALESCE((SELECT MAX(y.version) FROM purpose_yes y WHERE y.user_id = $1), 0) FROM purpose n`
)

func scanPurpose(scan db.Scan) (p tianbao.Purpose, err error) {
	var at int64
	err = scan(&p.Version, &at, &p.By, &p.Text)
	p.At = when(at)
	return p, err
}

// Purpose implements web.Purposes.
func (s *Store) Purpose(ctx context.Context) (tianbao.Purpose, error) {
	p, err := first(ctx, s.db, scanPurpose, sqlPurpose)
	if tianbao.KindOf(err) == tianbao.ErrNotFound {
		return tianbao.Purpose{}, nil
	}
	return p, err
}

// Purposes implements web.Purposes.
func (s *Store) Purposes(ctx context.Context) ([]tianbao.Purpose, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (p tianbao.Purpose, err error) {
		var at int64
		err = scan(&p.Version, &at, &p.By, &p.Text, &p.Yes)
		p.At = when(at)
		return p, err
	}, sqlPurposes)
}

// PublishPurpose implements web.Purposes. The event bears the text's keyed digest, so
// that the trail shows what the version said.
func (s *Store) PublishPurpose(ctx context.Context, text string, e tianbao.Event) (version int, err error) {
	e.What, e.At = "purpose.publish", s.now()
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		if err := tx.One(ctx, []any{&version}, sqlNewestPurpose); err != nil {
			return err
		}
		version++
		if _, err := tx.Exec(ctx, sqlInsertPurpose, version, ms(e.At), e.Actor, text); err != nil {
			return err
		}
		e.Object = fmt.Sprint(version)
		e.Detail = "text=" + s.ring.Digest("purpose", []byte(text))[:32]
		return s.trail(ctx, tx, e)
	})
	if db.IsUnique(err) {
		return 0, &tianbao.Error{Kind: tianbao.ErrConflict, Code: "purpose_raced", Message: "刚才别人发布了新的一版，请先看过再发布。"}
	}
	return version, err
}

// PurposeYes implements web.Purposes.
func (s *Store) PurposeYes(ctx context.Context, user tianbao.ID) (yes tianbao.Purpose, err error) {
	var at int64
	err = s.db.One(ctx, []any{&yes.Version, &at}, sqlPurposeYes, user)
	if errors.Is(err, db.ErrNoRows) {
		return tianbao.Purpose{}, nil
	}
	yes.At = when(at)
	return yes, err
}

// AgreeToPurpose implements web.Purposes. Saying it twice is once.
func (s *Store) AgreeToPurpose(ctx context.Context, version int, e tianbao.Event) error {
	e.What, e.At, e.Object = "purpose.agree", s.now(), fmt.Sprint(version)
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		var newest, agreed int
		if err := tx.One(ctx, []any{&newest, &agreed}, sqlPurposeState, e.Actor); err != nil {
			return err
		}
		if version != newest || version < 1 {
			return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "purpose_version", Message: "告知书已经换了新的一版，请重新阅读后再表示同意。"}
		}
		if agreed == version {
			return nil
		}
		if _, err := tx.Exec(ctx, sqlInsertYes, e.Actor, version, ms(e.At)); err != nil {
			return err
		}
		return s.trail(ctx, tx, e)
	})
	if db.IsUnique(err) {
		return nil // said twice at once
	}
	return err
}
