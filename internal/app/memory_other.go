//go:build !linux

package app

// memoryOf is not known here.
func memoryOf() (machine, allowed int64) { return 0, 0 }

// dropProgram is not needed here.
func dropProgram() {}
