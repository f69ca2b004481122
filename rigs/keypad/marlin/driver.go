package marlin

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

	// lineMax is longer than any line of Marlin that the driver reads; a longer one is noise.
	lineMax = 512
	// inboxLimit is how many messages wait to be looked at. When it is full the line waits.
	inboxLimit = 256
)

// Driver is a rigs.Keypad on a Marlin controller.
type Driver struct {
	line    *serial.Line
	cfg     Config
	machine Machine

	inbox   chan message // reader → holder of the turn; closed when the line ends
	curious atomic.Bool  // info is wanted, too
	closing chan struct{}
	once    sync.Once
	done    chan struct{} // closed when the reader has ended

	turn  chan struct{} // holds one token while a method talks to the controller
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
	positioned bool  // homed, and nothing has happened since that costs the position
	distrust   error // why not
	waiting    bool  // a line has been sent and not been answered
	moving     bool  // a movement was sent and its end has not been confirmed
	needSync   bool  // answers can't be told apart until the next M115
	killed     bool  // the firmware has halted
	number     int   // of the last line that was answered
	at         Point // when last confirmed; meaningful while positioned
	park       Point // where homing ended
}

// Open takes over the line, stops what moves, asks the controller what it is and returns the
// driver. Nothing is moved. After an error the line is closed.
func Open(ctx context.Context, line *serial.Line, cfg Config) (*Driver, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, rigs.Fault(instrument, "open", errors.Join(err, line.Close()))
	}
	d := &Driver{
		line: line, cfg: cfg, inbox: make(chan message, inboxLimit),
		closing: make(chan struct{}), done: make(chan struct{}), turn: make(chan struct{}, 1),
	}
	d.distrust, d.needSync = errors.New("never homed"), true
	go d.reader()
	if err := d.introduce(ctx); err != nil {
		return nil, rigs.Fault(instrument, "open", errors.Join(err, d.Close()))
	}
	return d, nil
}

// introduce gets in step with the controller and learns what it is.
func (d *Driver) introduce(ctx context.Context) error {
	if err := d.getInStep(ctx); err != nil {
		return err
	}
	d.curious.Store(true)
	defer d.curious.Store(false)
	var lines []string
	for _, line := range []string{"M115", "M119", "M211", "M503"} {
		ask := order{step: "read settings", line: line, limit: d.cfg.Limits.Response, free: true}
		ask.see = func(m message) { lines = append(lines, m.text) }
		if _, err := d.send(ctx, ask); err != nil {
			return err
		}
	}
	var err error
	d.machine, err = newMachine(lines)
	return err
}

// Machine gives what the controller said about itself at Open.
func (d *Driver) Machine() Machine { return d.machine }

// Contact is the range in which the time of a contact lies: what was wanted, and what the machine
// makes of it, see the package's comment.
func (d *Driver) Contact() (shortest, longest time.Duration) {
	return d.machine.contact(d.cfg.Contact, d.cfg.Overtravel, d.cfg.PlungeFeed)
}

// Identity is the firmware's name and version.
func (d *Driver) Identity() string { return d.machine.Firmware }

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
	d.once.Do(func() { close(d.closing) })
	err := d.line.Close()
	<-d.done // prompt: the line's Close has closed its chunks
	return rigs.Fault(instrument, "close", err)
}

// reader sorts what comes in until the line ends.
func (d *Driver) reader() {
	defer close(d.done)
	defer close(d.inbox)
	lines := serial.Assembler{End: serial.LF, Max: lineMax}
	for chunk := range d.line.Chunks() {
		for _, row := range lines.Feed(chunk) {
			m := classify(string(row.Bytes))
			m.at = row.At
			if row.Overlong || m.kind == noise || m.kind == busy || m.kind == info && !d.curious.Load() {
				continue
			}
			select {
			case d.inbox <- m:
			case <-d.closing:
				return
			}
		}
	}
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
		<-d.turn
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
	case <-d.done:
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
