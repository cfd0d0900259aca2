package browser

import (
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
)

// SlowCPU makes the page's processor rate times as slow; 1 is its own speed.
func (p *Page) SlowCPU(rate float64) {
	p.t.Helper()
	call(p, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: rate})
}

// SlowNetwork gives the page a line of so many Mbit/s and milliseconds of round trip.
func (p *Page) SlowNetwork(mbps, roundTrip float64) {
	p.t.Helper()
	call(p, network.Enable, network.EnableParams{})
	bytes := mbps * 1e6 / 8
	call(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: roundTrip, DownloadThroughput: bytes, UploadThroughput: bytes}},
	})
}

// NoCache makes the page load everything anew, as on a first visit.
func (p *Page) NoCache() {
	p.t.Helper()
	call(p, network.Enable, network.EnableParams{})
	call(p, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
}

// Before runs JavaScript in every document the page loads from now on, before any
// script of its own.
func (p *Page) Before(js string) {
	p.t.Helper()
	call(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: js})
}

// CPU returns the milliseconds that the page's main thread has worked: other programs
// on the machine do not count. A browser may give a new page a new process, where
// counting begins anew; to measure loading, begin in a tab that shows about:blank.
func (p *Page) CPU() float64 {
	p.t.Helper()
	for _, m := range ask(p, performance.GetMetrics, cdp.Empty{}).Metrics {
		if m.Name == "TaskDuration" {
			return m.Value * 1000
		}
	}
	return 0
}

// CountCPU makes [Page.CPU] count the thread's own time instead of the clock's.
func (p *Page) CountCPU() {
	p.t.Helper()
	call(p, performance.Disable, cdp.Empty{}) // the clock is chosen when counting begins
	call(p, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
}

// Alive is what a page holds after a garbage collection.
type Alive struct {
	Nodes, Listeners, Heap float64
}

// Alive collects garbage and counts what stays.
func (p *Page) Alive() Alive {
	p.t.Helper()
	call(p, performance.Disable, cdp.Empty{})
	call(p, performance.Enable, performance.EnableParams{})
	for range 3 { // what a finaliser frees is collected by the next
		call(p, heapprofiler.CollectGarbage, cdp.Empty{})
		p.Frame()
	}
	var a Alive
	for _, m := range ask(p, performance.GetMetrics, cdp.Empty{}).Metrics {
		switch m.Name {
		case "Nodes":
			a.Nodes = m.Value
		case "JSEventListeners":
			a.Listeners = m.Value
		case "JSHeapUsedSize":
			a.Heap = m.Value
		}
	}
	return a
}
