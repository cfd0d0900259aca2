package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tianbao"
	"tianbao/internal/living"
)

// The round that confirms the people of the one before.

type wirePlace struct {
	Report tianbao.ID `json:"report"`
	Row    tianbao.ID `json:"row"`
}

type wireAsked struct {
	Missing int               `json:"missing"`        // answers, without which 上报 is refused
	More    bool              `json:"more,omitempty"` // there are more than are listed
	People  []wireAskedPerson `json:"people"`
}

// wireAskedPerson is somebody of the round before. Ids and phones are masked.
type wireAskedPerson struct {
	wirePlace
	UnitName string                `json:"unit_name"`
	Person   string                `json:"person"`
	Answer   tianbao.ConfirmAnswer `json:"answer,omitempty"` // stays or left
	Here     bool                  `json:"here,omitempty"`   // is in the new round by now
	Cells    []wireCell            `json:"cells"`

	fields []filledCell
}

// Fields are the cells by the form's titles.
func (p *wireAskedPerson) Fields() []filledCell { return p.fields }

// wireConfirm answers about people of the round before.
type wireConfirm struct {
	Key   string      `json:"key,omitempty"`
	Stays []wirePlace `json:"stays,omitempty"`
	Left  []wirePlace `json:"left,omitempty"`
	Again []wirePlace `json:"again,omitempty"` // takes back that somebody left
}

type wireConfirmed struct {
	Rows int `json:"rows"` // that came into the report
}

// askedPage is the data of confirm.html.
type askedPage struct {
	Report  tianbao.Report
	CSRF    string
	Key     string
	Message string
	wireAsked
}

// Waiting are those who have no answer, Answered the others.
func (p *askedPage) Waiting() []wireAskedPerson  { return p.split(true) }
func (p *askedPage) Answered() []wireAskedPerson { return p.split(false) }

func (p *askedPage) split(waiting bool) (out []wireAskedPerson) {
	for _, x := range p.People {
		if waiting == (x.Answer == tianbao.ConfirmNone && !x.Here) {
			out = append(out, x)
		}
	}
	return out
}

func (s *Server) askedPeople(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.askedShow(w, r, v, http.StatusOK, "")
}

func (s *Server) askedShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, message string) error {
	asked, ok, err := s.Living.Asked(r.Context(), &v.report)
	if err != nil {
		return err
	}
	if !ok {
		return tianbao.NotFound()
	}
	if err := s.Auth.Record(r.Context(), v.event(r, "people.read", strconv.Itoa(len(asked.People))+" people of the round before")); err != nil {
		return err
	}
	p := &askedPage{Report: v.report, CSRF: v.signed.CSRF, Key: requestID(), Message: message}
	p.Missing, p.More, p.People = asked.Missing, asked.More, []wireAskedPerson{}
	for i := range asked.People {
		x := &asked.People[i]
		rules, err := s.Reports.Rules(x.Report.Form, x.Report.FormV)
		if err != nil {
			return err
		}
		mask, err := s.Mask(x.Report.Form, x.Report.FormV)
		if err != nil {
			return err
		}
		f := rules.Form()
		y := wireAskedPerson{wirePlace: wirePlace{x.Report.ID, x.Row.ID}, UnitName: x.Unit.Name, Person: personIn(f, x.Row.Values), Answer: x.Answer, Here: x.Here, Cells: []wireCell{}}
		for k := range f.Fields {
			fd := &f.Fields[k]
			if x.Row.Values[k] == "" || !ofPerson(f, fd) {
				continue
			}
			text := mask.Mask(k, x.Row.Values[k])
			y.Cells = append(y.Cells, wireCell{Field: fd.Key, After: text})
			y.fields = append(y.fields, filledCell{Key: fd.Key, Title: fd.Title, Value: text})
		}
		p.People = append(p.People, y)
	}
	if wantsJSON(r) {
		return s.json(w, status, p.wireAsked)
	}
	s.page(w, r, v, status, "confirm.html", "确认上次的人员", p)
	return nil
}

// readConfirm reads answers, as JSON or as the form that works without a script: an answer
// is named p.REPORT.ROW, and all=stays answers what has none.
func readConfirm(r *http.Request) (in wireConfirm, err error) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return in, read(r, &in)
	}
	if err := r.ParseForm(); err != nil {
		return in, badBody(err)
	}
	in.Key = r.PostForm.Get("key")
	all := r.PostForm.Get("all") == "stays"
	for name, values := range r.PostForm {
		rest, ok := strings.CutPrefix(name, "p.")
		if !ok {
			if name != "csrf" && name != "key" && name != "all" {
				return in, badBody(nil)
			}
			continue
		}
		report, row, _ := strings.Cut(rest, ".")
		var at wirePlace
		var err1, err2 error
		at.Report, err1 = tianbao.ParseID(report)
		at.Row, err2 = tianbao.ParseID(row)
		if err1 != nil || err2 != nil || len(values) != 1 {
			return in, badBody(nil)
		}
		switch values[0] {
		case "stays":
			in.Stays = append(in.Stays, at)
		case "left":
			in.Left = append(in.Left, at)
		case "again":
			in.Again = append(in.Again, at)
		case "":
			if all {
				in.Stays = append(in.Stays, at)
			}
		default:
			return in, badBody(nil)
		}
	}
	// In one order, so that the same answers under the same key are the same.
	slices.SortFunc(in.Stays, func(a, b wirePlace) int { return int(a.Row - b.Row) })
	return in, nil
}

// confirmPeople takes answers.
func (s *Server) confirmPeople(w http.ResponseWriter, r *http.Request, v *viewer) error {
	in, err := readConfirm(r)
	if err != nil {
		return err
	}
	if h := r.Header.Get("Idempotency-Key"); h != "" {
		in.Key = h
	}
	places := func(list []wirePlace) (out []tianbao.RowPlace) {
		for _, p := range list {
			out = append(out, tianbao.RowPlace(p))
		}
		return out
	}
	n, err := s.Living.Confirm(r.Context(), v.member(r), &v.report, living.Answer{Key: in.Key, Stays: places(in.Stays), Left: places(in.Left), Again: places(in.Again)})
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
			return err
		}
		return s.askedShow(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message)
	}
	return s.done(w, r, wireConfirmed{n}, "/reports/"+v.report.ID.String()+"/confirm")
}
