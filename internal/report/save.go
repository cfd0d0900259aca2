package report

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/jsontext"
)

// Saved is the outcome of 提交.
type Saved struct {
	Receipt  tianbao.Receipt
	Inserted map[string]tianbao.ID // the sender's names of new rows → their ids
	// Again is true when the idempotency key had been used already and nothing new
	// was written.
	Again bool
	// Report is the report as this save left it, zero when it is Again.
	Report tianbao.Report
}

// tries bounds how often a save starts again because somebody else saved in
// between. Each failed try means that another save succeeded.
const tries = 30

// soon is up to how many changes a set is merged with one of few connections held.
const soon = 500

// Save carries out 提交: the change set is merged with what is stored, cell by
// cell, and committed whole, also with faults. It returns tianbao.ErrConflict with
// both values where somebody else changed the same cell since set.Base, and then
// has written nothing. A key that was used before gives the first outcome again.
func (s *Service) Save(ctx context.Context, a Actor, set *tianbao.ChangeSet) (*Saved, error) {
	rep, err := s.Store.Report(ctx, a.Scope, set.Report)
	if err != nil {
		return nil, err
	}
	return s.SaveIn(ctx, a, &rep, set)
}

// SaveIn is Save for who has read the report already, within the actor's scope and however
// long ago.
func (s *Service) SaveIn(ctx context.Context, a Actor, rep *tianbao.Report, set *tianbao.ChangeSet) (*Saved, error) {
	if err := checkKey(set.Key); err != nil {
		return nil, err
	}
	rules, err := s.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, err
	}
	return s.save(ctx, a, rules, set, s.requestDigest(set), func(string, int, int) {})
}

// save is Save with the digest of what was asked under the set's key. Where the same was
// sent twice at once, the one that comes second may be refused for what happened after
// the first; the key is asked for once more then, and the first outcome given.
func (s *Service) save(ctx context.Context, a Actor, rules Checker, set *tianbao.ChangeSet, digest string, progress Progress) (*Saved, error) {
	saved, refused := s.saveOnce(ctx, a, rules, set, digest, progress)
	if refused == nil {
		return saved, nil
	}
	if first, err := s.outcome(ctx, set.Report, set.Key, digest); err == nil && first != nil {
		return first, nil
	}
	return nil, refused
}

