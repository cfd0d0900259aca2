package mail

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"mime"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"tianbao/internal/letter"
)

// exchange is an SMTP server on a real socket.
type exchange struct {
	t        *testing.T
	cert     tls.Certificate
	roots    *x509.CertPool
	first    bool   // TLS from the first byte
	starttls bool   // offered
	auth     string // ways offered
	refuse   map[string]string
	silent   bool

	mu     sync.Mutex
	mails  [][]byte
	rcpts  []string
	secure []bool
	users  []string
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
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
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// start listens and returns the address.
func (x *exchange) start(t *testing.T) string {
	t.Helper()
	x.t = t
	x.cert, x.roots = certificate(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if x.first {
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{x.cert}})
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go x.serve(c)
		}
	}()
	return ln.Addr().String()
}

func (x *exchange) serve(c net.Conn) {
	defer c.Close()
	if x.silent {
		_, _ = io.Copy(io.Discard, c)
		return
	}
	secure, user := x.first, ""
	r := textproto.NewReader(bufio.NewReader(c))
	say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
	ask := func(s string) string {
		say("334 " + base64.StdEncoding.EncodeToString([]byte(s)))
		line, _ := r.ReadLine()
		b, _ := base64.StdEncoding.DecodeString(line)
		return string(b)
	}
	say("220 mail.example ESMTP")
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		if answer := x.refuse[strings.ToUpper(verb)]; answer != "" {
			say(answer)
			continue
		}
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-mail.example")
			if x.starttls && !secure {
				say("250-STARTTLS")
			}
			if x.auth != "" {
				say("250-AUTH " + x.auth)
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go on")
			tc := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{x.cert}})
			if tc.Handshake() != nil {
				return
			}
			c, secure = tc, true
			r = textproto.NewReader(bufio.NewReader(c))
		case "AUTH":
			if strings.HasPrefix(rest, "PLAIN ") {
				b, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
				user = string(bytes.ReplaceAll(b, []byte{0}, []byte("/")))
			} else {
				user = "/" + ask("Username:") + "/" + ask("Password:")
			}
			if user != "/tianbao/secret" {
				say("535 no: zhang@example.gov.cn")
				continue
			}
			say("235 welcome")
		case "RCPT":
			x.mu.Lock()
			x.rcpts = append(x.rcpts, rest)
			x.mu.Unlock()
			say("250 ok")
		case "DATA":
			say("354 go on")
			b, err := r.ReadDotBytes()
			if err != nil {
				return
			}
			x.mu.Lock()
			x.mails, x.secure, x.users = append(x.mails, b), append(x.secure, secure), append(x.users, user)
			x.mu.Unlock()
			if answer := x.refuse["TEXT"]; answer != "" {
				say(answer)
				continue
			}
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestSend(t *testing.T) {
	text := strings.Repeat("第一中学：请按时填报。\n.\n", 20)
	for _, tt := range []struct {
		name           string
		x              *exchange
		security       Security
		user, password string
		step           string // of the error
		code           int
		last           bool
		secure         bool
	}{
		{name: "TLS from the first byte", x: &exchange{first: true, auth: "PLAIN LOGIN"}, security: TLS, user: "tianbao", password: "secret", secure: true},
		{name: "STARTTLS and LOGIN", x: &exchange{starttls: true, auth: "LOGIN"}, security: StartTLS, user: "tianbao", password: "secret", secure: true},
		{name: "in the clear on the loopback", x: &exchange{}, security: Plain},
		{name: "STARTTLS is not offered", x: &exchange{}, security: StartTLS, step: "ask for TLS"},
		{name: "a wrong password", x: &exchange{first: true, auth: "PLAIN"}, security: TLS, user: "tianbao", password: "wrong", step: "sign in", code: 535},
		{name: "no such mailbox", x: &exchange{refuse: map[string]string{"RCPT": "550 no zhang@example.gov.cn"}}, security: Plain, step: "name the recipient", code: 550, last: true},
		{name: "a full mailbox", x: &exchange{refuse: map[string]string{"RCPT": "452 full"}}, security: Plain, step: "name the recipient", code: 452},
		{name: "a refused text", x: &exchange{refuse: map[string]string{"TEXT": "554 spam"}}, security: Plain, step: "end the text", code: 554, last: true},
		{name: "busy", x: &exchange{refuse: map[string]string{"MAIL": "451 later"}}, security: Plain, step: "name the sender", code: 451},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := tt.x
			addr := x.start(t)
			c, err := New(Config{Server: addr, Security: tt.security, From: "财政厅 <tb@example.gov.cn>", User: tt.user, Password: tt.password, Roots: x.roots})
			if err != nil {
				t.Fatal(err)
			}
			m := &Message{ID: "77", To: "zhang@example.gov.cn", Subject: "催报\r\nBcc: x@example.com", Text: text, At: time.Unix(1_700_000_000, 0)}
			err = c.Send(t.Context(), m)
			if tt.step != "" {
				var e *Error
				if !errors.As(err, &e) || e.Step != tt.step || e.Code != tt.code || e.Permanent() != tt.last {
					t.Fatalf("%v, want step %q, code %d, permanent %t", err, tt.step, tt.code, tt.last)
				}
				if strings.Contains(err.Error(), "zhang") {
					t.Error("the error names the recipient")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(x.mails) != 1 || x.rcpts[0] != "TO:<zhang@example.gov.cn>" || x.secure[0] != tt.secure || tt.user != "" && x.users[0] != "/tianbao/secret" {
				t.Fatalf("%d mails, to %v, secure %v", len(x.mails), x.rcpts, x.secure)
			}
			got, err := netmail.ReadMessage(bytes.NewReader(x.mails[0]))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
			if err != nil || subject != "催报 Bcc: x@example.com" || got.Header.Get("Bcc") != "" {
				t.Errorf("subject %q: %v", subject, err)
			}
			if got.Header.Get("Message-ID") != "<77@example.gov.cn>" {
				t.Errorf("Message-ID %s", got.Header.Get("Message-ID"))
			}
			body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, got.Body))
			if err != nil || string(body) != text {
				t.Errorf("the text came as %q: %v", body, err)
			}
		})
	}
}

