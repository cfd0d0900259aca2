package web

import (
	"errors"
	"net/http"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/oidc"
)

// The platform's own sign-in. A browser gets there by a link and comes back by a
// redirect, so both are GET; what makes them safe is the secret that this browser holds
// in a cookie, under which state and nonce wait, once.

const forPlatform = "oidc"

// visit is a sign-in at the platform on its way.
type visit struct {
	Flow oidc.Flow
	Next string
	// Bind is the session that binds the account there to its own, 0: a sign-in.
	Bind tianbao.ID
}

// The sentences of what can go wrong, by the word that the trail gets.
func errPlatform(where string) error {
	e := &tianbao.Error{Kind: tianbao.ErrUnsigned, Code: "oidc_" + where}
	switch where {
	case "unreachable":
		e.Kind, e.Message = tianbao.ErrUnavailable, "现在连不上统一平台，请稍后再试，或者用密码登录。"
	case "state":
		e.Message = "这次登录已经过期，或者不是从这个浏览器开始的，请回到登录页重新点“统一平台登录”。"
	case "denied":
		e.Message = "在统一平台上没有完成登录，请重新点“统一平台登录”，或者用密码登录。"
	case "session":
		e.Message = "绑定期间换了登录，什么都没有绑定，请重新登录后再绑定。"
	default:
		e.Message = "统一平台的登录结果没有通过核对，请重新登录；一再这样的，请告诉系统管理员。"
	}
	return e
}

// platformFault is the word for what went wrong; the log gets the rest.
func (s *Server) platformFault(err error) string {
	where := "token"
	switch {
	case errors.Is(err, oidc.ErrUnreachable):
		where = "unreachable"
	case errors.Is(err, oidc.ErrRefused):
		where = "code"
	}
	s.Log.Warn("a sign-in at the platform failed", "where", where, "err", err)
	return where
}

// refused records a failed visit and says why it failed.
func (s *Server) refused(r *http.Request, where string) error {
	return errors.Join(errPlatform(where), s.Auth.Refused(r.Context(), where, address(r)))
}

// depart sends the browser off and remembers the visit.
func (s *Server) depart(w http.ResponseWriter, r *http.Request, v visit) (to string, err error) {
	to, v.Flow, err = s.OIDC.Begin(r.Context(), v.Bind != 0)
	if err != nil {
		return "", s.refused(r, s.platformFault(err))
	}
	secret, err := s.Auth.Await(r.Context(), forPlatform, &v)
	if err != nil {
		return "", err
	}
	setFlow(w, secret)
	return to, nil
}

func (s *Server) platformSignIn(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if s.OIDC == nil {
		return tianbao.NotFound()
	}
	next := localPath(r.URL.Query().Get("next"))
	to, err := s.depart(w, r, visit{Next: next})
	if err != nil {
		return s.notSignedIn(w, r, v, next, err)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// bindPlatform begins to bind the own account at the platform. The page that it answers
// has a link there: a form's answer may not lead to another site (form-action).
func (s *Server) bindPlatform(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	if s.OIDC == nil {
		return tianbao.NotFound()
	}
	if err := s.Auth.MayBind(v.signed); err != nil {
		return err
	}
	to, err := s.depart(w, r, visit{Bind: v.signed.Session})
	if err != nil {
		return s.keysAct(w, r, v, err)
	}
	if wantsJSON(r) {
		return s.json(w, http.StatusOK, wireGo{to})
	}
	return s.showKeys(w, r, v, nil, to)
}

// platformReturn takes in who comes back from the platform.
func (s *Server) platformReturn(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if s.OIDC == nil {
		return tianbao.NotFound()
	}
	var was visit
	q := r.URL.Query()
	err := s.Auth.Awaited(r.Context(), forPlatform, takeFlow(w, r), &was)
	if tianbao.KindOf(err) == tianbao.ErrNotFound && err != nil || err == nil && !was.Flow.Match(q.Get("state")) {
		return s.notSignedIn(w, r, v, "/", s.refused(r, "state"))
	}
	if err != nil {
		return err
	}
	var p oidc.Person
	where := "denied"
	if code := q.Get("code"); code != "" && q.Get("error") == "" {
		where = ""
		if p, err = s.OIDC.Finish(r.Context(), was.Flow, code); err != nil {
			where = s.platformFault(err)
		}
	}
	if where != "" {
		return s.notSignedIn(w, r, v, was.Next, s.refused(r, where))
	}
	id := auth.Identity{Issuer: s.OIDC.Issuer(), Subject: p.Subject, Login: p.Login, Factor: p.Factor}
	if was.Bind != 0 {
		return s.bound(w, r, v, was, id)
	}
	token, u, err := s.Auth.IdentitySignIn(r.Context(), id, address(r))
	if err != nil {
		return s.notSignedIn(w, r, v, was.Next, err)
	}
	return s.enter(w, r, v, token, u, was.Next)
}

// bound binds who came back to the account whose session sent the browser off.
func (s *Server) bound(w http.ResponseWriter, r *http.Request, v *viewer, was visit, id auth.Identity) error {
	if v.signed == nil || v.signed.Session != was.Bind || v.signed.Pending != "" {
		return s.notSignedIn(w, r, v, "/account/keys", s.refused(r, "session"))
	}
	return s.keysAct(w, r, v, s.Auth.BindOwn(r.Context(), v.signed, auth.Credential{Kind: auth.KindOIDC, Key: id.Key()}, address(r)))
}

// platformSignOut leads who has signed out here to where one signs out at the platform.
func (s *Server) platformSignOut(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	if s.OIDC == nil {
		return tianbao.NotFound()
	}
	to := s.OIDC.SignOut(r.Context())
	if to == "" {
		to = "/signin"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
