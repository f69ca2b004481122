package cardhopper

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

// Baud is the line's rate on the UART of the add-on. Over USB it is ignored.
const Baud = 115200

// Name is the instrument's place on the rig.
const Name = "card"

// product is what errors call the emulator.
const product = "Proxmark3 CardHopper"

// Limits bound what the driver waits for and keeps. A zero field means its default.
type Limits struct {
	// Ack is the wait for the mark that a packet has come.
	Ack time.Duration
	// Command is how long the terminal is kept waiting for a chip's answer.
	Command time.Duration
	// Events is how many events wait for the reader of Events before the oldest is dropped.
	Events int
}

// The defaults of Limits.
const (
	DefaultAck     = 500 * time.Millisecond
	DefaultCommand = 5 * time.Second
)

// What a Config means when it leaves a field 0.
const (
	// DefaultFWI gives the driver 38.7 ms for an answer before it asks for more. Payment terminals
	// need not accept cards that ask for longer.
	DefaultFWI = 7
	// MaxFWI gives it 4.9 s; 15 is reserved, and the firmware makes 14 of it.
	MaxFWI = 14
	// DefaultTagType is the firmware's number for a card of ISO/IEC 14443-4 type A with SAK 20, its
	// Java card.
	DefaultTagType = 11
)

// Config is what a rig says about its emulator.
type Config struct {
	// FWI is the frame waiting time that the card announces, as an exponent: 302 µs times two to
	// the power of FWI (ISO/IEC 14443-4 §5.2.5).
	FWI byte
	// TagType is the firmware's number for the kind of card.
	TagType byte
	// AnswerRATS is for a firmware that waits for an answer to RATS too; the present one does not.
	AnswerRATS bool
	Limits     Limits
}

// Stats counts what no call returns.
type Stats struct {
	Extensions int // waiting-time extensions sent
	Repeats    int // blocks that the terminal asked for again
	Ignored    int // frames that no terminal sends to this card
	Dropped    int // events that nobody read
}

// itemBuffer is how many packets wait for the driver's goroutine. The Proxmark waits for an answer
// to each, so there are never many.
const itemBuffer = 8

// Driver is a rigs.CardEmulator that is contactless only.
type Driver struct {
	line   *serial.Line
	cfg    Config
	events *card.Events
	items  chan item // from the reader; closed when the line has ended
	calls  chan call
	life   context.Context
	stop   context.CancelFunc
	ended  sync.WaitGroup

	mu    sync.Mutex // guards what follows
	fault error      // of the card's session
	stats Stats
}

var (
	_ rigs.CardEmulator = (*Driver)(nil)
	_ rigs.Watched      = (*Driver)(nil)
)

// call is what a method wants of the goroutine that owns the line.
type call struct {
	ctx  context.Context
	work func(ctx context.Context, o *owner) error
	done chan error
}

// ErrFWI is returned by New for an exponent over MaxFWI.
var ErrFWI = fmt.Errorf("frame waiting time exponent is over %d", MaxFWI)

// New starts to listen on the line, which the driver owns from then on, and sends nothing: Open
// also makes the emulator safe. A failed New closes the line. Error: ErrFWI.
func New(line *serial.Line, cfg Config) (*Driver, error) {
	if cfg.FWI > MaxFWI {
		_ = line.Close()
		return nil, rigs.Fault(Name, "configure", fmt.Errorf("%d: %w", cfg.FWI, ErrFWI))
	}
	set(&cfg.FWI, DefaultFWI)
	set(&cfg.TagType, DefaultTagType)
	set(&cfg.Limits.Ack, DefaultAck)
	set(&cfg.Limits.Command, DefaultCommand)
	life, stop := context.WithCancel(context.Background())
	d := &Driver{
		line: line, cfg: cfg, events: card.NewEvents(cfg.Limits.Events),
		items: make(chan item, itemBuffer), calls: make(chan call), life: life, stop: stop,
	}
	d.ended.Go(d.read)
	d.ended.Go(newOwner(d).run)
	return d, nil
}

