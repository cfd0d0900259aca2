package sheet

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// opened opens a file of any format with the usual limits.
func opened(t testing.TB, b []byte) (book, error) {
	t.Helper()
	limits := DefaultLimits()
	return open(context.Background(), bytes.NewReader(b), int64(len(b)), "表.xls", &limits, &budget{left: limits.Memory}, "")
}

// view writes what a book holds, one line a cell: address, kind, marks and text.
func view(t testing.TB, b []byte) string {
	t.Helper()
	bk, err := opened(t, b)
	if err != nil {
		t.Fatal(err, messageOf(err))
	}
	var out strings.Builder
	for i, info := range bk.sheets() {
		fmt.Fprintf(&out, "[%s", info.Name)
		if info.Hidden {
			out.WriteString(" hidden")
		}
		out.WriteString("]\n")
		merges, err := bk.rows(context.Background(), i, func(r *RowData) error {
			for _, c := range r.Cells {
				fmt.Fprintf(&out, "%s %s", Address(c.Col, r.Num), [...]string{"text", "number", "bool", "error", "date"}[c.Kind])
				if c.Formula {
					out.WriteString(" formula")
				}
				if c.NumFmt.Date && c.Kind == Number {
					out.WriteString(" asdate")
				}
				if c.NumFmt.Zeros > 0 && c.Kind == Number {
					fmt.Fprintf(&out, " zeros%d", c.NumFmt.Zeros)
				}
				if r.Hidden {
					out.WriteString(" hidden")
				}
				fmt.Fprintf(&out, " %s\n", strings.ReplaceAll(string(c.Raw), "\n", "⏎"))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range merges {
			fmt.Fprintf(&out, "merged %s:%s\n", Address(int(m.Col1), int(m.Row1)), Address(int(m.Col2), int(m.Row2)))
		}
	}
	return out.String()
}

// lines joins what view is expected to give.
func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }

// mustView compares a view.
func mustView(t *testing.T, want string, file []byte) {
	t.Helper()
	if d := cmp.Diff(want, view(t, file)); d != "" {
		t.Errorf("cells (-want +got):\n%s", d)
	}
}

// mustRefuse wants an error that can be shown, of the code given, whether the file
// fails when it is opened or when its rows are read.
func mustRefuse(t *testing.T, code string, file []byte) {
	t.Helper()
	bk, err := opened(t, file)
	n := 0
	if err == nil {
		for i := range bk.sheets() {
			if _, err = bk.rows(context.Background(), i, func(*RowData) error { n++; return nil }); err != nil {
				err = blame("test", err)
				break
			}
		}
	}
	if err == nil {
		t.Fatalf("accepted with %d rows", n)
	}
	if got := codeOf(t, err); got != code {
		t.Errorf("code %q (%v), want %q", got, err, code)
	}
}

// formTable gives rows for a file in another format: the header, then n people.
func formTable(n int) [][]string {
	out := [][]string{titles}
	for i := range n {
		out = append(out, append([]string{fmt.Sprint(i + 1)}, person(i)...))
	}
	return out
}
