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

// dropProgram lets go of the pages of the program's own file, which are most of what an idle
// server holds. What only the start used stays away; the rest comes back from the system's
// cache when it is touched. Written pages are not the file's any more and stay.
func dropProgram() {
	const dontNeed = 4 // MADV_DONTNEED
	file, err := os.Executable()
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for _, m := range readOnly(string(maps), file) {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m[0], m[1]-m[0], dontNeed) // a favour, not a duty
	}
}

// readOnly returns where a file is mapped without leave to write.
func readOnly(maps, file string) (out [][2]uintptr) {
	for line := range strings.Lines(maps) {
		// address perms offset dev inode path; a path may hold blanks
		f := strings.Fields(line)
		if len(f) < 6 || !strings.HasSuffix(strings.TrimSuffix(line, "\n"), " "+file) || len(f[1]) != 4 || f[1][0] != 'r' || f[1][1] != '-' || f[1][3] != 'p' {
			continue
		}
		from, to, _ := strings.Cut(f[0], "-")
		a, err1 := strconv.ParseUint(from, 16, strconv.IntSize)
		b, err2 := strconv.ParseUint(to, 16, strconv.IntSize)
		if err1 == nil && err2 == nil && a < b {
			out = append(out, [2]uintptr{uintptr(a), uintptr(b)})
		}
	}
	return out
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
