package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
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
	pgTooMany        = "53300" // connections
	pgLockTimeout    = "55P03"
	pgIdleInTx       = "25P03"
	pgUnknownOutcome = "40003"
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

// isLost reports whether an error is the connection's and not the statement's: it broke, was
// cut, or was never made, or the server is stopping or starting.
func isLost(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P0") || pg.Code == pgIdleInTx
	}
	var connect *pgconn.ConnectError // has a limit of its own
	if errors.As(err, &connect) || errors.Is(err, ErrAway) {
		return true
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false // somebody did not want to wait
	}
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) || pgconn.SafeToRetry(err)
}

// isUnsure reports whether a failed COMMIT may have been carried out all the same: the
// connection stood, and the server did not say that it took it back. pgx's SafeToRetry is no
// help: it is told of a connection that breaks while the answer is awaited, too.
func isUnsure(err error) bool {
	if errors.Is(err, pgx.ErrTxCommitRollback) {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// A server that is stopped while it waits for its replica has committed already.
		return pg.SeverityUnlocalized == "FATAL" || pg.SeverityUnlocalized == "PANIC" ||
			strings.HasPrefix(pg.Code, "08") || pg.Code == pgUnknownOutcome
	}
	return true
}

// told names an error of PostgreSQL as callers know it.
func told(err error) error {
	var pg *pgconn.PgError
	switch {
	case err == nil, errors.Is(err, ErrUnsure), errors.Is(err, ErrAway):
		return err
	case errors.As(err, &pg) && (pg.Code == pgLockTimeout || pg.Code == pgTooMany || retryable(err)):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case isLost(err):
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}
