package db

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// What a PostgreSQL server that is not heard of any more costs at most. Whoever waits is told
// after beatEvery, beatWait and connectWait, 9 s, where nothing at all comes through, and at
// once where the way is refused or reset.
const (
	// beatEvery is how often the server is asked for a sign of life, while it is away twice
	// as often; beatWait how long it may take. A server that is only slow is asked anew on
	// another connection before it is given up, and answers that in time.
	beatEvery = time.Second
	beatWait  = 5 * time.Second
	// connectWait bounds connecting, where the URL says nothing (connect_timeout).
	connectWait = 3 * time.Second
	// The kernel gives up a connection that is silent on its own while others work, as one
	// is that a firewall has forgotten, after aliveIdle + aliveCount × aliveEvery without,
	// or unheard with something to send.
	aliveIdle, aliveEvery, aliveCount = 5 * time.Second, 2 * time.Second, 3
	unheard                           = 10 * time.Second
	// silence bounds what is left: a server process that hangs on a machine that does not.
	// No statement of ours takes so long to its first row.
	silence = 10 * time.Minute
)

// link is the way to a PostgreSQL server. A way that breaks tells those who wait on it; one
// that falls silent (a cable, a switch, a machine that froze) tells nobody. So the link asks
// for a sign of life on a connection of its own, and where none comes it closes all others:
// who waits fails, and who comes is told at once, until the server is heard again. It dials
// for the pool. Waiting for a long statement is no silence, since the server answers beside it.
type link struct {
	log  *slog.Logger
	pace atomic.Pointer[pace]
	away atomic.Bool
	cuts atomic.Uint64

	mu    sync.Mutex
	conns map[*linkConn]bool
	here  context.Context // ends when the server is away
	gone  context.CancelFunc
}

// pace is how often signs of life are asked for, and how long they may take.
type pace struct{ every, wait, connect time.Duration }

func newLink(log *slog.Logger) *link {
	l := &link{log: log, conns: make(map[*linkConn]bool)}
	l.pace.Store(&pace{beatEvery, beatWait, connectWait})
	l.here, l.gone = context.WithCancel(context.Background())
	return l
}

// dialer dials so that the kernel notices when the other side is gone.
func dialer() *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: aliveIdle, Interval: aliveEvery, Count: aliveCount},
		Control:         boundUnheard,
	}
}

// dial is the pgconn.DialFunc of the pool.
func (l *link) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	l.mu.Lock()
	here := l.here
	l.mu.Unlock()
	if here.Err() != nil {
		return nil, ErrAway // also to pgx, which would ask the server to cancel what was cut off
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(here, cancel)()
	c, err := dialer().DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	lc := &linkConn{Conn: c, link: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if here.Err() != nil {
		_ = c.Close() // nothing was sent
		return nil, ErrAway
	}
	l.conns[lc] = true
	return lc, nil
}

// cut tells all who wait, and all who come, that the server is away.
func (l *link) cut(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cuts.Add(1)
	l.away.Store(true)
	l.gone()
	for c := range l.conns {
		_ = c.Conn.Close() // who waits on it is told
	}
	l.log.Error("PostgreSQL does not answer; all its connections were closed, and people are told to try again", "connections", len(l.conns), "err", why)
}

// back lets everybody in again.
func (l *link) back(after time.Duration) {
	l.mu.Lock()
	l.here, l.gone = context.WithCancel(context.Background())
	l.mu.Unlock()
	l.away.Store(false)
	l.log.Warn("PostgreSQL answers again", "after", after.Round(time.Millisecond))
}

// watch asks for signs of life until the context ends. cfg is of the link's own connection.
func (l *link) watch(ctx context.Context, cfg *pgx.ConnConfig) {
	var c *pgx.Conn
	defer func() { drop(c) }()
	var since time.Time
	for {
		p := l.pace.Load()
		pause := p.every
		if l.away.Load() {
			pause /= 2
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		var err error
		if c, err = p.beat(ctx, c, cfg); ctx.Err() != nil {
			return
		}
		switch away := l.away.Load(); {
		case err != nil && !away:
			since = time.Now() // for the log
			l.cut(err)
		case err == nil && away:
			l.back(time.Since(since))
		}
	}
}

// beat asks for a sign of life, on the connection that there is or on a new one.
func (p *pace) beat(ctx context.Context, c *pgx.Conn, cfg *pgx.ConnConfig) (*pgx.Conn, error) {
	if c != nil {
		asking, cancel := context.WithTimeout(ctx, p.wait)
		err := c.Ping(asking)
		cancel()
		if err == nil {
			return c, nil
		}
		drop(c)
	}
	asking, cancel := context.WithTimeout(ctx, p.connect)
	defer cancel()
	c, err := pgx.ConnectConfig(asking, cfg)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == pgTooMany {
		return nil, nil // a sign of life
	}
	return c, err
}

// drop closes a connection without waiting for the other side.
func drop(c *pgx.Conn) {
	if c == nil {
		return
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = c.Close(ended) // nothing was asked of it
}

// linkConn is a connection that its link can close, and that waits for no byte longer than
// silence.
type linkConn struct {
	net.Conn
	link *link

	mu    sync.Mutex
	bound bool // pgx has set a deadline
}

// Read implements net.Conn.
func (c *linkConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	if !c.bound {
		_ = c.Conn.SetReadDeadline(time.Now().Add(silence)) // a closed one tells by reading
	}
	c.mu.Unlock()
	return c.Conn.Read(p)
}

// SetDeadline implements net.Conn. Another goroutine sets one that is past where a context ends.
func (c *linkConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bound = !t.IsZero()
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *linkConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bound = !t.IsZero()
	return c.Conn.SetReadDeadline(t)
}

// Close implements net.Conn.
func (c *linkConn) Close() error {
	c.link.mu.Lock()
	delete(c.link.conns, c)
	c.link.mu.Unlock()
	return c.Conn.Close()
}
