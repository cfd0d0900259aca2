package figure

import (
	"fmt"
	"html"
	"strings"
)

// Point is a day of a line.
type Point struct {
	Label string // the day, as it stands below the line
	Part  int
	Whole int
}

const (
	lineWidth  = 640
	lineHeight = 180
	lineLeft   = 48
	lineBottom = 28
	lineTop    = 16
	maxLabels  = 8
)

// Line draws how a part of a whole came along, one point a day, as one picture with a
// name; title tells all of it in a sentence.
func Line(title string, points []Point) string {
	top := 1
	for _, p := range points {
		top = max(top, p.Whole, p.Part)
	}
	x := func(i int) int {
		return lineLeft + (lineWidth-lineLeft-16)*i/max(1, len(points)-1)
	}
	y := func(n int) int {
		return lineTop + (lineHeight-lineTop-lineBottom)*(top-n)/top
	}
	var b, part, whole strings.Builder
	fmt.Fprintf(&b, `<svg class="trend" viewBox="0 0 %d %d" role="img" aria-label="%s" lang="zh-CN" xmlns="http://www.w3.org/2000/svg"><title>%s</title>`,
		lineWidth, lineHeight, html.EscapeString(title), html.EscapeString(title))
	fmt.Fprintf(&b, `<path class="trend-axis" d="M%d %dV%dH%d"/>`, lineLeft, lineTop, lineHeight-lineBottom, lineWidth-8)
	for _, n := range []int{0, top} {
		fmt.Fprintf(&b, `<text class="trend-scale" x="%d" y="%d">%d</text>`, lineLeft-6, y(n)+4, n)
	}
	step := (len(points) + maxLabels - 1) / maxLabels
	for i, p := range points {
		act := "L"
		if i == 0 {
			act = "M"
		}
		fmt.Fprintf(&part, "%s%d %d", act, x(i), y(p.Part))
		fmt.Fprintf(&whole, "%s%d %d", act, x(i), y(p.Whole))
		// The last day has its label, and none right beside it.
		if last := len(points) - 1; i == last || i%step == 0 && last-i >= step {
			fmt.Fprintf(&b, `<text class="trend-day" x="%d" y="%d">%s</text>`, x(i), lineHeight-8, html.EscapeString(p.Label))
		}
	}
	fmt.Fprintf(&b, `<path class="trend-whole" d="%s"/><path class="trend-part" d="%s"/>`, whole.String(), part.String())
	if n := len(points); n > 0 {
		fmt.Fprintf(&b, `<circle class="trend-dot" cx="%d" cy="%d" r="4"/>`, x(n-1), y(points[n-1].Part))
	}
	b.WriteString("</svg>")
	return b.String()
}
