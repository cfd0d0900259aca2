package browser

import (
	"context"
	"encoding/json"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
)

// Span is one piece of work of one of the browser's threads, as its trace tells it.
type Span struct {
	Name string  `json:"name"`
	CPU  float64 `json:"tdur"` // microseconds that the thread itself worked
	Wall float64 `json:"dur"`  // microseconds from its beginning to its end
}

// Trace records what all threads of the browser do meanwhile. The categories are those of
// chrome://tracing; each costs time of its own, so nothing else is to be measured then.
func (p *Page) Trace(do func(), categories ...string) []Span {
	p.t.Helper()
	ctx, stop := context.WithCancel(p.Ctx)
	defer stop()
	var parts []*tracing.EventDataCollected
	whole := make(chan bool)
	err := chromedp.ListenBrowser(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *tracing.EventDataCollected:
			parts = append(parts, ev)
		case *tracing.EventTracingComplete:
			close(whole)
		}
	})
	if err != nil {
		p.t.Fatalf("listen to the trace: %v", err)
	}
	_, err = chromedp.CallBrowser(p.Ctx, tracing.Start, tracing.StartParams{TraceConfig: &tracing.TraceConfig{IncludedCategories: categories}})
	if err != nil {
		p.t.Fatalf("start a trace: %v", err)
	}
	do()
	if _, err := chromedp.CallBrowser(p.Ctx, tracing.End, cdp.Empty{}); err != nil {
		p.t.Fatalf("end the trace: %v", err)
	}
	select {
	case <-whole:
	case <-time.After(Patience):
		p.t.Fatalf("the trace is not there after %v", Patience)
	}
	var spans []Span
	for _, part := range parts {
		for _, raw := range part.Value {
			var s Span
			// Other kinds of entries have other fields; they are not work.
			if json.Unmarshal(raw, &s) == nil && s.Wall > 0 {
				spans = append(spans, s)
			}
		}
	}
	return spans
}

// Garbage returns the bytes that the page took from its heaps meanwhile, script's and
// document's, after a collection. One in between makes it less: repeat, and take the most.
func (p *Page) Garbage(do func()) float64 {
	p.t.Helper()
	call(p, heapprofiler.CollectGarbage, cdp.Empty{})
	before := ask(p, runtime.GetHeapUsage, cdp.Empty{})
	do()
	after := ask(p, runtime.GetHeapUsage, cdp.Empty{})
	return after.UsedSize + after.EmbedderHeapUsedSize - before.UsedSize - before.EmbedderHeapUsedSize
}
