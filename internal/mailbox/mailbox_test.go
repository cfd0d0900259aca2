package mailbox

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/google/go-cmp/cmp"

	"tianbao/internal/clock"
	"tianbao/internal/post"
)

// kept is who keeps mails, as the store does: mail and mark together.
type kept struct {
	mu    sync.Mutex
	mails []string
	mark  post.Mark
	fails int
	more  chan struct{}
}

func (k *kept) take(_ context.Context, raw []byte, mark *post.Mark) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fails > 0 {
		k.fails--
		return errors.New("the database is away")
	}
	k.mails = append(k.mails, string(raw))
	if mark != nil {
		k.mark = *mark
	}
	if k.more != nil {
		k.more <- struct{}{}
	}
	return nil
}

func (k *kept) read(context.Context, string) (post.Mark, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.mark, nil
}

func (k *kept) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.mails...)
}

type literal struct{ *bytes.Reader }

// box is an IMAP server on a real socket with one mailbox.
type box struct {
	t     *testing.T
	user  *imapmemserver.User
	addr  string
	roots *x509.CertPool
}

func newBox(t *testing.T, caps ...imap.Cap) *box {
	t.Helper()
	b := &box{t: t, user: imapmemserver.NewUser("tianbao", "secret"), roots: x509.NewCertPool()}
	if err := b.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	mem := imapmemserver.New()
	mem.AddUser(b.user)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	b.roots.AddCert(leaf)
	cfg := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	set := imap.CapSet{imap.CapIMAP4rev1: {}}
	for _, c := range caps {
		set[c] = struct{}{}
	}
	srv := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		TLSConfig: cfg, InsecureAuth: true, Caps: set, Logger: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo),
	})
	ln, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	b.addr = ln.Addr().String()
	return b
}

func (b *box) put(text string, at time.Time) {
	b.t.Helper()
	if _, err := b.user.Append("INBOX", literal{bytes.NewReader([]byte(text))}, &imap.AppendOptions{Time: at}); err != nil {
		b.t.Fatal(err)
	}
}

// Size implements imap.LiteralReader.
func (l literal) Size() int64 { return l.Reader.Size() }

func (b *box) mailbox(k *kept, change func(*Config)) *Mailbox {
	b.t.Helper()
	c := Config{
		Server: b.addr, Security: TLS, User: "tianbao", Password: "secret", Mailbox: "INBOX", Roots: b.roots, Name: "box", Most: 1000,
		Every: 20 * time.Millisecond, Mark: k.read, Take: k.take, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&c)
	}
	m, err := New(c)
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

// await waits until n mails are kept.
func (k *kept) await(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case <-k.more:
		case <-time.After(20 * time.Second):
			t.Fatalf("kept %d mails only", len(k.all()))
		}
	}
}

