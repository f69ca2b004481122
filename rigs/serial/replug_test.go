//go:build unix

package serial_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// TestReplugIsFoundByItsName: a device that was pulled and comes back has another number, and its stable name leads to
// it. What was opened before stays lost.
func TestReplugIsFoundByItsName(t *testing.T) {
	master, path := openPTY(t)
	link := filepath.Join(t.TempDir(), "usb-board")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	line := openLine(t, link, serial.Mode{})
	again, slave, err := pty.Open() // before the first is gone, so that it gets another number
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	slave.Close()
	master.Close()
	for range line.Chunks() { // ends with the loss
	}
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if _, err := serial.Open(link, serial.Mode{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("while it is unplugged: %v", err)
	}
	if err := os.Symlink(slave.Name(), link); err != nil {
		t.Fatal(err)
	}
	back := openLine(t, link, serial.Mode{})
	if _, err := again.Write([]byte("back")); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, back, 4); got != "back" {
		t.Errorf("%q", got)
	}
	if err := line.Write(t.Context(), []byte("x")); !errors.Is(err, rigs.ErrLost) {
		t.Errorf("the old line: %v", err)
	}
}

// TestSilenceIsNoLoss: with a read timeout the library would return nothing and no error, which looks like an end.
func TestSilenceIsNoLoss(t *testing.T) {
	master, path := openPTY(t)
	line := openLine(t, path, serial.Mode{})
	select {
	case c, open := <-line.Chunks():
		t.Fatalf("%q, open %v: %v", c.Data, open, line.Err())
	case <-time.After(300 * time.Millisecond):
	}
	if _, err := master.Write([]byte("ok")); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, line, 2); got != "ok" || line.Err() != nil {
		t.Errorf("%q, %v", got, line.Err())
	}
}

// TestPendingBytesAreNoLoss: a read of no bytes while some wait would be taken for a closed port by the library.
func TestPendingBytesAreNoLoss(t *testing.T) {
	master, path := openPTY(t)
	line := openLine(t, path, serial.Mode{})
	const n = 3000 // more than one read gives on a pseudo-terminal, less than it buffers
	sent := make([]byte, n)
	for i := range sent {
		sent[i] = byte(i)
	}
	if _, err := master.Write(sent); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, line, n); got != string(sent) || line.Err() != nil {
		t.Errorf("%d bytes, %v", len(got), line.Err())
	}
}
