package figure

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
)

// A map lies on a grid of geoWidth units across, a tenth apart, on which neighbours have
// the same points along their common border.
const (
	geoWidth = 680.0
	geoFine  = 10 // of a unit
	maxTall  = 1_000.0
)

// project brings degrees onto the grid, north up, with the breadth that they have in the
// middle of the map, and simplifies.
func project(shapes []geoShape) ([]Shape, error) {
	west, east, south, north := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for i := range shapes {
		for _, ring := range shapes[i].rings {
			for _, p := range ring {
				west, east, south, north = min(west, p.x), max(east, p.x), min(south, p.y), max(north, p.y)
			}
		}
	}
	if east-west <= 0 || north-south <= 0 {
		return nil, GeoNoShape
	}
	if east-west > 90 {
		return nil, GeoTwoMaps
	}
	flat := math.Cos((north + south) / 2 * math.Pi / 180)
	scale := geoWidth / ((east - west) * flat)
	scale = min(scale, maxTall/(north-south))
	for i := range shapes {
		g := &shapes[i]
		rings := g.rings[:0]
		for _, ring := range g.rings {
			if r := snap(ring, func(p point) point {
				return point{math.Round((p.x - west) * flat * scale * geoFine), math.Round((north - p.y) * scale * geoFine)}
			}); r != nil {
				rings = append(rings, r)
			}
		}
		g.rings = rings
	}
	if kept := simplify(shapes, maxDrawn); kept > 2*maxDrawn {
		return nil, GeoTooMany
	}
	var out []Shape
	for i := range shapes {
		s := Shape{Key: shapes[i].key}
		for _, ring := range shapes[i].rings {
			flat := make([]float64, 0, 2*len(ring))
			for _, p := range ring {
				flat = append(flat, p.x/geoFine, p.y/geoFine)
			}
			s.Rings = append(s.Rings, flat)
		}
		if len(s.Rings) > 0 {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, GeoNoShape
	}
	return out, nil
}

// snap brings a ring onto the grid, without its closing point and points that fall
// together; nil for one that encloses nothing.
func snap(ring []point, to func(point) point) []point {
	out := make([]point, 0, len(ring))
	for _, p := range ring {
		if p = to(p); len(out) == 0 || out[len(out)-1] != p {
			out = append(out, p)
		}
	}
	for len(out) > 1 && out[0] == out[len(out)-1] {
		out = out[:len(out)-1]
	}
	if len(out) < 3 || area(out) == 0 {
		return nil
	}
	return out
}

// area is twice what a ring encloses.
func area(ring []point) (sum float64) {
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		sum += p.x*q.y - q.x*p.y
	}
	return math.Abs(sum)
}

// simplify takes points away, those first that change the picture least (Visvalingam and
// Whyatt), until most are left. Where borders part from each other points stay, and what
// lies between two such points is taken for itself, so that a border that two regions
// share stays one border. It returns how many points are left: more than most where that
// many have to stay.
func simplify(shapes []geoShape, most int) (kept int) {
	total := 0
	type pair struct{ a, b point }
	met := make(map[point]pair)
	fixed := make(map[point]bool)
	for i := range shapes {
		for _, ring := range shapes[i].rings {
			total += len(ring)
			for k, p := range ring {
				a, b := ring[(k+len(ring)-1)%len(ring)], ring[(k+1)%len(ring)]
				if before(b, a) {
					a, b = b, a
				}
				if had, again := met[p]; !again {
					met[p] = pair{a, b}
				} else if had != (pair{a, b}) {
					fixed[p] = true
				}
			}
		}
	}
	if total <= most {
		return total
	}
	var weights []float64
	weigh := make([][][]float64, len(shapes))
	for i := range shapes {
		for r, ring := range shapes[i].rings {
			shapes[i].rings[r] = turned(ring, fixed)
			w := weightsOf(shapes[i].rings[r], fixed)
			weigh[i] = append(weigh[i], w)
			weights = append(weights, w...)
		}
	}
	slices.SortFunc(weights, func(a, b float64) int { return cmp.Compare(b, a) })
	least := weights[most-1]
	for i := range shapes {
		g := &shapes[i]
		big, biggest := -1, 0.0
		for r, ring := range g.rings {
			if a := area(ring); a > biggest {
				big, biggest = r, a
			}
		}
		rings := make([][]point, 0, len(g.rings))
		for r, ring := range g.rings {
			var stay []point
			for k, p := range ring {
				if weigh[i][r][k] > least || math.IsInf(weigh[i][r][k], 1) {
					stay = append(stay, p)
				}
			}
			if len(stay) < 3 && r == big {
				stay = corners(ring)
			}
			if len(stay) >= 3 && (r == big || area(stay) > 0) {
				rings = append(rings, stay)
				kept += len(stay)
			}
		}
		g.rings = rings
	}
	return kept
}

