package bench

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/memnet"
)

// hostAddress is where the tests' host listens, if it does.
const hostAddress = "host:8583"

// world is a bench and the scripted other ends of its lines.
type world struct {
	t       *testing.T
	bench   *Bench
	profile *terminals.Profile
	ports   Ports // the other ends
	network *memnet.Network
	// What came from the instruments, line by line.
	keypad, card, display chan string
	power                 chan string // whole answers, up to the prompt
}

// inWorld runs f in virtual time, around a bench with these faults. Nobody listens at
// hostAddress, unless f does.
func inWorld(t *testing.T, faults []string, f func(w *world)) {
	t.Helper()
	profile, err := terminals.Load("countertop")
	if err != nil {
		t.Fatal(err)
	}
	host, err := hosts.Load("iso87-ascii") // whose keys are fixed: a terminal without a host gets as far as the card
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, profile: profile, network: memnet.New()}
		w.bench, err = Start(t.Context(), Config{
			Profile: profile, Lang: "en", Host: host, Faults: faults, Origin: [3]float64{20, 20, 0}, Trace: 1, // a used one, else it wants a sign-on first
			Ports: w.pipes(), Dial: func(ctx context.Context, _ string) (net.Conn, error) {
				return w.network.Dial(ctx, hostAddress)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.keypad = lines(w.ports.Keypad, '\n')
		w.card = lines(w.ports.Card, '\n')
		w.display = lines(w.ports.Display, '\n')
		w.power = lines(w.ports.Power, '>')
		f(w)
		if err := w.bench.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		w.ports.close()
	})
}

// pipes makes the lines; the far ends are kept.
func (w *world) pipes() Ports {
	pipe := func() (near, far *memnet.Conn) { return memnet.Pipe() }
	var near Ports
	near.Keypad, w.ports.Keypad = pipe()
	near.Card, w.ports.Card = pipe()
	near.Display, w.ports.Display = pipe()
	near.Power, w.ports.Power = pipe()
	near.Printer, w.ports.Printer = pipe()
	return near
}

// lines reads a port until it ends, and leaves out empty lines.
func lines(port interface{ Read([]byte) (int, error) }, end byte) chan string {
	out := make(chan string, 10_000)
	go func() {
		defer close(out)
		r := bufio.NewReader(port)
		for {
			text, err := r.ReadString(end)
			if err != nil {
				return
			}
			if text = strings.TrimRight(text, "\r\n"); text != "" {
				out <- text
			}
		}
	}()
	return out
}

// next takes one line; "" when none comes within limit.
func next(from chan string, limit time.Duration) string {
	select {
	case text := <-from:
		return text
	case <-time.After(limit):
		return ""
	}
}

func (w *world) write(port interface{ Write([]byte) (int, error) }, text string) {
	w.t.Helper()
	if _, err := port.Write([]byte(text)); err != nil {
		w.t.Fatal(err)
	}
}

// screen waits for a row that holds the text.
func (w *world) screen(text string) {
	w.t.Helper()
	if !w.sees(text, 5*time.Minute) {
		w.t.Fatalf("screen %q did not come", text)
	}
}

func (w *world) sees(text string, limit time.Duration) bool {
	for late := time.Now().Add(limit); time.Now().Before(late); {
		if strings.Contains(next(w.display, time.Until(late)), text) {
			return true
		}
	}
	return false
}

// dark says that nothing comes over the debug line for a minute.
func (w *world) dark() {
	w.t.Helper()
	// What was sent before this moment is on its way: let it all arrive, then throw it away.
	for synctest.Wait(); len(w.display) > 0; synctest.Wait() {
		<-w.display
	}
	if got := next(w.display, time.Minute); got != "" {
		w.t.Fatalf("the terminal without supply says %q", got)
	}
}

// relay gives a command to the board and returns its answer without the prompt.
func (w *world) relay(command string) string {
	w.t.Helper()
	w.write(w.ports.Power, command+"\r")
	answer := next(w.power, time.Minute)
	return strings.Trim(strings.TrimPrefix(strings.TrimSuffix(answer, ">"), command), "\r\n")
}

// grbl gives a line to the robot and returns its answer: "ok", "error:…", "ALARM:…", or "".
func (w *world) grbl(line string) string {
	w.t.Helper()
	w.write(w.ports.Keypad, line+"\n")
	for {
		answer := next(w.keypad, time.Minute)
		if answer == "" || answer == "ok" || strings.HasPrefix(answer, "error:") || strings.HasPrefix(answer, "ALARM:") {
			return answer
		}
	}
}

// home makes the robot ready for press.
func (w *world) home() {
	w.t.Helper()
	if got := w.grbl("$H"); got != "ok" {
		w.t.Fatalf("$H: %q", got)
	}
}

// press presses keys, and waits until each is done; false when the robot did not say ok.
func (w *world) press(keys ...string) bool {
	w.t.Helper()
	for _, name := range keys {
		key := w.profile.Keypad.Keys[name]
		x, y := key.X+w.bench.cfg.Origin[0], key.Y+w.bench.cfg.Origin[1]
		for _, line := range []string{
			"G90 G21", fmt.Sprintf("G53 G0 Z%g", w.profile.Keypad.Safe),
			fmt.Sprintf("G53 G0 X%g Y%g", x, y),
			fmt.Sprintf("G53 G1 Z%g F2000", w.profile.Keypad.Surface-w.profile.Keypad.Travel-0.5),
			"G4 P0.05", fmt.Sprintf("G53 G0 Z%g", w.profile.Keypad.Safe), "G4 P0.001",
		} {
			if got := w.grbl(line); got != "ok" {
				return false
			}
		}
	}
	return true
}
