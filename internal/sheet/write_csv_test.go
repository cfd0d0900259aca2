package sheet

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/clock"
	"tianbao/internal/form"
)

// What goes out as CSV comes in again, and no text of it is a formula on the way.
func TestWriteCSV(t *testing.T) {
	forms, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f := forms.Latest("asset-role")
	row := tianbao.Row{Values: tianbao.Values{"001001", "示例,\"单位\"", "=1+1", "事业单位", "@x", "张示例", "", "+8616000000000"}}
	rows := func(end error) func(func(tianbao.Row, error) bool) {
		return func(yield func(tianbao.Row, error) bool) {
			if yield(row, nil) && end != nil {
				yield(tianbao.Row{}, end)
			}
		}
	}
	var b bytes.Buffer
	if err := WriteCSV(&b, f, rows(nil)); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.HasPrefix(got, "\ufeff序号,单位预算编码,") || !strings.Contains(got, ",'=1+1,") || !strings.Contains(got, ",'@x,") {
		t.Errorf("%q", got)
	}
	c, err := check.New(f, clock.System)
	if err != nil {
		t.Fatal(err)
	}
	imp, err := Read(context.Background(), bytes.NewReader(b.Bytes()), int64(b.Len()), "a.csv", c, ReadOptions{})
	if err != nil || len(imp.Rows) != 1 {
		t.Fatalf("%v", err)
	}
	for k, want := range map[int]string{0: "001001", 1: row.Values[1], 2: "=1+1"} {
		if got := imp.Rows[0].Row.Values[k]; got != want {
			t.Errorf("field %d comes back as %q", k, got)
		}
	}
	broken := errors.New("broken")
	if err := WriteCSV(&b, f, rows(broken)); !errors.Is(err, broken) {
		t.Errorf("a broken store: %v", err)
	}
}
