//go:build unix

package serial

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/assay-hil/assay/rigs"
)

// slowPort is the library's port with a Write that waits, and that Close does not unblock.
type slowPort struct {
	entered, free, closed chan struct{}
	err                   error
}

func (p *slowPort) Read([]byte) (int, error) { return 0, nil }
func (p *slowPort) Write(b []byte) (int, error) {
	close(p.entered)
	<-p.free
	return len(b), p.err
}
func (p *slowPort) ResetOutputBuffer() error { return nil }
func (p *slowPort) Close() error             { close(p.closed); return nil }

func newSlowDevice(t *testing.T) (*slowPort, *device) {
	lock, err := os.Create(filepath.Join(t.TempDir(), "lock"))
	if err != nil {
		t.Fatal(err)
	}
	p := &slowPort{entered: make(chan struct{}), free: make(chan struct{}), closed: make(chan struct{})}
	return p, &device{port: p, lock: lock}
}

// While a Write is in the kernel its descriptor's number must not become free.
func TestDescriptorOutlivesAWriteUnderWay(t *testing.T) {
	p, d := newSlowDevice(t)
	wrote := make(chan error, 1)
	go func() {
		_, err := d.Write([]byte("x"))
		wrote <- err
	}()
	<-p.entered
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.closed:
		t.Fatal("the descriptor was closed under the write")
	default:
	}
	if _, err := d.lock.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Error("Close kept the lock")
	}
	close(p.free)
	if err := <-wrote; !errors.Is(err, rigs.ErrClosed) {
		t.Errorf("Write: %v", err)
	}
	select {
	case <-p.closed:
	case <-time.After(5 * time.Second):
		t.Error("the descriptor was never closed")
	}
	if err := d.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestInterruptedWriteIsNoLoss(t *testing.T) {
	p, d := newSlowDevice(t)
	p.err = unix.EINTR
	close(p.free)
	if _, err := d.Write([]byte("x")); err != nil {
		t.Errorf("Write: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}
