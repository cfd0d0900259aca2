package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"tianbao"
)

// Server is what is put under load.
type Server struct {
	Addr string // host:port
	// Others are more servers of the same installation. The load goes around all of them, and
	// what got no answer is sent again to whoever takes it.
	Others []string
	// PID is the server's process on this machine, 0: it is on another one, and what it uses
	// is not told.
	PID int
}

// patience is for how long people of several servers send again what got no answer.
const patience = 30 * time.Second

// from returns all addresses, beginning with the n-th.
func (s *Server) from(n int) []string {
	all := append([]string{s.Addr}, s.Others...)
	n %= len(all)
	return append(all[n:len(all):len(all)], all[:n]...)
}

// Crowd is the people of a province at a server: sessions, connections and the sheets that
// have been opened so far.
type Crowd struct {
	Server   Server
	Province *Province
	sessions []*Session // of departments
	cities   []*Session
	units    []tianbao.Unit

	ours, peers pool
	turns       atomic.Int64 // of the servers
	// Repeated counts requests that were sent again.
	Repeated atomic.Int64

	mu     sync.Mutex
	sheets map[int]*Sheet // by unit
	person int
}

// Gather signs everybody in, as many departments as clerks says (0: all), over real HTTP.
func (p *Province) Gather(ctx context.Context, s Server, clerks int) (*Crowd, error) {
	c := &Crowd{Server: s, Province: p, sheets: make(map[int]*Sheet)}
	c.units = p.tree()[p.firstUnit():]
	// Another run on the same data brings other people: one person in two units is a fault, and
	// takes the server longer.
	c.person = rand.IntN(People / 2) //nolint:gosec // a load
	if clerks == 0 || clerks > p.Clerks() {
		clerks = p.Clerks()
	}
	c.sessions, c.cities = make([]*Session, clerks), make([]*Session, p.Cities())
	err := each(ctx, clerks+len(c.cities), 4, func(i int) error {
		login, to := "", &Session{}
		if i < clerks {
			login = p.ClerkLogin(i)
		} else {
			login = p.CityLogin(i - clerks)
		}
		conn := c.take()
		defer c.give(conn)
		to, err := SignIn(ctx, conn, login, p.Password)
		if err != nil {
			return fmt.Errorf("load: sign in %s: %w", login, err)
		}
		if i < clerks {
			c.sessions[i] = to
		} else {
			c.cities[i-clerks] = to
		}
		return nil
	})
	return c, err
}

// Close closes all connections that are not in use.
func (c *Crowd) Close() {
	for _, p := range []*pool{&c.ours, &c.peers} {
		for _, conns := range p.conns {
			for _, conn := range conns {
				conn.Close()
			}
		}
	}
}

func (c *Crowd) take() *Conn     { return c.ours.take(c.Server.from(int(c.turns.Add(1)))...) }
func (c *Crowd) give(conn *Conn) { c.ours.give(conn) }

// Reach is how many units somebody is signed in for; they are those from 0 on.
func (c *Crowd) Reach() int { return min(c.Province.Units, len(c.sessions)*perDepartment) }

// clerk returns who fills in for a unit, on a connection.
func (c *Crowd) clerk(conn *Conn, unit int, name string) *Clerk {
	cl := &Clerk{Conn: conn, Session: c.sessions[c.Province.Department(unit)], Name: name, Repeated: &c.Repeated}
	if len(c.Server.Others) > 0 {
		cl.Patience = patience
	}
	return cl
}

// Rows makes rows of a unit, of persons who were not used before in this run.
func (c *Crowd) Rows(unit, n int) []Row {
	c.mu.Lock()
	at := c.person
	c.person += n
	c.mu.Unlock()
	out := make([]Row, n)
	for i := range out {
		out[i] = c.Province.Row(&c.units[unit], at+i)
	}
	return out
}

// sheet opens a unit's sheet, or returns the one that is open. Units are not shared between
// goroutines.
func (c *Crowd) sheet(ctx context.Context, clerk *Clerk, unit int) (*Sheet, error) {
	c.mu.Lock()
	s := c.sheets[unit]
	c.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := clerk.Open(ctx, c.Province.UnitID(unit))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.sheets[unit] = s
	c.mu.Unlock()
	return s, nil
}

// Submitters are clients that submit to units of their own, one after another.
type Submitters struct {
	crowd   *Crowd
	rows    int
	clients []submitter
}

type submitter struct {
	clerk Clerk
	units []int
	at    int
}

