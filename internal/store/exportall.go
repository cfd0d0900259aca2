package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// Everything that an office owns, in open formats: each table as lines of JSON, each file
// as a file. What belongs to the program alone stays: sessions, what people sign in with,
// keyed indexes, digests, imports that are put aside.

// leftTables are the tables that do not go out, with the reason.
func leftTables() map[string]string {
	return map[string]string{
		"session": "sign-in", "failure": "sign-in", "setup_token": "sign-in", "password_past": "sign-in", "factor": "sign-in",
		"recovery_code": "sign-in", "activation": "sign-in", "credential": "sign-in", "ceremony": "sign-in", "phone_code": "sign-in",
		"reveal": "a count of the last hour", "setting": "facts of the installation", "job": "work of the program",
		"row_key": "keyed indexes", "row_key_log": "keyed indexes", "staging": "an import under way", "staged_row": "an import under way",
	}
}

// keptBytes are the columns of bytes that go out without having been sealed.
func keptBytes() []string {
	return []string{"form.definition", "form_draft.definition", "unit_history.before", "certificate.body", "trail.hash", "trail_checkpoint.signed", "trail_lane.hash", "trail_base.hash"}
}

// leftTexts are texts that do not go out: they let somebody in, or verify with keys that
// stay here.
func leftTexts() []string { return []string{"app_user.hash", "receipt.request_digest"} }

// AllTo takes what goes out. Each writer is done when the next one is asked for.
type AllTo struct {
	// Table returns where the lines of a table go.
	Table func(name string) (io.Writer, error)
	// File returns where a file goes; name is a name for people, which may hold anything.
	File func(folder string, id tianbao.ID, name string) (path string, w io.Writer, err error)
	// Mask masks a cell of a form, where not everything goes out in clear.
	Mask func(form string, version, field int, value string) (string, error)
}

// AllSummary says what went out.
type AllSummary struct {
	Schema int64            `json:"schema"`
	Rows   map[string]int64 `json:"rows"` // lines by table
	Files  int              `json:"files"`
	// Left are tables and columns that did not go out.
	Left []string `json:"left_out"`
}

// ExportAll writes all tables and files as of one moment, row by row. Sealed values go out
// opened with clear; without, cells are masked and all others are left out.
func (s *Store) ExportAll(ctx context.Context, clear bool, to AllTo) (*AllSummary, error) {
	x := &exporting{s: s, clear: clear, to: to, sum: &AllSummary{Rows: map[string]int64{}}, paths: map[string]string{}, forms: map[tianbao.ID]formOf{}}
	err := s.db.Read(ctx, func(q db.Queryer) error {
		var err error
		if x.sum.Schema, err = db.SchemaVersion(ctx, q); err != nil {
			return err
		}
		tables, err := s.db.Catalog(ctx, q)
		if err != nil {
			return err
		}
		err = q.Each(ctx, func(scan db.Scan) error {
			var id tianbao.ID
			var of formOf
			err := scan(&id, &of.name, &of.version)
			x.forms[id] = of
			return err
		}, sqlAllReportForms)
		if err != nil {
			return err
		}
		if err := x.files(ctx, q); err != nil {
			return err
		}
		left := leftTables()
		for i := range tables {
			if t := &tables[i]; left[t.Name] != "" {
				x.sum.Left = append(x.sum.Left, t.Name)
			} else if err := x.table(ctx, q, t); err != nil {
				return fmt.Errorf("store: export %s: %w", t.Name, err)
			}
		}
		return nil
	})
	slices.Sort(x.sum.Left)
	return x.sum, err
}

// exporting is one export.
type exporting struct {
	s     *Store
	clear bool
	to    AllTo
	sum   *AllSummary
	paths map[string]string     // of files, by table and id
	forms map[tianbao.ID]formOf // of reports
}

const (
	sqlAllReportForms = `SELECT r.id, r.form, r.form_version FROM report r`
	sqlAllAttachments = `SELECT a.notice_id, a.id, a.name, a.data FROM attachment a ORDER BY a.notice_id, a.id`
	sqlAllProofs      = `SELECT p.id, p.name, p.data FROM unit_proof p ORDER BY p.id`
)

// files writes what people have attached.
func (x *exporting) files(ctx context.Context, q db.Queryer) error {
	err := q.Each(ctx, func(scan db.Scan) error {
		var notice, id tianbao.ID
		var name string
		var data []byte
		if err := scan(&notice, &id, &name, &data); err != nil {
			return err
		}
		return x.file("attachment", "notices", id, name, data)
	}, sqlAllAttachments)
	if err != nil || !x.clear {
		return err
	}
	return q.Each(ctx, func(scan db.Scan) error {
		var id tianbao.ID
		var name, data []byte
		err := scan(&id, &name, &data)
		if err != nil {
			return err
		}
		if name, err = x.s.ring.Open(nil, name, seal.Place("unit_proof", "name", id.String())); err != nil {
			return fmt.Errorf("store: open the name of file %s: %w", id, err)
		}
		if data, err = x.s.ring.Open(nil, data, seal.Place("unit_proof", "data", id.String())); err != nil {
			return fmt.Errorf("store: open file %s: %w", id, err)
		}
		return x.file("unit_proof", "proofs", id, string(name), data)
	}, sqlAllProofs)
}

func (x *exporting) file(table, folder string, id tianbao.ID, name string, data []byte) error {
	path, w, err := x.to.File(folder, id, name)
	if err != nil {
		return err
	}
	x.sum.Files++
	x.paths[table+" "+id.String()] = path
	_, err = w.Write(data)
	return err
}

