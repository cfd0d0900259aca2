package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tianbao"
)

// Batch creation: a workbook names units and people, and each right row becomes an account
// that fills in for its unit, with an activation code by which its owner sets the
// password. Until then nobody signs in to it: there is no password to be told.

// BatchForm is the form of the workbook.
const BatchForm = "account-batch"

// MostAccounts is how many accounts one workbook may bring.
const MostAccounts = 2000

// BatchRules are the rules of the form, held against the register of units; internal/check
// gives them.
type BatchRules interface {
	Form() *tianbao.Form
	// Imported returns the problems of what a workbook gave.
	Imported(imp *tianbao.Import) []tianbao.Problem
}

// BatchStore is what batch creation asks of the store.
type BatchStore interface {
	// UnitFinder looks units up in the register within the scope; see report.Store.
	UnitFinder(ctx context.Context, scope tianbao.Scope, lookups int) (tianbao.UnitFinder, error)
	// LoginsTaken tells of each login whether an account has it.
	LoginsTaken(ctx context.Context, logins []string) ([]bool, error)
	// CreateActivated stores new users without a password, each with its code, all or
	// none. A login that is taken is tianbao.ErrConflict with code "login_taken".
	CreateActivated(ctx context.Context, by tianbao.ID, users []tianbao.User, as []Activation, events ...tianbao.Event) error
}

// Batch is what a workbook would create.
type Batch struct {
	Rows     int
	New      []BatchAccount
	Faulty   int               // rows that are left out
	Problems []tianbao.Problem // by rows of the workbook
}

// BatchAccount is one account to be created.
type BatchAccount struct {
	Row   int // of the import, from 0
	Name  string
	Login string
	Unit  tianbao.Unit
}

// PlanBatch works out what a workbook would create within the scope of who sends it.
func (s *Service) PlanBatch(ctx context.Context, scope tianbao.Scope, imp *tianbao.Import) (*Batch, error) {
	if len(imp.Rows) > MostAccounts {
		return nil, tianbao.Invalid("too_many_rows", fmt.Sprintf("一次最多建立 %d 个账号，请把文件分成几份。", MostAccounts))
	}
	look, err := s.store.UnitFinder(ctx, scope, len(imp.Rows))
	if err != nil {
		return nil, err
	}
	var failed error
	find := func(keys map[string]string) tianbao.UnitMatch {
		m, err := look(keys)
		failed = errors.Join(failed, err)
		return m
	}
	rules, err := s.Batches(find)
	if err != nil {
		return nil, err
	}
	p := &batchPlan{form: rules.Form(), imp: imp, bad: make([]bool, len(imp.Rows)), batch: &Batch{Rows: len(imp.Rows), Problems: rules.Imported(imp)}}
	for i := range p.batch.Problems {
		pr := &p.batch.Problems[i]
		// Nobody explains anything here: what the register says otherwise is to be
		// corrected, or an account would be another unit's.
		if pr.Severity == tianbao.SeverityJustify {
			pr.Severity = tianbao.SeverityError
		}
		p.bad[pr.Row] = p.bad[pr.Row] || pr.Severity == tianbao.SeverityError
	}
	logins := make([]string, len(imp.Rows))
	for i := range imp.Rows {
		logins[i] = p.cell(i, "phone")
		p.units(i, find)
	}
	if failed != nil {
		return nil, failed
	}
	taken, err := s.store.LoginsTaken(ctx, logins)
	if err != nil {
		return nil, err
	}
	for i := range taken {
		if taken[i] && logins[i] != "" {
			p.say(i, "phone", "account.exists", "这个手机号已经有账号，不用再建立；忘记密码的，请在激活码页面发一个新码。")
		}
	}
	return p.end(), nil
}

// batchPlan works one batch out.
type batchPlan struct {
	form  *tianbao.Form
	imp   *tianbao.Import
	bad   []bool // rows with an error
	found []BatchAccount
	batch *Batch
}

func (p *batchPlan) cell(i int, key string) string {
	if k := p.form.Index(key); k >= 0 && k < len(p.imp.Rows[i].Row.Values) {
		return p.imp.Rows[i].Row.Values[k]
	}
	return ""
}

