package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/rigs"
)

func TestChipSession(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		r := bench(t, emu, Config{})
		c := &chip{atr: []byte{0x3B, 0x65}, transmit: func([]byte) []byte { return []byte{0x6A, 0x82} }}
		must(t, r.Insert(ctx, c))
		emu.event(0, "RESET COLD")
		emu.event(1, "CAPDU 00A4040007A0000000031010")
		emu.event(2, "RESET WARM")
		emu.event(3, "POWER OFF")
		synctest.Wait()
		must(t, r.Remove(ctx))

		want := []string{"INSERT 3B65", "RAPDU 01 6A82", "REMOVE", "STATE"}
		if got := emu.requests(); !reflect.DeepEqual(got, want) {
			t.Errorf("requests %q, want %q", got, want)
		}
		if got := emu.acked(); !bytes.Equal(got, []byte{0, 1, 2, 3}) {
			t.Errorf("acknowledged %v", got)
		}
		if c.resets != 2 || !reflect.DeepEqual(c.commands, []string{"00A4040007A0000000031010"}) {
			t.Errorf("%d resets, commands %q", c.resets, c.commands)
		}
		var kinds []string
		for range 4 {
			e := r.take(t)
			kinds = append(kinds, e.Kind)
			if e.Kind == "exchange" && !bytes.Equal(e.Exchange.Response, []byte{0x6A, 0x82}) {
				t.Errorf("exchange %+v", e.Exchange)
			}
		}
		if want := []string{"reset", "exchange", "reset", "power-off"}; !reflect.DeepEqual(kinds, want) {
			t.Errorf("events %q, want %q", kinds, want)
		}
	})
}

func TestASecondCard(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		r := bench(t, emu, Config{})
		must(t, r.Beside(ctx, []byte{10, 11, 12, 13}))
		must(t, r.Tap(ctx, &chip{}, []byte{1, 2, 3, 4}, []byte{0x05, 0x78}))
		must(t, r.Beside(ctx, nil))
		must(t, r.Leave(ctx))
		want := []string{"BESIDE 0A0B0C0D", "TAP 01020304 0578", "BESIDE -", "LEAVE", "STATE"}
		if got := emu.requests(); !reflect.DeepEqual(got, want) {
			t.Errorf("requests %q, want %q", got, want)
		}
	})
}

func TestContactlessSession(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		r := bench(t, emu, Config{})
		c := &chip{}
		must(t, r.Tap(ctx, c, []byte{1, 2, 3, 4}, []byte{0x05, 0x78}))
		emu.event(0, "FIELD ON")
		emu.event(1, "CAPDU 00A40400")
		emu.event(2, "FIELD OFF")
		synctest.Wait()
		must(t, r.Leave(ctx))
		want := []string{"TAP 01020304 0578", "RAPDU 01 9000", "LEAVE", "STATE"}
		if got := emu.requests(); !reflect.DeepEqual(got, want) {
			t.Errorf("requests %q, want %q", got, want)
		}
		if first := r.take(t); first.Kind != "field-on" || c.resets != 1 {
			t.Errorf("event %q, %d resets", first.Kind, c.resets)
		}
	})
}

func TestDuplicateEventIsAcknowledgedAndIgnored(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		r := bench(t, emu, Config{})
		c := &chip{}
		must(t, r.Insert(ctx, c))
		for range 3 {
			emu.event(7, "CAPDU 00B0000000")
		}
		emu.event(8, "CAPDU 00B0000000")
		synctest.Wait()
		if len(c.commands) != 2 || emu.did("RAPDU 07") != 1 || emu.did("RAPDU 08") != 1 {
			t.Errorf("chip asked %d times; requests %q", len(c.commands), emu.requests())
		}
		if got := emu.acked(); !bytes.Equal(got, []byte{7, 7, 7, 8}) {
			t.Errorf("acknowledged %v", got)
		}
		if s := r.Stats(); s.Duplicates != 2 {
			t.Errorf("%+v, want 2 duplicates", s)
		}
	})
}

func TestSlowChipDoesNotDelayAcknowledgements(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		r := bench(t, emu, Config{})
		c := &chip{transmit: func([]byte) []byte { <-time.After(2 * time.Second); return []byte{0x90, 0x00} }}
		must(t, r.Insert(ctx, c))
		emu.event(0, "CAPDU 00B0000000")
		emu.event(1, "RESET WARM")
		synctest.Wait() // no virtual time has passed
		if got := emu.acked(); !bytes.Equal(got, []byte{0, 1}) {
			t.Errorf("acknowledged %v while the chip works", got)
		}
		e := r.take(t)
		if e.Kind != "exchange" || e.Exchange.Took != 2*time.Second {
			t.Errorf("%+v", e.Exchange)
		}
	})
}

