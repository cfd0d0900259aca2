package report

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"tianbao"
)

// Mode says how the rows of a workbook meet those on the screen (form.md §3).
type Mode string

// The import modes.
const (
	ModeMerge   Mode = "merge"   // 智能合并
	ModeAppend  Mode = "append"  // 仅追加
	ModeBySeq   Mode = "seq"     // 按序号
	ModeReplace Mode = "replace" // 整表替换
)

// Modes lists the modes with their Chinese names, the default first.
func Modes() []struct {
	Mode Mode
	Name string
	Help string
} {
	return []struct {
		Mode Mode
		Name string
		Help string
	}{
		{ModeMerge, "智能合并", "同一单位同一人的行只更新有变化的单元格，其余的行追加到最后，不覆盖已有内容。"},
		{ModeAppend, "仅追加", "文件中的每一行都作为新行，接在最后一行之后。"},
		{ModeBySeq, "按序号", "文件中序号为几的行，就替换报表中的第几行；超出的行追加到最后。"},
		{ModeReplace, "整表替换", "用文件的内容换掉整张表，文件中没有的行将被删除。"},
	}
}

// rawImport is what ImportRecord.Raw holds: the cells as the workbook had them
// where normalisation changed them, and how cells were typed.
type rawImport struct {
	Cells []rawCell    `json:"cells,omitempty"`
	Marks []markedText `json:"marks,omitempty"`
}

type rawCell struct {
	SheetRow int    `json:"row"`
	Field    int    `json:"field"`
	Text     string `json:"text"`
}

type markedText struct {
	Field int          `json:"field"`
	Value string       `json:"value"`
	Mark  tianbao.Mark `json:"mark"`
}

type markedCell struct {
	field int
	value string
}

// Import previews a workbook against the screen (the stored rows with set's
// changes made): what would be added, changed, deleted, and with which faults. It
// stores a sealed record of the raw cells, whose id the change set that carries
// the rows names, and changes nothing else.
func (s *Service) Import(ctx context.Context, a Actor, set *tianbao.ChangeSet, imp *tianbao.Import, mode Mode, file string, data []byte) (*Plan, error) {
	scr, rules, err := s.Screen(ctx, a, set)
	if err != nil {
		return nil, err
	}
	if err := Open(&scr.Report); err != nil {
		return nil, err
	}
	id := tianbao.ID(s.IDs.Next())
	var w *ways
	if o := imp.Origin; isHome(o, &scr.Report, mode) {
		if w, err = s.waysSince(ctx, &scr.Report, o); err != nil {
			return nil, err
		}
		for i := range scr.stored {
			w.stored[scr.stored[i].ID] = &scr.stored[i]
		}
	}
	held, known, err := s.held(ctx, rules, &scr.Report, len(imp.Rows), nil)
	if err != nil {
		return nil, err
	}
	plan, err := makePlan(held, scr, imp, w, mode, id)
	if err = known.after(err); err != nil {
		return nil, err
	}
	digest := s.Digest("file", data)
	earlier, err := s.Store.ImportsOf(ctx, set.Report, digest)
	if err != nil {
		return nil, err
	}
	if len(earlier) > 0 {
		plan.Again = &earlier[0]
	}
	rec := &ImportRecord{
		ID: id, Report: set.Report, File: clip(file, 200), Digest: digest,
		Mode: string(mode), Rows: len(imp.Rows), By: a.User, At: s.Now().UnixMilli(),
	}
	if rec.Raw, err = json.Marshal(rawOf(imp.Rows)); err != nil {
		return nil, fmt.Errorf("report: encode the raw cells of an import: %w", err)
	}
	if err := s.Store.PutImport(ctx, rec); err != nil {
		return nil, err
	}
	return plan, nil
}

// Progress is told how far a long act has come: the stage in the users' words, and
// rows done of all (0 of 0 where they are not counted). It must return at once.
type Progress func(stage string, done, total int)

