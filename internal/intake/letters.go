package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/post"
	"tianbao/internal/report"
)

// Letters is the door for workbooks that come by mail. They are saved as what the bound
// unit filled in, within its subtree, and as nobody's else.
type Letters struct {
	Workbooks Workbooks
	Catalog   Catalog
	Reports   *report.Service
	Now       clock.Clock
	// Mask hides what is personal in a cell of a form.
	Mask func(form string, version int) (func(field int, value string) string, error)
}

// sender is the unit as one who saves: it may reach what lies below it.
func sender(u tianbao.Unit) report.Actor {
	return report.Actor{Login: "mail", Name: "邮件报送", Scope: tianbao.Scope{Paths: []string{u.Path}}}
}

// Deliver implements post.Door. The digest of report and content is the idempotency key,
// so that a judging that is repeated, and the same file in another mail, give the first
// outcome.
func (l *Letters) Deliver(ctx context.Context, unit tianbao.Unit, name string, data []byte) (*post.Delivered, error) {
	c, imp, err := readBook(ctx, l.Catalog, l.Workbooks, data, name)
	if err != nil {
		return nil, err
	}
	if len(imp.Rows) == 0 {
		return nil, tianbao.Invalid("empty", "文件中没有数据行，没有导入；请填写后重新发来。")
	}
	a := sender(unit)
	rep, err := l.belongs(ctx, a, unit, c, imp)
	if err != nil {
		return nil, err
	}
	problems, err := l.Reports.Imported(ctx, &rep, imp)
	if err != nil {
		return nil, err
	}
	// Rows of others would be a draft that this unit reads: the sender took the wrong file,
	// or is bound to the wrong unit.
	if slices.ContainsFunc(problems, func(p tianbao.Problem) bool { return p.Code == "unit.out_of_scope" }) {
		return nil, tianbao.Invalid("others", "文件中有不属于“"+unit.Name+"”的单位，没有导入任何内容；请核对是否发错了文件，或请上级财政部门核对您的邮箱绑定的单位。")
	}
	rules, err := l.Reports.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(rep.ID.String()+"\x00"), data...))
	set := &tianbao.ChangeSet{Report: rep.ID, Key: "mail-" + hex.EncodeToString(sum[:20]), Source: tianbao.SourceMail, Note: name}
	plan, saved, err := l.Reports.Apply(ctx, a, set, imp, report.ModeMerge, name, data, false, func(string, int, int) {})
	if err != nil {
		return nil, err
	}
	d := &post.Delivered{Report: rep.ID, Owner: rep.OwnerName, Receipt: saved.Receipt, Rows: len(imp.Rows), First: plan != nil}
	for i := range problems {
		if problems[i].Blocks() {
			d.Faults++
		}
	}
	if d.Faults == 0 {
		return d, nil
	}
	var b bytes.Buffer
	if err := l.Workbooks.Annotate(&b, rules.Form(), imp, problems, l.Now()); err != nil {
		return nil, err
	}
	d.Marked = b.Bytes()
	return d, nil
}

// belongs finds the report of a workbook: the one that it was exported from, which must lie
// below the unit, else the unit's own.
func (l *Letters) belongs(ctx context.Context, a report.Actor, unit tianbao.Unit, c tianbao.Campaign, imp *tianbao.Import) (tianbao.Report, error) {
	if imp.Origin == nil {
		return l.Catalog.OpenReport(ctx, a.Scope, c.ID, unit.ID)
	}
	rep, err := l.Reports.Store.Report(ctx, a.Scope, imp.Origin.Report)
	if err != nil && tianbao.KindOf(err) == tianbao.ErrNotFound {
		err = tianbao.Invalid("others", "这份文件是从其他单位的表中导出的，没有导入；请使用“"+unit.Name+"”自己的表，或下载空白模板填写。")
	}
	return rep, err
}

// Report implements post.Door.
func (l *Letters) Report(ctx context.Context, unit tianbao.Unit, rep tianbao.ID, key string) (tianbao.Receipt, error) {
	return l.Reports.Submit(ctx, sender(unit), rep, key)
}

// How much of a workbook an officer sees.
const (
	lookRows  = 10
	lookUnits = 20
)

// Look implements post.Door.
func (l *Letters) Look(ctx context.Context, name string, data []byte) (*post.Looked, error) {
	c, imp, err := readBook(ctx, l.Catalog, l.Workbooks, data, name)
	if err != nil {
		return nil, err
	}
	rules, err := l.Reports.Rules(c.Form, c.FormV)
	if err != nil {
		return nil, err
	}
	form := rules.Form()
	mask, err := l.Mask(c.Form, c.FormV)
	if err != nil {
		return nil, err
	}
	out := &post.Looked{Campaign: c.Title, Total: len(imp.Rows)}
	for i := range form.Fields {
		out.Fields = append(out.Fields, form.Fields[i].Title)
	}
	unit := -1
	for _, k := range form.UnitKeys {
		if at := form.Index(k); at >= 0 && (unit < 0 || form.Fields[at].Kind == tianbao.KindText) {
			unit = at
		}
	}
	for i := range imp.Rows {
		values := imp.Rows[i].Row.Values
		if unit >= 0 && values[unit] != "" && len(out.Units) < lookUnits && !slices.Contains(out.Units, values[unit]) {
			out.Units = append(out.Units, values[unit])
		}
		if i < lookRows {
			row := make([]string, len(values))
			for f, v := range values {
				row[f] = mask(f, v)
			}
			out.Rows = append(out.Rows, row)
		}
	}
	return out, nil
}

// Cells implements post.Door.
func (l *Letters) Cells(ctx context.Context, name string, data []byte, more func(cell string) bool) error {
	_, imp, err := readBook(ctx, l.Catalog, l.Workbooks, data, name)
	if err != nil {
		return err
	}
	for i := range imp.Rows {
		for _, v := range imp.Rows[i].Row.Values {
			if !more(v) {
				return nil
			}
		}
	}
	return nil
}

var _ post.Door = (*Letters)(nil)
