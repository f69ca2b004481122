package rungs

import (
	"context"
	"errors"
	"time"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/calibration"
	"github.com/assay-hil/assay/rigs/human"
	"github.com/assay-hil/assay/rigs/lease"
	"github.com/assay-hil/assay/rigs/serial"
	"github.com/assay-hil/assay/rigs/state"
)

// Lab is a rig file's bench whose instruments are opened one at a time, by hand or for a check. Nothing
// judges on it. It holds the rig's lease until Close.
type Lab struct {
	File     *rigs.File
	settings settings
	lines    lines
	lease    *lease.Lease
	parts    teardown
	unsafe   error           // why an instrument could not be made safe
	halted   map[string]bool // instruments that were
}

// LabOptions say what a Lab is opened for.
type LabOptions struct {
	// Doing is who holds the rig, in words, for others who want it: "assay rigs check".
	Doing string
	// State is the folder in which is kept what is known about rigs; "" as package state says.
	State string
	// Console is where a person is asked; nil where nobody is.
	Console *human.Console
	// Teaching opens the keypad without a calibration, because one is being made.
	Teaching bool
	// Calibration and Contact take the place of what the rig file says, to try them before they are saved.
	Calibration *calibration.Calibration
	Contact     time.Duration
}

// OpenLab reads a rig file and takes its lease. Errors: those of the file; *lease.HeldError; an expired
// calibration.
func OpenLab(path string, o LabOptions) (*Lab, error) {
	f, err := rigs.LoadFile(path)
	if err != nil {
		return nil, err
	}
	root, err := state.Root(o.State)
	if err != nil {
		return nil, err
	}
	dir, err := state.Dir(root, f.Name, f.Path)
	if err != nil {
		return nil, err
	}
	held, err := lease.Acquire(dir, f.Name, o.Doing)
	if err != nil {
		return nil, err
	}
	l := &Lab{File: f, lease: held, halted: map[string]bool{}, lines: labLines(f, f.Terminal.Screen.Baud, nil)}
	l.parts.add("lease", l.release)
	described := o.describe(f)
	if l.settings, err = labSettings(described, o.State, o.Console, time.Now()); err != nil {
		return nil, errors.Join(err, l.parts.run())
	}
	if o.Calibration != nil {
		l.settings.calibration = o.Calibration
	}
	return l, nil
}

// describe gives the rig file as it is to be taken now: without its calibration where another is given or
// made, and with a safe height near the top of the machine while nobody knows where the keypad is.
func (o LabOptions) describe(f *rigs.File) *rigs.File {
	described := *f
	if !o.Teaching && o.Calibration == nil {
		return &described
	}
	described.Calibration = ""
	if f.Instruments.Keypad == nil {
		return &described
	}
	keypad := *f.Instruments.Keypad
	described.Instruments.Keypad = &keypad
	if o.Teaching && keypad.Origin == (rigs.Origin{}) {
		keypad.Origin.Z = -f.Terminal.Keypad.Safe - teachingDepth
	}
	if o.Contact > 0 {
		keypad.Contact = o.Contact
	}
	return &described
}

// teachingDepth is how far below the machine's zero, in mm, the finger travels while nobody knows yet
// where the keypad is.
const teachingDepth = 2

// release gives the rig back, with what is known about its safety: what could not be made safe, and what
// the last holder left unsafe and nobody has made safe since.
func (l *Lab) release() error {
	why := ""
	if before := l.lease.Before(); before != nil && len(l.halted) < len(l.File.Drivers()) {
		why = before.Unsafe
	}
	if l.unsafe != nil {
		why = l.unsafe.Error()
	}
	return errors.Join(l.lease.Unsafe(why), l.lease.Release())
}

// haltLimit bounds the making safe of one instrument, homing included.
const haltLimit = 4 * time.Minute

// Open opens an instrument of the rig. It is made safe and closed by Close.
func (l *Lab) Open(ctx context.Context, name string) (rigs.Instrument, error) {
	line, there := l.File.Drivers()[name]
	if !there {
		return nil, rigs.Fault(name, "open", errors.New("the rig file has none; add it under instruments, or see assay rigs discover"))
	}
	d, err := openInstrument(ctx, name, line.Driver, l.File.Terminal, l.lines, l.settings)
	if err != nil {
		return nil, err
	}
	l.parts.add(name, d.Close)
	return d, nil
}

// Halt puts an instrument into its safe state, whatever has become of ctx.
func (l *Lab) Halt(ctx context.Context, d rigs.Instrument) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), haltLimit)
	defer cancel()
	err := d.Halt(ctx)
	l.halted[d.Name()] = err == nil
	l.unsafe = errors.Join(l.unsafe, err)
	return err
}

// Peers are a rig's issuer and injector while they are up.
type Peers struct {
	Issuer  *issuer.Client
	Network *network.Client
	// Dial connects to the injector as the terminal does, over the uplink "primary" or "backup".
	Dial dialer
}

// Uplinks names the uplinks that the rig file gives an address to.
func (l *Lab) Uplinks() []string {
	uplinks := []string{}
	for _, name := range []string{uplinkName, backupName} {
		if labAddresses(l.File)[name] != "" {
			uplinks = append(uplinks, name)
		}
	}
	return uplinks
}

// Address is what the terminal dials over an uplink.
func (l *Lab) Address(uplink string) string { return labAddresses(l.File)[uplink] }

// Hosts starts issuer and injector on the rig's own addresses, until Close.
func (l *Lab) Hosts(ctx context.Context) (*Peers, error) {
	host, err := LabHost(l.File)
	if err != nil {
		return nil, err
	}
	all, err := cards.All()
	if err != nil {
		return nil, err
	}
	w := newLoopback(labAddresses(l.File))
	up, err := startHosts(ctx, w, &l.parts, site{profile: l.File.Terminal, host: host, cards: all, authority: labAuthority(l.File)})
	if err != nil {
		return nil, err
	}
	return &Peers{Issuer: up.issuer, Network: up.network, Dial: w.Dial}, nil
}

// Close closes what was opened, and gives the rig back.
func (l *Lab) Close() error { return l.parts.run() }

// Busy says whether an error means that another process has the device or the rig.
func Busy(err error) bool {
	return errors.Is(err, serial.ErrInUse) || errors.As(err, new(*lease.HeldError))
}
