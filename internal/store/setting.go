package store

import (
	"context"
	"errors"
	"fmt"

	"tianbao/internal/db"
)

const (
	sqlSetting       = `SELECT value FROM setting WHERE name = $1`
	sqlInsertSetting = `INSERT INTO setting (name, value) VALUES ($1, $2)`
)

// onceEver does what a database needs once, and remembers that it is done.
func (s *Store) onceEver(ctx context.Context, setting string, do func() error) error {
	var v string
	err := s.db.One(ctx, []any{&v}, sqlSetting, setting)
	if err == nil || !errors.Is(err, db.ErrNoRows) {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	_, err = s.exec(ctx, sqlInsertSetting, setting, "1")
	if db.IsUnique(err) {
		return nil // another server was faster
	}
	return err
}

// keysSetting names the fingerprint of the keys.
const keysSetting = "keys"

// KeysBound reports whether the database was written with some key file already.
// It needs no keys itself: the answer tells whether new ones may be made.
func KeysBound(ctx context.Context, d *db.DB) (bool, error) {
	var v string
	err := d.One(ctx, []any{&v}, sqlSetting, keysSetting)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store: read the keys' fingerprint: %w", err)
	}
	return true, nil
}

// BindKeys binds the database to the store's keys at the first start, and refuses
// other keys ever after: they would open nothing, and what they seal the right ones
// could not open.
func (s *Store) BindKeys(ctx context.Context) error {
	mine := s.ring.Digest("fingerprint")
	return s.db.Tx(ctx, func(tx db.Tx) error {
		var bound string
		err := tx.One(ctx, []any{&bound}, sqlSetting, keysSetting)
		if errors.Is(err, db.ErrNoRows) {
			_, err = tx.Exec(ctx, sqlInsertSetting, keysSetting, mine)
			return err
		}
		if err == nil && bound != mine {
			return errors.New("密钥文件与数据库不是一套：已存的身份证号和电话用这个密钥打不开，请把原来的密钥文件放回原处，或用 --key-file 指明它的位置")
		}
		if err == nil {
			err = s.checkNewest(ctx, tx)
		}
		return err
	})
}
