package web

import (
	"slices"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// What the API sends and gets, made from the words of the trade and back.

// stamp writes a time for the API.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(clock.Shanghai).Format(time.RFC3339)
}

// stateNames are the states in the users' words.
var stateNames = map[tianbao.ReportState]string{
	tianbao.StateEmpty:    "未开始",
	tianbao.StateDraft:    "已提交",
	tianbao.StateReported: "已上报",
	tianbao.StateChanged:  "上报后有修改",
	tianbao.StateErased:   "已清除个人信息",
}

func toReport(r tianbao.Report) wireReport {
	st := r.State
	if st == "" {
		st = tianbao.StateEmpty
	}
	return wireReport{
		ID: r.ID, Campaign: r.Campaign, Owner: r.Owner, OwnerName: r.OwnerName, State: st,
		StateName: stateNames[st], Version: r.Version, Rows: r.Rows, UpdatedAt: stamp(r.UpdatedAt), UpdatedBy: r.UpdatedBy,
	}
}

func toColumns(f *tianbao.Form) []wireColumn {
	out := make([]wireColumn, len(f.Fields))
	for i := range f.Fields {
		fd := &f.Fields[i]
		out[i] = wireColumn{
			Key: fd.Key, Letter: fd.Letter, Title: fd.Title, Note: fd.Note, Required: fd.Required,
			Width: fd.Pixels, Choices: fd.Enum, Narrow: narrow(fd.Kind),
			Display: display(fd.Kind), Frozen: fd.Frozen,
		}
		if slices.Contains(f.UnitKeys, fd.Key) && fd.RegisterKey() == fd.Key { // the picker fills cells by these keys
			out[i].Pick = "unit"
		}
	}
	return out
}

// narrow tells the kinds whose text has no full-width characters in normal form.
func narrow(k tianbao.Kind) bool {
	switch k {
	case tianbao.KindCode, tianbao.KindCreditCode, tianbao.KindResidentID, tianbao.KindPhone:
		return true
	}
	return false
}

// display names the grouping in which the page shows long numbers of a kind.
func display(k tianbao.Kind) string {
	switch k {
	case tianbao.KindResidentID:
		return "id18"
	case tianbao.KindCreditCode:
		return "credit"
	case tianbao.KindPhone:
		return "phone"
	}
	return ""
}

func toRows(rows []tianbao.Row) []wireRow {
	out := make([]wireRow, len(rows))
	for i := range rows {
		r := &rows[i]
		out[i] = wireRow{ID: r.ID.String(), Version: r.Version, Values: []string(r.Values)}
		for _, rs := range r.Reasons {
			out[i].Reasons = append(out[i].Reasons, wireReason{rs.Code, rs.Text, rs.By, stamp(rs.At)})
		}
	}
	return out
}

func wireConflicts(cs []tianbao.Conflict) []wireConflict {
	var out []wireConflict
	for _, c := range cs {
		out = append(out, toConflict(c))
	}
	return out
}

func toConflict(c tianbao.Conflict) wireConflict {
	return wireConflict{Row: c.Row, Field: c.Field, Kind: c.Kind, Base: c.Base, Mine: c.Mine, Theirs: c.Theirs, By: c.By, At: stamp(c.At)}
}

// toProblem tells a problem of a row that is called seq.
func toProblem(f *tianbao.Form, seq int, p *tianbao.Problem) wireProblem {
	w := wireProblem{Seq: seq, Field: p.Field, Code: p.Code, Severity: string(p.Severity), Message: p.Message}
	if fd := f.Field(p.Field); fd != nil {
		w.Letter = fd.Letter
	}
	return w
}

// rowNamer tells how the sender calls a row.
type rowNamer interface{ RowName(tianbao.ID) string }

