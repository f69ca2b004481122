package cardslot

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/assay-hil/assay/fakes/terminal"
)

// FieldTime is how long the terminal takes to find and activate a card: one polling cycle with anticollision and RATS.
const FieldTime = 10 * time.Millisecond

// Field is the emulator's antenna near the terminal's contactless reader.
type Field struct {
	slot    *Slot
	changed chan int // holds the newest change
	cards   atomic.Int32

	// From here on everything belongs to the slot's loop.
	active bool // the terminal has selected the card
	crowd  bool // a second card comes and goes with the first
	ats    []byte
}

var _ terminal.FieldReader = (*Field)(nil)

// Field is the contactless side of the emulator.
func (s *Slot) Field() *Field { return s.field }

// Changed delivers how many cards are in the field when that changes; it holds the newest change.
func (f *Field) Changed() <-chan int { return f.changed }

// Cards is 1 while the emulator is in the field, and 2 with a second card beside.
func (f *Field) Cards() int { return int(f.cards.Load()) }

// Activate selects the card and returns its ATS after FieldTime. The error is ErrNoCard, ErrNoPower, ErrClosed or the context's.
func (f *Field) Activate(ctx context.Context) ([]byte, error) {
	var ats []byte
	var err error
	if !f.slot.do(func() { ats, err = f.activate() }) {
		return nil, ErrClosed
	}
	if err != nil {
		return nil, err
	}
	wait := time.NewTimer(FieldTime)
	defer wait.Stop()
	select {
	case <-wait.C:
		return append([]byte(nil), ats...), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-f.slot.ended:
		return nil, ErrClosed
	}
}

// activate runs in the loop.
func (f *Field) activate() ([]byte, error) {
	switch {
	case !f.slot.supplied:
		return nil, ErrNoPower
	case f.cards.Load() == 0:
		return nil, ErrNoCard
	}
	f.release(ErrNoAnswer)
	f.active = true
	f.slot.emit(event{text: "FIELD ON"})
	return f.ats, nil
}

// Transmit is Slot.Transmit over the air.
func (f *Field) Transmit(ctx context.Context, capdu []byte) ([]byte, error) {
	return f.slot.transmit(ctx, capdu, func(c *command) error {
		switch {
		case f.cards.Load() == 0:
			return ErrNoCard
		case !f.active:
			return ErrNoPower
		}
		c.field = true
		return nil
	})
}

// Release deselects the card.
func (f *Field) Release() { f.slot.do(func() { f.release(ErrNoPower) }) }

// release runs in the loop.
func (f *Field) release(why error) {
	if !f.active {
		return
	}
	f.slot.abandonField(why)
	f.active = false
	f.slot.emit(event{text: "FIELD OFF"})
}

// enter and leave run in the loop: the host moves the card.
func (f *Field) enter(ats []byte) {
	f.ats = ats
	f.report(f.near())
}

// near is how many cards the emulator brings.
func (f *Field) near() int {
	if f.crowd {
		return 2
	}
	return 1
}

// accompany has a second card enter with the next one, or go.
func (f *Field) accompany(with bool) {
	f.crowd = with
	if f.cards.Load() > 0 {
		f.report(f.near())
	}
}

func (f *Field) leave() {
	f.slot.abandonField(ErrNoCard)
	f.active = false // not an event: the terminal did not switch its field off
	f.crowd = false
	f.report(0)
}

func (f *Field) report(cards int) {
	if int(f.cards.Swap(int32(cards))) == cards { //nolint:gosec // 0 to 2
		return
	}
	f.takeChange()
	f.changed <- cards // there is room: only the loop sends
}

func (f *Field) takeChange() {
	select {
	case <-f.changed:
	default:
	}
}
