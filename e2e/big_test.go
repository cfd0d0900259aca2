package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/form"
	"tianbao/internal/sheet"
	"tianbao/internal/store"
)

// bigBook is a workbook of n people.
func bigBook(t testing.TB, n int) []byte { return bookOf(t, 0, n) }

// bookOf is a workbook of the people from one on to before another.
func bookOf(t testing.TB, from, to int) []byte {
	t.Helper()
	forms, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f := forms.Latest("asset-role")
	var buf bytes.Buffer
	err = sheet.Write(&buf, f, func(yield func(tianbao.Row, error) bool) {
		for i := from; i < to; i++ {
			p := person(i)
			v := make(tianbao.Values, len(f.Fields))
			for k := range v {
				v[k] = p[f.Fields[k].Key]
			}
			if !yield(tianbao.Row{Seq: i - from + 1, Values: v}, nil) {
				return
			}
		}
	}, sheet.WriteOptions{Level: 1})
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

type jobJSON struct {
	ID, State, Stage string
	Error            json.RawMessage // a sentence, or the error of a refused request
	Done, Total      int
	Plan             *struct {
		Counts struct{ Rows, Add int }
		Saved  savedJSON
	}
}

func (c *client) startImport(report string, book []byte) (jobJSON, int) {
	c.t.Helper()
	res, b := c.upload("/reports/"+report+"/imports", "大.xlsx", book, map[string]string{"mode": "append", "action": "save", "key": newKey(), "background": "yes"})
	var j jobJSON
	if err := json.Unmarshal(b, &j); err != nil {
		c.t.Fatal(err)
	}
	return j, res.StatusCode
}

// follow asks for a job until it has ended and returns it with the stages seen.
func (c *client) follow(report, id string) (jobJSON, map[string]bool) {
	c.t.Helper()
	stages := map[string]bool{}
	for range 3000 {
		var j jobJSON
		c.must("GET", "/reports/"+report+"/jobs/"+id, nil, &j)
		stages[j.Stage] = true
		if j.State != "running" {
			return j, stages
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.t.Fatal("the job does not end")
	return jobJSON{}, nil
}

// A big file is imported in the background: the client may go, ask later, or stop
// it; a person has one at a time; it is saved whole or not at all.
func TestBackgroundImport(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		c := s.client(t, "city")
		rep := c.ownReport()
		const n = 12_000
		book := bigBook(t, n)
		j, status := c.startImport(rep.ID, book)
		if status != http.StatusAccepted || j.State != "running" {
			t.Fatalf("%d %+v", status, j)
		}
		if _, status := c.startImport(rep.ID, book); status != http.StatusTooManyRequests {
			t.Errorf("a second import at once: %d, want 429", status)
		}
		done, stages := c.follow(rep.ID, j.ID)
		if done.State != "done" || done.Plan == nil || done.Plan.Counts.Add != n || done.Plan.Saved.Receipt.Rows != n {
			t.Fatalf("%+v", done)
		}
		if len(stages) < 2 {
			t.Errorf("stages seen: %v", stages)
		}
		if got := c.call("GET", "/reports/"+rep.ID+"/jobs/"+j.ID+"x", nil, nil); got != http.StatusNotFound {
			t.Errorf("another job: %d, want 404", got)
		}

		second, _ := c.startImport(rep.ID, book)
		c.must("POST", "/reports/"+rep.ID+"/jobs/"+second.ID+"/cancel", struct{}{}, nil)
		end, _ := c.follow(rep.ID, second.ID)
		rows := len(c.sheet(rep.ID).Rows)
		switch {
		case end.State == "cancelled" && rows == n:
		case end.State == "done" && rows == 2*n: // it was faster
			t.Log("the import was faster than its cancelling")
		default:
			t.Errorf("%s %s with %d rows", end.State, end.Error, rows)
		}

		bad, _ := c.startImport(rep.ID, []byte("PK\x03\x04 not a workbook"))
		if end, _ := c.follow(rep.ID, bad.ID); end.State != "failed" || len(end.Error) < 10 {
			t.Errorf("a bad file: %+v", end)
		}
	})
}

// BenchmarkImport100k is the whole way of a workbook of a hundred thousand people
// through the server: read, checked, sealed, indexed, with history. MB is the most
// memory the server had, MB-over how much more that is than before the import.
func BenchmarkImport100k(b *testing.B) {
	book := bigBook(b, 100_000)
	for b.Loop() {
		b.StopTimer()
		s := startDemo(b, "")
		c := s.client(b, "city")
		rep := c.ownReport()
		base := s.peakMemory(b)
		b.StartTimer()
		res, body := c.upload("/reports/"+rep.ID+"/imports", "大.xlsx", book, map[string]string{"mode": "append", "action": "save", "key": newKey()})
		if res.StatusCode != http.StatusOK {
			b.Fatalf("%d %.200s", res.StatusCode, body)
		}
		peak := s.peakMemory(b)
		b.ReportMetric(float64(peak), "MB")
		b.ReportMetric(float64(peak-base), "MB-over")
		b.StopTimer()
		s.stop()
		b.StartTimer()
	}
}

// BenchmarkFirstPage is the time from starting the program on an existing
// installation to the sign-in page in the browser's hands.
func BenchmarkFirstPage(b *testing.B) {
	s := startDemo(b, "")
	for b.Loop() {
		b.StopTimer()
		s.stop()
		b.StartTimer()
		s.start(b)
		s.anonymous(b).do("GET", "/signin", "", nil)
	}
}

// BenchmarkImportBesideInserts puts the whole way of a workbook (read, checked,
// sealed, indexed, with history) beside bare prepared inserts of the very same rows
// into the same tables with the same indexes, in one transaction.
func BenchmarkImportBesideInserts(b *testing.B) {
	const n = 100_000
	book := bigBook(b, n)
	for b.Loop() {
		s := startDemo(b, "")
		c := s.client(b, "city")
		rep := c.ownReport()
		start := time.Now()
		res, body := c.upload("/reports/"+rep.ID+"/imports", "大.xlsx", book, map[string]string{"mode": "append", "action": "save", "key": newKey()})
		whole := time.Since(start)
		if res.StatusCode != http.StatusOK {
			b.Fatalf("%d %.200s", res.StatusCode, body)
		}
		s.stop()
		bare := replay(b, filepath.Join(s.data, "db", "tianbao.db"))
		b.ReportMetric(float64(whole)/float64(bare), "times-inserts")
		b.ReportMetric(float64(whole.Microseconds())/n, "µs/row")
	}
}

// replay inserts the rows of a database into a new one and tells how long it took.
func replay(b *testing.B, path string) time.Duration {
	b.Helper()
	ctx := b.Context()
	from, err := db.Open(ctx, db.Options{URL: path, Migrations: store.Migrations()})
	if err != nil {
		b.Fatal(err)
	}
	defer from.Close(ctx)
	to, err := db.Open(ctx, db.Options{URL: filepath.Join(b.TempDir(), "new", "tianbao.db"), Migrations: store.Migrations()})
	if err != nil {
		b.Fatal(err)
	}
	defer to.Close(ctx)
	const (
		rowColumns = "report_id, row_id, unit_id, pos, version, faults, vals, look_keys"
		keyColumns = "kind, k, report_id, row_id"
		setColumns = "report_id, version, id, idem_key, source, by_id, at, delta"
	)
	var all []db.Statement
	add := func(insert string, args ...any) { all = append(all, db.Statement{SQL: insert, Args: args}) }
	each := func(table, columns string, row func(db.Scan) error) {
		if err := from.Each(ctx, row, "SELECT "+columns+" FROM "+table); err != nil {
			b.Fatal(err)
		}
	}
	each("report_row", rowColumns, func(scan db.Scan) error {
		var n [6]int64
		var vals, keys []byte
		err := scan(&n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &vals, &keys)
		add("INSERT INTO report_row ("+rowColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", n[0], n[1], n[2], n[3], n[4], n[5], vals, keys)
		return err
	})
	each("row_key", keyColumns, func(scan db.Scan) error {
		var n [4]int64
		err := scan(&n[0], &n[1], &n[2], &n[3])
		add("INSERT INTO row_key ("+keyColumns+") VALUES ($1, $2, $3, $4)", n[0], n[1], n[2], n[3])
		return err
	})
	each("change_set", setColumns, func(scan db.Scan) error {
		var n [5]int64
		var key, source string
		var delta []byte
		err := scan(&n[0], &n[1], &n[2], &key, &source, &n[3], &n[4], &delta)
		add("INSERT INTO change_set ("+setColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", n[0], n[1], n[2], key, source, n[3], n[4], delta)
		return err
	})
	if len(all) < 300_000 {
		b.Fatalf("%d rows only", len(all))
	}
	start := time.Now()
	err = to.Tx(ctx, func(tx db.Tx) error {
		for _, st := range all {
			if _, err := tx.Exec(ctx, st.SQL, st.Args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// An import of a long file holds few rows, lets others save beside it, and leaves
// nothing when it is cancelled.
func TestLongImportBesideOthers(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startWatched(t, db)
		c := s.client(t, "city")
		rep := c.ownReport()
		own := c.sheet(rep.ID)
		const n = 15_000
		book := bigBook(t, n)
		j, _ := c.startImport(rep.ID, book)
		// The same person goes on in the same sheet meanwhile.
		saves := 0
		for {
			var now jobJSON
			c.must("GET", "/reports/"+rep.ID+"/jobs/"+j.ID, nil, &now)
			if now.State != "running" {
				break
			}
			c.must("POST", "/reports/"+rep.ID+"/changes", map[string]any{
				"key": newKey(), "base": c.sheet(rep.ID).Report.Version,
				"changes": []change{{"op": "insert", "temp": "t", "after": "end", "cells": person(90_000 + saves)}},
			}, nil)
			saves++
		}
		done, _ := c.follow(rep.ID, j.ID)
		after := c.sheet(rep.ID)
		if done.State != "done" || len(after.Rows) != len(own.Rows)+n+saves {
			t.Fatalf("%s %s: %d rows, want %d and %d saved meanwhile", done.State, done.Error, len(after.Rows), len(own.Rows)+n, saves)
		}
		t.Logf("%d saves beside the import", saves)
		if saves == 0 {
			t.Error("nobody could save meanwhile")
		}
	})
}

// The server is killed with -9 at different moments of a long import: afterwards the
// sheet is as it was or has all rows, and the next start leaves nothing lying about.
func TestKilledDuringImport(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "city")
	rep := c.ownReport()
	const n = 15_000
	book := bigBook(t, n)
	had, committed := len(c.sheet(rep.ID).Rows), 0
	swept := false
	for _, stage := range []string{"读取", "校验", "校验", "保存"} {
		j, status := c.startImport(rep.ID, book)
		if status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
		for range 3000 {
			var now jobJSON
			c.must("GET", "/reports/"+rep.ID+"/jobs/"+j.ID, nil, &now)
			if now.Stage == stage && (stage != "校验" || now.Done > n/4) || now.State != "running" {
				break
			}
			time.Sleep(time.Millisecond)
		}
		s.kill()
		s.start(t)
		swept = swept || bytes.Contains(s.log.Bytes(), []byte("swept imports"))
		c.base = s.url
		switch rows := len(c.sheet(rep.ID).Rows); rows {
		case had + committed*n:
		case had + (committed+1)*n:
			committed++
		default:
			t.Fatalf("killed at %s: %d rows, had %d", stage, rows, had)
		}
	}
	if !swept {
		t.Error("no start found anything to sweep")
	}
	s.stop()
	d, err := db.Open(t.Context(), db.Options{URL: filepath.Join(s.data, "db", "tianbao.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(t.Context())
	var staged, keys, pieces int64
	err = d.One(t.Context(), []any{&staged, &keys, &pieces}, `SELECT (SELECT COUNT(*) FROM staging) + (SELECT COUNT(*) FROM staged_row),
 (SELECT COUNT(*) FROM row_key k WHERE NOT EXISTS (SELECT 1 FROM report_row r WHERE r.report_id = k.report_id AND r.row_id = k.row_id)),
 (SELECT COUNT(*) FROM piece p WHERE NOT EXISTS (SELECT 1 FROM change_set c WHERE c.report_id = p.report_id AND c.id = p.of_id))`)
	if err != nil || staged != 0 || keys != 0 || pieces != 0 {
		t.Errorf("left over: %d staged, %d keys, %d pieces, %v", staged, keys, pieces, err)
	}
}
