package mailbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tianbao/internal/clock"
	"tianbao/internal/outward"
	"tianbao/internal/post"
)

// Security is how the connection is kept from others.
type Security string

// The ways.
const (
	TLS      Security = "tls"      // from the first byte, usually port 993
	StartTLS Security = "starttls" // usually port 143
	Plain    Security = "plain"    // the loopback only
)

// Config says which mailbox is read.
type Config struct {
	Server         string // host:port
	Security       Security
	User, Password string
	Mailbox        string // INBOX
	// Roots verify the server's certificate; nil: those of the system.
	Roots   *x509.CertPool
	Name    string // under which its mark is kept
	Version string // of the program, told to the server
	// Since is from which day on mails are taken at the first look; zero: that day.
	Since time.Time
	Most  int // bytes of a mail; of a longer one that much is taken, and one more
	// Every is how often the mailbox is looked at whatever IDLE says; 0: each minute.
	Every time.Duration
	// Mark returns how far it was read.
	Mark func(ctx context.Context, box string) (post.Mark, error)
	Take Taker
	Now  clock.Clock
	Log  *slog.Logger
}

// Mailbox is an IMAP mailbox.
type Mailbox struct {
	cfg  Config
	host string
}

// New returns a mailbox.
func New(c Config) (*Mailbox, error) {
	host, port, err := net.SplitHostPort(c.Server)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("mailbox: the server %q is not host:port", c.Server)
	}
	switch c.Security {
	case TLS, StartTLS:
	case Plain:
		if !outward.Local(host) {
			return nil, errors.New("mailbox: without TLS only a server on the loopback is used")
		}
	default:
		return nil, fmt.Errorf("mailbox: no security is called %q", c.Security)
	}
	if c.User == "" {
		return nil, errors.New("mailbox: no user is named")
	}
	if c.Every == 0 {
		c.Every = time.Minute
	}
	return &Mailbox{cfg: c, host: host}, nil
}

// Watch reads the mailbox until the context ends, over and over where the connection breaks.
func (m *Mailbox) Watch(ctx context.Context) {
	const first, longest = 5 * time.Second, 5 * time.Minute
	wait := first
	for ctx.Err() == nil {
		begun := time.Now()
		err := m.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > longest {
			wait = first // it went well for a while
		}
		m.cfg.Log.Warn("the mailbox is not read", "err", err, "again_in", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, longest)
	}
}

// session reads the mailbox over one connection.
func (m *Mailbox) session(ctx context.Context) error {
	news := make(chan struct{}, 1)
	c, err := m.connect(ctx, func() {
		select {
		case news <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })() // ends what waits
	data, err := c.Select(m.cfg.Mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return failed("open the mailbox", err)
	}
	for {
		if err := m.fetch(ctx, c, data.UIDValidity); err != nil {
			return err
		}
		if err := m.wait(ctx, c, news); err != nil {
			return err
		}
	}
}

// Check signs in, opens the mailbox, and reads nothing.
func (m *Mailbox) Check(ctx context.Context) error {
	c, err := m.connect(ctx, func() {})
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })() // ends what waits
	if _, err := c.Select(m.cfg.Mailbox, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return failed("open the mailbox", err)
	}
	return nil
}

// connect signs in and says who it is.
func (m *Mailbox) connect(ctx context.Context, news func()) (*imapclient.Client, error) {
	o := &imapclient.Options{
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: m.host, RootCAs: m.cfg.Roots},
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				news()
			}
		}},
	}
	dialing, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var conn net.Conn
	var err error
	d := &net.Dialer{}
	if m.cfg.Security == TLS {
		conn, err = (&tls.Dialer{NetDialer: d, Config: o.TLSConfig}).DialContext(dialing, "tcp", m.cfg.Server)
	} else {
		conn, err = d.DialContext(dialing, "tcp", m.cfg.Server)
	}
	if err != nil {
		return nil, failed("connect", err)
	}
	var c *imapclient.Client
	if m.cfg.Security == StartTLS {
		if c, err = imapclient.NewStartTLS(conn, o); err != nil {
			_ = conn.Close()
			return nil, failed("ask for TLS", err)
		}
	} else {
		c = imapclient.New(conn, o)
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"greet", c.WaitGreeting},
		{"sign in", func() error { return c.Login(m.cfg.User, m.cfg.Password).Wait() }},
		{"say who we are", func() error {
			if !c.Caps().Has(imap.CapID) {
				return nil
			}
			_, err := c.ID(&imap.IDData{Name: "tianbao", Version: m.cfg.Version}).Wait()
			return err
		}},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			_ = c.Close()
			return nil, failed(s.name, err)
		}
	}
	return c, nil
}

