package numato

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	DefaultAnswer = 2 * time.Second
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
	// Parts are the relays that take parts of the terminal out of order while they are energised, by name.
	Parts  map[string]int
	Limits Limits
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

var (
	_ rigs.Power   = (*Driver)(nil)
	_ rigs.Breaker = (*Driver)(nil)
	_ rigs.Watched = (*Driver)(nil)
)

// talk is what must be known from one command to the next.
type talk struct {
	// synced is false at first and after a command that got no answer.
	synced bool
}

// New returns a driver that owns the line. It sends nothing. When it fails it closes the line.
func New(line *serial.Line, cfg Config) (*Driver, error) {
	taken := map[int]bool{}
	for _, channel := range append(slices.Collect(maps.Values(cfg.Parts)), cfg.Channel) {
		if channel < 0 || channel > MaxChannel || taken[channel] {
			_ = line.Close()
			return nil, rigs.Fault(Name, "configure",
				fmt.Errorf("relay %d: only relays 0 to %d can be named, each for one thing", channel, MaxChannel))
		}
		taken[channel] = true
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

// Break energises the relay of a part, or lets it fall. Errors as of On.
func (d *Driver) Break(ctx context.Context, part string, broken bool) error {
	channel, ok := d.cfg.Parts[part]
	if !ok {
		return rigs.Fault(Name, "break", fmt.Errorf("no relay for the part %q; the rig has %v", part, slices.Sorted(maps.Keys(d.cfg.Parts))))
	}
	return rigs.Fault(Name, "break", d.relay(ctx, channel, broken))
}

// Halt mends every part and gives the terminal its supply: that is the safe state.
func (d *Driver) Halt(ctx context.Context) error {
	var errs []error
	for _, part := range slices.Sorted(maps.Keys(d.cfg.Parts)) {
		errs = append(errs, d.relay(ctx, d.cfg.Parts[part], false))
	}
	return rigs.Fault(Name, "halt", errors.Join(append(errs, d.supply(ctx, true))...))
}

// Probe asks for the board's version; any answer is a sign of life.
func (d *Driver) Probe(ctx context.Context) error {
	_, err := d.run(ctx, command{text: "ver"})
	return rigs.Fault(Name, "probe", err)
}

// Ended is closed when the line has ended; Err then says why. It implements rigs.Watched.
func (d *Driver) Ended() <-chan struct{} { return d.line.Ended() }

// Err is nil while the line is open, and a fault of the instrument afterwards.
func (d *Driver) Err() error { return rigs.Fault(Name, "line", d.line.Err()) }

// Close releases the line; the relay stays as it is. A running command ends with rigs.ErrClosed.
func (d *Driver) Close() error {
	return rigs.Fault(Name, "close", d.line.Close())
}

// supply switches the relay of the terminal's supply.
func (d *Driver) supply(ctx context.Context, on bool) error {
	return d.relay(ctx, d.cfg.Channel, on != d.cfg.NormallyClosed)
}

// relay switches a relay and reads it back, as one: no other command comes between.
func (d *Driver) relay(ctx context.Context, channel int, energised bool) error {
	var got bool
	set := command{text: fmt.Sprintf("relay %s %d", onOff(energised), channel)}
	read := command{text: fmt.Sprintf("relay read %d", channel)}
	read.accept = func(a answer) (ok bool) {
		got, ok = a.state(read.text)
		return ok
	}
	if _, err := d.run(ctx, set, read); err != nil {
		return err
	}
	if got != energised {
		return &StuckError{Channel: channel, Want: energised, Got: got}
	}
	return nil
}
