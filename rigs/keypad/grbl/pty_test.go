//go:build unix

package grbl_test

import (
	"testing"
	"time"

	"github.com/creack/pty"

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
