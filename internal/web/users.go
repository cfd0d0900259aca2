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
	Self    tianbao.ID
	Offices []tianbao.Role
}

func (s *Server) users(w http.ResponseWriter, r *http.Request, v *viewer) error {
	us, err := s.Auth.Users(r.Context())
	if err != nil {
		return err
	}
	out := wireUsers{Users: []wireUser{}}
	for _, u := range us {
		ses := toSession(u, nil)
		out.Users = append(out.Users, wireUser{ID: u.ID, Login: u.Login, Name: u.Name, Disabled: u.Disabled, Roles: ses.Roles, Units: ses.Units, LastSeen: stamp(u.LastSeen)})
	}
	return s.answer(w, r, v, out, "users.html", "用户管理", &usersPage{Users: us, CSRF: v.signed.CSRF, Self: v.user().ID, Offices: tianbao.Offices()})
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
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
			return err
		}
		us, lerr := s.Auth.Users(r.Context())
		if lerr != nil {
			return lerr
		}
		s.page(w, r, v, statuses[tianbao.KindOf(err)], "users.html", "用户管理", &usersPage{Users: us, CSRF: v.signed.CSRF, Message: asError(err).Message, Add: in, Self: v.user().ID, Offices: tianbao.Offices()})
		return nil
	}
	return s.answer(w, r, v, wireNewPassword{u.Login, password}, "newpassword.html", "初始密码", &newPasswordPage{u.Login, u.Name, password, true})
}

// addUser makes an account without rights: roles are the security administrator's to
// give, an office to agree to.
func (s *Server) addUser(r *http.Request, v *viewer, in wireUserAdd) (tianbao.User, string, error) {
	u := tianbao.User{Login: in.Login, Name: in.Name, Asked: tianbao.Role(in.Office)}
	password := auth.NewPassword()
	u, err := s.Auth.CreateUser(r.Context(), v.by(r), u, password)
	return u, password, err
}

func (s *Server) userPassword(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	u, err := s.account(r, r.PathValue("user"))
	if err != nil {
		return err
	}
	password := auth.NewPassword()
	if err := s.Auth.SetPassword(r.Context(), v.by(r), u.Login, password); err != nil {
		return err
	}
	return s.answer(w, r, v, wireNewPassword{u.Login, password}, "newpassword.html", "新密码", &newPasswordPage{Login: u.Login, Password: password})
}

func (s *Server) userDisable(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireDisable
	if err := read(r, &in); err != nil {
		return err
	}
	u, err := s.account(r, r.PathValue("user"))
	if err != nil {
		return err
	}
	if in.Disabled && u.ID == v.user().ID {
		return tianbao.Invalid("own_account", "不能停用自己的账号，请由另一位管理员操作。")
	}
	if err := s.Auth.SetDisabled(r.Context(), v.by(r), u.Login, in.Disabled); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/users")
}
