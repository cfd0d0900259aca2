package browser

import (
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Profile is a Chromium with a profile folder of its own, which can crash and be
// started again.
type Profile struct {
	*Browser
	cmd *exec.Cmd
}

// StartProfile starts a Chromium on a profile folder; it ends with the test.
func StartProfile(t testing.TB, dir string) *Profile {
	t.Helper()
	p := &Profile{}
	p.Browser = launchIn(t, dir, chromedp.Flag("headless", "new"), chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) { p.cmd = cmd }))
	return p
}

// Kill ends the browser as a crash does.
func (p *Profile) Kill(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // its helpers notice and end
}

// Offline cuts the tab off the network, or connects it again.
func (p *Page) Offline(off bool) {
	p.t.Helper()
	call(p, network.Enable, network.EnableParams{})
	call(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}},
	})
}
