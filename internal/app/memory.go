package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// leastMemory is what the server needs to do its work one thing after another.
const leastMemory = 256 << 20

// memoryShare is the part of the limit that the collector is told to keep to. The rest is what
// it does not know of: SQLite's pages, stacks, what the kernel keeps of the process.
const memoryShare = .8

// keepMemory finds how much memory the program may take: what the operator says, else what the
// system allows it (cgroup), else half of the machine, beside which something
// else may run. In the first two cases the collector keeps to it, unless GOMEMLIMIT says so
// already. 0: nobody knows.
func keepMemory(said string, getenv func(string) string, log *slog.Logger) (int64, error) {
	limit, err := saidMemory(said)
	if err != nil {
		return 0, err
	}
	machine, allowed := memoryOf()
	if limit == 0 {
		limit = allowed
	}
	if env, err := parseBytes(getenv("GOMEMLIMIT")); err == nil && env > 0 {
		return int64(float64(env) / memoryShare), nil
	}
	if limit == 0 {
		return machine / 2, nil
	}
	debug.SetMemoryLimit(int64(float64(limit)*memoryShare) + slack) // which is held and takes nothing
	if log.Info("keeping to a limit of memory", "MB", limit>>20); limit < leastMemory {
		log.Warn("there is too little memory: with large files the system may end the program", "MB", limit>>20, "least", leastMemory>>20)
	}
	return limit, nil
}

// afterStart is when the first rounds of what a server does beside its answers are over.
const afterStart = time.Second

// giveBack gives back what only the start took: pages of the database, the register, code.
func giveBack(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(afterStart):
		debug.FreeOSMemory()
		dropProgram()
	}
}

// saidMemory reads the flag.
func saidMemory(text string) (int64, error) {
	n, err := parseBytes(text)
	if err != nil || text != "" && n < leastMemory {
		return 0, errors.New("--memory 要写成 750MiB 或 2GiB 的样子，至少 256MiB")
	}
	return n, nil
}

// parseBytes reads an amount such as 750MiB, in the units that GOMEMLIMIT has; "" is 0.
func parseBytes(text string) (int64, error) {
	if text == "" || text == "off" {
		return 0, nil
	}
	unit := int64(1)
	for _, u := range []struct {
		name string
		size int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"B", 1}} {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			text, unit = rest, u.size
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/unit {
		return 0, fmt.Errorf("app: %q is no amount of memory", text)
	}
	return n * unit, nil
}
