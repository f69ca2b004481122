package relay

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/rigs"
)

// stale is an emulator that calls every answer stale.
func stale() *emulator {
	return &emulator{answer: func(words []string) string {
		if words[0] == "RAPDU" {
			return "ERR STALE"
		}
		return ""
	}}
}

func TestStaleAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		after  time.Duration
		then   []string // events so long after the stale answer
		wait   time.Duration
		slow   time.Duration // the chip's
		probed bool          // Probe finds it, too
		fault  bool
	}{
		{"the card is taken out at once", 0, nil, 0, 0, false, false},
		{"the terminal resets the card", 0, []string{"RESET WARM"}, 2 * eventAge, 0, false, false},
		{"the terminal leaves the card", 0, []string{"POWER OFF"}, 2 * eventAge, 0, false, false},
		{"the explanation was lost", 0, []string{"LOST 1"}, 2 * eventAge, 0, false, false},
		{"the terminal goes on", 0, []string{"CAPDU 00B0000000"}, 0, 0, true, true},
		{"the terminal is silent", 0, nil, 2 * eventAge, 0, true, true},
		{"the terminal gives up for want of an answer", patience, []string{"POWER OFF"}, 0, 0, true, true},
		{"the chip took too long", 0, nil, 2 * eventAge, patience + time.Second, false, false},
	} {
		inBubble(t, func(t *testing.T, ctx context.Context) {
			emu := stale()
			r := bench(t, emu, Config{})
			must(t, r.Insert(ctx, &chip{transmit: func([]byte) []byte { <-time.After(c.slow); return []byte{0x90, 0x00} }}))
			emu.event(0, "RESET COLD")
			emu.event(1, "CAPDU 00A4040000")
			<-time.After(c.slow)
			<-time.After(c.after)
			synctest.Wait()
			for n, text := range c.then {
				emu.event(byte(n+2), text)
				synctest.Wait()
			}
			<-time.After(c.wait)
			lost := c.name == "the explanation was lost" // a fault of its own
			if err := r.Probe(ctx); errors.Is(err, ErrStale) != c.probed || err != nil != (c.probed || lost) {
				t.Errorf("%s: Probe = %v", c.name, err)
			}
			err := r.Remove(ctx)
			if fault := (*rigs.Error)(nil); errors.Is(err, ErrStale) != c.fault || err != nil && !errors.As(err, &fault) {
				t.Errorf("%s: Remove = %v", c.name, err)
			}
			if s := r.Stats(); s.Stale == 0 {
				t.Errorf("%s: %+v", c.name, s)
			}
		})
	}
}

// The emulator's word that it let go is checked.
func TestEmulatorThatHolds(t *testing.T) {
	calls := map[string]struct {
		state string
		call  func(ctx context.Context, r rig) error
	}{
		"remove":                  {"OK powered away", func(ctx context.Context, r rig) error { return r.Remove(ctx) }},
		"leave":                   {"OK empty active", func(ctx context.Context, r rig) error { return r.Leave(ctx) }},
		"halt holds the slot":     {"OK inserted away", func(ctx context.Context, r rig) error { return r.Halt(ctx) }},
		"halt stays in the field": {"OK empty near", func(ctx context.Context, r rig) error { return r.Halt(ctx) }},
	}
	for name, c := range calls {
		inBubble(t, func(t *testing.T, ctx context.Context) {
			r := bench(t, &emulator{answer: func(words []string) string {
				if words[0] == "STATE" {
					return c.state
				}
				return ""
			}}, Config{})
			err := c.call(ctx, r)
			if fault := (*rigs.Error)(nil); !errors.Is(err, ErrHeld) || !errors.As(err, &fault) || fault.Instrument != Name {
				t.Errorf("%s: %v, want ErrHeld", name, err)
			}
		})
	}
}

// An emulator that lies about its state, too, is found by what the terminal does with the card.
func TestResetOfACardThatIsOut(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		fault bool
	}{{eventAge / 2, false}, {2 * eventAge, true}} {
		inBubble(t, func(t *testing.T, ctx context.Context) {
			emu := &emulator{}
			r := bench(t, emu, Config{})
			must(t, r.Insert(ctx, &chip{}))
			must(t, r.Remove(ctx))
			<-time.After(c.after)
			emu.event(0, "RESET COLD")
			synctest.Wait()
			if err := r.Probe(ctx); errors.Is(err, ErrHeld) != c.fault {
				t.Errorf("after %v: %v", c.after, err)
			}
			must(t, r.Insert(ctx, &chip{}))
			must(t, r.Probe(ctx))
		})
	}
}
