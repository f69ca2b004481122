package human

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/assay-hil/assay/rigs"
)

const (
	display = "display"

	// screensMax is how many screens wait for the reader of Screens, and how many one answer may tell of.
	screensMax = 64
	// rowSeparator and screenSeparator are typed between the rows of a screen, and between screens that followed each
	// other.
	rowSeparator    = "/"
	screenSeparator = ">"
)

// question is what the person is asked.
const question = `what does the terminal show? Type it with "/" between rows, and ">" between screens that followed each other; only Enter: nothing new`

// DisplayConfig says whom to ask and how long to wait.
type DisplayConfig struct {
	// Answer shows a question and returns the line that is typed. It must return when its context ends.
	// Console.Answer is one.
	Answer func(ctx context.Context, text string) (string, error)
	// Patience bounds one answer; 0 = DefaultPatience.
	Patience time.Duration
}

// Display is a rigs.Display whose eyes are a person's.
type Display struct {
	cfg     DisplayConfig
	screens chan rigs.Screen
	life    context.Context
	end     context.CancelCauseFunc

	turn chan struct{} // holds a token while a question is open
	// told is when the person last looked, as far as is known. It belongs to the holder of the turn.
	told time.Time

	mu     sync.Mutex
	closed bool
}

var _ rigs.Looker = (*Display)(nil)

// NewDisplay asks nothing yet.
func NewDisplay(cfg DisplayConfig) (*Display, error) {
	if cfg.Patience == 0 {
		cfg.Patience = DefaultPatience
	}
	var err error
	switch {
	case cfg.Answer == nil:
		err = errors.New("config: there is nobody to ask")
	case cfg.Patience < 0 || cfg.Patience > PatienceMax:
		err = fmt.Errorf("config: patience %v is not between 0 and %v", cfg.Patience, PatienceMax)
	}
	if err != nil {
		return nil, rigs.Fault(display, "open", err)
	}
	d := &Display{cfg: cfg, screens: make(chan rigs.Screen, screensMax), turn: make(chan struct{}, 1), told: time.Now()}
	d.life, d.end = context.WithCancelCause(context.Background())
	return d, nil
}

// Name is "display".
func (d *Display) Name() string { return display }

// Patience is how long one answer may take.
func (d *Display) Patience() time.Duration { return d.cfg.Patience }

// Screens gives what the person has typed, a screen for each that was told of. It is closed by Close.
func (d *Display) Screens() <-chan rigs.Screen { return d.screens }

// Err is nil until Close.
func (d *Display) Err() error {
	if d.life.Err() == nil {
		return nil
	}
	return rigs.Fault(display, "read", rigs.ErrClosed)
}

// Probe asks nobody: a person who is not there shows at the next look.
func (d *Display) Probe(context.Context) error { return rigs.Fault(display, "probe", d.Err()) }

// Halt does nothing: a person who looks moves nothing.
func (d *Display) Halt(context.Context) error { return nil }

// Look asks what the terminal shows now. What is typed comes over Screens, as of the moment of the answer, and with the
// time since the last answer as Early: it was shown at some time between the two. An empty answer is none. Errors: ctx's;
// rigs.ErrNoAnswer for a person who says nothing for Config.Patience; the console's.
func (d *Display) Look(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(d.life, func() { cancel(rigs.ErrClosed) })()
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return rigs.Fault(display, "look", context.Cause(ctx))
	}
	defer func() { <-d.turn }()
	asked, stop := context.WithTimeoutCause(ctx, d.cfg.Patience, errSilent)
	defer stop()
	text, err := d.cfg.Answer(asked, question)
	switch {
	case err != nil && errors.Is(context.Cause(asked), errSilent):
		err = fmt.Errorf("%w from the person at the rig for %v", rigs.ErrNoAnswer, d.cfg.Patience)
	case err == nil:
		err = d.tell(ctx, text)
	}
	return rigs.Fault(display, "look", err)
}

var errSilent = errors.New("the person says nothing")

// tell passes on what was typed.
func (d *Display) tell(ctx context.Context, text string) error {
	now := time.Now()
	early := now.Sub(d.told)
	d.told = now
	if strings.TrimSpace(text) == "" {
		return nil
	}
	all := strings.Split(text, screenSeparator)
	if len(all) > screensMax {
		return fmt.Errorf("%d screens in one answer; at most %d make sense", len(all), screensMax)
	}
	for _, one := range all {
		s := rigs.Screen{At: now, Early: early}
		for row := range strings.SplitSeq(one, rowSeparator) {
			s.Lines = append(s.Lines, strings.TrimSpace(row))
		}
		if err := d.pass(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (d *Display) pass(ctx context.Context, s rigs.Screen) error {
	select {
	case d.screens <- s:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends the open question and the stream.
func (d *Display) Close() error {
	d.end(rigs.ErrClosed)
	d.turn <- struct{}{} // whoever looked is through: nothing is passed on any more
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.closed = true
		close(d.screens)
	}
	<-d.turn
	return nil
}
