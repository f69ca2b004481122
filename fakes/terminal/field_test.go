package terminal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/assay-hil/assay/fakes/terminal/kernel/kerneltest"
)

var errGone = errors.New("card is gone")

// field is a contactless reader with cards near it, of which the first answers.
type field struct {
	changed chan int
	mu      sync.Mutex
	near    []*kerneltest.Card
}

func (f *field) bring(cards ...*kerneltest.Card) {
	f.mu.Lock()
	f.near = cards
	f.mu.Unlock()
	f.report()
}

func (f *field) report() {
	select {
	case <-f.changed:
	default:
	}
	f.changed <- f.Cards()
}

func (f *field) Changed() <-chan int { return f.changed }

func (f *field) Cards() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.near)
}

func (f *field) first() *kerneltest.Card {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.near) == 0 {
		return nil
	}
	return f.near[0]
}

func (f *field) Activate(ctx context.Context) ([]byte, error) {
	card := f.first()
	if card == nil {
		return nil, errGone
	}
	return card.PowerOn(ctx)
}

func (f *field) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	card := f.first()
	if card == nil {
		return nil, errGone
	}
	answer, err := card.Transmit(ctx, command)
	if card.Removed {
		f.bring()
	}
	return answer, err
}

func (f *field) Release() {}

// answers teaches the card of the script: "answers 80A8 77{…} 9000", "answers 00B2 removed".
func (s *script) answers(words []string) error {
	if s.table == nil {
		s.table = kerneltest.New(errGone)
	}
	if words[1] == "removed" || words[1] == "silent" {
		s.table.Special[words[0]] = words[1]
		return nil
	}
	answer, err := kerneltest.Notation(strings.Join(words[1:], " "))
	delete(s.table.Special, words[0])
	s.table.Answers[words[0]] = [][]byte{answer}
	return err
}

// tableCard is the script's card, fresh from the cardholder's purse.
func (s *script) tableCard() *kerneltest.Card {
	if s.table == nil {
		s.table = kerneltest.New(errGone)
	}
	return s.table.Clone()
}

// tap brings cards near: "tap", "tap two".
func (s *script) tap(words []string) error {
	cards := []*kerneltest.Card{s.tableCard()}
	if len(words) > 0 && words[0] == "two" {
		cards = append(cards, s.tableCard())
	}
	s.world.field.bring(cards...)
	return nil
}

func (s *script) leave([]string) error {
	s.world.field.bring()
	return nil
}

// withEMV changes what the kernel is loaded with.
func (s *script) withEMV(words []string) error {
	if s.config.Profile.EMV == nil {
		s.config.Profile.EMV = testEMV()
	}
	e := *s.config.Profile.EMV
	e.Applications = slices.Clone(e.Applications)
	switch words[0] {
	case "wallets":
		e.Wallets = words[1] == "yes"
	case "pin-bypass":
		e.PINBypass = true
	case "exception":
		e.Exceptions = []string{words[1]}
	case "offline-codes": // nothing but amounts, counters and the merchant sends a sale online
		for i := range e.Applications {
			e.Applications[i].TACOnline = [5]byte{3: 0xF8}
		}
	case "floor":
		limit, err := strconv.ParseInt(words[1], 10, 64)
		if err != nil {
			return fmt.Errorf("floor limit: %w", err)
		}
		for i := range e.Applications {
			e.Applications[i].FloorLimit = limit
			e.Applications[i].TACOnline = [5]byte{} // below the limit nothing asks for the host
		}
	}
	s.config.Profile.EMV = &e
	return nil
}