// set replaces zero by a default.
func set[T byte | time.Duration](v *T, fallback T) {
	if *v == 0 {
		*v = fallback
	}
}

// Open is New and then Halt: the Proxmark must answer, and no card is in the field. Errors: ErrFWI,
// rigs.ErrNoAnswer, ctx's, the line's own.
func Open(ctx context.Context, line *serial.Line, cfg Config) (*Driver, error) {
	d, err := New(line, cfg)
	if err != nil {
		return nil, err
	}
	if err := d.Halt(ctx); err != nil {
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

// Name is "card".
func (d *Driver) Name() string { return Name }

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

// Events is a bounded stream of what the terminal did with the card; "field-on" is a selection of the
// card, "field-off" its deselection. A field that just goes is not reported by the Proxmark. It is
// closed by Close.
func (d *Driver) Events() <-chan rigs.CardEvent { return d.events.C() }

// Ended is closed when the line has ended; Err then says why. It implements rigs.Watched.
func (d *Driver) Ended() <-chan struct{} { return d.line.Ended() }

// Err is nil while the line is open, and a fault of the instrument afterwards.
func (d *Driver) Err() error { return rigs.Fault(Name, "line", d.line.Err()) }

// Close releases the line and ends the driver's goroutines. It waits for a chip that is just
// working.
func (d *Driver) Close() error {
	d.stop()
	err := d.line.Close()
	d.ended.Wait()
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

// frameGap is the longest pause inside of a packet; what is unfinished after it has lost bytes.
const frameGap = 200 * time.Millisecond

// read parses packets until the line ends.
func (d *Driver) read() {
	defer close(d.items)
	var p parser
	var last time.Time
	for chunk := range d.line.Chunks() {
		if p.pending() && chunk.At.Sub(last) > frameGap {
			p.forget()
		}
		last = chunk.At
		for _, next := range p.feed(chunk.Data) {
			select {
			case d.items <- next:
			case <-d.life.Done():
				return
			}
		}
	}
}

// do has the owner of the line do some work and waits for it.
func (d *Driver) do(ctx context.Context, op string, work func(ctx context.Context, o *owner) error) error {
	c := call{ctx: ctx, work: work, done: make(chan error, 1)}
	select {
	case d.calls <- c:
	case <-ctx.Done():
		return rigs.Fault(Name, op, context.Cause(ctx))
	case <-d.life.Done():
		return rigs.Fault(Name, op, rigs.ErrClosed)
	}
	select {
	case err := <-c.done:
		return rigs.Fault(Name, op, err)
	case <-d.life.Done():
		return rigs.Fault(Name, op, rigs.ErrClosed)
	}
}

// endError says why the line ended.
func (d *Driver) endError() error {
	if err := d.line.Err(); err != nil {
		return err
	}
	return rigs.ErrLost
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

// session gives the fault of the card's session.
func (d *Driver) session() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault
}

// acquit forgets it.
func (d *Driver) acquit() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = nil
}

// The faults of a session, and of packets.
var (
	// ErrLate: an answer was handed over later than the terminal waits.
	ErrLate = errors.New("answer came later than the terminal waits; raise the emulator's fwi or free this machine")
	// ErrSlow: the chip did not answer a command within Limits.Command.
	ErrSlow = errors.New("chip did not answer the command in time")
	// ErrRefused: the Proxmark could not use a packet.
	ErrRefused = errors.New("the Proxmark refused a packet")
	// ErrNear is returned by Tap when a card is in the field already.
	ErrNear = errors.New("a card is in the field already")
	// errMode explains silence of a device whose line works.
	errMode = errors.New("is the Proxmark in its stand-alone mode CardHopper (flashed with STANDALONE=HF_CARDHOPPER, started by its button)?")
)
