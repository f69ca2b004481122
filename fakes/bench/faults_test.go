package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// probes tell whether the part that a fault is about works. Each must pass on a sound bench and
// fail on one with that fault.
func probes() map[string]func(w *world) error {
	return map[string]func(w *world) error{
		"card-drops-lines":     emulatorAnswers(8, time.Second),
		"card-garbles-lines":   emulatorAnswers(8, time.Second),
		"card-holds":           emulatorLetsGo,
		"card-silent":          emulatorAnswers(1, time.Second),
		"card-silent-mid-run":  emulatorAnswers(deathRequest+1, time.Second),
		"card-stale":           emulatorPassesOn,
		"display-dark":         displayTells,
		"display-garbled":      displayTells,
		"keypad-alarm":         robotObeys,
		"keypad-dead":          robotGreets,
		"keypad-dead-mid-run":  robotObeys,
		"keypad-misses":        keysClose,
		"printer-out-of-paper": printerPrints,
		"relay-dead":           boardAnswers,
		"relay-stuck":          supplyCuts,
	}
}

func TestFaults(t *testing.T) {
	known := probes()
	if len(known) != len(Faults()) || !slices.IsSorted(Faults()) {
		t.Errorf("%d probes for %q", len(known), Faults())
	}
	for _, name := range Faults() {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				if err := known[name](w); err != nil {
					t.Errorf("on a sound bench: %v", err)
				}
			})
			inWorld(t, []string{name}, func(w *world) {
				if err := known[name](w); err == nil {
					t.Error("the fault can't be seen")
				}
			})
		})
	}
}

// emulatorAnswers asks n times for the state; lines are from an independent CRC calculator.
func emulatorAnswers(n int, limit time.Duration) func(*world) error {
	return func(w *world) error {
		for i := range n {
			body := fmt.Sprintf(">%02X STATE", i)
			w.write(w.ports.Card, fmt.Sprintf("%s*%04X\n", body, ccitt(body)))
			reply := fmt.Sprintf("<%02X OK empty away", i)
			if got := next(w.card, limit); got != fmt.Sprintf("%s*%04X", reply, ccitt(reply)) {
				return fmt.Errorf("request %d: %q", i, got)
			}
		}
		return nil
	}
}

// request sends one to the emulator and gives its reply without number and checksum; events are left out.
func request(w *world, number int, text string) string {
	body := fmt.Sprintf(">%02X %s", number, text)
	w.write(w.ports.Card, fmt.Sprintf("%s*%04X\n", body, ccitt(body)))
	for {
		line := next(w.card, time.Second)
		if line == "" {
			return ""
		}
		if reply, ok := strings.CutPrefix(line, fmt.Sprintf("<%02X ", number)); ok {
			return reply[:len(reply)-len("*0000")]
		}
	}
}

// emulatorLetsGo puts a mute card in and out.
func emulatorLetsGo(w *world) error {
	for n, text := range []string{"INSERT -", "REMOVE"} {
		if got := request(w, n, text); got != "OK" {
			return fmt.Errorf("%s: %q", text, got)
		}
	}
	if got := request(w, 2, "STATE"); got != "OK empty away" {
		return fmt.Errorf("after REMOVE: %q", got)
	}
	return nil
}

// emulatorPassesOn answers one command of the terminal's.
func emulatorPassesOn(w *world) error {
	if got := request(w, 0, "INSERT 3B00"); got != "OK" {
		return fmt.Errorf("INSERT: %q", got)
	}
	if _, err := w.bench.slot.PowerOn(w.t.Context()); err != nil {
		return err
	}
	w.write(w.ports.Card, fmt.Sprintf("=00 ACK*%04X\n", ccitt("=00 ACK")))
	answered := make(chan error, 1)
	go func() {
		_, err := w.bench.slot.Transmit(w.t.Context(), []byte{0x00, 0xB0, 0x00, 0x00, 0x00})
		answered <- err
	}()
	for event := ""; !strings.Contains(event, "CAPDU"); {
		if event = next(w.card, time.Second); event == "" {
			return fmt.Errorf("no command came")
		}
	}
	request(w, 1, "RAPDU 01 9000")
	return <-answered
}

// ccitt is CRC-16/CCITT-FALSE by long division, bit by bit.
func ccitt(text string) uint16 {
	remainder := uint32(0xFFFF)
	for _, c := range []byte(text) {
		for bit := 7; bit >= 0; bit-- {
			top := remainder>>15&1 ^ uint32(c)>>bit&1
			remainder = remainder << 1 & 0xFFFF
			if top == 1 {
				remainder ^= 0x1021
			}
		}
	}
	return uint16(remainder)
}

// displayTells reads the screens of a boot.
func displayTells(w *world) error {
	screens := 0
	for {
		line := next(w.display, time.Minute)
		switch s := w.profile.Screen; {
		case line == "" && screens >= 2:
			return nil
		case line == "":
			return fmt.Errorf("only %d screens", screens)
		case s.Begin.MatchString(line), s.Row.MatchString(line), slices.Contains([]string{"[SYS]", "[NET]", "[APP]", "[SIG]"}, strings.SplitN(line, " ", 2)[0]):
		case s.End.MatchString(line):
			screens++
		default:
			return fmt.Errorf("strange line %q", line)
		}
	}
}

func robotGreets(w *world) error {
	for range 3 {
		if strings.HasPrefix(next(w.keypad, time.Second), "Grbl 1.1") {
			return nil
		}
	}
	return fmt.Errorf("no banner")
}

func robotObeys(w *world) error {
	w.home()
	for n := range deathPlunge + 2 {
		if !w.press("5") {
			return fmt.Errorf("press %d failed", n+1)
		}
	}
	return nil
}

func keysClose(w *world) error {
	w.screen("WELCOME")
	w.home()
	if !w.press("5") {
		return fmt.Errorf("the robot refused")
	}
	if !w.sees("0.05", time.Minute) {
		return fmt.Errorf("the key did not reach the terminal")
	}
	return nil
}

func printerPrints(w *world) error {
	go func() {
		if _, err := io.ReadFull(w.ports.Printer, make([]byte, 3)); err == nil {
			_, _ = w.ports.Printer.Write([]byte{0x12})
		}
	}()
	_, err := w.bench.paper.Attach(w.t.Context()).Write([]byte("x"))
	return err
}

func boardAnswers(w *world) error {
	if got := w.relay("ver"); got == "" {
		return fmt.Errorf("no version")
	}
	return nil
}

func supplyCuts(w *world) error {
	w.screen("WELCOME")
	w.home()
	w.relay("relay off 0")
	if got := w.relay("relay read 0"); got != "off" {
		if w.press("1"); !w.sees("0.01", time.Minute) {
			w.t.Error("contacts closed, but the terminal has no power")
		}
		return fmt.Errorf("contact is %q", got)
	}
	w.dark()
	return nil
}
