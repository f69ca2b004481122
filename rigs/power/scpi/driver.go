package scpi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

const (
	// Baud is the usual rate of a supply with RS-232. USB devices ignore it.
	Baud = 9600
	// Name is the instrument's place on the rig.
	Name = "power"
	// ChannelMax is the highest output that can be named.
	ChannelMax = 9
	// Tolerance is how far, as a part of Config.Volts, an output may be off it: cables and the supply's own meter.
	Tolerance = 0.05
	// remote makes a supply with RS-232 take commands that change something; one that does not know it, because it needs
	// none, only notes an error, which *CLS forgets.
	remote = "SYST:REM"
	// present is what counts as volts where Config.Volts says nothing.
	present = 0.5
)

// Errors of a Driver. They come inside an *rigs.Error.
var (
	// ErrAnswer is returned for an answer that is too long or not one that the question can have.
	ErrAnswer = errors.New("answer makes no sense")
	// ErrOutput: another output is chosen than the rig's.
	ErrOutput = errors.New("the supply does not choose the output that the rig file names")
	// ErrStuck: the output does not read as it was switched.
	ErrStuck = errors.New("the output does not follow")
	// ErrVolts: the output is on and has not the volts that it should have.
	ErrVolts = errors.New("the output is on without its volts: look at the voltage and the current limit that are set on the supply, and for a short")
)

// Limits bound the driver's waits. A zero field means its default.
type Limits struct {
	// Answer is the wait for one question's answer.
	Answer time.Duration
	// Quiet is how long the line must be silent before the conversation begins and after a question that got no
	// answer; Settle bounds the wait for that.
	Quiet, Settle time.Duration
	// Rise is how long the output may take to follow and to have its volts.
	Rise time.Duration
	// Between is the pause from one look to the next meanwhile.
	Between time.Duration
}

// DefaultLimits gives the limits that are used where Config.Limits has zeros.
func DefaultLimits() Limits {
	return Limits{Answer: 2 * time.Second, Quiet: 100 * time.Millisecond, Settle: 2 * time.Second, Rise: 3 * time.Second, Between: 100 * time.Millisecond}
}

// Config is what a rig says about its supply.
type Config struct {
	// Channel is the output that feeds the terminal, from 1; 0: the supply has only one.
	Channel int
	// Volts is what the output must measure when it is on; 0: only that it is not without.
	Volts  float64
	Limits Limits
}

// Driver is a rigs.Power. It has no goroutine: the line's chunks wait until a question looks.
type Driver struct {
	line     *serial.Line
	cfg      Config
	identity string
	// turn holds the state of the conversation while no command runs.
	turn chan talk
}

var (
	_ rigs.Power   = (*Driver)(nil)
	_ rigs.Watched = (*Driver)(nil)
)

// Open asks the supply who it is and returns its driver, which owns the line. It switches nothing. After an error the
// line is closed.
func Open(ctx context.Context, line *serial.Line, cfg Config) (*Driver, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, rigs.Fault(Name, "configure", errors.Join(err, line.Close()))
	}
	d := &Driver{line: line, cfg: cfg, turn: make(chan talk, 1)}
	d.turn <- talk{}
	err = d.converse(ctx, func(ctx context.Context) error {
		if err := d.tell(ctx, remote); err != nil {
			return err
		}
		d.identity, err = d.ask(ctx, "*IDN?")
		return err
	})
	if err != nil {
		return nil, rigs.Fault(Name, "open", errors.Join(err, line.Close()))
	}
	return d, nil
}

func (c Config) complete() (Config, error) {
	d := DefaultLimits()
	for _, f := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&c.Limits.Answer, d.Answer}, {&c.Limits.Quiet, d.Quiet}, {&c.Limits.Settle, d.Settle}, {&c.Limits.Rise, d.Rise}, {&c.Limits.Between, d.Between},
	} {
		if *f.value <= 0 {
			*f.value = f.fallback
		}
	}
	switch {
	case c.Channel < 0 || c.Channel > ChannelMax:
		return c, fmt.Errorf("output %d: only 1 to %d can be named, and 0 for a supply with one", c.Channel, ChannelMax)
	case c.Volts < 0 || math.IsNaN(c.Volts) || math.IsInf(c.Volts, 0):
		return c, fmt.Errorf("%g is no voltage", c.Volts)
	}
	return c, nil
}

// Name is "power".
func (d *Driver) Name() string { return Name }

// Firmware is how the supply identifies itself: maker, model, serial number, version.
func (d *Driver) Firmware() string { return d.identity }

// On gives the terminal its supply, reads the output's state back, and waits until it has its volts. Errors: ErrStuck,
// ErrVolts, rigs.ErrNoAnswer, ErrAnswer, ctx's, the line's. After an error the supply may be on or off.
func (d *Driver) On(ctx context.Context) error {
	return rigs.Fault(Name, "on", d.supply(ctx, true))
}

// Off takes the supply away; otherwise as On. What the terminal's capacitors still hold is not waited for.
func (d *Driver) Off(ctx context.Context) error {
	return rigs.Fault(Name, "off", d.supply(ctx, false))
}

