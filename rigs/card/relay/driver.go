package relay

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// Baud is the line's rate, PROTOCOL.md §1.
const Baud = 115200

// Name is the instrument's place on the rig.
const Name = "card"

const (
	protocolName    = "relay"
	protocolVersion = "1"
)

// Limits bound what the driver waits for and keeps. A zero field means its default.
type Limits struct {
	// Reply is the wait after each sending of a request, SwipeReply that of SWIPE, and
	// Sendings how often it is sent in all; PROTOCOL.md §2.
	Reply      time.Duration
	SwipeReply time.Duration
	Sendings   int
	// Events is how many events wait for the reader of Events before the oldest is dropped.
	Events int
	// Queue is how many of the emulator's events wait for the chip. One that finds the
	// queue full is not acknowledged: the emulator keeps it and repeats it.
	Queue int
}

// The defaults of Limits.
const (
	DefaultReply      = 300 * time.Millisecond
	DefaultSwipeReply = 1500 * time.Millisecond
	DefaultSendings   = 3
	DefaultEvents     = 1024
	DefaultQueue      = 16
)

func (l Limits) withDefaults() Limits {
	set(&l.Reply, DefaultReply)
	set(&l.SwipeReply, DefaultSwipeReply)
	set(&l.Sendings, DefaultSendings)
	set(&l.Events, DefaultEvents)
	set(&l.Queue, DefaultQueue)
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
	Limits Limits
}

// Stats counts what no call returns.
type Stats struct {
	Repeats    int // requests sent again
	BadLines   int // lines dropped for their form or checksum
	Duplicates int // events that came again
	Refused    int // events not acknowledged because the queue was full
	Unknown    int // events with a verb that version 1 does not have
	Stale      int // answers that came after the card was reset or pulled
	Dropped    int // events that nobody read from Events
	Lost       int // events that the emulator dropped, as it says
}

// Driver is a rigs.CardEmulator.
type Driver struct {
	line     *serial.Line
	limits   Limits
	firmware string
	caps     []string

	// turn holds a token while no request is outstanding.
	turn chan struct{}
	// ended is closed when the reader has seen the line's end.
	ended chan struct{}
	// queue carries the emulator's events to the worker; the reader closes it.
	queue  chan incoming
	events chan rigs.CardEvent
	// life ends with Close; the worker's requests are bound to it.
	life context.Context
	stop context.CancelFunc
	done chan struct{} // closed when the worker is through

	mu      sync.Mutex // guards what follows; never held while waiting
	seq     byte       // number of the next request
	pending *call      // the outstanding request
	slot    card
	near    card
	moves   uint64    // counts calls that move a card
	fault   error     // of the card's session
	doubt   *doubt    // about the emulator's last refusal of an answer
	gone    time.Time // when a card was last taken out
	stats   Stats
}

var (
	_ rigs.Crowd   = (*Driver)(nil)
	_ rigs.Watched = (*Driver)(nil)
)

// card is what was put into one interface.
type card struct {
	chip rigs.Chip
	// sure says that the emulator confirmed it.
	sure bool
}

// call is an outstanding request.
type call struct {
	seq   byte
	hello bool
	reply chan []string // one reply's words
}

// Open greets the emulator on the line and returns its driver, which owns the line: Close
// closes it, and so does a failed Open. ctx bounds the greeting only. Errors are faults of the
// instrument "card": rigs.ErrNoAnswer, a *VersionError, ErrReply, or the line's own.
func Open(ctx context.Context, line *serial.Line, cfg Config) (*Driver, error) {
	limits := cfg.Limits.withDefaults()
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	d := &Driver{
		line:   line,
		limits: limits,
		turn:   make(chan struct{}, 1),
		ended:  make(chan struct{}),
		queue:  make(chan incoming, limits.Queue),
		events: make(chan rigs.CardEvent, limits.Events),
		life:   life,
		stop:   stop,
		done:   make(chan struct{}),
	}
	d.turn <- struct{}{}
	go d.read()
	go d.work()
	if err := d.greet(ctx); err != nil {
		_ = d.Close()
		return nil, rigs.Fault(Name, "hello", err)
	}
	return d, nil
}

// greet sends HELLO and keeps what the emulator says about itself. It leaves the emulator empty.
func (d *Driver) greet(ctx context.Context) error {
	// An empty line ends what an earlier host left unfinished.
	if err := d.line.Write(ctx, []byte("\n")); err != nil {
		return err
	}
	args, err := d.request(ctx, "HELLO")
	if err != nil {
		return err
	}
	if len(args) < 2 || args[0] != protocolName || args[1] != protocolVersion {
		return &VersionError{Got: strings.Join(args[:min(len(args), 2)], " ")}
	}
	if len(args) != 4 {
		return fmt.Errorf("HELLO: %d arguments: %w", len(args), ErrReply)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.firmware, d.caps = args[2], strings.Split(args[3], ",")
	d.slot, d.near, d.doubt, d.gone = card{}, card{}, nil, time.Now()
	return nil
}

// Name is "card".
func (d *Driver) Name() string { return Name }

// Firmware is what the emulator calls its firmware.
func (d *Driver) Firmware() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.firmware
}

// Capabilities are the emulator's interfaces out of "stripe", "chip", "field" and "crowd".
func (d *Driver) Capabilities() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.caps)
}

// Stats gives the counts so far.
func (d *Driver) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// Events is a bounded stream of what the terminal did with the card. When nobody reads, the
// oldest are dropped and counted: the card's answers never wait. It is closed by Close.
func (d *Driver) Events() <-chan rigs.CardEvent { return d.events }

// Ended is closed when the line has ended; Err then says why. It implements rigs.Watched.
func (d *Driver) Ended() <-chan struct{} { return d.line.Ended() }

// Err is nil while the line is open, and a fault of the instrument afterwards.
func (d *Driver) Err() error { return rigs.Fault(Name, "line", d.line.Err()) }

// Close releases the line and ends both goroutines. It waits for a chip that is just working.
func (d *Driver) Close() error {
	d.stop()
	err := d.line.Close()
	<-d.ended
	<-d.done
	return rigs.Fault(Name, "close", err)
}

// count changes the stats.
func (d *Driver) count(change func(*Stats)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.stats)
}
