package app

import (
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
