package report_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/report"
)

// texts are the name cells of the stored rows, in order.
func (o *office) texts(field int) []string {
	var out []string
	for _, r := range o.view().Rows {
		out = append(out, r.Values[field])
	}
	return out
}

func TestConflicts(t *testing.T) {
	type want struct {
		kind               string
		base, mine, theirs string
	}
	tests := []struct {
		name   string
		theirs func(rows []tianbao.Row) []tianbao.Change
		mine   func(rows []tianbao.Row) []tianbao.Change
		want   []want
		then   []string // column B after a save without conflict
	}{
		{
			"different rows", func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[0].ID, 1, "他改")} },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[1].ID, 1, "我改")} }, nil,
			[]string{"他改", "我改", "丙"},
		},
		{
			"different cells of a row", func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[0].ID, 4, "u9")} },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[0].ID, 1, "我改")} }, nil,
			[]string{"我改", "乙", "丙"},
		},
		{
			"the same cell", func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[0].ID, 1, "他改")} },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[0].ID, 1, "我改")} },
			[]want{{"edited", "甲", "我改", "他改"}},
			nil,
		},
		{
			"the same cell, the same value", func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[0].ID, 1, "都改")} },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[0].ID, 1, "都改")} }, nil,
			[]string{"都改", "乙", "丙"},
		},
		{
			"I edit what they deleted", func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{remove(r[1].ID)} },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[1].ID, 1, "我改")} },
			[]want{{"deleted", "乙", "我改", ""}},
			nil,
		},
		{
			"I delete what they edited", func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[1].ID, 1, "他改")} },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{remove(r[1].ID)} },
			[]want{{"delete-edited", "乙", "", "他改"}},
			nil,
		},
		{
			"both delete", func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{remove(r[1].ID)} },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{remove(r[1].ID)} }, nil,
			[]string{"甲", "丙"},
		},
		{
			"I insert after what they deleted", func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{remove(r[1].ID)} },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{insert("n", r[1].ID, "", "新行")} }, nil,
			[]string{"甲", "丙", "新行"},
		},
		{
			"both insert after one row", func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{insert("n", r[0].ID, "", "他加")} },
			func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{insert("n", r[0].ID, "", "我加")} }, nil,
			[]string{"甲", "我加", "他加", "乙", "丙"},
		},
		{
			"one of two cells in conflict writes neither", func(r []tianbao.Row) []tianbao.Change { return []tianbao.Change{edit(r[0].ID, 1, "他改")} },
			func(r []tianbao.Row) []tianbao.Change {
				return []tianbao.Change{edit(r[2].ID, 1, "我改三"), edit(r[0].ID, 1, "我改")}
			},
			[]want{{"edited", "甲", "我改", "他改"}},
			nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onBoth(t, func(o *office) {
				o.save(0, insert("a", tianbao.AtEnd, "", "甲"), insert("b", tianbao.AtEnd, "", "乙"), insert("c", tianbao.AtEnd, "", "丙"))
				sheet := o.view()
				if _, err := o.Save(o.ctx(), o.other, o.set(1, tt.theirs(sheet.Rows)...)); err != nil {
					o.t.Fatal(err)
				}
				before := o.view()
				_, err := o.Save(o.ctx(), o.who, o.set(1, tt.mine(sheet.Rows)...))
				var e *tianbao.Error
				if errors.As(err, &e) {
					var got []want
					for _, c := range e.Conflicts {
						got = append(got, want{c.Kind, c.Base, c.Mine, c.Theirs})
						if c.By != "乙" || c.At.IsZero() || c.Row == 0 {
							o.t.Errorf("the conflict does not say who and when: %v", c.Kind)
						}
					}
					if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(want{})); diff != "" || e.Kind != tianbao.ErrConflict {
						o.t.Errorf("conflicts (-want +got):\n%s", diff)
					}
					if diff := cmp.Diff(before.Rows, o.view().Rows, cmp.Transformer("cells", func(v tianbao.Values) []string { return v })); diff != "" {
						o.t.Errorf("a refused save changed the sheet:\n%s", diff)
					}
					return
				}
				must(o.t, err)
				if tt.want != nil {
					o.t.Fatal("saved without a conflict")
				}
				if diff := cmp.Diff(tt.then, o.texts(1)); diff != "" {
					o.t.Errorf("rows (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Two pages of one person with one draft bring its new rows in once; others may use the
// same names, and so may programs, which name no draft.
func TestNewRowsOfADraftOnce(t *testing.T) {
	onBoth(t, func(o *office) {
		page := func(who report.Actor, draft string, base int64, cs ...tianbao.Change) error {
			set := o.set(base, cs...)
			set.Draft = draft
			_, err := o.Save(o.ctx(), who, set)
			return err
		}
		must(o.t, page(o.who, "d", 0, insert("n1", tianbao.AtEnd, "", "甲")))
		for _, tt := range []struct {
			name  string
			who   report.Actor
			draft string
			base  int64
			row   string
			taken bool
		}{
			{"another page with the draft", o.who, "d", 0, "n1", true},
			{"the draft under another name", o.who, "e", 0, "n1", true},
			{"another row", o.who, "d", 0, "n2", false},
			{"a page that knows of it", o.who, "d", 2, "n3", false},
			{"somebody else", o.other, "d", 0, "n1", false},
			{"a program", o.who, "", 0, "n1", false},
		} {
			err := page(tt.who, tt.draft, tt.base, insert(tt.row, tianbao.AtEnd, "", "乙"))
			var e *tianbao.Error
			taken := errors.As(err, &e) && e.Code == "rows_taken" && e.Kind == tianbao.ErrConflict
			if taken != tt.taken || (err == nil) == tt.taken {
				o.t.Errorf("%s: %v", tt.name, err)
			}
		}
		n, err := o.Newer(o.ctx(), o.who, o.id, 0)
		must(o.t, err)
		rows := o.view().Rows
		if len(n.Named) != 3 || n.Named["n2"] != rows[1].ID {
			o.t.Errorf("named %v", n.Named)
		}
	})
}

// What the screen shows with unsaved changes is what is stored after saving them:
// random inserts, edits and deletes, the rows in the same order with the same cells.
func TestScreenIsWhatIsSaved(t *testing.T) {
	onBoth(t, func(o *office) {
		rnd := rand.New(rand.NewPCG(1, 2))
		for round := range 40 {
			sheet := o.view()
			var cs []tianbao.Change
			var temps []string
			gone := map[tianbao.ID]bool{}
			for i := range 1 + rnd.IntN(12) {
				var row tianbao.ID
				if len(sheet.Rows) > 0 {
					row = sheet.Rows[rnd.IntN(len(sheet.Rows))].ID
				}
				switch k := rnd.IntN(6); {
				case k < 3 || row == 0:
					c := insert(fmt.Sprint("t", i), []tianbao.ID{0, tianbao.AtEnd, row}[rnd.IntN(3)], "", fmt.Sprint("行", round, "-", i))
					if gone[c.After] {
						c.After = tianbao.AtEnd
					}
					if len(temps) > 0 && rnd.IntN(2) == 0 {
						c.After, c.AfterTemp = 0, temps[rnd.IntN(len(temps))]
					}
					temps = append(temps, c.Temp)
					cs = append(cs, c)
				case gone[row]:
				case k < 5:
					cs = append(cs, edit(row, 1, fmt.Sprint("改", round, "-", i)))
				default:
					gone[row] = true
					cs = append(cs, remove(row))
				}
			}
			set := o.set(sheet.Report.Version, cs...)
			scr, _, err := o.Check(o.ctx(), o.who, set)
			must(o.t, err)
			_, err = o.Save(o.ctx(), o.who, set)
			must(o.t, err)
			var want []string
			for _, r := range scr.Rows {
				want = append(want, r.Values[1])
			}
			if diff := cmp.Diff(want, o.texts(1)); diff != "" {
				o.t.Fatalf("round %d: stored rows differ from the screen (-screen +stored):\n%s", round, diff)
			}
		}
	})
}

// Many people save different rows of one sheet at once: nothing is lost.
func TestManyAtOnce(t *testing.T) {
	onBoth(t, func(o *office) {
		var cs []tianbao.Change
		for i := range 12 {
			cs = append(cs, insert(fmt.Sprint("t", i), tianbao.AtEnd, "", "开始"))
		}
		o.save(0, cs...)
		rows := o.view().Rows
		var wg sync.WaitGroup
		for i := range rows {
			set := o.set(1, edit(rows[i].ID, 1, fmt.Sprint("结果", i)))
			wg.Add(1)
			go func() {
				defer wg.Done()
				if _, err := o.Save(o.ctx(), o.who, set); err != nil {
					o.t.Errorf("row %d: %v", i, err)
				}
			}()
		}
		wg.Wait()
		for i, got := range o.texts(1) {
			if want := fmt.Sprint("结果", i); got != want {
				o.t.Errorf("row %d holds %q, want %q", i, got, want)
			}
		}
		if v := o.view().Report.Version; v != 13 {
			o.t.Errorf("version %d, want 13", v)
		}
	})
}

// Requests that make no sense are refused with a sentence, and write nothing.
func TestRefusals(t *testing.T) {
	o := newOffice(t, "")
	o.save(0, insert("a", tianbao.AtEnd, "", "甲"))
	row := o.view().Rows[0].ID
	long := make([]rune, report.MaxCellRunes+1)
	for i := range long {
		long[i] = '长'
	}
	tests := []struct {
		name, code string
		set        *tianbao.ChangeSet
	}{
		{"no key", "bad_key", &tianbao.ChangeSet{Report: o.id, Base: 1}},
		{"a key with a blank", "bad_key", &tianbao.ChangeSet{Report: o.id, Base: 1, Key: "a b"}},
		{"a version to come", "bad_base", o.set(2)},
		{"a negative version", "bad_base", o.set(-1)},
		{"an unknown row", "unknown_row", o.set(1, edit(row+1, 1, "x"))},
		{"no row", "bad_change", o.set(1, edit(0, 1, "x"))},
		{"a field that is not there", "bad_field", o.set(1, edit(row, 99, "x"))},
		{"a name twice", "bad_change", o.set(1, insert("a", 0), insert("a", 0))},
		{"an unknown place", "bad_change", o.set(1, tianbao.Change{Op: tianbao.OpInsert, Temp: "a", AfterTemp: "b"})},
		{"an unknown operation", "bad_change", o.set(1, tianbao.Change{Op: "move", Row: row})},
		{"a cell too long", "bad_value", o.set(1, edit(row, 1, string(long)))},
		{"bytes that are no text", "bad_value", o.set(1, edit(row, 1, "\xff"))},
		{"a short reason", "short_reason", o.set(1, tianbao.Change{Op: tianbao.OpReason, Row: row, Reason: tianbao.Reason{Code: "x", Text: "短"}})},
		{"an import that was not previewed", "unknown_import", &tianbao.ChangeSet{Report: o.id, Base: 1, Key: "i", Imports: []tianbao.ID{77}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := o.Save(t.Context(), o.who, tt.set)
			var e *tianbao.Error
			if !errors.As(err, &e) || e.Code != tt.code || e.Message == "" {
				t.Errorf("got %v, want %s", err, tt.code)
			}
		})
	}
	if v := o.view().Report.Version; v != 1 {
		t.Errorf("version %d after refusals, want 1", v)
	}
	stranger := o.who
	stranger.Scope = tianbao.Scope{Paths: []string{"/2/"}}
	if _, err := o.Save(t.Context(), stranger, o.set(1, edit(row, 1, "x"))); tianbao.KindOf(err) != tianbao.ErrNotFound {
		t.Errorf("a stranger gets %v, want not found", err)
	}
}

// The cells as typed are stored in normal form.
func TestCellsAreNormalised(t *testing.T) {
	o := newOffice(t, "")
	o.save(0, insert("a", tianbao.AtEnd, "００１ ", " 某　单位", "", "", "", "欧阳 娜·娜", "21010319810614429ｘ", "+86 160-0000-0001"))
	want := []string{"001", "某　单位", "", "", "", "欧阳娜·娜", "21010319810614429X", "16000000001"}
	if diff := cmp.Diff(want, []string(o.view().Rows[0].Values)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
