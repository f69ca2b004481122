package escpos

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// Name is the instrument's place on the rig.
const Name = "printer"

// Limits bound what the driver waits for and keeps. A zero field means its default.
type Limits struct {
	// Stall is how long a command or image may stop in the middle before it is forgotten.
	Stall time.Duration
	// Paper is how many lines wait for the reader of Paper. When it is full the driver stops
	// reading, as a printer that is busy, and nothing is lost.
	Paper int
}

// The defaults of Limits.
const (
	DefaultStall = 2 * time.Second
	DefaultPaper = 1024
)

// Config is what the profile says about receipts.
type Config struct {
	Receipt terminals.Receipt
	Limits  Limits
}

// Driver is a rigs.Printer.
type Driver struct {
	line  *serial.Line
	stall time.Duration
	paper chan rigs.Paper
	life  context.Context
	stop  context.CancelFunc
	done  chan struct{}

	mu     sync.Mutex
	answer error // why a status question stayed unanswered
}

var _ rigs.Printer = (*Driver)(nil)

// New starts printing what comes over the line, which the driver owns from then on. It fails,
// and closes the line, when the profile's encoding is unknown.
func New(line *serial.Line, cfg Config) (*Driver, error) {
	if cfg.Limits.Stall <= 0 {
		cfg.Limits.Stall = DefaultStall
	}
	if cfg.Limits.Paper <= 0 {
		cfg.Limits.Paper = DefaultPaper
	}
	enc, err := charset(cfg.Receipt.Encoding)
	if err != nil {
		_ = line.Close()
		return nil, rigs.Fault(Name, "configure", err)
	}
	life, stop := context.WithCancel(context.Background())
	d := &Driver{
		line:  line,
		stall: cfg.Limits.Stall,
		paper: make(chan rigs.Paper, cfg.Limits.Paper),
		life:  life,
		stop:  stop,
		done:  make(chan struct{}),
	}
	go d.print(&sink{charset: enc})
	return d, nil
}

// Name is "printer".
func (d *Driver) Name() string { return Name }

// Paper is a bounded stream of printed lines and cuts in order. It is closed when the line
// ends; Err then says why.
func (d *Driver) Paper() <-chan rigs.Paper { return d.paper }

// Err is nil while the line is open, and a fault of the instrument afterwards.
func (d *Driver) Err() error { return rigs.Fault(Name, "read", d.line.Err()) }

// Probe fails when the line is lost, or when the terminal's last status question could not be
// answered. A terminal that prints nothing says nothing, so silence is no fault.
func (d *Driver) Probe(ctx context.Context) error {
	err := d.line.Err()
	if err == nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		err = d.answer
	}
	return rigs.Fault(Name, "probe", err)
}

// Halt does nothing: the driver only listens.
func (d *Driver) Halt(context.Context) error { return nil }

// Close releases the line and ends the stream; paper that nobody took may be lost.
func (d *Driver) Close() error {
	d.stop()
	err := d.line.Close()
	<-d.done
	return rigs.Fault(Name, "close", err)
}

// print feeds the sink until the line ends.
func (d *Driver) print(s *sink) {
	defer close(d.done)
	defer close(d.paper)
	var last time.Time
	for chunk := range d.line.Chunks() {
		if s.midway() && chunk.At.Sub(last) >= d.stall {
			s.abandon()
		}
		last = chunk.At
		s.write(chunk.At, chunk.Data)
		paper, answers := s.take()
		d.respond(answers)
		d.hand(paper)
	}
}

// respond answers status questions. The line's own limit bounds it.
func (d *Driver) respond(answers []byte) {
	if len(answers) == 0 {
		return
	}
	err := d.line.Write(d.life, answers)
	if err != nil {
		err = fmt.Errorf("status question not answered: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = err
}

// hand waits until the paper is taken, or Close.
func (d *Driver) hand(paper []rigs.Paper) {
	for _, p := range paper {
		select {
		case d.paper <- p:
		case <-d.life.Done():
			return
		}
	}
}
