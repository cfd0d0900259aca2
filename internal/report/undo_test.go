package report_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/report"
)

func (o *office) undo(version int64) (*report.Undo, error) {
	o.keys++
	u, _, err := o.Undo(o.ctx(), o.who, o.id, version, "undo"+string(rune('a'+o.keys)))
	return u, err
}

// An import is undone as one step; what others changed since stays and is listed.
func TestUndoImport(t *testing.T) {
	onBoth(t, func(o *office) {
		o.fill(values(1), values(2))
		before := o.texts(4)
		o.carry(o.plan(report.ModeReplace, o.file(1, values(2), values(5), values(6)))) // version 2
		u, err := o.undo(2)
		must(o.t, err)
		if u.Removed != 2 || u.Back != 1 || len(u.Kept) != 0 {
			o.t.Errorf("removed %d, back %d, kept %d; want 2, 1, 0", u.Removed, u.Back, len(u.Kept))
		}
		after := o.texts(4)
		slices.Sort(after)
		if diff := cmp.Diff(before, after); diff != "" {
			o.t.Errorf("(-want +got):\n%s", diff)
		}
		// The undoing is in the history and can be undone itself.
		if u, err = o.undo(3); err != nil || u.Back != 2 || u.Removed != 1 {
			o.t.Errorf("undoing the undoing: %+v, %v", u, err)
		}
	})
}

func TestUndoKeepsWhatOthersChanged(t *testing.T) {
	onBoth(t, func(o *office) {
		o.fill(values(1), values(2), values(3))
		rows := o.view().Rows
		o.save(1, edit(rows[0].ID, phone, "16077770001"), edit(rows[0].ID, name, "新名字"), edit(rows[1].ID, phone, "16077770002"), insert("n", tianbao.AtEnd, "", "新单位")) // 2
		added := o.view().Rows[3].ID
		_, err := o.Save(o.ctx(), o.other, o.set(2, edit(rows[0].ID, phone, "16077770009"), remove(rows[1].ID), edit(added, 1, "改过的新单位"))) // 3
		must(o.t, err)
		u, err := o.undo(2)
		must(o.t, err)
		var kept []string
		for _, k := range u.Kept {
			kept = append(kept, k.Field+" "+k.Kind)
		}
		if diff := cmp.Diff([]string{"phone edited", "phone deleted", "unit_name edited"}, kept); diff != "" {
			o.t.Errorf("kept (-want +got):\n%s", diff)
		}
		got := o.view().Rows
		if len(got) != 3 || got[0].Values[name] != rows[0].Values[name] || got[0].Values[phone] != "16077770009" || got[2].Values[1] != "改过的新单位" {
			o.t.Errorf("%d rows, name %q, phone %q", len(got), got[0].Values[name], got[0].Values[phone])
		}
		if _, err := o.undo(2); tianbao.KindOf(err) != tianbao.ErrInvalid {
			o.t.Errorf("undoing twice: %v, want nothing to undo", err)
		}
		if _, err := o.undo(99); tianbao.KindOf(err) != tianbao.ErrNotFound {
			o.t.Errorf("a version that is not there: %v, want not found", err)
		}
	})
}

// An id that was a number in its workbook is a fault again when it comes back by
// undoing.
func TestUndoBringsMarksBack(t *testing.T) {
	onBoth(t, func(o *office) {
		v := values(1)
		v[2] = "12210700MB0000019G"
		imp := o.file(1, v, values(2))
		imp.Rows[0].Row.Marks = make([]tianbao.Mark, len(v))
		imp.Rows[0].Row.Marks[6] = tianbao.MarkNumber
		o.carry(o.plan(report.ModeMerge, imp)) // 1
		rows := o.view().Rows
		o.save(1, edit(rows[0].ID, 6, values(3)[6])) // 2
		if _, err := o.undo(2); err != nil {         // 3
			o.t.Fatal(err)
		}
		if got := o.view().Rows[0].Mark(6); got != tianbao.MarkNumber {
			o.t.Errorf("after undoing an edit the mark is %d", got)
		}
		o.save(3, remove(rows[0].ID)) // 4
		if _, err := o.undo(4); err != nil {
			o.t.Fatal(err)
		}
		if got := o.view().Rows[1].Mark(6); got != tianbao.MarkNumber {
			o.t.Errorf("after undoing a deletion the mark is %d", got)
		}
	})
}
