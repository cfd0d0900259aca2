package web

import (
	"cmp"
	"net/http"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
)

// wireFigures are the figures of a part of the register in a collection.
type wireFigures struct {
	Unit     tianbao.ID  `json:"unit,omitempty"` // whose subtree it is; 0: all that the caller sees
	Name     string      `json:"name,omitempty"`
	Kind     string      `json:"kind,omitempty"`
	Leaf     bool        `json:"leaf,omitempty"` // no parts of it are told
	Expected int         `json:"expected"`
	Done     int         `json:"done"`
	Undone   int         `json:"undone"`
	Rate     string      `json:"rate"` // in percent, — for a share of nothing
	Of       string      `json:"of"`   // what the rate is a share of
	Outside  int         `json:"outside"`
	Rows     int         `json:"rows"`
	Faulty   int         `json:"faulty"`  // rows with errors
	Quality  string      `json:"quality"` // of a hundred rows, — for none
	States   []wireCount `json:"states"`
}

type wireCount struct {
	State tianbao.Standing `json:"state"` // "" is not begun
	Name  string           `json:"name"`
	Count int              `json:"count"`
}

// Key names the state in the page, where "" names nothing.
func (c wireCount) Key() string { return stateKey(c.State) }

// Mark is the look of the state.
func (c wireCount) Mark() string { return standingMark(c.State) }

// wireTile is a part of the province on the map.
type wireTile struct {
	Region tianbao.ID `json:"region"`
	Value  string     `json:"value"`
	Title  string     `json:"title"`
	Class  string     `json:"class"`
}

// wireProgress is how far a collection has come.
type wireProgress struct {
	Campaign tianbao.ID    `json:"campaign"`
	At       string        `json:"at"`
	Total    wireFigures   `json:"total"`
	Parts    []wireFigures `json:"parts"`          // what lies right below
	Rest     *wireFigures  `json:"rest,omitempty"` // the unit itself, and units with nothing below them
	Tiles    []wireTile    `json:"tiles,omitempty"`
	Trend    []wireDay     `json:"trend,omitempty"`
	Pending  int           `json:"pending,omitempty"` // days of the trend that are still being counted
	Forecast *wireForecast `json:"forecast,omitempty"`
}

type wireDay struct {
	Day      string `json:"day"`
	Expected int    `json:"expected"`
	Done     int    `json:"done"`
}

// wireForecast goes on as in the last days, in a straight line.
type wireForecast struct {
	Days     int    `json:"days"` // full days that it is made from
	PerDay   string `json:"per_day"`
	Closes   string `json:"closes,omitempty"`
	AtCloses int    `json:"at_closes,omitempty"`
	Ready    string `json:"ready,omitempty"`
}

// stateKey names a standing in URLs and pages.
func stateKey(s tianbao.Standing) string { return cmp.Or(string(s), "none") }

func standingMark(s tianbao.Standing) string {
	return homeStanding{State: campaign.UnitState{Shown: s}}.Mark()
}

func toFigures(n *campaign.Node, f *campaign.Figures) wireFigures {
	out := wireFigures{
		Expected: f.Expected, Done: f.Done(), Undone: f.Undone(), Rate: f.Rate().String(), Of: f.Rate().Of, Outside: f.Outside,
		Rows: f.Rows, Faulty: f.Faulty, Quality: f.Quality().Hundredth(), States: []wireCount{},
	}
	if n != nil {
		out.Unit, out.Name, out.Kind = n.Unit.ID, n.Unit.Name, n.Unit.Kind
	}
	for _, s := range tianbao.Standings() {
		out.States = append(out.States, wireCount{s, s.Title(), f.By(s)})
	}
	return out
}

// looking is what a request asks of a collection's progress.
type looking struct {
	c     tianbao.Campaign
	scope tianbao.Scope
	unit  tianbao.ID // 0: all
	node  *campaign.Node
	day   string    // "" today
	at    time.Time // zero: now
	p     *campaign.Progress
}

// figures are those of the part that is looked at.
func (l *looking) figures() *campaign.Figures {
	if l.node != nil {
		return &l.node.Figures
	}
	return &l.p.Total
}

// below is the scope of the part that is looked at.
func (l *looking) below() tianbao.Scope {
	if l.node != nil {
		return tianbao.Scope{Paths: []string{l.node.Unit.Path}}
	}
	return l.scope
}

// look reads what a request asks: {campaign}, ?unit= and ?day=.
func (s *Server) look(r *http.Request, v *viewer) (*looking, error) {
	id, err := pathID(r, "campaign")
	if err != nil {
		return nil, err
	}
	u, q := v.user(), r.URL.Query()
	l := &looking{scope: u.Scope(tianbao.PowerSee)}
	if l.c, _, err = s.Campaigns.Collection(r.Context(), v.runner(r), id); err != nil {
		return nil, err
	}
	if l.day, l.at, err = s.asOf(q.Get("day")); err != nil {
		return nil, err
	}
	if text := q.Get("unit"); text != "" {
		if l.unit, err = tianbao.ParseID(text); err != nil {
			return nil, tianbao.NotFound()
		}
	}
	return l, s.count(r, l)
}

