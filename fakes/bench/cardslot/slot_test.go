package cardslot

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/terminal"
	"github.com/assay-hil/assay/protocol/memnet"
)

// host is the other end of the line, scripted.
type host struct {
	t     *testing.T
	conn  *memnet.Conn
	lines chan string
}

// start runs a slot and its host in virtual time.
func start(t *testing.T, cfg Config, f func(t *testing.T, s *Slot, h *host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		s := New(near, cfg)
		h := &host{t: t, conn: far, lines: make(chan string, 100)}
		go func() {
			defer close(h.lines)
			for scan := bufio.NewScanner(far); scan.Scan(); {
				h.lines <- scan.Text()
			}
		}()
		f(t, s, h)
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := far.Close(); err != nil {
			t.Errorf("host's Close: %v", err)
		}
	})
}

// say sends a body with its checksum.
func (h *host) say(body string) {
	h.t.Helper()
	h.raw(seal(body) + "\n")
}

func (h *host) raw(text string) {
	h.t.Helper()
	if _, err := h.conn.Write([]byte(text)); err != nil {
		h.t.Fatal(err)
	}
}

// want takes the next line, whose body must be this, and tells how long it took to come.
func (h *host) want(body string) time.Duration {
	h.t.Helper()
	begin := time.Now()
	select {
	case got := <-h.lines:
		if got != seal(body) {
			h.t.Fatalf("got %q, want %q", got, seal(body))
		}
	case <-time.After(time.Minute):
		h.t.Fatalf("nothing came, want %q", body)
	}
	return time.Since(begin)
}

func (h *host) wantNothing(d time.Duration) {
	h.t.Helper()
	select {
	case got := <-h.lines:
		h.t.Fatalf("got %q, want silence", got)
	case <-time.After(d):
	}
}

func (h *host) ask(body, reply string) {
	h.t.Helper()
	h.say(body)
	h.want(reply)
}

func TestConversationOfTheProtocol(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		swipe := make(chan terminal.Swipe, 1)
		go func() { swipe <- <-s.Stripe() }()
		chip := make(chan error, 1)
		for _, line := range protocolLines {
			switch line[0] {
			case '>', '=':
				h.raw(line + "\n")
			case '<', '!':
				h.want(line[:len(line)-tailLength])
			}
			switch line[:3] {
			case "<02": // the card is in: the terminal uses it
				go func() { chip <- useChip(t.Context(), s) }()
			case "<03":
				if err := <-chip; err != nil {
					t.Fatal(err)
				}
			}
		}
		got := <-swipe
		if got.Tracks[0] != nil || string(got.Tracks[1]) != "\x1B\x05" || got.Tracks[2] != nil {
			t.Errorf("the head read %v", got)
		}
	})
}

func useChip(ctx context.Context, s *Slot) error {
	atr, err := s.PowerOn(ctx)
	if err != nil || toHex(atr) != "3B6500002063CB6800" {
		return fmt.Errorf("ATR %X, %w", atr, err)
	}
	capdu, _ := unhex("00A4040007A0000000031010")
	rapdu, err := s.Transmit(ctx, capdu)
	if err != nil || toHex(rapdu) != "6A82" {
		return fmt.Errorf("response %X, %w", rapdu, err)
	}
	return nil
}

