package app

import (
	"io"
	"log/slog"
	"math"
	"runtime/debug"
	"testing"
)

func TestKeepMemory(t *testing.T) {
	was := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(was) })
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	for _, c := range []struct {
		name, said, env string
		want, collector int64
		fails           bool
	}{
		{"the operator's word", "1GiB", "", 1 << 30, 858993459 + slack, false},
		{"the environment goes before it", "1GiB", "400MiB", 500 << 20, math.MaxInt64, false},
		{"no amount", "much", "", 0, math.MaxInt64, true},
		{"too little", "100MiB", "", 0, math.MaxInt64, true},
		{"negative", "-1", "", 0, math.MaxInt64, true},
		{"beyond all", "9223372036854775807TiB", "", 0, math.MaxInt64, true},
	} {
		debug.SetMemoryLimit(math.MaxInt64)
		got, err := keepMemory(c.said, func(string) string { return c.env }, log)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: %d %v", c.name, got, err)
		}
		if got := debug.SetMemoryLimit(-1); got != c.collector {
			t.Errorf("%s: the collector keeps to %d, want %d", c.name, got, c.collector)
		}
	}
	if got, err := keepMemory("", func(string) string { return "" }, log); err != nil || got < 0 {
		t.Errorf("without a word: %d %v", got, err)
	}
}
