package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-hil/assay/rigs"
	cards "github.com/assay-hil/assay/rigs/card"
)

// maxATR is TS and 32 characters, ISO/IEC 7816-3 §8.2.
const maxATR = 33

// Insert puts a card into the slot. From then on its chip is reset and asked as the terminal
// wishes, on the driver's own goroutine. Errors: *CapabilityError, *ReplyError (STATE: a card is in),
// *PanicError, rigs.ErrNoAnswer, ctx's, the line's; after the last three the card may be in or not.
func (d *Driver) Insert(ctx context.Context, c rigs.Chip) error {
	return rigs.Fault(Name, "insert", d.insert(ctx, c))
}

func (d *Driver) insert(ctx context.Context, c rigs.Chip) error {
	if err := d.need("chip"); err != nil {
		return err
	}
	var atr []byte
	if err := cards.Guard("ATR", func() { atr = c.ATR() }); err != nil {
		return err
	}
	if len(atr) > maxATR {
		return fmt.Errorf("ATR of %d bytes, at most %d", len(atr), maxATR)
	}
	return d.place(ctx, &d.slot, c, "INSERT", byteString(atr))
}

// Tap brings a contactless card into the field. uid has 4, 7 or 10 bytes (ISO/IEC 14443-3);
// ats is the answer to select. Errors as of Insert.
func (d *Driver) Tap(ctx context.Context, c rigs.Chip, uid, ats []byte) error {
	return rigs.Fault(Name, "tap", d.tap(ctx, c, uid, ats))
}

func (d *Driver) tap(ctx context.Context, c rigs.Chip, uid, ats []byte) error {
	if err := d.need("field"); err != nil {
		return err
	}
	if n := len(uid); n != 4 && n != 7 && n != 10 {
		return fmt.Errorf("UID of %d bytes, want 4, 7 or 10", n)
	}
	return d.place(ctx, &d.near, c, "TAP", byteString(uid), byteString(ats))
}

// Beside has a second card with this UID enter the field with the next Tap, and leave with it; nil has it stay away. Errors as
// of Insert.
func (d *Driver) Beside(ctx context.Context, uid []byte) error {
	return rigs.Fault(Name, "beside", d.beside(ctx, uid))
}

func (d *Driver) beside(ctx context.Context, uid []byte) error {
	if err := d.need("crowd"); err != nil {
		return err
	}
	if n := len(uid); n != 0 && n != 4 && n != 7 && n != 10 {
		return fmt.Errorf("UID of %d bytes, want 4, 7 or 10", n)
	}
	_, err := d.request(ctx, "BESIDE", byteString(uid))
	return err
}

// place puts a card into one interface. The chip is known before the emulator is asked,
// because the terminal's first reset may overtake the reply.
func (d *Driver) place(ctx context.Context, where *card, c rigs.Chip, verb string, args ...string) error {
	d.mu.Lock()
	before, fault := *where, d.fault
	*where, d.fault, d.doubt = card{chip: c}, nil, nil
	d.moves++
	d.mu.Unlock()

	_, err := d.request(ctx, verb, args...)

	d.mu.Lock()
	defer d.mu.Unlock()
	if refused := (*ReplyError)(nil); errors.As(err, &refused) {
		// Nothing happened: the card that was there still is.
		*where = before
		if d.fault == nil {
			d.fault = fault
		}
	} else {
		where.sure = err == nil
	}
	return err
}

// Remove pulls the card out of the slot. When that worked it returns the fault of the card's
// session, if there was one (see the package comment). Other errors: *CapabilityError,
// *ReplyError, ErrHeld, rigs.ErrNoAnswer, ctx's, the line's.
func (d *Driver) Remove(ctx context.Context) error {
	return rigs.Fault(Name, "remove", d.take(ctx, &d.slot, "chip", "REMOVE"))
}

// Leave takes the card out of the field; otherwise as Remove.
func (d *Driver) Leave(ctx context.Context) error {
	return rigs.Fault(Name, "leave", d.take(ctx, &d.near, "field", "LEAVE"))
}

