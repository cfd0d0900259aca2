// Package oidc signs people in at the platform's own sign-in, by OpenID Connect: the
// authorization code flow with PKCE, state and nonce.
//
// Rules: the only host that is ever called is the issuer's, over TLS but on the loopback
// (security.md, line 45); nothing is called before somebody asks to sign in, so the
// server starts while the platform is down; a token counts only with the issuer, the
// audience, the nonce and the days that were asked for, in one minute of clock skew.
//
// Danger: what the platform says is believed about who somebody is, never about what
// they may do. Its answers, codes and tokens are secrets and name people: none of them
// reaches a log or an error.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"tianbao/internal/outward"
)

// skew is by how much the platform's clock may be off.
const skew = time.Minute

// most bounds what the issuer answers.
const most = 1 << 20

// Config says at which platform people sign in.
type Config struct {
	Issuer, ClientID, Secret string
	// Redirect is the address to which the platform sends people back, PostLogout where
	// they go after they have signed out there.
	Redirect, PostLogout string
	// Claim is what names an account here: "sub", for accounts that are bound, or
	// another claim whose value is the user name.
	Claim string
	// Factors are the values of acr or amr that stand for a second factor that counts.
	Factors []string
	// Roots verify the issuer's certificate; nil: those of the system.
	Roots *x509.CertPool
	Now   func() time.Time
}

// Client is this site as the platform knows it. It is safe for concurrent use.
type Client struct {
	cfg  Config
	http *http.Client

	mu    sync.Mutex
	found *provider // nil: not asked yet
}

// provider is what the platform says of itself.
type provider struct {
	*oidc.Provider
	endSession string
}

// The errors of a sign-in, each with what is wrapped in it for the log.
var (
	// ErrUnreachable: the platform does not answer, or not as one.
	ErrUnreachable = errors.New("oidc: the platform is not to be reached")
	// ErrRefused: the platform did not take the code.
	ErrRefused = errors.New("oidc: the platform refused the code")
	// ErrToken: what the platform answered does not count.
	ErrToken = errors.New("oidc: the token does not count")
)

// New returns the client of a platform.
func New(c Config) (*Client, error) {
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("oidc: the issuer %q is not the address of one", c.Issuer)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !outward.Local(u.Hostname())) {
		return nil, fmt.Errorf("oidc: the issuer %q must begin with https://", c.Issuer)
	}
	if c.ClientID == "" || c.Redirect == "" {
		return nil, errors.New("oidc: a client id and an address to come back to are needed")
	}
	if c.Claim == "" {
		c.Claim = "sub"
	}
	base := &http.Transport{
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots},
		TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second, MaxIdleConns: 2, IdleConnTimeout: time.Minute,
		ForceAttemptHTTP2: true,
	}
	return &Client{cfg: c, http: &http.Client{
		Timeout: 15 * time.Second, Transport: &fence{base, u.Scheme, u.Host},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("oidc: the issuer sends elsewhere") },
	}}, nil
}

// fence lets requests through to one host, and bounds the answers.
type fence struct {
	base         http.RoundTripper
	scheme, host string
}

// RoundTrip implements http.RoundTripper.
func (f *fence) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != f.scheme || r.URL.Host != f.host {
		return nil, errors.New("oidc: only the issuer's own host is called")
	}
	res, err := f.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, most), res.Body}
	return res, nil
}

// provider asks the platform what it is, once it answers.
func (c *Client) provider(ctx context.Context) (*provider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found != nil {
		return c.found, nil
	}
	// The keys are fetched later with this context, which must not end with the request.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), c.http), c.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	var more struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := p.Claims(&more); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	c.found = &provider{p, more.EndSession}
	return c.found, nil
}

func (c *Client) oauth(p *provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.cfg.ClientID, ClientSecret: c.cfg.Secret, Endpoint: p.Endpoint(), RedirectURL: c.cfg.Redirect,
		Scopes: []string{oidc.ScopeOpenID, "profile"},
	}
}

// Flow is one sign-in on its way, kept until the browser comes back.
type Flow struct {
	State, Nonce, Verifier string
}

func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Begin returns the address at the platform to which the browser goes. With fresh set
// the platform asks for the password again.
func (c *Client) Begin(ctx context.Context, fresh bool) (string, Flow, error) {
	p, err := c.provider(ctx)
	if err != nil {
		return "", Flow{}, err
	}
	f := Flow{State: random(), Nonce: random(), Verifier: oauth2.GenerateVerifier()}
	opts := []oauth2.AuthCodeOption{oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)}
	if fresh {
		opts = append(opts, oauth2.SetAuthURLParam("prompt", "login"))
	}
	return c.oauth(p).AuthCodeURL(f.State, opts...), f, nil
}

