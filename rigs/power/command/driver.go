package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/rigs"
)

const (
	// Name is the instrument's place on the rig.
	Name = "power"

	// DefaultLimit bounds one run of a program where Config says nothing; LimitMax is the most that can be given.
	DefaultLimit = 10 * time.Second
	LimitMax     = 5 * time.Minute
	// DefaultFollow is how long an outlet may take to read as it was switched; many PDUs switch with a delay.
	DefaultFollow = 10 * time.Second
	// between is the pause from one reading to the next meanwhile.
	between = 250 * time.Millisecond
)

// Errors of a Driver. They come inside an *rigs.Error.
var (
	// ErrProgram: a program can't be run, failed, or did not end in time.
	ErrProgram = errors.New("the program did not do its work")
	// ErrAnswer: what the read program prints is neither on nor off.
	ErrAnswer = errors.New("answer makes no sense")
	// ErrStuck: the outlet does not read as it was switched.
	ErrStuck = errors.New("the outlet does not follow")
)

// Config says which programs switch the supply. Each is an argument list: the program first, looked up in PATH unless
// it has a slash.
type Config struct {
	On, Off []string
	// Read prints on or off; nil: what was switched is not read back.
	Read []string
	// Dir is the folder that the programs run in, and that relative paths to them are relative to; "": the process's.
	Dir string
	// Limit bounds one run; 0 = DefaultLimit.
	Limit time.Duration
	// Follow is how long the outlet may take to read as it was switched; 0 = DefaultFollow.
	Follow time.Duration
	// Secrets are words that must not be repeated in errors: they were put into the lists from the environment or files.
	Secrets []string
}

// Driver is a rigs.Power.
type Driver struct {
	cfg Config
	// turn holds a token while a program runs.
	turn chan struct{}
	// closing ends what runs.
	closing context.Context
	close   context.CancelCauseFunc
}

var _ rigs.Power = (*Driver)(nil)

// New runs nothing yet. Its error is a fault of the instrument.
func New(cfg Config) (*Driver, error) {
	if cfg.Limit == 0 {
		cfg.Limit = DefaultLimit
	}
	if cfg.Follow == 0 {
		cfg.Follow = DefaultFollow
	}
	var err error
	switch {
	case len(cfg.On) == 0 || len(cfg.Off) == 0:
		err = errors.New("a program for on and one for off are needed")
	case slices.Equal(cfg.On, cfg.Off):
		err = errors.New("the programs for on and off are the same")
	case max(cfg.Limit, cfg.Follow) > LimitMax || min(cfg.Limit, cfg.Follow) < 0:
		err = fmt.Errorf("limits %v and %v are not between 0 and %v", cfg.Limit, cfg.Follow, LimitMax)
	case slices.Contains([]string{cfg.On[0], cfg.Off[0]}, "") || len(cfg.Read) > 0 && cfg.Read[0] == "":
		err = errors.New("a program has no name")
	}
	if err != nil {
		return nil, rigs.Fault(Name, "configure", err)
	}
	d := &Driver{cfg: cfg, turn: make(chan struct{}, 1)}
	d.closing, d.close = context.WithCancelCause(context.Background())
	return d, nil
}

// Name is "power".
func (d *Driver) Name() string { return Name }

// On gives the terminal its supply and reads the outlet back, where it can be read. Errors: ErrProgram, ErrStuck,
// ErrAnswer, ctx's. After an error the supply may be on or off.
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

// Probe reads the outlet; without a program for that it only looks whether the programs are there.
func (d *Driver) Probe(ctx context.Context) error {
	return rigs.Fault(Name, "probe", d.alone(ctx, func(ctx context.Context) error {
		if len(d.cfg.Read) > 0 {
			_, err := d.read(ctx)
			return err
		}
		return errors.Join(d.find(d.cfg.On), d.find(d.cfg.Off))
	}))
}

// Close ends a program that runs; the supply stays as it is.
func (d *Driver) Close() error {
	d.close(rigs.ErrClosed)
	return nil
}

// alone does something while no other call runs a program. The context that it gives ends with Close too.
func (d *Driver) alone(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(d.closing, func() { cancel(rigs.ErrClosed) })()
	if d.closing.Err() != nil {
		return rigs.ErrClosed
	}
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-d.turn }()
	return do(ctx)
}

// supply switches the outlet and reads it back, as one.
func (d *Driver) supply(ctx context.Context, on bool) error {
	return d.alone(ctx, func(ctx context.Context) error {
		program := d.cfg.Off
		if on {
			program = d.cfg.On
		}
		if _, err := d.run(ctx, program); err != nil || len(d.cfg.Read) == 0 {
			return err
		}
		limit := time.NewTimer(d.cfg.Follow)
		defer limit.Stop()
		for {
			got, err := d.read(ctx)
			if err != nil || got == on {
				return err
			}
			pause := time.NewTimer(between)
			select {
			case <-pause.C:
			case <-limit.C:
				pause.Stop()
				return fmt.Errorf("%w: it reads %s %v after it was switched %s", ErrStuck, onOff(got), d.cfg.Follow, onOff(on))
			case <-ctx.Done():
				pause.Stop()
				return context.Cause(ctx)
			}
		}
	})
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// read asks the read program.
func (d *Driver) read(ctx context.Context) (on bool, err error) {
	text, err := d.run(ctx, d.cfg.Read)
	if err != nil {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "on", "1":
		return true, nil
	case "off", "0":
		return false, nil
	}
	return false, fmt.Errorf("%s: %w: it prints %s; on or off is wanted", d.name(d.cfg.Read), ErrAnswer, d.quote(text))
}
