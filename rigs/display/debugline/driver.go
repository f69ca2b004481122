package debugline

import (
	"context"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// Name is the instrument's place on the rig.
const Name = "display"

// Limits bound what the driver waits for and keeps. A zero field means its default.
type Limits struct {
	// Quiet is how long the line is silent before an unfinished screen or line is handed out.
	Quiet time.Duration
	// Line is the longest line in bytes; of a longer one the rest is dropped.
	Line int
	// Screens is how many screens wait for the reader of Screens. When it is full the
	// driver stops reading, and nothing is lost.
	Screens int
}

// The defaults of Limits.
const (
	DefaultQuiet   = 250 * time.Millisecond
	DefaultLine    = 512
	DefaultScreens = 256
)

// Config is what profile and rig say about the debug line.
type Config struct {
	Screen terminals.Screen
	Limits Limits
}

// Driver is a rigs.Display.
type Driver struct {
	line    *serial.Line
	quiet   time.Duration
	decoder decoder
	screens chan rigs.Screen
	life    context.Context
	stop    context.CancelFunc
	done    chan struct{}
}

var _ rigs.Display = (*Driver)(nil)

// New starts reading the line, which the driver owns from then on. It fails, and closes the
// line, when the profile's encoding is unknown.
func New(line *serial.Line, cfg Config) (*Driver, error) {
	set(&cfg.Limits.Quiet, DefaultQuiet)
	set(&cfg.Limits.Line, DefaultLine)
	set(&cfg.Limits.Screens, DefaultScreens)
	charset, err := newDecoder(cfg.Screen.Encoding)
	if err != nil {
		_ = line.Close()
		return nil, rigs.Fault(Name, "configure", err)
	}
	life, stop := context.WithCancel(context.Background())
	d := &Driver{
		line:    line,
		quiet:   cfg.Limits.Quiet,
		decoder: charset,
		screens: make(chan rigs.Screen, cfg.Limits.Screens),
		life:    life,
		stop:    stop,
		done:    make(chan struct{}),
	}
	r := reader{Driver: d, rows: serial.Assembler{Max: cfg.Limits.Line, End: serial.LF}, parser: parser{screen: cfg.Screen}}
	go r.run()
	return d, nil
}

// set replaces a value that is not positive by its default.
func set[T int | time.Duration](v *T, fallback T) {
	if *v <= 0 {
		*v = fallback
	}
}

// Name is "display".
func (d *Driver) Name() string { return Name }

// Screens is a bounded stream of screen changes in order, noise included. It is closed when
// the line ends; Err then says why.
func (d *Driver) Screens() <-chan rigs.Screen { return d.screens }

// Err is nil while the line is open, and a fault of the instrument afterwards.
func (d *Driver) Err() error { return rigs.Fault(Name, "read", d.line.Err()) }

// Probe fails when the line is lost. A terminal that shows nothing new says nothing, so
// silence is no fault.
func (d *Driver) Probe(ctx context.Context) error {
	if err := d.line.Err(); err != nil {
		return rigs.Fault(Name, "probe", err)
	}
	return rigs.Fault(Name, "probe", context.Cause(ctx))
}

// Halt does nothing: the driver only listens.
func (d *Driver) Halt(context.Context) error { return nil }

// Close releases the line and ends the stream; screens that nobody took may be lost.
func (d *Driver) Close() error {
	d.stop()
	err := d.line.Close()
	<-d.done
	return rigs.Fault(Name, "close", err)
}
