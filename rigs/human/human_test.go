package human_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/human"
)

func keys() terminals.Keypad {
	return terminals.Keypad{Keys: map[string]terminals.Key{"5": {}, "enter": {}}}
}

// screen is what the person sees.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// person sits at a console with a keypad; type writes what the person types.
func person(t *testing.T, patience time.Duration) (pad *human.Keypad, typed func(string), seen *screen) {
	t.Helper()
	in, keyboard := io.Pipe()
	seen = &screen{}
	console := human.NewConsole(in, seen)
	pad, err := human.NewKeypad(human.Config{Keypad: keys(), Ask: console.Ask, Patience: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(pad.Close(), console.Close(), keyboard.Close()); err != nil {
			t.Error(err)
		}
	})
	return pad, func(text string) {
		if _, err := io.WriteString(keyboard, text); err != nil {
			t.Errorf("typing %q: %v", text, err)
		}
	}, seen
}

func rigFault(t *testing.T, err error, want ...error) {
	t.Helper()
	if fault := (*rigs.Error)(nil); !errors.As(err, &fault) || fault.Instrument != "keypad" {
		t.Fatalf("not a fault of the keypad: %v", err)
	}
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("error %q does not wrap %q", err, w)
		}
	}
}

func TestAPersonPresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pad, typed, seen := person(t, 0)
		typed("\nno\n") // before anything was asked: no answer
		synctest.Wait()
		go func() { <-time.After(3 * time.Second); typed("\n") }()
		start := time.Now()
		press, err := pad.Press(t.Context(), "5")
		if err != nil {
			t.Fatal(err)
		}
		if press.Begin != start || press.End.Sub(start) != 3*time.Second {
			t.Errorf("pressed from %v to %v", press.Begin.Sub(start), press.End.Sub(start))
		}
		if got := seen.String(); strings.Count(got, ">>") != 1 || !strings.Contains(got, `"5"`) {
			t.Errorf("asked %q", got)
		}
		if err := errors.Join(pad.Home(t.Context()), pad.Probe(t.Context()), pad.Halt(t.Context())); err != nil || pad.Name() != "keypad" {
			t.Error(err)
		}
	})
}

func TestAPersonDoesNotPress(t *testing.T) {
	for name, tt := range map[string]struct {
		does  func(pad *human.Keypad, typed func(string), cancel context.CancelFunc)
		is    []error
		maybe bool
	}{
		"says no":         {func(_ *human.Keypad, typed func(string), _ context.CancelFunc) { typed("No\n") }, []error{human.ErrDeclined}, false},
		"is not there":    {func(*human.Keypad, func(string), context.CancelFunc) {}, []error{rigs.ErrNoAnswer, context.DeadlineExceeded}, true},
		"is interrupted":  {func(_ *human.Keypad, _ func(string), cancel context.CancelFunc) { cancel() }, []error{context.Canceled}, true},
		"is halted":       {func(pad *human.Keypad, _ func(string), _ context.CancelFunc) { _ = pad.Halt(context.Background()) }, []error{human.ErrHalted}, true},
		"is sent home":    {func(pad *human.Keypad, _ func(string), _ context.CancelFunc) { _ = pad.Close() }, []error{rigs.ErrClosed}, true},
		"chats and waits": {func(_ *human.Keypad, typed func(string), _ context.CancelFunc) { typed("done?") }, []error{rigs.ErrNoAnswer}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pad, typed, _ := person(t, time.Minute)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() { <-time.After(time.Second); tt.does(pad, typed, cancel) }()
				start := time.Now()
				_, err := pad.Press(ctx, "5")
				rigFault(t, err, tt.is...)
				if errors.Is(err, human.ErrMaybePressed) != tt.maybe || strings.Contains(err.Error(), "5") && tt.maybe && !strings.Contains(err.Error(), "5s") {
					t.Errorf("error %q", err)
				}
				if took := time.Since(start); took > time.Minute {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestNobodyAtTheConsole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		console := human.NewConsole(strings.NewReader(""), io.Discard)
		synctest.Wait()
		if _, err := console.Answer(t.Context(), "what is shown?"); !errors.Is(err, human.ErrNobody) {
			t.Errorf("Answer: %v", err)
		}
		if err := console.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, keyboard := io.Pipe()
		console := human.NewConsole(in, io.Discard)
		go func() { <-time.After(time.Second); _, _ = io.WriteString(keyboard, "  READY \r\n") }()
		got, err := console.Answer(t.Context(), "what is shown?")
		if err != nil || got != "READY" {
			t.Errorf("Answer = %q, %v", got, err)
		}
		if err := errors.Join(console.Close(), keyboard.Close()); err != nil {
			t.Error(err)
		}
		if _, err := console.Answer(t.Context(), "and now?"); !errors.Is(err, rigs.ErrClosed) && !errors.Is(err, human.ErrNobody) {
			t.Errorf("Answer after Close: %v", err)
		}
	})
}

func TestKeypadConfig(t *testing.T) {
	ask := func(context.Context, string) error { return nil }
	for name, cfg := range map[string]human.Config{
		"nobody":      {Keypad: keys()},
		"no keys":     {Ask: ask},
		"no patience": {Keypad: keys(), Ask: ask, Patience: -1},
		"for ever":    {Keypad: keys(), Ask: ask, Patience: human.PatienceMax + 1},
	} {
		_, err := human.NewKeypad(cfg)
		t.Run(name, func(t *testing.T) { rigFault(t, err) })
	}
	pad, err := human.NewKeypad(human.Config{Keypad: keys(), Ask: ask})
	if err != nil {
		t.Fatal(err)
	}
	_, err = pad.Press(t.Context(), "entre")
	rigFault(t, err)
	if !strings.Contains(err.Error(), `"enter"`) {
		t.Errorf("no nearest name in %q", err)
	}
}
