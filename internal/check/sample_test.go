package check_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/clock"
	"tianbao/internal/form"
)

// noon is the day against which the tests hold birth dates: the last of the
// notice for the units of the province.
func noon() time.Time { return time.Date(2022, 9, 23, 12, 0, 0, 0, clock.Shanghai) }

func newChecker(t testing.TB) *check.Checker {
	t.Helper()
	r, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c, err := check.New(r.Get("asset-role", 1), noon)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSamples holds the rows of the sample workbooks, as they come out of the
// reader, against the faults that the samples were made with.
func TestSamples(t *testing.T) {
	b, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var files map[string]struct {
		Rows   [][]*string
		Issues [][3]any
	}
	if err := json.Unmarshal(b, &files); err != nil {
		t.Fatal(err)
	}
	c := newChecker(t)
	rows := 0
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			imp := &tianbao.Import{}
			for i, cells := range file.Rows {
				r := tianbao.ImportedRow{Row: tianbao.Row{Seq: i + 1, Values: make(tianbao.Values, 8)}}
				for k, v := range cells {
					switch {
					case v == nil:
					case k == 0:
						r.Seq = *v
					default:
						r.Row.Values[k-1] = *v
						if got := c.Normalize(k-1, *v); got != *v {
							t.Errorf("row %d column %d is no fixed point of its normaliser", i+1, k)
						}
					}
				}
				imp.Rows = append(imp.Rows, r)
				rows++
			}
			var got, want []string
			ps := c.Imported(imp)
			for _, p := range ps {
				got = append(got, fmt.Sprint(p.Row+1, p.Field, p.Code))
			}
			for i, x := range file.Issues {
				field, code := x[1], x[2]
				if field == nil {
					field = ""
				}
				if code == nil && i < len(ps) { // any code
					code = ps[i].Code
				}
				want = append(want, fmt.Sprint(x[0], field, code))
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
	if rows < 50 {
		t.Errorf("%d rows in the samples, want at least 50", rows)
	}
}
