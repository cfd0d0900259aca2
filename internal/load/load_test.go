package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tianbao/internal/ident"
)

func TestHist(t *testing.T) {
	var h Hist
	if h.Quantile(.99) != 0 || h.Mean() != 0 {
		t.Error("an empty histogram tells times")
	}
	for i := range 100_000 {
		h.Add(time.Duration(i+1) * 10 * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{.5: 500 * time.Millisecond, .99: 990 * time.Millisecond, .999: 999 * time.Millisecond, 1: time.Second} {
		if got := h.Quantile(q); got < want || float64(got) > 1.02*float64(want) {
			t.Errorf("quantile %v: %v, want %v and up to a 64th more", q, got, want)
		}
	}
	if h.Max() != time.Second || h.Count() != 100_000 {
		t.Errorf("most %v of %d", h.Max(), h.Count())
	}
	h.Add(-time.Second) // a clock that went back
	h.Add(3 * time.Hour)
	if h.Max() != 3*time.Hour {
		t.Error("a time beyond the last bucket is lost")
	}
}

// Each bucket holds the time that it is told by, and they touch each other.
func TestBuckets(t *testing.T) {
	last := -1
	for us := uint64(0); us < 1<<32; us = us*65/64 + 1 {
		b := bucket(us)
		if b < last || b >= histSize {
			t.Fatalf("%d µs in bucket %d after %d", us, b, last)
		}
		if last = b; upper(b) < time.Duration(us)*time.Microsecond {
			t.Fatalf("bucket %d of %d µs ends at %v", b, us, upper(b))
		}
		if b > 0 && upper(b-1) >= time.Duration(us)*time.Microsecond {
			t.Fatalf("%d µs in bucket %d fit into the one before", us, b)
		}
	}
}

func TestArrivals(t *testing.T) {
	at := Arrivals(rand.New(rand.NewPCG(1, 2)), 10_000, time.Hour, Evening)
	if !slices.IsSorted(at) || at[0] < 0 || at[len(at)-1] > time.Hour {
		t.Fatal("not within the hour, in order")
	}
	early, _ := slices.BinarySearch(at, 30*time.Minute)
	if late := len(at) - early; early*3 > late || early < 1500 {
		t.Errorf("%d before half, %d after", early, late)
	}
}

// An open loop does not wait: a call that hangs delays no other, and the one that began late
// tells so.
func TestOpenLoop(t *testing.T) {
	free, began := make(chan struct{}), make(chan int, 3)
	done := make(chan struct{})
	go func() {
		defer close(done)
		Open(t.Context(), []time.Duration{0, time.Millisecond, 2 * time.Millisecond}, func(_ context.Context, i int, start time.Time) {
			if time.Since(start) < 0 {
				t.Errorf("arrival %d came early", i)
			}
			began <- i
			<-free
		})
	}()
	for range 3 {
		<-began
	}
	close(free)
	<-done
}

func TestClosedLoop(t *testing.T) {
	s := Closed(t.Context(), 3, 20*time.Millisecond, func(_ context.Context, client int) error {
		if time.Sleep(time.Millisecond); client == 2 {
			return &StatusError{Status: 500}
		}
		return nil
	})
	if s.Hist.Count() == 0 || s.Errors.Load() == 0 || s.Rate() <= 0 {
		t.Errorf("%d calls, %d errors", s.Hist.Count(), s.Errors.Load())
	}
}

func TestConn(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s", r.Method, r.Header.Get("X-Say"))
	})
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
		for range 100 { // in chunks
			fmt.Fprint(w, strings.Repeat("x", 1000))
			_ = http.NewResponseController(w).Flush()
		}
	})
	mux.HandleFunc("/last", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	ts := httptest.NewServer(mux)
	defer ts.Close()
	c := NewConn(strings.TrimPrefix(ts.URL, "http://"))
	defer c.Close()
	for range 3 {
		a, err := c.Do(t.Context(), "POST", "/echo", []byte("body"), Header{"X-Say", "hello"})
		if err != nil || a.Status != 418 || string(a.Body) != "POST hello" || a.Cookie != "a=b" || a.Retry != "7" {
			t.Fatalf("%+v %q %v", a, a.Body, err)
		}
		if a, err = c.Do(t.Context(), "GET", "/long", nil); err != nil || len(a.Body) != 100_000 {
			t.Fatalf("%d bytes, %v", len(a.Body), err)
		}
		if a, err = c.Do(t.Context(), "GET", "/last", nil); err != nil || len(a.Body) != 0 {
			t.Fatalf("%d bytes, %v", len(a.Body), err)
		}
	}
}

