package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/campaign"
)

// Review: which units wait at the viewer's level, and what the viewer says of them.

// reviewPage is how many units a page of them lists.
const reviewPage = 50

// wireReviews lists the collections that are reviewed.
type wireReviews struct {
	Collections []wireReviewed `json:"collections"`
}

type wireReviewed struct {
	ID     tianbao.ID `json:"id"`
	Title  string     `json:"title"`
	Levels []int      `json:"levels"` // 1 the unit, 2 county, 3 city, 4 province
	// Waiting is how many units wait at the caller's level, At at which level how many do,
	// in the caller's scope.
	Waiting int         `json:"waiting"`
	At      map[int]int `json:"at,omitempty"`
	levels  []levelWaits
}

// levelWaits is a level of a review, with how many units wait there.
type levelWaits struct {
	Level tianbao.Level
	N     int
}

// Steps are the levels for the page.
func (w *wireReviewed) Steps() []levelWaits { return w.levels }

type wireReviewUnits struct {
	Units []wireReviewUnit `json:"units"`
	Next  string           `json:"next,omitempty"` // pass as after= for the next ones
}

// wireReviewUnit is where a unit stands in the review, as the caller sees it.
type wireReviewUnit struct {
	Unit      tianbao.ID       `json:"unit"`
	Name      string           `json:"name"`
	State     tianbao.Standing `json:"state"`
	StateName string           `json:"state_name"`
	Rows      int              `json:"rows"`
	Passed    int              `json:"passed,omitempty"` // the highest level that passed it
	Turn      int              `json:"turn,omitempty"`   // the level whose turn it is
	// Pass, Return and Withdraw are the levels at which the caller may do so now.
	Pass     int `json:"pass,omitempty"`
	Return   int `json:"return,omitempty"`
	Withdraw int `json:"withdraw,omitempty"`
}

// wireJudge is what a reviewer says of units: pass, return or withdraw.
type wireJudge struct {
	Act    tianbao.VerdictKind `json:"act"`
	Units  []tianbao.ID        `json:"units,omitempty"` // not where the path names the unit
	Remark string              `json:"remark,omitempty"`
	Until  string              `json:"until,omitempty"` // of a return: until when the unit may edit; else until its time is over
	Cells  []wireRemark        `json:"cells,omitempty"` // of a return
}

// wireRemark is a remark on a cell, or with an empty field on a row.
type wireRemark struct {
	Report tianbao.ID `json:"report"`
	Row    tianbao.ID `json:"row"`
	Field  string     `json:"field,omitempty"`
	Text   string     `json:"text"`
}

type wireLevels struct {
	Levels []int `json:"levels"` // none: nobody reviews
}

// reviewer is the viewer as reviews know it.
func (v *viewer) reviewer(r *http.Request) campaign.Reviewer {
	u := v.user()
	return campaign.Reviewer{User: u.ID, From: address(r), Scope: u.Scope(tianbao.PowerReview)}
}

func toReviewUnit(l *campaign.ReviewLine) wireReviewUnit {
	return wireReviewUnit{
		Unit: l.Unit.ID, Name: l.Unit.Name, State: l.Shown, StateName: l.Shown.Title(), Rows: l.Rows, Passed: int(l.Passed()), Turn: int(l.Next),
		Pass: int(l.Pass), Return: int(l.Return), Withdraw: int(l.Withdraw),
	}
}

// reviewsPage is the data of reviews.html.
type reviewsPage struct {
	Collections []wireReviewed
}

// reviews lists the collections that are reviewed.
func (s *Server) reviews(w http.ResponseWriter, r *http.Request, v *viewer) error {
	list, err := s.Catalog.Campaigns(r.Context())
	if err != nil {
		return err
	}
	out := wireReviews{Collections: []wireReviewed{}}
	for i := range list {
		c := &list[i]
		if c.Levels == 0 {
			continue
		}
		waits, err := s.Campaigns.Waiting(r.Context(), v.reviewer(r), c.ID)
		if err != nil {
			return err
		}
		x := wireReviewed{ID: c.ID, Title: c.Title, Levels: ints(c.Levels), Waiting: waits.Mine, At: make(map[int]int)}
		for _, l := range c.Levels.List() {
			x.levels = append(x.levels, levelWaits{l, waits.At[l]})
			if n := waits.At[l]; n > 0 {
				x.At[int(l)] = n
			}
		}
		out.Collections = append(out.Collections, x)
	}
	return s.answer(w, r, v, out, "reviews.html", "审核", &reviewsPage{out.Collections})
}

