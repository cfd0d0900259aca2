package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"tianbao/internal/storetest"
)

// The demonstration's world is made once for each engine, by the product itself. To make it
// anew for each of a hundred servers, with the password hashing of all its accounts, would
// be most of what starting them costs.

// seeded is a data folder with that world on SQLite.
var seeded struct {
	once sync.Once
	dir  string
}

// seededPostgres is a data folder with that world on PostgreSQL, and the content of the
// tables beside it as COPY writes it.
var seededPostgres struct {
	once   sync.Once
	dir    string
	tables map[string][]byte
}

// world returns the data folder that others are copies of; db "" is SQLite.
func world(t testing.TB, db string) string {
	t.Helper()
	dir := &seeded.dir
	if db == "" {
		seeded.once.Do(func() { seeded.dir = makeWorld(t) })
	} else {
		dir = &seededPostgres.dir
		seededPostgres.once.Do(func() {
			url := storetest.PostgresURL(t)
			made := makeWorld(t, "--db", url)
			seededPostgres.tables = tablesOf(t, url)
			seededPostgres.dir = made
		})
	}
	if *dir == "" {
		t.Fatal("the demonstration's world could not be made")
	}
	return *dir
}

// seed gives a data folder and its database the demonstration's world.
func seed(t testing.TB, data, db string) {
	t.Helper()
	// As it is, with its modes: the product refuses a key file that others can read.
	if out, err := exec.Command("cp", "-a", world(t, db)+"/.", data).CombinedOutput(); err != nil {
		t.Fatalf("copy the demonstration's world: %v\n%s", err, out)
	}
	if db != "" {
		fill(t, db, seededPostgres.tables)
	}
}

// makeWorld starts the product on a new folder with --demo, and stops it.
func makeWorld(t testing.TB, more ...string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tianbao-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{data: dir, args: append([]string{"serve", "--addr", "127.0.0.1:0", "--data", dir, "--demo"}, more...)}
	s.start(t)
	s.stop()
	return dir
}

// tablesOf reads the tables of a schema, but for those that list and lock its migrations.
func tablesOf(t testing.TB, url string) map[string][]byte {
	t.Helper()
	c := connect(t, url)
	rows, err := c.Query(t.Context(), `SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT LIKE 'goose%'`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]byte, len(names))
	for _, name := range names {
		var b bytes.Buffer
		if _, err := c.PgConn().CopyTo(t.Context(), &b, "COPY "+name+" TO STDOUT"); err != nil {
			t.Fatal(err)
		}
		out[name] = b.Bytes()
	}
	return out
}

// fill makes the tables of an empty schema and puts their content in.
func fill(t testing.TB, url string, tables map[string][]byte) {
	t.Helper()
	if err := storetest.Prepare(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	c := connect(t, url)
	if _, err := c.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	for name, b := range tables {
		// Some migrations put rows in.
		if _, err := c.Exec(t.Context(), "DELETE FROM "+name); err != nil {
			t.Fatal(err)
		}
		if len(b) == 0 {
			continue
		}
		if _, err := c.PgConn().CopyFrom(t.Context(), bytes.NewReader(b), "COPY "+name+" FROM STDIN"); err != nil {
			t.Fatalf("fill %s: %v", name, err)
		}
	}
	if _, err := c.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
}

// connect opens a connection that ends with the test, before its schema goes.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}
