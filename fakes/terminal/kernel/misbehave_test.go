package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fakes/terminal/kernel/kerneltest"
)

// passage plays the lines of a passage of cards.inc.
func (p *player) passage(t testing.TB, names ...string) {
	t.Helper()
	text, err := os.ReadFile("testdata/cards.inc")
	if err != nil {
		t.Fatal(err)
	}
	passages := map[string][]line{}
	readLines("cards.inc", string(text), passages)
	for _, name := range names {
		for _, l := range passages[name] {
			if err := p.step(l.words, l.text); err != nil {
				t.Fatal(l.place, err)
			}
		}
	}
}

// whole plays a sale with a directory, data authentication, offline PIN, counters, scripts: every kind of exchange there is.
func whole(t testing.TB) *player {
	t.Helper()
	p := newPlayer()
	p.passage(t, "directory")
	p.pins = []string{"1234", "1234", "1234"}
	p.choice = 1
	for _, l := range []string{
		"oda dda", "set amount 10000",
		"answers 00B2010C 70{61{4F:A0000000031010 50:'CREDIT' 87:02}} 9000",
		"then 00B2010C 70{5F25:250101 5F24:311231 5A:4761739001010119 5F34:01 9F4A:82} 9000",
		"answers 00B20114 70{8C:9505 8D:8A029505 8E:00000000000000000100 9F14:03 9F23:05} 9000",
		"answers 80CA9F17 9F17:03 9000", "answers 80CA9F36 9F36:0009 9000", "answers 80CA9F13 9F13:0008 9000",
		"answers 0020 9000", "answers 8424 9000", "answers 841E 9000",
	} {
		if err := p.step(strings.Fields(l), l); err != nil {
			t.Fatal(l, err)
		}
	}
	return p
}

const hostApproves = "host 00 approves 91:01020304050607083030 71{86:8424000000} 72{86:841E000000}"

// run plays the sale to its end.
func (p *player) run(t testing.TB) {
	t.Helper()
	if err := p.insert(); err != nil {
		t.Fatal(err)
	}
	if p.err == nil && p.result.Outcome == Online {
		if err := p.step(strings.Fields(hostApproves), hostApproves); err != nil {
			t.Fatal(err)
		}
	}
}

// step is where one exchange went wrong.
type spoiled struct {
	*kerneltest.Card
	at      int
	removed bool
	answer  []byte
}

func (c *spoiled) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if len(c.Sent) == c.at {
		c.Card.Removed = c.removed
		if !c.removed {
			_, err := c.Card.Transmit(ctx, command)
			return c.answer, err
		}
	}
	return c.Card.Transmit(ctx, command)
}

// TestRemovalAtEveryExchange pulls the card at each exchange in turn: never approved before the last word, always told as a removal.
func TestRemovalAtEveryExchange(t *testing.T) {
	sound := whole(t)
	sound.run(t)
	exchanges := len(sound.card.Sent)
	if sound.result.Outcome != Approved || exchanges < 18 {
		t.Fatalf("the sound sale: %v after %d exchanges %v", sound.result.Outcome, exchanges, sound.card.Sent)
	}
	for at := range exchanges {
		p := whole(t)
		k, err := New(p.cfg)
		if err != nil {
			t.Fatal(err)
		}
		card := &spoiled{Card: p.card, at: at, removed: true}
		p.session, p.err = k.Contact(context.Background(), card, p, p.tx)
		p.result = p.session.Result()
		if p.result.Outcome == Online {
			if err := p.step(strings.Fields(hostApproves), hostApproves); err != nil {
				t.Fatal(err)
			}
		}
		last := strings.HasPrefix(sound.card.Sent[at], "841E")
		if want := (Result{Outcome: Ended, Reason: Removed}); !last && (p.result.Outcome != want.Outcome || p.result.Reason != want.Reason) || last && p.result.Outcome != Approved {
			t.Errorf("exchange %d (%.8s): %v %v", at, sound.card.Sent[at], p.result.Outcome, p.result.Reason)
		}
	}
}

