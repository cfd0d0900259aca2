package web

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
	"tianbao/internal/figure"
)

// placedTile is a tile with the region that it stands for.
type placedTile struct {
	figure.Tile
	region tianbao.ID
}

// tilePlaces puts the cities of Liaoning where they lie, more or less, by the first four
// digits of their codes; "" is the zone between Shenyang and Fushun, which has none. The
// province's own units stand in the corner.
var tilePlaces = [...]struct {
	code     string
	col, row int
}{
	{"2100", 0, 0},
	{"2109", 2, 0},
	{"2112", 4, 0},
	{"2113", 0, 1},
	{"2101", 3, 1},
	{"", 4, 1},
	{"2104", 5, 1},
	{"2107", 1, 2},
	{"2111", 2, 2},
	{"2110", 3, 2},
	{"2105", 4, 2},
	{"2114", 0, 3},
	{"2108", 2, 3},
	{"2103", 3, 3},
	{"2106", 4, 3},
	{"2102", 2, 4},
}

// placeTile returns where a region stands. Those that have no place come in rows below
// all others; next counts them.
func placeTile(code string, next *int) (col, row int) {
	code = code[:min(len(code), 4)]
	for _, p := range tilePlaces {
		if p.code == code {
			return p.col, p.row
		}
	}
	n := *next
	*next++
	return n % 6, 5 + n/6
}

// tiles draws the cities of a province that is looked at: none for who looks at less than
// two of them, or at a part.
func (s *Server) tiles(r *http.Request, l *looking) ([]placedTile, error) {
	regions, err := s.Register.Regions(r.Context())
	if err != nil {
		return nil, err
	}
	at := tianbao.ID(0) // of what is looked at
	if l.node != nil {
		at = l.node.Unit.Region
	}
	var out []placedTile
	next, own := 0, false
	for i := range regions {
		g := &regions[i]
		switch {
		case g.ID == at && g.Parent == 0:
			own = true
			f := l.p.Regions[g.ID]
			if f == nil {
				f = &campaign.Figures{}
			}
			t := l.tile(g, "省直", f, &next)
			t.Href = l.unitsPath("", "region="+g.ID.String(), "own=1")
			out = append(out, t)
		case at != 0 && g.Parent == at:
			f := l.p.Region(g.ID)
			out = append(out, l.tile(g, shortRegion(g.Name), &f, &next))
		}
	}
	if len(out) < 3 || !own {
		return nil, nil
	}
	return out, nil
}

func shortRegion(name string) string {
	if strings.HasPrefix(name, "沈抚") {
		return "沈抚示范区"
	}
	return strings.TrimSuffix(name, "市")
}

func (l *looking) tile(g *tianbao.Region, name string, f *campaign.Figures, next *int) placedTile {
	t := placedTile{region: g.ID}
	t.ID, t.Name = g.ID.String(), name
	t.Col, t.Row = placeTile(g.Code, next)
	if f.Expected == 0 && (!g.InScope || l.p.Excluded(g.ID)) {
		t.Dashed, t.Value, t.Title = true, "不含", name+"不参加这次采集"
		return t
	}
	rate := f.Rate()
	t.Level, t.Value = figure.LevelOf(rate.Part, rate.Whole), rate.String()
	t.Title = fmt.Sprintf("%s：完成 %s（%s %d 个，已完成 %d 个）", name, rate, rate.Of, rate.Whole, rate.Part)
	t.Href = l.unitsPath("", "region="+g.ID.String())
	for i := range l.p.Nodes {
		if n := &l.p.Nodes[i]; n.Unit.Region == g.ID && n.Parent == l.unit && !l.p.Leaf(n.Unit.ID) {
			t.Href = l.path(n.Unit.ID)
			break
		}
	}
	return t
}

// path is the page of a part, of the same day.
func (l *looking) path(unit tianbao.ID) string {
	p := collectionPath(l.c.ID) + "/progress?unit=" + unit.String()
	if l.day != "" {
		p += "&day=" + l.day
	}
	return p
}

// unitsPath is the list of the units of the part in a state, "" for all.
func (l *looking) unitsPath(state string, more ...string) string {
	q := more
	if l.unit != 0 {
		q = append([]string{"unit=" + l.unit.String()}, q...)
	}
	if state != "" {
		q = append(q, "state="+state)
	}
	if l.day != "" {
		q = append(q, "day="+l.day)
	}
	p := collectionPath(l.c.ID) + "/progress/units"
	if len(q) > 0 {
		p += "?" + strings.Join(q, "&")
	}
	return p
}

// drawMap draws the map, nothing without tiles.
func drawMap(tiles []placedTile) template.HTML {
	if len(tiles) == 0 {
		return ""
	}
	draw := make([]figure.Tile, len(tiles))
	for i := range tiles {
		draw[i] = tiles[i].Tile
	}
	return template.HTML(figure.Map("各地完成率", draw)) //#nosec G203 -- figure escapes what it is given
}

// drawTrend draws how many were done at the end of each day, nothing without a whole one.
func drawTrend(t *campaign.Trend) template.HTML {
	if len(t.Days) < 2 {
		return ""
	}
	points := make([]figure.Point, len(t.Days))
	for i, d := range t.Days {
		points[i] = figure.Point{Label: d.At.In(clock.Shanghai).Format("1月2日"), Part: d.Done, Whole: d.Expected}
	}
	last := t.Days[len(t.Days)-1]
	title := fmt.Sprintf("每天结束时已完成的单位：从 %s 的 %d 个到现在的 %d 个，应报 %d 个", points[0].Label, t.Days[0].Done, last.Done, last.Expected)
	return template.HTML(figure.Line(title, points)) //#nosec G203 -- figure escapes what it is given
}

// drawAtlas draws tiles by their outlines.
func drawAtlas(tiles []placedTile, shapes map[string]*figure.Shape) template.HTML {
	areas := make([]figure.Area, len(tiles))
	for i := range tiles {
		areas[i] = figure.Area{Tile: tiles[i].Tile, Shape: shapes[tiles[i].region.String()]}
	}
	return template.HTML(figure.Atlas("各地完成率地图", areas)) //#nosec G203 -- figure escapes what it is given
}

// drawProvince draws a province's map without figures, and names the regions that it lacks.
func drawProvince(regions []tianbao.Region, shapes map[string]*figure.Shape) (drawn template.HTML, missing []string) {
	var tiles []placedTile
	missing = []string{}
	for _, g := range regions {
		if shapes[g.ID.String()] == nil {
			missing = append(missing, g.Name)
			continue
		}
		t := placedTile{region: g.ID, Tile: figure.Tile{Name: shortRegion(g.Name), Title: g.Name, Level: -1}}
		if t.Dashed = !g.InScope; t.Dashed {
			t.Value, t.Title = "不含", g.Name+"不参加省级采集"
		}
		tiles = append(tiles, t)
	}
	return drawAtlas(tiles, shapes), missing
}
