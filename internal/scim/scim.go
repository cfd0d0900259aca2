// Package scim is the client of a SCIM 2.0 service (RFC 7643, RFC 7644) that keeps the
// accounts of the new platform: it makes accounts, changes single attributes and lists.
//
// Rules: nothing but the address that the operator names is ever called (security.md,
// line 45): redirects are refused, no proxy of the environment is used, and it begins with
// https:// but on the loopback. An account is known by its externalId, which is ours: it is
// looked for before it is made, so that an answer that was lost never makes a second one.
// What the service will never take is told from what may be tried again.
//
// Danger: requests have names and phones. Errors bear a status and never a body or address.
package scim

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"tianbao/internal/outward"
)

// The names of SCIM.
const (
	userSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	patchSchema      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	mediaType        = "application/scim+json"
)

const (
	tries    = 3
	maxBody  = 8 << 20
	pageSize = 100
	maxPages = 100_000
	maxWait  = 10 * time.Second
)

// Config says where the service is.
type Config struct {
	URL   string // up to /v2
	Token string
	// Roots verify the service's certificate; nil: those of the system.
	Roots *x509.CertPool
	// Timeout bounds one request; 0: half a minute.
	Timeout time.Duration
	// Pause is how long it waits before it tries again; 0: a second.
	Pause time.Duration
}

// Client asks a service. It is safe for concurrent use.
type Client struct {
	cfg  Config
	base string
	http *http.Client

	mu     sync.Mutex
	limits *Limits // nil: not known yet
}

// User is what the platform knows of an account.
type User struct {
	ID          string // the service's
	ExternalID  string // ours
	UserName    string
	DisplayName string
	Active      bool
	Phone       string // empty: none
	// Organization, Department and Division are the home unit's name, budget code and
	// organisation code.
	Organization, Department, Division string
}

// Error is what kept the service from doing what it was asked.
type Error struct {
	Status int
	err    error
}

// Error names the status.
func (e *Error) Error() string {
	if e.err != nil {
		return "scim: " + e.err.Error()
	}
	return fmt.Sprintf("scim: the service answered %d", e.Status)
}

// Unwrap returns the error of the network.
func (e *Error) Unwrap() error { return e.err }

