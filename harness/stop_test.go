package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rigs"
)

func TestStoppedBy(t *testing.T) {
	fault := rigs.Fault("keypad", "press", rigs.ErrNoAnswer)
	for _, c := range []struct {
		name string
		err  error
		want record.Cause
	}{
		{"what says so itself", blame(record.Issuer, "books: %w", io.EOF), record.Issuer},
		{"the terminal", blame(record.Terminal, "the prompt pin did not come"), record.Terminal},
		{"wrapped", fmt.Errorf("step 3: %w", blame(record.Config, "no card")), record.Config},
		{"an instrument", fault, record.Rig},
		{"an instrument, wrapped", fmt.Errorf("step 3: %w", fault), record.Rig},
		{"an instrument among others", errors.Join(io.EOF, fault), record.Rig},
		{"a stop because of an instrument", blame(record.Network, "heal: %w", fault), record.Network},
		{"nobody", io.EOF, record.Harness},
		{"an interrupt", context.Canceled, record.Harness},
	} {
		if got := stoppedBy(c.err); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestBlameKeepsTheReason(t *testing.T) {
	err := blame(record.Issuer, "books: %w", io.EOF)
	if err.Error() != "books: EOF" || !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
}

// TestTheFirstStopDecides unless an instrument is found dead later: it may have been dying before. Each
// stop is recorded.
func TestTheFirstStopDecides(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.run.stop("act", blame(record.Terminal, "hung"))
		b.run.stop("recover", blame(record.Issuer, "gone"))
		if stoppedBy(b.run.stopped) != record.Terminal || b.run.where != "act" {
			t.Errorf("%v in %s", b.run.stopped, b.run.where)
		}
		b.run.stop("audit", rigs.Fault("power", "off", rigs.ErrNoAnswer))
		b.run.stop("audit", blame(record.Terminal, "hung again"))
		if stoppedBy(b.run.stopped) != record.Rig || b.run.where != "audit" {
			t.Errorf("%v in %s", b.run.stopped, b.run.where)
		}
		notes := b.events(t, "harness", "stop")
		notes = []map[string]string{notes[0], notes[2]}
		if len(notes) != 2 || notes[0]["cause"] != "terminal" || notes[1]["cause"] != "rig" || notes[1]["why"] != "power: off: no answer" {
			t.Errorf("%v", notes)
		}
	})
}

func TestPrompted(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.glass.showAfter(time.Second, "ENTER PIN")
		if err := b.run.prompted(t.Context(), 2*time.Second, "card", "pin"); err != nil {
			t.Errorf("one of the two was shown: %v", err)
		}
		stop := blames(t, b.run.prompted(t.Context(), 2*time.Second, "approved", "declined"), record.Terminal)
		if !strings.Contains(stop.Error(), "the prompt approved or declined did not come") || stop.Expected {
			t.Errorf("%v, expected: %v", stop, stop.Expected)
		}
	})
}

func TestAwaitPromptsWaitsInOrder(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		begun := time.Now()
		b.glass.showAfter(time.Second, "APPROVED")
		b.glass.showAfter(3*time.Second, "SETTLEMENT DONE")
		err := b.run.awaitPrompts(t.Context(), begun, []scenarios.Expectation{{Prompt: "approved"}, {Code: "00"}, {Prompt: "settled"}})
		if err != nil || time.Since(begun) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// TestAwaitPromptsTakesNoEarlierOne: the second expectation's prompt must come after the first's.
func TestAwaitPromptsTakesNoEarlierOne(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		begun := time.Now()
		b.glass.showAfter(500*time.Millisecond, "WELCOME")
		b.glass.showAfter(time.Second, "APPROVED")
		b.glass.showAfter(2*time.Second, "WELCOME")
		err := b.run.awaitPrompts(t.Context(), begun, []scenarios.Expectation{{Prompt: "approved"}, {Prompt: "idle"}})
		if err != nil || time.Since(begun) != 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// TestAwaitPromptsWaitsForTheSamePromptAgain and does not take a redrawn screen for it.
func TestAwaitPromptsWaitsForTheSamePromptAgain(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		begun := time.Now()
		b.glass.showAfter(time.Second, "APPROVED")
		b.glass.showAfter(2*time.Second, "APPROVED", "REMOVE CARD")
		b.glass.showAfter(3*time.Second, "WELCOME")
		b.glass.showAfter(4*time.Second, "APPROVED")
		err := b.run.awaitPrompts(t.Context(), begun, []scenarios.Expectation{{Prompt: "approved"}, {Prompt: "approved"}})
		if err != nil || time.Since(begun) != 4*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// TestAwaitPromptsSaysThatItWasExpected: the judge will find the same and say more.
func TestAwaitPromptsSaysThatItWasExpected(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		booting(b)
		echoing(b)
		b.glass.show("APPROVED")
		b.glass.show("WELCOME")
		synctest.Wait()
		<-time.After(time.Second)
		err := b.run.awaitPrompts(t.Context(), time.Now(), []scenarios.Expectation{{Prompt: "approved", Within: "host-reply"}})
		if stop := blames(t, err, record.Terminal); !stop.Expected {
			t.Errorf("%v", err)
		}
	})
}

// TestSecretKeysAreNotRecorded, neither when the press works nor when it fails.
func TestSecretKeysAreNotRecorded(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		if err := b.run.press(t.Context(), "7", true); err != nil {
			t.Fatal(err)
		}
		b.finger.onPress = func(key string) error { return rigs.Fault("keypad", "press "+key, errors.New("alarm at key "+key)) }
		err := b.run.press(t.Context(), "7", true)
		if err == nil || strings.Contains(err.Error(), "7") || stoppedBy(err) != record.Rig {
			t.Errorf("%v", err)
		}
		if err := b.run.press(t.Context(), "8", false); err == nil || !strings.Contains(err.Error(), "alarm at key 8") {
			t.Errorf("what is no secret was hidden: %v", err)
		}
		presses := b.events(t, "keypad", "press")
		if len(presses) != 1 || presses[0]["key"] != "*" {
			t.Errorf("%v", presses)
		}
	})
}

func TestWrongPIN(t *testing.T) {
	for pin, want := range map[string]string{"1234": "1235", "9999": "9990", "0": "1"} {
		if got := wrongPIN(pin); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
