package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// pool keeps connections to servers, by the address that each tries first.
type pool struct {
	mu    sync.Mutex
	conns map[string][]*Conn
}

func (p *pool) take(addrs ...string) *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := p.conns[addrs[0]]
	if n := len(of); n > 0 {
		p.conns[addrs[0]] = of[:n-1]
		return of[n-1]
	}
	return NewConn(addrs...)
}

func (p *pool) give(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		p.conns = make(map[string][]*Conn)
	}
	p.conns[c.addrs[0]] = append(p.conns[c.addrs[0]], c)
}

// side is one of those that are compared, in one line.
type side struct {
	server Server
	call   func(ctx context.Context, client int) error
	end    func()
}

// measured are the medians of a side's slices.
type measured struct {
	rate, p50, p99, cpu float64
	failed              int64
}

// turns is how often each side's turn comes; medians count.
const turns = 3

// slices measures sides by turns, three slices each, and returns the medians of each.
func (o *options) slices(ctx context.Context, clients int, sides ...side) []measured {
	all := make([][]measured, len(sides))
	for range turns {
		for i, s := range sides {
			before := UsageOf(s.server.PID).CPU
			got := Closed(ctx, clients, o.length, s.call)
			used := UsageOf(s.server.PID).CPU - before
			l := OfSlice("", got, used)
			all[i] = append(all[i], measured{got.Rate(), l.P50, l.P99, l.CPU, l.Failed})
		}
	}
	out := make([]measured, len(sides))
	for i, m := range all {
		if sides[i].end != nil {
			sides[i].end()
		}
		of := func(get func(*measured) float64) float64 {
			var list []float64
			for j := range m {
				list = append(list, get(&m[j]))
			}
			return median(list)
		}
		out[i] = measured{
			rate: of(func(m *measured) float64 { return m.rate }), p50: of(func(m *measured) float64 { return m.p50 }),
			p99: of(func(m *measured) float64 { return m.p99 }), cpu: of(func(m *measured) float64 { return m.cpu }),
		}
		for j := range m {
			out[i].failed += m[j].failed
		}
	}
	return out
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// startPeer starts PocketBase on an empty folder.
func (o *options) startPeer(ctx context.Context, dir string, p *Province, crowd *Crowd) (stop func(), _ *PocketBase, err error) {
	const mail, password = "load@example.com", "Load-2022-tianbao"
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, nil, err
	}
	peer, err := filepath.Abs(o.peer)
	if err != nil {
		return nil, nil, fmt.Errorf("find the peer: %w", err)
	}
	if out, err := exec.CommandContext(ctx, peer, "superuser", "upsert", mail, password, "--dir", dir).CombinedOutput(); err != nil { //#nosec G204 -- named by who runs this
		return nil, nil, fmt.Errorf("set the peer up: %w: %s", err, out)
	}
	stop, pid, _, err := o.peerUp(ctx, dir, addr)
	if err != nil {
		return nil, nil, err
	}
	pb := &PocketBase{Server: Server{Addr: addr, PID: pid}, province: p, crowd: crowd}
	return stop, pb, pb.prepare(ctx, mail, password)
}

// peerUp starts PocketBase.
func (o *options) peerUp(ctx context.Context, dir, addr string) (stop func(), pid int, took time.Duration, err error) {
	peer, err := filepath.Abs(o.peer)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("find the peer: %w", err)
	}
	return startProgram(ctx, filepath.Join(dir, "peer.log"), addr, "/api/health", peer, "serve", "--dir", dir, "--http", addr)
}

