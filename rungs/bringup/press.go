package bringup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/human"
	"github.com/assay-hil/assay/rungs"
)

// Pressed is one press that was done.
type Pressed struct {
	Key string
	// Took is from the command until the finger was seen back up.
	Took time.Duration
}

// PressOptions say how keys are pressed by hand.
type PressOptions struct {
	State string // as rungs.LabOptions has it
	// Homed is told when the finger has found its zero and its controller's advice; Each every press.
	Homed   func(advice []string)
	Each    func(Pressed)
	Console *human.Console // where a person is asked, for a rig with a human keypad
}

// Press homes the keypad of a rig and presses keys, one after the other, each once. It ends at the first
// that fails.
func Press(ctx context.Context, path string, keys []string, o PressOptions) (err error) {
	lab, err := rungs.OpenLab(path, rungs.LabOptions{Doing: "assay rigs press", State: o.State, Console: o.Console})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	known := lab.File.Terminal.Keypad.Keys
	for _, key := range keys {
		if _, ok := known[key]; !ok {
			return errors.New(strict.UnknownMessage("key", key, slices.Sorted(maps.Keys(known))))
		}
	}
	return use(ctx, lab, "keypad", func(d rigs.Instrument) error {
		pad := d.(rigs.Keypad)
		if err := pad.Home(ctx); err != nil {
			return err
		}
		if o.Homed != nil {
			o.Homed(advice(d))
		}
		for _, key := range keys {
			p, err := pad.Press(ctx, key)
			if err != nil {
				return fmt.Errorf("key %s: %w", key, err)
			}
			if o.Each != nil {
				o.Each(Pressed{Key: key, Took: p.End.Sub(p.Begin)})
			}
		}
		return nil
	})
}

// use opens an instrument of a rig, does something with it, and leaves it safe. An error of the
// instrument comes with its remedy.
func use(ctx context.Context, lab *rungs.Lab, name string, do func(rigs.Instrument) error) error {
	line := lab.File.Drivers()[name]
	d, err := lab.Open(ctx, name)
	if err != nil {
		return advised(name, line, err)
	}
	err = advised(name, line, do(d))
	if safe := lab.Halt(ctx, d); safe != nil {
		err = errors.Join(err, fmt.Errorf("not made safe: %w", safe))
	}
	return err
}

// advised adds the remedy to an error.
func advised(name string, l rigs.Line, err error) error {
	if fix := Fix(name, l, err); fix != "" {
		return fmt.Errorf("%w\n  → %s", err, fix)
	}
	return err
}
