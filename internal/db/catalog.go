package db

import (
	"context"
	"fmt"
	"strings"
)

// Type is the kind of value that a column holds.
type Type byte

// The kinds of values that the portable subset knows.
const (
	Int   Type = 'i' // BIGINT
	Bool  Type = 'b' // BOOLEAN
	Text  Type = 't' // TEXT
	Bytes Type = 'y' // BYTEA
)

// Column is a column of a table.
type Column struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// Table is a table of the program's, whichever engine holds it.
type Table struct {
	Name    string   `json:"name"`
	Columns []Column `json:"columns"`
	// Key are the columns of the primary key, in its order: the order by it is the same
	// on both engines. A table without one is ordered by all its columns.
	Key []string `json:"key"`
}

// The engine's own tables, those of the migrations and of their lock left out.
const (
	sqlTablesSQLite   = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name NOT LIKE 'goose!_%' ESCAPE '!' ORDER BY name`
	sqlColumnsSQLite  = `SELECT name, LOWER(type), pk FROM pragma_table_info($1) ORDER BY cid`
	sqlTablesPostgres = `SELECT CAST(table_name AS TEXT) COLLATE "C" AS name FROM information_schema.tables
		WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'goose!_%' ESCAPE '!' ORDER BY name`
	sqlColumnsPostgres = `SELECT CAST(c.column_name AS TEXT), CAST(c.data_type AS TEXT), COALESCE((
			SELECT CAST(k.ordinal_position AS BIGINT) FROM information_schema.table_constraints t
			JOIN information_schema.key_column_usage k ON k.constraint_schema = t.constraint_schema AND k.constraint_name = t.constraint_name AND k.table_name = t.table_name
			WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_schema = c.table_schema AND t.table_name = c.table_name AND k.column_name = c.column_name), 0)
		FROM information_schema.columns c WHERE c.table_schema = current_schema() AND c.table_name = $1 ORDER BY c.ordinal_position`
	// SQLite has no sequence, and goose none of its own words for it: the version is the
	// newest that was applied.
	sqlSchemaVersion = `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version`
)

var typeNames = map[string]Type{
	"bigint": Int, "integer": Int, "boolean": Bool, "text": Text, "bytea": Bytes, "blob": Bytes,
}

// Catalog lists the tables of the database by name, with what a copy of them needs.
func (d *DB) Catalog(ctx context.Context, q Queryer) ([]Table, error) {
	tables, columns := sqlTablesSQLite, sqlColumnsSQLite
	if d.kind == Postgres {
		tables, columns = sqlTablesPostgres, sqlColumnsPostgres
	}
	names, err := Collect(ctx, q, func(scan Scan) (name string, err error) { return name, scan(&name) }, tables)
	if err != nil {
		return nil, err
	}
	out := make([]Table, 0, len(names))
	for _, name := range names {
		t := Table{Name: name}
		keys := make(map[int64]string)
		err := q.Each(ctx, func(scan Scan) error {
			var col, typ string
			var key int64
			if err := scan(&col, &typ, &key); err != nil {
				return err
			}
			kind, ok := typeNames[typ]
			if !ok {
				return fmt.Errorf("db: %s.%s is of type %q, which is none of the portable ones", name, col, typ)
			}
			t.Columns = append(t.Columns, Column{col, kind})
			if key > 0 {
				keys[key] = col
			}
			return nil
		}, columns, name)
		if err != nil {
			return nil, err
		}
		for i := range int64(len(keys)) {
			t.Key = append(t.Key, keys[i+1])
		}
		out = append(out, t)
	}
	return out, nil
}

// SchemaVersion returns the number of the newest migration that was applied.
func SchemaVersion(ctx context.Context, q Queryer) (version int64, err error) {
	err = q.One(ctx, []any{&version}, sqlSchemaVersion)
	return version, err
}

// Select is the statement that reads the table's rows in the order of its key.
func (t *Table) Select() string {
	order := t.Key
	if len(order) == 0 {
		order = t.names()
	}
	return "SELECT " + strings.Join(t.names(), ", ") + " FROM " + t.Name + " ORDER BY " + strings.Join(order, ", ")
}

// Insert is the statement that writes a row.
func (t *Table) Insert() string {
	places := make([]string, len(t.Columns))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	return "INSERT INTO " + t.Name + " (" + strings.Join(t.names(), ", ") + ") VALUES (" + strings.Join(places, ", ") + ")"
}

func (t *Table) names() []string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Name
	}
	return out
}
