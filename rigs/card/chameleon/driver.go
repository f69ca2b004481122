package chameleon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/card"
	"github.com/assay-hil/assay/rigs/serial"
)

// Baud is the line's rate. The emulator is a USB CDC device, which ignores it.
const Baud = 115200

// Name is the instrument's place on the rig.
const Name = "card"

// product is what errors call the emulator.
const product = "ChameleonUltra"

// MaxSlot is the highest of the emulator's slots, which are numbered from 0.
const MaxSlot = 7

// Limits bound what the driver waits for and keeps. A zero field means its default.
type Limits struct {
	// Reply is the wait after each sending of a request; Flash that of one that writes the
	// emulator's flash. Sendings is how often a request is sent in all.
	Reply    time.Duration
	Flash    time.Duration
	Sendings int
	// Quiet is how long the line must be silent after a request that got no answer, so that a late
	// answer is not taken for the next one's; Settle bounds the wait for that.
	Quiet  time.Duration
	Settle time.Duration
	// Poll is how often the emulator is asked for the last command while a card is in the field.
	Poll time.Duration
	// Events is how many events wait for the reader of Events before the oldest is dropped.
	Events int
}

// The defaults of Limits.
const (
	DefaultReply    = 500 * time.Millisecond
	DefaultFlash    = 2 * time.Second
	DefaultSendings = 3
	DefaultQuiet    = 50 * time.Millisecond
	DefaultSettle   = time.Second
	DefaultPoll     = 25 * time.Millisecond
)

// answerBuffer is how many frames of the emulator wait for the request that they answer. There is
// one request at a time, so more are late answers.
const answerBuffer = 4

func (l Limits) withDefaults() Limits {
	set(&l.Reply, DefaultReply)
	set(&l.Flash, DefaultFlash)
	set(&l.Sendings, DefaultSendings)
	set(&l.Quiet, DefaultQuiet)
	set(&l.Settle, DefaultSettle)
	set(&l.Poll, DefaultPoll)
	return l
}

// set replaces a value that is not positive by its default.
func set[T int | time.Duration](v *T, fallback T) {
	if *v <= 0 {
		*v = fallback
	}
}

// Config is what a rig says about its emulator.
type Config struct {
	// Slot is the emulator's slot that the driver uses, 0 to MaxSlot. What was in it is lost.
	Slot int
	// Partial lets a card into the field whose live commands can't be answered, for scenarios
	// that end before them.
	Partial bool
	Limits  Limits
}

// Stats counts what no call returns.
type Stats struct {
	Repeats int // requests sent again
	Skipped int // bytes that were part of no frame
	Late    int // answers that came for no request
	Dropped int // events that nobody read
}

// Driver is a rigs.CardEmulator that is contactless only.
type Driver struct {
	line   *serial.Line
	cfg    Config
	events *card.Events

	// move holds a token while no call moves a card, turn one while no request is outstanding.
	move, turn chan struct{}
	answers    chan frame    // from the reader
	ended      chan struct{} // closed when the reader has seen the line's end
	life       context.Context
	stop       context.CancelFunc
	polling    sync.WaitGroup

	// silent says that the last request got no answer. It belongs to who holds the turn.
	silent bool

	mu      sync.Mutex // guards what follows; never held while waiting
	version string
	near    *session // the card in the field
	dirty   bool     // the emulator's memory may hold a card
	fault   error    // of the card's session
	stats   Stats
}

var (
	_ rigs.CardEmulator = (*Driver)(nil)
	_ rigs.Watched      = (*Driver)(nil)
)

// session is a card in the field.
type session struct {
	table table
	stop  context.CancelFunc
}

// ErrSlot is returned by New for a slot that the emulator does not have.
var ErrSlot = fmt.Errorf("slot is not 0 to %d", MaxSlot)

