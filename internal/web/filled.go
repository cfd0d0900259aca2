package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/report"
)

// 由上级代填的行: what those above filled in for the units of a report, to be looked at and
// corrected by them. It is their own data, shown whole to who may fill in for them.

// filledPage is the data of filled.html.
type filledPage struct {
	Report  tianbao.Report
	CSRF    string
	Form    *tianbao.Form
	Rows    []filledRow
	More    bool // there may be more than are listed
	Message string
}

// filledRow is a row with its cells by the form's fields.
type filledRow struct {
	Of    tianbao.ID
	Owner string
	Base  int64
	ID    tianbao.ID
	By    string
	At    time.Time
	Name  string // of the person
	Cells []filledCell
	Key   string
}

type filledCell struct {
	Key, Title, Value string
	Choices           []string
}

type wireFilled struct {
	Rows []wireFilledRow `json:"rows"`
}

type wireFilledRow struct {
	Of        tianbao.ID `json:"of"` // the report it stands in
	OwnerName string     `json:"owner_name"`
	Base      int64      `json:"base"` // version of that report
	Unit      tianbao.ID `json:"unit"`
	By        string     `json:"by"`
	At        string     `json:"at,omitempty"`
	wireRow
}

// wireCorrect is a change set for the report that such rows stand in.
type wireCorrect struct {
	Of      tianbao.ID   `json:"of"`
	Key     string       `json:"key,omitempty"`
	Base    int64        `json:"base"`
	Note    string       `json:"note,omitempty"`
	Changes []wireChange `json:"changes"` // edit, delete and reason
}

type wireCorrected struct {
	Number  string `json:"number"` // of the receipt
	Version int64  `json:"version"`
	Again   bool   `json:"again,omitempty"`
}

func (s *Server) filled(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.filledList(w, r, v, http.StatusOK, "")
}

func (s *Server) filledList(w http.ResponseWriter, r *http.Request, v *viewer, status int, message string) error {
	list, err := s.Reports.Filled(r.Context(), v.actor(), v.report.ID)
	if err != nil {
		return err
	}
	if err := s.Auth.Record(r.Context(), v.event(r, "report.read", strconv.Itoa(len(list))+" rows filled in above")); err != nil {
		return err
	}
	rules, err := s.Reports.Rules(v.report.Form, v.report.FormV)
	if err != nil {
		return err
	}
	p := filledPage{Report: v.report, CSRF: v.signed.CSRF, Form: rules.Form(), More: len(list) == report.MaxFilled, Message: message}
	out := wireFilled{Rows: []wireFilledRow{}}
	for i := range list {
		f := &list[i]
		out.Rows = append(out.Rows, wireFilledRow{
			Of: f.Report.ID, OwnerName: f.Report.OwnerName, Base: f.Report.Version, Unit: f.Row.Unit, By: f.By, At: stamp(f.At),
			wireRow: toRows([]tianbao.Row{f.Row})[0],
		})
		of, err := s.Reports.Rules(f.Report.Form, f.Report.FormV)
		if err != nil {
			return err
		}
		row := filledRow{Of: f.Report.ID, Owner: f.Report.OwnerName, Base: f.Report.Version, ID: f.Row.ID, By: f.By, At: f.At, Key: requestID()}
		for k, fd := range of.Form().Fields {
			if fd.Kind == tianbao.KindName && row.Name == "" {
				row.Name = f.Row.Values[k]
			}
			row.Cells = append(row.Cells, filledCell{fd.Key, fd.Title, f.Row.Values[k], fd.Enum})
		}
		if row.Name == "" {
			row.Name = "（没有姓名）"
		}
		p.Rows = append(p.Rows, row)
	}
	if wantsJSON(r) {
		return s.json(w, status, out)
	}
	s.page(w, r, v, status, "filled.html", "由上级代填的行", &p)
	return nil
}

// correct changes such rows.
func (s *Server) correct(w http.ResponseWriter, r *http.Request, v *viewer) error {
	in, err := readCorrect(r)
	if err != nil {
		return err
	}
	if h := r.Header.Get("Idempotency-Key"); h != "" {
		in.Key = h
	}
	rules, err := s.Reports.Rules(v.report.Form, v.report.FormV)
	if err != nil {
		return err
	}
	changes, err := toChanges(rules.Form(), in.Changes)
	if err != nil {
		return err
	}
	set := &tianbao.ChangeSet{Report: in.Of, Key: in.Key, Base: in.Base, Note: clip(in.Note, 200), Changes: changes}
	saved, err := s.Reports.Correct(r.Context(), v.actor(), v.report.ID, set)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
			return err
		}
		return s.filledList(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message)
	}
	return s.done(w, r, wireCorrected{saved.Receipt.Number, saved.Receipt.Version, saved.Again}, "/reports/"+v.report.ID.String()+"/filled")
}

// readCorrect reads the change set, or the form of one row that works without a script:
// its cells are named cell.KEY.
func readCorrect(r *http.Request) (in wireCorrect, err error) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return in, read(r, &in)
	}
	if err := r.ParseForm(); err != nil {
		return in, badBody(err)
	}
	c := wireChange{Op: r.PostForm.Get("op"), Row: r.PostForm.Get("row")}
	if in.Of, err = tianbao.ParseID(r.PostForm.Get("of")); err != nil {
		return in, tianbao.NotFound()
	}
	in.Key, in.Base = r.PostForm.Get("key"), int64(atoi(r.PostForm.Get("base"), -1))
	for name, values := range r.PostForm {
		key, ok := strings.CutPrefix(name, "cell.")
		switch {
		case ok && len(values) == 1 && utf8.ValidString(values[0]):
			if c.Op == "edit" {
				if c.Cells == nil {
					c.Cells = map[string]string{}
				}
				c.Cells[key] = values[0]
			}
		case ok || name != "csrf" && name != "op" && name != "row" && name != "of" && name != "key" && name != "base":
			return in, badBody(nil)
		}
	}
	in.Changes = []wireChange{c}
	return in, nil
}
