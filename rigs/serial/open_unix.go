//go:build unix

package serial

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"

	"github.com/assay-hil/assay/rigs"
)

const (
	// descriptorLimit keeps a distance from 1024, where the library's select panics: other
	// goroutines open files while a line is being opened.
	descriptorLimit = 1000
	// descriptorsPerLine is what the library takes for a line: the device and a pipe.
	descriptorsPerLine = 3
)

// ErrDescriptors is returned by Open when the process has too many open files for the library.
var ErrDescriptors = errors.New("too many open files for a serial line")

// Open opens a device or a pseudo-terminal by its path, with 8 data bits, no parity and one
// stop bit, and locks it against a second Open, in this process or another. Symbolic links,
// such as those in /dev/serial/by-id, are followed. Opening raises DTR and RTS, which resets
// many boards. Errors wrap ErrInUse, ErrDescriptors, or the library's.
func Open(path string, mode Mode, opts ...Option) (*Line, error) {
	if mode.Baud < 0 {
		return nil, openError(path, fmt.Errorf("baud rate %d is negative", mode.Baud))
	}
	lock, err := acquire(path)
	if err != nil {
		return nil, openError(path, err)
	}
	if err := roomBelow(int(lock.Fd())); err != nil {
		_ = lock.Close()
		return nil, openError(path, err)
	}
	baud := mode.Baud
	if baud == 0 {
		baud = DefaultBaud
	}
	// InitialStatusBits stays nil: with it the library can't open a pseudo-terminal. The
	// read timeout stays NoTimeout: with one, Read returns nothing and no error.
	port, err := serial.Open(path, &serial.Mode{BaudRate: baud, DataBits: 8})
	if err != nil {
		_ = lock.Close()
		return nil, openError(path, err)
	}
	return New(path, &device{port: port, lock: lock}, opts...), nil
}

// roomBelow reports whether the next descriptors are low enough, by taking and freeing them.
func roomBelow(fd int) error {
	for range descriptorsPerLine {
		next, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDescriptors, err)
		}
		defer func() { _ = unix.Close(next) }()
		if next >= descriptorLimit {
			return fmt.Errorf("%w: the next descriptor is %d, and the library fails at 1024; limit %d", ErrDescriptors, next, descriptorLimit)
		}
	}
	return nil
}

// port is the part of the library's port that a device needs.
type port interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	ResetOutputBuffer() error
	Close() error
}

// device is the library's port made safe to close. The library's Close frees the descriptor
// under a running Write, which a signal can restart on whatever file has the number by then;
// so while a Write runs the descriptor stays, and the Write closes it when it returns.
type device struct {
	port port
	lock *os.File

	mu      sync.Mutex // held for moments, never during a call that can wait
	writing bool
	closed  bool
}

// Read reads at least one byte. Line has one reader, which stops at the first error.
func (d *device) Read(p []byte) (int, error) { return d.port.Read(p) }

// Write writes some of p; after Close it returns rigs.ErrClosed and touches no descriptor.
func (d *device) Write(p []byte) (int, error) {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return 0, rigs.ErrClosed
	}
	d.writing = true
	d.mu.Unlock()

	n, err := d.port.Write(p)

	d.mu.Lock()
	d.writing = false
	closed := d.closed
	d.mu.Unlock()
	if closed {
		_ = d.port.Close()
		return n, rigs.ErrClosed
	}
	if errors.Is(err, unix.EINTR) {
		err = nil // nothing was sent; Line asks again, a limited number of times
	}
	return n, err
}

// Close releases the lock and closes the port, or leaves that to a Write under way.
func (d *device) Close() error {
	d.mu.Lock()
	writing, again := d.writing, d.closed
	d.closed = true
	d.mu.Unlock()
	if again {
		return nil
	}
	var err error
	if writing {
		err = d.port.ResetOutputBuffer() // frees a write that waits for room in the driver
	} else {
		err = d.port.Close()
	}
	return errors.Join(err, d.lock.Close())
}
