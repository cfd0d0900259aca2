package web

import (
	"errors"
	"iter"
	"net/http"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
)

// listForm is a form of plain columns, for workbooks that are only read.
func listForm(name, title string, columns ...string) *tianbao.Form {
	f := &tianbao.Form{Name: name, Version: 1, Title: title, Folder: title, SeqKey: "seq", SeqTitle: "序号"}
	for i, c := range columns {
		f.Fields = append(f.Fields, tianbao.Field{Key: "c" + strconv.Itoa(i), Letter: string(rune('A' + i)), Title: c, Kind: tianbao.KindText, Width: 16})
	}
	return f
}

// exportProgress sends the units of a part with where they stand as a workbook, without
// contacts.
func (s *Server) exportProgress(w http.ResponseWriter, r *http.Request, v *viewer) error {
	l, err := s.lookUnits(r, v)
	if err != nil {
		return err
	}
	f, err := l.filter(r)
	if err != nil {
		return err
	}
	regions, err := s.regionNames(r)
	if err != nil {
		return err
	}
	what := l.c.Title
	if l.node != nil {
		what = l.node.Unit.Name + " " + what
	}
	form := listForm("progress", what+"填报情况", "单位预算编码", "单位名称", "统一社会信用代码", "区划", "状态", "行数", "有错误的行", "状态自", "填报时间")
	form.Fields[1].Width, form.Fields[2].Width, form.Fields[8].Width = 36, 24, 40
	e := tianbao.Event{Actor: v.user().ID, Owner: l.unit, From: address(r), What: "export", Object: l.c.ID.String(), Detail: "progress"}
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	w.Header().Set("Content-Type", xlsxType)
	w.Header().Set("Content-Disposition", disposition(what+"-填报情况-"+l.p.At.In(clock.Shanghai).Format("20060102-1504")+".xlsx"))
	if err := s.Workbooks.List(w, form, "填报情况", s.standingRows(r, l, f, regions), l.p.At); err != nil {
		return s.brokeOff(r, err)
	}
	return nil
}

func (s *Server) standingRows(r *http.Request, l *looking, f campaign.Filter, regions map[tianbao.ID]string) iter.Seq2[tianbao.Row, error] {
	return func(yield func(tianbao.Row, error) bool) {
		q := campaign.Question{Campaign: l.c.ID, At: l.p.At, Past: !l.at.IsZero()}
		err := s.Campaigns.Each(r.Context(), l.below(), q, f, "", func(u *campaign.UnitState) error {
			rows, faulty, since := "", "", ""
			if !q.Past {
				rows, faulty = strconv.Itoa(u.Rows), strconv.Itoa(u.Faulty)
			}
			if !u.Since.IsZero() {
				since = u.Since.In(clock.Shanghai).Format(time.DateTime)
			}
			values := tianbao.Values{u.Unit.BudgetCode, u.Unit.Name, u.Unit.OrgCode, regions[u.Unit.Region], u.Shown.Title(), rows, faulty, since, u.Door.Explain()}
			if !yield(tianbao.Row{Values: values}, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(tianbao.Row{}, err)
		}
	}
}
