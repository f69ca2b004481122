package bringup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/calibration"
	"github.com/assay-hil/assay/rigs/human"
	"github.com/assay-hil/assay/rungs"
)

// CalibrateOptions say how a calibration is made.
type CalibrateOptions struct {
	State string // as rungs.LabOptions has it
	// Console is where the person is who leads the finger.
	Console *human.Console
	// Keys are three keys and a fourth to check them; none: ChooseKeys.
	Keys []string
	// Valid is how long it counts; 0: calibration.Validity.
	Valid time.Duration
	// Out is the file to write; "": what the rig file says, or one beside it.
	Out string
}

// Validity is how long a calibration counts where nothing else is said.
const Validity = calibration.Validity

// Calibrated is a calibration that was made and saved.
type Calibrated struct {
	Path     string
	Named    bool // the rig file refers to it
	Residual float64
	Contact  time.Duration
	Expires  time.Time
}

// contacts are the contact times that are tried, until the terminal takes the key.
var contacts = [...]time.Duration{80 * time.Millisecond, 120 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond}

// Calibrate lets a person lead the finger to three keys and a fourth, computes where all keys are, presses
// the fourth to find a contact time that the terminal takes, and saves the result.
func Calibrate(ctx context.Context, path string, o CalibrateOptions) (Calibrated, error) {
	f, err := rigs.LoadFile(path)
	if err != nil {
		return Calibrated{}, err
	}
	if len(o.Keys) == 0 {
		o.Keys = ChooseKeys(f.Terminal.Keypad)
	}
	if err := checkKeys(f.Terminal.Keypad, o.Keys); err != nil {
		return Calibrated{}, err
	}
	taught, solved, err := teach(ctx, path, o)
	if err != nil {
		return Calibrated{}, err
	}
	contact, err := contactTime(ctx, path, o, solved, taught.Check.Name)
	if err != nil {
		return Calibrated{}, err
	}
	now := time.Now()
	valid := o.Valid
	if valid <= 0 {
		valid = calibration.Validity
	}
	r := calibration.Record{Terminal: f.Terminal.ID, Made: now, Expires: now.Add(valid), Contact: contact, Taught: taught}
	out := Calibrated{Path: o.Out, Named: true, Residual: solved.Residual, Contact: contact, Expires: r.Expires}
	if out.Path == "" && f.Calibration != "" {
		out.Path = f.Resolve(f.Calibration)
	}
	if out.Path == "" {
		out.Path = strings.TrimSuffix(path, filepath.Ext(path)) + ".calibration.yaml"
	}
	out.Named = f.Calibration != "" && f.Resolve(f.Calibration) == out.Path
	return out, r.Save(out.Path)
}

func sortedKeys(k terminals.Keypad) []string { return slices.Sorted(maps.Keys(k.Keys)) }

func checkKeys(k terminals.Keypad, names []string) error {
	if len(names) != 4 {
		return fmt.Errorf("four keys are needed, three to teach and one to check; not %d", len(names))
	}
	for _, name := range names {
		if _, known := k.Keys[name]; !known {
			return errors.New(strict.UnknownMessage("key", name, sortedKeys(k)))
		}
	}
	return nil
}

// teach leads the finger to four keys.
func teach(ctx context.Context, path string, o CalibrateOptions) (taught calibration.Taught, c calibration.Calibration, err error) {
	lab, err := rungs.OpenLab(path, rungs.LabOptions{Doing: "assay rigs calibrate", State: o.State, Console: o.Console, Teaching: true})
	if err != nil {
		return taught, c, err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	keypad := lab.File.Terminal.Keypad
	err = use(ctx, lab, "keypad", func(d rigs.Instrument) error {
		pad, ok := d.(Jogger)
		if !ok {
			return errors.New("this keypad needs no calibration: its finger can't be led")
		}
		if err := pad.Home(ctx); err != nil {
			return err
		}
		t := &teacher{pad: pad, answer: o.Console.Answer}
		if t.at, err = pad.Lift(ctx); err != nil {
			return err
		}
		for i, name := range o.Keys {
			if err := t.near(ctx, keypad, taught, name); err != nil {
				return err
			}
			key, err := t.key(ctx, name)
			if err != nil {
				return err
			}
			if i == len(o.Keys)-1 {
				taught.Check = key
			} else {
				taught.Keys = append(taught.Keys, key)
			}
		}
		c, err = calibration.Solve(keypad, taught)
		return err
	})
	return taught, c, err
}

// near goes above where a key should be by what was taught so far; before the first key it stays.
func (t *teacher) near(ctx context.Context, k terminals.Keypad, taught calibration.Taught, name string) error {
	if len(taught.Keys) == 0 {
		return nil
	}
	first := taught.Keys[0]
	return t.over(ctx, first.At.X+k.Keys[name].X-k.Keys[first.Name].X, first.At.Y+k.Keys[name].Y-k.Keys[first.Name].Y)
}

// contactTime presses a key ever longer until the terminal takes it. Where no display tells, the person does.
func contactTime(ctx context.Context, path string, o CalibrateOptions, c calibration.Calibration, key string) (time.Duration, error) {
	for _, contact := range contacts {
		took, err := tryContact(ctx, path, o, c, key, contact)
		if err != nil {
			return 0, err
		}
		if took {
			return contact, nil
		}
	}
	return 0, fmt.Errorf("the terminal took the key %s at none of the contact times up to %v: is the terminal on and idle, is the Z of each key where the fingertip just touches?", key, contacts[len(contacts)-1])
}

func tryContact(ctx context.Context, path string, o CalibrateOptions, c calibration.Calibration, key string, contact time.Duration) (took bool, err error) {
	lab, err := rungs.OpenLab(path, rungs.LabOptions{Doing: "assay rigs calibrate", State: o.State, Console: o.Console, Calibration: &c, Contact: contact})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	if contact < lab.File.Terminal.Keypad.Debounce {
		return false, nil
	}
	var screen *watcher
	if l, there := lab.File.Drivers()["display"]; there && l.Driver != "human" {
		d, err := lab.Open(ctx, "display")
		if err != nil {
			return false, advised("display", l, err)
		}
		screen = watch(d.(rigs.Display))
	}
	err = use(ctx, lab, "keypad", func(d rigs.Instrument) error {
		pad := d.(rigs.Keypad)
		if err := pad.Home(ctx); err != nil {
			return err
		}
		p, err := pad.Press(ctx, key)
		if err != nil {
			return err
		}
		if screen == nil {
			err := o.Console.Ask(ctx, fmt.Sprintf("The key %s was pressed for %v. Did the terminal take it?", key, contact))
			took = err == nil
			if errors.Is(err, human.ErrDeclined) {
				return nil
			}
			return err
		}
		if _, took = screen.after(ctx, p.Begin, reaction); took {
			_, err = pad.Press(ctx, harmless) // back to idle
		}
		return err
	})
	return took, err
}