func ints(ls tianbao.Levels) []int {
	out := []int{}
	for _, l := range ls.List() {
		out = append(out, int(l))
	}
	return out
}

// reviewListPage is the data of review.html.
type reviewListPage struct {
	C       tianbao.Campaign
	CSRF    string
	View    campaign.View
	Code    string
	Codes   []ruleName
	Sheet   tianbao.ID
	Below   tianbao.ID
	Branch  []tianbao.UnitBelow // offices and departments right below the viewer's own
	Lines   []campaign.ReviewLine
	Next    string // query of the next page
	Message string
	Remark  string
	Until   string
}

// Views are the lists that there are.
func (p *reviewListPage) Views() []struct{ View, Title string } {
	return []struct{ View, Title string }{{"", "待本级审核"}, {"returned", "已退回"}, {"passed", "本级已通过"}, {"all", "全部"}}
}

// query is the address of the list with another view.
func (p *reviewListPage) query(view campaign.View, after string) string {
	q := url.Values{}
	for k, v := range map[string]string{"view": string(view), "code": p.Code, "after": after} {
		if v != "" {
			q.Set(k, v)
		}
	}
	for k, id := range map[string]tianbao.ID{"sheet": p.Sheet, "in": p.Below} {
		if id != 0 {
			q.Set(k, id.String())
		}
	}
	return "/collections/" + p.C.ID.String() + "/review?" + q.Encode()
}

// Link is the address of the list with another view.
func (p *reviewListPage) Link(view string) string { return p.query(campaign.View(view), "") }

// reviewList lists units of a collection for the reviewer.
func (s *Server) reviewList(w http.ResponseWriter, r *http.Request, v *viewer) error {
	q := r.URL.Query()
	p := &reviewListPage{View: campaign.View(q.Get("view")), Code: clip(q.Get("code"), 100)}
	p.Sheet, _ = tianbao.ParseID(q.Get("sheet"))
	p.Below, _ = tianbao.ParseID(q.Get("in"))
	return s.reviewListShow(w, r, v, http.StatusOK, p, clip(q.Get("after"), 200))
}

func (s *Server) reviewListShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, p *reviewListPage, after string) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	if p.C, err = s.Catalog.Campaign(r.Context(), id); err != nil {
		return err
	}
	f := campaign.ReviewFilter{View: p.View, Below: p.Below, Code: p.Code, Sheet: p.Sheet}
	lines, next, err := s.Campaigns.Reviews(r.Context(), v.reviewer(r), id, f, after, reviewPage)
	if err != nil {
		return err
	}
	out := wireReviewUnits{Units: []wireReviewUnit{}, Next: next}
	for i := range lines {
		out.Units = append(out.Units, toReviewUnit(&lines[i]))
	}
	if wantsJSON(r) {
		return s.json(w, status, out)
	}
	p.CSRF, p.Lines = v.signed.CSRF, lines
	if next != "" {
		p.Next = p.query(p.View, next)
	}
	if p.Codes, err = s.reasonCodes(p.C.Form, p.C.FormV); err != nil {
		return err
	}
	if p.Branch, err = s.branches(r, v); err != nil {
		return err
	}
	s.page(w, r, v, status, "review.html", "审核", p)
	return nil
}

