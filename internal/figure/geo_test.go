package figure

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
)

// byCode takes whatever has a code or a name.
func byCode(code, name string) string {
	if code != "" {
		return code
	}
	return name
}

// square is the coordinates of a square of a degree.
func square(x, y float64) string {
	return fmt.Sprintf("[[%g,%g],[%g,%g],[%g,%g],[%g,%g],[%g,%g]]", x, y, x+1, y, x+1, y+1, x, y+1, x, y)
}

func feature(props, typ, coordinates string) string {
	return `{"type":"Feature","properties":` + props + `,"geometry":{"type":"` + typ + `","coordinates":` + coordinates + `}}`
}

func collection(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`
}

func TestReadGeo(t *testing.T) {
	shapes, err := ReadGeo([]byte("\xef\xbb\xbf"+collection(
		feature(`{"adcode":210100,"name":"沈阳市","x":null}`, "Polygon", "["+square(123, 41)+"]"),
		feature(`{"区划代码":"210700"}`, "MultiPolygon", "[["+square(121, 41)+","+square(121.5, 41.5)+"],["+square(122, 40)+"]]"),
		feature(`{"whatever":"210700"}`, "Polygon", "["+square(120, 40)+"]"),
		feature(`{"name":"沈抚示范区"}`, "Polygon", "[[[124,41,12.5],[125,41],[125,42],[124,41]]]"),
		feature(`{"name":"一条线","adcode":"219900"}`, "LineString", square(1, 1)),
		feature(`{}`, "Polygon", "["+square(100, 1)+"]"),
		`{"type":"Feature","properties":null,"geometry":null}`,
	)), byCode)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range shapes {
		got = append(got, fmt.Sprintf("%s %d", s.Key, len(s.Rings)))
		for _, ring := range s.Rings {
			for k := 0; k < len(ring); k += 2 {
				if ring[k] < 0 || ring[k] > geoWidth || ring[k+1] < 0 || ring[k+1] > maxTall {
					t.Errorf("%s lies at %g, %g", s.Key, ring[k], ring[k+1])
				}
			}
		}
	}
	if want := "210100 1|210700 4|沈抚示范区 1"; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// North is up, and a degree of latitude is longer than one of longitude.
	if r := shapes[0].Rings[0]; r[1] <= r[5] {
		t.Errorf("south is up: %v", r)
	} else if ratio := (r[1] - r[5]) / (r[2] - r[0]); math.Abs(ratio-1/math.Cos(41*math.Pi/180)) > 0.01 {
		t.Errorf("a degree is %g as tall as wide", ratio)
	}
}

func TestReadGeoRefuses(t *testing.T) {
	ok := `{"adcode":210100}`
	many := strings.TrimSuffix(strings.Repeat("[1,2],", maxGeoPoints+1), ",")
	for _, c := range []struct {
		name, text string
		want       GeoFault
	}{
		{"nothing", "", GeoNotJSON},
		{"a workbook", "PK\x03\x04", GeoNotJSON},
		{"two documents", collection() + collection(), GeoNotJSON},
		{"deep", strings.Repeat("[", 20_000), GeoNotJSON},
		{"another object", `{"type":"Topology"}`, GeoNotMap},
		{"no features", collection(), GeoNoShape},
		{"no codes", collection(feature(`{"id":"1"}`, "Polygon", "["+square(1, 1)+"]")), GeoNoShape},
		{"no polygons", collection(feature(ok, "Point", "[1,2]")), GeoNoShape},
		{"one point many times", collection(feature(ok, "Polygon", "[[[1,2],[1,2],[1,2],[1,2]]]")), GeoNoShape},
		{"too deep", collection(feature(ok, "Polygon", "[[[[1,2]]]]")), GeoBadRing},
		{"too flat", collection(feature(ok, "Polygon", "[[1,2]]")), GeoBadRing},
		{"text", collection(feature(ok, "Polygon", `[[["1",2]]]`)), GeoBadRing},
		{"a long number", collection(feature(ok, "Polygon", "[[[1."+strings.Repeat("0", 100)+",2]]]")), GeoBadRing},
		{"metres", collection(feature(ok, "Polygon", "[[[13690000.5,5120000],[13690001,5120000],[13690001,5120001]]]")), GeoNotDegrees},
		{"around the earth", collection(feature(ok, "Polygon", "[[[-170,1],[170,1],[170,2],[-170,1]]]")), GeoTwoMaps},
		{"points", collection(feature(ok, "Polygon", "[["+many+"]]")), GeoTooMany},
		{"features", collection(strings.TrimSuffix(strings.Repeat("{},", maxGeoFeatures+1), ",")), GeoTooMany},
	} {
		shapes, err := ReadGeo([]byte(c.text), byCode)
		var f GeoFault
		if !errors.As(err, &f) || f != c.want || shapes != nil {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// winding is a border from (x, 41) up to (x, 42) with many turns.
func winding(x float64, n int) (out []string) {
	for k := range n + 1 {
		s := float64(k) / float64(n)
		out = append(out, fmt.Sprintf("[%.7f,%.7f]", x+0.1*math.Sin(40*s)*s*(1-s)+0.01*math.Sin(777*s)*s*(1-s), 41+s))
	}
	return out
}

// Two neighbours with a long border of theirs have the same one when it has been simplified.
func TestNeighboursGoOnMeeting(t *testing.T) {
	const n = 20_000
	border := winding(122, n)
	east := append([]string{}, border...)
	east = append(east, "[123,42]", "[123,41]", border[0])
	west := []string{"[121,41]"}
	west = append(west, border...)
	west = append(west, "[121,42]", "[121,41]")
	// The neighbour goes the other way round.
	for i, j := 0, len(west)-1; i < j; i, j = i+1, j-1 {
		west[i], west[j] = west[j], west[i]
	}
	shapes, err := ReadGeo([]byte(collection(
		feature(`{"adcode":210100}`, "Polygon", "[["+strings.Join(east, ",")+"]]"),
		feature(`{"adcode":210700}`, "Polygon", "[["+strings.Join(west, ",")+"]]"),
	)), byCode)
	if err != nil {
		t.Fatal(err)
	}
	inner := func(s Shape) map[point]bool {
		out := make(map[point]bool)
		for _, ring := range s.Rings {
			for _, p := range points(ring) {
				if p.x > 0 && p.x < geoWidth && p.x != points(ring)[0].x {
					out[p] = true
				}
			}
		}
		return out
	}
	a, b := inner(shapes[0]), inner(shapes[1])
	if len(a) < 200 || len(a) > maxDrawn {
		t.Fatalf("%d points are left of the border", len(a))
	}
	missing := 0
	for p := range a {
		if !b[p] {
			missing++
		}
	}
	if missing > 1 { // the corner of one of them may be of no other
		t.Errorf("%d of %d points are of one side only", missing, len(a))
	}
}

func TestAtlas(t *testing.T) {
	shapes, err := ReadGeo([]byte(collection(
		feature(`{"adcode":210100}`, "Polygon", "["+square(123, 41)+"]"), feature(`{"adcode":210200}`, "Polygon", "["+square(121, 39)+"]"),
	)), byCode)
	if err != nil {
		t.Fatal(err)
	}
	got := Atlas("各地<图>", []Area{
		{Tile: Tile{ID: "1", Name: "沈阳", Value: "50%", Title: "沈阳：完成 50%", Href: "/x?a=1&b=2", Level: 2}, Shape: &shapes[0]},
		{Tile: Tile{ID: "2", Name: "大连", Value: "不含", Title: "大连不参加", Dashed: true}, Shape: &shapes[1]},
		{Tile: Tile{ID: "3", Name: "省直", Value: "—", Title: "省直", Level: -1}},
	})
	d := xml.NewDecoder(strings.NewReader(got))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{`各地&lt;图&gt;`, `class="tile tile-2" data-tile="1"`, `class="tile tile-out" data-tile="2"`, `href="/x?a=1&amp;b=2"`, "<path", "<rect", "省直"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if strings.Count(got, "<path") != 2 || strings.Count(got, "<rect") != 1 {
		t.Error(got)
	}
}

// A ring's name stands within it.
func TestMiddle(t *testing.T) {
	for name, ring := range map[string][]point{
		"a square":     {{0, 0}, {10, 0}, {10, 10}, {0, 10}},
		"a horseshoe":  {{0, 0}, {10, 0}, {10, 10}, {8, 10}, {8, 2}, {2, 2}, {2, 10}, {0, 10}},
		"a thin slope": {{0, 0}, {1, 0}, {20, 20}, {19, 20}},
	} {
		at := middle(ring)
		in := false
		for k, p := range ring {
			q := ring[(k+1)%len(ring)]
			if (p.y > at.y) != (q.y > at.y) && at.x < p.x+(at.y-p.y)/(q.y-p.y)*(q.x-p.x) {
				in = !in
			}
		}
		if !in {
			t.Errorf("the middle of %s is %v", name, at)
		}
	}
}

// BenchmarkReadGeo reads 14 neighbours with long borders, of which a sixtieth is kept.
func BenchmarkReadGeo(b *testing.B) {
	const n = 12_000
	var features []string
	borders := make([][]string, 15)
	for i := range borders {
		borders[i] = winding(110+float64(i), n)
	}
	for i := range 14 {
		ring := append([]string{}, borders[i]...)
		for k := n; k >= 0; k-- {
			ring = append(ring, borders[i+1][k])
		}
		features = append(features, feature(fmt.Sprintf(`{"adcode":%d}`, 210100+100*i), "Polygon", "[["+strings.Join(ring, ",")+"]]"))
	}
	text := []byte(collection(features...))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := ReadGeo(text, byCode); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzReadGeo(f *testing.F) {
	f.Add([]byte(collection(feature(`{"adcode":210100,"name":"沈阳市"}`, "Polygon", "["+square(123, 41)+"]"))))
	f.Add([]byte(collection(feature(`{"a":"210100"}`, "MultiPolygon", "[["+square(123, 41)+"]]"), feature(`{"name":"x"}`, "Polygon", "[[[1,2,3],[2,3],[3,1]]]"))))
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"geometry":{"type":"Polygon","coordinates":[[[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		shapes, err := ReadGeo(b, byCode)
		if err != nil {
			return
		}
		kept := 0
		for _, s := range shapes {
			if s.Key == "" {
				t.Error("a shape of no region")
			}
			for _, ring := range s.Rings {
				kept += len(ring) / 2
				if len(ring) < 6 || len(ring)%2 != 0 {
					t.Errorf("a ring of %d numbers", len(ring))
				}
				for _, v := range ring {
					if math.IsNaN(v) || v < 0 || v > maxTall {
						t.Errorf("a point at %g", v)
					}
				}
			}
			a := Area{Tile: Tile{Name: s.Key, Title: s.Key}, Shape: &s}
			if _, err := json.Marshal(s); err != nil {
				t.Error(err)
			}
			if text := Atlas("图", []Area{a}); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
				t.Error(text)
			}
		}
		if kept > 2*maxDrawn {
			t.Errorf("%d points are kept", kept)
		}
	})
}