func (d *Driver) take(ctx context.Context, where *card, capability, verb string) error {
	if err := d.need(capability); err != nil {
		return err
	}
	d.explain() // our own call does, if nothing else did
	d.unsure(where)
	if _, err := d.request(ctx, verb); err != nil {
		return err
	}
	if err := d.released(ctx, verb == "REMOVE", verb == "LEAVE"); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	*where, d.gone = card{}, time.Now()
	return d.fault
}

// released asks whether the emulator let go, because a confirmation is only its word for it.
func (d *Driver) released(ctx context.Context, slot, field bool) error {
	state, err := d.state(ctx)
	if err != nil {
		return err
	}
	if slot && state[0] != "empty" || field && state[1] != "away" {
		return fmt.Errorf("STATE %s %s: %w", state[0], state[1], ErrHeld)
	}
	return nil
}

// unsure notes that cards are about to be moved: until the reply nobody knows where they are.
func (d *Driver) unsure(cards ...*card) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range cards {
		c.sure = false
	}
	d.moves++
}

// Swipe draws the stripe past the head once. It returns when the swipe has ended; nil does
// not say that the terminal read it. It is never done twice for one call. Errors as of Insert;
// *ReplyError STATE when a card is in the slot.
func (d *Driver) Swipe(ctx context.Context, t rigs.Tracks) error {
	return rigs.Fault(Name, "swipe", d.swipe(ctx, t))
}

func (d *Driver) swipe(ctx context.Context, t rigs.Tracks) error {
	if err := d.need("stripe"); err != nil {
		return err
	}
	_, err := d.request(ctx, "SWIPE", byteString(t[0]), byteString(t[1]), byteString(t[2]))
	return err
}

// Halt takes every card out and forgets the session's fault. An emulator that refuses, as one
// that restarted may, is greeted anew, which makes it safe as well. Errors: ErrHeld, rigs.ErrNoAnswer,
// ctx's, the line's, and those of Open.
func (d *Driver) Halt(ctx context.Context) error {
	return rigs.Fault(Name, "halt", d.halt(ctx))
}

func (d *Driver) halt(ctx context.Context) error {
	d.unsure(&d.slot, &d.near)
	_, err := d.request(ctx, "HALT")
	if refused := (*ReplyError)(nil); errors.As(err, &refused) {
		err = d.greet(ctx)
	}
	if err == nil {
		err = d.released(ctx, true, true)
	}
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slot, d.near, d.fault, d.doubt, d.gone = card{}, card{}, nil, nil, time.Now()
	return nil
}

// Probe asks for the emulator's state and moves nothing. Besides a request's errors it returns
// ErrRestarted and the fault of the card's session.
func (d *Driver) Probe(ctx context.Context) error {
	return rigs.Fault(Name, "probe", d.probe(ctx))
}

func (d *Driver) probe(ctx context.Context) error {
	d.mu.Lock()
	inserted, tapped, moves := d.slot.sure, d.near.sure, d.moves
	d.convict(d.overdue())
	d.mu.Unlock()
	state, err := d.state(ctx)
	if err != nil {
		return err
	}
	d.mu.Lock()
	gone := inserted && state[0] == "empty" || tapped && state[1] == "away"
	restarted := gone && moves == d.moves
	fault := d.fault
	d.mu.Unlock()
	if restarted {
		return errors.Join(ErrRestarted, fault, d.greet(ctx))
	}
	return fault
}

// state asks where the emulator's cards are.
func (d *Driver) state(ctx context.Context) ([]string, error) {
	state, err := d.request(ctx, "STATE")
	if err != nil {
		return nil, err
	}
	if len(state) != 2 ||
		!slices.Contains([]string{"empty", "inserted", "powered"}, state[0]) ||
		!slices.Contains([]string{"away", "near", "active"}, state[1]) {
		return nil, fmt.Errorf("STATE: %w", ErrReply)
	}
	return state, nil
}

// need checks that the emulator has an interface.
func (d *Driver) need(capability string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Contains(d.caps, capability) {
		return nil
	}
	return &CapabilityError{Need: capability, Have: slices.Clone(d.caps)}
}
