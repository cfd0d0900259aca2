package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/seal"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

// fixtureBound is the newest migration whose tables must have rows in testdata/upgrade;
// raise it with each migration that comes with a fixture.
const fixtureBound = 50

// upgrade is a database that grows from migration to migration, with data of each step.
type upgrade struct {
	kind db.Kind
	url  string
	ring *seal.Ring
}

func (u *upgrade) bytes(b []byte) string {
	if u.kind == db.Postgres {
		return `'\x` + hex.EncodeToString(b) + `'::bytea`
	}
	return `X'` + hex.EncodeToString(b) + `'`
}

func fieldKind(field string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(field))
	return h.Sum32() & 0x7fff
}

var called = regexp.MustCompile(`\b(seal|bytes|index|cells|looks|look|kind|digest)\(((?:'[^']*'(?:, )?)*)\)`)

// expand reads what a fixture says of sealed values and keyed indexes, which differ with
// the keys: seal(table.column, place, text), index(name, value), cells(row, id, phone) and
// looks(id, phone) of a row, look(field, value) and kind(field) of its keys, digest(label,
// text).
func (u *upgrade) expand(sql string) string {
	return called.ReplaceAllStringFunc(sql, func(s string) string {
		m := called.FindStringSubmatch(s)
		var a []string
		for _, q := range regexp.MustCompile(`'([^']*)'`).FindAllStringSubmatch(m[2], -1) {
			a = append(a, strings.ReplaceAll(q[1], `\0`, "\x00"))
		}
		sealed := func(table, column, place, text string) []byte {
			return u.ring.Seal(nil, []byte(text), seal.Place(table, column, place))
		}
		switch m[1] {
		case "bytes":
			return u.bytes([]byte(a[0]))
		case "seal":
			table, column, _ := strings.Cut(a[0], ".")
			return u.bytes(sealed(table, column, a[1], a[2]))
		case "index":
			return u.bytes(u.ring.Index(a[0], a[1]))
		case "cells":
			b64 := func(column, text string) string {
				return base64.StdEncoding.EncodeToString(sealed("report_row", column, a[0], text))
			}
			return u.bytes(fmt.Appendf(nil, `{"v":{"unit_name":"第一中学","person_name":"张示例"},"s":{"person_id":"%s","phone":"%s"}}`, b64("person_id", a[1]), b64("phone", a[2])))
		case "looks":
			var b []byte
			for i, field := range []string{"person_id", "phone"} {
				b = append(binary.BigEndian.AppendUint16(b, uint16(fieldKind(field))), u.ring.Index(field, a[i])...)
			}
			return u.bytes(b)
		case "look":
			return strconv.FormatInt(int64(binary.BigEndian.Uint64(u.ring.Index(a[0], a[1]))), 10)
		case "kind":
			return strconv.Itoa(int(fieldKind(a[0])))
		}
		var parts [][]byte
		for _, p := range a[1:] {
			parts = append(parts, []byte(p))
		}
		return "'" + u.ring.Digest(a[0], parts...) + "'"
	})
}

