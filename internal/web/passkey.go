package web

import (
	"net/http"

	"tianbao"
	"tianbao/internal/auth"
)

// flowCookie holds the secret under which a sign-in on its way is found again: a passkey
// to be shown, or a visit to the platform.
const flowCookie = "__Host-tianbao-flow"

func setFlow(w http.ResponseWriter, secret string) {
	c := &http.Cookie{
		Name: flowCookie, Value: secret, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		MaxAge: int(auth.CeremonyLife.Seconds()),
	}
	if secret == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// takeFlow returns the secret and forgets it.
func takeFlow(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(flowCookie)
	if err != nil {
		return ""
	}
	setFlow(w, "")
	return clip(c.Value, 100)
}

// passkeyOrigin is the address that passkeys are for, empty: they are not in use.
func (s *Server) passkeyOrigin() string {
	if s.Auth.Passkeys == nil {
		return ""
	}
	return s.Auth.Passkeys.Origin
}

func (s *Server) passkeyOptions(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	options, err := s.Auth.StartPasskey(r.Context(), v.signed, v.token)
	if err != nil {
		return err
	}
	return s.json(w, http.StatusOK, wireCeremony{options})
}

func (s *Server) addPasskey(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wirePasskey
	if err := read(r, &in); err != nil {
		return err
	}
	token, codes, err := s.Auth.AddPasskey(r.Context(), v.signed, v.token, in.Name, in.Response, address(r))
	if err != nil {
		return s.keysAct(w, r, v, err)
	}
	if err := s.renew(w, r, v, token); err != nil {
		return err
	}
	if codes == nil && !wantsJSON(r) {
		return s.keysAct(w, r, v, nil)
	}
	if codes == nil {
		codes = []string{}
	}
	return s.answer(w, r, v, wireRecovery{codes, v.signed.CSRF}, "recovery.html", "恢复码", &recoveryPage{codes, true})
}

func (s *Server) verifyOptions(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	options, err := s.Auth.StartVerify(r.Context(), v.signed, v.token)
	if err != nil {
		return err
	}
	return s.json(w, http.StatusOK, wireCeremony{options})
}

func (s *Server) verifyPasskey(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireAssertion
	if err := read(r, &in); err != nil {
		return err
	}
	token, err := s.Auth.VerifyPasskey(r.Context(), v.signed, v.token, in.Response, address(r))
	return s.verified(w, r, v, token, in.Next, err)
}

func (s *Server) signinOptions(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	secret, options, err := s.Auth.StartPasskeySignIn(r.Context())
	if err != nil {
		return err
	}
	setFlow(w, secret)
	return s.json(w, http.StatusOK, wireCeremony{options})
}

func (s *Server) signinPasskey(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireAssertion
	if err := read(r, &in); err != nil {
		return err
	}
	token, u, err := s.Auth.PasskeySignIn(r.Context(), takeFlow(w, r), in.Response, address(r))
	if err != nil {
		return s.notSignedIn(w, r, v, localPath(in.Next), err)
	}
	return s.enter(w, r, v, token, u, localPath(in.Next))
}

// notSignedIn shows the sign-in page again with what was wrong.
func (s *Server) notSignedIn(w http.ResponseWriter, r *http.Request, v *viewer, next string, err error) error {
	e := asError(err)
	if wantsJSON(r) || e.Kind == tianbao.ErrInternal {
		return err
	}
	s.page(w, r, v, statuses[e.Kind], "signin.html", "登录", s.signinData(&signinPageData{Next: next, Message: e.Message}))
	return nil
}

// enter goes on under a new session. The one before ends.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, v *viewer, token string, u tianbao.User, next string) error {
	if v.token != "" {
		if err := s.Auth.SignOut(r.Context(), v.token, v.user().ID, address(r)); err != nil {
			return err
		}
	}
	setCookie(w, token)
	signed, err := s.Auth.Resume(r.Context(), token)
	if err != nil {
		return err
	}
	return s.done(w, r, toSession(u, signed), next)
}
