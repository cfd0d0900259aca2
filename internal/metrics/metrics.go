// Package metrics tells Prometheus how the program fares: a registry of its own, the
// figures of requests, and figures that are gathered when they are asked for.
//
// Rules: names begin with tianbao_ and have a help text; labels come from closed or
// bounded sets (route patterns, statuses, kinds of events, open collections), never from
// what somebody sent. Dangers: whoever reads the figures learns how busy an office is, so
// they are served on an address of their own; nothing about a person or a unit may become
// a label or a value.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Registry holds all figures of a server. Its zero value is of no use; call New.
type Registry struct {
	reg *prometheus.Registry

	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

// New returns a registry with the figures of the process, of Go's run time and of
// requests.
func New() *Registry {
	r := &Registry{
		reg: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tianbao_http_requests_total", Help: "Requests answered, by route pattern and status.",
		}, []string{"route", "code"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tianbao_http_request_seconds", Help: "Time from a request's head to the end of its answer, by route pattern; event streams are left out.",
			Buckets: []float64{.005, .025, .1, .25, .5, 1, 2.5, 10, 60},
		}, []string{"route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tianbao_http_in_flight", Help: "Requests being answered, event streams among them.",
		}),
	}
	r.reg.MustRegister(r.requests, r.latency, r.inFlight,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Began is told of the beginning of a request.
func (r *Registry) Began() { r.inFlight.Inc() }

// Ended is told of its end. route is the pattern that the request matched, "" where it
// came to none; stream: the answer was an event stream, whose length says nothing.
func (r *Registry) Ended(route string, status int, took time.Duration, stream bool) {
	r.inFlight.Dec()
	if route == "" {
		route = "none"
	}
	r.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if !stream {
		r.latency.WithLabelValues(route).Observe(took.Seconds())
	}
}

// Add has fn called at each scrape; it must be safe for concurrent use. The same name
// must always come with the same help and labels.
func (r *Registry) Add(fn func(*Sink)) { r.reg.MustRegister(gatherer(fn)) }

// Handler serves the figures as text. A figure that cannot be gathered does not keep the
// others back.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4})
}

// gatherer is a collector that does not say beforehand what it gathers.
type gatherer func(*Sink)

// Describe implements prometheus.Collector.
func (gatherer) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (g gatherer) Collect(ch chan<- prometheus.Metric) { g(&Sink{ch: ch}) }

// Sink takes figures during a scrape. Labels are names and values in turn.
type Sink struct{ ch chan<- prometheus.Metric }

// Gauge is a figure that goes up and down.
func (s *Sink) Gauge(name, help string, v float64, labels ...string) {
	s.put(name, help, prometheus.GaugeValue, v, labels)
}

// Counter is a figure that only grows while the process lives.
func (s *Sink) Counter(name, help string, v float64, labels ...string) {
	s.put(name, help, prometheus.CounterValue, v, labels)
}

// Histogram are counts by size: counts has one more than bounds, of what is above them.
func (s *Sink) Histogram(name, help string, bounds []float64, counts []uint64, sum float64, labels ...string) {
	buckets := make(map[float64]uint64, len(bounds))
	total := uint64(0)
	for i, n := range counts {
		if total += n; i < len(bounds) {
			buckets[bounds[i]] = total
		}
	}
	names, values := halves(labels)
	m, err := prometheus.NewConstHistogram(prometheus.NewDesc(name, help, names, nil), total, sum, buckets, values...)
	s.send(m, err, name, help)
}

func (s *Sink) put(name, help string, kind prometheus.ValueType, v float64, labels []string) {
	names, values := halves(labels)
	m, err := prometheus.NewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, v, values...)
	s.send(m, err, name, help)
}

func (s *Sink) send(m prometheus.Metric, err error, name, help string) {
	if err != nil {
		m = prometheus.NewInvalidMetric(prometheus.NewDesc(name, help, nil, nil), err)
	}
	s.ch <- m
}

func halves(labels []string) (names, values []string) {
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	return names, values
}
