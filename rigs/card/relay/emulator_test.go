package relay

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// emulator is a scripted card emulator at the other end of an in-memory line. By itself it
// answers every request with OK, keeps the last reply, and repeats nothing.
type emulator struct {
	conn net.Conn
	// answer replaces the reply to a new request; nil or "" means the default.
	answer func(words []string) string
	// wire sees every line, n being its number in its direction; what it returns goes on
	// instead, "" drops it.
	wire func(out bool, n int, line string) string
	acks chan byte // numbers of the events that the host acknowledged

	mu    sync.Mutex
	acted []string // requests carried out, repeats not counted
	in    int
	out   int
	kept  string // reply to the request in of
	of    string
	slot  bool // a card is in the slot
	near  bool // or in the field
}

// rig is a driver with an emulator on its line.
type rig struct {
	*Driver
	emu *emulator
}

// connect starts the emulator without a driver.
func connect(t *testing.T, emu *emulator) *serial.Line {
	t.Helper()
	host, device := net.Pipe()
	emu.conn, emu.acks = device, make(chan byte, 256)
	go emu.run()
	t.Cleanup(func() { _ = device.Close() })
	return serial.New("card", host)
}

// bench opens a driver on a scripted emulator; both end with the test.
func bench(t *testing.T, emu *emulator, cfg Config) rig {
	t.Helper()
	line := connect(t, emu)
	d, err := Open(t.Context(), line, cfg)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return rig{d, emu}
}

func (e *emulator) run() {
	for in := bufio.NewScanner(e.conn); in.Scan(); {
		line := in.Text()
		e.mu.Lock()
		e.in++
		if e.wire != nil {
			line = e.wire(false, e.in, line)
		}
		e.mu.Unlock()
		m, err := parseLine([]byte(line))
		if err != nil || len(m.words) == 0 {
			continue
		}
		if m.kind == ack {
			e.acks <- m.seq
			continue
		}
		if m.kind == request {
			e.send(reply, m.seq, e.carryOut(line, m))
		}
	}
}

// carryOut gives the reply to a request; "" for none.
func (e *emulator) carryOut(line string, m message) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if line == e.of && m.words[0] != "HELLO" {
		return e.kept
	}
	text := ""
	if e.answer != nil {
		text = e.answer(m.words)
	}
	if text == "" {
		text = map[string]string{
			"HELLO": "OK relay 1 sim-1.0 stripe,chip,field,crowd",
			"STATE": e.state(),
		}[m.words[0]]
	}
	if text == "" {
		text = "OK"
	}
	if text == "silence" {
		return ""
	}
	e.of, e.kept = line, text
	e.acted = append(e.acted, strings.Join(m.words, " "))
	if strings.HasPrefix(text, "OK") {
		e.move(m.words[0])
	}
	return text
}

// state is the default reply to STATE.
func (e *emulator) state() string {
	text := map[bool]string{false: "OK empty", true: "OK inserted"}[e.slot]
	return text + map[bool]string{false: " away", true: " near"}[e.near]
}

// move keeps where the cards are.
func (e *emulator) move(verb string) {
	switch verb {
	case "INSERT":
		e.slot = true
	case "REMOVE":
		e.slot = false
	case "TAP":
		e.near = true
	case "LEAVE":
		e.near = false
	case "HALT", "HELLO":
		e.slot, e.near = false, false
	}
}

// restart is a power-up: nothing is in, nothing is kept.
func (e *emulator) restart() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.slot, e.near, e.kept, e.of = false, false, "", ""
}

// lines counts what came in.
func (e *emulator) lines() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.in
}

func (e *emulator) send(k kind, seq byte, text string) {
	if text == "" {
		return
	}
	line := sum(fmt.Sprintf("%c%02X %s", k, seq, text))
	e.mu.Lock()
	e.out++
	if e.wire != nil {
		line = e.wire(true, e.out, line)
	}
	e.mu.Unlock()
	if line != "" {
		_, _ = e.conn.Write([]byte(line + "\n"))
	}
}

// event sends one event once.
func (e *emulator) event(seq byte, text string) { e.send(event, seq, text) }

// did counts the requests carried out that begin with a verb.
func (e *emulator) did(verb string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, line := range e.acted {
		if strings.HasPrefix(line, verb) {
			n++
		}
	}
	return n
}

// requests lists what was carried out, HELLO left out.
func (e *emulator) requests() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(e.acted), func(s string) bool { return s == "HELLO" })
}

// acked drains the acknowledgements that came so far.
func (e *emulator) acked() []byte {
	var seqs []byte
	for {
		select {
		case n := <-e.acks:
			seqs = append(seqs, n)
		default:
			return seqs
		}
	}
}

// chip is a card application made of functions.
type chip struct {
	atr      []byte
	resets   int
	commands []string
	transmit func(capdu []byte) []byte
}

func (c *chip) ATR() []byte { return c.atr }
func (c *chip) Reset()      { c.resets++ }
func (c *chip) Transmit(capdu []byte) []byte {
	c.commands = append(c.commands, byteString(capdu))
	if c.transmit != nil {
		return c.transmit(capdu)
	}
	return []byte{0x90, 0x00}
}

// take receives one event of the driver; virtual time bounds the wait.
func (r rig) take(t *testing.T) rigs.CardEvent {
	t.Helper()
	select {
	case e := <-r.Events():
		return e
	case <-time.After(time.Minute):
		t.Fatal("no event")
		return rigs.CardEvent{}
	}
}

// inBubble runs a test in virtual time with a context that is bounded.
func inBubble(t *testing.T, f func(t *testing.T, ctx context.Context)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		f(t, ctx)
	})
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
