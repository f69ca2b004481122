package bringup

import (
	"context"
	"errors"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/human"
	"github.com/assay-hil/assay/rungs"
)

// ShowOptions say who is told what the terminal shows and prints.
type ShowOptions struct {
	State   string // as rungs.LabOptions has it
	Screen  func(rigs.Screen)
	Paper   func(rigs.Paper)
	Console *human.Console // where a person is asked, for a rig with a human display
}

// Show tells what the terminal shows, and prints where the rig has a printer, until ctx ends.
func Show(ctx context.Context, path string, o ShowOptions) (err error) {
	lab, err := rungs.OpenLab(path, rungs.LabOptions{Doing: "assay rigs show", State: o.State, Console: o.Console})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	d, err := lab.Open(ctx, "display")
	if err != nil {
		return advised("display", lab.File.Drivers()["display"], err)
	}
	display := d.(rigs.Display)
	var paper <-chan rigs.Paper
	if _, there := lab.File.Drivers()["printer"]; there {
		p, err := lab.Open(ctx, "printer")
		if err != nil {
			return advised("printer", lab.File.Drivers()["printer"], err)
		}
		paper = p.(rigs.Printer).Paper()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if looker, asked := d.(rigs.Looker); asked {
		go func() {
			for ctx.Err() == nil {
				if err := looker.Look(ctx); err != nil {
					cancel(err)
				}
			}
		}()
	}
	for {
		select {
		case s, open := <-display.Screens():
			if !open {
				return advised("display", lab.File.Drivers()["display"], display.Err())
			}
			o.Screen(s)
		case p, open := <-paper:
			if !open {
				paper = nil // the display goes on
				continue
			}
			o.Paper(p)
		case <-ctx.Done():
			if err := context.Cause(ctx); errors.As(err, new(*rigs.Error)) && !errors.Is(err, context.Canceled) {
				return advised("display", lab.File.Drivers()["display"], err)
			}
			return nil
		}
	}
}