// branches are the units right below those at the tops of the viewer's scope as a reviewer.
func (s *Server) branches(r *http.Request, v *viewer) (out []tianbao.UnitBelow, err error) {
	const most = 200
	scope := v.reviewer(r).Scope
	roots, err := s.Register.Roots(r.Context(), scope)
	if err != nil {
		return nil, err
	}
	for i := range roots {
		if len(out) >= most {
			break
		}
		list, err := s.Register.Children(r.Context(), scope, roots[i].ID, 0, most)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// readJudge reads an act as JSON, or as the forms of the pages send it: units are named
// unit, remarks remark.REPORT.ROW.FIELD.
func readJudge(r *http.Request) (in wireJudge, act campaign.ReviewAct, err error) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || r.Header.Get("Content-Type") == "" {
		err = read(r, &in)
	} else {
		err = readJudgeForm(r, &in)
	}
	if err != nil {
		return in, act, err
	}
	act = campaign.ReviewAct{Units: in.Units, Kind: in.Act, Remark: in.Remark}
	for _, c := range in.Cells {
		act.Cells = append(act.Cells, tianbao.Remark{Report: c.Report, Row: c.Row, Field: c.Field, Text: c.Text})
	}
	act.Until, err = parseMoment(in.Until)
	return in, act, err
}

func readJudgeForm(r *http.Request, in *wireJudge) error {
	if err := r.ParseForm(); err != nil {
		return badBody(err)
	}
	for name, values := range r.PostForm {
		for _, text := range values {
			if !utf8.ValidString(text) {
				return badBody(nil)
			}
			rest, remark := strings.CutPrefix(name, "remark.")
			switch {
			case name == "csrf":
			case name == "act":
				in.Act = tianbao.VerdictKind(text)
			case name == "remark":
				in.Remark = text
			case name == "until":
				in.Until = text
			case name == "unit":
				id, err := tianbao.ParseID(text)
				if err != nil {
					return tianbao.NotFound()
				}
				in.Units = append(in.Units, id)
			case remark:
				if strings.TrimSpace(text) == "" {
					continue
				}
				parts := strings.SplitN(rest, ".", 3)
				if len(parts) != 3 {
					return badBody(nil)
				}
				rep, err1 := tianbao.ParseID(parts[0])
				row, err2 := tianbao.ParseID(parts[1])
				if err1 != nil || err2 != nil {
					return tianbao.NotFound()
				}
				in.Cells = append(in.Cells, wireRemark{rep, row, parts[2], text})
			default:
				return badBody(nil)
			}
		}
	}
	return nil
}

// judge passes units in bulk, returns them or withdraws passes.
func (s *Server) judge(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	in, act, err := readJudge(r)
	if err == nil {
		err = s.Campaigns.Review(r.Context(), v.reviewer(r), id, act)
	}
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
			return err
		}
		return s.reviewListShow(w, r, v, statuses[tianbao.KindOf(err)], &reviewListPage{Message: asError(err).Message, Remark: in.Remark, Until: in.Until}, "")
	}
	return s.done(w, r, wireDone{true}, "/collections/"+id.String()+"/review")
}

// setLevels sets which levels review a collection.
func (s *Server) setLevels(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireLevels
	var err error
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		if err = r.ParseForm(); err != nil {
			return badBody(err)
		}
		for _, l := range r.PostForm["level"] {
			n, err := strconv.Atoi(l)
			if err != nil {
				return badBody(nil)
			}
			in.Levels = append(in.Levels, n)
		}
	} else if err = read(r, &in); err != nil {
		return err
	}
	return s.onCollection(w, r, v, func(id tianbao.ID) (tianbao.ID, error) {
		var levels tianbao.Levels
		for _, l := range in.Levels {
			if l < int(tianbao.LevelUnit) || l > int(tianbao.LevelProvince) {
				return id, tianbao.Invalid("bad_levels", "没有这样的审核层级，请重新选择。")
			}
			levels |= tianbao.LevelsOf(tianbao.Level(l))
		}
		return id, s.Campaigns.SetLevels(r.Context(), v.runner(r), id, levels)
	})
}

// wireReasons lists rows with reasons.
type wireReasons struct {
	Rows []wireReasonRow `json:"rows"`
	Next string          `json:"next,omitempty"` // pass as after= for the next ones
}

