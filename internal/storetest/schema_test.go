package storetest_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao/internal/db"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

var update = flag.Bool("update", false, "write the golden schemas anew")

// The schema that the migrations make is the one in testdata; a change of it is
// seen in review. What the other tests begin with is the same to the letter.
func TestGoldenSchema(t *testing.T) {
	for name, url := range map[string]func(t testing.TB) string{
		"sqlite":   func(t testing.TB) string { return filepath.Join(t.TempDir(), "tianbao.db") },
		"postgres": storetest.PostgresURL,
	} {
		t.Run(name, func(t *testing.T) {
			d, err := db.Open(t.Context(), db.Options{URL: url(t), Migrations: store.Migrations()})
			if err != nil {
				t.Fatal(err)
			}
			got, applied := schema(t, d), migrated(t, d)
			if err := d.Close(t.Context()); err != nil {
				t.Error(err)
			}
			golden := filepath.Join("testdata", "schema."+name+".txt")
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the schema differs; if that is meant, run with -update\n%s", diff)
			}
			begun := storetest.Open(t, url(t)).DB()
			if diff := cmp.Diff(got, schema(t, begun)) + cmp.Diff(applied, migrated(t, begun)); diff != "" {
				t.Errorf("other tests begin with another schema\n%s", diff)
			}
		})
	}
}

// migrated are the numbers of the migrations that a database went through.
func migrated(t *testing.T, d *db.DB) []int {
	t.Helper()
	all, err := db.Collect(t.Context(), d, func(scan db.Scan) (n int, err error) { return n, scan(&n) },
		`SELECT version_id FROM goose_db_version ORDER BY version_id`)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// schema describes tables and indexes, those of goose left out.
func schema(t *testing.T, d *db.DB) string {
	t.Helper()
	var b strings.Builder
	add := func(sql string) {
		t.Helper()
		err := d.Each(t.Context(), func(scan db.Scan) error {
			var line string
			err := scan(&line)
			b.WriteString(line + "\n")
			return err
		}, sql)
		if err != nil {
			t.Fatal(err)
		}
	}
	if d.Kind() == db.SQLite {
		add(`SELECT sql || ';' FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'goose%' AND tbl_name NOT LIKE 'sqlite%' ORDER BY tbl_name, type DESC, name`)
		return b.String()
	}
	add(`SELECT table_name || '.' || column_name || ' ' || data_type || CASE WHEN is_nullable = 'NO' THEN ' not null' ELSE '' END
 || COALESCE(' collate ' || collation_name, '') || COALESCE(' default ' || column_default, '')
 FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE 'goose%'
 ORDER BY table_name COLLATE "C", ordinal_position`)
	var name string
	if err := d.One(t.Context(), []any{&name}, `SELECT current_schema()::text`); err != nil {
		t.Fatal(err)
	}
	add(`SELECT replace(indexdef, current_schema() || '.', '') FROM pg_indexes WHERE schemaname = current_schema() AND tablename NOT LIKE 'goose%' ORDER BY tablename COLLATE "C", indexname COLLATE "C"`)
	if strings.Contains(b.String(), name) {
		t.Fatalf("the schema %s is part of its description", name)
	}
	return b.String()
}
