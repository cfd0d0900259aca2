package app

import (
	"context"
	"log/slog"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/report"
	"tianbao/internal/seal"
	"tianbao/internal/store"
)

// Parts are those of an installation that a program beside the server writes through.
type Parts struct {
	Store   *store.Store
	Auth    *auth.Service
	Reports *report.Service
	// Form returns the newest version of a form.
	Form func(name string) *tianbao.Form
}

// WithParts opens the installation in a data folder, with its database in PostgreSQL where
// db names one, made if there is none, and closes it after fn.
func WithParts(ctx context.Context, data, db string, fn func(Parts) error) error {
	p, log := place{data: data, db: db, alg: seal.SM4.String()}, slog.New(slog.DiscardHandler)
	in, err := p.open(ctx, log)
	if err != nil {
		return err
	}
	defer in.close(log)
	if err := in.ensurePurpose(ctx, log); err != nil {
		return err
	}
	return fn(Parts{Store: in.store, Auth: in.auth, Reports: in.reports, Form: in.forms.Latest})
}
