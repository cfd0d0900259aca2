package db

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"zombiezen.com/go/sqlite"
)

// The SQLSTATEs that matter here.
const (
	pgUnique         = "23505"
	pgSerialization  = "40001"
	pgDeadlock       = "40P01"
	pgDuplicateTable = "42P07"
	pgDiskFull       = "53100"
)

// IsUnique reports whether a statement failed because it would have broken a
// primary key or another unique constraint.
func IsUnique(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == pgUnique
	}
	switch sqlite.ErrCode(err) {
	case sqlite.ResultConstraintUnique, sqlite.ResultConstraintPrimaryKey, sqlite.ResultConstraintRowID:
		return true
	}
	return false
}

// IsFull reports whether a statement or commit failed because the disk has no space.
// Nothing of its transaction is left then.
func IsFull(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == pgDiskFull
	}
	return err != nil && sqlite.ErrCode(err).ToPrimary() == sqlite.ResultFull
}

// retryable reports whether PostgreSQL asks to run the transaction again.
func retryable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == pgSerialization || pg.Code == pgDeadlock)
}
