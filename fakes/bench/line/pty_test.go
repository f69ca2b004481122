//go:build linux

package line_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/assay-hil/assay/fakes/bench/line"
)

// TestLineOnARealTerminal proves that Close ends a Read and a blocked Write on a pseudo-terminal
// that is in non-blocking mode. pty.Open leaves it in blocking mode, in which they never end.
func TestLineOnARealTerminal(t *testing.T) {
	near, far, err := pty.Open()
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	raw(t, int(far.Fd()))
	l := line.Open(nonBlocking(t, near))
	l.Send([]byte("[LCD] begin\r\n"))
	got := make([]byte, 13)
	if _, err := io.ReadFull(far, got); err != nil || string(got) != "[LCD] begin\r\n" {
		t.Fatalf("far end read %q, %v", got, err)
	}
	if _, err := far.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	if chunk := <-l.Received(); string(chunk) != "?" {
		t.Fatalf("Received %q", chunk)
	}
	for range line.QueueLimit { // more than the kernel buffers: the writer blocks
		l.Send(make([]byte, 4096))
	}
	closed := make(chan error, 1)
	go func() { closed <- l.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Close hangs")
	}
}

// nonBlocking opens the same terminal anew, so that it can be waited for and closed.
func nonBlocking(t *testing.T, f *os.File) *os.File {
	t.Helper()
	defer func() { _ = f.Close() }()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), f.Name())
}

// raw switches echo and line editing off, as a serial driver does.
func raw(t *testing.T, fd int) {
	t.Helper()
	mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	mode.Iflag, mode.Oflag, mode.Lflag = 0, 0, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, mode); err != nil {
		t.Fatal(err)
	}
}