// New starts to listen on the line, which the driver owns from then on, and sends nothing: Open also
// identifies the emulator and makes it safe. A failed New closes the line. Error: ErrSlot.
func New(line *serial.Line, cfg Config) (*Driver, error) {
	if cfg.Slot < 0 || cfg.Slot > MaxSlot {
		_ = line.Close()
		return nil, rigs.Fault(Name, "configure", fmt.Errorf("%d: %w", cfg.Slot, ErrSlot))
	}
	cfg.Limits = cfg.Limits.withDefaults()
	life, stop := context.WithCancel(context.Background())
	d := &Driver{
		line: line, cfg: cfg, events: card.NewEvents(cfg.Limits.Events),
		move: make(chan struct{}, 1), turn: make(chan struct{}, 1),
		answers: make(chan frame, answerBuffer), ended: make(chan struct{}),
		life: life, stop: stop, dirty: true,
	}
	d.move <- struct{}{}
	d.turn <- struct{}{}
	go d.read()
	return d, nil
}

// Open is New, then asks for the firmware's version and takes the card out of the field: the emulator
// comes up with the last one in it. ctx bounds the questions only. Errors: ErrSlot, *StatusError,
// rigs.ErrNoAnswer, the line's own.
func Open(ctx context.Context, line *serial.Line, cfg Config) (*Driver, error) {
	d, err := New(line, cfg)
	if err != nil {
		return nil, err
	}
	if err := d.identify(ctx); err != nil {
		_ = d.Close()
		return nil, rigs.Fault(Name, "identify", err)
	}
	if err := d.Halt(ctx); err != nil {
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

// identify asks for the version. An emulator that is in the middle of a frame of an earlier host
// takes every byte as a part of it, so one that does not answer gets as many as a frame can have.
func (d *Driver) identify(ctx context.Context) error {
	answer, err := d.request(ctx, cmdVersion, nil)
	if errors.Is(err, rigs.ErrNoAnswer) {
		if err := d.line.Write(ctx, make([]byte, maxFrame)); err != nil {
			return err
		}
		answer, err = d.request(ctx, cmdVersion, nil)
	}
	if err != nil {
		return err
	}
	if len(answer) != 2 {
		return fmt.Errorf("%v: %w", cmdVersion, ErrAnswer)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.version = fmt.Sprintf("%d.%d", answer[0], answer[1])
	return nil
}

// Name is "card".
func (d *Driver) Name() string { return Name }

// Firmware is the version that the emulator told, for example "2.1"; empty before it was asked.
func (d *Driver) Firmware() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.version
}

// Capabilities are the emulator's interfaces: the contactless field and no other.
func (d *Driver) Capabilities() []string { return []string{"field"} }

// Stats gives the counts so far.
func (d *Driver) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stats
	s.Dropped = d.events.Dropped()
	return s
}

// Events is a bounded stream of the commands that the terminal sent, as far as polling caught them:
// the emulator keeps only the last. It is closed by Close.
func (d *Driver) Events() <-chan rigs.CardEvent { return d.events.C() }

// Ended is closed when the line has ended; Err then says why. It implements rigs.Watched.
func (d *Driver) Ended() <-chan struct{} { return d.line.Ended() }

// Err is nil while the line is open, and a fault of the instrument afterwards.
func (d *Driver) Err() error { return rigs.Fault(Name, "line", d.line.Err()) }

// Close releases the line and ends the driver's goroutines.
func (d *Driver) Close() error {
	d.mu.Lock()
	d.stop() // under the lock, so that no polling begins any more
	d.mu.Unlock()
	err := d.line.Close()
	<-d.ended
	d.polling.Wait()
	d.events.Close()
	return rigs.Fault(Name, "close", err)
}

// Insert always fails: the emulator has no contacts. Error: *card.CapabilityError.
func (d *Driver) Insert(context.Context, rigs.Chip) error {
	return rigs.Fault(Name, "insert", d.lacks("chip"))
}

// Remove always fails: nothing can be in the slot that the emulator has not. Error:
// *card.CapabilityError.
func (d *Driver) Remove(context.Context) error { return rigs.Fault(Name, "remove", d.lacks("chip")) }

// Swipe always fails: the emulator has no coil. Error: *card.CapabilityError.
func (d *Driver) Swipe(context.Context, rigs.Tracks) error {
	return rigs.Fault(Name, "swipe", d.lacks("stripe"))
}

func (d *Driver) lacks(need string) error {
	return &card.CapabilityError{Emulator: product, Need: need, Have: d.Capabilities()}
}

// count changes the stats.
func (d *Driver) count(change func(*Stats)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.stats)
}

// blame keeps the first fault of the card's session.
func (d *Driver) blame(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault == nil {
		d.fault = err
	}
}
