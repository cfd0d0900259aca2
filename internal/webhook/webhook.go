// Package webhook hands messages to one address that the operator names, behind which
// lie the gateways of SMS and office chats.
//
// Rules: nothing but that address is ever called (security.md, line 45): redirects are
// refused, no proxy of the environment is used, and it begins with https:// but on the
// loopback. A body is signed with its time, so that the receiver knows it from others and
// from an old one ([Verify]); it bears the id by which the receiver knows it again.
// 2xx is done; what a receiver will never take is told from what may be tried again.
//
// Danger: bodies have phones. Errors bear a status and never a body.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"tianbao/internal/outward"
)

// Alg is how bodies are signed.
type Alg string

// The algorithms.
const (
	SHA256 Alg = "hmac-sha256"
	SM3    Alg = "hmac-sm3"
)

func (a Alg) hash() func() hash.Hash {
	switch a {
	case SHA256:
		return sha256.New
	case SM3:
		return sm3.New
	}
	return nil
}

// Headers of a request.
const (
	SignatureHeader = "Tianbao-Signature" // t=unix seconds,alg=…,v=hex
	IDHeader        = "Tianbao-Id"        // the same each time the message is sent
)

// least is how long a secret must be, in bytes.
const least = 16

// Config says where messages go.
type Config struct {
	URL    string
	Secret []byte
	Alg    Alg
	// Roots verify the receiver's certificate; nil: those of the system.
	Roots *x509.CertPool
	Now   func() time.Time
	// Timeout bounds one request; 0: a quarter of a minute.
	Timeout time.Duration
}

// Client hands messages over. It is safe for concurrent use.
type Client struct {
	cfg  Config
	http *http.Client
}

// Error is what kept a message from being taken.
type Error struct {
	Status int
	err    error
}

// Error names the status.
func (e *Error) Error() string {
	if e.err != nil {
		return "webhook: " + e.err.Error()
	}
	return fmt.Sprintf("webhook: the receiver answered %d", e.Status)
}

// Unwrap returns the error of the network.
func (e *Error) Unwrap() error { return e.err }

// Permanent reports whether the receiver will never take this message. What the operator
// can set right (401, 403, 404, 405) is tried again.
func (e *Error) Permanent() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// New returns the client of an address.
func New(c Config) (*Client, error) {
	if _, err := outward.CheckURL(c.URL); err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	switch {
	case c.Alg.hash() == nil:
		return nil, fmt.Errorf("webhook: no algorithm is called %q", c.Alg)
	case len(c.Secret) < least:
		return nil, fmt.Errorf("webhook: the secret must have at least %d bytes", least)
	}
	if c.Timeout == 0 {
		c.Timeout = 15 * time.Second
	}
	return &Client{cfg: c, http: outward.Client(c.Roots, c.Timeout)}, nil
}

// Send hands a body over as JSON. An [*Error] tells whether to try again.
func (c *Client) Send(ctx context.Context, id string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return errors.New("webhook: the message cannot be encoded")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.URL, bytes.NewReader(b))
	if err != nil {
		return &Error{err: errors.New("the address is not one")}
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("User-Agent", "tianbao")
	r.Header.Set(IDHeader, id)
	r.Header.Set(SignatureHeader, Sign(c.cfg.Alg, c.cfg.Secret, c.cfg.Now(), b))
	res, err := c.http.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which may bear a key
		}
		return &Error{err: err}
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // to use the connection again
	if res.StatusCode/100 != 2 {
		return &Error{Status: res.StatusCode}
	}
	return nil
}

// Sign returns the signature of a body at a time, as the header has it.
func Sign(alg Alg, secret []byte, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",alg=" + string(alg) + ",v=" + hex.EncodeToString(sum(alg, secret, t, body))
}

func sum(alg Alg, secret []byte, t string, body []byte) []byte {
	m := hmac.New(alg.hash(), secret)
	m.Write([]byte(t + "."))
	m.Write(body)
	return m.Sum(nil)
}

// Verify is what a receiver does: it reports whether a header signs a body with the
// algorithm and secret that were agreed on, not longer than skew ago.
func Verify(alg Alg, secret []byte, header string, body []byte, now time.Time, skew time.Duration) bool {
	part := make(map[string]string)
	for p := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(p, "=")
		part[name] = value
	}
	seconds, err := strconv.ParseInt(part["t"], 10, 64)
	got, herr := hex.DecodeString(part["v"])
	if err != nil || herr != nil || alg.hash() == nil || part["alg"] != string(alg) {
		return false
	}
	if d := now.Sub(time.Unix(seconds, 0)); d > skew || d < -skew {
		return false
	}
	return hmac.Equal(got, sum(alg, secret, part["t"], body))
}
