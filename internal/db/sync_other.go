//go:build !linux

package db

import "os"

// syncData returns when the content of a file is on the disk.
func syncData(f *os.File) error { return f.Sync() }
