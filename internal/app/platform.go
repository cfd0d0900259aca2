package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/provision"
	"tianbao/internal/scim"
	"tianbao/internal/store"
	"tianbao/internal/web"
)

var (
	_ provision.Store      = (*store.Store)(nil)
	_ web.PlatformAccounts = (*store.Store)(nil)
	_ provision.CodeStore  = (*store.Store)(nil)
)

// platformOptions are what serve is told of the new platform.
type platformOptions struct {
	profile                        string
	scimURL, scimTokenFile, scimCA string
}

func (o *platformOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.profile, "platform-profile", "", "导出新平台账号用的字段对照文件（JSON）；默认用一体化平台的字段名")
	fs.StringVar(&o.scimURL, "scim-url", "", "新平台的 SCIM 2.0 接口的地址，到 /v2 为止；给出后批准的账号方案直接在平台上执行")
	fs.StringVar(&o.scimTokenFile, "scim-token-file", "", "存放平台接口令牌的文件")
	fs.StringVar(&o.scimCA, "scim-ca", "", "签发平台接口证书的 CA 文件（PEM）；默认用操作系统的")
}

// platform makes the service of the accounts of the new platform, and tells how they look
// as a file.
func (in *installation) platform(o *platformOptions, log *slog.Logger) (*provision.Service, *provision.Profile, error) {
	profile, err := provision.DefaultProfile()
	if err != nil {
		return nil, nil, err
	}
	if o.profile != "" {
		b, err := os.ReadFile(o.profile)
		if err == nil {
			profile, err = provision.ReadProfile(b)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("不能使用字段对照文件，请检查 --platform-profile：%w", err)
		}
	}
	target, err := o.target()
	if err != nil {
		return nil, nil, err
	}
	var node [8]byte
	_, _ = rand.Read(node[:]) // never fails (crypto/rand)
	s := &provision.Service{Store: in.store, IDs: in.ids, Now: clock.System, Node: hex.EncodeToString(node[:]), Log: log}
	if target != nil {
		s.Target = target
	}
	return s, profile, nil
}

// platformEvery is how often the server looks for plans to carry out.
const platformEvery = 3 * time.Second

// keepProvisioning carries out approved plans while the server runs. The function it
// returns waits for the step in hand. A server that is alone goes on at once with what the
// one before it left.
func keepProvisioning(ctx context.Context, s *provision.Service, alone bool, log *slog.Logger) func() {
	if alone {
		if err := s.Resume(ctx); err != nil {
			log.Error("plans of accounts wait for their leases", "err", err)
		}
	}
	return atOnceAndEvery(ctx, platformEvery, func() {
		n, err := s.Round(ctx)
		if n > 0 {
			log.Info("took steps of plans of accounts", "steps", n)
		}
		if err != nil && ctx.Err() == nil {
			log.Error("a plan of accounts does not go on", "err", err)
		}
	})
}

// target is the platform's interface, nil where none was named.
func (o *platformOptions) target() (*scimTarget, error) {
	if o.scimURL == "" {
		if o.scimTokenFile != "" || o.scimCA != "" {
			return nil, errors.New("给出了平台接口的其他选项，请同时用 --scim-url 给出接口的地址")
		}
		return nil, nil
	}
	token, err := readSecret(o.scimTokenFile)
	if err != nil {
		return nil, fmt.Errorf("不能读取平台接口的令牌，请检查 --scim-token-file：%w", err)
	}
	cfg := scim.Config{URL: o.scimURL, Token: token}
	if cfg.Roots, err = readRoots(o.scimCA); err != nil {
		return nil, fmt.Errorf("不能读取 CA 文件，请检查 --scim-ca：%w", err)
	}
	c, err := scim.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("平台接口的设置不对，请检查 --scim-url（https 地址）和 --scim-token-file：%w", err)
	}
	return &scimTarget{c}, nil
}

// scimTarget carries steps out by SCIM. Resident ids do not go there.
type scimTarget struct{ c *scim.Client }

// Apply implements provision.Target.
func (t *scimTarget) Apply(ctx context.Context, o *provision.Order) (string, error) {
	return t.c.Put(ctx, t.user(o))
}

// user is an account as the platform is to have it.
func (t *scimTarget) user(o *provision.Order) *scim.User {
	a := &o.After
	u := &scim.User{ID: o.External, ExternalID: a.ID.String(), UserName: a.Login, DisplayName: a.Name, Active: !a.Disabled}
	if provision.Mobile(a.Login) {
		u.Phone = a.Login
	}
	if len(o.Units) > 0 {
		home := &o.Units[0]
		u.Organization, u.Department, u.Division = home.Name, home.BudgetCode, home.OrgCode
	}
	return u
}

// Most implements provision.Bulk.
func (t *scimTarget) Most(ctx context.Context) (int, error) {
	l, err := t.c.Limits(ctx)
	return l.Operations, err
}

// Create implements provision.Bulk.
func (t *scimTarget) Create(ctx context.Context, orders []*provision.Order) ([]provision.Made, error) {
	users := make([]*scim.User, len(orders))
	for i, o := range orders {
		users[i] = t.user(o)
	}
	made, err := t.c.Create(ctx, users)
	out := make([]provision.Made, len(orders))
	for i := range made {
		out[i] = provision.Made{External: made[i].ID, Refused: made[i].Refused}
	}
	return out, err
}

// List implements provision.Target.
func (t *scimTarget) List(ctx context.Context, fn func(*provision.Remote) error) error {
	return t.c.List(ctx, func(u *scim.User) error {
		r := &provision.Remote{External: u.ID, Login: u.UserName, Name: u.DisplayName, Disabled: !u.Active, Unit: u.Department}
		if id, err := tianbao.ParseID(u.ExternalID); err == nil {
			r.Account = id
		}
		return fn(r)
	})
}