// Halt gives the terminal its supply: that is the safe state.
func (d *Driver) Halt(ctx context.Context) error {
	return rigs.Fault(Name, "halt", d.supply(ctx, true))
}

// Probe asks the supply who it is; another answer than at Open means that another device is on the line.
func (d *Driver) Probe(ctx context.Context) error {
	return rigs.Fault(Name, "probe", d.converse(ctx, func(ctx context.Context) error {
		now, err := d.ask(ctx, "*IDN?")
		if err == nil && now != d.identity {
			err = fmt.Errorf("%w: another supply answers than before", ErrAnswer)
		}
		return err
	}))
}

// Ended is closed when the line has ended; Err then says why. It implements rigs.Watched.
func (d *Driver) Ended() <-chan struct{} { return d.line.Ended() }

// Err is nil while the line is open, and a fault of the instrument afterwards.
func (d *Driver) Err() error { return rigs.Fault(Name, "line", d.line.Err()) }

// Close releases the line; the output stays as it is. A running command ends with rigs.ErrClosed.
func (d *Driver) Close() error {
	return rigs.Fault(Name, "close", d.line.Close())
}

// supply switches the output and proves it, as one: no other command comes between.
func (d *Driver) supply(ctx context.Context, on bool) error {
	return d.converse(ctx, func(ctx context.Context) error {
		for _, command := range []string{remote, "*CLS"} {
			if err := d.tell(ctx, command); err != nil {
				return err
			}
		}
		if err := d.choose(ctx); err != nil {
			return err
		}
		if err := d.tell(ctx, "OUTP "+map[bool]string{true: "1", false: "0"}[on]); err != nil {
			return err
		}
		return d.follows(ctx, on)
	})
}

// choose makes what follows concern the rig's output, and makes sure of it: a supply that refused the choice would
// switch another one, which may feed another terminal.
func (d *Driver) choose(ctx context.Context) error {
	if d.cfg.Channel == 0 {
		return nil
	}
	want := strconv.Itoa(d.cfg.Channel)
	if err := d.tell(ctx, "INST:NSEL "+want); err != nil {
		return err
	}
	got, err := d.ask(ctx, "INST:NSEL?")
	if err == nil && strings.TrimPrefix(got, "+") != want {
		err = d.explain(ctx, fmt.Errorf("%w: %s instead of %s", ErrOutput, got, want))
	}
	return err
}

// follows waits until the output is as it was switched: off, or on and with its volts.
func (d *Driver) follows(ctx context.Context, on bool) error {
	limit := time.NewTimer(d.cfg.Limits.Rise)
	defer limit.Stop()
	for {
		why, err := d.differs(ctx, on)
		if err != nil || why == nil {
			return err
		}
		pause := time.NewTimer(d.cfg.Limits.Between)
		select {
		case <-pause.C:
		case <-limit.C:
			pause.Stop()
			return d.explain(ctx, fmt.Errorf("%w (for %v)", why, d.cfg.Limits.Rise))
		case <-ctx.Done():
			pause.Stop()
			return context.Cause(ctx)
		}
	}
}

// differs says in what the output is not as it should be; nil when it is. err is a fault of the conversation.
func (d *Driver) differs(ctx context.Context, on bool) (why, err error) {
	text, err := d.ask(ctx, "OUTP?")
	if err != nil {
		return nil, err
	}
	got, err := parseState(text)
	switch {
	case err != nil:
		return nil, err
	case got != on:
		return fmt.Errorf("%w: it reads %s after it was switched", ErrStuck, text), nil
	case !on:
		return nil, nil
	}
	if text, err = d.ask(ctx, "MEAS:VOLT?"); err != nil {
		return nil, err
	}
	volts, err := parseVolts(text)
	if err != nil || d.enough(volts) {
		return nil, err
	}
	return fmt.Errorf("%w: it measures %.2f V, wanted %s", ErrVolts, volts, d.wanted()), nil
}

// explain adds the supply's own reason to an error, if it has one.
func (d *Driver) explain(ctx context.Context, err error) error {
	text, asked := d.ask(ctx, "SYST:ERR?")
	if asked != nil || noError(text) {
		return err
	}
	return fmt.Errorf("%w; the supply says %s", err, text)
}

// noError says whether an answer to SYST:ERR? is that there is none: number 0, with or without a sign.
func noError(text string) bool {
	number, _, _ := strings.Cut(text, ",")
	return strings.TrimLeft(strings.TrimSpace(number), "+-0") == ""
}

func (d *Driver) enough(volts float64) bool {
	if d.cfg.Volts == 0 {
		return volts >= present
	}
	return math.Abs(volts-d.cfg.Volts) <= Tolerance*d.cfg.Volts
}

func (d *Driver) wanted() string {
	if d.cfg.Volts == 0 {
		return fmt.Sprintf("at least %g V", present)
	}
	return fmt.Sprintf("%g V", d.cfg.Volts)
}
