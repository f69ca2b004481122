// Package bench is the physical world in software, around a fake terminal: a robot over its
// keypad, a card emulator in its slot, a tap on its debug line, a relay in its supply and the
// printer on its desk. At the other end of each line the real drivers work as in a lab.
//
//	b, err := bench.Start(ctx, bench.Config{
//		Profile: profile, Host: host,
//		Ports:   bench.Ports{Keypad: …, Card: …, Display: …, Power: …, Printer: …},
//		Dial:    dial,
//	})
//	…
//	err = b.Close()
//
// What is between the parts is simulated too: keys bounce into presses, a power cut takes the
// terminal's RAM but not its NVRAM, the connections of a terminal without power fall silent.
// Everything may be built to misbehave; see Faults.
package bench

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-hil/assay/fakes/bench/cardslot"
	"github.com/assay-hil/assay/fakes/bench/paper"
	"github.com/assay-hil/assay/fakes/bench/relay"
	"github.com/assay-hil/assay/fakes/bench/robot"
	"github.com/assay-hil/assay/fakes/bench/tap"
	"github.com/assay-hil/assay/fakes/terminal"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
)

const (
	// PowerChannel is the relay in the terminal's supply: energised means that it has power.
	PowerChannel = 0
	// CloseLimit is how long each part may take to stop.
	CloseLimit = 5 * time.Second
	// fastSwipe is the shortest swipe that the relay protocol allows.
	fastSwipe = 100 * time.Millisecond
	// contactTravel is how long the contact of a power relay takes to move; data sheets say 5 to 10 ms.
	contactTravel = 10 * time.Millisecond
)

// ErrConfig is returned by Start for a bench that can't be built.
var ErrConfig = errors.New("bench configuration")

// Ports are the bench's ends of the lines. Close must end a Read and a Write in progress: a
// pseudo-terminal does so in non-blocking mode only. A port must stay readable while nobody is
// at its other end, for a read error ends the line for good: of a pseudo-terminal, keep a
// descriptor of the other end open.
type Ports struct {
	Keypad, Card, Display, Power io.ReadWriteCloser
	// Printer may be nil where the profile has no printer.
	Printer io.ReadWriteCloser
}

// Config says what stands on the bench.
type Config struct {
	Profile *terminals.Profile
	// Lang is the terminal's language; "" takes the profile's default.
	Lang string
	Host *hosts.Host
	// Defects are planted in the terminal; see terminal.Defects.
	Defects []string
	// Trace is the trace number that the terminal has used last; 0 is none: its memory is empty.
	Trace int
	// Firmware is the version that the terminal shows; "" takes its default.
	Firmware string
	// Faults are planted in the instruments; see Faults.
	Faults []string
	// Fast makes robot and swipes fast, for runs in real time.
	Fast bool
	// Origin is the keypad's zero in the robot's machine coordinates, mm.
	Origin [3]float64
	Ports  Ports
	// Dial opens the terminal's connections to its host.
	Dial func(ctx context.Context, uplink string) (net.Conn, error)
	// DialAt does so at an address that a name stands for, DialNames to the name server; for models that dial by
	// name. Trust are the authorities that a model with TLS accepts.
	DialAt    func(ctx context.Context, uplink string, address netip.Addr) (net.Conn, error)
	DialNames func(ctx context.Context) (net.Conn, error)
	Trust     *x509.CertPool
}

// Bench is a bench with its terminal switched on.
type Bench struct {
	cfg    Config
	nvram  terminal.NVRAM
	uplink *uplink
	slot   *cardslot.Slot
	screen *tap.Tap
	paper  *paper.Paper // nil: none
	keys   *keyboard
	power  chan switching
	noPIN  atomic.Bool // the PIN pad's cable is open
	// noSIM and noSignal: the modem has no SIM card, or no antenna.
	noSIM, noSignal atomic.Bool
	stop            context.CancelFunc
	closers         []closer // in the order of the parts' start
	done            chan struct{}
	err             error // of the teardown; read it after done

	mu      sync.Mutex // never held while waiting
	crashed []error    // what the terminal died of, other than power cuts
}

// closer stops one part.
type closer struct {
	part string
	stop func() error
}

