//go:build !linux

package network

import (
	"errors"
	"net"
	"syscall"
)

// socket is for kernels that tell whether there is more to read.
type socket struct{ raw syscall.RawConn }

func newSocket(net.Conn) *socket { return nil }

func (*socket) read(uintptr, []byte) (n int, more, again bool, err error) {
	return 0, false, false, errors.ErrUnsupported
}

func writeNow(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }
