package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// historySize is how many revisions one page shows.
const historySize = 30

// historyPage is the data of history.html.
type historyPage struct {
	Report  tianbao.ID
	Owner   string
	Entries []historyEntry
	Older   int64      // before=, 0: none
	Row     tianbao.ID // the only row whose changes are listed, 0: all
	RowName string
}

// historyEntry is one revision in the users' words.
type historyEntry struct {
	Version int64
	By      string
	At      time.Time
	What    string // how it came in
	Note    string
	Summary []string // sentences
	Lines   []historyLine
	More    int // changes that are not listed
}

// historyLine is one changed cell or row.
type historyLine struct {
	Kind          string // add, edit, delete, reason
	KindName      string
	Row           string
	Field         string
	Before, After string
}

// sourceNames are the channels in the users' words.
var sourceNames = map[tianbao.Source]string{
	tianbao.SourcePage: "提交", tianbao.SourceImport: "导入 EXCEL 后提交", tianbao.SourceAPI: "接口提交",
	tianbao.SourceMail: "邮件报送", tianbao.SourceFolder: "收件文件夹导入", tianbao.SourceUndo: "撤销", tianbao.SourceDemo: "演示数据",
	tianbao.SourceChange: "人员变更", tianbao.SourceConfirm: "确认上次的人员",
	tianbao.SourceCorrect: "下级单位更正", tianbao.SourceErase: "清除个人信息",
}

// maxLines bounds the cells listed of one revision on the page.
const maxLines = 200

// history shows who changed which cell when. Ids and phones are masked: who
// needs a full value opens the sheet, where reading is recorded.
func (s *Server) history(w http.ResponseWriter, r *http.Request, v *viewer) error {
	before := int64(atoi(r.URL.Query().Get("before"), 0))
	row, err := tianbao.ParseID(r.URL.Query().Get("row"))
	if err != nil {
		row = 0
	}
	revs, err := s.Reports.History(r.Context(), v.actor(), v.report.ID, before, historySize+1)
	if err != nil {
		return err
	}
	f, mask, err := s.masked(v)
	if err != nil {
		return err
	}
	var names rowNames
	if !wantsJSON(r) {
		sheet, err := s.Reports.View(r.Context(), v.actor(), v.report.ID)
		if err != nil {
			return err
		}
		names = nameRows(f, sheet.Rows)
	}
	out := wireHistory{Revisions: []wireRevision{}}
	p := historyPage{Report: v.report.ID, Owner: v.report.OwnerName, Row: row, RowName: names[row]}
	if len(revs) > historySize {
		revs = revs[:historySize]
		out.Next = revs[historySize-1].Version
		p.Older = out.Next
	}
	for i := range revs {
		rev := &revs[i]
		if row != 0 {
			rev.Changes = slices.DeleteFunc(rev.Changes, func(c tianbao.Recorded) bool { return c.Row != row })
			if len(rev.Changes) == 0 {
				continue
			}
		}
		wr := wireRevision{Version: rev.Version, Source: string(rev.Source), Note: rev.Note, By: rev.By, At: stamp(rev.At), Changes: []wireRecord{}}
		for _, c := range rev.Changes {
			wr.Changes = append(wr.Changes, wireRecord{Op: string(c.Op), Row: c.Row, Cells: toCells(f, c.Cells, mask.Mask), Code: c.Reason.Code, Reason: c.Reason.Text})
		}
		out.Revisions = append(out.Revisions, wr)
		p.Entries = append(p.Entries, toEntry(f, mask, names, rev))
	}
	return s.answer(w, r, v, out, "history.html", "填报历史", &p)
}

// masked returns the form of the viewer's report and how its values are masked.
func (s *Server) masked(v *viewer) (*tianbao.Form, Masker, error) {
	rules, err := s.Reports.Rules(v.report.Form, v.report.FormV)
	if err != nil {
		return nil, nil, err
	}
	mask, err := s.Mask(v.report.Form, v.report.FormV)
	return rules.Form(), mask, err
}

func toEntry(f *tianbao.Form, mask Masker, names rowNames, rev *tianbao.Revision) historyEntry {
	e := historyEntry{Version: rev.Version, By: rev.By, At: rev.At, What: sourceNames[rev.Source], Note: rev.Note}
	added, edited, deleted, reasons := 0, 0, 0, 0
	for i := range rev.Changes {
		c := &rev.Changes[i]
		row := names.of(f, c)
		switch c.Op {
		case tianbao.OpInsert:
			added++
			e.line(historyLine{Kind: "add", KindName: "新增", Row: row, After: joined(f, mask, c, true)})
		case tianbao.OpDelete:
			deleted++
			e.line(historyLine{Kind: "delete", KindName: "删除", Row: row, Before: joined(f, mask, c, false)})
		case tianbao.OpReason:
			reasons++
			e.line(historyLine{Kind: "edit", KindName: "说明", Row: row, After: c.Reason.Text})
		case tianbao.OpEdit:
			for _, cell := range c.Cells {
				edited++
				e.line(historyLine{
					Kind: "edit", KindName: "修改", Row: row, Field: f.Fields[cell.Field].Title,
					Before: mask.Mask(cell.Field, cell.Before), After: mask.Mask(cell.Field, cell.After),
				})
			}
		}
	}
	var parts []string
	for _, n := range []struct {
		n    int
		text string
	}{{added, "新增 %d 行"}, {edited, "修改 %d 个单元格"}, {deleted, "删除 %d 行"}, {reasons, "说明 %d 处情况"}} {
		if n.n > 0 {
			parts = append(parts, fmt.Sprintf(n.text, n.n))
		}
	}
	e.Summary = parts
	if len(parts) == 0 {
		e.Summary = []string{"没有改动内容"}
	}
	return e
}

func (e *historyEntry) line(l historyLine) {
	if len(e.Lines) < maxLines {
		e.Lines = append(e.Lines, l)
	} else {
		e.More++
	}
}

// joined writes the filled cells of an added or deleted row.
func joined(f *tianbao.Form, mask Masker, c *tianbao.Recorded, after bool) string {
	var parts []string
	for _, cell := range c.Cells {
		v := cell.Before
		if after {
			v = cell.After
		}
		if v != "" {
			parts = append(parts, f.Fields[cell.Field].Letter+"列 "+mask.Mask(cell.Field, v))
		}
	}
	return strings.Join(parts, "；")
}

// rowNames says where the rows of a history stand on the sheet now.
type rowNames map[tianbao.ID]string

// nameRows names the rows by number and person.
func nameRows(f *tianbao.Form, rows []tianbao.Row) rowNames {
	names := make(rowNames, len(rows))
	for i := range rows {
		names[rows[i].ID] = fmt.Sprintf("现第 %d 行", rows[i].Seq)
		for k := range f.Fields {
			if f.Fields[k].Kind == tianbao.KindName && rows[i].Values[k] != "" {
				names[rows[i].ID] += " " + rows[i].Values[k]
				break
			}
		}
	}
	return names
}

// of names the row of a change; one that is gone by the person it held.
func (n rowNames) of(f *tianbao.Form, c *tianbao.Recorded) string {
	if name := n[c.Row]; name != "" {
		return name
	}
	for _, cell := range c.Cells {
		if f.Fields[cell.Field].Kind == tianbao.KindName && cell.Before+cell.After != "" {
			return "已删除 " + cell.Before + cell.After
		}
	}
	return "已删除的行"
}

// timeOf reads unix milliseconds in the zone of Shanghai.
func timeOf(ms int64) time.Time { return time.UnixMilli(ms).In(clock.Shanghai) }