func (p *batchPlan) say(i int, field, code, message string) {
	p.bad[i] = true
	p.batch.Problems = append(p.batch.Problems, tianbao.Problem{Row: i, Field: field, Code: code, Severity: tianbao.SeverityError, Message: message})
}

// units finds the unit of a row and looks at its role.
func (p *batchPlan) units(i int, find func(map[string]string) tianbao.UnitMatch) {
	if title := p.cell(i, "role"); title != "" && title != tianbao.RoleFiller.Title() && !p.bad[i] {
		p.say(i, "role", "role.not_grantable", "这里只能建立填报人的账号，其他角色请联系安全管理员授予。")
	}
	keys := make(map[string]string)
	for _, k := range p.form.UnitKeys {
		if v := p.cell(i, k); v != "" {
			keys[k] = v
		}
	}
	if len(keys) == 0 {
		p.say(i, "unit_name", "required", "单位预算编码、名称和代码都没有填写，请至少填写一项。")
		return
	}
	if p.bad[i] {
		return
	}
	m := find(keys)
	switch {
	case m.Several:
		p.say(i, "unit_name", "unit.several", "登记册中有几个单位与此相符，请补填单位预算编码或统一社会信用代码。")
	case m.Unit == nil || m.Closed: // the rules told of it
		p.bad[i] = true
	default:
		p.found = append(p.found, BatchAccount{i, p.cell(i, "person_name"), p.cell(i, "phone"), *m.Unit})
	}
}

func (p *batchPlan) end() *Batch {
	for _, a := range p.found {
		if !p.bad[a.Row] {
			p.batch.New = append(p.batch.New, a)
		}
	}
	for _, bad := range p.bad {
		if bad {
			p.batch.Faulty++
		}
	}
	slices.SortStableFunc(p.batch.Problems, func(a, b tianbao.Problem) int {
		if a.Row != b.Row {
			return a.Row - b.Row
		}
		return p.form.Index(a.Field) - p.form.Index(b.Field)
	})
	return p.batch
}

// CreateBatch creates the accounts of a batch that was shown, all or none, and returns
// their codes. It is worked out anew: where the register or the accounts have changed in
// between, what was shown is not so any more, and nothing is created.
func (s *Service) CreateBatch(ctx context.Context, by By, scope tianbao.Scope, imp *tianbao.Import, shown *Batch) ([]Activation, error) {
	now, err := s.PlanBatch(ctx, scope, imp)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(now.New, shown.New) {
		return nil, &tianbao.Error{Kind: tianbao.ErrConflict, Code: "batch_changed", Message: "预览之后登记册或账号有变化，什么都没有建立，请重新上传文件查看。"}
	}
	if len(now.New) == 0 {
		return nil, tianbao.Invalid("nothing_new", "文件中没有可以建立的账号，请改正标出的问题后重新上传。")
	}
	users, as, events := make([]tianbao.User, len(now.New)), make([]Activation, len(now.New)), make([]tianbao.Event, len(now.New))
	for i, n := range now.New {
		id, at := tianbao.ID(s.ids.Next()), s.now()
		u := tianbao.User{ID: id, Login: n.Login, Name: n.Name, Created: at, Grants: []tianbao.Grant{{
			ID: tianbao.ID(s.ids.Next()), User: id, Role: tianbao.RoleFiller, Unit: n.Unit.ID, By: by.User, Given: at,
		}}}
		if err := errors.Join(checkLogin(u.Login), checkRoles(&u)); err != nil {
			return nil, err
		}
		as[i] = s.activation(n.Unit)
		as[i].User, as[i].Login, as[i].Name = id, n.Login, n.Name
		e := s.event(by, "user.create", id, strings.Join([]string{roleNames(&u), "batch=" + strconv.Itoa(len(now.New))}, " "))
		e.Owner = n.Unit.ID
		users[i], events[i] = u, e
	}
	return as, s.store.CreateActivated(ctx, by.User, users, as, events...)
}
