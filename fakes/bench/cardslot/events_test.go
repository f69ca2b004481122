package cardslot

import (
	"fmt"
	"testing"
	"time"
)

func TestEventIsRepeatedThenDropped(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		h.ask(">00 INSERT 3B00", "<00 OK")
		begin := time.Now()
		if _, err := s.PowerOn(t.Context()); err != nil {
			t.Fatal(err)
		}
		for n := range Sendings {
			h.want("!00 RESET COLD")
			if at := time.Since(begin); at != time.Duration(n)*AckWait && n > 0 {
				t.Errorf("sending %d at %v", n+1, at)
			}
		}
		for range Sendings {
			h.want("!01 LOST 1")
		}
		h.wantNothing(time.Minute) // it does not ask a dead host for ever
		h.ask(">01 STATE", "<01 OK powered away")
		h.want("!02 LOST 1") // a sign of life
		h.say("=02 ACK")
		h.wantNothing(time.Second)
		s.PowerOff()
		h.want("!03 POWER OFF")
		h.say("=02 ACK") // of an old event: not this one's
		h.want("!03 POWER OFF")
		h.say("=03 ACK")
		h.wantNothing(time.Second)
	})
}

func TestEventsWaitForTheirTurn(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		h.ask(">00 INSERT 3B00", "<00 OK")
		if _, err := s.PowerOn(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.want("!00 RESET COLD")
		s.PowerOff()
		if _, err := s.PowerOn(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.wantNothing(200 * time.Millisecond)
		h.say("=00 ACK")
		h.want("!01 POWER OFF")
		h.say("=01 ACK")
		h.want("!02 RESET COLD")
		h.say("=02 ACK")
		h.wantNothing(time.Second)
	})
}

func TestEventsOverflow(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		h.ask(">00 INSERT 3B00", "<00 OK")
		for range 6 { // twelve events: one sent, eight kept, three lost
			s.do(func() { _, _ = s.reset() })
			s.PowerOff()
		}
		h.want("!00 RESET COLD")
		h.say("=00 ACK")
		h.want("!01 LOST 3")
		h.say("=01 ACK")
		for n := range EventLimit {
			text := []string{"POWER OFF", "RESET COLD"}[n%2]
			h.want(fmt.Sprintf("!%02X %s", n+2, text))
			h.say(fmt.Sprintf("=%02X ACK", n+2))
		}
		h.wantNothing(time.Second)
	})
}

func TestEventNumbersWrapAndRestart(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		h.ask(">00 INSERT 3B00", "<00 OK")
		for n := range 258 {
			s.do(func() { _, _ = s.reset() })
			kind := "WARM"
			if n == 0 {
				kind = "COLD"
			}
			h.want(fmt.Sprintf("!%02X RESET %s", n%256, kind))
			h.say(fmt.Sprintf("=%02X ACK", n%256))
		}
		s.do(func() { _, _ = s.reset() })
		h.want("!02 RESET WARM")
		h.ask(">01 HELLO", "<01 OK relay 1 sim-1.0 stripe,chip,field,crowd") // forgets what was not taken
		h.wantNothing(time.Second)
		h.ask(">02 INSERT 3B00", "<02 OK")
		s.do(func() { _, _ = s.reset() })
		h.want("!00 RESET COLD")
	})
}

func TestFaults(t *testing.T) {
	const hello = "OK relay 1 sim-1.0 stripe,chip,field,crowd"
	t.Run("silent", func(t *testing.T) {
		start(t, Config{Faults: Faults{Silent: true}}, func(t *testing.T, s *Slot, h *host) {
			for range 3 {
				h.say(">00 HELLO")
				h.wantNothing(time.Second)
			}
			h.say(">01 INSERT 3B00")
			h.wantNothing(time.Second)
			if s.Present() {
				t.Error("a dead emulator closed the switch")
			}
		})
	})
	t.Run("silent after 2", func(t *testing.T) {
		start(t, Config{Faults: Faults{SilentAfter: 2}}, func(t *testing.T, s *Slot, h *host) {
			h.ask(">00 HELLO", "<00 "+hello)
			h.ask(">01 INSERT 3B00", "<01 OK")
			h.ask(">01 INSERT 3B00", "<01 OK") // a repeat is no new request
			h.say(">02 REMOVE")
			h.wantNothing(time.Second)
			h.say(">01 INSERT 3B00")
			h.wantNothing(time.Second)
			if !s.Present() {
				t.Error("a dead emulator opened the switch")
			}
			if _, err := s.PowerOn(t.Context()); err != nil {
				t.Error(err)
			}
			h.wantNothing(time.Second) // no events either
		})
	})
	t.Run("drops every 2nd", func(t *testing.T) {
		start(t, Config{Faults: Faults{DropEvery: 2}}, func(t *testing.T, s *Slot, h *host) {
			h.ask(">00 HELLO", "<00 "+hello)
			h.say(">01 INSERT 3B00")
			h.wantNothing(300 * time.Millisecond)
			h.ask(">01 INSERT 3B00", "<01 OK") // mended by the repeat
		})
	})
	t.Run("garbles every 2nd", func(t *testing.T) {
		start(t, Config{Faults: Faults{GarbleEvery: 2}}, func(t *testing.T, s *Slot, h *host) {
			h.ask(">00 HELLO", "<00 "+hello)
			h.say(">01 INSERT 3B00")
			if got := <-h.lines; got == seal("<01 OK") {
				t.Error("not garbled")
			} else if _, ok := parse([]byte(got)); ok {
				t.Errorf("garbled line %q passes", got)
			}
			h.ask(">01 INSERT 3B00", "<01 OK")
		})
	})
}
