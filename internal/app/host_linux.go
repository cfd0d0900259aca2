package app

import "syscall"

// freeOn returns how many bytes the user of the process may still write where path lies,
// and how many there are.
func freeOn(path string) (free, all uint64, known bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil || st.Bsize <= 0 {
		return 0, 0, false
	}
	return st.Bavail * uint64(st.Bsize), st.Blocks * uint64(st.Bsize), true
}

// clockSet reports whether the machine's clock follows a source of time.
func clockSet() (set, known bool) {
	const unsynchronized = 5 // TIME_ERROR of adjtimex(2)
	var t syscall.Timex
	state, err := syscall.Adjtimex(&t)
	return state != unsynchronized, err == nil
}
