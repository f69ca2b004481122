package rungs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/calibration"
	"github.com/assay-hil/assay/rigs/human"
)

// newLab is the rig that a file describes, with a terminal of its own. Timers are never
// changed.
func newLab(o Options) (Rung, error) {
	f, err := rigs.LoadFile(o.Rig)
	if err != nil {
		return nil, err
	}
	if f.Listen == "" {
		return nil, fmt.Errorf("%s: scenarios need \"listen\": the address that the terminal dials, for example listen: 0.0.0.0:8583", o.Rig)
	}
	host, err := LabHost(f)
	if err != nil {
		return nil, err
	}
	profile := f.Terminal
	if o.Planning {
		return &realtime{name: f.Name, profiles: []*terminals.Profile{profile}, lang: cmp.Or(f.Lang, profile.Languages[0]), has: f.Has, noPackets: labNoPackets(f), plan: notPlanned}, nil
	}
	console, err := o.console(f)
	if err != nil {
		return nil, err
	}
	held, err := o.takeRig(f)
	if err != nil {
		return nil, err
	}
	keep := sync.OnceValue(func() error { return o.keepMeasured(f) })
	log := &wires{evidence: o.Evidence}
	passed := &captures{evidence: o.Evidence}
	return &realtime{
		log: log, name: f.Name, profiles: []*terminals.Profile{profile}, scale: 1, lang: cmp.Or(f.Lang, profile.Languages[0]),
		has: f.Has, noPackets: labNoPackets(f), trust: held, unsafe: held.before(), console: console,
		plan: func(t *teardown, wanted Wanted) (plan, error) {
			s, err := labSettings(f, o.State, console, time.Now())
			if err != nil {
				return plan{}, err
			}
			if err := keep(); err != nil {
				return plan{}, err
			}
			w, err := labWire(t, f, wanted)
			if err != nil {
				return plan{}, err
			}
			made := plan{wire: w, lines: labLines(f, wanted.Profile.Screen.Baud, log), settings: s, host: host, authority: labAuthority(f), captures: passed}
			if s.calibration != nil {
				made.ready = touch
			}
			return made, nil
		},
	}, nil
}

// notPlanned refuses a world to who has not taken the rig.
func notPlanned(*teardown, Wanted) (plan, error) {
	return plan{}, errors.New("this rung was opened for planning only")
}

// labNoPackets is why packet faults can't be made between a rig's terminal and its host.
func labNoPackets(f *rigs.File) func(kind string) string {
	if f.Interface != "" {
		return noPackets
	}
	return func(kind string) string {
		return fmt.Sprintf("packet fault %s: the rig file has no \"interface\" behind which its terminal is", kind)
	}
}

// labWire is where the rig's terminal finds its host.
func labWire(t *teardown, f *rigs.File, wanted Wanted) (wire, error) {
	if !wanted.Packets {
		return newLoopback(labAddresses(f)), nil
	}
	w, err := newGated(t, f.Interface, labAddresses(f))
	if err != nil {
		return nil, rigs.Fault("interface", "borrow", err)
	}
	return w, nil
}

// touchKey is a corner's key that changes nothing on an idle terminal.
const touchKey = "CANCEL"

// touch proves before a run that a calibrated finger still gets down to the keypad.
func touch(ctx context.Context, rig *rigs.Rig) error {
	if err := rig.Keypad.Home(ctx); err != nil {
		return err
	}
	if _, err := rig.Keypad.Press(ctx, touchKey); err != nil {
		return fmt.Errorf("touch check: %w", err)
	}
	return nil
}

// measuredEvidence is where a run's evidence has the rig's own latencies.
const measuredEvidence = "rig.json"

