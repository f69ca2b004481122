package chameleon

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/creack/pty"

	sim "github.com/assay-hil/assay/fakes/bench/chameleon"
	"github.com/assay-hil/assay/fakes/bench/reader"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// taps is a whole use of the emulator; its error is the first.
func taps(ctx context.Context, line *serial.Line) error {
	d, err := Open(ctx, line, Config{})
	if err != nil {
		return err
	}
	defer d.Close()
	for _, step := range []func() error{
		func() error { return d.Tap(ctx, magstripe(2, nil), testUID, testATS) },
		func() error { return d.Probe(ctx) },
		func() error { return d.Leave(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// patience is more than any use of a dead emulator takes: three sendings at the longest wait, twice.
const patience = 15 * time.Second

func TestDeadAtEachStep(t *testing.T) {
	const requests = 23 // a whole use of the emulator
	for n := 1; n <= requests; n++ {
		inBubble(t, sim.Faults{SilentAfter: n}, func(t *testing.T, ctx context.Context, line *serial.Line, _ *sim.Device) {
			begin := time.Now()
			err := taps(ctx, line)
			fault := (*rigs.Error)(nil)
			if n < requests && (!errors.Is(err, rigs.ErrNoAnswer) || !errors.As(err, &fault) || fault.Instrument != "card") {
				t.Errorf("dead after %d requests: %v", n, err)
			}
			if n == requests && err != nil {
				t.Errorf("a whole use takes more than %d requests: %v", requests, err)
			}
			if took := time.Since(begin); took > patience {
				t.Errorf("dead after %d requests: took %v", n, took)
			}
		})
	}
	inBubble(t, sim.Faults{Silent: true}, func(t *testing.T, ctx context.Context, line *serial.Line, _ *sim.Device) {
		if err := taps(ctx, line); !errors.Is(err, rigs.ErrNoAnswer) {
			t.Errorf("silent: %v", err)
		}
	})
}

func TestLostAndGarbledAnswers(t *testing.T) {
	for name, faults := range map[string]sim.Faults{
		"drops every 7th": {DropEvery: 7}, "garbles every 5th": {GarbleEvery: 5}, "both": {DropEvery: 11, GarbleEvery: 7},
	} {
		inBubble(t, faults, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
			d := open(t, ctx, line, Config{Limits: Limits{Sendings: 8}})
			defer d.Close()
			chip := magstripe(2, nil)
			must(t, d.Tap(ctx, chip, testUID, testATS))
			if memory, _ := device.Pairs(); memory < 5 || memory > MaxPairs {
				t.Errorf("%s: %d answers loaded, want 5", name, memory)
			}
			sale(t, ctx, device, chip, func() {})
			must(t, d.Leave(ctx))
		})
	}
}

func TestOldFirmware(t *testing.T) {
	inBubble(t, sim.Faults{Old: true}, func(t *testing.T, ctx context.Context, line *serial.Line, _ *sim.Device) {
		_, err := Open(ctx, line, Config{})
		refused := (*StatusError)(nil)
		if !errors.As(err, &refused) || refused.Command != 6003 || refused.Status != 0x67 {
			t.Errorf("Open = %v", err)
		}
	})
}

// An earlier host died in the middle of a frame: the emulator waits for the rest of it.
func TestUnfinishedFrameOfAnEarlierHost(t *testing.T) {
	begun, err := frame{command: cmdStatic, data: make([]byte, maxData)}.encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 5, headerSize, headerSize + 40} {
		inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, _ *sim.Device) {
			must(t, line.Write(ctx, begun[:n]))
			if err := taps(ctx, line); err != nil {
				t.Errorf("%d bytes: %v", n, err)
			}
		})
	}
}

// After a restart the emulator is in its field at once; Halt must take it out and empty the flash.
func TestRestart(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{})
		defer d.Close()
		device.Restart()
		if err := d.Probe(ctx); !errors.Is(err, ErrRestarted) {
			t.Errorf("Probe = %v", err)
		}
		must(t, d.Halt(ctx))
		must(t, d.Probe(ctx))
		must(t, d.Tap(ctx, magstripe(2, nil), testUID, testATS))
		must(t, d.Close()) // as after kill -9
		device.Restart()
		if _, err := reader.New(device, reader.Config{}).UID(); err != nil {
			t.Errorf("the saved card is not there: %v", err)
		}
	})
}

// The next start after kill -9 finds a card in the field and in flash.
func TestOpenTakesAnOldCardOut(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		first, err := New(line, Config{})
		must(t, err)
		must(t, first.Tap(ctx, magstripe(2, nil), testUID, testATS))
		must(t, first.Halt(ctx))
		saves := device.Saves()
		must(t, first.Halt(ctx))
		if device.Saves() != saves {
			t.Error("a second Halt wears the flash")
		}
		must(t, first.Close())
	})
}

func TestContextAndLossEndTheWait(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{})
		short, cancel := context.WithCancel(ctx)
		cancel()
		if err := d.Tap(short, magstripe(1, nil), testUID, testATS); !errors.Is(err, context.Canceled) {
			t.Errorf("Tap = %v", err)
		}
		must(t, device.Close())
		if err := d.Probe(ctx); !errors.Is(err, rigs.ErrLost) {
			t.Errorf("Probe = %v", err)
		}
		must(t, d.Close())
	})
}

// The same driver on a real pseudo-terminal, in real time.
func TestOnAPseudoTerminal(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	line, err := serial.Open(slave.Name(), serial.Mode{}) // makes it raw
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	device := sim.New(master, sim.Config{})
	d, err := Open(t.Context(), line, Config{Limits: Limits{Poll: time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	chip := magstripe(2, nil)
	must(t, d.Tap(t.Context(), chip, testUID, testATS))
	sale(t, t.Context(), device, chip, func() {
		select {
		case <-d.Events():
		case <-time.After(patience):
			t.Fatal("a command was not polled")
		}
	})
	must(t, d.Leave(t.Context()))
	if slices.Contains(device.Commands(), 6001) {
		t.Error("the broken relay was used")
	}
	must(t, d.Close())
	_ = device.Close()
}
