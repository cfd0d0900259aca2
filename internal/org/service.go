package org

import (
	"context"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// Store keeps the register; internal/store implements it. Scope is applied in the query.
type Store interface {
	// Register returns the entries in scope in the order of the tree, closed ones too,
	// and the version of the register.
	Register(ctx context.Context, scope tianbao.Scope, contacts bool) ([]tianbao.UnitEntry, int64, error)
	// UnitEntry returns one entry with its contact.
	UnitEntry(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.UnitEntry, error)
	// Regions returns all regions.
	Regions(ctx context.Context) ([]tianbao.Region, error)
	// ChangeRegister carries out changes whole or not at all; tianbao.ErrConflict when the
	// register is not at the version any more that they were planned from.
	ChangeRegister(ctx context.Context, rc *tianbao.RegisterChange) error
	// PutRequest stores a request of a unit in scope.
	PutRequest(ctx context.Context, scope tianbao.Scope, r *tianbao.UnitRequest, events ...tianbao.Event) error
	// Request returns a request of a unit in scope.
	Request(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (tianbao.UnitRequest, error)
	// RefuseRequest records a refusal.
	RefuseRequest(ctx context.Context, r *tianbao.UnitRequest, events ...tianbao.Event) error
}

// Checker applies the rules of the register's form; internal/check implements it.
type Checker interface {
	Form() *tianbao.Form
	Normalize(field int, raw string) string
	Row(dst []tianbao.Problem, i int, row *tianbao.Row) []tianbao.Problem
	Imported(imp *tianbao.Import) []tianbao.Problem
	Mask(field int, value string) string
}

// FormName is the form in which workbooks of the register are read.
const FormName = "unit-register"

// Keys of the form's fields.
const (
	keyBudget  = "budget_code"
	keyName    = "unit_name"
	keyOrg     = "org_code"
	keyType    = "unit_type"
	keyKind    = "kind"
	keyParent  = "parent_code"
	keyRegion  = "region"
	keyContact = "contact_name"
	keyPhone   = "contact_phone"
	keyMail    = "contact_mail"
	keyAliases = "aliases"
	keyState   = "state"
)

// Service changes the register.
type Service struct {
	Store   Store
	Checker Checker
	IDs     *clock.IDs
	Now     clock.Clock
}

// Actor is who changes the register: the subtrees in which the actor may, and where the
// act comes from.
type Actor struct {
	User  tianbao.ID
	From  string
	Scope tianbao.Scope
}

// event is an act of the actor for the trail.
func (s *Service) event(a Actor, what string, unit tianbao.ID, detail string) tianbao.Event {
	e := tianbao.Event{At: s.Now(), Actor: a.User, Owner: unit, From: a.From, What: what, Detail: detail}
	if unit != 0 {
		e.Object = unit.String()
	}
	return e
}

// Today returns the beginning of the day in Shanghai, the day from which a change holds
// when nobody says another.
func (s *Service) Today() time.Time { return beginning(s.Now()) }

func beginning(t time.Time) time.Time {
	t = t.In(clock.Shanghai)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, clock.Shanghai)
}

// ParseDay reads a day as pages and command lines write it; "" is today.
func (s *Service) ParseDay(text string) (time.Time, error) {
	if text == "" {
		return s.Today(), nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, clock.Shanghai)
	if err != nil {
		return time.Time{}, tianbao.Invalid("bad_day", "日期无法识别，请按“2022-09-23”的样子填写。")
	}
	return day, nil
}

// past refuses a day that has not come.
func (s *Service) past(day time.Time) error {
	if day.After(s.Today()) {
		return tianbao.Invalid("day_to_come", "生效日期还没有到，请在当天或之后登记。")
	}
	return nil
}

// kinds are the kinds of units with their names in the form.
func kinds() [3][2]string {
	return [...][2]string{{"bureau", "财政部门"}, {"department", "主管部门"}, {"unit", "基层单位"}}
}

// KindName returns a unit's kind in the users' words, "" for one that does not exist.
func KindName(kind string) string {
	for _, k := range kinds() {
		if k[0] == kind {
			return k[1]
		}
	}
	return ""
}

func kindOf(name string) string {
	for _, k := range kinds() {
		if k[1] == name {
			return k[0]
		}
	}
	return ""
}
