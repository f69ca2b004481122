package chameleon

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sim "github.com/assay-hil/assay/fakes/bench/chameleon"
	"github.com/assay-hil/assay/fakes/bench/reader"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/memnet"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/card"
	"github.com/assay-hil/assay/rigs/serial"
)

var (
	testUID = []byte{4, 1, 2, 3, 4, 5, 6}
	testATS = []byte{0x05, 0x78, 0x80, 0x70, 0x02}
)

// inBubble runs a test in virtual time with a simulator of its own on a line in memory.
func inBubble(t *testing.T, faults sim.Faults, f func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		device := sim.New(far, sim.Config{Faults: faults})
		defer device.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		line := serial.New("card", near)
		defer line.Close()
		f(t, ctx, line, device)
	})
}

// open opens a driver that ends with the bubble.
func open(t *testing.T, ctx context.Context, line *serial.Line, cfg Config) *Driver {
	t.Helper()
	d, err := Open(ctx, line, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sale is what a terminal asks a magstripe card.
func sale(t *testing.T, ctx context.Context, device *sim.Device, chip rigs.Chip, each func()) {
	t.Helper()
	r := reader.New(device, reader.Config{})
	if _, err := r.Activate(ctx); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]byte{
		selectByName([]byte(ppse)), selectByName(aid), {0x80, 0xA8, 0, 0, 6, 0x83, 4, 9, 9, 9, 9, 0}, {0, 0xB2, 1, 0x0C, 0}, {0, 0xB2, 2, 0x0C, 0},
	} {
		answer, err := r.Transmit(ctx, command)
		if err != nil || !bytes.Equal(answer, chip.Transmit(command)) {
			t.Fatalf("%s: %d bytes, %v", name(command), len(answer), err)
		}
		each()
	}
	if err := r.Deselect(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestSaleWithATerminal(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{Slot: 3})
		defer d.Close()
		if d.Firmware() != "2.1" || !slices.Equal(d.Capabilities(), []string{"field"}) {
			t.Errorf("firmware %q, capabilities %v", d.Firmware(), d.Capabilities())
		}
		chip := magstripe(2, nil)
		must(t, d.Tap(ctx, chip, testUID, testATS))
		must(t, d.Probe(ctx))
		if uid, err := reader.New(device, reader.Config{}).UID(); err != nil || !bytes.Equal(uid, testUID) {
			t.Errorf("UID %X, %v", uid, err)
		}
		sale(t, ctx, device, chip, func() { <-time.After(2 * DefaultPoll) })
		must(t, d.Leave(ctx))
		if _, err := reader.New(device, reader.Config{}).UID(); !errors.Is(err, reader.ErrNoCard) {
			t.Errorf("after Leave: %v", err)
		}
		for n := range 5 {
			if e := <-d.Events(); e.Kind != "exchange" || len(e.Exchange.Response) < 2 {
				t.Errorf("event %d: %+v", n, e)
			}
		}
		if memory, flash := device.Pairs(); memory != 0 || flash != 0 {
			t.Errorf("the emulator keeps %d answers, %d in flash", memory, flash)
		}
		must(t, d.Close())
		if _, open := <-d.Events(); open {
			t.Error("Events is open after Close")
		}
	})
}

func TestOrderOfCommands(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{Limits: Limits{Poll: time.Hour}})
		defer d.Close()
		before := len(device.Commands())
		must(t, d.Tap(ctx, magstripe(2, nil), testUID, testATS))
		want := []uint16{1003, 1004, 1005, 1006, 6002, 6003, 6003, 6003, 6003, 6003, 6003, 1009, 1001}
		if got := device.Commands()[before:]; !slices.Equal(got, want) {
			t.Errorf("commands %v, want %v", got, want)
		}
	})
}

// A live chip must be refused before the emulator hears of it.
func TestLiveCardIsRefused(t *testing.T) {
	live := magstripe(1, emv.List{{Tag: emv.TagCDOL1, Value: []byte{0x9F, 0x37, 4}}})
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{})
		defer d.Close()
		before := len(device.Commands())
		err := d.Tap(ctx, live, testUID, testATS)
		limit, fault := (*LimitError)(nil), (*rigs.Error)(nil)
		if !errors.As(err, &limit) || !errors.As(err, &fault) || fault.Instrument != "card" || !strings.Contains(err.Error(), "GENERATE AC") {
			t.Errorf("Tap = %v", err)
		}
		if after := len(device.Commands()); after != before {
			t.Errorf("%d commands were sent", after-before)
		}
	})
}

func TestPartialCard(t *testing.T) {
	live := magstripe(1, emv.List{{Tag: emv.TagCDOL1, Value: []byte{0x9F, 0x37, 4}}})
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{Partial: true})
		defer d.Close()
		must(t, d.Tap(ctx, live, testUID, testATS))
		r := reader.New(device, reader.Config{})
		_, err := r.Activate(ctx)
		must(t, err)
		if _, err := r.Transmit(ctx, []byte{0, 0xB2, 1, 0x0C, 0}); err != nil {
			t.Errorf("a record: %v", err)
		}
		// The terminal asks for the cryptogram and gets the firmware's broken extension.
		if _, err := r.Transmit(ctx, []byte{0x80, 0xAE, 0x80, 0, 4, 1, 2, 3, 4, 0}); err == nil {
			t.Error("a live command was answered")
		}
		for _, err := range []error{d.Probe(ctx), d.Leave(ctx)} {
			if !errors.Is(err, ErrUnanswered) || !strings.Contains(err.Error(), "GENERATE AC") {
				t.Errorf("fault is %v", err)
			}
		}
		must(t, d.Halt(ctx))
		must(t, d.Probe(ctx))
	})
}

func TestContactIsRefused(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{})
		defer d.Close()
		before := len(device.Commands())
		for need, err := range map[string]error{"chip": d.Insert(ctx, magstripe(1, nil)), "stripe": d.Swipe(ctx, rigs.Tracks{})} {
			lacks := (*card.CapabilityError)(nil)
			if !errors.As(err, &lacks) || lacks.Need != need || !strings.Contains(err.Error(), "contactless only") {
				t.Errorf("%s: %v", need, err)
			}
		}
		if len(device.Commands()) != before {
			t.Error("something was sent")
		}
	})
}

func TestBadArguments(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, _ *sim.Device) {
		d := open(t, ctx, line, Config{})
		defer d.Close()
		if err := d.Tap(ctx, magstripe(1, nil), make([]byte, 5), testATS); !errors.Is(err, card.ErrUID) {
			t.Errorf("UID: %v", err)
		}
		if err := d.Tap(ctx, magstripe(1, nil), testUID, []byte{9, 9}); !errors.Is(err, card.ErrATS) {
			t.Errorf("ATS: %v", err)
		}
		must(t, d.Tap(ctx, magstripe(1, nil), testUID, testATS))
		if err := d.Tap(ctx, magstripe(1, nil), testUID, testATS); !errors.Is(err, ErrNear) {
			t.Errorf("second card: %v", err)
		}
		must(t, d.Leave(ctx))
	})
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, _ *sim.Device) {
		if _, err := Open(ctx, line, Config{Slot: 8}); !errors.Is(err, ErrSlot) {
			t.Errorf("slot 8: %v", err)
		}
	})
}
