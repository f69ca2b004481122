//go:build unix

package serial_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// soon is an upper bound for things that take microseconds.
const soon = 5 * time.Second

// openPTY gives a pseudo-terminal's master and the line opened on its slave by path.
func openPTY(t *testing.T) (*os.File, string) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	slave.Close()
	t.Cleanup(func() { master.Close() })
	return master, slave.Name()
}

func openLine(t *testing.T, path string, mode serial.Mode) *serial.Line {
	t.Helper()
	line, err := serial.Open(path, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	return line
}

func receive(t *testing.T, line *serial.Line, n int) string {
	t.Helper()
	var got []byte
	limit := time.After(soon)
	for len(got) < n {
		select {
		case c, ok := <-line.Chunks():
			if !ok {
				t.Fatalf("line ended after %q: %v", got, line.Err())
			}
			got = append(got, c.Data...)
		case <-limit:
			t.Fatalf("only %q after %v", got, soon)
		}
	}
	return string(got)
}

func TestPTYCarriesEveryByteBothWays(t *testing.T) {
	master, path := openPTY(t)
	link := filepath.Join(t.TempDir(), "usb-board") // as in /dev/serial/by-id
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []serial.Mode{{}, {Baud: 9600}, {Baud: 250000}} {
		t.Run(fmt.Sprint(mode.Baud), func(t *testing.T) {
			line := openLine(t, link, mode)
			defer line.Close()
			all := make([]byte, 256)
			for i := range all {
				all[i] = byte(i) // 0x03, 0x11, 0x13, \r and 0xFF are lost or changed on a line that is not raw
			}
			if err := line.Write(t.Context(), all); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(all))
			if _, err := io.ReadFull(master, got); err != nil || string(got) != string(all) {
				t.Fatalf("the device got %x, %v", got, err)
			}
			if _, err := master.Write(all); err != nil {
				t.Fatal(err)
			}
			if got := receive(t, line, len(all)); got != string(all) {
				t.Fatalf("the line got %x", got)
			}
			if err := line.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestUnplugIsLossAndCloseIsClose(t *testing.T) {
	master, path := openPTY(t)
	line := openLine(t, path, serial.Mode{})
	if err := line.Close(); err != nil {
		t.Fatal(err)
	}
	if err := line.Err(); !errors.Is(err, rigs.ErrClosed) || errors.Is(err, rigs.ErrLost) {
		t.Errorf("after Close: %v", err)
	}

	line = openLine(t, path, serial.Mode{})
	master.Close()
	select {
	case _, open := <-line.Chunks():
		if open {
			t.Error("a chunk from an unplugged device")
		}
	case <-time.After(soon):
		t.Fatal("the loss was not noticed")
	}
	if err := line.Err(); !errors.Is(err, rigs.ErrLost) || errors.Is(err, rigs.ErrClosed) {
		t.Errorf("after unplugging: %v", err)
	}
	if err := line.Write(t.Context(), []byte("x")); !errors.Is(err, rigs.ErrLost) {
		t.Errorf("Write after unplugging: %v", err)
	}
	if err := line.Close(); err != nil {
		t.Errorf("Close after unplugging: %v", err)
	}
}

// The library writes to whatever file has got the descriptor's number since.
func TestWriteAfterCloseReachesNoOtherFile(t *testing.T) {
	_, path := openPTY(t)
	line := openLine(t, path, serial.Mode{})
	if err := line.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range 8 { // one of them reuses the number
		name := filepath.Join(t.TempDir(), fmt.Sprint(i))
		file, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		defer func() {
			if data, _ := os.ReadFile(name); len(data) > 0 {
				t.Errorf("another file got %q", data)
			}
		}()
	}
	if err := line.Write(t.Context(), []byte("WRITTEN AFTER CLOSE")); !errors.Is(err, rigs.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
}

func TestBlockedWriteNeitherHangsNorStopsClose(t *testing.T) {
	master, path := openPTY(t)
	line := openLine(t, path, serial.Mode{})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	big := make([]byte, 1<<20) // more than a pseudo-terminal buffers; nobody reads the master
	start := time.Now()
	if err := line.Write(ctx, big); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Write: %v", err)
	}
	err := line.Close() // an error or not, depending on what the system does with the flush
	if took := time.Since(start); took > soon {
		t.Errorf("Write and Close took %v", took)
	}
	if err != nil && !errors.Is(err, rigs.ErrNoAnswer) {
		t.Errorf("Close: %v", err)
	}
	if err := line.Write(t.Context(), []byte("x")); !errors.Is(err, rigs.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	again, err := serial.Open(path, serial.Mode{})
	if err != nil {
		t.Fatalf("the lock outlived Close: %v", err)
	}
	again.Close()
	master.Close() // frees the write
}

func TestLockNamesTheHolder(t *testing.T) {
	_, path := openPTY(t)
	line := openLine(t, path, serial.Mode{})
	link := filepath.Join(t.TempDir(), "other-name")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	_, err := serial.Open(link, serial.Mode{})
	if !errors.Is(err, serial.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("process %d ", os.Getpid())) {
		t.Errorf("second Open: %v", err)
	}
	if err := line.Close(); err != nil {
		t.Fatal(err)
	}
	openLine(t, link, serial.Mode{})
}

func TestOpenRefusesHighDescriptors(t *testing.T) {
	_, path := openPTY(t)
	var taken []int
	defer func() {
		for _, fd := range taken {
			unix.Close(fd)
		}
	}()
	for {
		fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Skipf("this system allows too few open files: %v", err)
		}
		taken = append(taken, fd)
		if fd >= 1000 {
			break
		}
	}
	_, err := serial.Open(path, serial.Mode{})
	if !errors.Is(err, serial.ErrDescriptors) {
		t.Errorf("Open: %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		path string
		mode serial.Mode
	}{
		"no such device": {"/dev/serial/by-id/usb-nothing", serial.Mode{}},
		"not a device":   {plain, serial.Mode{}},
		"negative baud":  {plain, serial.Mode{Baud: -1}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := serial.Open(tt.path, tt.mode)
			if err == nil || !strings.Contains(err.Error(), tt.path) {
				t.Errorf("Open: %v", err)
			}
		})
	}
}
