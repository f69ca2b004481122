package harness

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// TestFirmwareIsReadFromTheAboutScreen: a terminal that was on before the session began has told its firmware to nobody.
func TestFirmwareIsReadFromTheAboutScreen(t *testing.T) {
	for name, c := range map[string]struct {
		boots   bool              // the session sees it boot
		screens map[string]string // what a key brings up
		want    string
		pressed []string
		stopped record.Cause
	}{
		"was on before":       {false, map[string]string{"FUNC": "MENU", "0": "ABOUT", "CANCEL": "WELCOME"}, "3.1.4", []string{"FUNC", "0", "CANCEL"}, ""},
		"was seen booting":    {true, nil, "2.0.0", nil, ""},
		"has no such screen":  {false, map[string]string{"FUNC": "MENU", "1": "ENTER AMOUNT", "CANCEL": "WELCOME"}, "", nil, ""},
		"its keypad is stuck": {false, nil, "", nil, record.Rig},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, func(t *testing.T, b *bench) {
				if c.boots {
					b.glass.show("STARTING", "FW 2.0.0")
					b.glass.show("WELCOME")
					synctest.Wait()
				}
				b.finger.onPress = func(key string) error {
					lines := []string{c.screens[key]}
					if lines[0] == "ABOUT" {
						lines = append(lines, "FW 3.1.4")
					}
					if lines[0] != "" {
						b.glass.showAfter(time.Millisecond, lines...)
					}
					return nil
				}
				b.supply.onOn = func() error { b.glass.show("WELCOME"); return nil } // where nothing comes, a restart tells why
				if c.stopped != "" {
					b.finger.probe = func(ctx context.Context) error { return errors.New("no answer") }
				}
				err := b.run.about(t.Context())
				if c.stopped != "" {
					blames(t, err, c.stopped)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if b.session.firmware != c.want || c.want != "" && !slices.Equal(b.finger.pressed, c.pressed) {
					t.Errorf("firmware %q after %q", b.session.firmware, b.finger.pressed)
				}
				before := len(b.finger.pressed)
				if err := b.run.about(t.Context()); err != nil || len(b.finger.pressed) > before {
					t.Errorf("asked twice: %v, %q", err, b.finger.pressed)
				}
				if v := b.session.look(); len(v.shown) > 0 && !c.boots {
					t.Errorf("the scenario sees what was shown for this: %v", v.shown)
				}
			})
		})
	}
}
