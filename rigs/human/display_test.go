package human_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/human"
)

// reader sits in front of a terminal without a debug line.
func reader(t *testing.T, patience time.Duration) (d *human.Display, typed func(string), seen *screen) {
	t.Helper()
	in, keyboard := io.Pipe()
	seen = &screen{}
	console := human.NewConsole(in, seen)
	d, err := human.NewDisplay(human.DisplayConfig{Answer: console.Answer, Patience: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(d.Close(), console.Close(), keyboard.Close()); err != nil {
			t.Error(err)
		}
	})
	return d, func(text string) {
		if _, err := io.WriteString(keyboard, text); err != nil {
			t.Errorf("typing %q: %v", text, err)
		}
	}, seen
}

func TestAPersonReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, typed, seen := reader(t, 0)
		go func() { <-time.After(3 * time.Second); typed(" APPROVED / 12.50 > 请取卡\n") }()
		if err := d.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, want := range [][]string{{"APPROVED", "12.50"}, {"请取卡"}} {
			if s := <-d.Screens(); !slices.Equal(s.Lines, want) || s.Early != 3*time.Second || time.Since(s.At) != 0 {
				t.Errorf("%+v, want %q", s, want)
			}
		}
		go func() { <-time.After(time.Second); typed("\n"); <-time.After(time.Second); typed("WELCOME\n") }()
		if err := errors.Join(d.Look(t.Context()), d.Look(t.Context())); err != nil {
			t.Fatal(err)
		}
		// Nothing new was seen a second ago: the screen came after that.
		if s := <-d.Screens(); s.Lines[0] != "WELCOME" || s.Early != time.Second || len(d.Screens()) > 0 {
			t.Errorf("%+v", s)
		}
		if n := strings.Count(seen.String(), ">> what does the terminal show?"); n != 3 {
			t.Errorf("asked %d times: %s", n, seen.String())
		}
		if err := errors.Join(d.Probe(t.Context()), d.Halt(t.Context()), d.Err()); err != nil || d.Name() != "display" || d.Patience() != human.DefaultPatience {
			t.Error(err)
		}
	})
}

func TestAPersonDoesNotRead(t *testing.T) {
	for name, c := range map[string]struct {
		does func(d *human.Display, typed func(string), cancel context.CancelFunc)
		is   error
	}{
		"is not there":   {func(*human.Display, func(string), context.CancelFunc) {}, rigs.ErrNoAnswer},
		"is interrupted": {func(_ *human.Display, _ func(string), cancel context.CancelFunc) { cancel() }, context.Canceled},
		"is sent home":   {func(d *human.Display, _ func(string), _ context.CancelFunc) { _ = d.Close() }, rigs.ErrClosed},
		"tells a novel": {func(_ *human.Display, typed func(string), _ context.CancelFunc) {
			typed(strings.Repeat("A>", 100) + "\n")
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, typed, _ := reader(t, time.Minute)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() { <-time.After(time.Second); c.does(d, typed, cancel) }()
				begun := time.Now()
				err := d.Look(ctx)
				if fault := (*rigs.Error)(nil); !errors.As(err, &fault) || fault.Instrument != "display" || c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("%v, want %v", err, c.is)
				}
				if took := time.Since(begun); took > time.Minute {
					t.Errorf("took %v", took)
				}
				if name == "is sent home" {
					if _, open := <-d.Screens(); open || !errors.Is(d.Err(), rigs.ErrClosed) || d.Probe(t.Context()) == nil {
						t.Error("open after Close")
					}
				}
			})
		})
	}
}

func TestDisplayConfig(t *testing.T) {
	answer := func(context.Context, string) (string, error) { return "", nil }
	for name, cfg := range map[string]human.DisplayConfig{
		"nobody":      {},
		"no patience": {Answer: answer, Patience: -1},
		"for ever":    {Answer: answer, Patience: human.PatienceMax + 1},
	} {
		if _, err := human.NewDisplay(cfg); !errors.As(err, new(*rigs.Error)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
