package web

import (
	"context"
	"net/http"
	"time"

	"tianbao"
	"tianbao/internal/org"
)

// Register is what the pages of the unit register list; internal/store implements it.
// Scope is applied in the query. What changes the register goes through Config.Org.
type Register interface {
	// UnitEntry returns the entry of a unit in scope, with its contact.
	UnitEntry(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.UnitEntry, error)
	// Roots returns the units at the tops of the scope.
	Roots(ctx context.Context, scope tianbao.Scope) ([]tianbao.UnitBelow, error)
	// Children returns the open units right below one, from the offset on.
	Children(ctx context.Context, scope tianbao.Scope, parent tianbao.ID, offset, limit int) ([]tianbao.UnitBelow, error)
	// Register returns all entries in scope.
	Register(ctx context.Context, scope tianbao.Scope, contacts bool) ([]tianbao.UnitEntry, int64, error)
	// UnitHistory returns what happened to an entry, the last first.
	UnitHistory(ctx context.Context, scope tianbao.Scope, unit tianbao.ID, limit int) ([]tianbao.UnitRecord, error)
	// UnitsAsOf returns the units that lay in scope at a time, as they were.
	UnitsAsOf(ctx context.Context, scope tianbao.Scope, day time.Time) ([]tianbao.Unit, error)
	// CountByRegion returns how many units of each kind lay in scope in each region.
	CountByRegion(ctx context.Context, scope tianbao.Scope, day time.Time) ([]tianbao.UnitCount, error)
	// Regions returns all regions.
	Regions(ctx context.Context) ([]tianbao.Region, error)
	// SetRegion stores what the province decides of a region.
	SetRegion(ctx context.Context, id tianbao.ID, fiscal string, inScope bool, events ...tianbao.Event) error
	// RegionMap returns the map of a province, tianbao.NotFound without one.
	RegionMap(ctx context.Context, region tianbao.ID) (tianbao.RegionMap, error)
	// PutRegionMap stores it, in place of the one that there is.
	PutRegionMap(ctx context.Context, m *tianbao.RegionMap, events ...tianbao.Event) error
	// DropRegionMap takes it away; tianbao.NotFound where there is none.
	DropRegionMap(ctx context.Context, region tianbao.ID, events ...tianbao.Event) error
	// Requests returns requests of units in scope, the newest first.
	Requests(ctx context.Context, scope tianbao.Scope, state tianbao.RequestState, before tianbao.ID, limit int) ([]tianbao.UnitRequest, error)
}

// unitRule begins the names of the rules that load the unit of the path.
const unitRule = "unit-"

// unitIn is the rule that the unit of the path lies where the viewer has the power.
func unitIn(p tianbao.Power) rule {
	return rule{name: unitRule + string(p), allow: func(s *Server, r *http.Request, v *viewer) error {
		if err := needPower(v, p); err != nil {
			if tianbao.KindOf(err) == tianbao.ErrForbidden {
				return tianbao.NotFound()
			}
			return err
		}
		id, err := pathID(r, "unit")
		if err != nil {
			return err
		}
		u := v.user()
		v.unit, err = s.Register.UnitEntry(r.Context(), u.Scope(p), id)
		return err
	}}
}

// keeper is the viewer as the register knows it.
func (v *viewer) keeper(r *http.Request, p tianbao.Power) org.Actor {
	u := v.user()
	return org.Actor{User: u.ID, From: address(r), Scope: u.Scope(p)}
}