// beside measures ours beside PocketBase, and holds each line of the goals.
func (o *options) beside(ctx context.Context, crowd *Crowd, stopOurs func()) (*Result, error) {
	dir, err := os.MkdirTemp(filepath.Dir(filepath.Clean(o.data)), "tianbao-peer-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	stop, pb, err := o.startPeer(ctx, dir, &o.province, crowd)
	if err != nil {
		return nil, err
	}
	defer func() { stop() }()
	r := &Result{Title: "Beside PocketBase, medians of three alternating slices of " + o.length.String()}
	for _, col := range []string{plainRows, indexedRows} {
		if err := pb.fill(ctx, col, o.province.Rows); err != nil {
			return nil, fmt.Errorf("fill the peer: %w", err)
		}
	}
	if o.only == "" || o.only == "writes" {
		if err := o.writes(ctx, crowd, pb, r); err != nil {
			return nil, err
		}
	}
	if o.only == "" || o.only == "reads" {
		if err := o.reads(ctx, crowd, pb, r); err != nil {
			return nil, err
		}
	}
	if o.only != "" && o.only != "rest" {
		return r, nil
	}
	loaded := [2]int64{UsageOf(crowd.Server.PID).RSS, UsageOf(pb.Server.PID).RSS}
	stop()
	stopOurs()
	var took, theirsTook []float64
	var s Server
	stopOurs = func() {}
	for range turns { // by turns, as the slices
		stop()
		stopOurs()
		end, pid, theirs, err := o.peerUp(ctx, dir, pb.Server.Addr)
		if err != nil {
			return nil, err
		}
		stop, pb.Server.PID = end, pid
		end, server, ours, err := o.serve(ctx)
		if err != nil {
			return nil, err
		}
		stopOurs, s = end, server
		took, theirsTook = append(took, ours.Seconds()*1000), append(theirsTook, theirs.Seconds()*1000)
	}
	defer func() { stopOurs() }()
	r.atMost("start with data", "≤ 1.0×", median(took), median(theirsTook), 1, "ms")
	sleepUntil(ctx, time.Now().Add(2*time.Second)) // what is done right after the start
	r.atMost("memory when idle, with data", "≤ 0.7×", float64(UsageOf(s.PID).RSS>>20), float64(UsageOf(pb.Server.PID).RSS>>20), .7, "MB")
	if o.only == "" {
		r.atMost("memory after the load", "—", float64(loaded[0]>>20), float64(loaded[1]>>20), 0, "MB")
	}
	ours, err1 := os.Stat(o.program)
	theirs, err2 := os.Stat(o.peer)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("measure the programs: %w", err)
	}
	r.atMost("program, stripped", "≤ 0.8×", float64(ours.Size()>>20), float64(theirs.Size()>>20), .8, "MB")
	return r, nil
}

// pair adds the two lines of what was measured.
func (r *Result) pair(name string, clients int, ours, theirs measured) {
	for _, m := range []struct {
		who string
		measured
	}{{"tianbao", ours}, {"PocketBase", theirs}} {
		r.Lines = append(r.Lines, Line{
			Name: fmt.Sprintf("%s, %d clients: %s", name, clients, m.who), PerSec: m.rate, P50: m.p50, P99: m.p99, CPU: m.cpu, Failed: m.failed,
		})
	}
}

// atLeast holds a figure that should be so many times the peer's.
func (r *Result) atLeast(name, goal string, ours, theirs, times float64, unit string) {
	r.Lines = append(r.Lines, Held(name, goal, fmt.Sprintf("%.2f× (%.0f / %.0f %s)", ours/theirs, ours, theirs, unit), ours >= times*theirs))
}

// atMost holds a figure that should be at most a part of the peer's; 0: it is only told.
func (r *Result) atMost(name, goal string, ours, theirs, times float64, unit string) {
	r.Lines = append(r.Lines, Held(name, goal, fmt.Sprintf("%.2f× (%.1f / %.1f %s)", ours/theirs, ours, theirs, unit), times == 0 || ours <= times*theirs))
}

