package numato

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// board is a scripted relay board.
type board struct {
	conn net.Conn
	eol  string
	mute bool // no echo
	// override replaces what is sent back for a command, byte for byte.
	override func(command string) (string, bool)

	mu    sync.Mutex
	on    map[string]bool
	stuck bool
	heard []string
}

func (b *board) run() {
	in := bufio.NewReader(b.conn)
	for {
		command, err := in.ReadString('\r')
		if err != nil {
			return
		}
		if reply := b.reply(strings.TrimSuffix(command, "\r")); reply != "" {
			_, _ = b.conn.Write([]byte(reply))
		}
	}
}

func (b *board) reply(command string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = append(b.heard, command)
	if b.override != nil {
		if reply, ok := b.override(command); ok {
			return reply
		}
	}
	reply := ""
	if !b.mute {
		reply = command
	}
	reply += b.eol
	words := strings.Fields(command)
	switch {
	case command == "ver":
		reply += "00000008" + b.eol
	case len(words) == 3 && words[1] == "read":
		reply += onOff(b.on[words[2]]) + b.eol
	case len(words) == 3 && !b.stuck:
		b.on[words[2]] = words[1] == "on"
	}
	return reply + ">"
}

func (b *board) energised(channel string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.on[channel]
}

// bench opens a driver on a board in a bubble.
func bench(t *testing.T, b *board, cfg Config) *Driver {
	t.Helper()
	host, device := net.Pipe()
	b.conn, b.on = device, map[string]bool{}
	if b.eol == "" {
		b.eol = "\n\r"
	}
	go b.run()
	d, err := New(serial.New("power", host), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close(); _ = device.Close() })
	return d
}

func TestSwitching(t *testing.T) {
	for name, b := range map[string]func() *board{
		"LF CR":       func() *board { return &board{} },
		"CR LF":       func() *board { return &board{eol: "\r\n"} },
		"LF":          func() *board { return &board{eol: "\n"} },
		"blanks":      func() *board { return &board{eol: " \r\n "} },
		"no echo":     func() *board { return &board{mute: true} },
		"no echo, LF": func() *board { return &board{mute: true, eol: "\n"} },
	} {
		for _, closed := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := b()
					d := bench(t, b, Config{Channel: 3, NormallyClosed: closed})
					for _, step := range []struct {
						name string
						call func(context.Context) error
						want bool
					}{{"on", d.On, !closed}, {"off", d.Off, closed}, {"halt", d.Halt, !closed}} {
						if err := step.call(t.Context()); err != nil {
							t.Fatalf("%s: %v", step.name, err)
						}
						if got := b.energised("3"); got != step.want {
							t.Errorf("after %s: energised %v, want %v", step.name, got, step.want)
						}
					}
					if err := d.Probe(t.Context()); err != nil {
						t.Errorf("Probe: %v", err)
					}
				})
			})
		}
	}
}

func TestPartsBreakAndHaltMendsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{}
		d := bench(t, b, Config{Channel: 0, Parts: map[string]int{"paper": 2, "pin-pad": 1}})
		for _, step := range []struct {
			part   string
			broken bool
			want   [2]bool // relays 1 and 2
		}{{"paper", true, [2]bool{false, true}}, {"pin-pad", true, [2]bool{true, true}}, {"paper", false, [2]bool{true, false}}, {"paper", true, [2]bool{true, true}}} {
			if err := d.Break(t.Context(), step.part, step.broken); err != nil {
				t.Fatalf("%s: %v", step.part, err)
			}
			if got := [2]bool{b.energised("1"), b.energised("2")}; got != step.want {
				t.Errorf("after %s %v: %v, want %v", step.part, step.broken, got, step.want)
			}
		}
		if err := d.Break(t.Context(), "memory", true); err == nil || !strings.Contains(err.Error(), "[paper pin-pad]") {
			t.Errorf("a part without a relay: %v", err)
		}
		if err := d.Halt(t.Context()); err != nil {
			t.Fatal(err)
		}
		if b.energised("1") || b.energised("2") || !b.energised("0") {
			t.Error("Halt leaves a part broken, or the terminal without power")
		}
	})
}

func TestStuckRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{stuck: true}
		d := bench(t, b, Config{Channel: 1})
		err := d.On(t.Context())
		stuck, fault := (*StuckError)(nil), (*rigs.Error)(nil)
		if !errors.As(err, &stuck) || !stuck.Want || stuck.Got || !errors.As(err, &fault) || fault.Instrument != "power" {
			t.Fatalf("On = %v, want a *StuckError", err)
		}
		if err := d.Off(t.Context()); err != nil { // that is how it is stuck
			t.Errorf("Off = %v", err)
		}
	})
}

func TestSilentBoardIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := bench(t, &board{override: func(string) (string, bool) { return "", true }}, Config{})
		for name, call := range map[string]func(context.Context) error{"On": d.On, "Off": d.Off, "Halt": d.Halt, "Probe": d.Probe} {
			begin := time.Now()
			if err := call(t.Context()); !errors.Is(err, rigs.ErrNoAnswer) {
				t.Errorf("%s = %v, want rigs.ErrNoAnswer", name, err)
			}
			if took, limit := time.Since(begin), DefaultAnswer+DefaultQuiet; took > limit {
				t.Errorf("%s gave up after %v, limit %v", name, took, limit)
			}
		}
	})
}

// An answer that comes after its command was given up must not be taken for the next one's.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := true
		b := &board{override: func(command string) (string, bool) {
			if late && command == "relay read 0" {
				return "", true
			}
			return "", false
		}}
		d := bench(t, b, Config{})
		if err := d.Off(t.Context()); !errors.Is(err, rigs.ErrNoAnswer) {
			t.Fatalf("Off = %v", err)
		}
		b.mu.Lock()
		late = false
		b.mu.Unlock()
		if _, err := b.conn.Write([]byte("relay read 0\n\roff\n\r>")); err != nil {
			t.Fatal(err)
		}
		if err := d.On(t.Context()); err != nil {
			t.Errorf("On = %v: the late answer was taken for its own", err)
		}
	})
}