// table writes a table as lines of JSON.
func (x *exporting) table(ctx context.Context, q db.Queryer, t *db.Table) error {
	w, err := x.to.Table(t.Name)
	if err != nil {
		return err
	}
	sealed := make(map[string]*sealedColumn)
	all := sealedColumns()
	for i := range all {
		if all[i].table == t.Name {
			sealed[all[i].column] = &all[i]
		}
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	x.leaves(t, sealed)
	dest := make([]any, len(t.Columns))
	return q.Each(ctx, func(scan db.Scan) error {
		for i, c := range t.Columns {
			switch c.Type {
			case db.Int:
				dest[i] = new(int64)
			case db.Bool:
				dest[i] = new(bool)
			case db.Text:
				dest[i] = new(string)
			default:
				dest[i] = new([]byte)
			}
		}
		if err := scan(dest...); err != nil {
			return err
		}
		line, err := x.line(t, sealed, dest)
		if err != nil {
			return err
		}
		x.sum.Rows[t.Name]++
		return out.Encode(line)
	}, t.Select())
}

// leaves notes the columns of a table that do not go out.
func (x *exporting) leaves(t *db.Table, sealed map[string]*sealedColumn) {
	for _, c := range t.Columns {
		if x.stays(t.Name, c, sealed[c.Name]) {
			x.sum.Left = append(x.sum.Left, t.Name+"."+c.Name)
		}
	}
}

// stays reports whether a column does not go out.
func (x *exporting) stays(table string, c db.Column, sealed *sealedColumn) bool {
	name := table + "." + c.Name
	switch {
	case name == "report_row.vals", name == "attachment.data":
		return false
	case sealed != nil:
		return !x.clear
	case c.Type == db.Bytes:
		return !slices.Contains(keptBytes(), name)
	}
	return c.Name == "mac" || slices.Contains(leftTexts(), name)
}

// formOf is the form of a report.
type formOf struct {
	name    string
	version int
}

// line is a row as JSON has it.
func (x *exporting) line(t *db.Table, sealed map[string]*sealedColumn, dest []any) (map[string]any, error) {
	line := make(map[string]any, len(dest))
	ints := make(map[string]int64)
	for i, c := range t.Columns {
		if v, ok := dest[i].(*int64); ok {
			ints[c.Name] = *v
		}
	}
	for i, c := range t.Columns {
		if x.stays(t.Name, c, sealed[c.Name]) {
			continue
		}
		raw, ok := dest[i].(*[]byte)
		if !ok {
			line[c.Name] = dest[i]
			continue
		}
		var err error
		switch {
		case t.Name == "report_row":
			err = x.cells(line, ints, *raw)
		case t.Name == "attachment" || t.Name == "unit_proof" && c.Name == "data":
			line["file"] = x.paths[t.Name+" "+tianbao.ID(ints["id"]).String()]
		case sealed[c.Name] == nil:
			put(line, c.Name, *raw)
		default:
			err = x.opened(line, sealed[c.Name], ints, *raw)
		}
		if err != nil {
			return nil, err
		}
	}
	return line, nil
}

// opened puts a sealed value into a line.
func (x *exporting) opened(line map[string]any, c *sealedColumn, ints map[string]int64, raw []byte) error {
	if len(raw) < seal.Overhead {
		put(line, c.column, nil) // it was emptied
		return nil
	}
	keys := make([]int64, len(c.keys))
	for i, k := range c.keys {
		keys[i] = ints[k]
	}
	plain, err := x.s.ring.Open(nil, raw, seal.Place(c.table, cmp.Or(c.at, c.column), c.place(keys)))
	if err != nil {
		return fmt.Errorf("open %s of %s: %w", c.column, c.place(keys), err)
	}
	if c.table == "change_set" || c.table == "piece" {
		if plain, err = unpack(plain); err != nil {
			return err
		}
	}
	put(line, c.column, plain)
	return nil
}

// cells puts the cells of a row into its line, under the keys of the form.
func (x *exporting) cells(line map[string]any, ints map[string]int64, raw []byte) error {
	rep := tianbao.ID(ints["report_id"])
	of := x.forms[rep]
	form, err := x.s.forms(of.name, of.version)
	if err != nil {
		return err
	}
	row := tianbao.Row{ID: tianbao.ID(ints["row_id"])}
	if err := x.s.decodeRow(form, rep, &row, raw); err != nil {
		return err
	}
	cells, marks := make(map[string]string), make(map[string]int)
	for i := range form.Fields {
		v := row.Values[i]
		if !x.clear {
			if v, err = x.to.Mask(of.name, of.version, i, v); err != nil {
				return err
			}
		}
		if v != "" {
			cells[form.Fields[i].Key] = v
		}
		if m := row.Mark(i); m != tianbao.MarkNone {
			marks[form.Fields[i].Key] = int(m)
		}
	}
	line["cells"] = cells
	if len(marks) > 0 {
		line["marks"] = marks
	}
	if x.clear && len(row.Reasons) > 0 {
		line["reasons"] = row.Reasons
	}
	return nil
}

// put puts bytes into a line: as JSON where they are, as text, or under another name in
// base64.
func put(line map[string]any, name string, raw []byte) {
	switch trimmed := bytes.TrimSpace(raw); {
	case len(raw) == 0:
		line[name] = ""
	case (trimmed[0] == '{' || trimmed[0] == '[') && json.Valid(trimmed):
		line[name] = json.RawMessage(trimmed)
	case utf8.Valid(raw) && !strings.ContainsRune(string(raw), 0):
		line[name] = string(raw)
	default:
		line[name+"_base64"] = base64.StdEncoding.EncodeToString(raw)
	}
}
