package campaign_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/intake"
	"tianbao/internal/report"
)

// book is a workbook of given rows.
type book struct{ imp *tianbao.Import }

func (b book) Read(context.Context) (*tianbao.Import, error) { return b.imp, nil }

func (b book) Scan(_ context.Context, fn func(*tianbao.Import, *tianbao.ImportedRow) error) (*tianbao.Import, error) {
	head := *b.imp
	head.Rows = nil
	for i := range b.imp.Rows {
		row := b.imp.Rows[i]
		if err := fn(&head, &row); err != nil {
			return nil, err
		}
	}
	return &head, nil
}

// file makes a workbook of people of a unit.
func (o *office) file(from, n int, unit string) *tianbao.Import {
	imp := &tianbao.Import{Sheet: "采集表"}
	for i := range n {
		v := make(tianbao.Values, len(o.form.Fields))
		for _, c := range o.person(from+i, unit, false).Cells {
			v[c.Field] = c.Value
		}
		imp.Rows = append(imp.Rows, tianbao.ImportedRow{Row: tianbao.Row{Values: v}, Raw: v, SheetRow: 5 + i})
	}
	return imp
}

// folderBooks give the intake folder a workbook.
type folderBooks struct{ o *office }

func (b folderBooks) Read(_ context.Context, data []byte, _, _ string, _ int) (*tianbao.Import, error) {
	return b.o.file(len(data), 1, "第一小学"), nil
}

func (b folderBooks) Annotate(io.Writer, *tianbao.Form, *tianbao.Import, []tianbao.Problem, time.Time) error {
	return nil
}

// channel is one way by which rows are written. first prepares, while the door is open,
// what write then needs; write returns what it was answered.
type channel struct {
	name  string
	first func(o *office) func(n int) error
}

func channels() []channel {
	quiet := func(string, int, int) {}
	importing := func(short int) func(o *office) func(n int) error {
		return func(o *office) func(n int) error {
			rep := o.open(school)
			return func(n int) error {
				svc := *o.reports
				svc.Short, svc.Part = short, 2
				set := &tianbao.ChangeSet{Report: rep.ID, Key: o.key(), Source: tianbao.SourceImport}
				_, _, err := svc.ApplyBook(o.ctx(), o.filler(school), set, book{o.file(n, 3, "第一小学")}, report.ModeAppend, "a.xlsx", []byte(set.Key), true, quiet)
				return err
			}
		}
	}
	return []channel{
		{"save", func(o *office) func(n int) error {
			rep := o.open(school)
			return func(n int) error {
				_, err := o.save(school, rep, o.person(n, "第一小学", false))
				return err
			}
		}},
		{"a save of nothing", func(o *office) func(n int) error {
			rep := o.open(school)
			return func(int) error { _, err := o.save(school, rep); return err }
		}},
		{"a row of the unit in the department's sheet", func(o *office) func(n int) error {
			rep := o.open(department)
			return func(n int) error {
				_, err := o.save(department, rep, o.person(n, "第一小学", false))
				return err
			}
		}},
		{"import", importing(0)},
		{"streamed import", importing(-1)},
		{"undo", func(o *office) func(n int) error {
			rep := o.open(school)
			for n := range 3 {
				_, err := o.save(school, rep, o.person(500+n, "第一小学", false))
				o.ok(err)
			}
			version := int64(0)
			return func(int) error {
				version++
				_, _, err := o.reports.Undo(o.ctx(), o.filler(school), rep.ID, version, o.key())
				if err != nil {
					version--
				}
				return err
			}
		}},
		{"correct what was filled in above", func(o *office) func(n int) error {
			own, above := o.open(school), o.open(department)
			saved, err := o.save(department, above, o.person(600, "第一小学", false))
			o.ok(err)
			var row tianbao.ID
			for _, id := range saved.Inserted {
				row = id
			}
			return func(n int) error {
				above, err := o.store.Report(o.ctx(), everything(), above.ID)
				o.ok(err)
				set := &tianbao.ChangeSet{Report: above.ID, Key: o.key(), Base: above.Version, Changes: []tianbao.Change{
					{Op: tianbao.OpEdit, Row: row, Cells: []tianbao.CellEdit{{Field: o.form.Index("legacy_username"), Value: strings.Repeat("x", n%30+1)}}},
				}}
				_, err = o.reports.Correct(o.ctx(), o.filler(school), own.ID, set)
				return err
			}
		}},
		{"上报", func(o *office) func(n int) error {
			rep := o.open(school)
			_, err := o.save(school, rep, o.person(700, "第一小学", false))
			o.ok(err)
			return func(int) error {
				_, err := o.reports.Submit(o.ctx(), o.filler(school), rep.ID, o.key())
				return err
			}
		}},
		{"intake folder", func(o *office) func(n int) error {
			o.open(school)
			f := &intake.Folder{Dir: o.t.TempDir(), Workbooks: folderBooks{o}, Catalog: o.store, Reports: o.reports, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(time.Hour) }}
			return func(n int) error {
				path := filepath.Join(f.Dir, o.key()+".xlsx")
				o.ok(os.WriteFile(path, make([]byte, n), 0o600))
				o.ok(f.Once(o.ctx()))
				if _, err := os.Stat(path + ".回执.txt"); err == nil {
					return nil
				}
				b, err := os.ReadFile(path + ".说明.txt")
				o.ok(err)
				return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "gate_note", Message: string(b)}
			}
		}},
		{"零申报", func(o *office) func(n int) error {
			return func(int) error {
				return o.store.Declare(o.ctx(), []tianbao.Declaration{{ID: tianbao.ID(o.reports.IDs.Next()), Campaign: collection, Unit: school, Kind: tianbao.DeclareNil, At: o.now}}, false)
			}
		}},
	}
}