type wireReasonRow struct {
	Unit     tianbao.ID   `json:"unit"`
	UnitName string       `json:"unit_name"`
	Report   tianbao.ID   `json:"report"`
	Row      tianbao.ID   `json:"row"`
	Reasons  []wireReason `json:"reasons"`
}

// reasonsPage is the data of reasons.html.
type reasonsPage struct {
	C       tianbao.Campaign
	Code    string
	Region  tianbao.ID
	Codes   []ruleName
	Regions []tianbao.Region
	Rows    []reasonRow
	Next    string
}

type reasonRow struct {
	Unit    tianbao.Unit
	Report  tianbao.ID
	Row     tianbao.ID
	Person  string
	Reasons []namedReason
}

type namedReason struct {
	Title, Text, By string
	At              time.Time
}

// reasons lists the reasons that units gave for faults that ask for one.
func (s *Server) reasons(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	c, err := s.Catalog.Campaign(r.Context(), id)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	f := campaign.ReasonFilter{Code: clip(q.Get("code"), 100)}
	f.Region, _ = tianbao.ParseID(q.Get("region"))
	rows, next, err := s.Campaigns.Reasons(r.Context(), v.reviewer(r), id, f, toCursor(q.Get("after")), reviewPage)
	if err != nil {
		return err
	}
	e := tianbao.Event{Actor: v.user().ID, From: address(r), What: "review.read", Object: id.String(), Detail: strconv.Itoa(len(rows)) + " rows with reasons"}
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	p := reasonsPage{C: c, Code: f.Code, Region: f.Region}
	if p.Codes, err = s.reasonCodes(c.Form, c.FormV); err != nil {
		return err
	}
	if p.Regions, err = s.Register.Regions(r.Context()); err != nil {
		return err
	}
	titles := make(map[string]string)
	for _, k := range p.Codes {
		titles[k.Code] = k.Title
	}
	out := wireReasons{Rows: []wireReasonRow{}, Next: fromCursor(next)}
	for i := range rows {
		x := &rows[i]
		rules, err := s.Reports.Rules(x.Report.Form, x.Report.FormV)
		if err != nil {
			return err
		}
		line := reasonRow{Unit: x.Unit, Report: x.Report.ID, Row: x.Row.ID, Person: personIn(rules.Form(), x.Row.Values)}
		for _, y := range x.Row.Reasons {
			title := titles[y.Code]
			if title == "" {
				title = y.Code
			}
			line.Reasons = append(line.Reasons, namedReason{title, y.Text, y.By, y.At})
		}
		p.Rows = append(p.Rows, line)
		out.Rows = append(out.Rows, wireReasonRow{x.Unit.ID, x.Unit.Name, x.Report.ID, x.Row.ID, toRows([]tianbao.Row{x.Row})[0].Reasons})
	}
	if out.Next != "" {
		n := url.Values{"after": {out.Next}}
		if p.Code != "" {
			n.Set("code", p.Code)
		}
		if p.Region != 0 {
			n.Set("region", p.Region.String())
		}
		p.Next = "/collections/" + id.String() + "/reasons?" + n.Encode()
	}
	return s.answer(w, r, v, out, "reasons.html", "情况说明", &p)
}

// toCursor reads a place as fromCursor writes it; what is none begins at the first.
func toCursor(text string) (c campaign.Cursor) {
	parts := strings.Split(clip(text, 200), ",")
	if len(parts) != 3 {
		return c
	}
	var err1, err2 error
	c.Path = parts[0]
	c.Report, err1 = tianbao.ParseID(parts[1])
	c.Row, err2 = tianbao.ParseID(parts[2])
	if err1 != nil || err2 != nil {
		return campaign.Cursor{}
	}
	return c
}

func fromCursor(c campaign.Cursor) string {
	if c == (campaign.Cursor{}) {
		return ""
	}
	return c.Path + "," + c.Report.String() + "," + c.Row.String()
}

// personIn is the name of the person of a row.
func personIn(f *tianbao.Form, values tianbao.Values) string {
	for i := range f.Fields {
		if f.Fields[i].Kind == tianbao.KindName && values[i] != "" {
			return values[i]
		}
	}
	return "（没有姓名）"
}
