package e2e

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"

	"tianbao/internal/form"
	"tianbao/internal/load"
)

// In little memory many large uploads, imports and exports at once are partly turned away
// with a time after which to come back; the server goes on, and what it needs stays below
// what it has.
func TestLittleMemory(t *testing.T) {
	mb := 400
	if m, err := strconv.Atoi(os.Getenv("TIANBAO_TEST_MB")); err == nil {
		mb = m
	}
	data := t.TempDir()
	seed(t, data, "")
	s := startIn(t, data, "", "--demo", "--memory", fmt.Sprintf("%dMiB", mb))
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	f, err := w.CreateFormFile("file", "big.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if err := bigFile(f); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	c := s.client(t, "unit")
	rep := c.ownReport()
	var mu sync.Mutex
	answers := map[string]int{}
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			path, method, kind, b := "/reports/"+rep.ID+"/imports", "POST", w.FormDataContentType(), body.Bytes()
			if i%4 == 0 {
				path, method, kind, b = "/reports/"+rep.ID+"/export", "GET", "", nil
			}
			res, _, err := c.try(method, path, kind, bytes.NewReader(b))
			what := "cut off"
			if err == nil {
				what = fmt.Sprint(method, " ", res.StatusCode, " ", res.Header.Get("Retry-After") != "")
			}
			mu.Lock()
			answers[what]++
			mu.Unlock()
		})
	}
	all.Wait()
	usage := load.UsageOf(s.cmd.Process.Pid)
	t.Logf("%v; %d MB at most", answers, usage.Peak>>20)
	if res, _ := c.do("GET", "/readyz", "", nil); res.StatusCode != http.StatusOK {
		t.Errorf("/readyz answers %d\n%s", res.StatusCode, s.log)
	}
	if used := int(usage.Peak >> 20); !usage.Readable || used > mb {
		t.Errorf("it took %d MB of %d", used, mb)
	}
	if answers["POST 503 true"] == 0 || answers["cut off"] > 0 || answers["GET 200 false"] == 0 {
		t.Errorf("answers: %v", answers)
	}
}

// bigFile writes what is no workbook, as large as one may be or nearly; in a long test, a
// workbook of sixty thousand rows.
func bigFile(w io.Writer) error {
	if os.Getenv("TIANBAO_TEST_LONG") == "" {
		_, err := io.CopyN(w, rand.Reader, 10<<20)
		return err
	}
	forms, err := form.Builtin()
	if err != nil {
		return err
	}
	rows := make([]load.Row, 60_000)
	for i := range rows {
		who := person(i % 900)
		for k, key := range load.Fields() {
			rows[i].Cells[k] = who[key]
		}
	}
	book, err := load.BookOf(forms.Latest("asset-role"))(rows)
	if err == nil {
		_, err = w.Write(book)
	}
	return err
}