// Before and after each instant, a second on either side, by every channel: the window
// opens, a lock begins and ends, the window closes, a reopening begins and ends, the
// collection ends.
func TestGate(t *testing.T) {
	for _, ch := range channels() {
		t.Run(ch.name, func(t *testing.T) {
			engines(t, func(o *office) { o.gate(ch) })
		})
	}
}

func (o *office) gate(ch channel) {
	o.at("2022-08-31 08:00:00")
	o.collect()
	o.at("2022-09-05 08:00:00")
	write := ch.first(o)
	n := 1000
	try := func(when string, open bool, says ...string) {
		o.t.Helper()
		o.at(when)
		n++
		err := write(n)
		if open && err != nil {
			o.t.Errorf("%s at %s: %v", ch.name, when, err)
		}
		if open {
			return
		}
		var e *tianbao.Error
		if !errors.As(err, &e) || !strings.HasPrefix(e.Code, "gate_") {
			o.t.Errorf("%s at %s was let in: %v", ch.name, when, err)
			return
		}
		for _, w := range says {
			if !strings.Contains(e.Message, w) {
				o.t.Errorf("%s at %s: %q does not say %q", ch.name, when, e.Message, w)
			}
		}
	}
	try("2022-09-01 08:59:59", false, "2022年9月1日 09:00")
	try("2022-09-01 09:00:00", true)
	o.at("2022-09-10 08:00:00")
	o.rule(tianbao.CampaignRule{Kind: tianbao.RuleLock, Unit: department, Reason: "数据核对", Opens: shanghai("2022-09-11 00:00:00"), Closes: shanghai("2022-09-12 00:00:00")})
	try("2022-09-11 00:00:00", false, "“第一小学”", "数据核对", "2022年9月11日 24:00", "市财政局")
	try("2022-09-11 23:59:59", false)
	try("2022-09-12 00:00:00", true)
	try("2022-09-30 23:59:59", true)
	try("2022-10-01 00:00:00", false, "“第一小学”", "2022年9月30日 24:00", "市财政局")
	try("2022-10-01 00:00:01", false)
	o.rule(tianbao.CampaignRule{Kind: tianbao.RuleReopen, Unit: school, Reason: "补报", Closes: shanghai("2022-10-08 00:00:00")})
	try("2022-10-07 23:59:59", true)
	try("2022-10-08 00:00:00", false, "2022年9月30日 24:00")
	o.rule(tianbao.CampaignRule{Kind: tianbao.RuleReopen, Unit: school, Reason: "补报", Closes: shanghai("2022-11-08 00:00:00")})
	o.at("2022-10-09 00:00:00")
	o.ok(o.SetPhase(o.ctx(), runner(), collection, tianbao.PhaseEnded))
	try("2022-10-09 00:00:00", false)
}

// A save that was in time when it came and waits for its turn until its time is over is
// refused: the gate is asked inside the transaction.
func TestLateCommit(t *testing.T) {
	engines(t, func(o *office) {
		o.collect()
		o.at("2022-09-30 23:59:59")
		rep := o.open(school)
		begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			ended <- o.store.DB().Tx(o.ctx(), func(tx db.Tx) error {
				_, err := tx.Exec(o.ctx(), "UPDATE report SET version = version WHERE id = $1", rep.ID)
				close(begun)
				<-end
				return err
			})
		}()
		<-begun
		saved := make(chan error)
		go func() {
			_, err := o.save(school, rep, o.person(1, "第一小学", false))
			saved <- err
		}()
		<-o.asked // it is on its way
		o.at("2022-10-01 00:00:00")
		close(end)
		if err := <-ended; err != nil {
			o.t.Fatal(err)
		}
		var e *tianbao.Error
		if err := <-saved; !errors.As(err, &e) || e.Code != "gate_closed" {
			o.t.Errorf("the late commit: %v", err)
		}
	})
}
