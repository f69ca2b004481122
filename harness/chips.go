package harness

import (
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/rigs"
)

// keptChip is a card's chip through a scenario, so that what it remembers (counters, PIN tries, that it failed once) is still so
// when the card is presented again. An emulator's worker may still be at it when the card has been taken out and put in again, so one
// command at a time goes in. The lock is a channel: who waits for a slow chip does not stop virtual time.
type keptChip struct {
	lock chan struct{}
	chip rigs.Chip
}

func keep(chip rigs.Chip) *keptChip { return &keptChip{make(chan struct{}, 1), chip} }

func (k *keptChip) enter() func() {
	k.lock <- struct{}{}
	return func() { <-k.lock }
}

// ATR implements rigs.Chip.
func (k *keptChip) ATR() []byte {
	defer k.enter()()
	return k.chip.ATR()
}

// Reset implements rigs.Chip.
func (k *keptChip) Reset() {
	defer k.enter()()
	k.chip.Reset()
}

// Transmit implements rigs.Chip.
func (k *keptChip) Transmit(command []byte) []byte {
	defer k.enter()()
	return k.chip.Transmit(command)
}

// chip is a card's chip as it is at this point of the scenario.
func (s *Session) chip(c *cards.Card) (rigs.Chip, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.chips[c.ID]; ok {
		return known, nil
	}
	fresh, err := Chip(c, s.world.Profile.Scale)
	if err != nil {
		return nil, err
	}
	s.chips[c.ID] = keep(fresh)
	return s.chips[c.ID], nil
}
