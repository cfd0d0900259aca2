package report

import (
	"cmp"
	"context"
	"slices"

	"tianbao"
)

// MaxProblems is the most problems that one answer lists. Nobody works through more
// at a time, and a hundred thousand of them would weigh more than the sheet.
const MaxProblems = 2_000

// LongSheet is from how many rows on a check reads a sheet twice instead of keeping it.
const LongSheet = 20_000

// Found is what a check finds. Counts are whole; of the problems, when there are more
// than MaxProblems, those are listed that stop the most.
type Found struct {
	Rows                 int
	Error, Justify, Hint int
	Problems             []tianbao.Problem // by row
	Left                 int               // problems that are not listed
	names                map[tianbao.ID]string
	kept                 map[tianbao.Severity][]numbered
	n                    int
}

// numbered is a problem and its place among all.
type numbered struct {
	tianbao.Problem
	n int
}

// RowName returns how the sender calls a row: its id, or the name of a new one.
func (f *Found) RowName(id tianbao.ID) string {
	if id < 0 {
		return f.names[id]
	}
	return id.String()
}

func (f *Found) add(ps []tianbao.Problem) {
	if f.kept == nil {
		f.kept = make(map[tianbao.Severity][]numbered)
	}
	for _, p := range ps {
		switch p.Severity {
		case tianbao.SeverityError:
			f.Error++
		case tianbao.SeverityJustify:
			f.Justify++
		case tianbao.SeverityHint:
			f.Hint++
		}
		if list := f.kept[p.Severity]; len(list) < MaxProblems {
			f.kept[p.Severity] = append(list, numbered{p, f.n})
		}
		f.n++
	}
}

// close chooses the problems that are listed.
func (f *Found) close() {
	var all []numbered
	for _, s := range []tianbao.Severity{tianbao.SeverityError, tianbao.SeverityJustify, tianbao.SeverityHint} {
		list := f.kept[s]
		all = append(all, list[:min(len(list), MaxProblems-len(all))]...)
	}
	slices.SortFunc(all, func(a, b numbered) int { return cmp.Or(a.Row-b.Row, a.n-b.n) })
	f.Problems = make([]tianbao.Problem, len(all))
	for i := range all {
		f.Problems[i] = all[i].Problem
	}
	f.Left, f.kept = f.n-len(all), nil
}

// Faults checks the sheet with the given changes made, and writes nothing. A long
// sheet is read twice and not kept. New rows are named in Problem.RowID by the negative
// number that RowName takes.
func (s *Service) Faults(ctx context.Context, a Actor, set *tianbao.ChangeSet) (*Found, error) {
	rep, err := s.Store.Report(ctx, a.Scope, set.Report)
	if err != nil {
		return nil, err
	}
	long := s.Long
	if long == 0 {
		long = LongSheet
	}
	if rep.Rows < long {
		scr, problems, err := s.Check(ctx, a, set)
		if err != nil {
			return nil, err
		}
		rules, err := s.Rules(rep.Form, rep.FormV)
		if err != nil {
			return nil, err
		}
		remarks, err := s.remarked(ctx, &rep, rules.Form())
		if err != nil {
			return nil, err
		}
		f := &Found{Rows: len(scr.Rows), names: scr.Names}
		f.add(problems)
		f.add(remarks.rows(scr.Rows))
		f.close()
		return f, nil
	}
	rules, err := s.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, rules, set, a); err != nil {
		return nil, err
	}
	remarks, err := s.remarked(ctx, &rep, rules.Form())
	if err != nil {
		return nil, err
	}
	for range 5 {
		held, known, err := s.held(ctx, rules, &rep, rep.Rows, nil)
		if err != nil {
			return nil, err
		}
		f, ok, err := s.passes(ctx, a, held, set, remarks)
		err = known.after(err)
		if ok || err != nil {
			return f, err
		}
	}
	return nil, &tianbao.Error{Kind: tianbao.ErrUnavailable, Code: "busy", Message: "这张表正在被频繁保存，暂时无法校验，请稍候再试。", RetryAfter: 5}
}

// passes reads the sheet twice; false when it was saved in between.
func (s *Service) passes(ctx context.Context, a Actor, rules Checker, set *tianbao.ChangeSet, remarks *remarked) (*Found, bool, error) {
	note, second := rules.RowPasses()
	o := newOverlay(rules.Form(), set.Changes)
	first, err := o.each(ctx, s.Store, a.Scope, set.Report, note)
	if err != nil {
		return nil, false, err
	}
	f := &Found{names: o.names}
	judge := second()
	var ps []tianbao.Problem
	again, err := o.each(ctx, s.Store, a.Scope, set.Report, func(row *tianbao.Row) {
		ps = remarks.row(judge(ps[:0], f.Rows, row), f.Rows, row)
		f.add(ps)
		f.Rows++
	})
	if err != nil || first.Version != again.Version {
		return nil, false, err
	}
	f.close()
	return f, true, nil
}