// Match reports whether a state is the one that was sent out.
func (f Flow) Match(state string) bool {
	return f.State != "" && subtle.ConstantTimeCompare([]byte(f.State), []byte(state)) == 1
}

// Person is who the platform says somebody is.
type Person struct {
	Subject string
	// Login is the value of the configured claim, empty with "sub".
	Login  string
	Factor bool
}

// claims are those of a token that are looked at.
type claims struct {
	ACR   string   `json:"acr"`
	AMR   []string `json:"amr"`
	AZP   string   `json:"azp"`
	Nonce string   `json:"nonce"`
}

// Finish takes the code that the browser brought back and returns who it is.
func (c *Client) Finish(ctx context.Context, f Flow, code string) (Person, error) {
	p, err := c.provider(ctx)
	if err != nil {
		return Person{}, err
	}
	ctx = oidc.ClientContext(ctx, c.http)
	token, err := c.oauth(p).Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) { // its text may quote the answer
			return Person{}, fmt.Errorf("%w: status %d, %.40q", ErrRefused, refused.Response.StatusCode, refused.ErrorCode)
		}
		return Person{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Person{}, fmt.Errorf("%w: there is none", ErrToken)
	}
	return c.verify(ctx, p, f, raw)
}

func (c *Client) verify(ctx context.Context, p *provider, f Flow, raw string) (Person, error) {
	bad := func(why string) (Person, error) { return Person{}, fmt.Errorf("%w: %s", ErrToken, why) }
	now := c.cfg.Now()
	v := p.VerifierContext(ctx, &oidc.Config{ClientID: c.cfg.ClientID, Now: func() time.Time { return now.Add(-skew) }})
	t, err := v.Verify(ctx, raw)
	if err != nil {
		return Person{}, fmt.Errorf("%w: %s", ErrToken, reason(err))
	}
	var cl claims
	var all map[string]any
	if t.Claims(&cl) != nil || t.Claims(&all) != nil {
		return bad("its claims are of other kinds")
	}
	switch {
	case f.Nonce == "" || subtle.ConstantTimeCompare([]byte(cl.Nonce), []byte(f.Nonce)) != 1:
		return bad("it answers another question (nonce)")
	case len(t.Audience) > 1 && cl.AZP == "" || cl.AZP != "" && cl.AZP != c.cfg.ClientID:
		return bad("it was issued to another party (azp)")
	case t.IssuedAt.After(now.Add(skew)):
		return bad("it comes from the future (iat)")
	case t.Subject == "" || len(t.Subject) > 255:
		return bad("it names nobody (sub)")
	}
	out := Person{Subject: t.Subject}
	out.Factor = slices.ContainsFunc(append(cl.AMR, cl.ACR), func(s string) bool { return s != "" && slices.Contains(c.cfg.Factors, s) })
	if c.cfg.Claim != "sub" {
		name, _ := all[c.cfg.Claim].(string)
		out.Login = strings.TrimSpace(name)
	}
	return out, nil
}

// reason tells what is wrong with a token without quoting it.
func reason(err error) string {
	var expired *oidc.TokenExpiredError
	if errors.As(err, &expired) {
		return "it has expired"
	}
	for _, known := range []struct{ in, out string }{
		{"issued by a different provider", "it is of another issuer"},
		{"audience", "it is for another client"},
		{"signature", "its signature is not the issuer's"},
		{"before the nbf", "it does not count yet"},
	} {
		if strings.Contains(err.Error(), known.in) {
			return known.out
		}
	}
	return "it does not read"
}

// SignOut returns the address at the platform where somebody signs out there too, ""
// where the platform has none or does not answer.
func (c *Client) SignOut(ctx context.Context) string {
	p, err := c.provider(ctx)
	if err != nil || p.endSession == "" {
		return ""
	}
	u, err := url.Parse(p.endSession)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", c.cfg.ClientID)
	q.Set("post_logout_redirect_uri", c.cfg.PostLogout)
	u.RawQuery = q.Encode()
	return u.String()
}

// Issuer is the platform's name for itself, part of what a bound account is found by.
func (c *Client) Issuer() string { return c.cfg.Issuer }
