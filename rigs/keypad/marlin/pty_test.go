//go:build unix

package marlin_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/creack/pty"

	sim "github.com/assay-hil/assay/fakes/bench/marlin"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// The same driver on a real pseudo-terminal, in real time, at Marlin's usual baud rate; then the line is pulled.
func TestOnAPseudoTerminal(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	if err := syscall.SetNonblock(int(master.Fd()), true); err != nil {
		t.Fatal(err)
	}
	line, err := serial.Open(slave.Name(), serial.Mode{Baud: 250000})
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	d, w, err := openOn(t, line, master, pad(), sim.Config{Motion: sim.Fast()})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Home(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"5", "enter"} {
		if _, err := d.Press(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.touched(); got != "+5 -5 +enter -enter" {
		t.Errorf("touched %q", got)
	}
	if err := d.Halt(t.Context()); err != nil {
		t.Fatal(err)
	}
	master.Close()
	_, err = d.Press(t.Context(), "5")
	rigFault(t, err)
	if !errors.Is(err, rigs.ErrLost) && !errors.Is(err, rigs.ErrNoAnswer) {
		t.Errorf("after the line was pulled: %v", err)
	}
}
