package browser

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// shared is the Chromium that tests share: to start one takes longer than most tests.
var shared sharedBrowser

type sharedBrowser struct {
	mu  sync.Mutex
	dir string
	ctx context.Context //nolint:containedctx // a browser is one to chromedp
	end func()
}

// Start gives the test a Chromium without a window: the one that is there, as somebody
// who was never there before, until the test ends. Where it does not live any more another
// one is started.
func Start(t testing.TB) *Browser {
	t.Helper()
	need(t)
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.live(t)
	ctx, leave := chromedp.NewContext(shared.ctx, chromedp.WithNewBrowserContext())
	life := time.AfterFunc(Life, shared.end)
	t.Cleanup(func() {
		life.Stop()
		leave()
	})
	return settle(t, ctx, shared.end)
}

// live starts a Chromium where none lives.
func (s *sharedBrowser) live(t testing.TB) {
	t.Helper()
	if s.ctx != nil {
		select {
		case <-chromedp.FromContext(s.ctx).Browser.LostConnection:
			s.close()
		default:
			return
		}
	}
	dir, err := os.MkdirTemp("", "tianbao-browser-")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := begin(t, dir, chromedp.Flag("headless", "new"))
	if err := come(ctx, end); err != nil {
		end()
		_ = os.RemoveAll(dir)
		t.Fatalf("start Chromium: %v", err)
	}
	s.dir, s.ctx, s.end = dir, ctx, end
}

// close ends what is there. Its helpers may still be writing; what stays is in the system's
// temporary folder.
func (s *sharedBrowser) close() {
	if s.ctx == nil {
		return
	}
	s.end()
	s.ctx = nil
	_ = os.RemoveAll(s.dir)
}

// Run runs the tests of a package and ends the Chromium that they shared.
func Run(m *testing.M) (code int) {
	defer shared.close()
	return m.Run()
}
