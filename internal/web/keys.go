package web

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/clientcert"
)

// keyLine is a credential as pages list it.
type keyLine struct {
	ID            tianbao.ID
	Kind          auth.Kind
	Name          string
	Created, Used time.Time
	Passkey       bool
}

// keysPage is the data of keys.html: by what the viewer signs in beside the password.
type keysPage struct {
	CSRF, Message  string
	Keys           []keyLine
	Pending        bool // a second factor has to be set up before anything else
	Locked         bool // it has to be shown before anything is changed
	Origin         string
	OIDC           bool // the platform's own sign-in is in use
	Gateway        bool // the gateway shows certificates
	Certificate    string
	CertificateOwn bool // it is bound to this account
	Go             string
}

func (s *Server) keyLines(cs []auth.Credential) ([]keyLine, wireKeys) {
	lines, out := make([]keyLine, len(cs)), wireKeys{Keys: []wireKey{}}
	for i, c := range cs {
		lines[i] = keyLine{c.ID, c.Kind, c.Name, c.Created, c.Used, c.Kind == auth.KindPasskey}
		out.Keys = append(out.Keys, wireKey{c.ID, string(c.Kind), c.Name, stamp(c.Created), stamp(c.Used)})
	}
	return lines, out
}

func (s *Server) keys(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.showKeys(w, r, v, nil, "")
}

// showKeys shows the page of the own credentials, with what was wrong, or with the
// address at the platform to go to.
func (s *Server) showKeys(w http.ResponseWriter, r *http.Request, v *viewer, wrong error, to string) error {
	cs, err := s.Auth.Credentials(r.Context(), v.user().ID)
	if err != nil {
		return err
	}
	p := keysPage{
		CSRF: v.signed.CSRF, Pending: v.signed.Pending != "", Origin: s.passkeyOrigin(),
		OIDC: s.OIDC != nil, Gateway: s.Certificates != nil, Go: to,
		Locked: v.signed.Factor && !s.Auth.SteppedUp(v.signed),
	}
	var out wireKeys
	p.Keys, out = s.keyLines(cs)
	if p.Gateway {
		p.Certificate = s.certificate(r)
		for _, c := range cs {
			p.CertificateOwn = p.CertificateOwn || c.Kind == auth.KindCertificate && c.Key == p.Certificate
		}
	}
	if wrong != nil {
		e := asError(wrong)
		p.Message = e.Message
		s.page(w, r, v, statuses[e.Kind], "keys.html", "登录方式", &p)
		return nil
	}
	return s.answer(w, r, v, out, "keys.html", "登录方式", &p)
}

// keysAct ends an act on the own credentials: with the page again where the input was
// wrong.
func (s *Server) keysAct(w http.ResponseWriter, r *http.Request, v *viewer, err error) error {
	if err != nil {
		if retry(r, err) {
			return s.showKeys(w, r, v, err, "")
		}
		return err
	}
	return s.done(w, r, wireDone{true}, "/account/keys")
}

func (s *Server) renameKey(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireKeyName
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "key")
	if err == nil {
		err = s.Auth.Rename(r.Context(), v.signed, id, strings.TrimSpace(in.Name), address(r))
	}
	return s.keysAct(w, r, v, err)
}

func (s *Server) removeKey(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "key")
	if err == nil {
		err = s.Auth.Unbind(r.Context(), v.signed, id, address(r))
	}
	return s.keysAct(w, r, v, err)
}

