package web

import (
	"net/http"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/auth"
)

// 接口令牌: what other systems ask with. The security administrator makes and ends them, as
// every right; a token is shown once.

// tokenPage is how many tokens the page lists.
const tokenPage = 200

// tokenRoutes lists the routes of service tokens.
func (s *Server) tokenRoutes() []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		{get, "/tokens", grantors, s.tokens, "serviceTokens", "Service tokens: what other systems ask with, the newest first", nil, wireTokens{}, false, 0},
		{post, "/tokens", grantors, s.makeToken, "makeServiceToken", "Make a token for some verbs over a unit's subtree, until a day; answers it once; asks for the second factor", wireTokenAdd{}, wireNewToken{}, false, 4 << 10},
		{post, "/tokens/{service}/end", grantors, s.endToken, "endServiceToken", "Take a token back", wireEmpty{}, wireDone{}, false, 4 << 10},
		{get, "/service", anyService, s.service, "service", "What the token that asks may do", nil, wireToken{}, false, 0},
	}
}

// anyService is the rule for whatever token works.
var anyService = serving("")

// serving is the rule that asks for a service token with a verb; the empty verb is any.
func serving(verb auth.Verb) rule {
	name := "service"
	if verb != "" {
		name += "-" + string(verb)
	}
	return rule{name: name, service: true, allow: func(s *Server, r *http.Request, v *viewer) error {
		scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			// Programs like Excel ask for a user and a password: the token is the password.
			_, secret, _ = r.BasicAuth()
		}
		var err error
		v.service, err = s.Auth.Serviced(r.Context(), strings.TrimSpace(secret), verb)
		if tianbao.KindOf(err) != tianbao.ErrForbidden {
			return err
		}
		e := tianbao.Event{Owner: v.service.Unit, From: address(r), What: "denied", Object: string(verb), Result: tianbao.ResultDenied, Detail: "token=" + v.service.ID.String()}
		if rerr := s.Auth.Record(r.Context(), e); rerr != nil {
			return rerr
		}
		return err
	}}
}

// failService answers a program with an error: never a page, never a way to sign in.
func (s *Server) failService(rl *rule, w http.ResponseWriter, r *http.Request, err error) {
	e := asError(err)
	if e.Kind == tianbao.ErrUnsigned {
		w.Header().Set("WWW-Authenticate", `Bearer realm="tianbao"`)
		w.Header().Add("WWW-Authenticate", `Basic realm="tianbao", charset="UTF-8"`)
	}
	if rl.fail != nil {
		s.failLog(r, e, err)
		rl.fail(w, r, e)
		return
	}
	r.Header.Set("Accept", "application/json")
	s.fail(w, r, err)
}

// tokensPage is the data of tokens.html.
type tokensPage struct {
	CSRF    string
	Message string
	Tokens  []auth.ServiceToken
	Verbs   []auth.Verb
	Add     wireTokenAdd
	Now     time.Time
}

// State says how a token stands.
func (p *tokensPage) State(t auth.ServiceToken) string { return tokenState(&t, p.Now) }

// Works reports whether a token works.
func (p *tokensPage) Works(t auth.ServiceToken) bool { return t.Works(p.Now) }

// Chosen reports whether a verb was ticked.
func (p *tokensPage) Chosen(v auth.Verb) bool {
	return len(p.Verbs) == 1 || strings.Contains(" "+p.Add.Verbs+" ", " "+string(v)+" ")
}

func tokenState(t *auth.ServiceToken, now time.Time) string {
	switch {
	case t.Altered:
		return "记录被动过，不起作用"
	case !t.Ended.IsZero():
		return "已停用"
	case !now.Before(t.Expires):
		return "已过期"
	case t.UnitPath == "":
		return "单位已撤销，不起作用"
	}
	return "有效"
}

// newTokenPage is the data of newtoken.html: the only time it is shown.
type newTokenPage struct {
	Token  auth.ServiceToken
	Secret string
}

type wireTokens struct {
	Tokens []wireToken `json:"tokens"`
}