// corners are three points of a ring that stay when it is the only one of its region.
func corners(ring []point) []point {
	n := len(ring)
	return []point{ring[0], ring[n/3], ring[2*n/3]}
}

func before(a, b point) bool { return a.x < b.x || a.x == b.x && a.y < b.y }

// turned begins a ring at a point that stays; where none does, at its first in order,
// which is the same for all that have this ring.
func turned(ring []point, fixed map[point]bool) []point {
	first := -1
	for k, p := range ring {
		if fixed[p] {
			first = k
			break
		}
	}
	if first < 0 {
		first = 0
		for k, p := range ring {
			if before(p, ring[first]) {
				first = k
			}
		}
		fixed[ring[first]] = true
	}
	return append(slices.Clone(ring[first:]), ring[:first]...)
}

// weightsOf tells for each point of a ring how much it matters: the area of the triangle
// with its neighbours when its turn comes; endless for what stays.
func weightsOf(ring []point, fixed map[point]bool) []float64 {
	n := len(ring)
	q := &queue{ring: ring, weight: make([]float64, n), at: make([]int, n)}
	prev, next := make([]int, n), make([]int, n)
	for k := range ring {
		prev[k], next[k], q.at[k] = (k+n-1)%n, (k+1)%n, -1
	}
	for k, p := range ring {
		q.weight[k] = math.Inf(1)
		if !fixed[p] {
			q.weight[k] = triangle(ring[prev[k]], p, ring[next[k]])
			q.at[k] = len(q.list)
			q.list = append(q.list, k)
		}
	}
	heap.Init(q)
	floor := 0.0
	for q.Len() > 0 {
		k, _ := heap.Pop(q).(int)
		floor = max(floor, q.weight[k])
		q.weight[k] = floor
		a, b := prev[k], next[k]
		next[a], prev[b] = b, a
		for _, o := range [2]int{a, b} {
			if q.at[o] >= 0 {
				q.weight[o] = triangle(ring[prev[o]], ring[o], ring[next[o]])
				heap.Fix(q, q.at[o])
			}
		}
	}
	return q.weight
}

func triangle(a, b, c point) float64 {
	return math.Abs((b.x-a.x)*(c.y-a.y) - (c.x-a.x)*(b.y-a.y))
}

// queue holds the points of a ring, that which matters least first; alike ones in an
// order that does not depend on which way round the ring goes.
type queue struct {
	ring   []point
	weight []float64
	at     []int // where a point stands in list, -1: not
	list   []int
}

// Len implements heap.Interface.
func (q *queue) Len() int { return len(q.list) }

// Less implements heap.Interface.
func (q *queue) Less(i, j int) bool {
	a, b := q.list[i], q.list[j]
	if q.weight[a] != q.weight[b] {
		return q.weight[a] < q.weight[b]
	}
	return before(q.ring[a], q.ring[b])
}

// Swap implements heap.Interface.
func (q *queue) Swap(i, j int) {
	q.list[i], q.list[j] = q.list[j], q.list[i]
	q.at[q.list[i]], q.at[q.list[j]] = i, j
}

// Push implements heap.Interface; nothing comes in any more.
func (q *queue) Push(any) {}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	k := q.list[len(q.list)-1]
	q.list = q.list[:len(q.list)-1]
	q.at[k] = -1
	return k
}