// TestWrongStatusAtEveryExchange lets each command in turn be answered with a status that it must not have: no crash, and an approval only
// where the exchange doesn't matter for it.
func TestWrongStatusAtEveryExchange(t *testing.T) {
	sound := whole(t)
	sound.run(t)
	for _, status := range []string{"6F00", "6985", "6A81", "6283", "9000", "", "90", "6E00"} {
		for at := range sound.card.Sent {
			name := fmt.Sprintf("%s at %d (%.8s)", status, at, sound.card.Sent[at])
			p := whole(t)
			k, err := New(p.cfg)
			if err != nil {
				t.Fatal(err)
			}
			card := &spoiled{Card: p.card, at: at, answer: digits(status)}
			if p.session, p.err = k.Contact(context.Background(), card, p, p.tx); p.err != nil {
				t.Fatalf("%s: %v", name, p.err)
			}
			p.result = p.session.Result()
			if p.result.Outcome == Online {
				if err := p.step(strings.Fields(hostApproves), hostApproves); err != nil {
					t.Fatal(err)
				}
			}
			if cryptogram := strings.HasPrefix(sound.card.Sent[at], "80AE"); cryptogram && p.result.Outcome == Approved {
				t.Errorf("%s: approved", name)
			}
		}
	}
}

// TestPowerCut ends the context at each exchange: the error is the context's.
func TestPowerCut(t *testing.T) {
	sound := whole(t)
	if err := sound.insert(); err != nil {
		t.Fatal(err)
	}
	for at := range sound.card.Sent {
		p := whole(t)
		k, err := New(p.cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		card := &cutting{Card: p.card, at: at, cut: cancel}
		if _, err := k.Contact(ctx, card, p, p.tx); !errors.Is(err, context.Canceled) {
			t.Errorf("exchange %d: %v", at, err)
		}
		cancel()
	}
}

type cutting struct {
	*kerneltest.Card
	at  int
	cut func()
}

func (c *cutting) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if len(c.Sent) == c.at {
		c.cut()
	}
	return c.Card.Transmit(ctx, command)
}

func TestNothingToComplete(t *testing.T) {
	p := newPlayer()
	p.passage(t, "card")
	p.pins = []string{"1234"}
	p.run(t)
	if _, err := p.session.Complete(context.Background(), Answer{}); !errors.Is(err, ErrNothingToComplete) {
		t.Errorf("completed twice: %v", err)
	}
	p = newPlayer()
	p.run(t)
	if _, err := p.session.Complete(context.Background(), Answer{}); !errors.Is(err, ErrNothingToComplete) {
		t.Errorf("completed after %v: %v", p.result.Outcome, err)
	}
}

func TestConfigRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"country":     func(c *Config) { c.Country = "CN" },
		"AID":         func(c *Config) { c.Applications[0].AID = []byte{1} },
		"random":      func(c *Config) { c.Applications[0].Random = Random{Target: 50, Max: 20} },
		"key":         func(c *Config) { c.Keys = []CAKey{{Modulus: []byte{1}, Exponent: []byte{3}}} },
		"defect name": func(c *Config) { c.Defects = map[string]bool{"no-such": true} },
	} {
		cfg := newPlayer().cfg
		spoil(&cfg)
		if _, err := New(cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzCard lets a card answer with any bytes at any exchange, on both interfaces: no crash, bounded work, and no approval that the card did
// not give.
func FuzzCard(f *testing.F) {
	f.Add([]byte{}, uint8(0), uint8(0))
	f.Add([]byte{0x6F, 0x00, 0x90, 0x00}, uint8(1), uint8(1))
	f.Add(digits("7716820219008E0A00000000000000001F0094040801010090009000"), uint8(4), uint8(3))
	f.Add(digits("800B8000010102030405060708069000"), uint8(9), uint8(200))
	f.Fuzz(func(t *testing.T, answer []byte, at, again uint8) {
		for _, field := range []bool{false, true} {
			p := whole(t)
			if field {
				p = newPlayer()
				p.passage(t, "field")
			}
			n := 0
			inner := p.card.Hook
			p.card.Hook = func(command []byte) ([]byte, bool) {
				n++
				if n-1 == int(at%24) || n-1 == int(again) {
					return answer, true
				}
				if inner == nil {
					return nil, false
				}
				return inner(command)
			}
			if field {
				if err := p.tap(); err != nil {
					t.Fatal(err)
				}
			} else {
				p.run(t)
			}
			if len(p.card.Sent) > 400 {
				t.Fatalf("%d commands", len(p.card.Sent))
			}
			if (p.result.Outcome == Approved || p.result.Outcome == Online) && p.result.PAN == "" {
				t.Fatalf("%v without a number", p.result.Outcome)
			}
		}
	})
}