// keepMeasured puts what was measured on the rig into the run's evidence: the judge's uncertainty comes
// from there.
func (o Options) keepMeasured(f *rigs.File) error {
	measured, err := ReadMeasured(o.State, f)
	if err != nil || measured.At.IsZero() || o.Evidence == nil {
		return err
	}
	file, err := o.Evidence(measuredEvidence)
	if errors.Is(err, fs.ErrExist) {
		return nil // a run that goes on has it already
	}
	if err != nil {
		return err
	}
	enc := json.NewEncoder(file)
	enc.SetIndent("", "  ")
	return errors.Join(enc.Encode(measured), file.Close())
}

// labAddresses are the addresses that the terminal dials, by uplink, and that of its name server.
func labAddresses(f *rigs.File) map[string]string {
	addresses := map[string]string{}
	if f.Listen != "" {
		addresses[uplinkName] = f.Listen
	}
	if f.Backup != "" {
		addresses[backupName] = f.Backup
	}
	if f.Names != "" {
		addresses[namesName] = f.Names
	}
	return addresses
}

// labAuthority is the folder of the authority that the terminal trusts; "" where it speaks no TLS.
func labAuthority(f *rigs.File) string {
	if f.TLS == "" {
		return ""
	}
	return f.Resolve(f.TLS)
}

// errNoConsole says that a rig needs a person and that there is nobody to ask.
var errNoConsole = errors.New("a person is an instrument of this rig, and nobody can be asked here: run in a terminal")

// console is where a person is asked; nil for a rig that asks nobody. There is one for all worlds of a run: two would
// take each other's answers.
func (o Options) console(f *rigs.File) (*human.Console, error) {
	for name, l := range f.Drivers() {
		if l.Driver != "human" {
			continue
		}
		if o.In == nil || o.Out == nil {
			return nil, rigs.Fault(name, "open", errNoConsole)
		}
		return human.NewConsole(o.In, o.Out), nil
	}
	return nil, nil
}

// labSettings are what a rig file, its calibration and its measurements, kept in a state folder, say. Errors are the rig's.
func labSettings(f *rigs.File, root string, console *human.Console, now time.Time) (settings, error) {
	s := settings{
		name: f.Name, uncertainty: f.Uncertainty, instruments: &f.Instruments, dir: filepath.Dir(f.Path), console: console,
	}
	if s.uncertainty == 0 {
		measured, err := ReadMeasured(root, f)
		if err != nil {
			return s, err
		}
		s.uncertainty = cmp.Or(measured.Uncertainty, rigs.DefaultUncertainty)
	}
	if f.Calibration == "" {
		return s, nil
	}
	r, c, err := calibration.Load(f.Resolve(f.Calibration), f.Terminal, now)
	if err != nil {
		return s, rigs.Fault("keypad", "calibration", err)
	}
	s.calibration, s.contact = &c, r.Contact
	return s, nil
}

// LabHost is the host behind a rig's uplinks: the dialect and keys that its file refers to, or the
// profile's.
func LabHost(f *rigs.File) (*hosts.Host, error) {
	ref := f.Host
	if ref == nil {
		ref = &rigs.HostRef{}
	}
	load, name := hosts.Load, cmp.Or(ref.Dialect, f.Terminal.Host)
	if rigs.IsPath(name) {
		load, name = hosts.LoadFile, f.Resolve(name)
	}
	loaded, err := load(name)
	if err != nil {
		return nil, err
	}
	if ref.Keys == "" {
		return loaded, nil
	}
	host := *loaded // the loaded one is shared
	keys, err := rigs.LoadKeys(f.Resolve(ref.Keys))
	if err != nil {
		return nil, err
	}
	for _, k := range []struct {
		to    *[]byte
		given []byte
	}{
		{&host.PINKey, keys.PINKey}, {&host.Keys.Master, keys.Master}, {&host.Keys.MAC, keys.MAC}, {&host.Keys.PIN, keys.PIN}, {&host.Keys.BDK, keys.BDK},
	} {
		if len(k.given) > 0 {
			*k.to = k.given
		}
	}
	return &host, nil
}
