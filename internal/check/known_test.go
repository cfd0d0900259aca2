package check

import (
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/form"
)

// TestLeadingZeros asks the register, and only for codes that are right.
func TestLeadingZeros(t *testing.T) {
	forms, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f := forms.Latest("asset-role")
	var asked []string
	c, err := New(f, func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }, KnownCodes(func(code string) (string, bool) {
		asked = append(asked, code)
		return "001001", strings.TrimLeft("001001", "0") == strings.TrimLeft(code, "0")
	}))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ code, want string }{{"1001", "budget_code.leading_zeros"}, {"001001", ""}, {"1002", ""}, {"", ""}, {"1001.0", "budget_code.float"}}
	for _, tt := range tests {
		row := tianbao.Row{Values: make([]string, len(f.Fields))}
		row.Values[f.Index("budget_code")] = tt.code
		got := ""
		for _, p := range c.Row(nil, 0, &row) {
			if p.Field == "budget_code" {
				got = p.Code
				if got == tt.want && strings.HasSuffix(got, "zeros") && (p.Severity != tianbao.SeverityHint || !strings.Contains(p.Message, "“001001”")) {
					t.Errorf("%s: %s %s", tt.code, p.Severity, p.Message)
				}
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.code, got, tt.want)
		}
	}
	if strings.Join(asked, " ") != "1001 001001 1002" {
		t.Errorf("asked for %q", asked)
	}
}