func TestFullQueueIsNotAcknowledged(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		r := bench(t, emu, Config{Limits: Limits{Queue: 2}})
		release := make(chan struct{})
		c := &chip{transmit: func([]byte) []byte { <-release; return []byte{0x90, 0x00} }}
		must(t, r.Insert(ctx, c))
		for n := range byte(4) { // one in work, two queued, one too many
			emu.event(n, "CAPDU 00B0000000")
			synctest.Wait()
		}
		if got := emu.acked(); !bytes.Equal(got, []byte{0, 1, 2}) {
			t.Errorf("acknowledged %v", got)
		}
		close(release)
		synctest.Wait()
		emu.event(3, "CAPDU 00B0000000") // the emulator's repeat
		synctest.Wait()
		if s := r.Stats(); s.Refused != 1 || len(c.commands) != 4 {
			t.Errorf("%+v, %d commands", s, len(c.commands))
		}
	})
}

func TestStaleAnswerIsCountedAndNoFault(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{answer: func(words []string) string {
			if words[0] == "RAPDU" {
				return "ERR STALE"
			}
			return ""
		}}
		r := bench(t, emu, Config{})
		must(t, r.Insert(ctx, &chip{}))
		emu.event(0, "CAPDU 00B0000000")
		synctest.Wait()
		must(t, r.Remove(ctx))
		must(t, r.Probe(ctx))
		if s := r.Stats(); s.Stale != 1 {
			t.Errorf("%+v, want 1 stale", s)
		}
	})
}

func TestFaultsOfTheSession(t *testing.T) {
	const pan = "4111111111111111"
	tests := []struct {
		name  string
		chip  rigs.Chip
		event string
		rapdu string // what the terminal gets
		check func(error) bool
	}{
		{"chip panics", &chip{transmit: func([]byte) []byte { panic("card " + pan) }}, "CAPDU 00", "RAPDU 00 6F00",
			func(err error) bool {
				p := (*PanicError)(nil)
				return errors.As(err, &p) && p.Call == "Transmit" && strings.Contains(p.Where, "relay")
			}},
		{"chip panics in the runtime", &chip{transmit: func(c []byte) []byte { return c[:len(c)+9][9:] }}, "CAPDU 00", "RAPDU 00 6F00",
			func(err error) bool { return strings.Contains(err.Error(), "out of range") }},
		{"chip panics at reset", brokenReset{&chip{}}, "RESET COLD", "",
			func(err error) bool { p := (*PanicError)(nil); return errors.As(err, &p) && p.Call == "Reset" }},
		{"answer too short", &chip{transmit: func([]byte) []byte { return []byte{0x90} }}, "CAPDU 00", "RAPDU 00 6F00",
			func(err error) bool { return errors.Is(err, ErrChipAnswer) }},
		{"answer too long", &chip{transmit: func([]byte) []byte { return make([]byte, 259) }}, "CAPDU 00", "RAPDU 00 6F00",
			func(err error) bool { return errors.Is(err, ErrChipAnswer) }},
		{"events lost", &chip{}, "LOST 3", "", func(err error) bool { return errors.Is(err, ErrEventsLost) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, ctx context.Context) {
				emu := &emulator{}
				r := bench(t, emu, Config{})
				must(t, r.Insert(ctx, tt.chip))
				emu.event(0, tt.event)
				synctest.Wait()
				if tt.rapdu != "" && emu.did(tt.rapdu) != 1 {
					t.Errorf("requests %q, want %q", emu.requests(), tt.rapdu)
				}
				for _, err := range []error{r.Probe(ctx), r.Remove(ctx)} {
					if err == nil || !tt.check(err) {
						t.Errorf("fault is %v", err)
					} else if strings.Contains(err.Error(), pan) {
						t.Errorf("fault holds the card number")
					}
				}
				must(t, r.Halt(ctx))
				must(t, r.Probe(ctx))
			})
		})
	}
}

// brokenReset panics when it is reset.
type brokenReset struct{ *chip }