// SEC-45: mail goes to the server that was named and shows itself, or not at all.
func TestSEC45OnlyTheMailServer(t *testing.T) {
	for name, c := range map[string]Config{
		"no port":                   {Server: "mail.example.gov.cn", Security: TLS, From: "a@b.cn"},
		"in the clear over the net": {Server: "mail.example.gov.cn:25", Security: Plain, From: "a@b.cn"},
		"another way":               {Server: "127.0.0.1:25", Security: "none", From: "a@b.cn"},
		"no sender":                 {Server: "127.0.0.1:25", Security: Plain},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	x := exchange{first: true}
	addr := x.start(t)
	c, err := New(Config{Server: addr, Security: TLS, From: "a@b.cn"}) // roots of the system
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), &Message{To: "a@b.cn"}); err == nil || len(x.mails) > 0 {
		t.Error("mail went to a server that nobody vouches for")
	}
	still := exchange{silent: true}
	c, err = New(Config{Server: still.start(t), Security: Plain, From: "a@b.cn"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := c.Send(ctx, &Message{To: "a@b.cn"}); err == nil {
		t.Error("a server that says nothing took mail")
	}
}

// An answer is read as it was meant, by the package that reads strangers' mails, and known
// as our own when it comes back.
func TestAnswer(t *testing.T) {
	c, err := New(Config{Server: "127.0.0.1:25", Security: Plain, From: "填报 <tb@example.gov.cn>"})
	if err != nil {
		t.Fatal(err)
	}
	book := []byte("PK\x05\x06" + strings.Repeat("x", 200))
	m := &Message{
		ID: "post-77", To: "a@b.example", Subject: "填报邮件有错，请改正", Text: "请改正\n", At: time.Unix(1_700_000_000, 0), Re: "1@b.example",
		Name: `第一小学"名单"（资产管理角色信息采集表）-批注.xlsx`, File: book,
	}
	raw := c.write(m, &netmail.Address{Address: m.To})
	o := letter.Options{Limits: letter.DefaultLimits()}
	l, err := letter.Read(raw, o)
	if err != nil || l.Auto != letter.AutoReply || l.ID != "post-77@example.gov.cn" || l.Subject != m.Subject {
		t.Errorf("%+v, %v", l, err)
	}
	o.Own = []string{"tb@example.gov.cn"}
	if l, err = letter.Read(raw, o); err != nil || l.Auto != letter.AutoLoop {
		t.Errorf("come back: %q, %v", l.Auto, err)
	}
	o.Own = nil
	raw = bytes.Replace(raw, []byte("Auto-Submitted: auto-replied\r\n"), nil, 1)
	if l, err = letter.Read(raw, o); err != nil || l.Text != "请改正" || len(l.Files) != 1 || l.Files[0].Name != m.Name {
		t.Errorf("%+v, %v", l, err)
	}
	for _, re := range []string{"a\r\nBcc: x@y.example", "<a@b>", strings.Repeat("x", 300)} {
		if m.Re = re; bytes.Contains(c.write(m, &netmail.Address{Address: m.To}), []byte("In-Reply-To")) {
			t.Errorf("%q is named", re)
		}
	}
}
