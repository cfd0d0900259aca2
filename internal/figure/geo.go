package figure

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Limits of a map that is read.
const (
	maxGeoFeatures = 2_000
	maxGeoPoints   = 400_000
	maxGeoNumber   = 64 // characters of a coordinate
	// maxDrawn is how many points are kept: what is more is simplified away.
	maxDrawn = 6_000
)

// GeoFault is why a file is no map that can be drawn.
type GeoFault string

// The faults.
const (
	GeoNotJSON    GeoFault = "not_json"
	GeoNotMap     GeoFault = "not_geojson" // JSON, and no collection of features
	GeoNoShape    GeoFault = "no_shape"    // nothing in it is a polygon of a region that was asked for
	GeoBadRing    GeoFault = "bad_ring"    // coordinates that are none
	GeoNotDegrees GeoFault = "not_degrees" // coordinates beyond longitude and latitude
	GeoTooMany    GeoFault = "too_many"    // more features or points than are taken, or borders that cannot be simplified
	GeoTwoMaps    GeoFault = "far_apart"   // reaches around a quarter of the earth
)

// Error names the fault.
func (f GeoFault) Error() string { return "figure: the map is refused: " + string(f) }

// Shape is a region on a map: its outline in units of the figure, outer borders and holes
// alike, each closed by itself.
type Shape struct {
	Key   string      `json:"key"`   // as the caller of ReadGeo named it
	Rings [][]float64 `json:"rings"` // x, y, x, y …
}

// geoFile is as much of GeoJSON (RFC 7946) as is read.
type geoFile struct {
	Type     string       `json:"type"`
	Features []geoFeature `json:"features"`
}

type geoFeature struct {
	Properties map[string]json.RawMessage `json:"properties"`
	Geometry   *struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	} `json:"geometry"`
}

// ReadGeo reads regions from GeoJSON: the polygons of its features, each with a six-digit
// code among its properties, or a name. keyOf says which shape a feature belongs to, "" for
// none; features of one key become one shape. Borders are simplified together where there
// are too many points, so that neighbours go on meeting.
func ReadGeo(b []byte, keyOf func(code, name string) string) ([]Shape, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	var f geoFile
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&f); err != nil {
		return nil, GeoNotJSON
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, GeoNotJSON
	}
	switch {
	case f.Type != "FeatureCollection":
		return nil, GeoNotMap
	case len(f.Features) > maxGeoFeatures:
		return nil, GeoTooMany
	}
	var shapes []geoShape
	at := make(map[string]int)
	points := 0
	for i := range f.Features {
		x := &f.Features[i]
		code, name := x.names()
		key := keyOf(code, name)
		if x.Geometry == nil || key == "" {
			continue
		}
		depth := map[string]int{"Polygon": 2, "MultiPolygon": 3}[x.Geometry.Type]
		if depth == 0 {
			continue
		}
		p := ringReader{text: x.Geometry.Coordinates, left: maxGeoPoints - points}
		if err := p.read(depth); err != nil {
			return nil, err
		}
		points = maxGeoPoints - p.left
		n, known := at[key]
		if !known {
			n = len(shapes)
			at[key] = n
			shapes = append(shapes, geoShape{key: key})
		}
		shapes[n].rings = append(shapes[n].rings, p.rings...)
	}
	if len(shapes) == 0 {
		return nil, GeoNoShape
	}
	return project(shapes)
}

// codeKeys and nameKeys are what publishers of maps call the code and the name of a region.
func codeKeys() []string {
	return []string{"adcode", "code", "区划代码", "行政区划代码", "行政区划码", "XZQDM", "PAC", "id"}
}

func nameKeys() []string { return []string{"name", "NAME", "名称", "区划名称", "XZQMC"} }

// names returns the code and the name of a feature.
func (x *geoFeature) names() (code, name string) {
	text := func(key string) string {
		raw := strings.TrimSpace(string(x.Properties[key]))
		var s string
		if json.Unmarshal([]byte(raw), &s) == nil {
			return strings.TrimSpace(s)
		}
		return raw
	}
	for _, key := range codeKeys() {
		if c := text(key); isCode(c) {
			code = c
			break
		}
	}
	if code == "" { // whatever else looks like one
		keys := make([]string, 0, len(x.Properties))
		for key := range x.Properties {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			if c := text(key); isCode(c) {
				code = c
				break
			}
		}
	}
	const longest = 60
	for _, key := range nameKeys() {
		if n := text(key); n != "" && n != "null" && len(n) <= longest && !strings.ContainsAny(n, "{}[]<>\"") {
			name = n
			break
		}
	}
	return code, name
}

// isCode reports whether s is the six-digit code of a region (GB/T 2260).
func isCode(s string) bool {
	const length = 6
	if len(s) != length || s[0] < '1' || s[0] > '9' {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}

// point is a place, first in degrees, then on the grid of the figure.
type point struct{ x, y float64 }

type geoShape struct {
	key   string
	rings [][]point
}

// ringReader reads coordinates, which lie some arrays deep.
type ringReader struct {
	text  []byte
	i     int
	left  int // how many more points are taken
	rings [][]point
}

func (p *ringReader) next() byte {
	for p.i < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.i]) >= 0 {
		p.i++
	}
	if p.i == len(p.text) {
		return 0
	}
	return p.text[p.i]
}

func (p *ringReader) take(c byte) bool {
	if p.next() != c {
		return false
	}
	p.i++
	return true
}

// read reads arrays of arrays; at depth 1 stands a ring.
func (p *ringReader) read(depth int) error {
	if !p.take('[') {
		return GeoBadRing
	}
	if p.take(']') {
		return nil
	}
	var ring []point
	for {
		var err error
		if depth == 1 {
			var at point
			if at, err = p.position(); err == nil {
				ring = append(ring, at)
			}
		} else {
			err = p.read(depth - 1)
		}
		if err != nil {
			return err
		}
		if p.take(',') {
			continue
		}
		if !p.take(']') {
			return GeoBadRing
		}
		break
	}
	if depth == 1 {
		p.rings = append(p.rings, ring)
	}
	return nil
}

// position reads longitude and latitude; a height behind them is left out.
func (p *ringReader) position() (at point, err error) {
	if p.left--; p.left < 0 {
		return at, GeoTooMany
	}
	if !p.take('[') {
		return at, GeoBadRing
	}
	if at.x, err = p.number(); err != nil || !p.take(',') {
		return at, GeoBadRing
	}
	if at.y, err = p.number(); err != nil {
		return at, GeoBadRing
	}
	for p.take(',') {
		if _, err := p.number(); err != nil {
			return at, GeoBadRing
		}
	}
	if !p.take(']') {
		return at, GeoBadRing
	}
	if math.Abs(at.x) > 180 || math.Abs(at.y) > 85 {
		return at, GeoNotDegrees
	}
	return at, nil
}

func (p *ringReader) number() (float64, error) {
	p.next()
	from := p.i
	for p.i < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[p.i]) >= 0 {
		p.i++
	}
	if p.i == from || p.i-from > maxGeoNumber {
		return 0, GeoBadRing
	}
	return strconv.ParseFloat(string(p.text[from:p.i]), 64)
}
