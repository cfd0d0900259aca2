package load

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Line is a line of results: of requests of one kind, or of a figure held against a goal.
type Line struct {
	Name    string  `json:"name"`
	Count   uint64  `json:"count,omitempty"`
	PerSec  float64 `json:"per_second,omitempty"`
	P50     float64 `json:"p50_ms,omitempty"`
	P99     float64 `json:"p99_ms,omitempty"`
	P999    float64 `json:"p999_ms,omitempty"`
	Max     float64 `json:"max_ms,omitempty"`
	Shed    int64   `json:"shed,omitempty"`
	Failed  int64   `json:"failed,omitempty"`
	CPU     float64 `json:"cpu_us,omitempty"` // of the server, for one request
	Goal    string  `json:"goal,omitempty"`
	Figure  string  `json:"figure,omitempty"`
	Reached *bool   `json:"reached,omitempty"`
}

// Result is what a run measured.
type Result struct {
	Title  string `json:"title"`
	Lines  []Line `json:"lines"`
	Server Usage  `json:"-"`
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// times fills in what a histogram tells.
func (l *Line) times(h *Hist, length time.Duration) {
	l.Count, l.P50, l.P99, l.P999, l.Max = h.Count(), millis(h.Quantile(.5)), millis(h.Quantile(.99)), millis(h.Quantile(.999)), millis(h.Max())
	if length > 0 {
		l.PerSec = float64(l.Count) / length.Seconds()
	}
}

// OfSlice is the line of a closed loop; used is the server's processor time.
func OfSlice(name string, s *Slice, used time.Duration) Line {
	l := Line{Name: name, Failed: s.Errors.Load()}
	l.times(&s.Hist, s.Length)
	if l.Count > 0 {
		l.CPU = float64(used.Microseconds()) / float64(l.Count)
	}
	return l
}

// OfTally is the line of one kind of requests.
func OfTally(name string, t *Tally, length time.Duration) Line {
	l := Line{Name: name, Shed: t.Shed.Load(), Failed: t.Failed.Load()}
	l.times(&t.Hist, length)
	return l
}

// Lines are those of an evening.
func (a *Acts) Lines(length time.Duration) []Line {
	var out []Line
	for _, t := range a.named() {
		out = append(out, OfTally(t.name, t.Tally, length))
	}
	return out
}

// Failures counts what was neither answered nor shed.
func (a *Acts) Failures() (failed, shed int64) {
	for _, t := range a.named() {
		failed += t.Failed.Load()
		shed += t.Shed.Load()
	}
	return failed, shed
}

// Held is the line of a figure held against a goal.
func Held(name, goal, figure string, reached bool) Line {
	return Line{Name: name, Goal: goal, Figure: figure, Reached: &reached}
}

// Table writes the results for people, as a table in Markdown.
func (r *Result) Table(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n", r.Title)
	var times, goals []Line
	for _, l := range r.Lines {
		if l.Goal != "" {
			goals = append(goals, l)
		} else {
			times = append(times, l)
		}
	}
	if len(times) > 0 {
		b.WriteString("\n| | n | n/s | p50 ms | p99 ms | p99.9 ms | max ms | CPU µs | shed | failed |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
		for _, l := range times {
			fmt.Fprintf(&b, "| %s | %d | %.1f | %.2f | %.2f | %.2f | %.2f | %.0f | %d | %d |\n", l.Name, l.Count, l.PerSec, l.P50, l.P99, l.P999, l.Max, l.CPU, l.Shed, l.Failed)
		}
	}
	if len(goals) > 0 {
		b.WriteString("\n| | goal | figure | |\n|---|---|---|---|\n")
		for _, l := range goals {
			mark := "reached"
			if !*l.Reached {
				mark = "**missed**"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", l.Name, l.Goal, l.Figure, mark)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes the results for programs.
func (r *Result) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
