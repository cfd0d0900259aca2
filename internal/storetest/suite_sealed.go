package storetest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/report"
)

// After 1,000 people were stored, edited, imported and deleted, none of their ids
// and phones is in any byte of the database: on SQLite of its files, WAL included,
// on PostgreSQL of all columns of all tables.
func testSealed(w *world) {
	ctx := w.t.Context()
	r := w.open(unitA)
	const people = 1000
	d := w.draft(r)
	d.Set.Note = "名单"
	for i := range people {
		id, phone := Person(i)
		row := d.insert(tianbao.AtEnd, Values(i))
		if i%10 == 0 {
			d.Puts[i].Row.Reasons = []tianbao.Reason{{Code: "c", Text: "身份证 " + id + " 电话 " + phone, By: phone, At: epoch()}}
			d.record(tianbao.Recorded{Op: tianbao.OpReason, Row: row, Reason: d.Puts[i].Row.Reasons[0]})
			d.Set.Note += id
		}
		if d.Inserted == nil {
			d.Inserted = make(map[string]tianbao.ID)
		}
		d.Inserted[id] = row
	}
	r = d.save()
	d = w.draft(r)
	for i, row := range w.rows(r.ID) {
		switch i % 3 {
		case 0:
			d.edit(row, Values((i+1)%people))
		case 1:
			d.remove(row.ID)
		}
	}
	r = d.save()
	id, phone := Person(5)
	rec := report.ImportRecord{ID: w.id(), Report: r.ID, File: id + ".xlsx", Digest: "d", Raw: []byte(id + phone)}
	w.ok(w.PutImport(ctx, &rec))
	d = w.draft(r)
	long := d.importRecord()
	st, err := w.Stage(ctx, r, w.id(), long.ID)
	w.ok(err)
	for i := range people {
		d.insert(tianbao.AtEnd, Values(i))
	}
	w.ok(st.Add(ctx, d.batch(id+phone))) // and left as it is
	w.ok(w.PutDraft(ctx, tianbao.Draft{Report: r.ID, User: clerk, Name: "d", At: epoch(), Body: []byte(id + phone)}))
	w.ok(w.Record(ctx, tianbao.Event{At: epoch(), Login: phone, What: "signin.fail"}))
	_, err = w.AddFailure(ctx, []string{phone, id}, epoch(), ago(time.Minute))
	w.ok(err)
	w.ok(w.CreateUser(ctx, tianbao.User{Login: phone, Name: "张某某"}, "h", false))
	w.fillRegister(phone, id)

	var stored [][]byte
	if w.DB().Kind() == db.SQLite {
		stored = w.fileBytes()
	}
	stored = append(stored, w.columnBytes()...)
	size := 0
	for _, b := range stored {
		size += len(b)
	}
	if size < people*200 || !bytes.Contains(bytes.Join(stored, nil), []byte("张某某")) {
		w.t.Fatalf("only %d bytes looked at, without the name that is in clear", size)
	}
	hits := 0
	for i := range people {
		id, phone := Person(i)
		for _, b := range stored {
			hits += bytes.Count(b, []byte(id)) + bytes.Count(b, []byte(phone))
		}
	}
	if hits > 0 {
		w.t.Errorf("%d ids or phones in clear", hits)
	}
	// And all of it comes back.
	rows := w.rows(r.ID)
	if want, _ := Person(1); rows[0].Values[6] != want {
		w.t.Error("the rows do not come back")
	}
}

// fileBytes reads every file beside the SQLite database.
func (w *world) fileBytes() [][]byte {
	w.t.Helper()
	var path string
	err := w.DB().Each(w.t.Context(), func(scan db.Scan) error {
		var n int64
		var name string
		return scan(&n, &name, &path)
	}, "PRAGMA database_list")
	w.ok(err)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	w.ok(err)
	if len(files) < 3 {
		w.t.Fatalf("files %v, want database, WAL and its index", files)
	}
	var out [][]byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		w.ok(err)
		out = append(out, b)
	}
	return out
}

// columnBytes reads every column of every table.
func (w *world) columnBytes() [][]byte {
	w.t.Helper()
	var out [][]byte
	for _, c := range w.columns() {
		sql := fmt.Sprintf(`SELECT CAST(%s AS TEXT) FROM %s`, c[1], c[0])
		if c[2] == "BYTEA" || c[2] == "bytea" {
			sql = fmt.Sprintf(`SELECT %s FROM %s`, c[1], c[0])
		}
		err := w.DB().Each(w.t.Context(), func(scan db.Scan) error {
			var b []byte
			err := scan(&b)
			out = append(out, b)
			return err
		}, sql)
		w.ok(err)
	}
	return out
}

// columns returns table, column and type of every column of the schema.
func (w *world) columns() [][3]string {
	w.t.Helper()
	sql := `SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()`
	if w.DB().Kind() == db.SQLite {
		sql = `SELECT m.name, p.name, p.type FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'`
	}
	cols, err := db.Collect(w.t.Context(), w.DB(), func(scan db.Scan) (c [3]string, err error) {
		err = scan(&c[0], &c[1], &c[2])
		return c, err
	}, sql)
	w.ok(err)
	if len(cols) < 100 {
		w.t.Fatalf("only %d columns", len(cols))
	}
	return cols
}
