package marlin

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
)

// host is the other end of the robot's line.
type host struct {
	t        *testing.T
	conn     net.Conn
	lines    chan string
	number   int
	mu       sync.Mutex
	contacts []string
}

// touched is what the finger did, as "+1 -1".
func (h *host) touched() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.contacts, " ")
}

// power starts a robot in the bubble, passes over its greeting, and ends it with the test.
func power(t *testing.T, cfg Config) *host {
	t.Helper()
	cfg.Keypad = terminals.Keypad{Keys: map[string]terminals.Key{"1": {X: 10, Y: 50}}, Surface: 10, Travel: 2, Safe: 20, Radius: 5}
	cfg.Origin = vector{20, 20, 5}
	ours, theirs := net.Pipe()
	h := &host{t: t, conn: ours, lines: make(chan string, 4096)}
	r := New(theirs, cfg, func(key string, down bool, _ time.Time) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.contacts = append(h.contacts, map[bool]string{true: "+", false: "-"}[down]+key)
	})
	done := make(chan error, 1)
	go func() { done <- r.Run(context.Background()) }()
	go func() {
		for s := bufio.NewScanner(ours); s.Scan(); {
			h.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		ours.Close()
	})
	if cfg.Faults.Dead {
		return h
	}
	for range 6 {
		h.read()
	}
	return h
}

func (h *host) read() string {
	h.t.Helper()
	select {
	case text := <-h.lines:
		return text
	case <-time.After(10 * time.Minute):
		h.t.Fatal("no answer")
	}
	return ""
}

func (h *host) send(text string) {
	h.t.Helper()
	if _, err := h.conn.Write([]byte(text)); err != nil {
		h.t.Fatal(err)
	}
}

// do sends lines with number and checksum and wants ok for each; busy messages may come first.
func (h *host) do(lines ...string) {
	h.t.Helper()
	for _, text := range lines {
		h.number++
		body := fmt.Sprintf("N%d %s", h.number, text)
		h.send(fmt.Sprintf("%s*%d\n", body, checksum(body)))
		for {
			got := h.read()
			if got == "ok" {
				break
			}
			if !strings.HasPrefix(got, "echo:busy: processing") && !strings.HasPrefix(got, "X:") {
				h.t.Fatalf("%s: got %q", text, got)
			}
		}
	}
}

func (h *host) expect(want ...string) {
	h.t.Helper()
	for _, w := range want {
		if got := h.read(); got != w {
			h.t.Fatalf("got %q, want %q", got, w)
		}
	}
}

func (h *host) silent(d time.Duration) {
	h.t.Helper()
	select {
	case text := <-h.lines:
		h.t.Fatalf("got %q, want silence", text)
	case <-time.After(d):
	}
}

func bubble(t *testing.T, name string, cfg Config, f func(t *testing.T, h *host)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { f(t, power(t, cfg)) })
	})
}

