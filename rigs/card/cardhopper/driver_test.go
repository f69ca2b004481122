package cardhopper

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"

	sim "github.com/assay-hil/assay/fakes/bench/cardhopper"
	"github.com/assay-hil/assay/fakes/bench/reader"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/memnet"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/card"
	"github.com/assay-hil/assay/rigs/serial"
)

var (
	testUID = []byte{4, 1, 2, 3, 4, 5, 6}
	testATS = []byte{0x06, 0x78, 0x80, 0x70, 0x02, 0x99}
	testAID = []byte{0xA0, 0x00, 0x00, 0x00, 0x03, 0x10, 0x10}
)

// visa is a live card with a test key.
func visa() *emv.Card {
	return emv.NewCard(emv.Application{AID: testAID, Label: "TEST", PAN: "4111111111111111", Expiry: "3012", Service: "201", MasterKey: bytes.Repeat([]byte{0x23}, 16)})
}

// chip is a card application made of functions.
type chip struct {
	resets   int
	transmit func(command []byte) []byte
}

func (c *chip) ATR() []byte { return nil }
func (c *chip) Reset()      { c.resets++ }
func (c *chip) Transmit(command []byte) []byte {
	if c.transmit != nil {
		return c.transmit(command)
	}
	return []byte{0x90, 0x00}
}

// slow answers after a time.
func slow(d time.Duration) *chip {
	return &chip{transmit: func([]byte) []byte { <-time.After(d); return []byte{0x90, 0x00} }}
}

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

// cryptogram runs a transaction up to the first cryptogram for an unpredictable number.
func cryptogram(t *testing.T, ctx context.Context, device *sim.Device, cfg reader.Config, unpredictable byte) []byte {
	t.Helper()
	r := reader.New(device, cfg)
	if _, err := r.Activate(ctx); err != nil {
		t.Fatal(err)
	}
	data := append(make([]byte, 25), unpredictable, 0, 0, 0)
	var answer []byte
	for _, command := range [][]byte{
		emv.BuildCommand(0, emv.INSSelect, 4, 0, testAID, 0),
		emv.BuildCommand(0x80, emv.INSGetProcessingOptions, 0, 0, []byte{0x83, 0}, 0),
		emv.BuildCommand(0, emv.INSReadRecord, 1, 1<<3|4, nil, 0),
		emv.BuildCommand(0, emv.INSReadRecord, 1, 2<<3|4, nil, 0),
		emv.BuildCommand(0x80, emv.INSGenerateAC, emv.TypeARQC, 0, data, 0),
	} {
		var err error
		if answer, err = r.Transmit(ctx, command); err != nil || !bytes.HasSuffix(answer, []byte{0x90, 0x00}) {
			t.Fatalf("instruction %02X: %d bytes, %v", command[1], len(answer), err)
		}
	}
	if err := r.Deselect(ctx); err != nil {
		t.Fatal(err)
	}
	list, err := emv.Read(answer[:len(answer)-2])
	must(t, err)
	ac, _ := list.List.Find(emv.TagCryptogram)
	return ac
}

func TestLiveCryptograms(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{})
		defer d.Close()
		must(t, d.Tap(ctx, visa(), testUID, testATS))
		one := cryptogram(t, ctx, device, reader.Config{}, 1)
		two := cryptogram(t, ctx, device, reader.Config{}, 2)
		if len(one) != 8 || bytes.Equal(one, two) {
			t.Errorf("cryptograms %X and %X", one, two)
		}
		must(t, d.Probe(ctx))
		must(t, d.Leave(ctx))
		if _, err := reader.New(device, reader.Config{}).UID(); !errors.Is(err, reader.ErrNoCard) {
			t.Errorf("after Leave: %v", err)
		}
		var kinds []string
		for range 14 {
			kinds = append(kinds, (<-d.Events()).Kind)
		}
		session := []string{"field-on", "exchange", "exchange", "exchange", "exchange", "exchange", "field-off"}
		if want := slices.Concat(session, session); !slices.Equal(kinds, want) {
			t.Errorf("events %v, want %v", kinds, want)
		}
		must(t, d.Close())
		if _, open := <-d.Events(); open {
			t.Error("Events is open after Close")
		}
	})
}

// Short frames, a number of its own, and losses in the air must change nothing for the application.
func TestReaders(t *testing.T) {
	for name, cfg := range map[string]reader.Config{
		"64 bytes": {FSDI: 5}, "a CID": {CID: 3}, "24 bytes and a CID": {FSDI: 1, CID: 14},
		"losses": {FSDI: 5, Lose: everyThird()},
	} {
		inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
			d := open(t, ctx, line, Config{})
			defer d.Close()
			must(t, d.Tap(ctx, visa(), testUID, testATS))
			if ac := cryptogram(t, ctx, device, cfg, 1); len(ac) != 8 {
				t.Errorf("%s: cryptogram %X", name, ac)
			}
			must(t, d.Leave(ctx))
			if s := d.Stats(); cfg.Lose != nil && s.Repeats == 0 {
				t.Errorf("%s: nothing was lost: %+v", name, s)
			}
		})
	}
}

func everyThird() func([]byte) bool {
	n := 0
	return func([]byte) bool { n++; return n%3 == 0 }
}

