package web

import (
	"fmt"
	"strings"
	"testing"

	"rsc.io/qr"
)

// The path paints the code's black squares and no others, within the quiet zone.
func TestQRPath(t *testing.T) {
	for _, text := range []string{"http://127.0.0.1:8080/activate?code=WPP3-WMH3-9KRT-6X67", strings.Repeat("otpauth", 20)} {
		q, err := newQR(text)
		if err != nil {
			t.Fatal(err)
		}
		black := make(map[[2]int]bool)
		for run := range strings.SplitSeq(strings.TrimSuffix(q.Path, "z"), "z") {
			var x, y, n, back int
			if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%d", &x, &y, &n, &back); err != nil || n != back || n < 1 {
				t.Fatalf("run %q: %v", run, err)
			}
			for i := range n {
				black[[2]int{x + i, y}] = true
			}
		}
		c, err := qr.Encode(text, qr.M)
		if err != nil {
			t.Fatal(err)
		}
		if q.Size != c.Size+8 {
			t.Errorf("size %d of a code of %d", q.Size, c.Size)
		}
		for y := range q.Size {
			for x := range q.Size {
				if want := c.Black(x-4, y-4); black[[2]int{x, y}] != want {
					t.Fatalf("square %d,%d: black %v, want %v", x, y, !want, want)
				}
			}
		}
	}
}
