package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/web"
)

// user is `tianbao user add|passwd|grant|revoke|list`, for who has the machine and its keys.
func user(ctx context.Context, e env, args []string) int {
	if len(args) == 0 {
		_, _ = fmt.Fprintln(e.stderr, "用法：tianbao user add|passwd|grant|revoke|list [选项]")
		return exitUsage
	}
	var p place
	var login, name, role, unit, from, to string
	var fromStdin bool
	var signin signinOptions
	fs := e.flags("user " + args[0])
	p.flags(fs)
	signin.passwordFlags(fs)
	var act func(in *installation) error
	switch args[0] {
	case "add":
		fs.StringVar(&login, "login", "", "用户名")
		fs.StringVar(&name, "name", "", "姓名")
		fs.StringVar(&role, "role", "filler", roleHelp())
		fs.StringVar(&unit, "unit", "", "单位的组织机构代码或预算编码；三类管理员不填")
		act = func(in *installation) error { return userAdd(ctx, e, in, login, name, role, unit, fromStdin) }
	case "passwd":
		fs.StringVar(&login, "login", "", "用户名")
		act = func(in *installation) error { return userPasswd(ctx, e, in, login, fromStdin) }
	case "grant":
		fs.StringVar(&login, "login", "", "用户名")
		fs.StringVar(&role, "role", "", roleHelp())
		fs.StringVar(&unit, "unit", "", "单位的组织机构代码或预算编码")
		fs.StringVar(&from, "from", "", "从哪天起，如 2022-09-23；不填为现在")
		fs.StringVar(&to, "to", "", "到哪天止，含这一天；不填为没有期限")
		act = func(in *installation) error { return userGrant(ctx, e, in, login, role, unit, from, to) }
	case "revoke":
		fs.StringVar(&login, "login", "", "用户名")
		fs.StringVar(&role, "role", "", "只收回这个角色；不填为全部")
		fs.StringVar(&unit, "unit", "", "只收回对这个单位的；填组织机构代码或预算编码，不填为全部")
		act = func(in *installation) error { return userRevoke(ctx, e, in, login, role, unit) }
	case "list":
		act = func(in *installation) error { return userList(ctx, e, in) }
	default:
		_, _ = fmt.Fprintf(e.stderr, "没有 user %s 这个命令，可用的有 add、passwd、grant、revoke、list。\n", args[0])
		return exitUsage
	}
	if args[0] == "add" || args[0] == "passwd" {
		fs.BoolVar(&fromStdin, "password-stdin", false, "从标准输入读密码；否则生成一个并显示一次")
	}
	if err := e.parse(fs, args[1:]); err != nil {
		return e.failed(err)
	}
	return e.within(ctx, &p, func(in *installation) (int, error) {
		if err := signin.apply(&in.auth.Policy); err != nil {
			return 0, err
		}
		return exitOK, act(in)
	})
}

func userAdd(ctx context.Context, e env, in *installation, login, name, role, unit string, fromStdin bool) error {
	who := tianbao.User{Login: login, Name: name}
	switch r := tianbao.Role(role); {
	case r.Office():
		who.Office = r
	case r.Title() == "":
		return fmt.Errorf("没有 %q 这个角色；%s", role, roleHelp())
	default:
		u, err := in.store.FindUnit(ctx, unit)
		if err != nil {
			return unknownUnit(err)
		}
		who.Grants = []tianbao.Grant{{Role: r, Unit: u.ID}}
	}
	password, made, err := e.password(fromStdin)
	if err != nil {
		return err
	}
	if _, err := in.auth.CreateUser(ctx, auth.By{}, who, password); err != nil {
		return err
	}
	e.tell(login, password, made)
	return nil
}

// unknownUnit says that --unit names no unit.
func unknownUnit(err error) error {
	if tianbao.KindOf(err) == tianbao.ErrNotFound {
		return errors.New("单位登记册中没有这个单位，请用 --unit 给出正确的组织机构代码或预算编码")
	}
	return err
}

// roleHelp lists the roles for the command line.
func roleHelp() string {
	var b strings.Builder
	b.WriteString("角色：")
	for i, r := range tianbao.Roles() {
		if i > 0 {
			b.WriteString("、")
		}
		fmt.Fprintf(&b, "%s（%s）", r, r.Title())
	}
	return b.String()
}

func userPasswd(ctx context.Context, e env, in *installation, login string, fromStdin bool) error {
	password, made, err := e.password(fromStdin)
	if err != nil {
		return err
	}
	if err := in.auth.SetPassword(ctx, auth.By{}, login, password); err != nil {
		if tianbao.KindOf(err) == tianbao.ErrNotFound {
			return fmt.Errorf("没有 %q 这个用户，可用 tianbao user list 查看", login)
		}
		return err
	}
	e.tell(login, password, made)
	return nil
}

func userList(ctx context.Context, e env, in *installation) error {
	us, err := in.auth.Users(ctx)
	if err != nil {
		return err
	}
	for _, u := range us {
		var roles []string
		if u.Office != "" {
			roles = append(roles, string(u.Office))
		}
		for _, g := range u.Grants {
			roles = append(roles, strings.TrimSpace(string(g.Role)+" "+g.UnitName))
		}
		if u.Asked != "" {
			roles = append(roles, string(u.Asked)+"（等待确认）")
		}
		state := ""
		switch {
		case len(u.Altered) > 0:
			state = "\t记录被动过"
		case u.Disabled:
			state = "\t已停用"
		}
		if _, err := fmt.Fprintf(e.stdout, "%s\t%s\t%s%s\n", u.Login, u.Name, strings.Join(roles, "，"), state); err != nil {
			return err
		}
	}
	return nil
}

// password reads one line from standard input, or makes a password.
func (e env) password(fromStdin bool) (password string, made bool, err error) {
	if !fromStdin {
		return auth.NewPassword(), true, nil
	}
	line, err := bufio.NewReader(io.LimitReader(e.stdin, 1<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", false, fmt.Errorf("读不到密码：%w", err)
	}
	return strings.TrimRight(line, "\r\n"), false, nil
}

func (e env) tell(login, password string, made bool) {
	if made {
		_, _ = fmt.Fprintf(e.stdout, "用户 %s 的密码（只显示这一次）：%s\n", login, password)
		return
	}
	_, _ = fmt.Fprintf(e.stdout, "用户 %s 已保存。\n", login)
}

// openAPI writes the API's document, which is committed as docs/openapi.json.
func openAPI(_ context.Context, e env, _ []string) int {
	b, err := web.Specification(Version)
	if err != nil {
		return e.failed(err)
	}
	if _, err := e.stdout.Write(append(b, '\n')); err != nil {
		return e.failed(err)
	}
	return exitOK
}
