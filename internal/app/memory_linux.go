package app

import (
	"math"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// memoryOf returns how much memory the machine has, and how much of it the system allows this
// process, 0: all of it.
func memoryOf() (machine, allowed int64) {
	var info syscall.Sysinfo_t
	if syscall.Sysinfo(&info) == nil {
		machine = int64(min(info.Totalram*uint64(info.Unit), math.MaxInt64)) //#nosec G115 -- bounded
	}
	allowed = machine
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err == nil {
		for _, file := range cgroupFiles(string(groups)) {
			if text, err := os.ReadFile(file); err == nil { //#nosec G304 -- named by the kernel
				if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 { // "max" is no number
					allowed = min(allowed, n)
				}
			}
		}
	}
	if allowed == machine {
		allowed = 0
	}
	return machine, allowed
}

// cgroupFiles returns where limits of memory may stand: of the process's own group, of those
// above it, and of the root, which is the container's own where it sees no other.
func cgroupFiles(groups string) (out []string) {
	for line := range strings.Lines(groups) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		root, name := "", ""
		switch {
		case parts[1] == "":
			root, name = "/sys/fs/cgroup", "memory.max"
		case strings.Contains(","+parts[1]+",", ",memory,"):
			root, name = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			out = append(out, path.Join(root, dir, name))
			if dir == "/" {
				break
			}
		}
	}
	return out
}
