// Package webhook hands messages to an address: to the one that the operator names, behind
// which lie the gateways of SMS and office chats, or to those that officers subscribe.
//
// Rules: nothing but that address is ever called (security.md, line 45): redirects are
// refused, no proxy of the environment is used, and it begins with https:// but on the
// loopback. An address of an officer leads to no machine of an inner network that the
// operator did not allow ([Config.Guard]). A body is signed with its time, so that the receiver knows it from others and
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
	"encoding/base64"
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
	// Standard signs as the Standard Webhooks specification has it: id, time and body by
	// HMAC-SHA256, in headers of its own.
	Standard Alg = "v1"
)

func (a Alg) hash() func() hash.Hash {
	switch a {
	case SHA256, Standard:
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

	StandardID        = "Webhook-Id"
	StandardTimestamp = "Webhook-Timestamp" // unix seconds
	StandardSignature = "Webhook-Signature" // v1,base64
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
	// Guard is set where the operator did not name the address.
	Guard *outward.Guard
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
	client := &Client{cfg: c}
	if c.Guard != nil {
		client.http = c.Guard.Client(c.Roots, c.Timeout)
	} else {
		client.http = outward.Client(c.Roots, c.Timeout)
	}
	return client, nil
}

// Close closes the connections that wait to be used again.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Send hands a body over as JSON. An [*Error] tells whether to try again.
func (c *Client) Send(ctx context.Context, id string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return errors.New("webhook: the message cannot be encoded")
	}
	_, err = c.Post(ctx, id, b)
	return err
}

// Post hands a body over as it is and returns the status that was answered, 0: none. An
// [*Error] tells whether to try again.
func (c *Client) Post(ctx context.Context, id string, b []byte) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.URL, bytes.NewReader(b))
	if err != nil {
		return 0, &Error{err: errors.New("the address is not one")}
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("User-Agent", "tianbao")
	if now := c.cfg.Now(); c.cfg.Alg == Standard {
		r.Header.Set(StandardID, id)
		r.Header.Set(StandardTimestamp, strconv.FormatInt(now.Unix(), 10))
		r.Header.Set(StandardSignature, SignStandard(c.cfg.Secret, id, now, b))
	} else {
		r.Header.Set(IDHeader, id)
		r.Header.Set(SignatureHeader, Sign(c.cfg.Alg, c.cfg.Secret, now, b))
	}
	res, err := c.http.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which may bear a key
		}
		return 0, &Error{err: err}
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // to use the connection again
	if res.StatusCode/100 != 2 {
		return res.StatusCode, &Error{Status: res.StatusCode}
	}
	return res.StatusCode, nil
}

// SignStandard returns the signature of [Standard], as its header has it.
func SignStandard(secret []byte, id string, at time.Time, body []byte) string {
	return "v1," + base64.StdEncoding.EncodeToString(sum(Standard, secret, id+"."+strconv.FormatInt(at.Unix(), 10), body))
}

// Check asks whether the receiver answers at all, and hands nothing over: whatever it
// answers to that question is well.
func (c *Client) Check(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, c.cfg.URL, nil)
	if err != nil {
		return &Error{err: errors.New("the address is not one")}
	}
	res, err := c.http.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return &Error{err: err}
	}
	return res.Body.Close()
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
