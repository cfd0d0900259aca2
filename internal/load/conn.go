package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Conn is a connection to a server that is kept open between requests, in HTTP/1.1 and in
// clear. It does what a load needs and no more: net/http's client costs several times the
// processor time, which the server beside it then lacks. It is used by one goroutine.
type Conn struct {
	addrs []string
	first int // the one that is tried first
	at    int // the one that is connected to
	c     net.Conn
	r     *bufio.Reader
	buf   []byte
	body  []byte
	// Timeout bounds a request with its answer; 0: a minute.
	Timeout time.Duration
}

// NewConn returns a connection to an address that is opened with its first request. Of
// several it goes to the next one where one does not take it, as a balancer does.
func NewConn(addrs ...string) *Conn { return &Conn{addrs: addrs} }

// Answer is what a server answered. Body is valid until the connection's next request.
type Answer struct {
	Status int
	Body   []byte
	// Cookie is the name=value of the first Set-Cookie, Retry that of Retry-After.
	Cookie, Retry string
}

// Header is a header of a request.
type Header struct{ Name, Value string }

// Close closes the connection.
func (c *Conn) Close() {
	if c.c != nil {
		_ = c.c.Close() // nothing is lost
		c.c = nil
	}
}

var errAnswer = errors.New("load: the answer is not HTTP")

// Do sends a request and reads the answer. A connection that the server has closed since
// the last request is opened anew, once.
func (c *Conn) Do(ctx context.Context, method, path string, body []byte, headers ...Header) (Answer, error) {
	old := c.c != nil
	a, n, err := c.once(ctx, method, path, body, headers)
	if err != nil {
		c.Close()
		if old && n == 0 && ctx.Err() == nil {
			if a, _, err = c.once(ctx, method, path, body, headers); err != nil {
				c.Close()
			}
		}
	}
	return a, err
}

// once also returns how many bytes of an answer came.
func (c *Conn) once(ctx context.Context, method, path string, body []byte, headers []Header) (Answer, int, error) {
	if c.c == nil {
		if err := c.connect(ctx); err != nil {
			return Answer{}, 1, fmt.Errorf("load: connect: %w", err)
		}
	}
	wait := c.Timeout
	if wait == 0 {
		wait = time.Minute
	}
	if err := c.c.SetDeadline(time.Now().Add(wait)); err != nil {
		return Answer{}, 0, fmt.Errorf("load: %w", err)
	}
	b := append(c.buf[:0], method...)
	b = append(append(append(b, ' '), path...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, c.addrs[c.at]...), "\r\n"...)
	for _, h := range headers {
		b = append(append(append(append(b, h.Name...), ": "...), h.Value...), "\r\n"...)
	}
	if method != "GET" {
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(len(body)), 10), "\r\n"...)
	}
	b = append(append(b, "\r\n"...), body...)
	c.buf = b
	if _, err := c.c.Write(b); err != nil {
		return Answer{}, 0, fmt.Errorf("load: send: %w", err)
	}
	return c.answer()
}

// connect connects to the first address that takes it.
func (c *Conn) connect(ctx context.Context) error {
	var d net.Dialer
	var err error
	for i := range c.addrs {
		c.at = (c.first + i) % len(c.addrs)
		var conn net.Conn
		if conn, err = d.DialContext(ctx, "tcp", c.addrs[c.at]); err == nil {
			c.c, c.r = conn, bufio.NewReaderSize(conn, 16<<10)
			return nil
		}
	}
	return err
}

// elsewhere goes on to the next address, away from one that is not well.
func (c *Conn) elsewhere() {
	c.Close()
	c.first = (c.at + 1) % len(c.addrs)
}

// answer reads an answer.
func (c *Conn) answer() (a Answer, n int, err error) {
	line, err := c.r.ReadSlice('\n')
	if n = len(line); err != nil {
		return a, n, fmt.Errorf("load: read: %w", err)
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) || len(line) < 13 {
		return a, n, errAnswer
	}
	if a.Status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return a, n, errAnswer
	}
	length, chunked, last := 0, false, false
	for {
		line, err = c.r.ReadSlice('\n')
		if err != nil {
			return a, n, fmt.Errorf("load: read: %w", err)
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		name, value, _ := strings.Cut(string(line), ":")
		value = strings.TrimSpace(value)
		switch {
		case strings.EqualFold(name, "Content-Length"):
			if length, err = strconv.Atoi(value); err != nil || length < 0 || length > 256<<20 {
				return a, n, errAnswer
			}
		case strings.EqualFold(name, "Transfer-Encoding"):
			chunked = value == "chunked"
		case strings.EqualFold(name, "Set-Cookie") && a.Cookie == "":
			a.Cookie, _, _ = strings.Cut(value, ";")
		case strings.EqualFold(name, "Retry-After"):
			a.Retry = value
		case strings.EqualFold(name, "Connection"):
			last = strings.EqualFold(value, "close")
		}
	}
	if chunked {
		err = c.chunks()
	} else {
		err = c.take(0, length)
	}
	if last {
		c.Close()
	}
	a.Body = c.body
	return a, n, err
}

// take reads n bytes behind the first have of the body.
func (c *Conn) take(have, n int) error {
	if cap(c.body) < have+n {
		grown := make([]byte, have, max(have+n, 2*cap(c.body)))
		copy(grown, c.body[:have])
		c.body = grown
	}
	c.body = c.body[:have+n]
	if _, err := io.ReadFull(c.r, c.body[have:]); err != nil {
		return fmt.Errorf("load: read: %w", err)
	}
	return nil
}

func (c *Conn) chunks() error {
	have := 0
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("load: read: %w", err)
		}
		size, _, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), ";")
		n, err := strconv.ParseUint(size, 16, 28)
		if err != nil {
			return errAnswer
		}
		if err := c.take(have, int(n)); err != nil {
			return err
		}
		have += int(n)
		if _, err := c.r.Discard(2); err != nil || n == 0 {
			return err
		}
	}
}