func TestLongCommandIsChained(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{})
		defer d.Close()
		var got []byte
		c := &chip{transmit: func(command []byte) []byte { got = command; return append(make([]byte, 256), 0x90, 0x00) }}
		must(t, d.Tap(ctx, c, testUID, testATS))
		r := reader.New(device, reader.Config{})
		ats, err := r.Activate(ctx)
		if err != nil || !bytes.Equal(ats, []byte{6, 0x77, 0x80, 0x70, 2, 0x99}) {
			t.Fatalf("ATS %X, %v", ats, err)
		}
		command := emv.BuildCommand(0, 0xDA, 0, 0, bytes.Repeat([]byte{7}, 255), 0)
		answer, err := r.Transmit(ctx, command)
		if err != nil || len(answer) != 258 || !bytes.Equal(got, command) {
			t.Errorf("%d bytes became %d, answer of %d bytes, %v", len(command), len(got), len(answer), err)
		}
		must(t, d.Leave(ctx))
	})
}

func TestSlowChipIsCovered(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{})
		defer d.Close()
		must(t, d.Tap(ctx, slow(60*time.Millisecond), testUID, testATS))
		r := reader.New(device, reader.Config{})
		_, err := r.Activate(ctx)
		must(t, err)
		for range 3 {
			if answer, err := r.Transmit(ctx, []byte{0, 0xB0, 0, 0, 0}); err != nil || len(answer) != 2 {
				t.Errorf("answer %X, %v", answer, err)
			}
		}
		if s := d.Stats(); s.Extensions == 0 {
			t.Errorf("%+v, want extensions", s)
		}
		must(t, d.Probe(ctx))
		must(t, d.Leave(ctx))
	})
}

func TestChipThatNeverAnswers(t *testing.T) {
	for name, c := range map[string]rigs.Chip{"hangs": slow(time.Minute), "is mute": &chip{transmit: func([]byte) []byte { return nil }}} {
		inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
			d := open(t, ctx, line, Config{})
			must(t, d.Tap(ctx, c, testUID, testATS))
			r := reader.New(device, reader.Config{})
			_, err := r.Activate(ctx)
			must(t, err)
			if _, err := r.Transmit(ctx, []byte{0, 0xB0, 0, 0, 0}); err == nil {
				t.Error("there was an answer")
			}
			begin := time.Now()
			err = d.Leave(ctx)
			if hangs := name == "hangs"; errors.Is(err, ErrSlow) != hangs {
				t.Errorf("%s: Leave = %v", name, err)
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("%s: Leave took %v", name, took)
			}
			if _, err := r.UID(); !errors.Is(err, reader.ErrNoCard) {
				t.Errorf("%s: after Leave: %v", name, err)
			}
			must(t, d.Close())
			<-time.After(2 * time.Minute) // until the chip lets go
		})
	}
}

func TestFaultsOfTheChip(t *testing.T) {
	const pan = "4111111111111111"
	for name, c := range map[string]*chip{
		"panics":    {transmit: func([]byte) []byte { panic("card " + pan) }},
		"too short": {transmit: func([]byte) []byte { return []byte{0x90} }},
		"too long":  {transmit: func([]byte) []byte { return make([]byte, 259) }},
	} {
		inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
			d := open(t, ctx, line, Config{})
			defer d.Close()
			must(t, d.Tap(ctx, c, testUID, testATS))
			r := reader.New(device, reader.Config{})
			_, err := r.Activate(ctx)
			must(t, err)
			if answer, err := r.Transmit(ctx, []byte{0, 0xB0, 0, 0, 0}); err != nil || !bytes.Equal(answer, []byte{0x6F, 0}) {
				t.Errorf("%s: answer %X, %v", name, answer, err)
			}
			for _, err := range []error{d.Probe(ctx), d.Leave(ctx)} {
				fault := (*rigs.Error)(nil)
				if !errors.As(err, &fault) || fault.Instrument != "card" || strings.Contains(err.Error(), pan) {
					t.Errorf("%s: fault is %v", name, err)
				}
			}
			must(t, d.Halt(ctx))
			must(t, d.Probe(ctx))
		})
	}
}

func TestContactIsRefused(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, _ *sim.Device) {
		d := open(t, ctx, line, Config{})
		defer d.Close()
		for need, err := range map[string]error{"chip": d.Insert(ctx, &chip{}), "stripe": d.Swipe(ctx, rigs.Tracks{})} {
			lacks := (*card.CapabilityError)(nil)
			if !errors.As(err, &lacks) || lacks.Need != need || !strings.Contains(err.Error(), "contactless only") {
				t.Errorf("%s: %v", need, err)
			}
		}
		if err := d.Tap(ctx, &chip{}, make([]byte, 8), testATS); !errors.Is(err, card.ErrUID) {
			t.Errorf("UID: %v", err)
		}
		if err := d.Tap(ctx, &chip{}, testUID, []byte{3}); !errors.Is(err, card.ErrATS) {
			t.Errorf("ATS: %v", err)
		}
		must(t, d.Tap(ctx, &chip{}, testUID, testATS))
		if err := d.Tap(ctx, &chip{}, testUID, testATS); !errors.Is(err, ErrNear) {
			t.Errorf("second card: %v", err)
		}
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
	d, err := Open(t.Context(), line, Config{FWI: MaxFWI})
	if err != nil {
		t.Fatal(err)
	}
	must(t, d.Tap(t.Context(), visa(), testUID, testATS))
	if ac := cryptogram(t, t.Context(), device, reader.Config{}, 1); len(ac) != 8 {
		t.Errorf("cryptogram %X", ac)
	}
	must(t, d.Leave(t.Context()))
	must(t, d.Close())
	_ = device.Close()
}
