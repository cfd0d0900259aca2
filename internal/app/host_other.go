//go:build !linux

package app

// freeOn is not known here.
func freeOn(string) (free, all uint64, known bool) { return 0, 0, false }

// clockSet is not known here.
func clockSet() (set, known bool) { return false, false }
