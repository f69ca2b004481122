//go:build unix

package ledger

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock makes a file ours until it is closed. The kernel lets go of it when the process dies.
func lock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
