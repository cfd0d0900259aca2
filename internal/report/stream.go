package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tianbao"
)

// Book is a workbook that can be gone through several times.
type Book interface {
	// Scan hands the rows of the form to fn one by one and returns the rest of the
	// import; Import.Origin has Home. The row is used again for the next one. An error
	// of fn ends it and is returned. ErrNeedsAll: only Read can read this one.
	Scan(ctx context.Context, fn func(imp *tianbao.Import, row *tianbao.ImportedRow) error) (*tianbao.Import, error)
	// Read returns the import with all its rows.
	Read(ctx context.Context) (*tianbao.Import, error)
}

// ErrNeedsAll is what Book.Scan returns for a workbook whose rows have to be at hand
// all at once.
var ErrNeedsAll = errors.New("report: all rows of the workbook are needed at once")

const (
	// shortBook is Service.Short if that is 0.
	shortBook = 5_000
	// partRows is Service.Part if that is 0. Three parts are in memory: one being read
	// and merged, one that waits, one being stored.
	partRows = 2_500
	// shownItems and shownProblems are how much of a long plan is kept to be shown.
	shownItems, shownProblems = 500, 500
)

// ApplyBook is Apply for a workbook of any length. A long one is gone through twice and
// never held: the first pass keeps some tens of bytes of each row, by which it is
// matched with the rows of the report; the second merges and checks part by part, as
// a save does, and puts the parts aside. In the end all become the report's in one
// short transaction, or nothing does.
func (s *Service) ApplyBook(ctx context.Context, a Actor, set *tianbao.ChangeSet, b Book, mode Mode, file string, data []byte, confirm bool, progress Progress) (*Plan, *Saved, error) {
	if err := checkKey(set.Key); err != nil {
		return nil, nil, err
	}
	rep, err := s.Store.Report(ctx, a.Scope, set.Report)
	if err != nil {
		return nil, nil, err
	}
	if err := Open(&rep); err != nil {
		return nil, nil, err
	}
	rules, err := s.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, nil, err
	}
	short, size := cmp.Or(s.Short, shortBook), cmp.Or(s.Part, partRows)
	t := &stream{
		size: size,
		s:    s, actor: a, set: set, book: b, mode: mode, file: file, rules: rules, form: rules.Form(), progress: progress,
		digest: s.Digest("import", []byte(mode), data), fileDigest: s.Digest("file", data), confirm: confirm,
	}
	if saved, err := s.outcome(ctx, set.Report, set.Key, t.digest); saved != nil || err != nil {
		return nil, saved, err
	}
	if t.held, t.known, err = s.held(ctx, rules, &rep, short, nil); err != nil {
		return nil, nil, err
	}
	err = t.survey(ctx)
	switch {
	case errors.Is(err, ErrNeedsAll), err == nil && len(t.rows) <= short && rep.Rows <= short:
		imp, err := b.Read(ctx)
		if err != nil {
			return nil, nil, err
		}
		return s.Apply(ctx, a, set, imp, mode, file, data, confirm, progress)
	case err != nil:
		return nil, nil, err
	}
	set.By, set.At = a.User, s.Now()
	return t.run(ctx)
}

// stream is one long import.
type stream struct {
	size       int // of a part
	s          *Service
	actor      Actor
	set        *tianbao.ChangeSet
	book       Book
	mode       Mode
	file       string
	digest     string // of what was asked
	fileDigest string
	confirm    bool
	rules      Checker
	held       Checker // rules, and those of the register
	known      *known
	form       *tianbao.Form
	progress   Progress

	// Of the first pass.
	imp    *tianbao.Import // without rows
	hashes hasher
	rows   []fileRow
	second func() func([]tianbao.Problem, int, *tianbao.ImportedRow) []tianbao.Problem

	// Of the plan and the second pass.
	rep       tianbao.Report // as the plan was made from it
	ways      *ways
	stored    []storedRow
	gone      []int        // rows of stored that go
	order     []int        // places of the new rows, nil: at the end
	moves     []Move       // and of those that stay
	plan      *Plan        // counts and first items of all parts
	conflicts int          // plan.Conflicts are the first
	touched   []tianbao.ID // stored rows that are edited or go
	changes   int          // rows
	more      int          // rows than before
}

// survey is the first pass.
func (t *stream) survey(ctx context.Context) error {
	note, second := t.held.Passes()
	t.hashes, t.second = newHasher(), second
	imp, err := t.book.Scan(ctx, func(imp *tianbao.Import, r *tianbao.ImportedRow) error {
		if len(t.rows)%t.size == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			t.progress("读取", len(t.rows), 0)
		}
		note(r)
		f := fileRow{sheetRow: int32(r.SheetRow), match: -1}
		switch t.mode {
		case ModeMerge:
			f.whole, f.person = t.hashes.whole(r.Row.Values, nil), t.hashes.of(identity(t.form, r.Row.Values))
		case ModeReplace:
			f.whole = t.hashes.whole(r.Row.Values, nil)
		case ModeBySeq:
			// A column that the file lacks replaces nothing.
			f.whole, f.seq = t.hashes.whole(r.Row.Values, imp.Columns), seqOf(r)
		}
		t.rows = append(t.rows, f)
		return nil
	})
	t.imp = imp
	return err
}

