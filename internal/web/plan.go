package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"tianbao"
	"tianbao/internal/report"
)

// planPage is the data of plan.html: the preview of an import for a browser without
// a script. What it would change travels with the page, as it does on the sheet, and
// comes back to 提交 when the clerk says yes; the server keeps nothing in between.
type planPage struct {
	Report  tianbao.ID
	Owner   string
	Plan    *wirePlan
	Lines   []planLine
	More    int
	Changes string // JSON of the changes, "" when there is nothing to save
	Imports string // JSON
	Base    int64
	Key     string
	CSRF    string
}

// planLine is one line of the preview in the users' words.
type planLine struct {
	Kind, KindName string // Kind names the line's style
	FileRow, Seq   int    // 0: none
	Cells          []planCell
	Text           string
	Errors         int
}

// planCell is one changed cell.
type planCell struct{ Title, Before, After string }

// maxPlanLines bounds the lines of a preview page; the counts tell of all.
const maxPlanLines = 100

// planPage shows what an import would do.
func (s *Server) planPage(w http.ResponseWriter, r *http.Request, v *viewer, set *tianbao.ChangeSet, plan *wirePlan) error {
	rules, err := s.Reports.Rules(v.report.Form, v.report.FormV)
	if err != nil {
		return err
	}
	p := planPage{Report: v.report.ID, Owner: v.report.OwnerName, Plan: plan, Base: set.Base, Key: requestID() + requestID(), CSRF: v.signed.CSRF}
	for _, it := range plan.Items {
		if len(p.Lines) == maxPlanLines {
			break
		}
		p.Lines = append(p.Lines, toPlanLine(rules.Form(), it))
	}
	p.More = plan.Counts.Add + plan.Counts.Change + plan.Counts.Delete - len(p.Lines)
	if len(plan.Changes) > 0 {
		b, err := json.Marshal(plan.Changes)
		if err != nil {
			return fmt.Errorf("web: write the changes of a plan: %w", err)
		}
		p.Changes, p.Imports = string(b), `["`+plan.Import.String()+`"]`
	}
	s.page(w, r, v, http.StatusOK, "plan.html", "导入预览", &p)
	return nil
}

func toPlanLine(f *tianbao.Form, it wireItem) planLine {
	l := planLine{FileRow: it.SheetRow, Seq: it.Seq, Errors: it.Errors}
	switch report.ItemKind(it.Kind) {
	case report.ItemAdd:
		l.Kind, l.KindName = "add", "新增"
	case report.ItemDelete:
		l.Kind, l.KindName = "delete", "删除"
	default:
		l.Kind, l.KindName = "edit", "修改"
		for _, c := range it.Cells {
			title := c.Field
			if fd := f.Field(c.Field); fd != nil {
				title = fd.Title
			}
			l.Cells = append(l.Cells, planCell{title, c.Before, c.After})
		}
		return l
	}
	var parts []string
	for _, c := range it.Cells {
		if c.After+c.Before != "" {
			parts = append(parts, c.After+c.Before)
		}
	}
	l.Text = strings.Join(parts, "　")
	return l
}