// Permanent reports whether the service will never take this. What the operator can set
// right (401, 403, 405) is tried again.
func (e *Error) Permanent() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// New returns the client of a service.
func New(c Config) (*Client, error) {
	u, err := outward.CheckURL(c.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("scim: %w", err)
	case u.RawQuery != "":
		return nil, errors.New("scim: the address is not one")
	case c.Token == "" || strings.ContainsAny(c.Token, " \r\n"):
		return nil, errors.New("scim: the token is not one")
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Pause == 0 {
		c.Pause = time.Second
	}
	return &Client{cfg: c, base: strings.TrimSuffix(c.URL, "/"), http: outward.Client(c.Roots, c.Timeout)}, nil
}

// wireUser is a user as the service writes it.
type wireUser struct {
	Schemas     []string        `json:"schemas,omitempty"`
	ID          string          `json:"id,omitempty"`
	ExternalID  string          `json:"externalId,omitempty"`
	UserName    string          `json:"userName"`
	DisplayName string          `json:"displayName,omitempty"`
	Name        *wireName       `json:"name,omitempty"`
	Active      *bool           `json:"active,omitempty"`
	Phones      []wirePhone     `json:"phoneNumbers,omitempty"`
	Enterprise  *wireEnterprise `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,omitempty"`
}

type wireName struct {
	Formatted string `json:"formatted,omitempty"`
}

type wirePhone struct {
	Value   string `json:"value"`
	Type    string `json:"type,omitempty"`
	Primary bool   `json:"primary,omitempty"`
}

type wireEnterprise struct {
	Organization string `json:"organization,omitempty"`
	Department   string `json:"department,omitempty"`
	Division     string `json:"division,omitempty"`
}

type wireList struct {
	TotalResults int        `json:"totalResults"`
	Resources    []wireUser `json:"Resources"`
}

type wirePatch struct {
	Schemas    []string        `json:"schemas"`
	Operations []wireOperation `json:"Operations"`
}

type wireOperation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

func toWire(u *User) *wireUser {
	w := &wireUser{
		Schemas: []string{userSchema, enterpriseSchema}, ExternalID: u.ExternalID, UserName: u.UserName, DisplayName: u.DisplayName,
		Name: &wireName{u.DisplayName}, Active: &u.Active, Enterprise: &wireEnterprise{u.Organization, u.Department, u.Division},
	}
	if u.Phone != "" {
		w.Phones = []wirePhone{{u.Phone, "mobile", true}}
	}
	return w
}

func (w *wireUser) user() *User {
	u := &User{ID: w.ID, ExternalID: w.ExternalID, UserName: w.UserName, DisplayName: w.DisplayName, Active: w.Active == nil || *w.Active}
	for _, p := range w.Phones {
		if u.Phone == "" || p.Type == "mobile" {
			u.Phone = p.Value
		}
	}
	if e := w.Enterprise; e != nil {
		u.Organization, u.Department, u.Division = e.Organization, e.Department, e.Division
	}
	return u
}

// Put makes a user be as told and returns the service's id: the one with the id, where it is
// known, or with the externalId, or a new one. Asking again changes nothing.
func (c *Client) Put(ctx context.Context, u *User) (id string, err error) {
	var have *User
	if u.ID != "" {
		var w wireUser
		if err := c.ask(ctx, http.MethodGet, "/Users/"+url.PathEscape(u.ID), nil, &w); err != nil {
			return "", err
		}
		have = w.user()
	} else if have, err = c.find(ctx, u.ExternalID); err != nil {
		return "", err
	}
	if have == nil {
		if id, have, err = c.create(ctx, u); err != nil || have == nil {
			return id, err
		}
	}
	return have.ID, c.patch(ctx, have, u)
}

// find returns the user with an externalId, nil: there is none.
func (c *Client) find(ctx context.Context, external string) (*User, error) {
	quoted, err := json.Marshal(external)
	if err != nil {
		return nil, errors.New("scim: an id cannot be encoded")
	}
	var l wireList
	if err := c.ask(ctx, http.MethodGet, "/Users?filter="+url.QueryEscape("externalId eq "+string(quoted)), nil, &l); err != nil {
		return nil, err
	}
	for i := range l.Resources {
		if l.Resources[i].ExternalID == external {
			return l.Resources[i].user(), nil
		}
	}
	return nil, nil
}

// create makes a user. An answer that was lost may have made it, so it is looked for before
// it is tried again; have is set where it was there.
func (c *Client) create(ctx context.Context, u *User) (id string, have *User, err error) {
	for try := 1; ; try++ {
		var w wireUser
		err = c.once(ctx, http.MethodPost, "/Users", toWire(u), &w)
		var e *Error
		switch {
		case err == nil && w.ID != "":
			return w.ID, nil, nil
		case err == nil:
			err = &Error{err: errors.New("the service made a user without an id")}
		case !errors.As(err, &e):
			return "", nil, err
		case e.Permanent() && e.Status != http.StatusConflict:
			return "", nil, err
		}
		if have, ferr := c.find(ctx, u.ExternalID); ferr != nil || have != nil {
			return "", have, ferr
		}
		if e != nil && e.Permanent() || try == tries {
			return "", nil, err
		}
		if werr := c.wait(ctx, err); werr != nil {
			return "", nil, werr
		}
	}
}

// patch changes the attributes that differ, and none else.
func (c *Client) patch(ctx context.Context, have, want *User) error {
	var ops []wireOperation
	set := func(path string, have, want string) {
		switch {
		case have == want:
		case want == "":
			ops = append(ops, wireOperation{Op: "remove", Path: path})
		default:
			ops = append(ops, wireOperation{"replace", path, want})
		}
	}
	set("userName", have.UserName, want.UserName)
	if have.DisplayName != want.DisplayName {
		set("displayName", have.DisplayName, want.DisplayName)
		set("name.formatted", have.DisplayName, want.DisplayName)
	}
	if have.Active != want.Active {
		ops = append(ops, wireOperation{"replace", "active", want.Active})
	}
	switch {
	case have.Phone == want.Phone:
	case want.Phone == "":
		ops = append(ops, wireOperation{Op: "remove", Path: "phoneNumbers"})
	default:
		ops = append(ops, wireOperation{"replace", "phoneNumbers", []wirePhone{{want.Phone, "mobile", true}}})
	}
	set(enterpriseSchema+":organization", have.Organization, want.Organization)
	set(enterpriseSchema+":department", have.Department, want.Department)
	set(enterpriseSchema+":division", have.Division, want.Division)
	if len(ops) == 0 {
		return nil
	}
	return c.ask(ctx, http.MethodPatch, "/Users/"+url.PathEscape(have.ID), wirePatch{[]string{patchSchema}, ops}, nil)
}

// List goes through all users.
func (c *Client) List(ctx context.Context, fn func(u *User) error) error {
	start := 1
	for range maxPages {
		var l wireList
		if err := c.ask(ctx, http.MethodGet, fmt.Sprintf("/Users?startIndex=%d&count=%d", start, pageSize), nil, &l); err != nil {
			return err
		}
		for i := range l.Resources {
			if err := fn(l.Resources[i].user()); err != nil {
				return err
			}
		}
		if start += len(l.Resources); len(l.Resources) == 0 || start > l.TotalResults {
			return nil
		}
	}
	return &Error{err: errors.New("the list does not end")}
}

// ask is once for what may be asked again.
func (c *Client) ask(ctx context.Context, method, path string, in, out any) error {
	for try := 1; ; try++ {
		err := c.once(ctx, method, path, in, out)
		var e *Error
		if err == nil || !errors.As(err, &e) || e.Permanent() || e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || try == tries {
			return err
		}
		if err := c.wait(ctx, err); err != nil {
			return err
		}
	}
}

// busy is an error that says when to come back.
type busy struct{ after time.Duration }

func (b busy) Error() string { return "the service is busy" }

func (c *Client) wait(ctx context.Context, err error) error {
	pause := c.cfg.Pause
	if b := (busy{}); errors.As(err, &b) && b.after > 0 {
		pause = min(b.after, maxWait)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}

// once sends one request.
func (c *Client) once(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return errors.New("scim: a request cannot be encoded")
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return errors.New("scim: a request cannot be made")
	}
	r.Header.Set("Authorization", "Bearer "+c.cfg.Token)
	r.Header.Set("Accept", mediaType)
	r.Header.Set("User-Agent", "tianbao")
	if in != nil {
		r.Header.Set("Content-Type", mediaType)
	}
	res, err := c.http.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, whose filter may name somebody
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &Error{err: err}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case err != nil:
		return &Error{err: errors.New("the answer broke off")}
	case len(b) > maxBody:
		return &Error{err: errors.New("the answer is too long")}
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable:
		after, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return &Error{Status: res.StatusCode, err: busy{time.Duration(min(max(after, 0), 3600)) * time.Second}}
	case res.StatusCode/100 != 2:
		return &Error{Status: res.StatusCode}
	case out != nil && json.Unmarshal(b, out) != nil: // its error might quote the answer
		return &Error{err: errors.New("the answer is not readable")}
	}
	return nil
}
