package web

import (
	"net/http"
	"slices"

	"tianbao"
	"tianbao/internal/auth"
)

// sessionsPage is the data of sessions.html: the own sessions, or an account's.
type sessionsPage struct {
	CSRF     string
	Name     string // of the account's owner, empty: the own
	Self     tianbao.ID
	Sessions []auth.Session
	End      string // path to end them
	Drop     string // path to remove the account's second factor, empty: it has none
	Keys     []keyLine
	KeysOf   string // path of the account's credentials, empty: the own
	OIDC     bool
	Gateway  bool
	Most     int
}

func (s *Server) ownSessions(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.sessions(w, r, v, v.user(), &sessionsPage{End: "/account/sessions/end"})
}

func (s *Server) userSessions(w http.ResponseWriter, r *http.Request, v *viewer) error {
	u, err := s.pathUser(r)
	if err != nil {
		return err
	}
	p := sessionsPage{Name: u.Name, End: "/users/" + u.ID.String() + "/sessions/end", OIDC: s.OIDC != nil, Gateway: s.Certificates != nil}
	if u.ID != v.user().ID {
		p.KeysOf = "/users/" + u.ID.String() + "/keys"
	}
	cs, err := s.Auth.Credentials(r.Context(), u.ID)
	if err != nil {
		return err
	}
	p.Keys, _ = s.keyLines(cs)
	st, err := s.Auth.FactorState(r.Context(), &u)
	if err != nil {
		return err
	}
	if (!st.Set.IsZero() || st.Keys > 0) && u.ID != v.user().ID {
		p.Drop = "/users/" + u.ID.String() + "/factor/remove"
	}
	return s.sessions(w, r, v, u, &p)
}

func (s *Server) sessions(w http.ResponseWriter, r *http.Request, v *viewer, u tianbao.User, p *sessionsPage) error {
	list, err := s.Auth.Sessions(r.Context(), u.ID)
	if err != nil {
		return err
	}
	p.CSRF, p.Self, p.Sessions, p.Most = v.signed.CSRF, v.signed.Session, list, s.Auth.Policy.Sessions
	out := wireSessions{Name: u.Name, Sessions: []wireLiveSession{}}
	for _, l := range list {
		out.Sessions = append(out.Sessions, wireLiveSession{l.ID, stamp(l.Created), stamp(l.Seen), l.Address, string(l.Method), l.ID == p.Self})
	}
	return s.answer(w, r, v, out, "sessions.html", "登录记录", p)
}

func (s *Server) endOwnSession(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.endSession(w, r, v, v.user().ID, "/account/sessions")
}

func (s *Server) endUserSession(w http.ResponseWriter, r *http.Request, v *viewer) error {
	u, err := s.pathUser(r)
	if err != nil {
		return err
	}
	return s.endSession(w, r, v, u.ID, "/users/"+u.ID.String()+"/sessions")
}

// endSession ends the session that is named, or all but the viewer's own.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request, v *viewer, user tianbao.ID, back string) error {
	var in wireEndSession
	err := read(r, &in)
	switch {
	case err != nil:
	case in.Session != 0:
		err = s.Auth.EndSession(r.Context(), v.by(r), user, in.Session)
	default:
		err = s.Auth.EndSessions(r.Context(), v.by(r), user, v.signed.Session)
	}
	if err != nil {
		return err
	}
	defer s.live.look() // streams of sessions that ended end
	return s.done(w, r, wireDone{true}, back)
}

// pathUser is the account of {user} in the path.
func (s *Server) pathUser(r *http.Request) (tianbao.User, error) {
	id, err := pathID(r, "user")
	if err != nil {
		return tianbao.User{}, err
	}
	return s.Auth.User(r.Context(), id)
}

// factorPage is the data of factor.html.
type factorPage struct {
	auth.FactorState
	CSRF    string
	Message string
	Pending bool // it has to be set up before anything else
	Stepped bool
	URI     string
	Secret  string
	QR      qrImage
}

func (s *Server) factor(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.showFactor(w, r, v, nil)
}

// showFactor shows the page of the second factor, with what was wrong.
func (s *Server) showFactor(w http.ResponseWriter, r *http.Request, v *viewer, wrong error) error {
	u := v.user()
	st, err := s.Auth.FactorState(r.Context(), &u)
	if err != nil {
		return err
	}
	p := factorPage{FactorState: st, CSRF: v.signed.CSRF, Pending: v.signed.Pending != "", Stepped: s.Auth.SteppedUp(v.signed)}
	out := wireFactor{Set: stamp(st.Set), Required: st.Required, Recovery: st.Recovery}
	if st.Secret != nil && (!v.signed.Factor || p.Stepped) {
		p.Secret, p.URI = auth.Secret32(st.Secret), auth.OTPAuth(u.Login, st.Secret)
		if p.QR, err = newQR(p.URI); err != nil {
			return err
		}
		out.Secret, out.URI = p.Secret, p.URI
	}
	if wrong != nil {
		e := asError(wrong)
		p.Message = e.Message
		s.page(w, r, v, statuses[e.Kind], "factor.html", "第二因素", &p)
		return nil
	}
	return s.answer(w, r, v, out, "factor.html", "第二因素", &p)
}

