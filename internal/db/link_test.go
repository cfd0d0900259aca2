package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tianbao/internal/db"
	"tianbao/internal/storetest"
)

const commitMessage = "Q\x00\x00\x00\x0bcommit\x00" // a simple query of PostgreSQL's protocol

// wired opens a database through a wire, with a table.
func wired(t *testing.T, more string) (*storetest.Wire, *db.DB) {
	t.Helper()
	pg := storetest.PostgresURL(t)
	w, url := storetest.NewWire(t, pg)
	d, err := db.Open(t.Context(), db.Options{URL: url + more})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	exec(t, d, `CREATE TABLE w (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)`)
	exec(t, d, `INSERT INTO w (id, n) VALUES (1, 0)`)
	return w, d
}

func put(ctx context.Context, d *db.DB, id int) error {
	return d.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO w (id, n) VALUES ($1, 0)`, id)
		return err
	})
}

func ids(t *testing.T, d *db.DB) string {
	t.Helper()
	all, err := db.Collect(t.Context(), d, scanInt, `SELECT id FROM w ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Trim(fmt.Sprint(all), "[]")
}

// await waits for what is so within seconds.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so: %s", what)
		}
	}
}

// Where packets vanish and nobody is told, whoever waits is told within seconds, whoever
// comes at once, and once the network is back all goes on by itself; a lock of a transaction
// that was cut off does not outlive it for long.
func TestSilentNetwork(t *testing.T) {
	w, d := wired(t, "&idle_in_transaction_session_timeout=1s") // 10 s without a word of the operator
	db.Hasten(d)
	waits := make(chan error, 3)
	holds := make(chan struct{})
	go func() { // holds a lock when the network goes, and waits for an answer
		waits <- d.Tx(t.Context(), func(tx db.Tx) error {
			if _, err := tx.Exec(t.Context(), `UPDATE w SET n = 1 WHERE id = 1`); err != nil {
				return err
			}
			w.Silence()
			close(holds)
			_, err := tx.Exec(t.Context(), `UPDATE w SET n = 2 WHERE id = 1`)
			return err
		})
	}()
	<-holds
	go func() { waits <- put(t.Context(), d, 2) }()
	go func() { waits <- d.One(t.Context(), []any{new(int64)}, `SELECT n FROM w`) }()
	for range 3 {
		if err := <-waits; !errors.Is(err, db.ErrAway) {
			t.Errorf("who waited is told %v", err)
		}
	}
	if s := d.Stats(); !s.Away || s.Cuts != 1 {
		t.Errorf("away %v, %d cuts", s.Away, s.Cuts)
	}
	for name, err := range map[string]error{
		"change":   put(t.Context(), d, 2),
		"one":      d.One(t.Context(), []any{new(int64)}, `SELECT n FROM w`),
		"each":     d.Each(t.Context(), func(db.Scan) error { return nil }, `SELECT n FROM w`),
		"snapshot": d.Read(t.Context(), func(db.Queryer) error { return nil }),
	} {
		if !errors.Is(err, db.ErrAway) {
			t.Errorf("%s while it is away: %v", name, err)
		}
	}
	w.Heal()
	await(t, "the server is there again", func() bool { return put(t.Context(), d, 2) == nil })
	// The lock is gone when the server gives up who holds it.
	await(t, "the lock is free", func() bool {
		return d.Tx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE w SET n = 3 WHERE id = 1 AND n = 0`)
			return err
		}) == nil
	})
	if got := ids(t, d); got != "1 2" {
		t.Errorf("there is %s", got)
	}
}

// The answer to a COMMIT that never comes is neither success nor failure.
func TestUnsureCommit(t *testing.T) {
	w, d := wired(t, "")
	db.Hasten(d)
	w.LoseAnswers([]byte(commitMessage), 1)
	done := make(chan error)
	go func() { done <- put(t.Context(), d, 2) }()
	await(t, "the change is made", func() bool { return ids(t, d) == "1 2" })
	w.Break()
	if err := <-done; !errors.Is(err, db.ErrUnsure) || errors.Is(err, db.ErrAway) {
		t.Errorf("a commit whose answer was lost is told as %v", err)
	}
	if s := d.Stats(); s.Unsure != 1 || !s.Failing {
		t.Errorf("%d unsure, failing %v", s.Unsure, s.Failing)
	}
}

// What breaks before COMMIT is done again on another connection, and nobody notices.
func TestBrokenBeforeCommit(t *testing.T) {
	w, d := wired(t, "")
	runs := 0
	err := d.Tx(t.Context(), func(tx db.Tx) error {
		if runs++; runs == 1 {
			w.Break()
			w.Heal()
		}
		_, err := tx.Exec(t.Context(), `INSERT INTO w (id, n) VALUES (2, 0)`)
		return err
	})
	if err != nil || runs != 2 {
		t.Errorf("run %d times: %v", runs, err)
	}
	w.Break() // also of what is only read
	w.Heal()
	if got := ids(t, d); got != "1 2" {
		t.Errorf("there is %s", got)
	}
	// Nor is a caller's own end taken for the network's.
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := put(ended, d, 3); !errors.Is(err, context.Canceled) || errors.Is(err, db.ErrAway) {
		t.Errorf("a change that nobody wants: %v", err)
	}
	if got := ids(t, d); got != "1 2" {
		t.Errorf("there is %s", got)
	}
}

// A network that is slow, or stalls for a moment, costs time and nothing else.
func TestSlowNetwork(t *testing.T) {
	w, d := wired(t, "")
	w.Slow(2*time.Millisecond, 200)
	var all sync.WaitGroup
	for id := range 8 {
		all.Go(func() {
			if err := put(t.Context(), d, 10+id); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w.Stall()
	time.AfterFunc(300*time.Millisecond, w.Heal)
	if err := put(t.Context(), d, 20); err != nil {
		t.Error(err)
	}
	if got := ids(t, d); got != "1 10 11 12 13 14 15 16 17 20" || d.Stats().Cuts != 0 {
		t.Errorf("there is %s after %d cuts", got, d.Stats().Cuts)
	}
}

// Who waits for a lock too long is told so, and what the operator says of it counts.
func TestLockIsWaitedForInVain(t *testing.T) {
	_, d := wired(t, "&lock_timeout=50ms")
	err := d.Tx(t.Context(), func(tx db.Tx) error {
		if _, err := tx.Exec(t.Context(), `UPDATE w SET n = 1 WHERE id = 1`); err != nil {
			return err
		}
		err := d.Tx(t.Context(), func(other db.Tx) error {
			_, err := other.Exec(t.Context(), `UPDATE w SET n = 2 WHERE id = 1`)
			return err
		})
		if !errors.Is(err, db.ErrBusy) {
			t.Errorf("a lock that is not had: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The server is told how to notice that we are gone, where nobody has told it otherwise.
func TestServerIsTold(t *testing.T) {
	_, d := wired(t, "&lock_timeout=7s")
	var got, snapshot string
	const ask = `SELECT concat_ws(' ', current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'),
 current_setting('tcp_user_timeout'), current_setting('client_connection_check_interval'), current_setting('plan_cache_mode'))`
	if err := d.One(t.Context(), []any{&got}, ask); err != nil {
		t.Fatal(err)
	}
	err := d.Read(t.Context(), func(q db.Queryer) error { return q.One(t.Context(), []any{&snapshot}, ask) })
	if err != nil {
		t.Fatal(err)
	}
	if got != "7s 10s 10000 5s force_generic_plan" || snapshot != "7s 0 10000 5s force_generic_plan" {
		t.Errorf("the server is told %q, in a snapshot %q", got, snapshot)
	}
}