// Apply imports a workbook and saves it at once, for programs that look at no
// preview; it is Import and Save in one. Where the plan asks for a yes and confirm
// is not set, it returns tianbao.ErrConflict with code "confirm" and the question.
// The key stands for the file and the mode: the same call again gives the first
// outcome, and then no plan.
func (s *Service) Apply(ctx context.Context, a Actor, set *tianbao.ChangeSet, imp *tianbao.Import, mode Mode, file string, data []byte, confirm bool, progress Progress) (*Plan, *Saved, error) {
	if err := checkKey(set.Key); err != nil {
		return nil, nil, err
	}
	rep, err := s.Store.Report(ctx, a.Scope, set.Report)
	if err != nil {
		return nil, nil, err
	}
	rules, err := s.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, nil, err
	}
	digest := s.Digest("import", []byte(mode), data)
	if saved, err := s.outcome(ctx, set.Report, set.Key, digest); saved != nil || err != nil {
		return nil, saved, err
	}
	set.Base = rep.Version
	progress("比对", 0, len(imp.Rows))
	plan, err := s.Import(ctx, a, set, imp, mode, file, data)
	if err != nil {
		return nil, nil, err
	}
	if plan.Confirm != "" && !confirm {
		return nil, nil, errConfirm(plan.Confirm)
	}
	if len(plan.Conflicts) > 0 {
		return nil, nil, errConflicts(plan.Conflicts, len(plan.Conflicts))
	}
	set.Changes, set.Imports = plan.Changes, []tianbao.ID{plan.Import}
	saved, err := s.save(ctx, a, rules, set, digest, progress)
	return plan, saved, err
}

func errConfirm(question string) error {
	return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "confirm", Message: question}
}

// errConflicts refuses an import with n conflicts, of which it lists some.
func errConflicts(some []PlanConflict, n int) error {
	e := &tianbao.Error{
		Kind: tianbao.ErrConflict, Code: "conflict",
		Message: fmt.Sprintf("文件与他人保存的内容有 %d 处冲突，什么都没有改变，请在页面上预览导入并逐处选择。", n),
	}
	for _, c := range some {
		e.Conflicts = append(e.Conflicts, c.Conflict)
	}
	return e
}

func rawOf(rows []tianbao.ImportedRow) rawImport {
	var raw rawImport
	seen := make(map[markedCell]bool)
	for i := range rows {
		r := &rows[i]
		for f, v := range r.Row.Values {
			if f < len(r.Raw) && r.Raw[f] != v {
				raw.Cells = append(raw.Cells, rawCell{r.SheetRow, f, r.Raw[f]})
			}
			if m := r.Row.Mark(f); m != tianbao.MarkNone && !seen[markedCell{f, v}] {
				seen[markedCell{f, v}] = true
				raw.Marks = append(raw.Marks, markedText{f, v, m})
			}
		}
	}
	return raw
}

// marksOf returns how the cells of the set's imports were typed, by field and
// value. The mark of a damaged number so follows it from the workbook over the
// screen into the store, without the page knowing of it.
func (s *Service) marksOf(ctx context.Context, set *tianbao.ChangeSet) (map[markedCell]tianbao.Mark, error) {
	if len(set.Imports) == 0 {
		return nil, nil
	}
	if len(set.Imports) > 100 {
		return nil, tianbao.Invalid("too_many_imports", "一次提交最多带 100 次导入的内容，请先提交一部分。")
	}
	recs, err := s.Store.Imports(ctx, set.Report, set.Imports)
	if err != nil {
		return nil, err
	}
	if len(recs) < len(set.Imports) {
		return nil, tianbao.Invalid("unknown_import", "找不到这次导入的记录，请重新导入文件后再提交。")
	}
	marks := make(map[markedCell]tianbao.Mark)
	for i := range recs {
		for _, part := range append(recs[i].More, recs[i].Raw) {
			var raw rawImport
			if err := json.Unmarshal(part, &raw); err != nil {
				return nil, fmt.Errorf("report: decode the raw cells of import %s: %w", recs[i].ID, err)
			}
			for _, m := range raw.Marks {
				marks[markedCell{m.Field, m.Value}] = m.Mark
			}
		}
	}
	return marks, nil
}

// clip shortens a text to n characters.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