// Each mail is taken once and in order, whatever breaks; what is older than the first look
// is left, and what is too long is cut.
func TestMailbox(t *testing.T) {
	for name, caps := range map[string][]imap.Cap{"by looking": nil, "by IDLE, saying who it is": {imap.CapIdle, imap.CapID}} {
		t.Run(name, func(t *testing.T) {
			b, k := newBox(t, caps...), &kept{more: make(chan struct{}, 100)}
			b.put("Subject: old\r\n\r\nx", time.Now().AddDate(0, 0, -3))
			// The day begins at midnight in Shanghai, whatever the dates of the server are.
			year, month, d := time.Now().In(clock.Shanghai).Date()
			begin := time.Date(year, month, d, 0, 0, 0, 0, clock.Shanghai)
			b.put("Subject: yesterday\r\n\r\nx", begin.Add(-time.Minute).In(time.FixedZone("", 14*3600)))
			b.put("Subject: 1\r\n\r\nx", begin.In(time.FixedZone("", -12*3600)))
			b.put("Subject: 2\r\n\r\n"+strings.Repeat("x", 5000), time.Now())
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			every := func(c *Config) {
				if caps != nil {
					c.Every = time.Second // this server forgets what comes just before IDLE
				}
			}
			m := b.mailbox(k, every)
			go func() { defer close(done); m.Watch(ctx) }()
			k.await(t, 2)
			b.put("Subject: 3\r\n\r\nx", time.Now())
			k.await(t, 1)
			cancel()
			<-done
			b.put("Subject: 4\r\n\r\nx", time.Now())
			// Another process goes on, and its database fails once.
			k.fails = 1
			m = b.mailbox(k, every)
			if err := m.session(t.Context()); err == nil {
				t.Error("a mail that is not kept is passed over")
			}
			ctx, cancel = context.WithCancel(t.Context())
			done = make(chan struct{})
			go func() { defer close(done); m.Watch(ctx) }()
			k.await(t, 1)
			cancel()
			<-done
			var got []string
			for _, s := range k.all() {
				subject, _, _ := strings.Cut(s, "\r\n")
				got = append(got, fmt.Sprint(subject, " ", len(s)))
			}
			if diff := cmp.Diff([]string{"Subject: 1 15", "Subject: 2 1001", "Subject: 3 15", "Subject: 4 15"}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A mailbox that was made anew is read from its beginning, from the first day on.
func TestMailboxMadeAnew(t *testing.T) {
	b, k := newBox(t), &kept{}
	k.mark = post.Mark{Box: "box", Validity: 99, Last: 1000, Since: time.Now().AddDate(0, 0, -10)}
	b.put("Subject: old\r\n\r\nx", time.Now().AddDate(0, 0, -30))
	b.put("Subject: 1\r\n\r\nx", time.Now().AddDate(0, 0, -3))
	m := b.mailbox(k, nil)
	c, err := m.connect(t.Context(), func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	data, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.fetch(t.Context(), c, data.UIDValidity); err != nil {
			t.Fatal(err)
		}
	}
	if len(k.all()) != 1 || k.mark.Validity != data.UIDValidity || k.mark.Last != 2 {
		t.Errorf("%v, %+v", k.all(), k.mark)
	}
}

// SEC-45: mail is fetched from the server that was named and shows itself, or not at all,
// and what it says stands in no error.
func TestSEC45OnlyTheMailbox(t *testing.T) {
	for name, c := range map[string]Config{
		"no port":                   {Server: "mail.example.gov.cn", Security: TLS, User: "a"},
		"in the clear over the net": {Server: "mail.example.gov.cn:143", Security: Plain, User: "a"},
		"another way":               {Server: "127.0.0.1:143", Security: "none", User: "a"},
		"nobody":                    {Server: "127.0.0.1:143", Security: Plain},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	b, k := newBox(t), &kept{}
	b.put("Subject: 1\r\n\r\nx", time.Now())
	var e *Error
	if err := b.mailbox(k, func(c *Config) { c.Roots = nil }).session(t.Context()); !errors.As(err, &e) || e.Step != "connect" {
		t.Errorf("a server that nobody vouches for: %v", err)
	}
	if err := b.mailbox(k, func(c *Config) { c.Password = "wrong" }).session(t.Context()); !errors.As(err, &e) || e.Step != "sign in" || strings.Contains(err.Error(), "tianbao") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong password: %v", err)
	}
	if err := b.mailbox(k, func(c *Config) { c.Mailbox = "张三" }).session(t.Context()); !errors.As(err, &e) || e.Step != "open the mailbox" || strings.Contains(err.Error(), "张三") {
		t.Errorf("no such mailbox: %v", err)
	}
	if len(k.all()) > 0 {
		t.Error("mail was taken")
	}
}

func TestFolder(t *testing.T) {
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-time.Minute)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct{ put, moved, left string }{
		"maildir":    {"new/1.a.mx", "cur/1.a.mx:2,S", "cur/0.a.mx:2,S"},
		".eml files": {"张三.EML", "已收/张三.EML", "说明.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, k := t.TempDir(), &kept{fails: 1}
			write(filepath.Join(dir, c.put), "Subject: 1\r\n\r\nx")
			write(filepath.Join(dir, c.left), "Subject: 0\r\n\r\nx")
			f := &Folder{Dir: dir, Most: 1000, Take: k.take, Now: time.Now, Settle: time.Second, Every: time.Second, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
			if err := f.Once(t.Context()); err == nil {
				t.Error("a mail that is not kept is passed over")
			}
			for range 2 {
				if err := f.Once(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff([]string{"Subject: 1\r\n\r\nx"}, k.all()); diff != "" {
				t.Error(diff)
			}
			for _, path := range []string{c.moved, c.left} {
				if _, err := os.Stat(filepath.Join(dir, path)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	missing := &Folder{Dir: filepath.Join(t.TempDir(), "张三"), Now: time.Now}
	if err := missing.Once(t.Context()); err == nil || strings.Contains(err.Error(), "张三") {
		t.Errorf("a folder that is gone: %v", err)
	}
}
