package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
)

// reviewRows is how many rows of a unit a page shows.
const reviewRows = 100

// wireReviewSheet are the rows of a unit as a reviewer reads them: ids and phones masked.
type wireReviewSheet struct {
	wireReviewUnit
	Columns  []wireColumn    `json:"columns"`
	Read     []wireReviewRow `json:"read"`
	Gone     [][]wireCell    `json:"gone,omitempty"` // cells of rows that went since the last return
	Verdicts []wireVerdict   `json:"verdicts"`       // the last first
	Next     int             `json:"next,omitempty"` // offset of the next rows
}

type wireReviewRow struct {
	Report   tianbao.ID `json:"report"`
	Owner    string     `json:"owner"` // whose sheet it stands in
	wireRow             // masked
	New      bool       `json:"new,omitempty"`    // came since the last return
	Before   []wireCell `json:"before,omitempty"` // cells that held something else at the last return
	Remarks  []wireSaid `json:"remarks,omitempty"`
	Problems []wireFact `json:"problems,omitempty"`
}

// wireSaid is a remark of the last return.
type wireSaid struct {
	Field string `json:"field,omitempty"`
	Text  string `json:"text"`
}

type wireFact struct {
	Field    string `json:"field,omitempty"`
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Reason   string `json:"reason,omitempty"`
}

type wireVerdict struct {
	Act    tianbao.VerdictKind `json:"act"`
	Level  int                 `json:"level"`
	Remark string              `json:"remark,omitempty"`
	At     string              `json:"at"`

	at time.Time
}

// Sentence says in the users' words what was said.
func (w wireVerdict) Sentence() string {
	what := map[tianbao.VerdictKind]string{tianbao.VerdictPass: "审核通过", tianbao.VerdictReturn: "审核退回", tianbao.VerdictWithdraw: "撤回审核"}[w.Act]
	return fmt.Sprintf("%s：%s", tianbao.Level(w.Level).Title(), what)
}

// Time is when it was said.
func (w wireVerdict) Time() time.Time { return w.at }

// reviewUnitPage is the data of reviewunit.html.
type reviewUnitPage struct {
	C        tianbao.Campaign
	CSRF     string
	Line     campaign.ReviewLine
	Fields   []tianbao.Field
	Rows     []reviewedRow
	Gone     []string
	Verdicts []wireVerdict
	Prev     string
	Next     string
	Message  string
	Remark   string
	Until    string
	From, To int
}

// Level is a level in the users' words.
func (p *reviewUnitPage) Level(l tianbao.Level) string { return l.Title() }

type reviewedRow struct {
	N           int
	Report, Row tianbao.ID
	Owner       string
	By          string
	At          time.Time
	New         bool
	Cells       []reviewedCell
	Notes       []string // of the row as a whole
	Person      string
}

type reviewedCell struct {
	Key, Title, Value string
	Changed           bool
	Before            string
	Notes             []string // remarks of the last return, faults and reasons
}

// reviewUnit shows the rows of a unit to its reviewer.
func (s *Server) reviewUnit(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.reviewUnitShow(w, r, v, http.StatusOK, &reviewUnitPage{})
}

