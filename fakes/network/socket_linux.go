package network

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket reads a TCP socket and knows when it is empty without asking it once more: the kernel says with what it
// gives how much more there is (TCP_INQ, Linux 4.18), an end of the stream counted as something. A reset that
// came together with the last bytes is not counted; see Server.look.
type socket struct {
	raw     syscall.RawConn
	message unix.Msghdr
	bytes   unix.Iovec
	control struct {
		header unix.Cmsghdr
		inq    int32
		_      int32
	}
}

// newSocket is nil for what is no TCP socket, and where the kernel does not know TCP_INQ.
func newSocket(conn net.Conn) *socket {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	var refused error
	err = raw.Control(func(fd uintptr) { refused = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_INQ, 1) })
	if err != nil || refused != nil {
		return nil
	}
	s := &socket{raw: raw}
	s.message.Iov, s.message.Control = &s.bytes, (*byte)(unsafe.Pointer(&s.control))
	s.message.SetIovlen(1)
	return s
}

// read reads what there is, without waiting: the scheduler need not know of it. More says that there may be more
// already; again that there is nothing yet. p is not empty.
func (s *socket) read(fd uintptr, p []byte) (n int, more, again bool, err error) {
	s.bytes.Base = &p[0]
	s.bytes.SetLen(len(p))
	s.message.SetControllen(int(unsafe.Sizeof(s.control)))
	s.control.header.Level = 0 // none until the kernel says so
	got, _, code := unix.RawSyscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&s.message)), unix.MSG_DONTWAIT)
	s.bytes.Base = nil
	switch {
	case code == unix.EAGAIN:
		return 0, false, true, nil
	case code == unix.EINTR:
		return 0, true, false, nil
	case code != 0:
		return 0, false, false, os.NewSyscallError("read", code)
	case got == 0:
		return 0, false, false, io.EOF
	}
	c := &s.control
	empty := c.header.Level == unix.IPPROTO_TCP && c.header.Type == unix.TCP_INQ && c.inq == 0
	return int(got), int(got) == len(p) || !empty, false, nil
}

// writeNow writes what the socket takes without waiting.
func writeNow(fd uintptr, p []byte) (int, error) {
	n, _, code := unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if code != 0 {
		return 0, code
	}
	return int(n), nil
}