// run works the plan out and carries it out.
func (t *stream) run(ctx context.Context) (*Plan, *Saved, error) {
	id := tianbao.ID(t.s.IDs.Next())
	t.plan = &Plan{Import: id, Mode: t.mode, Sheet: t.imp.Sheet, Rows: len(t.rows), Remarks: t.imp.Remarks}
	t.progress("比对", 0, len(t.rows))
	if err := t.match(ctx); err != nil {
		return nil, nil, err
	}
	if t.plan.Confirm != "" && !t.confirm {
		return nil, nil, errConfirm(t.plan.Confirm)
	}
	earlier, err := t.s.Store.ImportsOf(ctx, t.rep.ID, t.fileDigest)
	if err != nil {
		return nil, nil, err
	}
	if len(earlier) > 0 {
		t.plan.Again = &earlier[0]
	}
	staging, err := t.s.Store.Stage(ctx, t.rep, tianbao.ID(t.s.IDs.Next()), id)
	if err != nil {
		return nil, nil, err
	}
	saved, err := t.carry(ctx, staging)
	// What is left would be dropped at the next start; the answer does not depend on it.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	dropped := staging.Drop(end)
	switch {
	case err == nil:
		return t.plan, saved, nil
	case dropped != nil:
		return nil, nil, errors.Join(err, dropped)
	}
	return nil, nil, err
}

// carry stages all parts and commits them.
func (t *stream) carry(ctx context.Context, staging Staging) (*Saved, error) {
	if err := t.parts(ctx, staging); err != nil {
		return nil, err
	}
	if t.conflicts > 0 {
		return nil, errConflicts(t.plan.Conflicts, t.conflicts)
	}
	slices.Sort(t.touched)
	t.progress("保存", 0, 0)
	rec := &ImportRecord{
		ID: t.plan.Import, Report: t.rep.ID, File: clip(t.file, 200), Digest: t.fileDigest,
		Mode: string(t.mode), Rows: len(t.rows), By: t.actor.User, At: t.set.At.UnixMilli(), Raw: []byte("{}"),
	}
	rep := t.rep
	for range tries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := &Commit{Report: rep, Set: t.set, RequestDigest: t.digest}
		c.Report.Rows += t.more
		c.Report.State = stateAfter(rep.State, c.Report.Rows, t.changes > 0)
		c.Receipt = t.s.receipt("save", &c.Report, t.digest, t.actor.Name, t.set.At)
		c.Receipt.Version = rep.Version + 1
		err := staging.Commit(ctx, c, rec)
		switch {
		case err == nil:
			return &Saved{Receipt: c.Receipt}, nil
		case !errors.Is(err, ErrStale) && !errors.Is(err, ErrDuplicate):
			return nil, err
		}
		if saved, err := t.s.outcome(ctx, t.set.Report, t.set.Key, t.digest); saved != nil || err != nil {
			return saved, err
		}
		if errors.Is(err, ErrDuplicate) {
			return nil, fmt.Errorf("report: key is taken but its outcome is not stored")
		}
		if rep, err = t.later(ctx, rep.Version); err != nil {
			return nil, err
		}
	}
	return nil, busy()
}

// later returns the report as others have made it since the version, if that leaves
// the staged rows as they were met; otherwise the import is refused. Where the file's
// rows were matched by their places, any change may have moved them.
func (t *stream) later(ctx context.Context, version int64) (tianbao.Report, error) {
	rep, err := t.s.Store.Report(ctx, t.actor.Scope, t.rep.ID)
	if err != nil {
		return rep, err
	}
	if err := Open(&rep); err != nil {
		return rep, err
	}
	if t.mode == ModeBySeq || t.mode == ModeReplace {
		return rep, errMoved()
	}
	revs, err := t.s.between(ctx, version, &rep)
	if err != nil {
		return rep, err
	}
	for i := range revs {
		for j := range revs[i].Changes {
			if _, ours := slices.BinarySearch(t.touched, revs[i].Changes[j].Row); ours {
				return rep, errMoved()
			}
		}
	}
	return rep, nil
}

// errMoved refuses an import during which others saved rows that it changes: what the
// sender was shown and agreed to is not so any more.
func errMoved() error {
	return &tianbao.Error{
		Kind: tianbao.ErrConflict, Code: "moved",
		Message: "导入期间有人保存了文件要修改的行，什么都没有改变，请重新预览这个文件后再导入。",
	}
}