func (s *Server) reviewUnitShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, p *reviewUnitPage) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	if p.C, err = s.Catalog.Campaign(r.Context(), id); err != nil {
		return err
	}
	got, err := s.Campaigns.Read(r.Context(), v.reviewer(r), id, v.unit.ID)
	if err != nil {
		return err
	}
	e := tianbao.Event{Actor: v.user().ID, Owner: v.unit.ID, From: address(r), What: "review.read", Object: id.String(), Detail: strconv.Itoa(len(got.Rows)) + " rows"}
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	rules, err := s.Reports.Rules(p.C.Form, p.C.FormV)
	if err != nil {
		return err
	}
	mask, err := s.Mask(p.C.Form, p.C.FormV)
	if err != nil {
		return err
	}
	f := rules.Form()
	out := wireReviewSheet{wireReviewUnit: toReviewUnit(&got.Line), Columns: toColumns(f), Read: []wireReviewRow{}, Verdicts: []wireVerdict{}}
	for _, x := range got.Verdicts {
		out.Verdicts = append(out.Verdicts, wireVerdict{x.Kind, x.Level, x.Remark, stamp(x.At), x.At})
	}
	all := make([]tianbao.Row, len(got.Rows))
	for i := range got.Rows {
		all[i] = got.Rows[i].Row
	}
	faults := make([][]tianbao.Problem, len(all))
	for _, x := range rules.Rows(all) {
		faults[x.Row] = append(faults[x.Row], x)
	}
	from := min(max(atoi(r.URL.Query().Get("offset"), 0), 0), len(all))
	to := min(from+reviewRows, len(all))
	for i := from; i < to; i++ {
		x := &got.Rows[i]
		row, line := shownRow(f, mask, i, x, faults[i])
		p.Rows, out.Read = append(p.Rows, row), append(out.Read, line)
	}
	for _, g := range got.Gone {
		text, cells := "", []wireCell{}
		for _, c := range g.Cells {
			if c.Before != "" {
				before := mask.Mask(c.Field, c.Before)
				text += f.Fields[c.Field].Letter + "列 " + before + "；"
				cells = append(cells, wireCell{Field: f.Fields[c.Field].Key, Before: before})
			}
		}
		p.Gone, out.Gone = append(p.Gone, text), append(out.Gone, cells)
	}
	at := "/collections/" + id.String() + "/review/" + v.unit.ID.String() + "?offset="
	if from > 0 {
		p.Prev = at + strconv.Itoa(max(0, from-reviewRows))
	}
	if to < len(all) {
		out.Next = to
		p.Next = at + strconv.Itoa(to)
	}
	if wantsJSON(r) {
		return s.json(w, status, out)
	}
	p.CSRF, p.Line, p.Fields, p.Verdicts, p.From, p.To = v.signed.CSRF, got.Line, f.Fields, out.Verdicts, from+1, to
	s.page(w, r, v, status, "reviewunit.html", got.Line.Unit.Name, p)
	return nil
}

// shownRow is a row as the page and programs get it.
func shownRow(f *tianbao.Form, mask Masker, i int, x *campaign.ReviewRow, faults []tianbao.Problem) (reviewedRow, wireReviewRow) {
	row := reviewedRow{N: i + 1, Report: x.Report.ID, Row: x.Row.ID, Owner: x.Report.OwnerName, By: x.By, At: x.At, New: x.New, Person: personIn(f, x.Row.Values)}
	masked := x.Row
	masked.Values = make(tianbao.Values, len(x.Row.Values))
	line := wireReviewRow{Report: x.Report.ID, Owner: x.Report.OwnerName, New: x.New}
	notes := make(map[string][]string)
	for _, m := range x.Remarks {
		notes[m.Field] = append(notes[m.Field], "上次意见："+m.Text)
		line.Remarks = append(line.Remarks, wireSaid{m.Field, m.Text})
	}
	for _, p := range faults {
		text := p.Message
		if p.Reason != "" {
			text += "（已说明：" + p.Reason + "）"
		}
		notes[p.Field] = append(notes[p.Field], text)
		line.Problems = append(line.Problems, wireFact{p.Field, p.Code, string(p.Severity), p.Message, p.Reason})
	}
	row.Notes = notes[""]
	for k := range f.Fields {
		fd := &f.Fields[k]
		masked.Values[k] = mask.Mask(k, x.Row.Values[k])
		c := reviewedCell{Key: fd.Key, Title: fd.Title, Value: masked.Values[k], Notes: notes[fd.Key]}
		if before, ok := x.Before[k]; ok {
			c.Changed, c.Before = true, mask.Mask(k, before)
			line.Before = append(line.Before, wireCell{Field: fd.Key, Before: c.Before, After: c.Value})
		}
		row.Cells = append(row.Cells, c)
	}
	line.wireRow = toRows([]tianbao.Row{masked})[0]
	return row, line
}

// judgeUnit says something of one unit, with remarks on its cells.
func (s *Server) judgeUnit(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	in, act, err := readJudge(r)
	if err == nil {
		act.Units = []tianbao.ID{v.unit.ID}
		err = s.Campaigns.Review(r.Context(), v.reviewer(r), id, act)
	}
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
			return err
		}
		return s.reviewUnitShow(w, r, v, statuses[tianbao.KindOf(err)], &reviewUnitPage{Message: asError(err).Message, Remark: in.Remark, Until: in.Until})
	}
	return s.done(w, r, wireDone{true}, "/collections/"+id.String()+"/review")
}

// returned is what the reviewer said who returned a unit, "" of one that is not returned
// or of which only cells were remarked on.
func (s *Server) returned(ctx context.Context, id tianbao.ID, st *campaign.UnitState) (string, error) {
	if st.Review != campaign.ReviewReturned {
		return "", nil
	}
	list, err := s.Campaigns.Store.Verdicts(ctx, id, st.Unit.ID)
	if err != nil || len(list) == 0 {
		return "", err
	}
	if list[0].Remark == "" {
		return "见表中标出的格", nil
	}
	return list[0].Remark, nil
}
