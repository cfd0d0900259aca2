package web

import (
	"context"

	"tianbao"
)

// Catalog is what the pages list besides rows: campaigns, reports, units.
// internal/store implements it. Scope is applied in the query.
type Catalog interface {
	// Campaigns returns the released campaigns, newest first.
	Campaigns(ctx context.Context) ([]tianbao.Campaign, error)
	// Campaign returns one released campaign.
	Campaign(ctx context.Context, id tianbao.ID) (tianbao.Campaign, error)
	// Reports returns the reports of a campaign whose owner lies in scope, in the
	// order of the unit tree, together with units that have none yet (ID 0), from
	// the offset on; q filters by name or code.
	Reports(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, q string, offset, limit int) ([]tianbao.Report, error)
	// OpenReport returns the unit's report in the campaign, made if there is none.
	OpenReport(ctx context.Context, scope tianbao.Scope, campaign, unit tianbao.ID) (tianbao.Report, error)
	// Unit returns a unit in scope.
	Unit(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.Unit, error)
	// Units returns units in scope by name or code, for pickers.
	Units(ctx context.Context, scope tianbao.Scope, q string, limit int) ([]tianbao.Unit, error)
	// SearchUnits returns units in scope whose code, name or pinyin initials hold q, the
	// best first; without q the first of the tree.
	SearchUnits(ctx context.Context, scope tianbao.Scope, q string, limit int) ([]tianbao.Unit, error)
	// FindUnit returns the unit with the given id, organisation code or budget code,
	// whatever the scope: administrators grant roles over any unit. A code that
	// several units bear is tianbao.ErrInvalid.
	FindUnit(ctx context.Context, key string) (tianbao.Unit, error)
	// Versions returns how far the given reports have come, whatever the scope; the
	// caller has checked it.
	Versions(ctx context.Context, reports []tianbao.ID) (map[tianbao.ID]tianbao.Version, error)
	// Ready reports whether the database answers.
	Ready(ctx context.Context) error
}

// Drafts keeps what people have filled in and not submitted. internal/store implements it.
type Drafts interface {
	// PutDraft stores the draft, replacing the person's earlier one of the report.
	PutDraft(ctx context.Context, d tianbao.Draft) error
	// Draft returns the person's draft of the report, tianbao.NotFound without one.
	Draft(ctx context.Context, report, user tianbao.ID) (tianbao.Draft, error)
	// DropDraft removes it; removing none is no error.
	DropDraft(ctx context.Context, report, user tianbao.ID) error
	// DraftSpent reports whether a draft of this name was saved, by whomever.
	DraftSpent(ctx context.Context, report tianbao.ID, name string) (bool, error)
}
