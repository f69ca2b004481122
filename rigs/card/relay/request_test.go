package relay

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/rigs"
)

// flip changes one bit of a line.
func flip(line string) string {
	p := []byte(line)
	p[len(p)/2] ^= 1
	return string(p)
}

func TestOpenLearnsTheEmulator(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		r := bench(t, &emulator{}, Config{})
		if r.Name() != "card" || r.Firmware() != "sim-1.0" {
			t.Errorf("name %q, firmware %q", r.Name(), r.Firmware())
		}
		if got, want := r.Capabilities(), []string{"stripe", "chip", "field", "crowd"}; !reflect.DeepEqual(got, want) {
			t.Errorf("capabilities %v, want %v", got, want)
		}
		must(t, r.Probe(ctx))
	})
}

func TestOpenRefusesOthers(t *testing.T) {
	tests := []struct {
		name, hello string
		check       func(error) bool
	}{
		{"other version", "OK relay 2 sim chip", func(err error) bool {
			v := (*VersionError)(nil)
			return errors.As(err, &v) && v.Got == "relay 2"
		}},
		{"other protocol", "OK", func(err error) bool { v := (*VersionError)(nil); return errors.As(err, &v) }},
		{"too few words", "OK relay 1 sim", func(err error) bool { return errors.Is(err, ErrReply) }},
		{"neither OK nor ERR", "YES", func(err error) bool { return errors.Is(err, ErrReply) }},
		{"refusal", "ERR VERB", func(err error) bool { v := (*ReplyError)(nil); return errors.As(err, &v) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, ctx context.Context) {
				line := connect(t, &emulator{answer: func([]string) string { return tt.hello }})
				_, err := Open(ctx, line, Config{})
				if fault := (*rigs.Error)(nil); !errors.As(err, &fault) || fault.Instrument != "card" || !tt.check(err) {
					t.Errorf("Open = %v", err)
				}
				if err := line.Err(); !errors.Is(err, rigs.ErrClosed) {
					t.Errorf("the line is not closed: %v", err)
				}
			})
		})
	}
}

func TestSilentEmulatorIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{answer: func([]string) string { return "silence" }}
		line := connect(t, emu)
		begin := time.Now()
		_, err := Open(ctx, line, Config{})
		if !errors.Is(err, rigs.ErrNoAnswer) {
			t.Errorf("Open = %v, want rigs.ErrNoAnswer", err)
		}
		if took := time.Since(begin); took != 3*DefaultReply {
			t.Errorf("gave up after %v, want %v", took, 3*DefaultReply)
		}
		if n := emu.lines(); n != 4 { // the empty line and three sendings
			t.Errorf("%d lines sent, want 4", n)
		}
	})
}

func TestLostReplyActsOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		lost := 0
		emu := &emulator{wire: func(out bool, _ int, line string) string {
			if out && strings.HasPrefix(line, "<01") && lost < 2 {
				lost++
				return ""
			}
			return line
		}}
		r := bench(t, emu, Config{})
		begin := time.Now()
		must(t, r.Swipe(ctx, rigs.Tracks{nil, {0x1B, 0x05}, nil}))
		if took := time.Since(begin); took != 2*DefaultSwipeReply {
			t.Errorf("took %v, want %v", took, 2*DefaultSwipeReply)
		}
		if n := emu.did("SWIPE - 1B05 -"); n != 1 {
			t.Errorf("card drawn %d times", n)
		}
		if s := r.Stats(); s.Repeats != 2 {
			t.Errorf("%+v, want 2 repeats", s)
		}
	})
}

func TestCorruptedLinesBothWays(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		seen := map[string]int{}
		emu := &emulator{wire: func(out bool, _ int, line string) string {
			// The first INSERT is damaged on its way out, the reply to the second on its way back.
			if strings.HasPrefix(line, ">01") || strings.HasPrefix(line, "<01") {
				seen[line[:3]]++
				if seen[line[:3]] == 1 {
					return flip(line)
				}
			}
			return line
		}}
		r := bench(t, emu, Config{})
		must(t, r.Insert(ctx, &chip{atr: []byte{0x3B, 0x00}}))
		if n := emu.did("INSERT 3B00"); n != 1 {
			t.Errorf("inserted %d times", n)
		}
		if s := r.Stats(); s.BadLines != 1 || s.Repeats != 2 {
			t.Errorf("%+v, want 1 bad line and 2 repeats", s)
		}
	})
}

// A reply that comes after the request was given up must not answer the next request.
func TestLateReplyIsIgnored(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{answer: func(words []string) string {
			if words[0] == "INSERT" {
				return "silence"
			}
			return ""
		}}
		r := bench(t, emu, Config{})
		if err := r.Insert(ctx, &chip{}); !errors.Is(err, rigs.ErrNoAnswer) {
			t.Fatalf("Insert = %v", err)
		}
		go emu.send(reply, 1, "ERR STATE")
		synctest.Wait()
		must(t, r.Probe(ctx))
	})
}