// Start builds the bench and switches the terminal on. It works until ctx ends or Close is
// called. The ports belong to it from the call on, also when it fails: with ErrConfig, an
// *UnknownFaultError, or what terminal.New fails with.
func Start(ctx context.Context, cfg Config) (*Bench, error) {
	faults, err := cfg.check()
	if err != nil {
		cfg.Ports.close()
		return nil, err
	}
	screen, err := tap.New(cfg.Ports.Display, tap.Config{Screen: cfg.Profile.Screen, Faults: faults.tap})
	if err != nil {
		cfg.Ports.close()
		return nil, fmt.Errorf("%w: profile %q: %w", ErrConfig, cfg.Profile.ID, err)
	}
	ctx, stop := context.WithCancel(ctx)
	b := &Bench{cfg: cfg, screen: screen, power: make(chan switching), stop: stop, done: make(chan struct{})}
	terminal.Provision(&b.nvram, cfg.Profile)
	if cfg.Trace > 0 {
		terminal.Age(&b.nvram, cfg.Trace)
	}
	b.nvram.Takes, b.nvram.Tears = cfg.Profile.Write, cfg.Profile.TornWrites
	b.wire(ctx, faults)
	first, err := b.boot(ctx)
	if err != nil {
		stop()
		return nil, errors.Join(err, b.teardown())
	}
	supplied := make(chan struct{})
	go func() { defer close(supplied); b.supply(ctx, first) }()
	b.started("terminal", func() error { <-supplied; return nil })
	go func() {
		defer close(b.done)
		<-ctx.Done()
		b.err = b.teardown()
	}()
	return b, nil
}

// wire starts the instruments and connects them to each other.
func (b *Bench) wire(ctx context.Context, faults faults) {
	ports, profile := b.cfg.Ports, b.cfg.Profile
	motion, swipe := robot.Realistic(), time.Duration(0)
	if b.cfg.Fast {
		motion, swipe = robot.Fast(), fastSwipe
	}
	b.uplink = &uplink{}
	b.started("uplinks", b.uplink.reset)
	b.started("display tap", b.screen.Close)
	b.slot = cardslot.New(ports.Card, cardslot.Config{SwipeTime: swipe, Faults: faults.card})
	b.started("card emulator", b.slot.Close)
	if ports.Printer != nil {
		b.paper = paper.New(ports.Printer, paper.Config{Faults: faults.paper})
		b.started("printer", b.paper.Close)
	}
	b.keys = newKeyboard(profile.Keypad.Debounce)
	b.started("keyboard", b.keys.close)
	finger := robot.New(ports.Keypad, robot.Config{
		Keypad: profile.Keypad, Origin: b.cfg.Origin, Motion: motion, Faults: faults.robot,
	}, b.keys.contact)
	gone := make(chan error, 1)
	go func() { gone <- finger.Run(ctx) }()
	b.started("robot", func() error {
		err := finger.Close()
		if run := <-gone; !errors.Is(run, robot.ErrClosed) { // closed before it had begun
			err = errors.Join(err, run)
		}
		return err
	})
	board := relay.New(ports.Power, relay.Config{On: 1 << PowerChannel, Travel: contactTravel, Faults: faults.relay}, b.moved(ctx))
	b.started("relay board", board.Close)
}

func (b *Bench) started(part string, stop func() error) {
	b.closers = append(b.closers, closer{part, stop})
}

// Close switches everything off, the last started first, and waits for it, at most CloseLimit
// for each part. It returns what did not stop well and what the terminal died of, other than
// power cuts. Further calls return the same.
func (b *Bench) Close() error {
	b.stop()
	<-b.done
	return b.err
}

func (b *Bench) teardown() error {
	var errs []error
	for i := len(b.closers) - 1; i >= 0; i-- {
		if err := b.closers[i].within(CloseLimit); err != nil {
			errs = append(errs, err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return errors.Join(append(errs, b.crashed...)...)
}

func (c closer) within(limit time.Duration) error {
	stopped := make(chan error, 1)
	go func() { stopped <- c.stop() }()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case err := <-stopped:
		if err != nil {
			return fmt.Errorf("%s: %w", c.part, err)
		}
		return nil
	case <-late.C:
		return fmt.Errorf("%s: not stopped after %v", c.part, limit)
	}
}

// check says whether the bench can be built, and with what faults.
func (cfg Config) check() (faults, error) {
	if cfg.Profile == nil || cfg.Host == nil || cfg.Dial == nil {
		return faults{}, fmt.Errorf("%w: a profile, a host and a dialer are needed", ErrConfig)
	}
	for _, port := range []struct {
		name   string
		needed bool
		there  bool
	}{
		{"keypad", true, cfg.Ports.Keypad != nil},
		{"card", true, cfg.Ports.Card != nil},
		{"display", true, cfg.Ports.Display != nil},
		{"power", true, cfg.Ports.Power != nil},
		{"printer", cfg.Profile.Has("printer"), cfg.Ports.Printer != nil},
	} {
		if port.needed && !port.there {
			return faults{}, fmt.Errorf("%w: profile %q needs a %s port", ErrConfig, cfg.Profile.ID, port.name)
		}
	}
	return plant(cfg.Faults)
}

func (p Ports) close() {
	for _, port := range []io.Closer{p.Keypad, p.Card, p.Display, p.Power, p.Printer} {
		if port != nil {
			_ = port.Close()
		}
	}
}
