package sheet

import (
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func toGBK(t testing.TB, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
