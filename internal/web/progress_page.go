package web

import (
	"html/template"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
)

// slowestShown is how many slow branches the page names.
const slowestShown = 5

// progressPage is the data of progress.html and screen.html.
type progressPage struct {
	CSRF       string
	ID         tianbao.ID
	Title      string
	Out        *wireProgress
	Above      []*campaign.Node
	Unit       *tianbao.Unit // nil: all that the viewer sees
	At         time.Time
	Day, Today string // Day is "" for now
	Map, Trend template.HTML
	// Atlas is the map that the province brought, with the number of its approval.
	Atlas     template.HTML
	Approval  string
	Tiles     []placedTile
	Pending   int
	Days      []wireDay // the last of the trend, for the table
	Forecast  *campaign.Forecast
	Slow      []wireFigures
	Events    string // the stream, "" for a past day
	Certifies bool
	Collects  bool // the viewer has the page of the collection
	l         *looking
}

func newProgressPage(v *viewer, l *looking, out *wireProgress, tiles []placedTile, t *campaign.Trend, f *campaign.Forecast) *progressPage {
	u := v.user()
	p := &progressPage{
		CSRF: v.signed.CSRF, ID: l.c.ID, Title: l.c.Title, Out: out, At: l.p.At, Day: l.day, Tiles: tiles, Pending: t.Pending,
		Today: l.p.At.In(clock.Shanghai).Format(time.DateOnly), Collects: u.May(tianbao.PowerLock), l: l,
	}
	if l.day == "" {
		p.Events = collectionPath(l.c.ID) + "/progress/events"
		if l.unit != 0 {
			p.Events += "?unit=" + l.unit.String()
		}
	}
	if l.node != nil {
		p.Unit, p.Above = &l.node.Unit, l.p.Above(l.unit)
		p.Certifies = l.day == "" && u.Scope(tianbao.PowerLock).Covers(l.node.Unit.Path)
	}
	p.Map, p.Trend = drawMap(tiles), drawTrend(t)
	if f.Days > 0 {
		p.Forecast = f
	}
	parts, _ := l.p.Branches(l.unit)
	for _, n := range campaign.Slowest(parts, slowestShown) {
		w := toFigures(n, &n.Figures)
		w.Leaf = l.p.Leaf(n.Unit.ID)
		p.Slow = append(p.Slow, w)
	}
	return p
}

// Part is where the name of a part leads: to its parts, else to its units.
func (p *progressPage) Part(f wireFigures) string {
	if f.Leaf {
		return p.Units(f.Unit, "")
	}
	return p.l.path(f.Unit)
}

// Up is the page of a unit above.
func (p *progressPage) Up(unit tianbao.ID) string { return p.l.path(unit) }

// Units is the list of the units of a part in a state; 0 is the part that is looked at.
func (p *progressPage) Units(unit tianbao.ID, state string) string {
	l := *p.l
	if unit != 0 {
		l.unit = unit
	}
	return l.unitsPath(state)
}

// Export is where the workbook is.
func (p *progressPage) Export() string {
	q := "?"
	if p.l.unit != 0 {
		q += "unit=" + p.l.unit.String() + "&"
	}
	return collectionPath(p.ID) + "/progress/export" + q + "day=" + p.Day
}

// Screen is the view for a big screen, or the way back from it.
func (p *progressPage) Screen(on bool) string {
	path := collectionPath(p.ID) + "/progress?"
	if p.l.unit != 0 {
		path += "unit=" + p.l.unit.String()
	}
	if on {
		path += "&screen=1"
	}
	return path
}

// LiveID names a part for the page's script.
func (p *progressPage) LiveID(f wireFigures) string { return f.Unit.String() }

// PerDay is the pace of the forecast.
func (p *progressPage) PerDay() string { return perDay(p.Forecast) }

func perDay(f *campaign.Forecast) string { return strconv.FormatFloat(f.PerDay, 'f', 1, 64) }

// Ahead reports whether the deadline is still to come.
func (p *progressPage) Ahead() bool { return p.Forecast.Closes.After(p.At) }
