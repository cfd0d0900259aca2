package e2e

import (
	"bufio"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// postOffice takes mail.
type postOffice struct {
	addr string
	mu   sync.Mutex
	to   []string
	came chan struct{} // closed by the first mail
}

func newPostOffice(t *testing.T) *postOffice {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{addr: ln.Addr().String(), came: make(chan struct{})}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

// serve speaks as much of SMTP as it takes.
func (p *postOffice) serve(c net.Conn) {
	defer c.Close()
	r := textproto.NewReader(bufio.NewReader(c))
	say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
	say("220 post")
	to := ""
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		switch verb, rest, _ := strings.Cut(line, " "); strings.ToUpper(verb) {
		case "RCPT":
			to = strings.Trim(strings.TrimPrefix(rest, "TO:"), "<>")
			say("250 yes")
		case "DATA":
			say("354 go on")
			if _, err := r.ReadDotBytes(); err != nil {
				return
			}
			p.mu.Lock()
			if p.to = append(p.to, to); len(p.to) == 1 {
				close(p.came)
			}
			p.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 post")
		}
	}
}

// waits waits for a mail, and complains of more than the one to the unit.
func (p *postOffice) waits(t *testing.T) {
	t.Helper()
	select {
	case <-p.came:
	case <-time.After(time.Minute):
		t.Fatal("no mail has come")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.to, []string{"school@example.gov.cn"}) {
		t.Errorf("mail went to %q", p.to)
	}
}