type wireToken struct {
	ID       tianbao.ID `json:"id"`
	Name     string     `json:"name"`
	Verbs    []string   `json:"verbs"`
	Unit     tianbao.ID `json:"unit"`
	UnitName string     `json:"unit_name"`
	By       string     `json:"by,omitempty"`
	Created  string     `json:"created"`
	Expires  string     `json:"expires"`
	Used     string     `json:"used,omitempty"`
	State    string     `json:"state"`
}

type wireTokenAdd struct {
	Name  string `json:"name"`  // what system it is for
	Unit  string `json:"unit"`  // id, organisation code or budget code
	Verbs string `json:"verbs"` // parted by blanks
	To    string `json:"to"`    // the last day
}

type wireNewToken struct {
	wireToken
	Token string `json:"token"` // sent as Authorization: Bearer
}

func toToken(t *auth.ServiceToken, now time.Time) wireToken {
	out := wireToken{
		ID: t.ID, Name: t.Name, Verbs: []string{}, Unit: t.Unit, UnitName: t.UnitName, By: t.ByName,
		Created: stamp(t.Created), Expires: stamp(t.Expires), Used: stamp(t.Used), State: tokenState(t, now),
	}
	for _, v := range t.Verbs {
		out.Verbs = append(out.Verbs, string(v))
	}
	return out
}

func (s *Server) tokens(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.tokenList(w, r, v, http.StatusOK, &tokensPage{})
}

func (s *Server) tokenList(w http.ResponseWriter, r *http.Request, v *viewer, status int, p *tokensPage) error {
	p.CSRF, p.Verbs, p.Now = v.signed.CSRF, auth.Verbs(), s.Now()
	var err error
	if p.Tokens, err = s.Auth.ServiceTokens(r.Context(), tokenPage); err != nil {
		return err
	}
	if wantsJSON(r) {
		out := wireTokens{Tokens: []wireToken{}}
		for i := range p.Tokens {
			out.Tokens = append(out.Tokens, toToken(&p.Tokens[i], p.Now))
		}
		return s.json(w, http.StatusOK, out)
	}
	s.page(w, r, v, status, "tokens.html", "接口令牌", p)
	return nil
}

func (s *Server) makeToken(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireTokenAdd
	if err := read(r, &in); err != nil {
		return err
	}
	if all := r.PostForm["verbs"]; len(all) > 1 {
		in.Verbs = strings.Join(all, " ")
	}
	if err := s.needFactor(v); err != nil {
		return err
	}
	t, secret, err := s.tokenOf(r, v, &in)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		return s.tokenList(w, r, v, http.StatusBadRequest, &tokensPage{Message: asError(err).Message, Add: in})
	}
	t.ByName = v.user().Name
	return s.answer(w, r, v, wireNewToken{toToken(&t, s.Now()), secret}, "newtoken.html", "接口令牌", &newTokenPage{t, secret})
}

// tokenOf makes the token that was asked for.
func (s *Server) tokenOf(r *http.Request, v *viewer, in *wireTokenAdd) (t auth.ServiceToken, secret string, err error) {
	if t.Expires, err = dayOf(in.To); err != nil {
		return t, "", err
	}
	if !t.Expires.IsZero() {
		t.Expires = t.Expires.AddDate(0, 0, 1)
	}
	unit, err := s.unitByKey(r, strings.TrimSpace(in.Unit))
	if err != nil {
		return t, "", err
	}
	t.Name, t.Unit, t.UnitPath, t.UnitName = in.Name, unit.ID, unit.Path, unit.Name
	for _, verb := range strings.Fields(in.Verbs) {
		t.Verbs = append(t.Verbs, auth.Verb(verb))
	}
	return s.Auth.MakeServiceToken(r.Context(), v.by(r), t)
}

func (s *Server) endToken(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "service")
	if err != nil {
		return err
	}
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	if err := s.Auth.EndServiceToken(r.Context(), v.by(r), id); err != nil {
		return err
	}
	return s.done(w, r, wireDone{Done: true}, "/tokens")
}

// service tells a program what its token may do, for who sets it up.
func (s *Server) service(w http.ResponseWriter, _ *http.Request, v *viewer) error {
	return s.json(w, http.StatusOK, toToken(&v.service, s.Now()))
}
