package cardslot

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestFieldTellsOfCards(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		f := s.Field()
		if _, err := f.Activate(t.Context()); !errors.Is(err, ErrNoCard) {
			t.Errorf("Activate of nothing: %v", err)
		}
		h.ask(">01 TAP 01020304 0578807002", "<01 OK")
		if got := <-f.Changed(); got != 1 || f.Cards() != 1 {
			t.Errorf("change %d, cards %d", got, f.Cards())
		}
		if _, err := f.Transmit(t.Context(), make([]byte, 5)); !errors.Is(err, ErrNoPower) {
			t.Errorf("Transmit to a card that is not selected: %v", err)
		}
		h.ask(">02 LEAVE", "<02 OK")
		if got := <-f.Changed(); got != 0 || f.Cards() != 0 {
			t.Errorf("change %d, cards %d", got, f.Cards())
		}
	})
}

func TestASecondCardComesAndGoesWithTheFirst(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		f := s.Field()
		cards := func(want int, ask ...string) {
			t.Helper()
			for _, request := range ask {
				h.ask(">"+request, "<"+request[:2]+" OK")
			}
			if f.Cards() != want {
				t.Errorf("%v: %d cards, want %d", ask, f.Cards(), want)
			}
		}
		cards(0, "01 BESIDE 0A0B0C0D")
		cards(2, "02 TAP 01020304 0578807002")
		if got := <-f.Changed(); got != 2 {
			t.Errorf("the terminal is told of %d cards", got)
		}
		cards(1, "03 BESIDE -") // the second is taken away
		cards(0, "04 LEAVE")
		cards(2, "05 BESIDE 0A0B0C0D", "06 TAP 01020304 0578807002")
		cards(0, "07 LEAVE")
		cards(1, "08 TAP 01020304 0578807002") // it left with the first
		cards(0, "09 LEAVE", "0A BESIDE 0A0B0C0D", "0B HALT")
		cards(1, "0C TAP 01020304 0578807002")
		h.ask(">0D BESIDE 0A0B0C", "<0D ERR ARGS")
	})
}

func TestFieldSession(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		f := s.Field()
		h.ask(">01 TAP 01020304 0578807002", "<01 OK")
		ats, err := f.Activate(t.Context())
		if err != nil || toHex(ats) != "0578807002" {
			t.Fatalf("ATS %X, %v", ats, err)
		}
		h.want("!00 FIELD ON")
		h.say("=00 ACK")
		h.ask(">02 STATE", "<02 OK empty active")
		done := make(chan []byte, 1)
		go func() { rapdu, _ := f.Transmit(t.Context(), []byte{0, 0xA4, 4, 0}); done <- rapdu }()
		h.want("!01 CAPDU 00A40400")
		h.say("=01 ACK")
		h.ask(">03 REMOVE", "<03 OK") // the slot is another place
		h.ask(">04 RAPDU 01 6A82", "<04 OK")
		if got := <-done; toHex(got) != "6A82" {
			t.Errorf("response %X", got)
		}
		f.Release()
		f.Release() // once is enough
		h.want("!02 FIELD OFF")
		h.say("=02 ACK")
		h.ask(">05 STATE", "<05 OK empty near")
	})
}

func TestFieldEndsACommand(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(s *Slot, h *host)
		want error
	}{
		{"card leaves", func(_ *Slot, h *host) { h.ask(">02 LEAVE", "<02 OK") }, ErrNoCard},
		{"made safe", func(_ *Slot, h *host) { h.ask(">02 HALT", "<02 OK") }, ErrNoCard},
		{"terminal lost power", func(s *Slot, _ *host) { s.SetPower(false) }, ErrNoPower},
		{"host too slow", func(*Slot, *host) {}, ErrNoAnswer},
	} {
		t.Run(test.name, func(t *testing.T) {
			start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
				f := s.Field()
				h.ask(">01 TAP 01020304 0578807002", "<01 OK")
				if _, err := f.Activate(t.Context()); err != nil {
					t.Fatal(err)
				}
				h.want("!00 FIELD ON")
				h.say("=00 ACK")
				done := make(chan error, 1)
				go func() { _, err := f.Transmit(t.Context(), make([]byte, 5)); done <- err }()
				h.want("!01 CAPDU 0000000000")
				h.say("=01 ACK")
				test.end(s, h)
				if err := <-done; !errors.Is(err, test.want) {
					t.Errorf("Transmit: %v, want %v", err, test.want)
				}
				synctest.Wait()
				if test.want == ErrNoPower {
					h.want("!02 FIELD OFF")
					h.say("=02 ACK")
				}
				h.ask(">03 RAPDU 01 9000", "<03 ERR STALE")
			})
		})
	}
}

func TestFieldOfAClosedSlot(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		f := s.Field()
		h.ask(">01 TAP 01020304 0578807002", "<01 OK")
		ctx, cancel := context.WithTimeout(t.Context(), FieldTime/2)
		defer cancel()
		if _, err := f.Activate(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Activate with too little time: %v", err)
		}
		h.want("!00 FIELD ON")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Activate(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Activate: %v", err)
		}
		if _, err := f.Transmit(t.Context(), make([]byte, 5)); !errors.Is(err, ErrClosed) {
			t.Errorf("Transmit: %v", err)
		}
		f.Release()
	})
}
