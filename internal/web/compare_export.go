package web

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/compare"
)

// wireComparedExport asks for the four lists as a workbook.
type wireComparedExport struct {
	List   string `json:"list,omitempty"` // one of them, empty: all
	Full   bool   `json:"full,omitempty"`
	Reason string `json:"reason,omitempty"` // with full
}

// exportCompared sends the findings in the viewer's scope as a workbook, as the city view
// goes out: masked, or whole to who may see whole values, with a reason and the second
// factor, on the trail and with the mark of the export.
func (s *Server) exportCompared(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireComparedExport
	if err := read(r, &in); err != nil {
		return err
	}
	c, err := s.compared(r, v)
	if err != nil {
		return err
	}
	scope := v.keeps()
	if in.Full {
		if err := needPower(v, tianbao.PowerReveal); err != nil {
			return err
		}
		u := v.user()
		scope = both(scope, u.Scope(tianbao.PowerReveal))
		if in.Reason, err = purposeOf(in.Reason); err == nil {
			err = s.needFactor(v)
		}
		if err != nil {
			return err
		}
	}
	leave, err := s.turnToLeave(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	mark, err := s.recordLeaving(r, v, c.ID, "comparison list="+in.List, in.Full, in.Reason)
	if err != nil {
		return err
	}
	titles := []string{"清单", "单位", "旧系统文件行"}
	for _, k := range comparedKeys() {
		titles = append(titles, "旧系统"+k[1], "采集"+k[1])
	}
	titles = append(titles, "依据", "不同之处", "存疑原因", "另一条所在单位", "处理结果", "处理理由", "处理人", "处理时间")
	f := listForm("compared", "名单比对", titles...)
	w.Header().Set("Content-Type", xlsxType)
	w.Header().Set("Content-Disposition", disposition("名单比对-"+s.Now().In(clock.Shanghai).Format("20060102-1504")+".xlsx"))
	q := compare.Query{List: listNames()[in.List]}
	if err := s.Workbooks.Across(w, f, s.comparedRows(r, scope, &c, q, in.Full), s.Now(), false, mark); err != nil {
		return s.brokeOff(r, err)
	}
	return nil
}

func (s *Server) comparedRows(r *http.Request, scope tianbao.Scope, c *compare.Comparison, q compare.Query, whole bool) iter.Seq2[tianbao.Row, error] {
	return func(yield func(tianbao.Row, error) bool) {
		n := 0
		err := s.Compared.EachShown(r.Context(), scope, c, q, func(x *compare.Shown) error {
			line, err := s.comparedLine(x, whole)
			if err != nil {
				return err
			}
			n++
			values := tianbao.Values{line.ListName, line.Unit, ""}
			if line.Line > 0 {
				values[2] = fmt.Sprint(line.Line)
			}
			for _, cell := range line.Cells {
				values = append(values, cell.Old, cell.New)
			}
			values = append(values, line.Evidence, strings.Join(line.Differing(), "、"), line.Why, line.Partner)
			if d := line.Decision; d != nil {
				values = append(values, d.Name, d.Reason, d.By, d.when.In(clock.Shanghai).Format("2006-01-02 15:04"))
			} else {
				values = append(values, "", "", "", "")
			}
			if !yield(tianbao.Row{Seq: n, Values: values}, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(tianbao.Row{}, err)
		}
	}
}

// wireStrangeUnits are units of an old list that the register does not know.
type wireStrangeUnits struct {
	Units []wireStrangeUnit `json:"units"`
}

type wireStrangeUnit struct {
	Budget string `json:"budget_code"`
	Name   string `json:"unit_name"`
	Org    string `json:"org_code"`
	Users  int    `json:"users"` // lines that name it
}

// strangePage is the data of compareunits.html.
type strangePage struct {
	CSRF, Back   string
	Comparison   tianbao.ID
	Owner        tianbao.Unit // below which they can be entered
	Types, Kinds []string
	Kind         string // that most are of
	Today        string
	wireStrangeUnits
}

// strange are the units of the path's comparison; only who sees the list's owner is told.
func (s *Server) strange(r *http.Request, v *viewer) (compare.Comparison, []compare.Strange, error) {
	c, err := s.compared(r, v)
	if err != nil {
		return c, nil, err
	}
	list, err := s.Compared.StrangeUnits(r.Context(), v.keeps(), c.Owner, c.List)
	return c, list, err
}

func (s *Server) strangeUnits(w http.ResponseWriter, r *http.Request, v *viewer) error {
	c, list, err := s.strange(r, v)
	if err != nil {
		return err
	}
	p := &strangePage{CSRF: v.signed.CSRF, Comparison: c.ID, Back: "/compare?campaign=" + c.Campaign.String() + "&of=" + c.Owner.String()}
	owner, err := s.Register.UnitEntry(r.Context(), v.keeps(), c.Owner)
	if err != nil {
		return err
	}
	form := s.Org.Checker.Form()
	p.Owner, p.Types, p.Kinds, p.Today = owner.Unit, form.Field("unit_type").Enum, form.Field("kind").Enum, s.Org.Today().Format(time.DateOnly)
	p.Kind = p.Kinds[len(p.Kinds)-1] // the lowest
	p.Units = []wireStrangeUnit{}
	for _, x := range list {
		p.Units = append(p.Units, wireStrangeUnit{x.Budget, x.Name, x.Org, x.Users})
	}
	return s.answer(w, r, v, p.wireStrangeUnits, "compareunits.html", "登记册中没有的单位", p)
}

// exportStrange offers these units as a workbook of the register: completed, it is imported
// as any other.
func (s *Server) exportStrange(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	c, list, err := s.strange(r, v)
	if err != nil {
		return err
	}
	form := s.Org.Checker.Form()
	e := tianbao.Event{Actor: v.user().ID, Owner: c.Owner, From: address(r), What: "export", Object: c.ID.String(), Detail: fmt.Sprintf("%d units of an old list", len(list))}
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	w.Header().Set("Content-Type", xlsxType)
	w.Header().Set("Content-Disposition", disposition(form.Title+"-旧系统中的单位.xlsx"))
	rows := func(yield func(tianbao.Row) bool) {
		for i, x := range list {
			values := make(tianbao.Values, len(form.Fields))
			for key, text := range map[string]string{compare.KeyBudget: x.Budget, compare.KeyUnitName: x.Name, compare.KeyOrg: x.Org} {
				if at := form.Index(key); at >= 0 {
					values[at] = text
				}
			}
			if !yield(tianbao.Row{Seq: i + 1, Values: values}) {
				return
			}
		}
	}
	if err := s.Workbooks.Write(w, form, rows, s.Now(), 0, 0); err != nil {
		return s.brokeOff(r, err)
	}
	return nil
}