// What is no answer is an error, and none makes the client take endless memory.
func TestConnRefuses(t *testing.T) {
	for name, answer := range map[string]string{
		"no HTTP": "hello\r\n\r\n", "no status": "HTTP/1.1 abc\r\n\r\n", "no length": "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"too long": "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "bad chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"cut off": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			go func() {
				if conn, err := ln.Accept(); err == nil {
					_, _ = bufio.NewReader(conn).ReadString('\n')
					_, _ = conn.Write([]byte(answer))
					_ = conn.Close()
				}
			}()
			c := NewConn(ln.Addr().String())
			defer c.Close()
			if a, err := c.Do(t.Context(), "GET", "/", nil); err == nil {
				t.Errorf("took %+v", a)
			}
		})
	}
}

// The province is the same for a seed, its paths sort as the tree, and its rows are valid.
func TestProvince(t *testing.T) {
	p := &Province{Seed: 7, Units: 1234, Accounts: 5}
	units := p.tree()
	if got := units[len(units)-1].ID; got != p.UnitID(p.Units-1) {
		t.Fatalf("the last unit is %s, want %s", got, p.UnitID(p.Units-1))
	}
	codes := make(map[string]bool)
	for i := range units {
		u := &units[i]
		if ident.CreditCode(u.OrgCode) != ident.OK || codes[u.OrgCode] {
			t.Fatalf("code %s of %s", u.OrgCode, u.Name)
		}
		codes[u.OrgCode] = true
		if u.Parent >= u.ID || len(u.ID.String()) != 7 {
			t.Fatalf("unit %s below %s", u.ID, u.Parent)
		}
	}
	if p.Reach() != 500 || p.Clerks() != 5 {
		t.Errorf("%d clerks reach %d units", p.Clerks(), p.Reach())
	}
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for n := range 3000 {
		r := p.Row(&units[len(units)-1], n*7919)
		if ident.ResidentID(r.Cells[6], at) != ident.OK || !strings.HasPrefix(r.Cells[7], "160") || ident.Phone(r.Cells[7]) != ident.OK {
			t.Fatalf("person %d is not valid", n)
		}
		if f, _ := ident.PersonName(r.Cells[5], false, 2, 50); f != ident.OK || r.Cells[5] != PersonName(7, n*7919) {
			t.Fatalf("name of person %d", n)
		}
	}
}

// Where one of several servers is not there, another one is asked; and what it leaves without
// an answer is sent again as it was.
func TestSeveralServers(t *testing.T) {
	var mu sync.Mutex
	var heard []string
	serve := func(name string, answer func(w http.ResponseWriter, n int)) string {
		n := 0
		ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, name+" "+string(body))
			n++
			answer(w, n)
		}))
		t.Cleanup(ts.Close)
		return strings.TrimPrefix(ts.URL, "http://")
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	broken := serve("broken", func(http.ResponseWriter, int) { panic(http.ErrAbortHandler) })
	well := serve("well", func(w http.ResponseWriter, n int) {
		if n == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"error":{"code":"unsure"}}`)
		}
	})
	s := Server{Addr: strings.TrimPrefix(gone.URL, "http://"), Others: []string{well, broken}}
	var repeated atomic.Int64
	c := &Clerk{Conn: NewConn(s.from(3)...), Session: &Session{}, Patience: time.Minute, Repeated: &repeated}
	if _, err := c.ask(t.Context(), "POST", "/x", []byte("key-1")); err != nil {
		t.Error(err)
	}
	c = &Clerk{Conn: NewConn(s.from(2)...), Session: &Session{}} // the broken one first, and no patience
	if _, err := c.ask(t.Context(), "POST", "/x", []byte("key-2")); err == nil {
		t.Error("a request without an answer is told as one with one")
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(heard, ", "); got != "well key-1, broken key-1, well key-1, broken key-2" || repeated.Load() != 2 {
		t.Errorf("heard %s, %d repeated", got, repeated.Load())
	}
	if got, err := serversOf("http://a:1, http://b:2"); err != nil || got.Addr != "a:1" || got.Others[0] != "b:2" {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := serversOf("http://a:1,b:2"); err == nil {
		t.Error("half an address is taken")
	}
}
