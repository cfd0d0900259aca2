package sheetbench

import (
	"os"
	"testing"

	"tianbao/internal/browser"
)

func TestMain(m *testing.M) { os.Exit(browser.Run(m)) }
