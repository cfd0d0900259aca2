// Package demo makes the world of the demonstration: the regions of Liaoning, the
// units of one city and two of its counties, an account of each kind, a notice with the
// manual attached, and a report that somebody has begun.
//
// Everything is invented. Phones begin with 160, a range that is given to nobody;
// the sequence numbers of resident ids are 900 to 995. The passwords are public,
// so the server takes a demonstration only on the loopback address.
package demo

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
	"tianbao/internal/form"
	"tianbao/internal/org"
	"tianbao/internal/report"
	"tianbao/internal/store"
	"tianbao/internal/web"
)

// Password is that of every demonstration account.
const Password = "Tianbao-2022"

// Store is what the demonstration writes besides reports. Every Put replaces what
// has the same id.
type Store interface {
	PutRegions(ctx context.Context, rs ...tianbao.Region) error
	PutUnits(ctx context.Context, us ...tianbao.Unit) error
	PutCampaign(ctx context.Context, c tianbao.Campaign) error
	PutNotice(ctx context.Context, n tianbao.Notice) error
	OpenReport(ctx context.Context, scope tianbao.Scope, campaign, unit tianbao.ID) (tianbao.Report, error)
	Campaigns(ctx context.Context) ([]tianbao.Campaign, error)
	Purpose(ctx context.Context) (tianbao.Purpose, error)
	PublishPurpose(ctx context.Context, text string, e tianbao.Event) (int, error)
	SetRetention(ctx context.Context, campaign tianbao.ID, months int, e tianbao.Event) error
	AgreeToPurpose(ctx context.Context, version int, e tianbao.Event) error
}

// World is what the demonstration is made in.
type World struct {
	Store     Store
	Auth      *auth.Service
	Reports   *report.Service
	Org       *org.Service
	Campaigns *campaign.Service
	Forms     *form.Registry
	Workbooks interface {
		Write(w io.Writer, form *tianbao.Form, rows iter.Seq[tianbao.Row], at time.Time, report tianbao.ID, reportVersion int64) error
	}
	Now      clock.Clock
	Manual   []byte
	Pictures func(name string) ([]byte, error)
}

// Ids of the demonstration. They are small numbers, so that a second start meets
// the same things, and far below what clock.IDs makes.
const (
	campaignID tianbao.ID = 1001
	besideID   tianbao.ID = 1002
	noticeID   tianbao.ID = 2001
)

// Seed makes the world, unless it is there already, and returns the accounts.
func Seed(ctx context.Context, w World) ([]web.DemoAccount, error) {
	us := units()
	accounts := accounts(us)
	shown := make([]web.DemoAccount, len(accounts))
	for i, a := range accounts {
		shown[i] = a.DemoAccount
	}
	cs, err := w.Store.Campaigns(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range cs {
		if c.ID == campaignID {
			return shown, nil
		}
	}
	if err := w.Store.PutRegions(ctx, store.StandardRegions()...); err != nil {
		return nil, fmt.Errorf("demo: store the regions: %w", err)
	}
	if err := w.Store.PutUnits(ctx, us...); err != nil {
		return nil, fmt.Errorf("demo: store the units: %w", err)
	}
	for _, a := range accounts {
		u := tianbao.User{Login: a.Login, Name: a.Name}
		if a.role.Office() {
			u.Office = a.role
		} else {
			u.Grants = []tianbao.Grant{{Role: a.role, Unit: a.unit}}
		}
		if _, err := w.Auth.CreateUser(ctx, auth.By{}, u, Password); err != nil && tianbao.KindOf(err) != tianbao.ErrConflict {
			return nil, fmt.Errorf("demo: create %s: %w", a.Login, err)
		}
	}
	if err := w.inform(ctx); err != nil {
		return nil, err
	}
	if err := w.register(ctx, us); err != nil {
		return nil, err
	}
	n, err := w.notice()
	if err != nil {
		return nil, err
	}
	if err := w.Store.PutNotice(ctx, n); err != nil {
		return nil, fmt.Errorf("demo: store the notice: %w", err)
	}
	// The campaign comes last: it tells the next start that the world is complete.
	f := w.Forms.Latest("asset-role")
	now := w.Now().In(clock.Shanghai)
	closes := time.Date(now.Year(), now.Month(), now.Day()+31, 0, 0, 0, 0, clock.Shanghai)
	if err := w.beside(ctx, now, closes); err != nil {
		return nil, err
	}
	c := tianbao.Campaign{ID: campaignID, Title: f.Title, Form: f.Name, FormV: f.Version, Opens: now, Closes: closes, Released: true, Owner: rootID, Notice: noticeID}
	if err := w.collect(ctx, c); err != nil {
		return nil, err
	}
	return shown, w.begin(ctx, f, us)
}

// account is a demonstration account with its role and unit.
type account struct {
	web.DemoAccount
	role tianbao.Role
	unit tianbao.ID
}

func accounts(us []tianbao.Unit) []account {
	find := func(name string) tianbao.ID {
		for _, u := range us {
			if u.Name == name {
				return u.ID
			}
		}
		return 0
	}
	one := func(login, who, what string, role tianbao.Role, unit tianbao.ID) account {
		return account{web.DemoAccount{Login: login, Password: Password, Name: who, What: what}, role, unit}
	}
	return []account{
		one("unit", "单位经办人", "单位："+firstUnit, tianbao.RoleFiller, find(firstUnit)),
		one("dept", "部门经办人", "主管部门："+firstDepartment+"及下属单位", tianbao.RoleDepartment, find(firstDepartment)),
		one("city", "市局经办人", "市财政局：全市各单位", tianbao.RoleCity, find(cityBureau)),
		one("province", "省厅经办人", "省财政厅：全省", tianbao.RoleProvince, rootID),
		one("service", "服务工程师", "服务工程师：全市，只能查看", tianbao.RoleService, find(cityBureau)),
		one("admin", "系统管理员", "系统管理员：管理账号，不看报表", tianbao.RoleSystem, 0),
		one("security", "安全管理员", "安全管理员：授权，不看报表", tianbao.RoleSecurity, 0),
		one("audit", "审计管理员", "审计管理员：查看审计记录，不看报表", tianbao.RoleAudit, 0),
	}
}
