package web

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"

	"tianbao"
	"tianbao/internal/clock"
)

// The city view as a file: the rows of all reports that the view shows, in the form's
// layout, with the report's unit, who saved it last and its state behind them. Ids and
// phones are masked. Whole they go out only to who may see them, with a reason and a
// second factor, and the workbook bears the mark of every such export.

// maxAcross is how many of these files are written at once: each holds a connection of the
// database while it goes out.
const maxAcross = 2

// wireAcrossExport asks for the city view as a file.
type wireAcrossExport struct {
	Format string `json:"format"` // xlsx, or csv for masked rows
	Full   bool   `json:"full,omitempty"`
	Reason string `json:"reason,omitempty"` // with full
}

// acrossExportPage is the data of acrossexport.html.
type acrossExportPage struct {
	Campaign      tianbao.Campaign
	Folder, Query string
	CSRF, Message string
	Unit          tianbao.Unit
	Rows, Reports int
	May           bool // full values
	In            wireAcrossExport
	Min           int
}

func (s *Server) acrossExportForm(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.askAcross(w, r, v, wireAcrossExport{Format: "xlsx"}, nil)
}

func (s *Server) askAcross(w http.ResponseWriter, r *http.Request, v *viewer, in wireAcrossExport, wrong error) error {
	c, f, scope, unit, err := s.across(r, v)
	if err != nil {
		return err
	}
	list, err := s.Reports.Store.Filed(r.Context(), scope, c.ID)
	if err != nil {
		return err
	}
	p := acrossExportPage{Campaign: c, Folder: f.Folder, CSRF: v.signed.CSRF, Unit: unit, Reports: len(list), May: mayReveal(v), In: in, Min: minPurpose}
	for i := range list {
		p.Rows += list[i].Rows
	}
	if unit.ID != 0 {
		p.Query = "?unit=" + unit.ID.String()
	}
	status := http.StatusOK
	if wrong != nil {
		e := asError(wrong)
		p.Message, status = e.Message, statuses[e.Kind]
	}
	p.In.Reason = clip(p.In.Reason, maxPurpose)
	s.page(w, r, v, status, "acrossexport.html", "汇总导出", &p)
	return nil
}

// exportAcross sends the city view as a file.
func (s *Server) exportAcross(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireAcrossExport
	if err := read(r, &in); err != nil {
		return err
	}
	c, f, scope, _, err := s.across(r, v)
	if err != nil {
		return err
	}
	if in.Full {
		if err := needPower(v, tianbao.PowerReveal); err != nil {
			return err
		}
		u := v.user()
		scope = both(scope, u.Scope(tianbao.PowerReveal))
		if in.Reason, err = purposeOf(in.Reason); err == nil && in.Format == "csv" {
			err = tianbao.Invalid("no_mark", "完整信息只能导出为工作簿，CSV 文件里留不下导出标记。")
		}
		if err == nil {
			err = s.needFactor(v)
		}
	} else if in.Reason = ""; in.Format != "csv" && in.Format != "xlsx" {
		err = tianbao.Invalid("bad_format", "请选择导出为工作簿或 CSV。")
	}
	if err != nil {
		if again(r, err, tianbao.ErrInvalid) {
			return s.askAcross(w, r, v, in, err)
		}
		return err
	}
	leave, err := s.turnToLeave(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	list, err := s.Reports.Store.Filed(r.Context(), scope, c.ID)
	if err != nil {
		return err
	}
	mark, err := s.markAcross(r, v, c.ID, in, list)
	if err != nil {
		return err
	}
	wide := widened(f)
	name := f.Title + "-汇总-" + s.Now().In(clock.Shanghai).Format("20060102-1504")
	typ := xlsxType
	if in.Format == "csv" {
		typ = "text/csv; charset=utf-8"
	}
	w.Header().Set("Content-Type", typ)
	w.Header().Set("Content-Disposition", disposition(name+"."+strings.ToLower(in.Format)))
	if err := s.Workbooks.Across(w, wide, s.acrossAll(r.Context(), f, scope, list, in.Full), s.Now(), in.Format == "csv", mark); err != nil {
		return s.brokeOff(r, err)
	}
	return nil
}

// both is the part of the tree that lies in two scopes.
func both(a, b tianbao.Scope) (out tianbao.Scope) {
	for _, p := range a.Paths {
		if b.Covers(p) {
			out.Paths = append(out.Paths, p)
		}
	}
	for _, p := range b.Paths {
		if a.Covers(p) && !slices.Contains(out.Paths, p) {
			out.Paths = append(out.Paths, p)
		}
	}
	return out
}

// markAcross writes on the trail what goes out; of full values it makes the mark.
func (s *Server) markAcross(r *http.Request, v *viewer, campaign tianbao.ID, in wireAcrossExport, list []tianbao.Report) (*tianbao.ExportMark, error) {
	rows := 0
	for i := range list {
		rows += list[i].Rows
	}
	return s.recordLeaving(r, v, campaign, fmt.Sprintf("%d rows of %d reports", rows, len(list)), in.Full, in.Reason)
}

// widened is the form with the columns that tell where a row stands.
func widened(f *tianbao.Form) *tianbao.Form {
	wide := *f
	wide.Fields = slices.Clone(f.Fields)
	for _, x := range []struct {
		key, title string
		width      int
	}{{"report_unit", "填报单位", 30}, {"report_by", "最近填报人", 16}, {"report_state", "填报状态", 14}} {
		wide.Fields = append(wide.Fields, tianbao.Field{
			Key: x.key, Letter: string(rune('A' + len(wide.Fields))), Title: x.title, Kind: tianbao.KindText, Width: x.width,
		})
	}
	return &wide
}

// acrossAll gives the rows of the reports one by one, each report as it is at one moment,
// and keeps none.
func (s *Server) acrossAll(ctx context.Context, f *tianbao.Form, scope tianbao.Scope, list []tianbao.Report, full bool) iter.Seq2[tianbao.Row, error] {
	return func(yield func(tianbao.Row, error) bool) {
		n := 0
		for i := range list {
			rep := &list[i]
			rules, err := s.Reports.Rules(rep.Form, rep.FormV)
			if err != nil {
				yield(tianbao.Row{}, err)
				return
			}
			mask, err := s.Mask(rep.Form, rep.FormV)
			if err != nil {
				yield(tianbao.Row{}, err)
				return
			}
			own := rules.Form()
			_, err = s.Reports.Store.EachRow(ctx, scope, rep.ID, func(row *tianbao.Row) error {
				n++
				out := tianbao.Row{Seq: n, Values: make(tianbao.Values, len(f.Fields), len(f.Fields)+3)}
				for k := range f.Fields {
					if at := own.Index(f.Fields[k].Key); at >= 0 {
						if out.Values[k] = row.Values[at]; !full {
							out.Values[k] = mask.Mask(at, row.Values[at])
						}
					}
				}
				out.Values = append(out.Values, rep.OwnerName, rep.UpdatedBy, stateNames[rep.State])
				if !yield(out, nil) {
					return errStopped
				}
				return nil
			})
			switch {
			case errors.Is(err, errStopped):
				return
			case tianbao.KindOf(err) == tianbao.ErrNotFound: // taken away, or moved out of reach meanwhile
			case err != nil:
				yield(tianbao.Row{}, err)
				return
			}
		}
	}
}

// errStopped ends reading when nobody takes the rows.
var errStopped = errors.New("web: nobody takes the rows")
