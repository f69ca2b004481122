//go:build unix

package network_test

import (
	"syscall"
	"time"
)

// processTime is the processor time that this process has used, its own and the kernel's for it.
func processTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