func (o *options) writes(ctx context.Context, crowd *Crowd, pb *PocketBase, r *Result) error {
	goals := map[int][2]float64{1: {1.9, 3}, 16: {4.5, 7}, 64: {6, 9}}
	for _, n := range []int{1, 16, 64} {
		ours, err := crowd.side(ctx, n, 10, (*Submitters).Submit)
		if err != nil {
			return err
		}
		plain, end := pb.clients(n, pb.submit(plainRows, 10))
		indexed, end2 := pb.clients(n, pb.submit(indexedRows, 10))
		m := o.slices(ctx, n, ours, side{pb.Server, plain, end}, side{pb.Server, indexed, end2})
		r.pair("10 rows", n, m[0], m[1])
		r.pair("10 rows, indexed", n, m[0], m[2])
		g := goals[n]
		r.atLeast(fmt.Sprintf("10 rows, %d clients", n), fmt.Sprintf("≥ %g×", g[0]), m[0].rate*10, m[1].rate*10, g[0], "rows/s")
		r.atLeast(fmt.Sprintf("10 rows, %d clients, its indexed collection", n), fmt.Sprintf("≥ %g×", g[1]), m[0].rate*10, m[2].rate*10, g[1], "rows/s")
		switch n {
		case 16:
			r.atMost("p99, 16 clients", "≤ 1/2", m[0].p99, m[1].p99, .5, "ms")
			r.atMost("processor time of a request, 16 clients", "≤ 1/4", m[0].cpu, m[1].cpu, .25, "µs")
		case 64:
			r.atMost("p99, 64 clients", "≤ 1/3", m[0].p99, m[1].p99, 1./3, "ms")
		}
	}
	for _, one := range []struct {
		rows, clients int
		goal          float64
		name          string
	}{{1, 1, .6, "1 row, 1 client"}, {1, 64, 1, "1 row, 64 clients"}, {50, 4, 8, "50 rows, 4 clients"}} {
		ours, err := crowd.side(ctx, one.clients, one.rows, (*Submitters).Submit)
		if err != nil {
			return err
		}
		plain, end := pb.clients(one.clients, pb.submit(plainRows, one.rows))
		m := o.slices(ctx, one.clients, ours, side{pb.Server, plain, end})
		r.pair(fmt.Sprintf("%d rows", one.rows), one.clients, m[0], m[1])
		r.atLeast(one.name, fmt.Sprintf("≥ %g×", one.goal), m[0].rate, m[1].rate, one.goal, "requests/s")
	}
	return nil
}

func (o *options) reads(ctx context.Context, crowd *Crowd, pb *PocketBase, r *Result) error {
	const n = 16
	units := crowd.units
	stored := func(i int) int { return len(units) - 1 - i%max(1, o.province.Rows/25) }
	readers, err := crowd.Readers(ctx, n, 2000/n, 25)
	if err != nil {
		return err
	}
	ours := side{crowd.Server, readers.View, readers.Close}
	call, end := pb.clients(n, pb.list("org_code", func(i int) string { return units[stored(i)].OrgCode }))
	m := o.slices(ctx, n, ours, side{pb.Server, call, end})
	r.pair("rows of a unit", n, m[0], m[1])
	r.atLeast("rows of a unit, 16 clients", "≥ 2.5×", m[0].rate, m[1].rate, 2.5, "requests/s")
	if ours, err = crowd.side(ctx, n, 1, (*Submitters).Find); err != nil {
		return err
	}
	call, end = pb.clients(n, pb.list("person_name", func(i int) string { return PersonName(o.province.Seed, People-1-i%o.province.Rows) }))
	m = o.slices(ctx, n, ours, side{pb.Server, call, end})
	r.pair("by name", n, m[0], m[1])
	r.atLeast("by name, 16 clients (ours: among the register's units)", "≥ 2×", m[0].rate, m[1].rate, 2, "requests/s")
	if ours, err = crowd.side(ctx, 1, 1, (*Submitters).FindPart); err != nil {
		return err
	}
	m = o.slices(ctx, 1, ours)
	r.Lines = append(r.Lines, Held("a part of a name, 1 client, p50 (ours: among the register's units)", "≤ 3 ms", fmt.Sprintf("%.2f ms", m[0].p50), m[0].p50 <= 3))
	return nil
}

// side is ours, of so many clients.
func (c *Crowd) side(ctx context.Context, clients, rows int, act func(*Submitters, context.Context, int) error) (side, error) {
	subs, err := c.Submitters(ctx, clients, max(20, 2000/clients), rows)
	if err != nil {
		return side{}, err
	}
	return side{c.Server, func(ctx context.Context, client int) error { return act(subs, ctx, client) }, subs.Close}, nil
}