// wireProblems names problems as the sender names rows; without a screen, by id.
func (s *Server) wireProblems(form string, version int, ps []tianbao.Problem, scr rowNamer) []wireProblem {
	rules, err := s.Reports.Rules(form, version)
	out := make([]wireProblem, 0, len(ps))
	for _, p := range ps {
		w := wireProblem{
			Row: p.RowID.String(), Seq: p.Row + 1, Field: p.Field, Code: p.Code,
			Severity: string(p.Severity), Message: p.Message, Reason: p.Reason,
		}
		if scr != nil {
			w.Row = scr.RowName(p.RowID)
		}
		if err == nil {
			if fd := rules.Form().Field(p.Field); fd != nil {
				w.Letter = fd.Letter
			}
		}
		out = append(out, w)
	}
	return out
}

func toReceipt(r tianbao.Receipt, owner, title string) wireReceipt {
	return wireReceipt{
		ID: r.ID, Kind: r.Kind, Number: r.Number, Version: r.Version, Rows: r.Rows, Digest: r.Digest,
		By: r.By, At: stamp(r.At), Report: r.Report, OwnerName: owner, Title: title,
	}
}

// toChanges reads changes as a program or the page sends them.
func toChanges(f *tianbao.Form, in []wireChange) ([]tianbao.Change, error) {
	bad := func(what string) error {
		return tianbao.Invalid("bad_change", "提交的内容有误："+what+"，请刷新页面后重试。")
	}
	out := make([]tianbao.Change, 0, len(in))
	for _, w := range in {
		c := tianbao.Change{
			Op: tianbao.Op(w.Op), Temp: w.Temp, AfterTemp: w.AfterTemp,
			Reason: tianbao.Reason{Code: w.Code, Text: w.Text},
		}
		var err error
		switch c.Op {
		case tianbao.OpInsert:
			switch w.After {
			case "", "0":
			case "end":
				c.After = tianbao.AtEnd
			default:
				if c.After, err = tianbao.ParseID(w.After); err != nil {
					return nil, bad("新增行的位置无法识别")
				}
			}
		case tianbao.OpReason:
			if w.Temp != "" {
				break
			}
			fallthrough
		default:
			if c.Row, err = tianbao.ParseID(w.Row); err != nil {
				return nil, bad("行号无法识别")
			}
		}
		if len(w.Cells) > 0 {
			c.Cells = make([]tianbao.CellEdit, 0, len(w.Cells))
			// In the order of the form, so that a request's digest does not depend on
			// the order of a map.
			for i := range f.Fields {
				if v, ok := w.Cells[f.Fields[i].Key]; ok {
					c.Cells = append(c.Cells, tianbao.CellEdit{Field: i, Value: v})
				}
			}
			if len(c.Cells) != len(w.Cells) {
				return nil, tianbao.Invalid("bad_field", "提交的内容有误：表中没有这一列，请刷新页面后重试。")
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// fromChanges writes the changes of an import plan for the page to apply.
func fromChanges(f *tianbao.Form, cs []tianbao.Change) []wireChange {
	out := make([]wireChange, len(cs))
	for i, c := range cs {
		w := wireChange{Op: string(c.Op), AfterTemp: c.AfterTemp}
		if c.Op == tianbao.OpInsert {
			w.Temp = c.Temp
			switch {
			case c.AfterTemp != "" || c.After == 0:
			case c.After == tianbao.AtEnd:
				w.After = "end"
			default:
				w.After = c.After.String()
			}
		} else if w.Row = c.Temp; c.Row > 0 {
			w.Row = c.Row.String()
		}
		if len(c.Cells) > 0 {
			w.Cells = make(map[string]string, len(c.Cells))
			for _, e := range c.Cells {
				w.Cells[f.Fields[e.Field].Key] = e.Value
			}
		}
		out[i] = w
	}
	return out
}

func toCells(f *tianbao.Form, cells []tianbao.RecordedCell, show func(field int, v string) string) []wireCell {
	var out []wireCell
	for _, c := range cells {
		out = append(out, wireCell{Field: f.Fields[c.Field].Key, Before: show(c.Field, c.Before), After: show(c.Field, c.After)})
	}
	return out
}

func plain(_ int, v string) string { return v }

func atoi(s string, def int) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return def
	}
	return n
}
