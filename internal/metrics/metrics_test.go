package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func text(t *testing.T, r *Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestFigures(t *testing.T) {
	r := New()
	r.Began()
	r.Began()
	r.Ended("GET /x/{id}", 200, 30*time.Millisecond, false)
	r.Began()
	r.Ended("", 404, time.Hour, true)
	r.Add(func(s *Sink) {
		s.Gauge("tianbao_a", "A.", 1, "kind", "x")
		s.Gauge("tianbao_a", "A.", 2, "kind", "y\"\n")
		s.Counter("tianbao_b_total", "B.", 3)
		s.Histogram("tianbao_c", "C.", []float64{1, 2}, []uint64{4, 0, 5}, 60)
	})
	got := text(t, r)
	for _, want := range []string{
		`tianbao_http_in_flight 1`,
		`tianbao_http_requests_total{code="200",route="GET /x/{id}"} 1`,
		`tianbao_http_requests_total{code="404",route="none"} 1`,
		`tianbao_http_request_seconds_bucket{route="GET /x/{id}",le="0.025"} 0`,
		`tianbao_http_request_seconds_bucket{route="GET /x/{id}",le="0.1"} 1`,
		`# HELP tianbao_a A.`, `# TYPE tianbao_b_total counter`, `tianbao_a{kind="x"} 1`, `tianbao_a{kind="y\"\n"} 2`, `tianbao_b_total 3`,
		`tianbao_c_bucket{le="1"} 4`, `tianbao_c_bucket{le="2"} 4`, `tianbao_c_bucket{le="+Inf"} 9`, `tianbao_c_sum 60`, `tianbao_c_count 9`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(got, `tianbao_http_request_seconds_count{route="none"}`) {
		t.Error("a stream is among the latencies")
	}
}

// One figure that is wrong does not keep the others back.
func TestOneIsWrong(t *testing.T) {
	r := New()
	r.Add(func(s *Sink) {
		s.Gauge("tianbao a", "A.", 1)
		s.Gauge("tianbao_b", "B.", 2)
	})
	if got := text(t, r); !strings.Contains(got, "tianbao_b 2\n") || strings.Contains(got, "tianbao a") {
		t.Errorf("got %s", got)
	}
}