func TestOddAnswers(t *testing.T) {
	tests := []struct {
		name, read string
		want       error
	}{
		{"prompt before the answer", ">\n\r>relay read 0\n\ron\n\r>", nil},
		{"upper case", "ON\r\n>", nil},
		{"nonsense", "relay read 0\n\rperhaps\n\r>", ErrAnswer},
		{"both", "relay read 0\n\ron\n\roff\n\r>", ErrAnswer},
		{"empty", "\n\r>", ErrAnswer},
		{"no prompt", "relay read 0\n\ron\n\r", rigs.ErrNoAnswer},
		{"endless", strings.Repeat("on\n\r", 1000), ErrAnswer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := bench(t, &board{override: func(command string) (string, bool) {
					return tt.read, command == "relay read 0"
				}}, Config{})
				if err := d.On(t.Context()); !errors.Is(err, tt.want) {
					t.Errorf("On = %v, want %v", err, tt.want)
				}
			})
		})
	}
}

func TestBoardThatTalksWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, device := net.Pipe()
		var wg sync.WaitGroup
		wg.Go(func() { // a terminal's debug line plugged in by mistake
			for {
				if _, err := device.Write([]byte("heap 12\n")); err != nil {
					return
				}
				<-time.After(10 * time.Millisecond)
			}
		})
		wg.Go(func() { _, _ = io.Copy(io.Discard, device) })
		defer wg.Wait()
		d, err := New(serial.New("power", host), Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer device.Close()
		defer d.Close()
		begin := time.Now()
		if err := d.Probe(t.Context()); !errors.Is(err, ErrAnswer) {
			t.Errorf("Probe = %v", err)
		}
		if took := time.Since(begin); took > 2*DefaultSettle {
			t.Errorf("gave up after %v", took)
		}
	})
}

func TestLineEnds(t *testing.T) {
	for want, end := range map[error]func(*Driver, *board){
		rigs.ErrLost:   func(_ *Driver, b *board) { _ = b.conn.Close() },
		rigs.ErrClosed: func(d *Driver, _ *board) { _ = d.Close() },
	} {
		synctest.Test(t, func(t *testing.T) {
			b := &board{override: func(string) (string, bool) { return "", true }}
			d := bench(t, b, Config{})
			time.AfterFunc(100*time.Millisecond, func() { end(d, b) })
			if err := d.On(t.Context()); !errors.Is(err, want) {
				t.Errorf("On = %v, want %v", err, want)
			}
			if err := d.Probe(t.Context()); !errors.Is(err, want) {
				t.Errorf("Probe = %v, want %v", err, want)
			}
		})
	}
}

func TestContextEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := bench(t, &board{override: func(string) (string, bool) { return "", true }}, Config{})
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if err := d.On(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("On = %v", err)
		}
	})
}

func TestCommandsAreWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{}
		d := bench(t, b, Config{Channel: 9})
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if err := d.Off(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		want := []string{""} // the bare CR of the first command
		for range 5 {
			want = append(want, "relay off 9", "relay read 9")
		}
		if !reflect.DeepEqual(b.heard, want) {
			t.Errorf("board heard %q", b.heard)
		}
	})
}

func TestChannelRange(t *testing.T) {
	for _, channel := range []int{-1, 10, 31} {
		synctest.Test(t, func(t *testing.T) {
			host, _ := net.Pipe()
			line := serial.New("power", host)
			if _, err := New(line, Config{Channel: channel}); err == nil || !strings.Contains(err.Error(), "0 to 9") {
				t.Errorf("New(%d) = %v", channel, err)
			}
			if !errors.Is(line.Err(), rigs.ErrClosed) {
				t.Error("the line is not closed")
			}
		})
	}
}

func TestEachRelayIsForOneThing(t *testing.T) {
	for _, parts := range []map[string]int{{"paper": 0}, {"paper": 10}, {"paper": 2, "memory": 2}} {
		synctest.Test(t, func(t *testing.T) {
			host, _ := net.Pipe()
			if _, err := New(serial.New("power", host), Config{Parts: parts}); err == nil || !strings.Contains(err.Error(), "each for one thing") {
				t.Errorf("New(%v) = %v", parts, err)
			}
		})
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("relay read 0\n\ron\n\r>"), 5)
	f.Add([]byte("\r\n off \r\n>>"), 0)
	f.Add([]byte("x"), 1)
	f.Fuzz(func(t *testing.T, input []byte, cut int) {
		if cut < 0 || cut > len(input) {
			cut = 0
		}
		var states []bool
		c := command{text: "relay read 0", accept: func(a answer) bool {
			on, ok := a.state("relay read 0")
			states = append(states, on)
			return ok
		}}
		scan := func(parts ...[]byte) (bool, error) {
			var a answer
			for _, p := range parts {
				done, _, err := c.scan(&a, p)
				if len(a.bytes) > maxAnswer {
					t.Fatalf("%d bytes kept", len(a.bytes))
				}
				if done || err != nil {
					return done, err
				}
			}
			return false, nil
		}
		whole, wholeErr := scan(input)
		first := states
		states = nil
		split, splitErr := scan(input[:cut], input[cut:])
		if whole != split || (wholeErr == nil) != (splitErr == nil) || !reflect.DeepEqual(first, states) {
			t.Fatalf("whole: %v %v %v, cut at %d: %v %v %v", whole, wholeErr, first, cut, split, splitErr, states)
		}
	})
}