func TestRequests(t *testing.T) {
	for _, test := range []struct {
		name   string
		before []string // requests that are answered OK
		ask    string
		reply  string
	}{
		{"hello", nil, "HELLO", "OK relay 1 sim-1.0 stripe,chip,field,crowd"},
		{"state at power-up", nil, "STATE", "OK empty away"},
		{"state with a chip", []string{"INSERT 3B00"}, "STATE", "OK inserted away"},
		{"state in the field", []string{"TAP 01020304 0578807002"}, "STATE", "OK empty near"},
		{"halt is safe", []string{"INSERT 3B00", "TAP 01020304 0578807002", "HALT"}, "STATE", "OK empty away"},
		{"hello makes safe", []string{"INSERT 3B00"}, "HELLO", "OK relay 1 sim-1.0 stripe,chip,field,crowd"},
		{"swipe", nil, "SWIPE 45 1B 1F", "OK"},
		{"swipe of a blank card", nil, "SWIPE - - -", "OK"},
		{"swipe: six bits", nil, "SWIPE - 20 -", "ERR ARGS"},
		{"swipe: eight bits", nil, "SWIPE 80 - -", "ERR ARGS"},
		{"swipe: two tracks", nil, "SWIPE - -", "ERR ARGS"},
		{"swipe: odd digits", nil, "SWIPE - 1B0 -", "ERR ARGS"},
		{"swipe: small digits", nil, "SWIPE - 1b -", "ERR ARGS"},
		{"swipe with a chip in", []string{"INSERT 3B00"}, "SWIPE - 1B -", "ERR STATE"},
		{"mute chip", nil, "INSERT -", "OK"},
		{"second insert", []string{"INSERT 3B00"}, "INSERT 3B01", "ERR STATE"},
		{"insert: ATR too long", nil, "INSERT " + strings.Repeat("3B", maxATR+1), "ERR ARGS"},
		{"insert: ATR too short", nil, "INSERT 3B", "ERR ARGS"},
		{"remove of nothing", nil, "REMOVE", "OK"},
		{"second tap", []string{"TAP 01020304 05"}, "TAP 01020304 05", "ERR STATE"},
		{"tap: UID of 5", nil, "TAP 0102030405 05", "ERR ARGS"},
		{"tap: no ATS", nil, "TAP 01020304 -", "ERR ARGS"},
		{"leave of nothing", nil, "LEAVE", "OK"},
		{"answer to nothing", nil, "RAPDU 00 9000", "ERR STALE"},
		{"answer too short", nil, "RAPDU 00 90", "ERR ARGS"},
		{"answer too long", nil, "RAPDU 00 " + strings.Repeat("00", maxAnswer+1), "ERR ARGS"},
		{"answer without a number", nil, "RAPDU - 9000", "ERR ARGS"},
		{"unknown", nil, "FLY HIGH", "ERR VERB"},
		{"small letters", nil, "hello", "ERR VERB"},
		{"argument too many", nil, "HALT 1", "ERR ARGS"},
	} {
		t.Run(test.name, func(t *testing.T) {
			start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
				n := 0
				for _, request := range test.before {
					h.ask(fmt.Sprintf(">%02X %s", n, request), fmt.Sprintf("<%02X OK", n))
					n++
				}
				h.ask(fmt.Sprintf(">%02X %s", n, test.ask), fmt.Sprintf("<%02X %s", n, test.reply))
				h.wantNothing(time.Second)
			})
		})
	}
}

func TestUntrustedLinesAreDropped(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		for _, text := range []string{
			">00 HELLO*0000\n", "garbage\n", "\n\r\n", seal("<00 OK") + "\n", seal("!00 RESET COLD") + "\n",
			seal("?00 HELLO") + "\n", ">00 HE", strings.Repeat("y", 3*LineLimit) + "\n",
		} {
			h.raw(text)
		}
		h.wantNothing(time.Second)
		h.ask(">00 HELLO", "<00 OK relay 1 sim-1.0 stripe,chip,field,crowd")
	})
}

func TestRepeatedRequestActsOnce(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		h.ask(">01 INSERT 3B00", "<01 OK")
		h.ask(">01 INSERT 3B00", "<01 OK")        // the kept reply, not ERR STATE
		h.ask(">01 INSERT 3B01", "<01 ERR STATE") // same number, other text: a new request
		h.ask(">02 INSERT 3B01", "<02 ERR STATE")
		h.ask(">03 HELLO", "<03 OK relay 1 sim-1.0 stripe,chip,field,crowd")
		h.ask(">02 INSERT 3B01", "<02 OK") // HELLO made it forget, and empty
	})
}

func TestSwipeTakesItsTime(t *testing.T) {
	start(t, Config{SwipeTime: 800 * time.Millisecond}, func(t *testing.T, s *Slot, h *host) {
		read := make(chan terminal.Swipe, 2)
		go func() {
			for range 2 {
				read <- <-s.Stripe()
			}
		}()
		h.say(">01 SWIPE - 1B -")
		h.wantNothing(300 * time.Millisecond)
		h.say(">01 SWIPE - 1B -") // a repeat while the swipe goes on
		if took := h.want("<01 OK"); took != 500*time.Millisecond {
			t.Errorf("OK came %v after the repeat, want 500ms", took)
		}
		synctest.Wait()
		h.ask(">01 SWIPE - 1B -", "<01 OK") // a repeat after it: answered from memory, at once
		h.wantNothing(time.Second)
		if len(read) != 1 {
			t.Errorf("the head read %d swipes, want 1", len(read))
		}
		h.ask(">02 SWIPE - 1F -", "<02 OK")
		<-read
		<-read
	})
}

func TestHaltBreaksOffASwipe(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		h.say(">01 SWIPE - 1B -")
		h.ask(">02 INSERT 3B00", "<02 ERR STATE")
		h.ask(">03 HALT", "<03 OK")
		h.wantNothing(time.Second)
		select {
		case <-s.Stripe():
			t.Error("the head read a swipe that was broken off")
		default:
		}
	})
}

func TestSwipeThatNobodyFetchesIsLost(t *testing.T) {
	start(t, Config{}, func(t *testing.T, s *Slot, h *host) {
		h.ask(">01 SWIPE - 1B -", "<01 OK")
		h.wantNothing(HeadHold + time.Millisecond)
		select {
		case <-s.Stripe():
			t.Error("an old swipe was kept")
		case <-time.After(time.Second):
		}
	})
}
