package terminal

import (
	"context"
	"errors"
	"time"

	"github.com/assay-hil/assay/protocol/pin"
)

// card is what was read from a stripe or a chip. It is card data: it goes to the host and, in
// part, to the reversal record, and nowhere else.
type card struct {
	pan    string
	expiry string // YYMM
	track2 string // DE35; "" when the chip has none
	// chip is nil for a stripe.
	chip *chipSale
}

// cardRetry says that this card, or this way of reading it, did not work. The sale goes on with
// another try.
type cardRetry struct {
	prompt string
	// remove says that the card must be out before the next try.
	remove bool
}

func (e cardRetry) Error() string { return "card not read: " + e.prompt }

var (
	retryStripe  = cardRetry{prompt: promptCardReadError}
	retryUseChip = cardRetry{prompt: promptUseChip}
	retryChip    = cardRetry{prompt: promptCardChipError, remove: true}
)

// readCard asks for a card until one can be used.
func (a *app) readCard(ctx context.Context, amount int64) (card, error) {
	for {
		read, err := a.tryCard(ctx, amount)
		var retry cardRetry
		if !errors.As(err, &retry) {
			return read, err
		}
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

// tryCard waits for one swipe or one insertion, at most Timers.CardWait, and reads it. A
// stripe that went by earlier was not read by anybody; a chip that is already in counts.
func (a *app) tryCard(ctx context.Context, amount int64) (card, error) {
	a.drainSwipes()
	a.show(promptCard)
	limit := time.NewTimer(a.profile.Timers.CardWait)
	defer limit.Stop()
	for {
		if a.chipPresent() {
			return a.readChip(ctx, amount)
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
			return a.readStripe(swipe)
		case <-a.chipChanged():
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
