package uitest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	"tianbao/internal/browser"
)

// A thousand random histories of two clerks, one of them at two machines: edits, pastes,
// undos, saves whose answer is lost, crashes and merges. No cell is lost, doubled or invented. Each run tries
// others; a failure names its seed.
func TestHistories(t *testing.T) {
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	built := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join(dir, "histories.ts")},
		Bundle:      true, Format: api.FormatIIFE, Engines: []api.Engine{{Name: api.EngineChrome, Version: "90"}}, LogLevel: api.LogLevelSilent,
	})
	if len(built.Errors) > 0 {
		t.Fatal(built.Errors[0].Text)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/histories.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(built.OutputFiles[0].Contents)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><meta charset="utf-8"><title>histories</title><script src="/histories.js"></script>`)
	}))
	ends(t, srv)
	p := browser.Start(t).Open(t, srv.URL)
	p.Wait(`window.histories`)
	// A row was deleted by a save without an answer and brought back; what another person
	// made of it meanwhile was deleted with it after a crash.
	for _, seed := range []int{66_936_395} {
		if wrong := browser.Eval[string](p, fmt.Sprintf(`histories(%d, 1)`, seed)); wrong != "" {
			t.Error(wrong)
		}
	}
	seed := int(time.Now().UnixNano() % 100_000_000)
	const piece = 50 // at once, so that no single evaluation is long
	for i := 0; i < 1000; i += piece {
		if wrong := browser.Eval[string](p, fmt.Sprintf(`histories(%d, %d)`, seed+i, piece)); wrong != "" {
			t.Fatal(wrong)
		}
	}
}
