package human

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
)

const (
	keypad = "keypad"

	// DefaultPatience is how long a person may take for one request where Config says nothing.
	DefaultPatience = 2 * time.Minute
	// PatienceMax is the longest that may be set.
	PatienceMax = 30 * time.Minute
)

var (
	// ErrMaybePressed: the key may or may not have been pushed; it must not be asked for
	// again in the same transaction.
	ErrMaybePressed = errors.New("the key may or may not have been pressed")
	// ErrHalted: the request was ended by Halt.
	ErrHalted = errors.New("stopped by Halt")
)

// Config says whom to ask and how long to wait.
type Config struct {
	// Keypad is the terminal's: only its keys can be asked for.
	Keypad terminals.Keypad
	// Ask shows a request and returns when the person says that it is done. It must return when
	// its context ends. Console.Ask is one.
	Ask func(ctx context.Context, text string) error
	// Patience bounds one request; 0 = DefaultPatience.
	Patience time.Duration
}

// Keypad is a rigs.Keypad whose finger is a person's.
type Keypad struct {
	cfg  Config
	turn chan struct{} // holds one token while a request is open

	mu     sync.Mutex
	closed bool
	open   context.CancelCauseFunc // ends the open request; nil: none
}

var _ rigs.Keypad = (*Keypad)(nil)

// NewKeypad asks nothing yet.
func NewKeypad(cfg Config) (*Keypad, error) {
	if cfg.Patience == 0 {
		cfg.Patience = DefaultPatience
	}
	var err error
	switch {
	case cfg.Ask == nil:
		err = errors.New("config: there is nobody to ask")
	case len(cfg.Keypad.Keys) == 0:
		err = errors.New("config: the keypad has no keys")
	case cfg.Patience < 0 || cfg.Patience > PatienceMax:
		err = fmt.Errorf("config: patience %v is not between 0 and %v", cfg.Patience, PatienceMax)
	}
	if err != nil {
		return nil, rigs.Fault(keypad, "open", err)
	}
	return &Keypad{cfg: cfg, turn: make(chan struct{}, 1)}, nil
}

// Name is "keypad".
func (k *Keypad) Name() string { return keypad }

// Home does nothing: a person finds the keys.
func (k *Keypad) Home(ctx context.Context) error { return k.Probe(ctx) }

// Probe asks nobody: a person who is not there shows at the first request.
func (k *Keypad) Probe(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return rigs.Fault(keypad, "probe", rigs.ErrClosed)
	}
	return nil
}

// Press asks for one push of a key, once. Begin is when it was asked for, End when the person
// pressed Enter. Errors: an unknown key, with the nearest name; ErrDeclined, which says that the
// key was not pushed; any other wraps ErrMaybePressed, with rigs.ErrNoAnswer for a person who
// said nothing for Config.Patience.
func (k *Keypad) Press(ctx context.Context, key string) (rigs.Press, error) {
	if _, known := k.cfg.Keypad.Keys[key]; !known {
		names := slices.Sorted(maps.Keys(k.cfg.Keypad.Keys))
		return rigs.Press{}, rigs.Fault(keypad, "press", errors.New(strict.UnknownMessage("key", key, names)))
	}
	ctx, release, err := k.take(ctx)
	if err != nil {
		return rigs.Press{}, rigs.Fault(keypad, "press", err)
	}
	defer release()
	begin := time.Now()
	err = k.cfg.Ask(ctx, fmt.Sprintf("press the key %q of the terminal once", key))
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	switch {
	case err == nil:
		return rigs.Press{Begin: begin, End: time.Now()}, nil
	case errors.Is(err, ErrDeclined):
		return rigs.Press{}, rigs.Fault(keypad, "press", ErrDeclined)
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		err = fmt.Errorf("%w from the person at the rig: %w", rigs.ErrNoAnswer, context.DeadlineExceeded)
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return rigs.Press{}, rigs.Fault(keypad, "press", fmt.Errorf("%w: %w", ErrMaybePressed, err))
}

// take waits for the turn and opens a request that Halt and Close can end.
func (k *Keypad) take(ctx context.Context) (context.Context, func(), error) {
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	bounded, stop := context.WithTimeout(ctx, k.cfg.Patience)
	asked, cancel := context.WithCancelCause(bounded)
	k.mu.Lock()
	closed := k.closed
	k.open = cancel
	k.mu.Unlock()
	release := func() {
		k.mu.Lock()
		k.open = nil
		k.mu.Unlock()
		cancel(nil)
		stop()
		<-k.turn
	}
	if closed {
		release()
		return nil, nil, rigs.ErrClosed
	}
	return asked, release, nil
}

// Halt ends the open request. A person's finger needs no raising.
func (k *Keypad) Halt(context.Context) error {
	k.end(ErrHalted)
	return nil
}

// Close ends the open request and lets no further one begin.
func (k *Keypad) Close() error {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.end(rigs.ErrClosed)
	return nil
}

func (k *Keypad) end(why error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open != nil {
		k.open(why)
	}
}