// Submitters opens so many sheets for each of n clients, which then submit so many new rows
// at a time. Opening is not part of what is measured.
func (c *Crowd) Submitters(ctx context.Context, n, sheets, rows int) (*Submitters, error) {
	return c.submitters(ctx, 0, n, sheets, rows)
}

// Readers is Submitters for clients that read: each sheet holds so many rows. Their units are
// others than those of Submitters, where there are enough.
func (c *Crowd) Readers(ctx context.Context, n, sheets, rows int) (*Submitters, error) {
	s, err := c.submitters(ctx, c.Reach()/2, n, sheets, rows)
	if err != nil {
		return nil, err
	}
	return s, each(ctx, n, min(n, 8), func(i int) error {
		for range s.clients[i].units {
			cl, unit := s.turn(i)
			sheet, err := c.sheet(ctx, &cl.clerk, unit)
			if err == nil && sheet.Version == 0 {
				err = cl.clerk.Save(ctx, sheet, c.Rows(unit, rows))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// submitters are of the units from the first one on.
func (c *Crowd) submitters(ctx context.Context, first, n, sheets, rows int) (*Submitters, error) {
	s := &Submitters{crowd: c, rows: rows, clients: make([]submitter, n)}
	sheets = min(sheets, (c.Reach()-first)/n)
	if sheets == 0 {
		return nil, errors.New("load: there are fewer units than clients")
	}
	at := time.Now().UnixNano()
	return s, each(ctx, n, min(n, 8), func(i int) error {
		cl := &s.clients[i]
		conn := NewConn(c.Server.from(i)...)
		cl.clerk = *c.clerk(conn, i, fmt.Sprintf("s%d-%d", at, i))
		for j := range sheets {
			// Neighbours are of the same department: spread the clients over all of them.
			unit := first + i + j*n
			cl.units = append(cl.units, unit)
			cl.clerk.Session = c.clerk(conn, unit, "").Session
			if _, err := c.sheet(ctx, &cl.clerk, unit); err != nil {
				return err
			}
		}
		return nil
	})
}

// turn gives a client its next unit and signs it in as that unit's clerk.
func (s *Submitters) turn(client int) (*submitter, int) {
	cl := &s.clients[client]
	unit := cl.units[cl.at%len(cl.units)]
	cl.at++
	cl.clerk.Session = s.crowd.clerk(nil, unit, "").Session
	return cl, unit
}

// Submit lets a client submit once.
func (s *Submitters) Submit(ctx context.Context, client int) error {
	cl, unit := s.turn(client)
	sheet, err := s.crowd.sheet(ctx, &cl.clerk, unit)
	if err != nil {
		return err
	}
	return cl.clerk.Save(ctx, sheet, s.crowd.Rows(unit, s.rows))
}

// View lets a client read one of its sheets.
func (s *Submitters) View(ctx context.Context, client int) error {
	cl, unit := s.turn(client)
	sheet, err := s.crowd.sheet(ctx, &cl.clerk, unit)
	if err != nil {
		return err
	}
	return cl.clerk.View(ctx, sheet)
}

// Find lets a client look for a unit by its whole name.
func (s *Submitters) Find(ctx context.Context, client int) error {
	cl, unit := s.turn(client)
	n, err := cl.clerk.Find(ctx, s.crowd.units[unit].Name)
	if err == nil && n == 0 {
		err = errors.New("load: a unit is not found by its name")
	}
	return err
}

// FindPart lets a client look for units by a part of a name.
func (s *Submitters) FindPart(ctx context.Context, client int) error {
	cl, unit := s.turn(client)
	name := []rune(s.crowd.units[unit].Name)
	n, err := cl.clerk.Find(ctx, string(name[len(name)-6:]))
	if err == nil && n == 0 {
		err = errors.New("load: a unit is not found by a part of its name")
	}
	return err
}

// Close closes the clients' connections.
func (s *Submitters) Close() {
	for i := range s.clients {
		if c := s.clients[i].clerk.Conn; c != nil {
			c.Close()
		}
	}
}

// Clerk returns who fills in for a unit, at the next server, for a program of its own making.
func (c *Crowd) Clerk(unit int, name string) *Clerk {
	return c.clerk(NewConn(c.Server.from(int(c.turns.Add(1)))...), unit, name)
}

// Session tells the cookie and the token of a department's session.
func (c *Crowd) Session(department int) (cookie, csrf string) {
	s := c.sessions[department]
	return s.cookie, s.csrf
}