func TestRefusalsAreTyped(t *testing.T) {
	for _, code := range []string{"VERB", "ARGS", "CAP", "STATE", "STALE"} {
		inBubble(t, func(t *testing.T, ctx context.Context) {
			r := bench(t, &emulator{answer: func(words []string) string {
				if words[0] == "INSERT" {
					return "ERR " + code
				}
				return ""
			}}, Config{})
			err := r.Insert(ctx, &chip{})
			refused, fault := (*ReplyError)(nil), (*rigs.Error)(nil)
			if !errors.As(err, &refused) || refused.Code != code || !errors.As(err, &fault) || fault.Op != "insert" {
				t.Errorf("Insert = %v, want %s", err, code)
			}
		})
	}
}

func TestMissingCapability(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{answer: func(words []string) string {
			if words[0] == "HELLO" {
				return "OK relay 1 tiny -"
			}
			return ""
		}}
		r := bench(t, emu, Config{})
		calls := map[string]func() error{
			"chip":   func() error { return r.Insert(ctx, &chip{}) },
			"stripe": func() error { return r.Swipe(ctx, rigs.Tracks{}) },
			"field":  func() error { return r.Tap(ctx, &chip{}, make([]byte, 4), nil) },
			"crowd":  func() error { return r.Beside(ctx, make([]byte, 4)) },
		}
		for need, call := range calls {
			lacks := (*CapabilityError)(nil)
			if err := call(); !errors.As(err, &lacks) || lacks.Need != need {
				t.Errorf("%s: %v", need, err)
			}
		}
		if sent := emu.requests(); len(sent) != 0 {
			t.Errorf("sent %q", sent)
		}
	})
}

func TestBadArgumentsAreNotSent(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		r := bench(t, emu, Config{})
		long := rigs.Tracks{make([]byte, 300), make([]byte, 300), nil}
		for name, err := range map[string]error{
			"UID of 5 bytes":  r.Tap(ctx, &chip{}, make([]byte, 5), nil),
			"UID of 6 bytes":  r.Beside(ctx, make([]byte, 6)),
			"ATR of 34 bytes": r.Insert(ctx, &chip{atr: make([]byte, 34)}),
			"long stripe":     r.Swipe(ctx, long),
		} {
			if fault := (*rigs.Error)(nil); !errors.As(err, &fault) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if sent := emu.requests(); len(sent) != 0 {
			t.Errorf("sent %q", sent)
		}
	})
}

func TestContextEndsTheWait(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		r := bench(t, &emulator{answer: func(words []string) string {
			if words[0] == "SWIPE" {
				return "silence"
			}
			return ""
		}}, Config{})
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if err := r.Swipe(short, rigs.Tracks{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Swipe = %v", err)
		}
		must(t, r.Halt(ctx))
	})
}

func TestLineLostInTheMiddle(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{answer: func(words []string) string {
			if words[0] == "SWIPE" {
				return "silence"
			}
			return ""
		}}
		r := bench(t, emu, Config{})
		time.AfterFunc(time.Second, func() { _ = emu.conn.Close() })
		begin := time.Now()
		if err := r.Swipe(ctx, rigs.Tracks{}); !errors.Is(err, rigs.ErrLost) {
			t.Errorf("Swipe = %v, want rigs.ErrLost", err)
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("seen after %v, want at once", took)
		}
		if err := r.Probe(ctx); !errors.Is(err, rigs.ErrLost) {
			t.Errorf("Probe = %v, want rigs.ErrLost", err)
		}
		must(t, r.Close())
		if _, open := <-r.Events(); open {
			t.Error("Events is open after Close")
		}
	})
}

func TestCloseEndsAWaitingCall(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		r := bench(t, &emulator{answer: func(words []string) string {
			if words[0] == "SWIPE" {
				return "silence"
			}
			return ""
		}}, Config{})
		result := make(chan error, 1)
		go func() { result <- r.Swipe(ctx, rigs.Tracks{}) }()
		synctest.Wait()
		must(t, r.Close())
		if err := <-result; !errors.Is(err, rigs.ErrClosed) {
			t.Errorf("Swipe = %v, want rigs.ErrClosed", err)
		}
		must(t, r.Close())
	})
}

func TestHaltGreetsAnEmulatorThatRefuses(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{answer: func(words []string) string {
			if words[0] == "HALT" {
				return "ERR STATE"
			}
			return ""
		}}
		r := bench(t, emu, Config{})
		must(t, r.Halt(ctx))
		if n := emu.did("HELLO"); n != 2 {
			t.Errorf("%d HELLO, want 2", n)
		}
	})
}
