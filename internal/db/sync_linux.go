package db

import (
	"errors"
	"os"
	"syscall"
)

// syncData returns when the content of a file is on the disk. The file's times are no part
// of it.
func syncData(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); !errors.Is(err, syscall.EINTR) { //nolint:gosec // a descriptor is small
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
