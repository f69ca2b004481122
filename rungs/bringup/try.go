package bringup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-hil/assay/rigs"
)

const (
	// touches is how often the finger presses to measure the rig's latencies.
	touches = 5
	// harmless is the key of a corner that changes nothing on an idle terminal; digit brings a screen up,
	// which harmless takes back.
	harmless = "CANCEL"
	digit    = "1"
	// reaction is how long the screen may take after a press.
	reaction = 5 * time.Second
	// offTime is how long the terminal stays without power: its capacitors must run empty.
	offTime = 2 * time.Second
	// bootMargin is allowed on top of the terminal's boot time.
	bootMargin = 15 * time.Second
)

// errUnchanged is the finding of a press that the screen does not show.
var errUnchanged = errors.New("the key was pressed and the screen did not change: the finger misses, the terminal is not idle, or the display line is silent")

// robot is a keypad whose controller says what it is, and what is not set as it should be.
type robot interface {
	Identity() string
	Warnings() []string
}

// finger homes the keypad, touches a corner, and measures.
func (c *check) finger(ctx context.Context, d rigs.Instrument) {
	c.keypad = d.(rigs.Keypad)
	if machine, ok := d.(robot); ok {
		c.add(Finding{Subject: "keypad", Step: "identify", Status: OK, Detail: machine.Identity()})
		for _, advice := range machine.Warnings() {
			c.add(Finding{Subject: "keypad", Step: "settings", Status: Warn, Detail: advice})
		}
	}
	at := time.Now()
	if !c.find("keypad", "home", at, "", c.keypad.Home(ctx)) {
		return
	}
	at = time.Now()
	p, err := c.keypad.Press(ctx, harmless)
	if !c.find("keypad", "touch "+harmless, at, "", err) {
		return
	}
	c.press.add(p.End.Sub(p.Begin))
	if c.display == nil {
		c.measureBlind(ctx)
		return
	}
	c.measure(ctx)
}

// measureBlind presses without anybody seeing what the terminal does.
func (c *check) measureBlind(ctx context.Context) {
	at := time.Now()
	for range touches - 1 {
		p, err := c.keypad.Press(ctx, harmless)
		if err != nil {
			c.find("keypad", "repeat", at, "", err)
			return
		}
		c.press.add(p.End.Sub(p.Begin))
	}
	l, _ := c.press.summary() // there is at least one
	c.find("keypad", "repeat", at, fmt.Sprintf("%d presses, %v each, varying by %v", l.Count, round(l.Median), round(l.Spread)), nil)
}

// settle waits until the terminal is idle: a screen that changes by itself is no reaction. A terminal that
// shows nothing new is taken as it is.
func (c *check) settle(ctx context.Context) {
	f := c.lab.File
	c.display.until(ctx, reaction, func(s rigs.Screen) bool {
		return slices.Contains(f.Terminal.Recognise(s.Lines, cmp.Or(f.Lang, f.Terminal.Languages[0])), "idle")
	})
}

// measure presses a digit and takes it back, and looks how long the screen takes. The first time does not
// count: the terminal may have been anywhere.
func (c *check) measure(ctx context.Context) {
	c.settle(ctx) // it may still be starting, or show what the touch cancelled: then it takes no digit
	at := time.Now()
	for i := range touches + 1 {
		for _, key := range []string{digit, harmless} {
			p, err := c.keypad.Press(ctx, key)
			if err != nil {
				c.find("keypad", "press "+key, at, "", err)
				return
			}
			c.press.add(p.End.Sub(p.Begin))
			s, ok := c.display.after(ctx, p.Begin, reaction)
			if !ok {
				c.add(Finding{Subject: "display", Step: "alive", Status: Failed, Detail: fmt.Sprintf("key %s: %v", key, errUnchanged),
					Fix: "look where the finger touches (`assay rigs press`), what the line brings (`assay rigs show`), and bring the terminal to its idle screen"})
				return
			}
			if key == digit && i > 0 { // the reaction to a cancel differs from screen to screen
				c.screen.add(s.At.Sub(p.Begin))
			}
		}
		c.settle(ctx)
	}
	press, _ := c.press.summary() // both have values now
	screen, _ := c.screen.summary()
	c.find("keypad", "repeat", at, fmt.Sprintf("%d presses, %v each, varying by %v", press.Count, round(press.Median), round(press.Spread)), nil)
	c.find("display", "alive", at, fmt.Sprintf("the screen follows a press after %v, varying by %v", round(screen.Median), round(screen.Spread)), nil)
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// supply proves that the power can be switched, if the rig file allows that; if not, it only puts it on.
func (c *check) supply(ctx context.Context, d rigs.Instrument) {
	power := d.(rigs.Power)
	at := time.Now()
	if !c.find("power", "on", at, "the terminal has its supply", power.On(ctx)) {
		return
	}
	if !c.lab.File.Instruments.Power.Check {
		c.add(Finding{Subject: "power", Step: "off and on", Status: Skipped, Detail: "not allowed by the rig file; allow it with `check: true` under power"})
		return
	}
	at = time.Now()
	if !c.find("power", "off", at, "", power.Off(ctx)) {
		return
	}
	select {
	case <-time.After(offTime):
	case <-ctx.Done():
	}
	at = time.Now()
	if !c.find("power", "on again", at, "", power.On(ctx)) || c.display == nil {
		return
	}
	if _, ok := c.display.after(ctx, at, c.lab.File.Terminal.Timers.Boot+bootMargin); !ok {
		c.find("power", "restart", at, "", errors.New("the terminal shows nothing after it was switched on again: the relay switches another thing, or the display line is silent"))
		return
	}
	c.find("power", "restart", at, "the terminal shows its first screen", nil)
}

// card asks the emulator for its state, and shows a card in the field where it has one.
func (c *check) card(ctx context.Context, d rigs.Instrument) {
	emulator := d.(rigs.CardEmulator)
	at := time.Now()
	if !c.find("card", "alive", at, "", emulator.Probe(ctx)) {
		return
	}
	able, ok := d.(interface{ Capabilities() []string })
	if !ok || !slices.Contains(able.Capabilities(), "field") {
		return
	}
	at = time.Now()
	err := emulator.Tap(ctx, blank{}, []byte{0x08, 0x12, 0x34, 0x56}, []byte{0x05, 0x78, 0x80, 0x70, 0x02})
	err = errors.Join(err, emulator.Leave(ctx))
	c.find("card", "field", at, "a blank card went into the field and out again", err)
}

// blank is a card without applications.
type blank struct{}

func (blank) ATR() []byte            { return nil }
func (blank) Reset()                 {}
func (blank) Transmit([]byte) []byte { return []byte{0x6A, 0x82} } // file not found, ISO/IEC 7816-4

// advice is what a robot's controller has set otherwise than a finger over a terminal needs.
func advice(d rigs.Instrument) []string {
	if machine, ok := d.(robot); ok {
		return machine.Warnings()
	}
	return nil
}
