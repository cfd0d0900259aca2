package app

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCgroupFiles(t *testing.T) {
	for groups, want := range map[string][]string{
		"0::/system.slice/tianbao.service\n": {
			"/sys/fs/cgroup/system.slice/tianbao.service/memory.max", "/sys/fs/cgroup/system.slice/memory.max", "/sys/fs/cgroup/memory.max",
		},
		"3:cpu:/a\n4:memory:/a\n": {"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes"},
		"0::/../../x\nodd\n":      {"/sys/fs/cgroup/x/memory.max", "/sys/fs/cgroup/memory.max"},
	} {
		if diff := cmp.Diff(want, cgroupFiles(groups)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestReadOnly(t *testing.T) {
	maps := `00400000-01380000 r-xp 00000000 fe:00 123 /opt/tian bao/tianbao
01380000-02100000 r--p 00f80000 fe:00 123 /opt/tian bao/tianbao
02100000-021c0000 rw-p 01d00000 fe:00 123 /opt/tian bao/tianbao
c000000000-c000400000 rw-p 00000000 00:00 0
7f0000000000-7f0000100000 r--s 00000000 fe:00 124 /opt/tian bao/tianbao
7f0000200000-7f0000300000 r-xp 00000000 fe:00 125 /lib/libc.so.6
odd
`
	want := [][2]uintptr{{0x400000, 0x1380000}, {0x1380000, 0x2100000}}
	if diff := cmp.Diff(want, readOnly(maps, "/opt/tian bao/tianbao")); diff != "" {
		t.Error(diff)
	}
}

// What the program's file takes is given back, and the program goes on.
func TestDropProgram(t *testing.T) {
	held := func() int {
		b, err := os.ReadFile("/proc/self/status")
		m := regexp.MustCompile(`RssFile:\s+(\d+) kB`).FindSubmatch(b)
		if err != nil || m == nil {
			t.Fatal("the kernel does not tell", err)
		}
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := held()
	dropProgram()
	if after := held(); after > before*3/4 {
		t.Errorf("%d kB of files are held, %d before", after, before)
	}
}