// bindUserKey lets an administrator bind what somebody cannot bind alone: an account at
// the platform by its subject, a certificate by its fingerprint.
func (s *Server) bindUserKey(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireBind
	if err := read(r, &in); err != nil {
		return err
	}
	u, err := s.pathUser(r)
	if err != nil {
		return err
	}
	c := auth.Credential{Kind: auth.Kind(in.Kind)}
	value := strings.TrimSpace(in.Value)
	switch {
	case c.Kind == auth.KindOIDC && s.OIDC != nil:
		if value == "" || len(value) > 255 {
			err = tianbao.Invalid("bad_subject", "请填写统一平台给出的用户标识（sub），最长 255 个字符。")
		}
		c.Key = auth.Identity{Issuer: s.OIDC.Issuer(), Subject: value}.Key()
	case c.Kind == auth.KindCertificate && s.Certificates != nil:
		if c.Key = clientcert.ReadFingerprint(value); c.Key == "" {
			err = tianbao.Invalid("bad_fingerprint", "请填写证书的 SM3 指纹，64 位十六进制数字。")
		}
	default:
		err = tianbao.Invalid("bad_kind", "本系统没有启用这种登录方式。")
	}
	if err == nil {
		err = s.Auth.BindUser(r.Context(), v.by(r), u.ID, c)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/users/"+u.ID.String()+"/sessions")
}

func (s *Server) removeUserKey(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	u, err := s.pathUser(r)
	if err != nil {
		return err
	}
	id, err := pathID(r, "key")
	if err != nil {
		return err
	}
	if u.ID == v.user().ID {
		return tianbao.Invalid("own_account", "自己的登录方式请在“登录方式”页面中解除。")
	}
	if err := s.Auth.UnbindUser(r.Context(), v.by(r), u.ID, id); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/users/"+u.ID.String()+"/sessions")
}

// bindCertificate binds the certificate that the gateway shows to the own account.
func (s *Server) bindCertificate(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	shown := s.certificate(r)
	if shown == "" {
		return s.keysAct(w, r, v, errNoCertificate())
	}
	return s.keysAct(w, r, v, s.Auth.BindOwn(r.Context(), v.signed, auth.Credential{Kind: auth.KindCertificate, Key: shown}, address(r)))
}

func errNoCertificate() error {
	return tianbao.Invalid("no_certificate", "没有读到 USB 密钥中的证书，请插好密钥，关闭浏览器重新打开后再试。")
}

// verifyCertificate takes the certificate as the second factor.
func (s *Server) verifyCertificate(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireNext
	if err := read(r, &in); err != nil {
		return err
	}
	token, err := "", errNoCertificate()
	if shown := s.certificate(r); shown != "" {
		token, err = s.Auth.VerifyCertificate(r.Context(), v.signed, v.token, shown, address(r))
	}
	return s.verified(w, r, v, token, in.Next, err)
}

// verified ends the showing of a second factor.
func (s *Server) verified(w http.ResponseWriter, r *http.Request, v *viewer, token, next string, err error) error {
	if err != nil {
		if retry(r, err) {
			return s.showVerify(w, r, v, localPath(next), err)
		}
		return err
	}
	if err := s.renew(w, r, v, token); err != nil {
		return err
	}
	return s.done(w, r, toSession(v.user(), v.signed), localPath(next))
}

// certificate is the fingerprint of the certificate that a trusted gateway has shown,
// empty: none that counts.
func (s *Server) certificate(r *http.Request) string {
	if s.Certificates == nil {
		return ""
	}
	values := r.Header.Values(s.CertificateHeader) // of others than gateways known has dropped it
	if len(values) != 1 || values[0] == "" {
		return ""
	}
	shown, err := s.Certificates.Fingerprint(values[0])
	if err != nil {
		if !errors.Is(err, clientcert.ErrUnread) {
			s.Log.Error("a certificate was not read", "err", err)
		} else {
			s.Log.Warn("the gateway shows a certificate that does not count", "why", err)
		}
		return ""
	}
	return shown
}

// dropCertificate takes the header off a request that does not come from a gateway.
func (s *Server) dropCertificate(r *http.Request, trusted bool, from string) {
	if s.CertificateHeader == "" || trusted || len(r.Header.Values(s.CertificateHeader)) == 0 {
		return
	}
	r.Header.Del(s.CertificateHeader)
	s.Log.Warn("the header of a client certificate comes from an address that no --trusted-proxy names; it was dropped", "from", from)
}
