package storetest

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Wire is the network between a program and PostgreSQL, in the hands of a test. It stands in
// the way as a proxy and can do to connections what networks do: break, fall silent for good,
// stall and go on, trickle, and lose the answer to one certain request, which no proxy does
// that does not know what passes.
type Wire struct {
	ln     net.Listener
	to     string
	ended  chan struct{}
	pumps  sync.WaitGroup
	mu     sync.Mutex
	state  wireState
	change chan struct{} // closed when the state changes
	delay  time.Duration // of each piece
	piece  int           // its bytes
	mark   []byte        // whose answers are lost
	times  int
	links  map[*wireLink]bool
}

type wireState int

const (
	wireFlows wireState = iota
	wireBroken
	wireSilent
	wireStalls
)

// wireLink is one connection through the wire.
type wireLink struct {
	client, server net.Conn
	mu             sync.Mutex
	dead           bool // nothing passes any more, and nobody is told
}

func (l *wireLink) die() {
	l.mu.Lock()
	l.dead = true
	l.mu.Unlock()
}

func (l *wireLink) isDead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// NewWire puts a wire before the server of a PostgreSQL URL, and returns the URL that leads
// through it. It goes with the test.
func NewWire(t testing.TB, pg string) (*Wire, string) {
	t.Helper()
	u, err := url.Parse(pg)
	if err != nil {
		t.Fatal("not a URL of PostgreSQL")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Wire{ln: ln, to: u.Host, ended: make(chan struct{}), change: make(chan struct{}), links: make(map[*wireLink]bool)}
	w.pumps.Go(w.accept)
	t.Cleanup(func() {
		close(w.ended)
		_ = ln.Close()
		w.reset()
		w.pumps.Wait()
	})
	u.Host = ln.Addr().String()
	return w, u.String()
}

// Heal lets new connections through, and what was stalled. Those that fell silent stay so.
func (w *Wire) Heal() { w.become(wireFlows, 0, 0) }

// Break resets all connections and every new one, as a stopped server does.
func (w *Wire) Break() {
	w.become(wireBroken, 0, 0)
	w.reset()
}

// Silence lets all that is sent vanish from now on, on connections that there are and on new
// ones; nobody is told, also not of a connection that one side closes.
func (w *Wire) Silence() {
	w.become(wireSilent, 0, 0)
	w.mu.Lock()
	defer w.mu.Unlock()
	for l := range w.links {
		l.die()
	}
}

// Stall holds all that is sent back until Heal.
func (w *Wire) Stall() { w.become(wireStalls, 0, 0) }

// Slow lets pieces of so many bytes through, each after a delay.
func (w *Wire) Slow(delay time.Duration, piece int) { w.become(wireFlows, delay, piece) }

// LoseAnswers lets the next so many requests that contain a mark through, and whatever comes
// back on their connections vanish.
func (w *Wire) LoseAnswers(mark []byte, times int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mark, w.times = mark, times
}

func (w *Wire) become(s wireState, delay time.Duration, piece int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state, w.delay, w.piece = s, delay, piece
	close(w.change)
	w.change = make(chan struct{})
}

// reset lets all connections break.
func (w *Wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for l := range w.links {
		for _, c := range []net.Conn{l.client, l.server} {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // a reset, not an end
			}
			_ = c.Close()
		}
	}
}

func (w *Wire) accept() {
	for {
		c, err := w.ln.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", w.to)
		if err != nil {
			_ = c.Close()
			continue
		}
		l := &wireLink{client: c, server: s}
		w.mu.Lock()
		state := w.state
		w.links[l] = true
		w.mu.Unlock()
		switch state {
		case wireBroken:
			w.reset()
		case wireSilent:
			l.die()
		}
		var both sync.WaitGroup
		both.Go(func() { w.pump(l, l.server, l.client, true) })
		both.Go(func() { w.pump(l, l.client, l.server, false) })
		w.pumps.Go(func() {
			both.Wait()
			w.mu.Lock()
			delete(w.links, l)
			w.mu.Unlock()
		})
	}
}

// pump carries what one side sends to the other.
func (w *Wire) pump(l *wireLink, to, from net.Conn, asks bool) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if w.pass(l, to, b[:n], asks) != nil {
			return
		}
		if err != nil {
			if l.isDead() {
				<-w.ended // the other side is not told
			}
			_ = to.Close()
			return
		}
	}
}

// pass sends on what may pass.
func (w *Wire) pass(l *wireLink, to net.Conn, b []byte, asks bool) error {
	for len(b) > 0 {
		w.mu.Lock()
		state, change, delay, piece := w.state, w.change, w.delay, w.piece
		lose := asks && w.times > 0 && bytes.Contains(b, w.mark)
		if lose {
			w.times--
		}
		w.mu.Unlock()
		if l.isDead() {
			return nil
		}
		switch {
		case lose:
			l.die() // before the answer can come
			_, err := to.Write(b)
			return err
		case state == wireStalls:
			select {
			case <-change:
				continue
			case <-w.ended:
				return io.ErrClosedPipe
			}
		}
		n := len(b)
		if piece > 0 {
			n = min(n, piece)
		}
		select {
		case <-time.After(delay):
		case <-w.ended:
			return io.ErrClosedPipe
		}
		if _, err := to.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