func (brokenReset) Reset() { panic(errors.New("broken")) }

func TestCommandWithoutACard(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		r := bench(t, emu, Config{})
		emu.event(0, "CAPDU 00B0000000")
		synctest.Wait()
		if emu.did("RAPDU 00 6F00") != 1 {
			t.Errorf("requests %q", emu.requests())
		}
		if err := r.Probe(ctx); !errors.Is(err, ErrNoCard) {
			t.Errorf("Probe = %v", err)
		}
	})
}

func TestMuteChipGetsNoAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		r := bench(t, emu, Config{})
		must(t, r.Insert(ctx, &chip{transmit: func([]byte) []byte { return nil }}))
		emu.event(0, "CAPDU 00B0000000")
		if e := r.take(t); e.Kind != "exchange" || len(e.Exchange.Response) != 0 {
			t.Errorf("%+v", e)
		}
		if emu.did("RAPDU") != 0 || emu.did("INSERT -") != 1 {
			t.Errorf("requests %q", emu.requests())
		}
		must(t, r.Remove(ctx))
	})
}

func TestRestartInTheMiddle(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		r := bench(t, emu, Config{})
		must(t, r.Insert(ctx, &chip{}))
		emu.event(0, "RESET COLD")
		synctest.Wait()
		must(t, r.Probe(ctx))

		emu.restart()
		if err := r.Probe(ctx); !errors.Is(err, ErrRestarted) {
			t.Fatalf("Probe = %v, want ErrRestarted", err)
		}
		must(t, r.Probe(ctx))

		// The emulator counts from 00 again: its first event is not a repeat of the last one.
		c := &chip{}
		must(t, r.Insert(ctx, c))
		emu.event(0, "RESET COLD")
		synctest.Wait()
		if c.resets != 1 {
			t.Errorf("new card reset %d times, want 1", c.resets)
		}
	})
}

func TestUnreadEventsAreDroppedOldestFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		r := bench(t, emu, Config{Limits: Limits{Events: 4}})
		must(t, r.Insert(ctx, &chip{}))
		for n := range byte(10) {
			emu.event(n, fmt.Sprintf("CAPDU %02X", n))
			synctest.Wait()
		}
		if n := emu.did("RAPDU"); n != 10 {
			t.Errorf("%d answers, want 10: the card must never wait", n)
		}
		if s := r.Stats(); s.Dropped != 6 {
			t.Errorf("%+v, want 6 dropped", s)
		}
		if e := r.take(t); !bytes.Equal(e.Exchange.Command, []byte{6}) {
			t.Errorf("oldest kept is %X, want 06", e.Exchange.Command)
		}
	})
}

func TestRefusedInsertKeepsTheCard(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		refuse := false
		emu := &emulator{}
		emu.answer = func(words []string) string {
			if refuse && words[0] == "INSERT" {
				return "ERR STATE"
			}
			return ""
		}
		r := bench(t, emu, Config{})
		first, second := &chip{}, &chip{}
		must(t, r.Insert(ctx, first))
		emu.mu.Lock()
		refuse = true
		emu.mu.Unlock()
		if err := r.Insert(ctx, second); err == nil {
			t.Fatal("second Insert succeeded")
		}
		emu.event(0, "RESET COLD")
		synctest.Wait()
		if first.resets != 1 || second.resets != 0 {
			t.Errorf("resets: first %d, second %d", first.resets, second.resets)
		}
	})
}

func TestUnknownEventsAreAcknowledged(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		r := bench(t, emu, Config{})
		for n, text := range []string{"WEATHER", "FIELD", "CAPDU xyz", "LOST many"} {
			emu.event(byte(n), text)
		}
		synctest.Wait()
		if got := emu.acked(); !slices.Equal(got, []byte{0, 1, 2, 3}) {
			t.Errorf("acknowledged %v", got)
		}
		if s := r.Stats(); s.Unknown != 4 {
			t.Errorf("%+v, want 4 unknown", s)
		}
		must(t, r.Probe(ctx))
	})
}

func TestEventsBeforeTheGreetingAreThrownAway(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		emu := &emulator{}
		line := connect(t, emu)
		emu.event(0, "LOST 9")
		d, err := Open(ctx, line, Config{})
		must(t, err)
		defer d.Close()
		must(t, d.Probe(ctx))
		if got := emu.acked(); len(got) != 0 {
			t.Errorf("acknowledged %v", got)
		}
	})
}