// step brings the database to a migration, writes what a program of then had written, and
// returns what is there.
func (u *upgrade) step(t *testing.T, n int64, fixture string) (h held) {
	t.Helper()
	u.with(t, n, func(d *db.DB) {
		err := d.Tx(t.Context(), func(tx db.Tx) error {
			fixture = regexp.MustCompile(`(?m)^--.*$`).ReplaceAllString(fixture, "")
			for text := range strings.SplitSeq(u.expand(fixture), ";\n") {
				if text = strings.TrimSpace(text); text == "" {
					continue
				}
				if _, err := tx.Exec(t.Context(), text); err != nil {
					return fmt.Errorf("%.80s: %w", text, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatalf("the fixture of %d: %v", n, err)
		}
		h = hold(t, d, n)
	})
	return h
}

// with opens the database at a migration; 0 stands for the newest.
func (u *upgrade) with(t *testing.T, n int64, fn func(*db.DB)) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: u.url, Migrations: store.Migrations(), UpTo: n, Readers: 1})
	if err != nil {
		t.Fatalf("migrate to %d: %v", n, err)
	}
	fn(d)
	if err := d.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// content is what tables hold, a text a row, in the columns named.
func content(t *testing.T, d *db.DB, columns map[string][]db.Column) map[string][]string {
	t.Helper()
	out := make(map[string][]string)
	for table, cols := range columns {
		names := make([]string, len(cols))
		for i, c := range cols {
			names[i] = c.Name
		}
		err := d.Each(t.Context(), func(scan db.Scan) error {
			dest := make([]any, len(cols))
			for i, c := range cols {
				dest[i] = map[db.Type]any{db.Int: new(int64), db.Bool: new(bool), db.Text: new(string), db.Bytes: new([]byte)}[c.Type]
			}
			if err := scan(dest...); err != nil {
				return err
			}
			var row []string
			for _, v := range dest {
				row = append(row, fmt.Sprint(reflect.ValueOf(v).Elem()))
			}
			out[table] = append(out[table], strings.Join(row, "|"))
			return nil
		}, "SELECT "+strings.Join(names, ", ")+" FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(out[table])
	}
	return out
}

func columnsOf(t *testing.T, d *db.DB) map[string][]db.Column {
	t.Helper()
	tables, err := d.Catalog(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]db.Column)
	for i := range tables {
		out[tables[i].Name] = tables[i].Columns
	}
	return out
}

// held is what a database of one migration holds, without what a later one changes on
// purpose.
type held struct {
	columns map[string][]db.Column
	rows    map[string][]string
}

func hold(t *testing.T, d *db.DB, n int64) held {
	t.Helper()
	changed := map[string]bool{"user_grant": true, "audit": true, "session": n < 22, "setup_token": n < 21, "campaign.opened": n < 30, "app_user.office": n < 10}
	h := held{columns: make(map[string][]db.Column)}
	for table, cols := range columnsOf(t, d) {
		for _, c := range cols {
			if !changed[table] && !changed[table+"."+c.Name] {
				h.columns[table] = append(h.columns[table], c)
			}
		}
	}
	h.rows = content(t, d, h.columns)
	return h
}

// arrive migrates a database to the newest, and holds every value that was there against
// what is there.
func (u *upgrade) arrive(t *testing.T, n int64, was held) {
	t.Helper()
	u.with(t, 0, func(d *db.DB) {
		is := columnsOf(t, d)
		for table, cols := range was.columns {
			for _, c := range cols {
				if !slices.Contains(is[table], c) {
					t.Fatalf("from %d: %s.%s is gone", n, table, c.Name)
				}
			}
		}
		if diff := cmp.Diff(was.rows, content(t, d, was.columns)); diff != "" {
			t.Errorf("from %d: values differ (-then +now):\n%s", n, diff)
		}
	})
}

func numbers(t *testing.T) (all []int64, fixtures map[int64]string) {
	t.Helper()
	files, err := fs.ReadDir(store.Migrations(), ".")
	if err != nil {
		t.Fatal(err)
	}
	fixtures = make(map[int64]string)
	for _, f := range files {
		number, _, _ := strings.Cut(f.Name(), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
		if b, err := os.ReadFile(filepath.Join("testdata", "upgrade", number+".sql")); err == nil {
			fixtures[n] = string(b)
		}
	}
	return all, fixtures
}

// From each schema since the first (some of them, unless TIANBAO_TEST_LONG is set), with data that a program of then had written, the
// database comes to the newest with every value, and the server and doctor find it well.
func TestUpgradeFromEverySchema(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "ring.json")
	ring, err := seal.OpenFile(keys, true, seal.SM4)
	if err != nil {
		t.Fatal(err)
	}
	grown := &upgrade{db.SQLite, filepath.Join(dir, "grown.db"), ring}
	all, fixtures := numbers(t)
	stops := []int64{5, 20, 36, all[len(all)-1]} // at which what was written since is as good
	if os.Getenv("TIANBAO_TEST_LONG") != "" {
		stops = all
	}
	written := ""
	for _, n := range all {
		if written += fixtures[n]; !slices.Contains(stops, n) {
			continue
		}
		was := grown.step(t, n, written)
		written = ""
		b, err := os.ReadFile(grown.url)
		if err != nil {
			t.Fatal(err)
		}
		data := filepath.Join(dir, strconv.FormatInt(n, 10))
		u := &upgrade{db.SQLite, filepath.Join(data, "tianbao.db"), ring}
		if err := os.Mkdir(data, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(u.url, b, 0o600); err != nil {
			t.Fatal(err)
		}
		u.arrive(t, n, was)
		upgraded(t, n, place{data: data, db: u.url, keyFile: keys, alg: "sm4-gcm"})
	}
	grown.with(t, 0, func(d *db.DB) {
		for table, rows := range content(t, d, columnsOf(t, d)) {
			if len(rows) == 0 && !slices.Contains([]string{"form", "trail", "trail_checkpoint", "trail_base"}, table) && madeBy(t, table) <= fixtureBound {
				t.Errorf("testdata/upgrade writes nothing into %s", table)
			}
		}
	})
}

// madeBy is the migration that makes a table.
func madeBy(t *testing.T, table string) int64 {
	t.Helper()
	all, _ := numbers(t)
	files, err := fs.ReadDir(store.Migrations(), ".")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		b, err := fs.ReadFile(store.Migrations(), f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("CREATE TABLE "+table+" ")) {
			return all[i]
		}
	}
	t.Fatalf("no migration makes %s", table)
	return 0
}

// upgraded opens the installation as the server does, reads what was saved, and has doctor
// look at it.
func upgraded(t *testing.T, n int64, p place) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	in, err := p.open(t.Context(), log)
	if err != nil {
		t.Fatalf("from %d: the server does not start: %v", n, err)
	}
	_, rows, err := in.store.Snapshot(t.Context(), tianbao.Scope{Paths: []string{"/"}}, 500)
	if err != nil || len(rows) != 2 || !slices.Contains(rows[0].Values, "210102199003079913") {
		t.Errorf("from %d: the rows are %d, %v", n, len(rows), err)
	}
	found, err := in.store.FindByKey(t.Context(), tianbao.Scope{Paths: []string{"/1/"}}, "person_id", "210102198805059928")
	if err != nil || len(found) != 1 || found[0].Row != 602 {
		t.Errorf("from %d: a person is found %d times, %v", n, len(found), err)
	}
	for login, may := range map[string]tianbao.Power{"clerk": tianbao.PowerFill, "chief": tianbao.PowerAccounts} {
		u, _, err := in.store.UserByLogin(t.Context(), login)
		if err != nil || !u.May(may) {
			t.Errorf("from %d: %s has lost the account or its rights: %v", n, login, err)
		}
	}
	in.close(log)
	var args []string
	for flag, v := range map[string]string{"--data": p.data, "--db": p.db, "--key-file": p.keyFile} {
		args = append(args, flag, v)
	}
	if code, _, all := examine(t, args...); code != 0 {
		t.Errorf("from %d: %s", n, all)
	}
}

// The same from some of them on PostgreSQL, where migrations differ most.
func TestUpgradeOnPostgres(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "ring.json")
	ring, err := seal.OpenFile(keys, true, seal.SM4)
	if err != nil {
		t.Fatal(err)
	}
	all, fixtures := numbers(t)
	for _, from := range []int64{1, 22} {
		t.Run(strconv.FormatInt(from, 10), func(t *testing.T) {
			u := &upgrade{db.Postgres, storetest.PostgresURL(t), ring}
			var was held
			for _, n := range all {
				if n <= from && (fixtures[n] != "" || n == from) {
					was = u.step(t, n, fixtures[n])
				}
			}
			u.arrive(t, from, was)
			upgraded(t, from, place{data: t.TempDir(), db: u.url, keyFile: keys, alg: "sm4-gcm"})
		})
	}
}
