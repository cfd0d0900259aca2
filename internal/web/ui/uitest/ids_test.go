package uitest

import (
	"testing"

	"tianbao/internal/browser"
)

func TestRowsByID(t *testing.T) {
	if wrong := browser.Eval[string](bundled(t, "ids.ts"), `ids()`); wrong != "" {
		t.Error(wrong)
	}
}