// count finds the figures of what is looked at.
func (s *Server) count(r *http.Request, l *looking) (err error) {
	if l.p, err = s.Campaigns.Progress(r.Context(), l.scope, l.c.ID, l.at); err != nil {
		return err
	}
	if l.unit == 0 {
		// Who sees one subtree sees it by its name.
		if tops, _ := l.p.Branches(0); len(tops) == 1 {
			l.node = tops[0]
			l.unit = l.node.Unit.ID
		}
		return nil
	}
	if l.node = l.p.Node(l.unit); l.node == nil {
		return tianbao.NotFound()
	}
	return nil
}

// asOf reads a day, whose end is meant; "" and today are now.
func (s *Server) asOf(text string) (day string, at time.Time, err error) {
	if text == "" {
		return "", at, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, clock.Shanghai)
	if err != nil || t.Year() < 1970 || t.Year() > 3000 {
		return "", at, tianbao.Invalid("bad_day", "日期无法识别，请按“2022-09-23”的样子填写。")
	}
	if at = campaign.EndOf(t); at.Equal(campaign.EndOf(s.Now())) {
		return "", time.Time{}, nil
	}
	return text, at, nil
}

// toProgress is what is told of the part that is looked at, the trend aside.
func (s *Server) toProgress(r *http.Request, l *looking) (*wireProgress, []placedTile, error) {
	out := &wireProgress{Campaign: l.c.ID, At: stamp(l.p.At), Total: toFigures(l.node, l.figures()), Parts: []wireFigures{}}
	parts, rest := l.p.Branches(l.unit)
	for _, n := range parts {
		part := toFigures(n, &n.Figures)
		part.Leaf = l.p.Leaf(n.Unit.ID)
		out.Parts = append(out.Parts, part)
	}
	if rest.Expected > 0 && len(parts) > 0 {
		w := toFigures(nil, &rest)
		out.Rest = &w
	}
	tiles, err := s.tiles(r, l)
	if err != nil {
		return nil, nil, err
	}
	for i := range tiles {
		t := &tiles[i]
		out.Tiles = append(out.Tiles, wireTile{t.region, t.Value, t.Title, t.Class()})
	}
	return out, tiles, nil
}

// progress is the page of how far a collection has come, of now or as of a past day.
func (s *Server) progress(w http.ResponseWriter, r *http.Request, v *viewer) error {
	l, err := s.look(r, v)
	if err != nil {
		return err
	}
	out, tiles, err := s.toProgress(r, l)
	if err != nil {
		return err
	}
	var trend campaign.Trend
	if l.at.IsZero() {
		if trend, err = s.Campaigns.Trend(r.Context(), l.below(), l.p, l.figures()); err != nil {
			return err
		}
	}
	forecast := campaign.NewForecast(&trend, l.closes())
	out.told(&trend, &forecast)
	page := newProgressPage(v, l, out, tiles, &trend, &forecast)
	if len(tiles) > 0 && !wantsJSON(r) {
		m, shapes, err := s.mapOf(r, l.node.Unit.Region)
		if err != nil {
			return err
		}
		if m.Approval != "" {
			page.Atlas, page.Approval = drawAtlas(tiles, shapes), m.Approval
		}
	}
	name := "progress.html"
	if r.URL.Query().Get("screen") != "" {
		name = "screen.html"
	}
	return s.answer(w, r, v, out, name, "采集进度", page)
}

// told adds the trend with its forecast.
func (out *wireProgress) told(t *campaign.Trend, f *campaign.Forecast) {
	out.Pending = t.Pending
	for _, d := range t.Days {
		out.Trend = append(out.Trend, wireDay{dayText(d.At), d.Expected, d.Done})
	}
	if f.Days > 0 {
		out.Forecast = &wireForecast{Days: f.Days, PerDay: perDay(f), Closes: stamp(f.Closes), AtCloses: f.AtClose, Ready: stamp(f.Ready)}
	}
}

// closes is the latest deadline of the part that is looked at and of what lies right
// below it, zero without one.
func (l *looking) closes() (last time.Time) {
	parts, _ := l.p.Branches(l.unit)
	if l.node != nil {
		parts = append(parts, l.node)
	}
	for _, n := range parts {
		place := campaign.Place{Path: n.Unit.Path, Region: n.Unit.Region}
		if !l.p.Plan.Takes(place, l.p.At) {
			continue
		}
		_, closes := l.p.Plan.Window(place, l.p.At)
		if closes.IsZero() {
			return closes
		}
		if closes.After(last) {
			last = closes
		}
	}
	return last
}
