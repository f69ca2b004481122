//go:build unix

package grbl_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/assay-hil/assay/fakes/bench/robot"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
	"github.com/assay-hil/assay/rigs/serial"
)

// The same driver on a real pseudo-terminal, in real time.
func TestOnAPseudoTerminal(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	line, err := serial.Open(slave.Name(), serial.Mode{}) // makes it raw
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	c := newController(master)
	c.moveTime, c.homingTime = time.Millisecond, time.Millisecond
	c.run()
	defer func() {
		master.Close()
		close(c.stop)
		c.ended.Wait()
	}()
	cfg := pad()
	cfg.Limits = grbl.Limits{StatusEvery: time.Millisecond, Settle: 10 * time.Millisecond}
	d, err := grbl.Open(t.Context(), line, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Home(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"5", "enter", "5"} {
		if _, err := d.Press(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Halt(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.plunges() != 3 {
		t.Errorf("%d plunges", c.plunges())
	}
}

// The simulated robot on a pseudo-terminal, in real time; then its line is pulled.
func TestRobotOnAPseudoTerminal(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	if err := syscall.SetNonblock(int(master.Fd()), true); err != nil {
		t.Fatal(err)
	}
	line, err := serial.Open(slave.Name(), serial.Mode{})
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	cfg := over(shifted)
	cfg.Limits = grbl.Limits{StatusEvery: 10 * time.Millisecond}
	d, w, err := machineOn(t, line, master, cfg, robot.Config{Motion: robot.Fast()})
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
	if !errors.Is(err, rigs.ErrLost) {
		t.Errorf("after the line was pulled: %v", err)
	}
}
