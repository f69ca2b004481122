package harness

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/rigs"
)

func TestUntil(t *testing.T) {
	const limit = 5 * time.Second
	for _, c := range []struct {
		name    string
		arrange func(b *bench, cancel context.CancelFunc)
		met     bool
		err     error
		after   time.Duration
	}{
		{"met at once", func(b *bench, _ context.CancelFunc) { b.glass.show("APPROVED"); synctest.Wait() }, true, nil, 0},
		{"met later", func(b *bench, _ context.CancelFunc) { b.glass.showAfter(2*time.Second, "APPROVED") }, true, nil, 2 * time.Second},
		{"after another change", func(b *bench, _ context.CancelFunc) {
			b.glass.showAfter(time.Second, "ENTER PIN")
			b.glass.showAfter(3*time.Second, "APPROVED")
		}, true, nil, 3 * time.Second},
		{"never", func(b *bench, _ context.CancelFunc) { b.glass.showAfter(time.Second, "ENTER PIN") }, false, nil, limit},
		{"too late", func(b *bench, _ context.CancelFunc) { b.glass.showAfter(limit+1, "APPROVED") }, false, nil, limit},
		{"interrupted", func(b *bench, cancel context.CancelFunc) { time.AfterFunc(time.Second, cancel) }, false, context.Canceled, time.Second},
		{"the line ends", func(b *bench, _ context.CancelFunc) {
			time.AfterFunc(2*time.Second, func() { b.glass.err = errors.New("unplugged"); close(b.glass.screens) })
		}, false, errors.New("display: read: unplugged"), 2 * time.Second},
		{"the line ends without a reason", func(b *bench, _ context.CancelFunc) { close(b.glass.screens) }, false, rigs.ErrLost, 0},
		{"the printer's line ends", func(b *bench, _ context.CancelFunc) { close(b.roll.paper) }, false, rigs.ErrLost, 0},
		{"the card emulator's line ends, to which nobody speaks", func(b *bench, _ context.CancelFunc) {
			time.AfterFunc(time.Second, func() { close(b.slot.ended) })
		}, false, rigs.ErrLost, time.Second},
		{"met, and then the line ends", func(b *bench, _ context.CancelFunc) {
			b.glass.show("APPROVED")
			close(b.glass.screens)
			synctest.Wait()
		}, true, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBench(t, func(t *testing.T, b *bench) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				c.arrange(b, cancel)
				begun := time.Now()
				met, err := b.session.until(ctx, limit, shows("approved"))
				if met != c.met || time.Since(begun) != c.after {
					t.Errorf("%v after %v, want %v after %v", met, time.Since(begun), c.met, c.after)
				}
				if c.err == nil != (err == nil) || c.err != nil && !errors.Is(err, c.err) && err.Error() != c.err.Error() {
					t.Errorf("%v, want %v", err, c.err)
				}
				<-time.After(limit) // what is still to be shown comes before the bench is taken down
			})
		})
	}
}

// TestDeadStreamIsTheRigsFault: the terminal has no part in a line that ended.
func TestDeadStreamIsTheRigsFault(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		close(b.glass.screens)
		err := b.run.prompted(t.Context(), time.Second, "approved")
		if fault := (*rigs.Error)(nil); !errors.As(err, &fault) || fault.Instrument != "display" || stoppedBy(err) != "rig" {
			t.Errorf("%v", err)
		}
		if b.session.Broken() == nil {
			t.Error("a session whose display is lost would be used again")
		}
	})
}

func TestSessionKnowsWhatIsShown(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.glass.show("FW 2.1.0", "STARTING")
		b.glass.show("APPROVED", "REMOVE CARD")
		b.glass.screens <- rigs.Screen{At: time.Now(), Noise: "[NET] up"}
		b.roll.paper <- rigs.Paper{At: time.Now(), Text: "APPROVED"}
		b.roll.paper <- rigs.Paper{At: time.Now(), Cut: true}
		synctest.Wait()
		v := b.session.look()
		if len(v.screen) != 2 || v.screen[0] != "APPROVED" || len(v.prompts) != 2 || len(v.changes) != 3 || v.cuts != 1 {
			t.Errorf("%+v", v)
		}
		if b.session.firmware != "2.1.0" {
			t.Errorf("firmware %q", b.session.firmware)
		}
		last := b.events(t, "display", "screen")[2]
		if last["text"] != "APPROVED\nREMOVE CARD" || last["prompts"] != "approved remove-card" {
			t.Errorf("%v", last)
		}
		if n := len(b.events(t, "display", "noise")); n != 1 {
			t.Errorf("%d lines of noise", n)
		}
	})
}

// TestANewScenarioForgets: what the last one showed must not satisfy the next.
func TestANewScenarioForgets(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.glass.show("APPROVED")
		b.glass.show("\ufffd")
		synctest.Wait()
		b.session.begin(b.timeline)
		v := b.session.look()
		if len(v.shown) != 0 || len(v.changes) != 0 || len(v.requests) != 0 || b.session.isGarbled("display") {
			t.Errorf("%+v", v)
		}
		if len(v.screen) != 1 {
			t.Error("what the terminal shows now was forgotten too")
		}
	})
}

func TestLeaksAreSeenBeforeTheyAreMasked(t *testing.T) {
	all, err := cards.All()
	if err != nil {
		t.Fatal(err)
	}
	pan := all[0].PAN
	for text, want := range map[string]int{
		pan:                                1,
		"CARD: " + pan[:6] + " " + pan[6:]: 1,
		pan[:6] + "******" + pan[12:]:      0,
		"APPROVED":                         0,
	} {
		onBench(t, func(t *testing.T, b *bench) {
			b.session.present(all[0])
			b.roll.paper <- rigs.Paper{At: time.Now(), Text: text}
			synctest.Wait()
			leaks := b.events(t, "printer", "leak")
			if len(leaks) != want || want > 0 && leaks[0]["card"] != all[0].ID {
				t.Errorf("%d leaks of %d", len(leaks), want)
			}
		})
	}
}