// fetch takes all mails behind the mark, in the order in which they came.
func (m *Mailbox) fetch(ctx context.Context, c *imapclient.Client, validity uint32) error {
	mark, err := m.cfg.Mark(ctx, m.cfg.Name)
	if err != nil {
		return err
	}
	if mark.Validity != validity {
		// A new mailbox, or one that was made anew: what is kept already is known again.
		mark.Validity, mark.Last = validity, 0
	}
	if mark.Since.IsZero() {
		if mark.Since = m.cfg.Since; mark.Since.IsZero() {
			y, month, d := m.cfg.Now().In(clock.Shanghai).Date()
			mark.Since = time.Date(y, month, d, 0, 0, 0, 0, clock.Shanghai)
		}
	}
	var behind imap.UIDSet
	behind.AddRange(imap.UID(mark.Last+1), 0) // 0 is *, which names the last one even if it is before
	criteria := &imap.SearchCriteria{UID: []imap.UIDSet{behind}}
	if mark.Last == 0 {
		// SINCE compares the dates that the server's clock shows (RFC 9051, 6.4.4), which at
		// midnight here are those of the day before where it has another zone.
		criteria.Since = mark.Since.In(clock.Shanghai).AddDate(0, 0, -1)
	}
	found, err := c.UIDSearch(criteria, nil).Wait()
	if err != nil {
		return failed("search", err)
	}
	uids := found.AllUIDs()
	if mark.Last == 0 {
		if uids, err = from(c, uids, mark.Since); err != nil {
			return err
		}
	}
	for _, uid := range uids {
		if uint32(uid) <= mark.Last {
			continue
		}
		raw, err := m.one(c, uid)
		if err != nil {
			return err
		}
		next := mark
		next.Last = uint32(uid)
		if raw != nil { // else it is gone
			if err := m.cfg.Take(ctx, raw, &next); err != nil {
				return err
			}
		}
		mark = next
	}
	return nil
}

// from returns those of some mails that came in at a moment or later.
func from(c *imapclient.Client, uids []imap.UID, since time.Time) ([]imap.UID, error) {
	if len(uids) == 0 {
		return nil, nil
	}
	dates, err := c.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true, InternalDate: true}).Collect()
	if err != nil {
		return nil, failed("ask for dates", err)
	}
	old := make(map[imap.UID]bool)
	for _, d := range dates {
		old[d.UID] = d.InternalDate.Before(since)
	}
	return slices.DeleteFunc(uids, func(uid imap.UID) bool { return old[uid] }), nil
}

// one fetches a mail without marking it as seen; nil: it is gone.
func (m *Mailbox) one(c *imapclient.Client, uid imap.UID) (raw []byte, err error) {
	section := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: int64(m.cfg.Most) + 1}}
	cmd := c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		for item := msg.Next(); item != nil; item = msg.Next() {
			body, ok := item.(imapclient.FetchItemDataBodySection)
			if !ok || body.Literal == nil {
				continue
			}
			if raw, err = readLimited(body.Literal, m.cfg.Most); err != nil {
				_ = cmd.Close()
				return nil, failed("read a mail", err)
			}
		}
	}
	if err := cmd.Close(); err != nil {
		return nil, failed("fetch a mail", err)
	}
	return raw, nil
}

// readLimited reads up to one byte more than most, and the rest away.
func readLimited(r io.Reader, most int) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	if raw == nil {
		raw = []byte{}
	}
	return raw, err
}

// wait waits for new mail: by IDLE where the server has it, and no longer than Every.
func (m *Mailbox) wait(ctx context.Context, c *imapclient.Client, news <-chan struct{}) error {
	var idle *imapclient.IdleCommand
	if c.Caps().Has(imap.CapIdle) {
		var err error
		if idle, err = c.Idle(); err != nil {
			return failed("wait", err)
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.Closed():
		return failed("wait", io.ErrUnexpectedEOF)
	case <-news:
	case <-time.After(m.cfg.Every):
	}
	if idle == nil {
		if err := c.Noop().Wait(); err != nil {
			return failed("ask for news", err)
		}
		return nil
	}
	if err := idle.Close(); err != nil {
		return failed("end waiting", err)
	}
	if err := idle.Wait(); err != nil {
		return failed("end waiting", err)
	}
	return nil
}

// Error is what kept a mailbox from being read.
type Error struct {
	Step string
	Code string // what the server answered, "" where it did not
	err  error
}

// Error names step and code.
func (e *Error) Error() string {
	if e.err != nil {
		return fmt.Sprintf("mailbox: %s: %v", e.Step, e.err)
	}
	return fmt.Sprintf("mailbox: %s: the server answered %s", e.Step, e.Code)
}

// Unwrap returns the error of the network.
func (e *Error) Unwrap() error { return e.err }

func failed(step string, err error) error {
	var ie *imap.Error
	if errors.As(err, &ie) {
		return &Error{Step: step, Code: string(ie.Type) + " " + string(ie.Code)}
	}
	var ne net.Error
	var ce *tls.CertificateVerificationError
	if errors.As(err, &ne) || errors.As(err, &ce) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return &Error{Step: step, err: err}
	}
	// What the library says of an answer that it cannot read may quote it.
	return &Error{Step: step, Code: fmt.Sprintf("%T", err)}
}
