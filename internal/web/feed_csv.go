package web

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
)

// Whole lists of the feed as CSV, for what asks a web address for a table and knows no next
// page, as Excel does. Titles are those of the pages. Texts that a spreadsheet would take for
// formulas are made harmless by the writer.

// csvOf sends rows as CSV.
func (s *Server) csvOf(w http.ResponseWriter, r *http.Request, form *tianbao.Form, name string, rows iter.Seq2[tianbao.Row, error]) error {
	leave, err := s.turnToLeave(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", disposition(name+".csv"))
	if err := s.Workbooks.Across(w, form, rows, s.Now(), true, nil); err != nil {
		return s.brokeOff(r, err)
	}
	return nil
}

func (s *Server) feedUnitsCSV(w http.ResponseWriter, r *http.Request, scope tianbao.Scope) error {
	form := listForm("units", "单位", "编号", "上级编号", "单位名称", "性质", "单位类型", "单位预算编码", "统一社会信用代码", "区划代码", "区划")
	rows := func(yield func(tianbao.Row, error) bool) {
		for behind := tianbao.ID(0); ; {
			list, err := s.FeedStore.FeedUnits(r.Context(), scope, behind, feedMost)
			if err != nil {
				yield(tianbao.Row{}, err)
				return
			}
			for i := range list {
				u := &list[i]
				values := tianbao.Values{u.ID.String(), u.Parent.String(), u.Name, u.Kind, u.Type, u.BudgetCode, u.OrgCode, u.RegionCode, u.RegionName}
				if !yield(tianbao.Row{Values: values}, nil) {
					return
				}
			}
			if len(list) < feedMost {
				return
			}
			behind = list[len(list)-1].ID
		}
	}
	return s.csvOf(w, r, form, "单位", rows)
}

func (s *Server) feedProgressCSV(w http.ResponseWriter, r *http.Request, scope tianbao.Scope, c *tianbao.Campaign) error {
	form := listForm("progress", "填报情况", "单位预算编码", "单位名称", "统一社会信用代码", "状态", "行数", "有错误的行", "状态自")
	rows := func(yield func(tianbao.Row, error) bool) {
		q := campaign.Question{Campaign: c.ID, At: s.Now()}
		err := s.Campaigns.Each(r.Context(), scope, q, campaign.Filter{}, "", func(u *campaign.UnitState) error {
			since := ""
			if !u.Since.IsZero() {
				since = u.Since.In(clock.Shanghai).Format(time.DateTime)
			}
			values := tianbao.Values{u.Unit.BudgetCode, u.Unit.Name, u.Unit.OrgCode, u.Shown.Title(), strconv.Itoa(u.Rows), strconv.Itoa(u.Faulty), since}
			if !yield(tianbao.Row{Values: values}, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(tianbao.Row{}, err)
		}
	}
	return s.csvOf(w, r, form, c.Title+"-填报情况", rows)
}

// feedRowsCSV sends the rows of a collection, or of one report, ids and phones masked.
func (s *Server) feedRowsCSV(w http.ResponseWriter, r *http.Request, v *viewer, scope tianbao.Scope, c *tianbao.Campaign, only tianbao.ID) error {
	rules, err := s.Reports.Rules(c.Form, c.FormV)
	if err != nil {
		return err
	}
	list, err := s.Reports.Store.Filed(r.Context(), scope, c.ID)
	if err != nil {
		return err
	}
	n := 0
	some := list[:0:0]
	for i := range list {
		if only == 0 || list[i].ID == only {
			some = append(some, list[i])
			n += list[i].Rows
		}
	}
	if only != 0 && len(some) == 0 {
		return tianbao.NotFound()
	}
	if err := s.feedTrail(r, v, c.ID, fmt.Sprintf("%d rows of %d reports, CSV", n, len(some)), false); err != nil {
		return err
	}
	f := rules.Form()
	return s.csvOf(w, r, widened(f), f.Title, s.acrossAll(r.Context(), f, scope, some, false))
}
