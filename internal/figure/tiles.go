package figure

import (
	"fmt"
	"html"
	"strings"
)

// Tile is a part of a province on the map.
type Tile struct {
	ID       string // for the page's script, "" for none
	Col, Row int
	Name     string
	Value    string // the number that stands in the tile
	Title    string // all that is known of it, one sentence
	Href     string // where it leads, "" for nowhere
	// Level is how dark it is, 0 to Levels-1; below 0: there is nothing to tell.
	Level int
	// Dashed marks a part that is shown and does not take part.
	Dashed bool
}

// Levels is how many shades there are.
const Levels = 5

// LevelOf returns the shade of a share: the darkest is the whole and nothing less.
func LevelOf(part, whole int) int {
	switch {
	case whole <= 0:
		return -1
	case part >= whole:
		return Levels - 1
	}
	return part * (Levels - 1) / whole
}

// Measures of a tile and of the gap between two.
const (
	tileWidth  = 104
	tileHeight = 64
	tileGap    = 8
)

// Map draws tiles as one figure with a name.
func Map(name string, tiles []Tile) string {
	cols, rows := 0, 0
	for _, t := range tiles {
		cols, rows = max(cols, t.Col+1), max(rows, t.Row+1)
	}
	width, height := cols*(tileWidth+tileGap)+tileGap, rows*(tileHeight+tileGap)+tileGap
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="tilemap" viewBox="0 0 %d %d" role="group" aria-label="%s" lang="zh-CN" xmlns="http://www.w3.org/2000/svg">`, width, height, html.EscapeString(name))
	for i := range tiles {
		tiles[i].draw(&b)
	}
	b.WriteString("</svg>")
	return b.String()
}

// Class is the style of the tile.
func (t *Tile) Class() string {
	switch {
	case t.Dashed:
		return "tile tile-out"
	case t.Level < 0:
		return "tile tile-none"
	}
	return fmt.Sprintf("tile tile-%d", min(t.Level, Levels-1))
}

func (t *Tile) draw(b *strings.Builder) {
	t.box(b, tileGap+t.Col*(tileWidth+tileGap), tileGap+t.Row*(tileHeight+tileGap))
}

// box draws the tile at a place.
func (t *Tile) box(b *strings.Builder, x, y int) {
	t.frame(b, fmt.Sprintf(`<rect x="%d" y="%d" width="%d" height="%d" rx="6"/>`, x, y, tileWidth, tileHeight)+
		fmt.Sprintf(`<text class="tile-name" x="%d" y="%d">%s</text>`, x+tileWidth/2, y+26, html.EscapeString(t.Name))+
		fmt.Sprintf(`<text class="tile-value" x="%d" y="%d">%s</text>`, x+tileWidth/2, y+50, html.EscapeString(t.Value)))
}

// frame puts what is drawn of a tile where it leads and under its title.
func (t *Tile) frame(b *strings.Builder, body string) {
	id := ""
	if t.ID != "" {
		id = ` data-tile="` + html.EscapeString(t.ID) + `"`
	}
	title := html.EscapeString(t.Title)
	if t.Href != "" {
		fmt.Fprintf(b, `<a href="%s"><title>%s</title>`, html.EscapeString(t.Href), title)
	}
	fmt.Fprintf(b, `<g class="%s"%s`, t.Class(), id)
	if t.Href == "" {
		fmt.Fprintf(b, ` role="img" aria-label="%s"`, title)
	}
	b.WriteByte('>')
	if t.Href == "" {
		fmt.Fprintf(b, "<title>%s</title>", title)
	}
	b.WriteString(body + "</g>")
	if t.Href != "" {
		b.WriteString("</a>")
	}
}
