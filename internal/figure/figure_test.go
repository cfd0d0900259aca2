package figure

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// parse fails when a text is not one well-formed element.
func parse(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
}

func TestMap(t *testing.T) {
	got := Map(`完成率 <"全省">`, []Tile{
		{ID: "7", Name: "锦州", Value: "83.3%", Title: "锦州市 83.3%（10/12）", Href: "/a?b=1&c=2", Level: LevelOf(10, 12)},
		{Col: 1, Row: 2, Name: "大连", Value: "不含", Title: "大连市不参加", Level: -1, Dashed: true},
		{Col: 2, Name: "<b>", Value: "—", Title: "\"", Level: -1},
	})
	parse(t, got)
	for _, want := range []string{
		`viewBox="0 0 344 224"`, `<a href="/a?b=1&amp;c=2"><title>锦州市 83.3%（10/12）</title><g class="tile tile-3" data-tile="7">`,
		`<g class="tile tile-out" role="img" aria-label="大连市不参加">`, `<g class="tile tile-none" role="img" aria-label="&#34;">`, `>&lt;b&gt;<`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}

func TestLevelOf(t *testing.T) {
	for _, c := range []struct {
		name              string
		part, whole, want int
	}{
		{"of nothing", 0, 0, -1}, {"none", 0, 9, 0}, {"a quarter", 1, 4, 1}, {"half", 2, 4, 2}, {"all but one of many", 39_999, 40_000, 3}, {"all", 4, 4, 4},
	} {
		if got := LevelOf(c.part, c.whole); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestLine(t *testing.T) {
	for _, c := range []struct {
		name   string
		points []Point
		want   string
	}{
		{"nothing", nil, `<path class="trend-part" d=""/>`},
		{"one day", []Point{{"9月1日", 1, 2}}, `d="M48 84"`},
		{"three days", []Point{{"9月1日", 0, 2}, {"9月2日", 1, 2}, {"9月3日", 2, 2}}, `d="M48 152L336 84L624 16"`},
	} {
		got := Line("完成 <单位>", c.points)
		parse(t, got)
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s is missing in\n%s", c.name, c.want, got)
		}
	}
	days := make([]Point, 60)
	for i := range days {
		days[i].Label = "日"
	}
	if n := strings.Count(Line("", days), "trend-day"); n > maxLabels+1 {
		t.Errorf("%d labels", n)
	}
}
