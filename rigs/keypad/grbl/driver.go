package grbl

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

const (
	instrument = "keypad"

	// lineMax is longer than any line of GRBL; a longer one is noise.
	lineMax = 256
	// idleRead is how often the line is read while nobody calls.
	idleRead = 2 * time.Second
	// openTries is how often Open starts over when the controller restarts meanwhile, as a
	// board does that is reset by the opening of its port.
	openTries = 3
)

// Driver is a rigs.Keypad on a GRBL 1.1 controller.
type Driver struct {
	line    *serial.Line
	cfg     Config
	machine Machine

	turn  chan struct{} // holds one token while a method talks to the controller
	idle  *time.Timer   // goes off when nobody has had the turn for idleRead
	halts atomic.Int32  // Halts under way: nothing else may take the turn

	mu        sync.Mutex
	interrupt context.CancelCauseFunc // ends the method that has the turn, when Halt may

	state // belongs to the holder of the turn
}

var (
	_ rigs.Keypad  = (*Driver)(nil)
	_ rigs.Watched = (*Driver)(nil)
)

// state is what the driver believes about the controller.
type state struct {
	homed      bool  // Press is allowed
	distrust   error // why it is not
	positioned bool  // homed, and no alarm or restart since: G53 means what it says
	owed       int   // lines that have been sent and not been answered
	moving     bool  // a movement was sent and its end has not been confirmed
	used       bool  // a movement was sent since the last banner
	needReset  bool  // responses can't be told apart until the next banner
	resetSent  bool  // 0x18 has gone out and its banner has not come
	alarm      *AlarmError
	restarts   int    // banners seen
	greeting   string // the last banner
	asked      time.Time
	limit      *time.Timer // of the wait under way: there is one at a time
	rows       serial.Assembler
	inbox      []message // responses, alarms, banners and settings that were heard and not looked at yet
	report     message   // the latest status report
	reported   bool      // it has not been looked at
	out        []byte    // the last write, whose space is used again
	wco        *Point    // last work coordinate offset reported
	at         Point     // machine position when last confirmed; meaningful while positioned
	park       Point     // where homing ended
}

// Open takes over the line, resets the controller, reads its settings and returns the driver.
// Nothing moves. After an error the line is closed.
func Open(ctx context.Context, line *serial.Line, cfg Config) (*Driver, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, rigs.Fault(instrument, "open", errors.Join(err, line.Close()))
	}
	d := &Driver{line: line, cfg: cfg, turn: make(chan struct{}, 1)}
	d.rows = serial.Assembler{End: serial.LF, Max: lineMax}
	d.distrust, d.needReset = errors.New("never homed"), true
	d.limit = time.NewTimer(time.Hour)
	d.limit.Stop()
	for range openTries {
		if err = d.introduce(ctx); !errors.Is(err, ErrRestarted) {
			break
		}
		d.needReset = true
	}
	if err != nil {
		return nil, rigs.Fault(instrument, "open", errors.Join(err, d.Close()))
	}
	d.idle = time.AfterFunc(idleRead, d.readIdle)
	return d, nil
}

// introduce resets the controller and learns what it is.
func (d *Driver) introduce(ctx context.Context) error {
	if err := d.getInStep(ctx); err != nil {
		return err
	}
	limit, about, settings := d.cfg.Limits.Response, "", map[string]float64{}
	see := func(m message) {
		switch m.kind {
		case version:
			about = versionText(m.text)
		case setting:
			if name, value, valid := parseSetting(m.text); valid {
				settings[name] = value
			}
		}
	}
	ask := func(line string) error {
		_, err := d.send(ctx, order{step: "read settings", line: line, limit: limit, free: true, see: see})
		return err
	}
	if err := optional(ask("$I")); err != nil {
		return err
	}
	if err := ask("$$"); err != nil {
		return err
	}
	if isFluid(d.greeting, about) {
		for _, name := range missing(settings) {
			if err := optional(ask("$" + name)); err != nil {
				return err
			}
		}
	}
	var err error
	d.machine, err = newMachine(d.greeting, about, settings)
	if d.cfg.Limits.Homing <= 0 {
		d.cfg.Limits.Homing = d.machine.homingLimit()
	}
	return err
}

