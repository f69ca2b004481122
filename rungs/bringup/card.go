package bringup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rungs"
)

// CardActions are what can be done with a card by hand.
func CardActions() []string { return []string{"insert", "remove", "swipe", "tap"} }

// CardOptions say how a card is used by hand.
type CardOptions struct {
	State string // as rungs.LabOptions has it
	// Each is told what the terminal does with the card. It gets no card data.
	Each func(at time.Time, what string)
	// Done ends an insert or a tap, which last until then; nil: they last until ctx ends.
	Done <-chan struct{}
}

// contactlessUID and contactlessATS are how a tapped card presents itself: a random UID (first byte 08,
// ISO/IEC 14443-3) and frames of 256 bytes (ISO/IEC 14443-4).
var (
	contactlessUID = [4]byte{0x08, 0x12, 0x34, 0x56}
	contactlessATS = [5]byte{0x05, 0x78, 0x80, 0x70, 0x02}
)

// Card does one thing with a test card. An inserted or tapped card stays, and answers the terminal, until
// Done or the end of ctx; it is then taken out.
func Card(ctx context.Context, path, action, id string, o CardOptions) (err error) {
	if !slices.Contains(CardActions(), action) {
		return errors.New(strict.UnknownMessage("action", action, CardActions()))
	}
	card, err := testCard(id, action != "remove")
	if err != nil {
		return err
	}
	lab, err := rungs.OpenLab(path, rungs.LabOptions{Doing: "assay rigs card", State: o.State})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	return use(ctx, lab, "card", func(d rigs.Instrument) error {
		return handle(ctx, d.(rigs.CardEmulator), action, card, o)
	})
}

// testCard finds a card by its id.
func testCard(id string, needed bool) (*cards.Card, error) {
	if !needed {
		return nil, nil
	}
	all, err := cards.All()
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range all {
		if c.ID == id {
			return c, nil
		}
		ids = append(ids, c.ID)
	}
	return nil, errors.New(strict.UnknownMessage("card", id, ids))
}

func handle(ctx context.Context, e rigs.CardEmulator, action string, card *cards.Card, o CardOptions) error {
	switch action {
	case "remove":
		return e.Halt(ctx) // both ways out, whatever is in
	case "swipe":
		tracks, err := harness.Stripe(card)
		if err != nil {
			return err
		}
		return e.Swipe(ctx, tracks)
	}
	if card.Chip == nil {
		return fmt.Errorf("the card %s has no chip", card.ID)
	}
	chip, err := card.NewChip()
	if err != nil {
		return err
	}
	if action == "tap" && card.Chip.Contactless == nil {
		return fmt.Errorf("the card %s has no contactless side", card.ID)
	}
	out := e.Remove
	if action == "insert" {
		err = e.Insert(ctx, chip)
	} else {
		err, out = e.Tap(ctx, chip.Field(), contactlessUID[:], contactlessATS[:]), e.Leave
	}
	if err != nil {
		return err
	}
	follow(ctx, e, o)
	return out(context.WithoutCancel(ctx))
}

// follow tells what the terminal does with the card until it is to be taken out.
func follow(ctx context.Context, e rigs.CardEmulator, o CardOptions) {
	for {
		select {
		case event, open := <-e.Events():
			if !open {
				return
			}
			if o.Each != nil {
				o.Each(event.At, words(event))
			}
		case <-o.Done:
			return
		case <-ctx.Done():
			return
		}
	}
}

// words tells an event without card data: of a command its header's first two bytes, of an answer its
// length and status.
func words(e rigs.CardEvent) string {
	x := e.Exchange
	if x == nil || len(x.Command) < 2 || len(x.Response) < 2 {
		return e.Kind
	}
	n := len(x.Response)
	return fmt.Sprintf("command %02X %02X → %d bytes, %02X%02X, after %v", x.Command[0], x.Command[1], n-2, x.Response[n-2], x.Response[n-1], x.Took.Round(time.Millisecond))
}
