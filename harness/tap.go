package harness

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/wear"
)

// answerToSelect is the ATS of every test card: frames of 256 bytes, 77 ms to answer (ISO/IEC 14443-4 §5.2).
var answerToSelect = []byte{0x05, 0x78, 0x80, 0x70, 0x02}

// tap holds a card in the field, as a cardholder does: until the terminal shows something else than that it wants a
// card, or for as long as that may take. Then the card leaves, whatever came of it.
func (r *run) tap(ctx context.Context, c *cards.Card, chip rigs.Chip, beside string) error {
	s := r.session
	if err := r.crowd(ctx, beside); err != nil {
		return err
	}
	near := fieldOf(c, chip)
	if near == nil {
		return blame(record.Config, "card %s has no contactless side", c.ID)
	}
	s.wear(wear.Taps)
	before := time.Now()
	if err := s.world.Rig.Card.Tap(ctx, near, uidOf(c), answerToSelect); err != nil {
		return err
	}
	_, err := s.until(ctx, r.patience().card, func(v *view) bool {
		return v.screenAt.After(before) && len(v.screen) > 0 && !slices.Contains(v.prompts, "card")
	})
	if err != nil {
		return err
	}
	at := time.Now()
	if err := s.world.Rig.Card.Leave(ctx); err != nil {
		return err
	}
	r.timeline.record(at, "card", "leave", map[string]string{"card": c.ID})
	return nil
}

// crowd has a second card enter the field with the next; "" has none.
func (r *run) crowd(ctx context.Context, beside string) error {
	if beside == "" {
		return nil
	}
	rig := r.session.world.Rig
	emulator, ok := rig.Card.(rigs.Crowd)
	i := slices.IndexFunc(r.session.world.Cards, func(c *cards.Card) bool { return c.ID == beside })
	if !ok || i < 0 {
		return blame(record.Config, "this rig's card emulator brings no second card %s: the scenario must need two-cards", beside)
	}
	return emulator.Beside(ctx, uidOf(r.session.world.Cards[i]))
}

// uidOf gives a card the same UID in every run: 4 bytes, the first of which says that it is a random one (ISO/IEC 14443-3 §6.5.4).
func uidOf(c *cards.Card) []byte {
	sum := sha256.Sum256([]byte(c.ID))
	return append([]byte{0x08}, sum[:3]...)
}

// fieldOf is a card as a contactless reader sees it, with the memory and the lock of its contacts; nil for a chip that has no
// such side.
func fieldOf(c *cards.Card, chip rigs.Chip) rigs.Chip {
	kept, ok := chip.(*keptChip)
	if !ok || c.Chip.Contactless == nil {
		return nil
	}
	card, ok := kept.chip.(*emv.Card)
	if !ok {
		return nil
	}
	return &keptChip{kept.lock, card.Field()}
}
