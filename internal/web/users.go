package web

import (
	"net/http"

	"tianbao"
	"tianbao/internal/auth"
)

// usersPage is the data of users.html.
type usersPage struct {
	Users   []tianbao.User
	CSRF    string
	Message string
	Add     wireUserAdd
	Self    string
	Roles   []tianbao.Role
}

func (s *Server) users(w http.ResponseWriter, r *http.Request, v *viewer) error {
	us, err := s.Auth.Users(r.Context())
	if err != nil {
		return err
	}
	out := wireUsers{Users: []wireUser{}}
	for _, u := range us {
		ses := toSession(u, "")
		out.Users = append(out.Users, wireUser{Login: u.Login, Name: u.Name, Disabled: u.Disabled, Roles: ses.Roles, Units: ses.Units, LastSeen: stamp(u.LastSeen)})
	}
	return s.answer(w, r, v, out, "users.html", "用户管理", &usersPage{Users: us, CSRF: v.signed.CSRF, Self: v.user().Login, Roles: tianbao.Roles()})
}

// newPasswordPage is the data of newpassword.html: the only time it is shown.
type newPasswordPage struct {
	Login, Name, Password string
	New                   bool
}

func (s *Server) userAdd(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireUserAdd
	err := read(r, &in)
	var u tianbao.User
	var password string
	if err == nil {
		u, password, err = s.addUser(r, v, in)
	}
	if err != nil {
		kind := tianbao.KindOf(err)
		if wantsJSON(r) || kind != tianbao.ErrInvalid && kind != tianbao.ErrConflict {
			return err
		}
		us, lerr := s.Auth.Users(r.Context())
		if lerr != nil {
			return lerr
		}
		s.page(w, r, v, statuses[kind], "users.html", "用户管理", &usersPage{Users: us, CSRF: v.signed.CSRF, Message: asError(err).Message, Add: in, Self: v.user().Login, Roles: tianbao.Roles()})
		return nil
	}
	return s.answer(w, r, v, wireNewPassword{u.Login, password}, "newpassword.html", "初始密码", &newPasswordPage{u.Login, u.Name, password, true})
}

func (s *Server) addUser(r *http.Request, v *viewer, in wireUserAdd) (tianbao.User, string, error) {
	u := tianbao.User{Login: in.Login, Name: in.Name}
	switch role := tianbao.Role(in.Role); {
	case role.Office():
		u.Office = role
	case role.Title() == "":
		return tianbao.User{}, "", tianbao.Invalid("no_role", "请为账号选择角色。")
	default:
		unit, err := s.Catalog.FindUnit(r.Context(), in.Unit)
		if err != nil {
			if tianbao.KindOf(err) == tianbao.ErrNotFound {
				err = tianbao.Invalid("unknown_unit", "单位登记册中没有这个单位，请填写正确的组织机构代码或预算编码。")
			}
			return tianbao.User{}, "", err
		}
		u.Grants = []tianbao.Grant{{Role: role, Unit: unit.ID, UnitPath: unit.Path, UnitName: unit.Name}}
	}
	password := auth.NewPassword()
	u, err := s.Auth.CreateUser(r.Context(), v.by(r), u, password)
	return u, password, err
}

func (s *Server) userPassword(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	login, password := r.PathValue("login"), auth.NewPassword()
	if err := s.Auth.SetPassword(r.Context(), v.by(r), login, password); err != nil {
		return err
	}
	return s.answer(w, r, v, wireNewPassword{login, password}, "newpassword.html", "新密码", &newPasswordPage{Login: login, Password: password})
}

func (s *Server) userDisable(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireDisable
	if err := read(r, &in); err != nil {
		return err
	}
	login := r.PathValue("login")
	if in.Disabled && login == v.user().Login {
		return tianbao.Invalid("own_account", "不能停用自己的账号，请由另一位管理员操作。")
	}
	if err := s.Auth.SetDisabled(r.Context(), v.by(r), login, in.Disabled); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/users")
}
