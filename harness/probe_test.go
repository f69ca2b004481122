package harness

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rigs"
)

// booting makes the terminal come back to idle when it gets its power.
func booting(b *bench) {
	b.supply.onOn = func() error {
		b.glass.showAfter(time.Second, "STARTING")
		b.glass.showAfter(3*time.Second, "WELCOME")
		return nil
	}
}

// echoing makes the terminal show the keys.
func echoing(b *bench) {
	b.finger.onPress = func(key string) error {
		b.glass.showAfter(50*time.Millisecond, "ENTER AMOUNT", "0.0"+key)
		return nil
	}
}

func TestWhoseFaultItIs(t *testing.T) {
	dead := errors.New("nobody there")
	for _, c := range []struct {
		name    string
		arrange func(b *bench)
		cause   record.Cause
		why     string
	}{
		{"an instrument is dead", func(b *bench) {
			b.slot.probe = func(context.Context) error { return &rigs.Error{Instrument: "card", Op: "version", Err: dead} }
		}, record.Rig, "card: version: nobody there"},
		{"an instrument is dead and does not say which", func(b *bench) {
			b.roll.probe = func(context.Context) error { return dead }
		}, record.Rig, "printer: probe: nobody there"},
		{"an instrument does not answer", func(b *bench) {
			b.supply.probe = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		}, record.Rig, "power: probe: context deadline exceeded"},
		{"dead beats everything that the screen says", func(b *bench) {
			b.glass.show("ENTER PIN")
			b.finger.probe = func(context.Context) error { return dead }
		}, record.Rig, "keypad: probe: nobody there"},
		{"the screen changed since", func(b *bench) { b.glass.show("ENTER PIN") }, record.Terminal, "the screen changed after the last thing done"},
		{"the line brings nonsense", func(b *bench) { b.glass.show("W\ufffdLCOME") }, record.Rig, "display: its line brings characters that no terminal sends"},
		{"nonsense between the screens", func(b *bench) {
			b.glass.screens <- rigs.Screen{At: time.Now(), Noise: "\x01\x02"}
			b.glass.show("ENTER PIN")
		}, record.Rig, "display: its line brings characters"},
		{"nonsense on the printer is not the display's", func(b *bench) {
			b.roll.paper <- rigs.Paper{At: time.Now(), Text: "\ufffd"}
			b.glass.show("ENTER PIN")
		}, record.Terminal, "the screen changed"},
		{"the card was never touched", func(b *bench) { b.session.setSlot(true) }, record.Rig, "the terminal never touched the inserted card"},
		{"the issuer is gone", func(b *bench) { b.gone["issuer"] = true; b.glass.show("ENTER PIN") }, record.Issuer, "issuer: "},
		{"the injector is gone", func(b *bench) { b.gone["network"] = true; b.glass.show("ENTER PIN") }, record.Network, "network: "},
		{"no power relay", func(b *bench) { b.rig.Power = nil }, record.Rig, "without a power relay it can't be told"},
		{"the relay refuses", func(b *bench) { b.supply.onOff = func() error { return rigs.Fault("power", "off", dead) } }, record.Rig, "power: off: nobody there"},
		{"dark after a restart", func(*bench) {}, record.Rig, "display: nothing was shown even after a restart"},
		{"not idle after a restart", func(b *bench) {
			b.supply.onOn = func() error { b.glass.showAfter(time.Second, "STARTING"); return nil }
		}, record.Terminal, "the terminal does not come back to idle after a restart"},
		{"the display's line ends in the restart", func(b *bench) {
			b.supply.onOn = func() error {
				time.AfterFunc(time.Second, func() {
					b.glass.show("STARTING")
					time.AfterFunc(time.Second, func() { close(b.glass.screens) })
				})
				return nil
			}
		}, record.Rig, "display: read: line lost"},
		{"the finger misses", booting, record.Rig, "keypad: the key 1 was pressed on the restarted terminal and nothing changed"},
		{"the finger fails", func(b *bench) {
			booting(b)
			b.finger.onPress = func(string) error { return rigs.Fault("keypad", "press", dead) }
		}, record.Rig, "keypad: press: nobody there"},
		{"the terminal had hung", func(b *bench) { booting(b); echoing(b) }, record.Terminal, "after a restart finger and display work: the terminal had hung"},
		{"the terminal had hung with a card that it knew", func(b *bench) {
			booting(b)
			echoing(b)
			b.slot.events <- rigs.CardEvent{At: time.Now(), Kind: "reset"}
			b.session.setSlot(true)
		}, record.Terminal, "the terminal had hung"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBench(t, func(t *testing.T, b *bench) {
				c.arrange(b)
				synctest.Wait()
				cause, why := b.run.whose(t.Context())
				if cause != c.cause || !strings.Contains(why, c.why) {
					t.Errorf("%s: %s\nwant %s: %s", cause, why, c.cause, c.why)
				}
			})
		})
	}
}

