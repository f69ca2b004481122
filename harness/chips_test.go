package harness

import (
	"bytes"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/terminals"
)

// A card that comes back is the same card; the next scenario has a new one.
func TestChipIsKept(t *testing.T) {
	card, err := cards.Find("intermittent-chip")
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{world: World{Profile: &terminals.Profile{Scale: 1}}, chips: map[string]*keptChip{}}
	answers := func() (lengths []int) {
		for range 2 {
			chip, err := s.chip(card)
			if err != nil {
				t.Fatal(err)
			}
			lengths = append(lengths, len(chip.ATR()))
		}
		return lengths
	}
	if got := answers(); got[0] != 0 || got[1] == 0 {
		t.Fatalf("answers to reset of %v bytes: it must fail once", got)
	}
	s.chips = map[string]*keptChip{}
	if got := answers(); got[0] != 0 {
		t.Fatalf("answers to reset of %v bytes in the next scenario", got)
	}
	stripe, err := cards.Find("stripe")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.chip(stripe); err == nil {
		t.Fatal("a stripe has a chip")
	}
}

// In the field a card is the same one as in the slot.
func TestFieldOfAKeptChip(t *testing.T) {
	card, err := cards.Find("visa")
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{world: World{Profile: &terminals.Profile{Scale: 1}}, chips: map[string]*keptChip{}}
	chip, err := s.chip(card)
	if err != nil {
		t.Fatal(err)
	}
	field := fieldOf(card, chip)
	if answer := field.Transmit([]byte("\x00\xA4\x04\x00\x0E2PAY.SYS.DDF01")); len(answer) < 20 {
		t.Fatalf("the directory in the field: %X", answer)
	}
	contacts, err := cards.Find("mastercard")
	if err != nil {
		t.Fatal(err)
	}
	if chip, err = s.chip(contacts); err != nil || fieldOf(contacts, chip) != nil {
		t.Fatalf("a card without an antenna: %v", err)
	}
}

// Two workers at one slow chip: one after the other, in virtual time.
func TestKeptChipTakesOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card, err := cards.Find("slow-chip")
		if err != nil {
			t.Fatal(err)
		}
		chip, err := Chip(card, 1)
		if err != nil {
			t.Fatal(err)
		}
		kept, start := keep(chip), time.Now()
		var workers sync.WaitGroup
		for range 2 {
			workers.Go(func() {
				if answer := kept.Transmit([]byte{0, 0xB2, 1, 0x0C, 0}); !bytes.Equal(answer, []byte{0x69, 0x85}) {
					t.Errorf("answer %X", answer)
				}
			})
		}
		workers.Wait()
		if took := time.Since(start); took != 1600*time.Millisecond {
			t.Errorf("two commands took %v", took)
		}
	})
}
