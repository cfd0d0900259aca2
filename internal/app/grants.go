package app

import (
	"context"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/clock"
)

// userGrant gives an account a role, for who has the machine.
func userGrant(ctx context.Context, e env, in *installation, login, role, unit, from, to string) error {
	u, err := accountOf(ctx, in, login)
	if err != nil {
		return err
	}
	g := tianbao.Grant{User: u.ID, Role: tianbao.Role(role)}
	if !g.Role.Office() && g.Role.Title() == "" {
		return fmt.Errorf("没有 %q 这个角色；%s", role, roleHelp())
	}
	if g.From, err = dayFlag("from", from); err != nil {
		return err
	}
	if g.To, err = dayFlag("to", to); err != nil {
		return err
	}
	if !g.To.IsZero() {
		g.To = g.To.AddDate(0, 0, 1) // the day is included
	}
	if !g.Role.Office() {
		found, err := in.store.FindUnit(ctx, unit)
		if err != nil {
			return unknownUnit(err)
		}
		g.Unit, g.UnitPath, g.UnitName = found.ID, found.Path, found.Name
	}
	if g, err = in.auth.Give(ctx, auth.By{}, g); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(e.stdout, "已授予：%s %s %s，授权编号 %s。\n", login, g.Role.Title(), g.UnitName, g.ID)
	return nil
}

// userRevoke takes back those roles of an account that are the named one over the named
// unit; an empty name matches all.
func userRevoke(ctx context.Context, e env, in *installation, login, role, unit string) error {
	u, err := accountOf(ctx, in, login)
	if err != nil {
		return err
	}
	var of tianbao.ID
	if unit != "" {
		found, err := in.store.FindUnit(ctx, unit)
		if err != nil {
			return unknownUnit(err)
		}
		of = found.ID
	}
	lines, err := in.auth.Grants(ctx, auth.GrantQuery{User: u.ID, Limit: 1000})
	if err != nil {
		return err
	}
	n := 0
	for _, l := range lines {
		// An altered row is taken away whatever it says.
		if !l.Altered && (role != "" && string(l.Role) != role || of != 0 && l.Unit != of) {
			continue
		}
		if err := in.auth.End(ctx, auth.By{}, l.ID); err != nil {
			return err
		}
		n++
	}
	if n == 0 {
		return fmt.Errorf("用户 %q 没有这样的角色，可用 tianbao user list 查看", login)
	}
	_, _ = fmt.Fprintf(e.stdout, "已收回 %d 项角色。\n", n)
	return nil
}

func accountOf(ctx context.Context, in *installation, login string) (tianbao.User, error) {
	u, _, err := in.store.UserByLogin(ctx, login)
	if tianbao.KindOf(err) == tianbao.ErrNotFound {
		err = fmt.Errorf("没有 %q 这个用户，可用 tianbao user list 查看", login)
	}
	return u, err
}

func dayFlag(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, clock.Shanghai)
	if err != nil {
		return day, fmt.Errorf("--%s 请写成 2022-09-23 的样子，没有 %q 这一天", name, text)
	}
	return day, nil
}
