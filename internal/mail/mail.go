// Package mail sends plain messages, with a file where need be, by one SMTP server.
//
// Rules: the only host that is ever called is the one that the operator names
// (security.md, line 45), over TLS from the first byte or by STARTTLS, without which
// nothing is sent; in the clear only on the loopback. A message keeps its Message-ID
// however often it is sent.
//
// Danger: addresses and texts are personal. What a server answers may repeat them, so
// errors bear its code and never its words.
package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"tianbao/internal/outward"
)

// Security is how the connection is kept from others.
type Security string

// The ways.
const (
	TLS      Security = "tls"      // from the first byte, usually port 465
	StartTLS Security = "starttls" // usually port 587
	Plain    Security = "plain"    // the loopback only
)

// Config says by which server mail goes out, and as whose.
type Config struct {
	Server         string // host:port
	Security       Security
	From           string // address, or Name <address>
	User, Password string // none: the server takes mail without
	// Roots verify the server's certificate; nil: those of the system.
	Roots *x509.CertPool
	// Timeout bounds the sending of one message; 0: half a minute.
	Timeout time.Duration
}

// Client sends mail. It is safe for concurrent use.
type Client struct {
	cfg  Config
	host string
	from netmail.Address
}

// Message is one mail.
type Message struct {
	ID      string // for its Message-ID: the same each time it is sent
	To      string // an address
	Subject string
	Text    string
	At      time.Time
	// Re is the Message-ID of the mail that this one answers, without brackets.
	Re string
	// File is sent along, nil for none; Name is its name.
	Name string
	File []byte
}

// Error is what kept a message from going out.
type Error struct {
	Step string // what was being done
	Code int    // what the server answered, 0 where it did not
	err  error  // of the network or TLS, nil where the server answered
	last bool
}

// Error names step and code.
func (e *Error) Error() string {
	if e.err != nil {
		return fmt.Sprintf("mail: %s: %v", e.Step, e.err)
	}
	return fmt.Sprintf("mail: %s: the server answered %d", e.Step, e.Code)
}

// Unwrap returns the error of the network.
func (e *Error) Unwrap() error { return e.err }

// Permanent reports whether the server will never take this message.
func (e *Error) Permanent() bool { return e.last }

// New returns a client of a server.
func New(c Config) (*Client, error) {
	host, port, err := net.SplitHostPort(c.Server)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("mail: the server %q is not host:port", c.Server)
	}
	switch c.Security {
	case TLS, StartTLS:
	case Plain:
		if !outward.Local(host) {
			return nil, errors.New("mail: without TLS only a server on the loopback is used")
		}
	default:
		return nil, fmt.Errorf("mail: no security is called %q", c.Security)
	}
	from, err := netmail.ParseAddress(c.From)
	if err != nil {
		return nil, errors.New("mail: the sender is not an address")
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	return &Client{cfg: c, host: host, from: *from}, nil
}

// Send sends a message. An [*Error] tells whether to try again.
func (c *Client) Send(ctx context.Context, m *Message) error {
	to, err := netmail.ParseAddress(m.To)
	if err != nil {
		return &Error{Step: "read the recipient", Code: 553, last: true}
	}
	return c.within(ctx, func(s *smtp.Client) error { return c.hand(s, m, to) })
}

// Check signs in to the server and sends nothing.
func (c *Client) Check(ctx context.Context) error {
	return c.within(ctx, func(*smtp.Client) error { return nil })
}

// within signs in, acts, and takes leave.
func (c *Client) within(ctx context.Context, act func(*smtp.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	conn, err := c.dial(ctx)
	if err != nil {
		return &Error{Step: "connect", err: err}
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // ends what waits
	s, err := smtp.NewClient(conn, c.host)
	if err != nil {
		return failed("greet", err, false)
	}
	defer s.Close()
	if err := c.secure(s); err != nil {
		return err
	}
	if err := act(s); err != nil {
		return err
	}
	_ = s.Quit() // it is done whatever comes of that
	return nil
}

// hand hands a message over.
func (c *Client) hand(s *smtp.Client, m *Message, to *netmail.Address) error {
	if err := s.Mail(c.from.Address); err != nil {
		return failed("name the sender", err, false)
	}
	if err := s.Rcpt(to.Address); err != nil {
		return failed("name the recipient", err, true)
	}
	w, err := s.Data()
	if err != nil {
		return failed("begin the text", err, false)
	}
	if _, err := w.Write(c.write(m, to)); err != nil {
		return failed("send the text", err, false)
	}
	if err := w.Close(); err != nil {
		return failed("end the text", err, true)
	}
	return nil
}

// dial connects, over TLS where it comes first.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{}
	if c.cfg.Security == TLS {
		td := tls.Dialer{NetDialer: &d, Config: c.tls()}
		return td.DialContext(ctx, "tcp", c.cfg.Server)
	}
	return d.DialContext(ctx, "tcp", c.cfg.Server)
}

func (c *Client) tls() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.host, RootCAs: c.cfg.Roots}
}

// secure asks for TLS and signs in.
func (c *Client) secure(s *smtp.Client) error {
	if c.cfg.Security == StartTLS {
		if ok, _ := s.Extension("STARTTLS"); !ok {
			return &Error{Step: "ask for TLS", err: errors.New("the server does not offer it")}
		}
		if err := s.StartTLS(c.tls()); err != nil {
			return failed("ask for TLS", err, false)
		}
	}
	if c.cfg.User == "" {
		return nil
	}
	_, ways := s.Extension("AUTH")
	auth := smtp.PlainAuth("", c.cfg.User, c.cfg.Password, c.host)
	if known := strings.Fields(strings.ToUpper(ways)); !contains(known, "PLAIN") && contains(known, "LOGIN") {
		auth = &login{c.cfg.User, c.cfg.Password}
	}
	if err := s.Auth(auth); err != nil {
		return failed("sign in", err, false) // the operator can set that right
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// login is the AUTH LOGIN that some servers have alone. It comes after TLS or on the
// loopback, as New sees to.
type login struct{ user, password string }

// Start implements smtp.Auth.
func (l *login) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

// Next implements smtp.Auth: the server asks for the name, then for the password.
func (l *login) Next(ask []byte, more bool) ([]byte, error) {
	switch {
	case !more:
		return nil, nil
	case bytes.HasPrefix(bytes.ToLower(ask), []byte("user")):
		return []byte(l.user), nil
	case bytes.HasPrefix(bytes.ToLower(ask), []byte("pass")):
		return []byte(l.password), nil
	}
	return nil, errors.New("mail: the server asks for something else")
}

// failed makes the error of a step. Refusals of recipient and text last.
func failed(step string, err error, mayLast bool) error {
	var p *textproto.Error
	if errors.As(err, &p) {
		return &Error{Step: step, Code: p.Code, last: mayLast && p.Code >= 500}
	}
	return &Error{Step: step, err: err}
}

// wordOnly leaves of an id what a Message-ID takes.
func wordOnly(r rune) rune {
	if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.' {
		return r
	}
	return -1
}
