package cardslot

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/terminal"
)

func TestSwitchTellsTheNewestChange(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		h.ask(">01 INSERT 3B00", "<01 OK")
		if !s.Present() {
			t.Error("Present is false with a card in")
		}
		h.ask(">02 REMOVE", "<02 OK")
		if got := <-s.Changed(); got || s.Present() {
			t.Errorf("newest change %v, Present %v", got, s.Present())
		}
		h.ask(">03 REMOVE", "<03 OK")
		select {
		case <-s.Changed():
			t.Error("a change without a change")
		default:
		}
	})
}

func TestChipErrors(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		ctx := t.Context()
		if _, err := s.PowerOn(ctx); !errors.Is(err, ErrNoCard) {
			t.Errorf("PowerOn of nothing: %v", err)
		}
		if _, err := s.Transmit(ctx, make([]byte, 5)); !errors.Is(err, ErrNoCard) {
			t.Errorf("Transmit to nothing: %v", err)
		}
		h.ask(">01 INSERT -", "<01 OK")
		if _, err := s.PowerOn(ctx); !errors.Is(err, terminal.ErrMute) {
			t.Errorf("PowerOn of a mute chip: %v", err)
		}
		h.want("!00 RESET COLD")
		h.say("=00 ACK")
		s.PowerOff()
		s.PowerOff() // once is enough
		h.want("!01 POWER OFF")
		h.say("=01 ACK")
		if _, err := s.Transmit(ctx, make([]byte, 5)); !errors.Is(err, ErrNoPower) {
			t.Errorf("Transmit without power: %v", err)
		}
		for _, n := range []int{0, 3, 262} {
			if _, err := s.Transmit(ctx, make([]byte, n)); !errors.Is(err, ErrCommand) {
				t.Errorf("command of %d bytes: %v", n, err)
			}
		}
		h.wantNothing(time.Second)
	})
}

// power brings a chip in and powers it; events 00 is taken.
func power(t *testing.T, s *Slot, h *host) {
	t.Helper()
	h.ask(">00 INSERT 3B00", "<00 OK")
	if _, err := s.PowerOn(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.want("!00 RESET COLD")
	h.say("=00 ACK")
}

func TestCommandEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(cancel func(), s *Slot, h *host)
		want error
		took time.Duration
	}{
		{"host too slow", func(func(), *Slot, *host) {}, ErrNoAnswer, CommandLimit},
		{"card pulled", func(_ func(), _ *Slot, h *host) { h.ask(">01 REMOVE", "<01 OK") }, ErrNoCard, 0},
		{"slot made safe", func(_ func(), _ *Slot, h *host) { h.ask(">01 HALT", "<01 OK") }, ErrNoCard, 0},
		{"terminal stopped", func(cancel func(), _ *Slot, _ *host) { cancel() }, context.Canceled, 0},
		{"terminal lost power", func(_ func(), s *Slot, _ *host) { s.SetPower(false) }, ErrNoPower, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
				power(t, s, h)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				begin := time.Now()
				done := make(chan error, 1)
				go func() { _, err := s.Transmit(ctx, make([]byte, 5)); done <- err }()
				h.want("!01 CAPDU 0000000000")
				h.say("=01 ACK")
				test.end(cancel, s, h)
				if err := <-done; !errors.Is(err, test.want) {
					t.Errorf("Transmit: %v, want %v", err, test.want)
				}
				if took := time.Since(begin); took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
				synctest.Wait()
				if test.want == ErrNoPower {
					h.want("!02 POWER OFF")
					h.say("=02 ACK")
				}
				h.ask(">02 RAPDU 01 9000", "<02 ERR STALE")
			})
		})
	}
}

func TestAnswerNeedsTheRightNumber(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		power(t, s, h)
		done := make(chan []byte, 1)
		go func() { rapdu, _ := s.Transmit(t.Context(), make([]byte, 5)); done <- rapdu }()
		h.want("!01 CAPDU 0000000000")
		h.say("=01 ACK")
		h.ask(">01 RAPDU 00 9000", "<01 ERR STALE")
		h.ask(">02 RAPDU 01 6985", "<02 OK")
		if got := <-done; toHex(got) != "6985" {
			t.Errorf("response %X", got)
		}
		h.ask(">03 RAPDU 01 6985", "<03 ERR STALE")
		if _, err := s.PowerOn(t.Context()); err != nil {
			t.Error(err)
		}
		h.want("!02 RESET WARM")
	})
}

func TestTerminalWithoutPower(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		power(t, s, h)
		s.SetPower(false)
		h.want("!01 POWER OFF")
		h.say("=01 ACK")
		h.ask(">01 STATE", "<01 OK inserted away") // the card stays in
		if _, err := s.PowerOn(t.Context()); !errors.Is(err, ErrNoPower) {
			t.Errorf("PowerOn: %v", err)
		}
		h.ask(">02 REMOVE", "<02 OK")
		h.ask(">03 SWIPE - 1B -", "<03 OK")
		s.SetPower(true)
		select {
		case <-s.Stripe():
			t.Error("a head without power read a swipe")
		case <-s.Changed():
			t.Error("a booted terminal was told of a change before its time")
		case <-time.After(time.Second):
		}
	})
}

func TestClosedSlot(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		power(t, s, h)
		done := make(chan error, 1)
		go func() { _, err := s.Transmit(t.Context(), make([]byte, 5)); done <- err }()
		h.want("!01 CAPDU 0000000000")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("Transmit: %v", err)
		}
		if _, err := s.PowerOn(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("PowerOn: %v", err)
		}
		s.PowerOff()
		s.SetPower(false)
	})
}
