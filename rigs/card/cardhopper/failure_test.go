package cardhopper

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	sim "github.com/assay-hil/assay/fakes/bench/cardhopper"
	"github.com/assay-hil/assay/fakes/bench/reader"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// taps is a whole use of the emulator with a terminal that gets one answer; its error is the first.
func taps(ctx context.Context, line *serial.Line, device *sim.Device) error {
	d, err := Open(ctx, line, Config{})
	if err != nil {
		return err
	}
	defer d.Close()
	for _, step := range []func() error{
		func() error { return d.Tap(ctx, &chip{}, testUID, testATS) },
		func() error {
			r := reader.New(device, reader.Config{})
			if _, err := r.Activate(ctx); err != nil {
				return nil // what the terminal sees is no verdict on the rig
			}
			_, _ = r.Transmit(ctx, []byte{0, 0xB0, 0, 0, 0})
			return nil
		},
		func() error { return d.Probe(ctx) },
		func() error { return d.Leave(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// patience is more than any use of a dead emulator may take.
const patience = 10 * time.Second

func TestDeadAtEachStep(t *testing.T) {
	const packets = 13 // of a whole use: six to find the mode, five for the card, one answer, one to end
	for n := -1; n <= packets; n++ {
		if n == 0 {
			continue
		}
		inBubble(t, sim.Faults{SilentAfter: n}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
			begin := time.Now()
			err := taps(ctx, line, device)
			fault := (*rigs.Error)(nil)
			if n < packets && (!errors.Is(err, rigs.ErrNoAnswer) || !errors.As(err, &fault) || fault.Instrument != "card") {
				t.Errorf("dead after %d packets: %v", n, err)
			}
			if n == packets && err != nil {
				t.Errorf("a whole use takes more than %d packets: %v", packets, err)
			}
			if took := time.Since(begin); took > patience {
				t.Errorf("dead after %d packets: took %v", n, took)
			}
		})
	}
}

func TestRefusedPacket(t *testing.T) {
	inBubble(t, sim.Faults{RefuseAt: 9}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		if err := taps(ctx, line, device); !errors.Is(err, ErrRefused) {
			t.Errorf("%v, want ErrRefused", err)
		}
	})
}

// An earlier host died in the middle of a packet, or with a card in the field.
func TestWhatAnEarlierHostLeft(t *testing.T) {
	card := "\x04CARD\x01\x0b\x02\x07\x00\x07\x04\x01\x02\x03\x04\x05\x06\x05\x05\x77\x80\x70\x02"
	for name, left := range map[string]string{
		"nothing": "", "a length": "\xff", "a cut packet": "\x04CA", "a long cut packet": "\xc8CARD", "a card": card, "a cut card": card[:9],
	} {
		inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
			if left != "" {
				must(t, line.Write(ctx, []byte(left)))
			}
			synctest.Wait()
			if err := taps(ctx, line, device); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			synctest.Wait() // the Proxmark marks the packet before it changes its mode
			if modes := device.Modes(); len(modes) == 0 || modes[len(modes)-1] != "out" {
				t.Errorf("%s: the card is still in the field: %v", name, modes)
			}
		})
	}
}

// An earlier host died while the Proxmark held a terminal: RESTART becomes the answer to its frame.
func TestTerminalHeldByAnEarlierHost(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		must(t, line.Write(ctx, []byte("\x04CARD\x01\x0b\x02\x07\x00\x04\x01\x02\x03\x04\x05\x05\x77\x80\x70\x02")))
		synctest.Wait()
		r := reader.New(device, reader.Config{})
		_, err := r.Activate(ctx)
		must(t, err)
		_, _ = r.Transmit(ctx, []byte{0, 0xB0, 0, 0, 0})
		must(t, taps(ctx, line, device))
	})
}

// The card is taken out while the terminal's frames keep coming.
func TestLeaveInTheMiddle(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{})
		defer d.Close()
		for range 20 {
			must(t, d.Tap(ctx, slow(5*time.Millisecond), testUID, testATS))
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				r := reader.New(device, reader.Config{})
				if _, err := r.Activate(ctx); err != nil {
					return
				}
				for {
					if _, err := r.Transmit(ctx, []byte{0, 0xB0, 0, 0, 0}); err != nil {
						return
					}
				}
			}()
			<-time.After(13 * time.Millisecond)
			must(t, d.Leave(ctx))
			<-gone
			if _, err := reader.New(device, reader.Config{}).UID(); !errors.Is(err, reader.ErrNoCard) {
				t.Fatalf("after Leave: %v", err)
			}
		}
	})
}

