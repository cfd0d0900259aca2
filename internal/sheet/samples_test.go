package sheet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/form"
)

// newChecker returns the checker of the published form on a fixed day.
func newChecker(t testing.TB) *check.Checker {
	t.Helper()
	r, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c, err := check.New(r.Latest("asset-role"), func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func readBytes(t testing.TB, c *check.Checker, b []byte, name string) (*tianbao.Import, error) {
	t.Helper()
	return Read(context.Background(), bytes.NewReader(b), int64(len(b)), name, c, ReadOptions{})
}

// codeOf returns the code of a workbook error, failing the test when the error is
// none or its message is not fit to be shown.
func codeOf(t testing.TB, err error) string {
	t.Helper()
	var e *tianbao.Error
	if !errors.As(err, &e) {
		t.Fatalf("not a workbook error: %v", err)
	}
	if e.Message == "" || !bytes.HasSuffix([]byte(e.Message), []byte("。")) {
		t.Errorf("message is not a sentence: %q", e.Message)
	}
	return e.Code
}

type sample struct {
	Note   string
	Rows   [][]*string
	Issues [][3]any
	Error  string
}

// rowsOf gives the rows as expected.json has them: the row number and the cells.
func rowsOf(imp *tianbao.Import) [][]string {
	out := make([][]string, 0, len(imp.Rows))
	for _, r := range imp.Rows {
		out = append(out, append([]string{r.Seq}, r.Row.Values...))
	}
	return out
}

func (s *sample) rows() [][]string {
	out := make([][]string, 0, len(s.Rows))
	for _, r := range s.Rows {
		row := make([]string, len(r))
		for i, v := range r {
			if v != nil {
				row[i] = *v
			}
		}
		out = append(out, row)
	}
	return out
}

// TestSamples holds every given workbook against what form.md says of it: the
// rows, every expected issue, and no error or justify issue beside them.
func TestSamples(t *testing.T) {
	b, err := os.ReadFile("testdata/samples/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]*sample
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("testdata/samples/s*.*")
	if len(files) != len(all) {
		t.Fatalf("%d files for %d expectations", len(files), len(all))
	}
	c := newChecker(t)
	for name, want := range all {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata/samples", name))
			if err != nil {
				t.Fatal(err)
			}
			imp, err := readBytes(t, c, b, name)
			switch {
			case want.Error == "any":
				if err != nil {
					t.Fatal(err, messageOf(err))
				}
				if n := len(imp.Rows); n != 3 || imp.Rows[n-1].Row.Values[7] == "" {
					t.Errorf("%d rows", n)
				}
				compareIssues(t, want.Issues, c.Imported(imp))
			case want.Error != "":
				if code := codeOf(t, err); code != want.Error {
					t.Errorf("code %q, want %q", code, want.Error)
				}
				if imp != nil {
					t.Error("rows beside an error")
				}
			case err != nil:
				t.Fatal(err)
			default:
				if d := cmp.Diff(want.rows(), rowsOf(imp)); d != "" {
					t.Errorf("rows (-want +got):\n%s", d)
				}
				compareIssues(t, want.Issues, c.Imported(imp))
			}
		})
	}
}

func compareIssues(t *testing.T, want [][3]any, got []tianbao.Problem) {
	t.Helper()
	used := make([]bool, len(got))
	for _, w := range want {
		found := false
		for i, p := range got {
			field, _ := w[1].(string)
			if p.Row+1 == int(w[0].(float64)) && p.Field == field && (w[2] == nil || w[2] == p.Code) {
				used[i], found = true, true
			}
		}
		if !found {
			t.Errorf("missing issue %v", w)
		}
	}
	for i, p := range got {
		if !used[i] && p.Severity != tianbao.SeverityHint {
			t.Errorf("unexpected %s %s in row %d field %q", p.Severity, p.Code, p.Row+1, p.Field)
		}
	}
}

func messageOf(err error) string {
	var e *tianbao.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return ""
}
