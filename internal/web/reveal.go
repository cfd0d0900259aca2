package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"tianbao"
)

// Everywhere but in the sheet of who fills it in ids and phones are masked. Whoever has
// the power to see them whole asks for one row at a time and says why (GB/T 35273-2020
// 7.2); that is on the trail before the values are on the screen.

// Reveals counts and records what is shown whole.
type Reveals interface {
	// Reveal writes the event on the trail and counts it for its actor, in one act. With
	// limit of them within the window behind already it is not counted, the event has
	// the result denied, and the time is returned after which the next may come.
	Reveal(ctx context.Context, limit int, window time.Duration, e tianbao.Event) (wait time.Duration, err error)
}

const (
	revealWindow = time.Hour
	minPurpose   = 6 // characters of a reason to see or take away full values
	maxPurpose   = 200
)

// wireReveal asks for the full values of a row.
type wireReveal struct {
	Reason string `json:"reason"`
}

type wireRevealed struct {
	Row   tianbao.ID  `json:"row"`
	Owner string      `json:"owner"`
	Cells []wireNamed `json:"cells"`
}

// wireNamed is a cell with its column's key and title.
type wireNamed struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	Value string `json:"value"`
}

// revealReport asks that the report of the path lies where the viewer may see full values.
var revealReport = rule{name: "reveal-in-scope", allow: func(s *Server, r *http.Request, v *viewer) error {
	if err := needSession(v); err != nil {
		return err
	}
	id, err := pathID(r, "report")
	if err != nil {
		return err
	}
	u := v.user()
	v.report, err = s.Reports.Store.Report(r.Context(), u.Scope(tianbao.PowerReveal), id)
	return err
}}

func mayReveal(v *viewer) bool {
	u := v.user()
	return u.May(tianbao.PowerReveal)
}

// needFactor asks for a second factor shown lately, but in a demonstration, whose
// accounts have none.
func (s *Server) needFactor(v *viewer) error {
	if s.Auth.Policy.FactorOptional {
		return nil
	}
	return s.Auth.NeedStepUp(v.signed)
}

// purposeOf brings a reason into shape, or says what is wrong with it.
func purposeOf(text string) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	if n := utf8.RuneCountInString(text); n < minPurpose || n > maxPurpose {
		return "", tianbao.Invalid("purpose", fmt.Sprintf("请写明用途，%d 到 %d 个字，例如“与本人核对联系方式”。", minPurpose, maxPurpose))
	}
	return text, nil
}

// revealPage is the data of reveal.html.
type revealPage struct {
	Owner   string
	Action  string
	CSRF    string
	Message string
	Reason  string
	Cells   []wireNamed
	Full    bool // the cells are not masked
	Back    string
	BackTo  string // "": the city view
	Min     int
	Limit   int
}

// rowToReveal finds the row of the path, as it is shown masked.
func (s *Server) rowToReveal(r *http.Request, v *viewer) (*tianbao.Form, tianbao.Row, *revealPage, error) {
	f, mask, err := s.masked(v)
	if err != nil {
		return nil, tianbao.Row{}, nil, err
	}
	id, err := pathID(r, "row")
	if err != nil {
		return nil, tianbao.Row{}, nil, err
	}
	u := v.user()
	_, rows, err := s.Reports.Store.Touched(r.Context(), u.Scope(tianbao.PowerReveal), v.report.ID, []tianbao.ID{id})
	if err != nil {
		return nil, tianbao.Row{}, nil, err
	}
	row, ok := rows[id]
	if !ok {
		return nil, tianbao.Row{}, nil, tianbao.NotFound()
	}
	p := &revealPage{
		Owner: v.report.OwnerName, Action: r.URL.Path, CSRF: v.signed.CSRF, Min: minPurpose, Limit: s.RevealLimit,
		Back: "/campaigns/" + v.report.Campaign.String() + "/sheet", Cells: namedCells(f, row.Values, mask.Mask),
	}
	return f, row, p, nil
}

func namedCells(f *tianbao.Form, values tianbao.Values, show func(int, string) string) []wireNamed {
	out := make([]wireNamed, len(values))
	for i, value := range values {
		out[i] = wireNamed{Key: f.Fields[i].Key, Title: f.Fields[i].Title, Value: show(i, value)}
	}
	return out
}

// revealForm asks for the reason, without a script too.
func (s *Server) revealForm(w http.ResponseWriter, r *http.Request, v *viewer) error {
	_, _, p, err := s.rowToReveal(r, v)
	if err == nil {
		err = s.needFactor(v)
	}
	if err != nil {
		return err
	}
	s.page(w, r, v, http.StatusOK, "reveal.html", "查看完整信息", p)
	return nil
}

// reveal shows the full values of a row once.
func (s *Server) reveal(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireReveal
	if err := read(r, &in); err != nil {
		return err
	}
	f, row, p, err := s.rowToReveal(r, v)
	if err != nil {
		return err
	}
	e := v.event(r, "reveal", "row="+row.ID.String())
	return s.showWhole(w, r, v, in.Reason, e, p, func() (cells []wireNamed, out any) {
		cells = namedCells(f, row.Values, plain)
		return cells, wireRevealed{Row: row.ID, Owner: v.report.OwnerName, Cells: cells}
	})
}

// showWhole shows once what the page p masks, for a reason, with the second factor and
// within the limit of an hour, and only after the event stands on the trail. whole tells
// the cells and what a program is answered.
func (s *Server) showWhole(w http.ResponseWriter, r *http.Request, v *viewer, why string, e tianbao.Event, p *revealPage, whole func() ([]wireNamed, any)) error {
	reason, err := purposeOf(why)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		p.Message, p.Reason = asError(err).Message, clip(why, maxPurpose)
		s.page(w, r, v, http.StatusBadRequest, "reveal.html", "查看完整信息", p)
		return nil
	}
	if err := s.needFactor(v); err != nil {
		return err
	}
	e.At, e.Reason = s.Now(), reason
	wait, err := s.Reveals.Reveal(r.Context(), s.RevealLimit, revealWindow, e)
	if err != nil {
		return err
	}
	if wait > 0 {
		return &tianbao.Error{
			Kind: tianbao.ErrTooMany, Code: "reveal_limit", RetryAfter: wholeSeconds(wait),
			Message: fmt.Sprintf("一小时内最多查看 %d 条完整信息，请稍后再看；需要整份名册时请用带用途说明的导出。", s.RevealLimit),
		}
	}
	cells, out := whole()
	p.Full, p.Reason, p.Cells = true, reason, cells
	return s.answer(w, r, v, out, "reveal.html", "查看完整信息", p)
}
