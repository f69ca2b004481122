package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/fakes/terminal"
)

// CutLimit is how long a terminal may go on after its supply was cut. Longer means that its
// application waits for something else than its power: a bug that no bench can work with.
const CutLimit = 5 * time.Second

// ErrStopped: the terminal's application ended although it had its supply.
var ErrStopped = errors.New("terminal stopped with its supply on")

// crashLimit is how many deaths of the terminal are remembered.
const crashLimit = 16

// ErrStillRunning: the terminal's application did not end with its supply.
var ErrStillRunning = errors.New("terminal still runs without power")

// switching is a movement of the contact in the terminal's supply.
type switching struct {
	on   bool
	done chan struct{} // closed when the terminal has felt it
}

// session is the terminal from power-on to the next cut.
type session struct {
	supply context.Context
	cut    context.CancelFunc
	ended  chan error // what Run returned
	over   bool       // taken from ended
}

// moved is what the relay board calls. It returns when the terminal has felt it.
func (b *Bench) moved(ctx context.Context) func(channel int, on bool) {
	return func(channel int, on bool) {
		if channel != PowerChannel {
			b.broken(channel, on)
			return
		}
		s := switching{on: on, done: make(chan struct{})}
		select {
		case b.power <- s:
		case <-ctx.Done():
			return
		}
		select {
		case <-s.done:
		case <-ctx.Done():
		}
	}
}

// supply switches the terminal on and off until ctx ends, and leaves it off.
func (b *Bench) supply(ctx context.Context, now *session) {
	for {
		var ended <-chan error
		if now != nil && !now.over {
			ended = now.ended
		}
		select {
		case s := <-b.power:
			now = b.turn(ctx, now, s.on)
			close(s.done)
		case err := <-ended: // died with its supply on: dark until the next power cycle
			now.over = true
			b.note(now.cause(err))
		case <-ctx.Done():
			b.turn(ctx, now, false)
			return
		}
	}
}

// turn brings the terminal from its present session (nil: off) to the wanted state.
func (b *Bench) turn(ctx context.Context, now *session, on bool) *session {
	switch {
	case on && now == nil:
		next, err := b.boot(ctx)
		b.note(err)
		return next
	case !on && now != nil:
		b.unplug(now)
		return nil
	}
	return now
}

// boot gives power to the terminal and all that hangs on its supply.
func (b *Bench) boot(ctx context.Context) (*session, error) {
	_ = b.uplink.reset() // nobody wants the old connections any more
	supply, cut := context.WithCancel(ctx)
	hardware := terminal.Hardware{
		Keys:    b.keys.attach(),
		Display: b.screen.Attach(supply),
		Stripe:  b.slot.Stripe(),
		Chip:    b.slot,
		Field:   b.slot.Field(),
		NVRAM:   &b.nvram,
		PINPad:  b.pinPad,
		Modem:   b.modem,
		Debug:   b.says(supply, ""),
		Signal:  b.says(supply, "[SIG] "),
	}
	b.nvram.Power(true)
	b.connect(&hardware, supply)
	if b.paper != nil {
		hardware.Printer = b.paper.Attach(supply)
	}
	fake, err := terminal.New(terminal.Config{
		Profile: b.cfg.Profile, Lang: b.cfg.Lang, Host: b.cfg.Host,
		Defects: b.cfg.Defects, Firmware: b.cfg.Firmware, Trust: b.cfg.Trust,
	}, hardware)
	if err != nil {
		cut()
		return nil, err
	}
	b.slot.SetPower(true)
	b.screen.Debug("[SYS] power on")
	b.screen.Debug("[NET] state 3")
	s := &session{supply: supply, cut: cut, ended: make(chan error, 1)}
	go func() { s.ended <- fake.Run(supply) }()
	return s, nil
}

// says prints what the terminal says on its service port, which shares the line of the screen, while it has its supply. Beeper and
// lights are heard and seen there, too: nothing on the bench has ears.
func (b *Bench) says(supply context.Context, what string) func(text string) {
	return func(text string) {
		if supply.Err() == nil {
			b.screen.Debug(what + text)
		}
	}
}

// unplug takes the supply away and waits until the terminal is dead.
func (b *Bench) unplug(s *session) {
	s.cut()
	b.nvram.Power(false)
	b.uplink.cut()
	b.keys.detach()
	b.slot.SetPower(false)
	if !s.over {
		b.note(s.wait())
	}
	b.screen.Cut()
	if b.paper != nil {
		b.paper.Cut()
	}
}

func (s *session) wait() error {
	late := time.NewTimer(CutLimit)
	defer late.Stop()
	select {
	case err := <-s.ended:
		return s.cause(err)
	case <-late.C:
		return ErrStillRunning
	}
}

// cause is what Run died of; nil when that was the cut.
func (s *session) cause(err error) error {
	cut := s.supply.Err()
	switch {
	case cut != nil && (err == nil || errors.Is(err, cut)):
		return nil
	case err == nil:
		return ErrStopped
	}
	return err
}

// note keeps what the terminal died of.
func (b *Bench) note(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil && len(b.crashed) < crashLimit {
		b.crashed = append(b.crashed, fmt.Errorf("terminal: %w", err))
	}
}
