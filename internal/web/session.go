package web

import (
	"net/http"
	"strings"

	"tianbao"
	"tianbao/internal/auth"
)

// signinPageData is the data of signin.html.
type signinPageData struct {
	Next    string
	Login   string
	Message string
	Locked  bool // a code of the second factor lets the owner in
	Demo    []DemoAccount
	Passkey string // the address that passkeys are for, empty: they are not in use
	OIDC    bool   // the platform's own sign-in is in use
	Left    bool   // who signed out here may still be signed in there
}

// signinData fills in by what else one signs in.
func (s *Server) signinData(p *signinPageData) *signinPageData {
	p.Demo, p.Passkey, p.OIDC = s.Demo, s.passkeyOrigin(), s.OIDC != nil
	return p
}

func (s *Server) signinPage(w http.ResponseWriter, r *http.Request, v *viewer) error {
	next := localPath(r.URL.Query().Get("next"))
	if v.signed != nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	s.page(w, r, v, http.StatusOK, "signin.html", "登录", s.signinData(&signinPageData{Next: next, Left: r.URL.Query().Has("platform")}))
	return nil
}

func (s *Server) signin(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireSignin
	if err := read(r, &in); err != nil {
		return err
	}
	login := strings.TrimSpace(in.Login)
	token, u, err := s.Auth.SignInWith(r.Context(), auth.Try{Login: clip(login, 200), Password: in.Password, Code: clip(in.Code, 40), Certificate: s.certificate(r), From: address(r)})
	if err != nil {
		if !again(r, err, tianbao.ErrUnsigned, tianbao.ErrTooMany) {
			return err
		}
		s.page(w, r, v, statuses[tianbao.KindOf(err)], "signin.html", "登录", s.signinData(&signinPageData{Next: localPath(in.Next), Login: clip(login, 40), Message: asError(err).Message, Locked: tianbao.KindOf(err) == tianbao.ErrTooMany}))
		return nil
	}
	return s.enter(w, r, v, token, u, localPath(in.Next))
}

func setCookie(w http.ResponseWriter, token string) {
	c := &http.Cookie{Name: sessionCookie, Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func (s *Server) session(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.json(w, http.StatusOK, toSession(v.user(), v.signed))
}

// toSession writes who somebody is; with a session, what it needs.
func toSession(u tianbao.User, g *auth.Signed) wireSession {
	out := wireSession{Login: u.Login, Name: u.Name, Roles: []string{}, Units: []string{}}
	if g != nil {
		out.CSRF, out.Pending = g.CSRF, string(g.Pending)
	}
	if u.Office != "" {
		out.Roles = append(out.Roles, string(u.Office))
	}
	for _, g := range u.Grants {
		out.Roles = append(out.Roles, string(g.Role))
		if g.UnitName != "" {
			out.Units = append(out.Units, g.UnitName)
		}
	}
	return out
}

func (s *Server) signout(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := s.Auth.SignOut(r.Context(), v.token, v.user().ID, address(r)); err != nil {
		return err
	}
	setCookie(w, "")
	// What the browser kept of this person goes too (security.md 33): the sign-in page's
	// script drops the journal of that owner. Clearing the whole storage would drop what
	// others at this machine have not submitted yet.
	w.Header().Set("Clear-Site-Data", `"cache"`)
	to := "/signin?left=" + s.journalOwner(v.user().ID)
	if s.OIDC != nil && v.signed.Method == auth.ByOIDC {
		to += "&platform"
	}
	return s.done(w, r, wireDone{true}, to)
}

// passwordPageData is the data of password.html.
type passwordPageData struct {
	Message, CSRF, Hint string
	Pending             bool // it has to be changed before anything else
}

func (s *Server) passwordData(v *viewer, message string) *passwordPageData {
	return &passwordPageData{message, v.signed.CSRF, s.Auth.Policy.Hint(), v.signed.Pending != ""}
}

func (s *Server) passwordPage(w http.ResponseWriter, r *http.Request, v *viewer) error {
	s.page(w, r, v, http.StatusOK, "password.html", "修改密码", s.passwordData(v, ""))
	return nil
}

func (s *Server) password(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wirePassword
	err := read(r, &in)
	if err == nil && in.Again != "" && in.Again != in.New {
		err = tianbao.Invalid("not_same", "两次输入的新密码不一样，请重新输入。")
	}
	if err == nil {
		err = s.Auth.ChangePassword(r.Context(), v.user(), in.Old, in.New, address(r))
	}
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		s.page(w, r, v, http.StatusBadRequest, "password.html", "修改密码", s.passwordData(v, asError(err).Message))
		return nil
	}
	setCookie(w, "")
	return s.done(w, r, wireDone{true}, "/signin")
}

// setupPageData is the data of setup.html.
type setupPageData struct {
	Message, Login, Name, Hint string
	Office                     tianbao.Role
}

func (s *Server) setupPage(w http.ResponseWriter, r *http.Request, v *viewer) error {
	office, err := s.Auth.CheckSetup(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	s.page(w, r, v, http.StatusOK, "setup.html", "首次设置", &setupPageData{Login: setupLogin(office), Office: office, Hint: s.Auth.Policy.Hint()})
	return nil
}

// setupLogin is the user name that the set-up page suggests.
func setupLogin(office tianbao.Role) string {
	if office == tianbao.RoleSystem {
		return "admin"
	}
	return string(office)
}

func (s *Server) setup(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireSetup
	err := read(r, &in)
	if err == nil && in.Again != "" && in.Again != in.Password {
		err = tianbao.Invalid("not_same", "两次输入的密码不一样，请重新输入。")
	}
	if err == nil {
		err = s.Auth.Setup(r.Context(), r.PathValue("token"), in.Login, in.Name, in.Password)
	}
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		office, cerr := s.Auth.CheckSetup(r.Context(), r.PathValue("token"))
		if cerr != nil {
			return cerr
		}
		s.page(w, r, v, http.StatusBadRequest, "setup.html", "首次设置", &setupPageData{asError(err).Message, clip(in.Login, 40), clip(in.Name, 50), s.Auth.Policy.Hint(), office})
		return nil
	}
	return s.done(w, r, wireDone{true}, "/signin")
}

// localPath keeps a redirect on this site: a path of ours, else the home page.
func localPath(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t") {
		return "/"
	}
	return p
}

// clip shortens a text to n characters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
