package figure

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
)

// Area is a part of a province on a map: a tile with the outline in whose place it stands;
// without one it is drawn as a tile below the map.
type Area struct {
	Tile
	Shape *Shape
}

// Atlas draws areas by their outlines as one figure with a name.
func Atlas(name string, areas []Area) string {
	width, height := 0.0, 0.0
	var boxes int
	for i := range areas {
		if areas[i].Shape == nil {
			boxes++
			continue
		}
		for _, ring := range areas[i].Shape.Rings {
			for k := 0; k+1 < len(ring); k += 2 {
				width, height = max(width, ring[k]), max(height, ring[k+1])
			}
		}
	}
	const perRow = 6
	full := int(max(width, geoWidth)) + 2*tileGap
	tall := int(height) + 2*tileGap
	below := (boxes + perRow - 1) / perRow * (tileHeight + tileGap)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="tilemap" viewBox="%d %d %d %d" role="group" aria-label="%s" lang="zh-CN" xmlns="http://www.w3.org/2000/svg">`,
		-tileGap, -tileGap, full, tall+below, html.EscapeString(name))
	// Names come after all outlines, so that no neighbour covers one.
	slices.SortStableFunc(areas, func(x, y Area) int { return cmp.Compare(x.weight(), y.weight()) })
	n := 0
	for i := range areas {
		a := &areas[i]
		if a.Shape == nil {
			x, y := n%perRow*(tileWidth+tileGap), tall-tileGap+n/perRow*(tileHeight+tileGap)
			a.box(&b, x, y)
			n++
			continue
		}
		a.frame(&b, a.outline())
	}
	b.WriteString("</svg>")
	return b.String()
}

// weight puts large areas first: a small one that lies within a large one stays to be seen.
func (a *Area) weight() float64 {
	if a.Shape == nil {
		return 0
	}
	sum := 0.0
	for _, ring := range a.Shape.Rings {
		sum = max(sum, area(points(ring)))
	}
	return -sum
}

// outline draws the shape with name and number in it.
func (a *Area) outline() string {
	var b strings.Builder
	b.WriteString(`<path fill-rule="evenodd" d="`)
	var big []point
	for _, flat := range a.Shape.Rings {
		ring := points(flat)
		if len(ring) == 0 {
			continue
		}
		if big == nil || area(ring) > area(big) {
			big = ring
		}
		for k, p := range ring {
			b.WriteByte("LM"[btoi(k == 0)])
			b.WriteString(strconv.FormatFloat(p.x, 'f', -1, 64) + " " + strconv.FormatFloat(p.y, 'f', -1, 64))
		}
		b.WriteByte('Z')
	}
	b.WriteString(`"/>`)
	at := middle(big)
	fmt.Fprintf(&b, `<text class="tile-name" x="%.0f" y="%.0f">%s</text>`, at.x, at.y-3, html.EscapeString(a.Name))
	fmt.Fprintf(&b, `<text class="tile-value" x="%.0f" y="%.0f">%s</text>`, at.x, at.y+14, html.EscapeString(a.Value))
	return b.String()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func points(flat []float64) []point {
	out := make([]point, 0, len(flat)/2)
	for k := 0; k+1 < len(flat); k += 2 {
		out = append(out, point{flat[k], flat[k+1]})
	}
	return out
}

// middle is a place within a ring with room to both sides: on one of some lines across it
// the middle of the widest part, the lines around half of its height first.
func middle(ring []point) point {
	if len(ring) == 0 {
		return point{}
	}
	top, bottom := ring[0].y, ring[0].y
	for _, p := range ring {
		top, bottom = min(top, p.y), max(bottom, p.y)
	}
	best, widest := ring[0], 0.0
	for _, part := range [...]float64{0.5, 0.42, 0.58, 0.34, 0.66} {
		y := top + (bottom-top)*part
		var cuts []float64
		for k, p := range ring {
			q := ring[(k+1)%len(ring)]
			if (p.y > y) != (q.y > y) {
				cuts = append(cuts, p.x+(y-p.y)/(q.y-p.y)*(q.x-p.x))
			}
		}
		slices.Sort(cuts)
		for k := 0; k+1 < len(cuts); k += 2 {
			// What lies off the middle must be a good deal wider.
			const better = 1.25
			if w := cuts[k+1] - cuts[k]; w > widest*better {
				best, widest = point{(cuts[k] + cuts[k+1]) / 2, y}, w
			}
		}
	}
	return best
}