func (s *Service) saveOnce(ctx context.Context, a Actor, rules Checker, set *tianbao.ChangeSet, digest string, progress Progress) (*Saved, error) {
	var ids map[string]tianbao.ID // of the new rows, once the set is found to be one that can be tried
	for range tries {
		var (
			saved  *Saved
			commit *Commit
		)
		err := s.together(ctx, set, func(ctx context.Context) (err error) {
			if saved, err = s.outcome(ctx, set.Report, set.Key, digest); saved != nil || err != nil {
				return err
			}
			if ids == nil {
				if err := s.prepare(ctx, rules, set, a); err != nil {
					return err
				}
				set.By, set.At = a.User, s.Now()
				ids = make(map[string]tianbao.ID)
				for _, c := range set.Changes {
					if c.Op == tianbao.OpInsert {
						ids[c.Temp] = tianbao.ID(s.IDs.Next())
					}
				}
			}
			commit, err = s.mergedNow(ctx, a, rules, set, ids, progress)
			return err
		})
		if saved != nil || err != nil {
			return saved, err
		}
		commit.RequestDigest = digest
		progress("保存", 0, 0)
		commit.Receipt = s.receipt("save", &commit.Report, digest, a.Name, set.At)
		commit.Receipt.Version = commit.Report.Version + 1
		switch err := s.Store.Commit(ctx, commit); {
		case err == nil:
			after := commit.Report
			after.Version, after.UpdatedAt, after.UpdatedBy = after.Version+1, set.At, a.Name
			return &Saved{Receipt: commit.Receipt, Inserted: commit.Inserted, Report: after}, nil
		case errors.Is(err, ErrDuplicate):
			if saved, err := s.outcome(ctx, set.Report, set.Key, digest); saved != nil || err != nil {
				return saved, err
			}
			return nil, fmt.Errorf("report: key is taken but its outcome is not stored")
		case !errors.Is(err, ErrStale):
			return nil, err
		}
		wait := time.Duration(rand.Int64N(int64(5 * time.Millisecond))) //#nosec G404 -- jitter, no secret
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
	return nil, busy()
}

// together calls fn with a context under which what is asked is of one moment, unless the set
// is a long one.
func (s *Service) together(ctx context.Context, set *tianbao.ChangeSet, fn func(context.Context) error) error {
	if len(set.Changes) > soon {
		return fn(ctx)
	}
	return s.Store.Together(ctx, fn)
}

// merged makes the commit of a set against the report as it stands now.
func (s *Service) merged(ctx context.Context, a Actor, rules Checker, set *tianbao.ChangeSet, ids map[string]tianbao.ID, progress Progress) (commit *Commit, err error) {
	err = s.together(ctx, set, func(ctx context.Context) error {
		commit, err = s.mergedNow(ctx, a, rules, set, ids, progress)
		return err
	})
	return commit, err
}

func (s *Service) mergedNow(ctx context.Context, a Actor, rules Checker, set *tianbao.ChangeSet, ids map[string]tianbao.ID, progress Progress) (*Commit, error) {
	rep, rows, err := s.Store.Touched(ctx, a.Scope, set.Report, touchedRows(set.Changes))
	if err != nil {
		return nil, err
	}
	if err := Open(&rep); err != nil {
		return nil, err
	}
	if err := s.mayTouch(ctx, a, rows, set.Changes); err != nil {
		return nil, err
	}
	if set.Base < 0 || set.Base > rep.Version {
		return nil, tianbao.Invalid("bad_base", "提交所依据的版本不存在，请刷新页面后重试。")
	}
	var revs []tianbao.Revision
	if set.Base < rep.Version {
		if revs, err = s.between(ctx, set.Base, &rep); err != nil {
			return nil, err
		}
		if err := s.once(ctx, set, ids, rep.Version); err != nil {
			return nil, err
		}
	}
	held, known, err := s.held(ctx, rules, &rep, len(set.Changes), personsIn(rules.Form(), set.Changes, rows))
	if err != nil {
		return nil, err
	}
	m := &merger{
		ctx: ctx, progress: progress, rules: held, form: rules.Form(), rows: rows, theirs: since(revs), ids: ids,
		commit: &Commit{Report: rep, Set: set, Inserted: ids},
		unit:   known.unit,
	}
	if err := known.after(m.merge(set.Changes)); err != nil {
		return nil, err
	}
	if len(m.conflicts) > 0 {
		return nil, &tianbao.Error{
			Kind: tianbao.ErrConflict, Code: "conflict", Conflicts: m.conflicts,
			Message: fmt.Sprintf("有 %d 处与他人刚刚保存的内容不一致，请逐处选择保留哪一个，然后再提交。", len(m.conflicts)),
		}
	}
	if err := s.mayLeave(ctx, a, m.commit); err != nil {
		return nil, err
	}
	m.commit.Report.State = stateAfter(rep.State, m.commit.Report.Rows, len(m.commit.Puts)+len(m.commit.Deletes) > 0)
	return m.commit, nil
}

// once refuses a page's new rows that another page of the same person, which had the same
// draft, has brought in since the base: the sender takes those in and goes on from them.
func (s *Service) once(ctx context.Context, set *tianbao.ChangeSet, ids map[string]tianbao.ID, version int64) error {
	if set.Draft == "" || len(ids) == 0 {
		return nil // names of a program are its own affair
	}
	named, err := s.Store.Named(ctx, set.Report, set.By, set.Base, version)
	if err != nil {
		return err
	}
	n := 0
	for name := range named {
		if _, mine := ids[name]; mine {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return &tianbao.Error{
		Kind: tianbao.ErrConflict, Code: "rows_taken",
		Message: fmt.Sprintf("有 %d 行已经从您的另一台电脑或另一个窗口提交，请刷新页面核对后再提交。", n),
	}
}

// stateAfter is the state of a report of so many rows after a save.
func stateAfter(was tianbao.ReportState, rows int, changed bool) tianbao.ReportState {
	switch {
	case !changed:
		return was // nothing to report anew
	case rows == 0:
		return tianbao.StateEmpty
	case was == tianbao.StateReported || was == tianbao.StateChanged:
		return tianbao.StateChanged
	}
	return tianbao.StateDraft
}

// outcome returns what the key led to, nil if it was not used yet.
func (s *Service) outcome(ctx context.Context, report tianbao.ID, key, digest string) (*Saved, error) {
	o, ok, err := s.Store.Outcome(ctx, report, key)
	if err != nil || !ok {
		return nil, err
	}
	if o.RequestDigest != digest {
		return nil, tianbao.Invalid("key_reused", "这个提交编号已经用于另一份内容，请刷新页面后重新提交。")
	}
	return &Saved{Receipt: o.Receipt, Inserted: o.Inserted, Again: true}, nil
}

// requestDigest binds an idempotency key to what was asked under it.
func (s *Service) requestDigest(set *tianbao.ChangeSet) string {
	return s.Digest("change", requestJSON(set))
}

// requestJSON is what is digested of a set: what json.Marshal made of it when the first keys
// were stored, which is how it must stay.
func requestJSON(set *tianbao.ChangeSet) []byte {
	text := func(b []byte, name, s string) []byte {
		return jsontext.AppendHTML(append(append(append(b, `,"`...), name...), `":`...), s)
	}
	b := make([]byte, 0, 64+512*len(set.Changes))
	b = strconv.AppendInt(append(b, `{"Base":`...), set.Base, 10)
	b = append(b, `,"Changes":[`...)
	for i := range set.Changes {
		c := &set.Changes[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendHTML(append(b, `{"Op":`...), string(c.Op))
		b = text(b, "Row", c.Row.String())
		b = text(b, "After", c.After.String())
		b = text(b, "Temp", c.Temp)
		b = text(b, "AfterTemp", c.AfterTemp)
		b = append(b, `,"Cells":`...)
		if c.Cells == nil {
			b = append(b, "null"...)
		} else {
			b = append(b, '[')
			for k := range c.Cells {
				cell := &c.Cells[k]
				if k > 0 {
					b = append(b, ',')
				}
				b = strconv.AppendInt(append(b, `{"Field":`...), int64(cell.Field), 10)
				b = text(b, "Value", cell.Value)
				b = append(strconv.AppendInt(append(b, `,"Mark":`...), int64(cell.Mark), 10), '}')
			}
			b = append(b, ']')
		}
		b = text(b, "Code", c.Reason.Code)
		b = append(text(b, "Text", c.Reason.Text), '}')
	}
	b = append(b, `],"Imports":`...)
	if set.Imports == nil {
		return append(b, "null}"...)
	}
	b = append(b, '[')
	for i, id := range set.Imports {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendHTML(b, id.String())
	}
	return append(b, "]}"...)
}

// touchedRows lists the stored rows that a set names, each once.
func touchedRows(changes []tianbao.Change) []tianbao.ID {
	seen := make(map[tianbao.ID]bool)
	var ids []tianbao.ID
	add := func(id tianbao.ID) {
		if id > 0 && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for i := range changes {
		if changes[i].Op == tianbao.OpInsert {
			add(changes[i].After)
		} else {
			add(changes[i].Row)
		}
	}
	return ids
}

// checkKey refuses idempotency keys that are empty, long or not printable ASCII.
func checkKey(key string) error {
	ok := key != "" && len(key) <= maxKey
	for i := 0; i < len(key); i++ {
		ok = ok && key[i] > ' ' && key[i] < 0x7f
	}
	if !ok {
		return tianbao.Invalid("bad_key", "提交编号缺失或无效，请刷新页面后重试。")
	}
	return nil
}

func busy() error {
	return &tianbao.Error{
		Kind: tianbao.ErrUnavailable, Code: "busy", RetryAfter: 2,
		Message: "同时保存这张表的人较多，您的内容还没有保存，请稍候再点一次提交。",
	}
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
