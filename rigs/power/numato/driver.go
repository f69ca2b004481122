package numato

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// Baud is the line's rate. The boards are USB CDC devices, which ignore it.
const Baud = 19200

// Name is the instrument's place on the rig.
const Name = "power"

// MaxChannel is the highest relay that this driver can name.
const MaxChannel = 9

// Limits bound the driver's waits. A zero field means its default.
type Limits struct {
	// Answer is the wait for one command's prompt.
	Answer time.Duration
	// Quiet is how long the line must be silent before the first command and after one that
	// got no answer, so that a late answer is not taken for the next one's. Settle bounds the wait for it.
	Quiet  time.Duration
	Settle time.Duration
}

// The defaults of Limits.
const (
	DefaultAnswer = time.Second
	DefaultQuiet  = 50 * time.Millisecond
	DefaultSettle = time.Second
)

// Config is what a rig says about its board.
type Config struct {
	// Channel is the relay that carries the terminal's supply, 0 to 9.
	Channel int
	// NormallyClosed says that the supply runs over the relay's resting contact: energised
	// means that the terminal is off.
	NormallyClosed bool
	Limits         Limits
}

// StuckError is returned when a relay does not read as it was commanded.
type StuckError struct {
	Channel int
	Want    bool // energised
	Got     bool
}

func (e *StuckError) Error() string {
	return fmt.Sprintf("relay %d reads %s after it was switched %s", e.Channel, onOff(e.Got), onOff(e.Want))
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// Driver is a rigs.Power. It has no goroutine: the line's chunks wait until a command looks.
type Driver struct {
	line *serial.Line
	cfg  Config
	// turn holds the state of the conversation while no command runs.
	turn chan talk
}

var _ rigs.Power = (*Driver)(nil)

// talk is what must be known from one command to the next.
type talk struct {
	// synced is false at first and after a command that got no answer.
	synced bool
}

// New returns a driver that owns the line. It sends nothing. When it fails it closes the line.
func New(line *serial.Line, cfg Config) (*Driver, error) {
	if cfg.Channel < 0 || cfg.Channel > MaxChannel {
		_ = line.Close()
		return nil, rigs.Fault(Name, "configure",
			fmt.Errorf("relay %d: only relays 0 to %d can be named", cfg.Channel, MaxChannel))
	}
	set(&cfg.Limits.Answer, DefaultAnswer)
	set(&cfg.Limits.Quiet, DefaultQuiet)
	set(&cfg.Limits.Settle, DefaultSettle)
	d := &Driver{line: line, cfg: cfg, turn: make(chan talk, 1)}
	d.turn <- talk{}
	return d, nil
}

// set replaces a limit that is not positive by its default.
func set(limit *time.Duration, fallback time.Duration) {
	if *limit <= 0 {
		*limit = fallback
	}
}

// Name is "power".
func (d *Driver) Name() string { return Name }

// On gives the terminal its supply and reads the relay back. Errors: *StuckError,
// rigs.ErrNoAnswer, ErrAnswer, ctx's, the line's. After an error the supply may be on or off.
func (d *Driver) On(ctx context.Context) error {
	return rigs.Fault(Name, "on", d.supply(ctx, true))
}

// Off takes the supply away; otherwise as On.
func (d *Driver) Off(ctx context.Context) error {
	return rigs.Fault(Name, "off", d.supply(ctx, false))
}

// Halt gives the terminal its supply: that is the safe state.
func (d *Driver) Halt(ctx context.Context) error {
	return rigs.Fault(Name, "halt", d.supply(ctx, true))
}

// Probe asks for the board's version; any answer is a sign of life.
func (d *Driver) Probe(ctx context.Context) error {
	_, err := d.run(ctx, command{text: "ver"})
	return rigs.Fault(Name, "probe", err)
}

// Close releases the line; the relay stays as it is. A running command ends with rigs.ErrClosed.
func (d *Driver) Close() error {
	return rigs.Fault(Name, "close", d.line.Close())
}

// supply switches the relay and reads it back, as one: no other command comes between.
func (d *Driver) supply(ctx context.Context, on bool) error {
	energised := on != d.cfg.NormallyClosed
	var got bool
	set := command{text: fmt.Sprintf("relay %s %d", onOff(energised), d.cfg.Channel)}
	read := command{text: fmt.Sprintf("relay read %d", d.cfg.Channel)}
	read.accept = func(a answer) (ok bool) {
		got, ok = a.state(read.text)
		return ok
	}
	if _, err := d.run(ctx, set, read); err != nil {
		return err
	}
	if got != energised {
		return &StuckError{Channel: d.cfg.Channel, Want: energised, Got: got}
	}
	return nil
}