// again reports whether a form is shown again with what was wrong: to a browser, where the
// error is of one of the kinds that are of its input.
func again(r *http.Request, err error, kinds ...tianbao.ErrKind) bool {
	return err != nil && !wantsJSON(r) && slices.Contains(kinds, tianbao.KindOf(err))
}

// retry is again for what is asked of the own account, where tries are counted.
func retry(r *http.Request, err error) bool {
	return again(r, err, tianbao.ErrInvalid, tianbao.ErrTooMany, tianbao.ErrConflict)
}

func (s *Server) startFactor(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	if err := s.Auth.StartFactor(r.Context(), v.signed); err != nil {
		return err
	}
	if wantsJSON(r) {
		return s.showFactor(w, r, v, nil)
	}
	http.Redirect(w, r, "/account/factor", http.StatusSeeOther)
	return nil
}

// recoveryPage is the data of recovery.html: the only time the codes are shown.
type recoveryPage struct {
	Codes []string
	First bool
}

func (s *Server) confirmFactor(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireCode
	if err := read(r, &in); err != nil {
		return err
	}
	token, codes, err := s.Auth.ConfirmFactor(r.Context(), v.signed, v.token, in.Code, address(r))
	if err != nil {
		if retry(r, err) {
			return s.showFactor(w, r, v, err)
		}
		return err
	}
	if err := s.renew(w, r, v, token); err != nil {
		return err
	}
	return s.answer(w, r, v, wireRecovery{codes, v.signed.CSRF}, "recovery.html", "恢复码", &recoveryPage{codes, true})
}

// renew goes on under the session's new token.
func (s *Server) renew(w http.ResponseWriter, r *http.Request, v *viewer, token string) error {
	setCookie(w, token)
	signed, err := s.Auth.Resume(r.Context(), token)
	if err != nil {
		return err
	}
	v.signed, v.token = signed, token
	return nil
}

func (s *Server) newRecovery(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	codes, err := s.Auth.NewRecovery(r.Context(), v.signed, address(r))
	if err != nil {
		return err
	}
	return s.answer(w, r, v, wireRecovery{codes, v.signed.CSRF}, "recovery.html", "恢复码", &recoveryPage{codes, false})
}

func (s *Server) dropFactor(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	if err := s.Auth.DropOwnFactor(r.Context(), v.signed, address(r)); err != nil {
		if retry(r, err) {
			return s.showFactor(w, r, v, err)
		}
		return err
	}
	setCookie(w, "")
	return s.done(w, r, wireDone{true}, "/signin")
}

// dropUserFactor is for who has lost the authenticator and the recovery codes.
func (s *Server) dropUserFactor(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	u, err := s.pathUser(r)
	if err != nil {
		return err
	}
	if u.ID == v.user().ID {
		return tianbao.Invalid("own_account", "不能取消自己的第二因素，请由另一位系统管理员操作，或用恢复码登录后换一个。")
	}
	if err := s.Auth.DropFactor(r.Context(), v.by(r), u.ID); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/users")
}

// verifyPage is the data of verify.html.
type verifyPage struct {
	CSRF, Next, Message string
	Code                bool   // the account has an authenticator with codes
	Passkey             string // the address that passkeys are for, empty: the account has none
	Gateway             bool   // the gateway shows certificates, and the account has one
}

// showVerify asks for the second factor, with what was wrong.
func (s *Server) showVerify(w http.ResponseWriter, r *http.Request, v *viewer, next string, wrong error) error {
	p, status := verifyPage{CSRF: v.signed.CSRF, Next: next}, http.StatusOK
	u := v.user()
	st, err := s.Auth.FactorState(r.Context(), &u)
	if err != nil {
		return err
	}
	cs, err := s.Auth.Credentials(r.Context(), u.ID)
	if err != nil {
		return err
	}
	p.Code = !st.Set.IsZero()
	for _, c := range cs {
		switch c.Kind {
		case auth.KindPasskey:
			p.Passkey = s.passkeyOrigin()
		case auth.KindCertificate:
			p.Gateway = s.Certificates != nil
		}
	}
	if wrong != nil {
		e := asError(wrong)
		p.Message, status = e.Message, statuses[e.Kind]
	}
	s.page(w, r, v, status, "verify.html", "验证第二因素", &p)
	return nil
}

func (s *Server) verifyFactorPage(w http.ResponseWriter, r *http.Request, v *viewer) error {
	next := localPath(r.URL.Query().Get("next"))
	if !v.signed.Factor {
		http.Redirect(w, r, "/account/factor", http.StatusSeeOther)
		return nil
	}
	return s.showVerify(w, r, v, next, nil)
}

func (s *Server) verifyFactor(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireCode
	if err := read(r, &in); err != nil {
		return err
	}
	token, err := s.Auth.VerifyFactor(r.Context(), v.signed, v.token, clip(in.Code, 40), address(r))
	return s.verified(w, r, v, token, in.Next, err)
}
