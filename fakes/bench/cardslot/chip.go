package cardslot

import (
	"context"
	"time"

	"github.com/assay-hil/assay/fakes/terminal"
)

// command is a command APDU whose answer the terminal waits for.
type command struct {
	number int  // of its event; -1 until that was sent
	field  bool // it came over the air
	result chan result
}

type result struct {
	rapdu []byte
	err   error
}

// Changed delivers true when a card enters and false when it leaves; it holds the newest change.
func (s *Slot) Changed() <-chan bool { return s.changed }

// Present says whether the card-present switch is closed.
func (s *Slot) Present() bool { return s.present.Load() }

// PowerOn powers and resets the chip, or resets it warm when it has power, and returns the ATR
// after ResetTime. The error is terminal.ErrMute for a mute chip, ErrNoCard, ErrNoPower,
// ErrClosed or the context's.
func (s *Slot) PowerOn(ctx context.Context) ([]byte, error) {
	var atr []byte
	var err error
	if !s.do(func() { atr, err = s.reset() }) {
		return nil, ErrClosed
	}
	if err != nil {
		return nil, err
	}
	wait := time.NewTimer(ResetTime)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.ended:
		return nil, ErrClosed
	}
	if len(atr) == 0 {
		return nil, terminal.ErrMute
	}
	return append([]byte(nil), atr...), nil
}

// reset runs in the loop.
func (s *Slot) reset() ([]byte, error) {
	switch {
	case !s.supplied:
		return nil, ErrNoPower
	case !s.present.Load():
		return nil, ErrNoCard
	}
	kind := "RESET COLD"
	if s.powered {
		kind = "RESET WARM"
	}
	s.abandonChip(ErrNoAnswer)
	s.powered = true
	s.emit(event{text: kind})
	return s.atr, nil
}

// Transmit sends a command APDU to the host's card application and waits for its answer, at
// most CommandLimit. The error is ErrCommand, ErrNoCard, ErrNoPower, ErrNoAnswer, ErrClosed or
// the context's.
func (s *Slot) Transmit(ctx context.Context, capdu []byte) ([]byte, error) {
	return s.transmit(ctx, capdu, func(*command) error {
		switch {
		case !s.present.Load():
			return ErrNoCard
		case !s.powered:
			return ErrNoPower
		case len(s.atr) == 0:
			return ErrNoAnswer
		}
		return nil
	})
}

// transmit is what both interfaces share. ready says whether the card can be spoken to; it runs in the loop.
func (s *Slot) transmit(ctx context.Context, capdu []byte, ready func(*command) error) ([]byte, error) {
	if len(capdu) < minCommand || len(capdu) > maxCommand {
		return nil, ErrCommand
	}
	c := &command{number: -1, result: make(chan result, 1)}
	var err error
	if !s.do(func() {
		if err = ready(c); err == nil {
			s.begin(c, capdu)
		}
	}) {
		return nil, ErrClosed
	}
	if err != nil {
		return nil, err
	}
	wait := time.NewTimer(CommandLimit)
	defer wait.Stop()
	select {
	case r := <-c.result:
		return r.rapdu, r.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-wait.C:
		err = ErrNoAnswer
	case <-s.ended:
		return nil, ErrClosed
	}
	s.do(func() { s.abandon(c, err) })
	return nil, err
}

// begin runs in the loop.
func (s *Slot) begin(c *command, capdu []byte) {
	s.abandon(s.waiting, ErrNoAnswer)
	s.waiting = c
	s.emit(event{text: "CAPDU " + toHex(capdu), command: c})
}

// abandonChip and abandonField run in the loop. They end the wait for an answer over their interface.
func (s *Slot) abandonChip(why error) {
	if s.waiting != nil && !s.waiting.field {
		s.abandon(s.waiting, why)
	}
}

func (s *Slot) abandonField(why error) {
	if s.waiting != nil && s.waiting.field {
		s.abandon(s.waiting, why)
	}
}

// PowerOff takes the chip's supply away.
func (s *Slot) PowerOff() {
	s.do(func() { s.unpower(ErrNoPower) })
}

// unpower runs in the loop.
func (s *Slot) unpower(why error) {
	if !s.powered {
		return
	}
	s.abandonChip(why)
	s.powered = false
	s.emit(event{text: "POWER OFF"})
}

// abandon runs in the loop. It ends the wait for a command's answer, if c is still waited for.
func (s *Slot) abandon(c *command, why error) {
	if c == nil || s.waiting != c {
		return
	}
	c.result <- result{err: why} // there is room: a command gets one result
	s.waiting = nil
}
