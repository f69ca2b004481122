package terminal

import (
	"context"
	"errors"
	"time"

	"github.com/assay-hil/assay/fakes/terminal/kernel"
	"github.com/assay-hil/assay/protocol/pin"
)

// card is what was read from a stripe, a chip or in the field. It is card data: it goes to the host and, in
// part, to the reversal record, and nowhere else.
type card struct {
	pan    string
	expiry string // YYMM
	track2 string // DE35; "" when the card has none
	// chip is nil for a stripe.
	chip *chipRead
	// fallback says that the stripe stands in for a chip that could not be read.
	fallback bool
	// pinBlock is DE52 when the kernel asked for the PIN; "" otherwise.
	pinBlock string
}

// chipRead is what the kernel made of a chip, with contacts or in the field.
type chipRead struct {
	// session waits for the host's answer; nil for a card in the field, which hears no answer.
	session *kernel.Session
	result  kernel.Result
}

// How a card was read, as DE22 of 1987 has it.
const (
	entryKeyed       = "01"
	entryStripe      = "02"
	entryChip        = "05"
	entryContactless = "07"
	entryFallback    = "80" // a stripe, after the chip failed
)

// entry says how the card was read.
func (c card) entry() string {
	switch {
	case c.chip != nil && c.chip.session == nil:
		return entryContactless
	case c.chip != nil:
		return entryChip
	case c.fallback:
		return entryFallback
	case c.track2 != "":
		return entryStripe
	}
	return entryKeyed
}

// sequence is DE23; "" when the card has none.
func (c card) sequence() string {
	if c.chip == nil || c.chip.result.Sequence == "" {
		return ""
	}
	return "0" + c.chip.result.Sequence
}

// cardRetry says that this card, or this way of reading it, did not work. The sale goes on with
// another try, and with the same amount.
type cardRetry struct {
	prompt string
	// remove says that the card must be out before the next try.
	remove bool
	// fallback says that the chip had its chance: its stripe may be read instead.
	fallback bool
	// insert says that the field is not to be used any more.
	insert bool
}

func (e cardRetry) Error() string { return "card not read: " + e.prompt }

var (
	retryStripe  = cardRetry{prompt: promptCardReadError}
	retryUseChip = cardRetry{prompt: promptUseChip}
	retryTwo     = cardRetry{prompt: promptPresentOne}
)

// search is the way to a card that can be used.
type search struct {
	amount int64
	// online says that the host must be asked.
	online bool
	// fallback and insert are those of the tries so far.
	fallback, insert bool
	// held says that a card was read in the field and has not left it since.
	held bool
}

// readCard asks for a card until one can be used. Only a purchase may be approved without the host.
func (a *app) readCard(ctx context.Context, s *sale) (card, error) {
	r := &search{amount: s.amount, online: s.kind != opPurchase && !a.defects.has(defectOfflineAny)}
	for {
		read, err := a.tryCard(ctx, r)
		var retry cardRetry
		if !errors.As(err, &retry) {
			return read, err
		}
		r.fallback = r.fallback || retry.fallback
		r.insert = r.insert || retry.insert
		if err := a.notice(ctx, retry.prompt); err != nil {
			return card{}, err
		}
		if !retry.remove {
			continue
		}
		if err := a.giveCardBack(ctx); err != nil {
			return card{}, err
		}
	}
}

// tryCard waits for one swipe, insertion or tap, at most Timers.CardWait, and reads it. A stripe that went by earlier was
// not read by anybody; a chip that is already in counts, and so does a card in the field that was not read yet.
func (a *app) tryCard(ctx context.Context, r *search) (card, error) {
	a.drainSwipes()
	a.show(promptCard)
	limit := time.NewTimer(a.profile.Timers.CardWait)
	defer limit.Stop()
	for {
		if a.chipPresent() {
			return a.readChip(ctx, r)
		}
		near := a.fieldCards(r)
		r.held = r.held && near > 0 && !a.fieldMoved(r)
		if near > 0 && !r.held {
			r.held = true
			a.fieldMoved(r) // that is its coming
			return a.readField(ctx, r, near)
		}
		select {
		case <-ctx.Done():
			return card{}, ctx.Err()
		case <-limit.C:
			return card{}, endTimedOut
		case key := <-a.hw.Keys:
			if key == keyCancel {
				return card{}, endCancelled
			}
		case swipe := <-a.hw.Stripe:
			return a.readStripe(swipe, r.fallback)
		case <-a.chipChanged():
		case <-a.fieldChanged(r):
		}
	}
}

func (a *app) drainSwipes() {
	for range maxDrained {
		select {
		case <-a.hw.Stripe:
		default:
			return
		}
	}
}

func (a *app) chipPresent() bool { return a.profile.Has("chip") && a.hw.Chip.Present() }

// chipChanged never fires on a terminal without a chip reader.
func (a *app) chipChanged() <-chan bool {
	if !a.profile.Has("chip") {
		return nil
	}
	return a.hw.Chip.Changed()
}

// giveCardBack switches the chip off and asks for the card to be taken, at most
// Timers.CardWait; then it ends the transaction with timed-out.
func (a *app) giveCardBack(ctx context.Context) error {
	if !a.chipPresent() {
		return nil
	}
	a.hw.Chip.PowerOff()
	a.show(promptRemoveCard)
	limit := time.NewTimer(a.profile.Timers.CardWait)
	defer limit.Stop()
	for a.chipPresent() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return endTimedOut
		case <-a.hw.Keys: // nothing to be done with keys now
		case <-a.chipChanged():
		}
	}
	return nil
}

// verifyHolder gives DE52: of a chip what the kernel asked for, of a stripe the PIN that is asked for now.
func (a *app) verifyHolder(ctx context.Context, c card) (string, error) {
	if c.chip != nil {
		return c.pinBlock, nil
	}
	return a.askPIN(ctx, c.pan)
}

// usable says that PAN and expiry can go into a message and a PIN block.
func (c card) usable() bool {
	return len(c.pan) >= pin.MinPANLength && len(c.pan) <= pin.MaxPANLength && digits(c.pan) &&
		len(c.expiry) == 4 && digits(c.expiry)
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
