package report

import (
	"context"
	"slices"

	"tianbao"
)

// What reviewers said of cells when they returned a unit stands among the problems of the
// sheet until the cell holds something else, or the unit is reported again. It stops
// nothing: whoever fills in knows more than the reviewer, and the reviewer looks again.

// remarked appends the remarks on a row to its problems.
type remarked struct {
	form *tianbao.Form
	by   map[tianbao.ID][]tianbao.Remark
	same func(m *tianbao.Remark, value string) bool
}

// remarked returns the remarks on a report that stand; nil without any.
func (s *Service) remarked(ctx context.Context, rep *tianbao.Report, form *tianbao.Form) (*remarked, error) {
	list, err := s.Store.OpenRemarks(ctx, rep.ID)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	r := &remarked{form: form, by: make(map[tianbao.ID][]tianbao.Remark, len(list))}
	for _, m := range list {
		r.by[m.Row] = append(r.by[m.Row], m)
	}
	r.same = func(m *tianbao.Remark, value string) bool {
		return m.Was == "" || m.Was == s.Digest(tianbao.RemarkLabel, []byte(value))
	}
	return r, nil
}

// row appends the remarks on the i-th row.
func (r *remarked) row(dst []tianbao.Problem, i int, row *tianbao.Row) []tianbao.Problem {
	if r == nil {
		return dst
	}
	for _, m := range r.by[row.ID] {
		if m.Field != "" {
			k := slices.IndexFunc(r.form.Fields, func(f tianbao.Field) bool { return f.Key == m.Field })
			if k < 0 || !r.same(&m, row.Values[k]) {
				continue
			}
		}
		dst = append(dst, tianbao.Problem{
			Row: i, RowID: row.ID, Field: m.Field, Code: tianbao.RemarkCode, Severity: tianbao.SeverityHint, Message: RemarkMessage(m.Text),
		})
	}
	return dst
}

// RemarkMessage is a remark as the list of problems shows it.
func RemarkMessage(text string) string { return "审核意见：" + text }

// rows returns the remarks on all rows of a sheet.
func (r *remarked) rows(rows []tianbao.Row) (out []tianbao.Problem) {
	if r == nil {
		return nil
	}
	for i := range rows {
		out = r.row(out, i, &rows[i])
	}
	return out
}
