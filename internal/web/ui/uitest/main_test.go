package uitest

import (
	"os"
	"testing"

	"tianbao/internal/browser"
)

func TestMain(m *testing.M) {
	code := m.Run()
	browser.End()
	os.Exit(code)
}