func TestFirmwareThatWaitsAfterRATS(t *testing.T) {
	for _, c := range []struct{ waits, answers, works bool }{{true, true, true}, {true, false, false}, {false, true, true}} {
		inBubble(t, sim.Faults{WaitsAfterRATS: c.waits}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
			d := open(t, ctx, line, Config{AnswerRATS: c.answers})
			defer d.Close()
			must(t, d.Tap(ctx, &chip{}, testUID, testATS))
			r := reader.New(device, reader.Config{})
			_, err := r.Activate(ctx)
			must(t, err)
			if _, err := r.Transmit(ctx, []byte{0, 0xB0, 0, 0, 0}); (err == nil) != c.works {
				t.Errorf("%+v: %v", c, err)
			}
			must(t, d.Leave(ctx))
		})
	}
}

func TestLateAnswerIsAFaultOfTheRig(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{})
		defer d.Close()
		err := d.do(ctx, "test", func(ctx context.Context, o *owner) error {
			o.owed = time.Now().Add(-time.Second)
			o.reply(ctx, []byte{0x02})
			return o.session()
		})
		if !errors.Is(err, ErrLate) {
			t.Errorf("%v, want ErrLate", err)
		}
	})
}

func TestContextAndLossEndTheWait(t *testing.T) {
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
		d := open(t, ctx, line, Config{})
		short, cancel := context.WithCancel(ctx)
		cancel()
		if err := d.Tap(short, &chip{}, testUID, testATS); !errors.Is(err, context.Canceled) {
			t.Errorf("Tap = %v", err)
		}
		must(t, d.Probe(ctx))
		must(t, device.Close())
		if err := d.Probe(ctx); !errors.Is(err, rigs.ErrLost) {
			t.Errorf("Probe = %v", err)
		}
		must(t, d.Close())
		if err := d.Probe(ctx); !errors.Is(err, rigs.ErrClosed) {
			t.Errorf("Probe after Close = %v", err)
		}
	})
	inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, _ *sim.Device) {
		if _, err := Open(ctx, line, Config{FWI: 15}); !errors.Is(err, ErrFWI) {
			t.Errorf("FWI 15: %v", err)
		}
	})
}

// A mark that is lost means a rig that can't be trusted: never a wait without end, never silence about it.
func TestLostMarks(t *testing.T) {
	for n := 2; n <= 13; n++ {
		inBubble(t, sim.Faults{DropEvery: n}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
			begin := time.Now()
			err := taps(ctx, line, device)
			if fault := (*rigs.Error)(nil); err != nil && (!errors.Is(err, rigs.ErrNoAnswer) || !errors.As(err, &fault)) {
				t.Errorf("every %dth: %v", n, err)
			}
			if took := time.Since(begin); took > patience {
				t.Errorf("every %dth: took %v", n, took)
			}
		})
	}
}

// The line dies in the middle of whatever the driver does, and nothing waits for it.
func TestPulledInTheMiddle(t *testing.T) {
	for n := range 12 {
		inBubble(t, sim.Faults{}, func(t *testing.T, ctx context.Context, line *serial.Line, device *sim.Device) {
			time.AfterFunc(time.Duration(n)*5*time.Millisecond, func() { _ = device.Close() })
			d, err := Open(ctx, line, Config{})
			if err != nil {
				return // pulled before the first word
			}
			err = d.Tap(ctx, slow(20*time.Millisecond), testUID, testATS)
			r := reader.New(device, reader.Config{})
			if _, failed := r.Activate(ctx); failed == nil {
				_, _ = r.Transmit(ctx, []byte{0, 0xB0, 0, 0, 0})
			}
			<-time.After(time.Second)
			if err == nil {
				err = d.Probe(ctx)
			}
			if !errors.Is(err, rigs.ErrLost) {
				t.Errorf("pulled after %d ms: %v", n*5, err)
			}
			must(t, d.Close())
		})
	}
}