// optional forgives that a controller does not know a question.
func optional(err error) error {
	if refusal := (*RefusedError)(nil); errors.As(err, &refusal) {
		return nil
	}
	return err
}

// Contact is the range in which the time of a contact lies: what was wanted, and what the machine
// makes of it, see the package's comment.
func (d *Driver) Contact() (shortest, longest time.Duration) {
	return d.machine.contact(d.cfg.Contact, d.cfg.Overtravel, d.cfg.PlungeFeed)
}

// Machine gives what the controller said about itself at Open.
func (d *Driver) Machine() Machine { return d.machine }

// Identity is the controller's greeting.
func (d *Driver) Identity() string { return d.machine.Banner }

// Warnings are those of Machine.
func (d *Driver) Warnings() []string { return d.machine.Warnings() }

// Name is "keypad".
func (d *Driver) Name() string { return instrument }

// Ended is closed when the line has ended; Err then says why. It implements rigs.Watched.
func (d *Driver) Ended() <-chan struct{} { return d.line.Ended() }

// Err is nil while the line is open, and a fault of the instrument afterwards.
func (d *Driver) Err() error { return rigs.Fault(instrument, "line", d.line.Err()) }

// Close releases the line. Nothing moves; call Halt first.
func (d *Driver) Close() error {
	if d.idle != nil {
		d.idle.Stop()
	}
	return rigs.Fault(instrument, "close", d.line.Close())
}

// readIdle takes what came while nobody called: of a controller that reports by itself the line would fill, with reports that
// a later call took for new ones, and its end would go unnoticed.
func (d *Driver) readIdle() {
	select {
	case d.turn <- struct{}{}:
	default:
		return // who has the turn reads
	}
	if d.catchUp() != nil {
		<-d.turn // the line has ended
		return
	}
	d.leave()
}

// leave gives the turn back.
func (d *Driver) leave() {
	d.idle.Reset(idleRead)
	<-d.turn
}

// hear sorts what came in. A report replaces the one before, so that a controller that reports by itself can't fill anything.
func (d *Driver) hear(c serial.Chunk) {
	for _, row := range d.rows.Feed(c) {
		if row.Overlong {
			continue
		}
		m := answered
		if string(row.Bytes) != m.text {
			m = classify(string(row.Bytes))
		}
		m.at = row.At
		switch m.kind {
		case noise, info:
		case report:
			d.report, d.reported = m, true
		default:
			d.inbox = append(d.inbox, m)
		}
	}
}

// look gives the oldest message that nobody has looked at, and takes note of it.
func (d *Driver) look() (message, bool) {
	if len(d.inbox) == 0 {
		return message{}, false
	}
	m := d.inbox[0]
	d.inbox = append(d.inbox[:0], d.inbox[1:]...)
	d.note(m)
	return m, true
}

// take waits for the turn. The context it returns ends also when Halt wants the turn.
func (d *Driver) take(ctx context.Context) (context.Context, func(), error) {
	if ctx.Err() != nil {
		return nil, nil, expired(ctx, "before anything was sent")
	}
	if err := d.hold(ctx); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	d.setInterrupt(cancel)
	release := func() {
		d.setInterrupt(nil)
		cancel(nil)
		d.leave()
	}
	if d.halts.Load() > 0 {
		release()
		return nil, nil, ErrHalted
	}
	return ctx, release, nil
}

// hold waits for the turn alone.
func (d *Driver) hold(ctx context.Context) error {
	select {
	case d.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return expired(ctx, "waiting for another call")
	case <-d.line.Ended():
		return d.line.Err()
	}
}

func (d *Driver) setInterrupt(cancel context.CancelCauseFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.interrupt = cancel
}

// preempt ends the method that has the turn.
func (d *Driver) preempt() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.interrupt != nil {
		d.interrupt(ErrHalted)
	}
}

// expired is the error for a context that ended. A deadline that passed while we waited for
// the controller is an answer that did not come.
func expired(ctx context.Context, during string) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w: %w", during, rigs.ErrNoAnswer, cause)
	}
	return fmt.Errorf("%s: %w", during, cause)
}