func TestProtocol(t *testing.T) {
	bubble(t, "garbled and lost lines are asked for again", Config{}, func(t *testing.T, h *host) {
		h.do("G21")
		h.send("N2 M400*1\n")
		h.expect("Error:checksum mismatch, Last Line: 1", "Resend: 2")
		h.send("N5 M400*36\n")
		h.expect("Error:Line Number is not Last Line Number+1, Last Line: 1", "Resend: 2")
		h.send("N2 M400\n")
		h.expect("Error:No Checksum with line number, Last Line: 1", "Resend: 2")
		h.do("M400")
	})
	bubble(t, "an ok behind Resend", Config{Faults: Faults{ExtraOK: true}}, func(t *testing.T, h *host) {
		h.send("N1 M400*1\n")
		h.expect("Error:checksum mismatch, Last Line: 0", "Resend: 1", "ok")
	})
	bubble(t, "unknown command", Config{}, func(t *testing.T, h *host) {
		h.send("G99\n")
		h.expect(`echo:Unknown command: "G99"`, "ok")
	})
	bubble(t, "no movement before homing", Config{}, func(t *testing.T, h *host) {
		h.send("G0 X5\n")
		h.expect("echo:Home XYZ First", "ok")
	})
	bubble(t, "busy while it homes", Config{}, func(t *testing.T, h *host) {
		h.send("G28\n")
		h.expect("echo:busy: processing", "echo:busy: processing")
	})
	bubble(t, "the receive buffer overflows silently", Config{}, func(t *testing.T, h *host) {
		h.send("G4 P1000\n")
		<-time.After(100 * time.Millisecond)
		h.send(strings.Repeat("G4 P1 ; a comment to fill it\n", 12))
		<-time.After(time.Minute)
		if n := len(h.lines); n < 2 || n > 10 {
			t.Errorf("%d answers to 13 lines", n)
		}
	})
	bubble(t, "dead", Config{Faults: Faults{Dead: true}}, func(t *testing.T, h *host) {
		h.send("M115\n")
		h.silent(time.Hour)
	})
	bubble(t, "homing fails", Config{Faults: Faults{NoSwitch: true}}, func(t *testing.T, h *host) {
		h.send("G28\n")
		for got := h.read(); got != "Error:Homing Failed"; got = h.read() {
			if got != "echo:busy: processing" {
				t.Fatalf("got %q", got)
			}
		}
		h.expect("Error:Printer halted. kill() called!")
		h.send("M115\n")
		h.silent(time.Hour)
	})
}

func TestMovement(t *testing.T) {
	over := []string{"G28", "G0 Z40 F1200", "G0 X30 Y70 F6000", "M400"}
	bubble(t, "a press", Config{}, func(t *testing.T, h *host) {
		h.do(over...)
		h.do("G1 Z12.8 F600", "G4 P50", "G0 Z40 F1200", "M400")
		if got := h.touched(); got != "+1 -1" {
			t.Errorf("touched %q", got)
		}
	})
	bubble(t, "beside the key", Config{}, func(t *testing.T, h *host) {
		h.do("G28", "G0 X60 Y70 F6000", "G1 Z12 F600", "G0 Z40 F1200", "M400")
		if got := h.touched(); got != "" {
			t.Errorf("touched %q", got)
		}
	})
	bubble(t, "targets are clipped", Config{}, func(t *testing.T, h *host) {
		h.do("G28", "G0 X900 F6000", "M400")
		h.send("M114\n")
		h.expect("X:200.00 Y:0.00 Z:120.00 E:0.00 Count X:16000 Y:0 Z:48000", "ok")
	})
	bubble(t, "motors let go", Config{}, func(t *testing.T, h *host) {
		h.do(over...)
		<-time.After(3 * time.Minute)
		if got := h.touched(); got != "+1" {
			t.Errorf("touched %q", got)
		}
		h.send("G0 X5\n")
		h.expect("echo:Home XYZ First", "ok")
	})
	bubble(t, "motors stay on", Config{}, func(t *testing.T, h *host) {
		h.do("M84 S0")
		h.do(over...)
		<-time.After(time.Hour)
		if got := h.touched(); got != "" {
			t.Errorf("touched %q", got)
		}
	})
	bubble(t, "M410 acts at once", Config{}, func(t *testing.T, h *host) {
		h.do(over...)
		h.do("G1 Z30 F10")
		h.send("M400\n")
		<-time.After(time.Second)
		start := time.Now()
		h.send("M410\n")
		h.expect("ok", "ok")
		if took := time.Since(start); took > time.Second {
			t.Errorf("stopped after %v", took)
		}
	})
}

// The place at a time is the inverse of the time at a place.
func TestMoveIsConsistent(t *testing.T) {
	v := newMove(vector{0, 0, 40}, vector{0, 0, 10}, 25, Realistic())
	v.begin(time.Unix(0, 0))
	for u := 0.0; u <= 1; u += 0.1 {
		if got := v.at(v.when(u))[2]; got < 40-30*u-0.001 || got > 40-30*u+0.001 {
			t.Errorf("share %.1f: %v", u, got)
		}
	}
}
