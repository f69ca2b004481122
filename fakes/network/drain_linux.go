package network

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// drained waits until the other end's machine has acknowledged all that was written, at most
// drainLimit (SIOCOUTQ; see tcp(7)). Wires that are no TCP sockets hold nothing back.
func drained(conn net.Conn) {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return // closed: nothing is left to wait for
	}
	for end := time.Now().Add(drainLimit); time.Now().Before(end); <-time.After(drainPause) {
		waiting := 0
		err := control.Control(func(fd uintptr) {
			waiting, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		})
		if err != nil || waiting == 0 {
			return
		}
	}
}
