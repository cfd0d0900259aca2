package report

import (
	"context"
	"fmt"

	"tianbao"
)

// Undo is what taking a revision back would do.
type Undo struct {
	Revision tianbao.Revision
	// Changes restore what the revision changed and nobody changed since.
	Changes []tianbao.Change
	Cells   int // cells that get their earlier value
	Removed int // rows that the revision added and that go
	Back    int // rows that the revision deleted and that come back, at the end
	// Kept are the cells and rows (Field "") that others changed since; they stay.
	Kept []tianbao.Conflict

	base int64
}

// PlanUndo works out what taking back one revision would do, an import as well as
// a save. It changes nothing. A version the report does not have is
// tianbao.ErrNotFound.
func (s *Service) PlanUndo(ctx context.Context, a Actor, id tianbao.ID, version int64) (*Undo, error) {
	revs, err := s.Store.History(ctx, a.Scope, id, version+1, 1)
	if err != nil {
		return nil, err
	}
	if len(revs) == 0 || revs[0].Version != version {
		return nil, tianbao.NotFound()
	}
	u := &Undo{Revision: revs[0]}
	var ids []tianbao.ID
	for _, c := range revs[0].Changes {
		ids = append(ids, c.Row)
	}
	rep, rows, err := s.Store.Touched(ctx, a.Scope, id, ids)
	if err != nil {
		return nil, err
	}
	rules, err := s.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, err
	}
	u.base = rep.Version
	for i := range revs[0].Changes {
		u.reverse(rules.Form(), &revs[0].Changes[i], rows, i)
	}
	return u, nil
}

// reverse adds what takes back one recorded change.
func (u *Undo) reverse(f *tianbao.Form, c *tianbao.Recorded, rows map[tianbao.ID]tianbao.Row, i int) {
	row, here := rows[c.Row]
	switch c.Op {
	case tianbao.OpEdit:
		back := tianbao.Change{Op: tianbao.OpEdit, Row: c.Row}
		for _, cell := range c.Cells {
			if here && row.Values[cell.Field] == cell.After {
				back.Cells = append(back.Cells, tianbao.CellEdit{Field: cell.Field, Value: cell.Before, Mark: cell.Was})
				continue
			}
			k := tianbao.Conflict{Row: c.Row, Field: f.Fields[cell.Field].Key, Base: cell.Before, Mine: cell.After, Kind: "deleted"}
			if here {
				k.Theirs, k.Kind = row.Values[cell.Field], "edited"
			}
			u.Kept = append(u.Kept, k)
		}
		if len(back.Cells) > 0 {
			u.Cells += len(back.Cells)
			u.Changes = append(u.Changes, back)
		}
	case tianbao.OpInsert:
		if !here {
			return // somebody deleted it already
		}
		was := make(tianbao.Values, len(f.Fields))
		for _, cell := range c.Cells {
			was[cell.Field] = cell.After
		}
		for k, v := range row.Values {
			if v != was[k] {
				u.Kept = append(u.Kept, tianbao.Conflict{Row: c.Row, Field: f.Fields[k].Key, Mine: was[k], Theirs: v, Kind: "edited"})
				return
			}
		}
		u.Removed++
		u.Changes = append(u.Changes, tianbao.Change{Op: tianbao.OpDelete, Row: c.Row})
	case tianbao.OpDelete:
		if here {
			return
		}
		back := tianbao.Change{Op: tianbao.OpInsert, Temp: fmt.Sprintf("undo-%d", i), After: tianbao.AtEnd}
		for _, cell := range c.Cells {
			back.Cells = append(back.Cells, tianbao.CellEdit{Field: cell.Field, Value: cell.Before, Mark: cell.Was})
		}
		u.Back++
		u.Changes = append(u.Changes, back)
	}
}

// Undo takes back one revision, as one more change set with a history of its own.
func (s *Service) Undo(ctx context.Context, a Actor, id tianbao.ID, version int64, key string) (*Undo, *Saved, error) {
	if err := checkKey(key); err != nil {
		return nil, nil, err
	}
	rep, err := s.Store.Report(ctx, a.Scope, id)
	if err != nil {
		return nil, nil, err
	}
	rules, err := s.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, nil, err
	}
	digest := s.Digest("undo", fmt.Append(nil, version))
	if saved, err := s.outcome(ctx, id, key, digest); saved != nil || err != nil {
		return nil, saved, err
	}
	u, err := s.PlanUndo(ctx, a, id, version)
	if err != nil {
		return nil, nil, err
	}
	if len(u.Changes) == 0 {
		return nil, nil, tianbao.Invalid("nothing_to_undo", "这一版的内容后来都已改过，没有可以撤销的部分。")
	}
	set := &tianbao.ChangeSet{
		Report: id, Key: key, Base: u.base, Source: tianbao.SourceUndo,
		Note: fmt.Sprintf("撤销第 %d 版", version), Changes: u.Changes,
	}
	saved, err := s.save(ctx, a, rules, set, digest, func(string, int, int) {})
	return u, saved, err
}