// TestCheapQuestionsFirst: a restart costs the terminal what it was doing, so it is the last resort.
func TestCheapQuestionsFirst(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.glass.show("ENTER PIN")
		synctest.Wait()
		b.run.whose(t.Context())
		if len(b.supply.switched) != 0 || len(b.finger.pressed) != 0 {
			t.Errorf("%v, %v: nothing needed to be done", b.supply.switched, b.finger.pressed)
		}
	})
}

func TestRestartProbeLeavesTheTerminalOnAndTheKeyUndone(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		booting(b)
		echoing(b)
		b.run.whose(t.Context())
		if !slices.Equal(b.supply.switched, []string{"off", "on"}) || !slices.Equal(b.finger.pressed, []string{probeKey, undoKey}) {
			t.Errorf("%v, %v", b.supply.switched, b.finger.pressed)
		}
		<-time.After(time.Second) // the echo of the last key
	})
}

// TestRestartProbeTriesTheKeyInDoubt: one key may miss where the others hit.
func TestRestartProbeTriesTheKeyInDoubt(t *testing.T) {
	for _, c := range []struct {
		name    string
		key     string // pressed before something did not come
		secret  bool
		dead    string // does nothing
		pressed []string
		cause   record.Cause
		why     string
	}{
		{"it works", "5", false, "", []string{"5", probeKey, "5", undoKey}, record.Terminal, "the terminal had hung"},
		{"it misses", "5", false, "5", []string{"5", probeKey, "5"}, record.Rig, "keypad: the key 5 was pressed on the restarted terminal and nothing changed"},
		{"ENTER misses", "ENTER", false, "ENTER", []string{"ENTER", probeKey, "ENTER"}, record.Rig, "keypad: the key ENTER"},
		{"another one misses", "5", false, probeKey, []string{"5", probeKey}, record.Rig, "keypad: the key " + probeKey},
		{"it is the probe's own", probeKey, false, "", []string{probeKey, probeKey, probeKey, undoKey}, record.Terminal, "the terminal had hung"},
		{"an amount need not react to it", "CANCEL", false, "CANCEL", []string{"CANCEL", probeKey, undoKey}, record.Terminal, "the terminal had hung"},
		{"nor to a leading zero", "0", false, "0", []string{"0", probeKey, undoKey}, record.Terminal, "the terminal had hung"},
		{"a key of a PIN is not told", "5", true, "5", []string{"5", probeKey, undoKey}, record.Terminal, "the terminal had hung"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBench(t, func(t *testing.T, b *bench) {
				booting(b)
				if err := b.run.press(t.Context(), c.key, c.secret); err != nil {
					t.Fatal(err)
				}
				b.finger.onPress = func(key string) error {
					if key != c.dead {
						b.glass.showAfter(50*time.Millisecond, "ENTER AMOUNT", "0.0"+key)
					}
					return nil
				}
				cause, why := b.run.restartProbe(t.Context())
				if cause != c.cause || !strings.Contains(why, c.why) {
					t.Errorf("%s: %s\nwant %s: %s", cause, why, c.cause, c.why)
				}
				if !slices.Equal(b.finger.pressed, c.pressed) {
					t.Errorf("pressed %v, want %v", b.finger.pressed, c.pressed)
				}
				<-time.After(time.Second) // the echo of the last key
			})
		})
	}
}

// TestRestartProbeSwitchesOnAgain also when switching off failed: halted means on.
func TestRestartProbeSwitchesOnAgain(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.supply.onOff = func() error { return rigs.Fault("power", "off", rigs.ErrNoAnswer) }
		b.run.whose(t.Context())
		if !slices.Equal(b.supply.switched, []string{"off", "on"}) {
			t.Errorf("%v", b.supply.switched)
		}
	})
}

func TestProbeIsBounded(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.glass.probe = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		begun := time.Now()
		b.run.whose(t.Context())
		if took := time.Since(begun); took != probeLimit {
			t.Errorf("%v, want %v", took, probeLimit)
		}
	})
}

func TestMissing(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.glass.show("ENTER PIN")
		synctest.Wait()
		stop := blames(t, b.run.missing(t.Context(), "the prompt approved"), record.Terminal)
		if want := `the prompt approved did not come; the terminal shows "ENTER PIN"`; stop.Error() != want {
			t.Errorf("%s\nwant %s", stop, want)
		}
		b.finger.probe = func(context.Context) error { return rigs.ErrNoAnswer }
		stop = blames(t, b.run.missing(t.Context(), "the prompt approved"), record.Rig)
		if want := "the prompt approved did not come, and that may not be the terminal's fault: keypad: probe: no answer"; stop.Error() != want {
			t.Errorf("%s\nwant %s", stop, want)
		}
		notes := b.events(t, "harness", "probe")
		if len(notes) != 2 || notes[0]["cause"] != "terminal" || notes[1]["cause"] != "rig" {
			t.Errorf("noted: %v", notes)
		}
	})
}

func TestMissingAfterAnInterruptBlamesNobody(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := b.run.missing(ctx, "the prompt approved")
		if !errors.Is(err, context.Canceled) || errors.As(err, new(*Stop)) {
			t.Errorf("%v", err)
		}
	})
}
