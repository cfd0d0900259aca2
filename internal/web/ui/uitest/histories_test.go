package uitest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	"tianbao/internal/browser"
)

// bundled opens an empty page with a script of testdata, which takes what it tests out of
// the sheet's and the page's own files.
func bundled(t *testing.T, name string) *browser.Page {
	t.Helper()
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	built := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join(dir, name)},
		Bundle:      true, Format: api.FormatIIFE, Engines: []api.Engine{{Name: api.EngineChrome, Version: "90"}}, LogLevel: api.LogLevelSilent,
	})
	if len(built.Errors) > 0 {
		t.Fatal(built.Errors[0].Text)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/script.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(built.OutputFiles[0].Contents)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><meta charset="utf-8"><title>test</title><script src="/script.js"></script>`)
	}))
	ends(t, srv)
	return browser.Start(t).Open(t, srv.URL)
}

// A thousand random histories of two clerks, one of them at two machines: edits, pastes,
// undos, saves whose answer is lost, crashes and merges. No cell is lost, doubled or invented.
// Each run tries others, after those that failed once; a failure names its seed, and
// TIANBAO_HISTORY=seed TIANBAO_HISTORIES=1 plays it again. More of them at a time are more.
func TestHistories(t *testing.T) {
	p := bundled(t, "histories.ts")
	p.Wait(`window.histories`)
	play := func(seed, count int) {
		if wrong := browser.Eval[string](p, fmt.Sprintf(`histories(%d, %d)`, seed, count)); wrong != "" {
			t.Error(wrong)
		}
	}
	for _, seed := range []int{
		3_004_189,  // what was changed after a refused save forgot what it was made on, and the row was lost
		3_003_398,  // a row that a save without an answer had changed came back though it was deleted after that
		50_395_551, // the same with another's save between
		3_028_276,  // a row that was brought back over its deletion stood twice, once for each of two drafts
		59_835_519, // and was stored twice
		97_850_270, // and so from two machines
		10_079_670, // and stood twice again after the restored changes were undone
		10_015_939, // a draft deleted a row that held what was typed at the other machine
		6_000_269,  // and what one draft typed was dropped where the other had deleted the row
		2_028_378,  // the model's own: a save that was sent again and happened only then was the base of what came after it
	} {
		play(seed, 1)
	}
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return otherwise
	}
	seed, count := number("TIANBAO_HISTORY", int(time.Now().UnixNano()%100_000_000)), number("TIANBAO_HISTORIES", 1000)
	const piece = 50 // at once, so that no single evaluation is long
	for i := 0; i < count; i += piece {
		play(seed+i, min(piece, count-i))
	}
}
