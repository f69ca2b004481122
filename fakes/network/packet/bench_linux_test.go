package packet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network/packet"
)

// asOwner makes the test binary make a bench and wait to be killed, asProber print its probe.
const (
	asOwner  = "ASSAY_TEST_AS_OWNER"
	asProber = "ASSAY_TEST_AS_PROBER"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asOwner) != "":
		own()
	case os.Getenv(asProber) != "":
		for _, c := range packet.Probe(context.Background()) {
			fmt.Printf("%t %s\n", c.OK, c.Why)
		}
	default:
		os.Exit(m.Run())
	}
}

// own makes a bench with faults armed, says so and waits.
func own() {
	b, err := packet.New(context.Background())
	if err == nil {
		err = errors.Join(b.Arm(packet.Spec{Kind: packet.SYNBlackhole}),
			b.Arm(packet.Spec{Kind: packet.Duplicate}), b.Arm(packet.Spec{Kind: packet.RateLimit, Rate: packet.MaxRate - 1}))
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("made", filepath.Base(b.Namespace(packet.Terminal)))
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
}

// TestTwoBenches: they don't meet.
func TestTwoBenches(t *testing.T) {
	one, other := echoing(t), echoing(t)
	if one.Addr(packet.Host) == other.Addr(packet.Host) {
		t.Errorf("both hosts are %s", one.Addr(packet.Host))
	}
	one.arm(packet.Spec{Kind: packet.Refused})
	ping(t, other.connect(), 10)
	if _, err := one.dial(patience); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
}

// TestAsked: what makes no sense is refused with the reason, and changes nothing.
func TestAsked(t *testing.T) {
	w := echoing(t)
	w.arm(packet.Spec{Kind: packet.RateLimit, Rate: packet.MaxRate})
	w.arm(packet.Spec{Kind: packet.LinkFlap, Down: time.Minute, Times: 1})
	_, dial := w.Dial(t.Context(), packet.Terminal, "localhost:1")
	_, side := w.Dial(t.Context(), "hots", "127.0.0.1:1")
	_, wait := w.Wait(t.Context(), "rat")
	for _, c := range []struct {
		err  error
		want string
	}{
		{w.Arm(packet.Spec{Kind: packet.RateLimit, Rate: packet.MaxRate - 1}), `id "rate" is armed already`},
		{w.Arm(packet.Spec{ID: "2", Kind: packet.RateLimit, Rate: packet.MaxRate - 1}), "another fault queues the packets terminal>host already"},
		{w.Arm(packet.Spec{ID: "3", Kind: packet.LinkFlap}), `fault "link-flap" flaps the link already`},
		{w.Arm(packet.Spec{Kind: "los"}), `did you mean "loss"?`},
		{w.HealOne("rat"), `did you mean "rate"?`},
		{wait, `did you mean "rate"?`},
		{dial, "an IP address and a port are needed"},
		{side, `did you mean "host"?`},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%v, want %q", c.err, c.want)
		}
	}
	if n := len(w.Status()); n != 2 {
		t.Errorf("%d faults, want 2", n)
	}
	if err := errors.Join(w.HealOne("rate"), w.HealOne("rate"), w.Arm(packet.Spec{Kind: packet.RateLimit, Rate: packet.MaxRate - 1})); err != nil {
		t.Errorf("healed and armed again: %v", err)
	}
}

// TestOneWayRates: one rate for each direction.
func TestOneWayRates(t *testing.T) {
	w := echoing(t)
	w.arm(packet.Spec{ID: "up", Kind: packet.RateLimit, Rate: 256_000, Direction: packet.FromTerminal})
	w.arm(packet.Spec{ID: "down", Kind: packet.RateLimit, Rate: packet.MaxRate, Direction: packet.FromHost})
	ping(t, w.connect(), 6_000)
	if err := w.HealOne("up"); err != nil {
		t.Error(err)
	}
	if all := w.Status(); all[0].Healed.IsZero() || !all[1].Healed.IsZero() {
		t.Errorf("%+v", all)
	}
}

// TestWait: it returns when the fault fires, with when; or says that it did not.
func TestWait(t *testing.T) {
	w := echoing(t)
	w.arm(packet.Spec{Kind: packet.Refused})
	ctx, cancel := context.WithTimeout(t.Context(), 3*packet.WatchEvery)
	defer cancel()
	if got, err := w.Wait(ctx, packet.Refused); !errors.Is(err, context.DeadlineExceeded) || !got.Fired.IsZero() {
		t.Errorf("nobody dialled: %+v, %v", got, err)
	}
	if _, err := w.dial(patience); err == nil {
		t.Fatal("not refused")
	}
	if got, err := w.Wait(t.Context(), packet.Refused); err != nil || got.Packets != 1 || got.Fired.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	w.arm(packet.Spec{Kind: packet.SYNBlackhole})
	if err := w.Heal(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Wait(t.Context(), packet.SYNBlackhole); err == nil || !strings.Contains(err.Error(), "healed before it fired") {
		t.Errorf("%v", err)
	}
}

// TestFaultsTogether: late and every second one lost, each by its own mechanism.
func TestFaultsTogether(t *testing.T) {
	w := echoing(t)
	conn := w.connect()
	w.arm(packet.Spec{Kind: packet.Delay, By: 20 * time.Millisecond, Mechanism: packet.TUN})
	w.arm(packet.Spec{Kind: packet.Loss, Every: 2, Direction: packet.FromTerminal})
	w.arm(packet.Spec{Kind: packet.Duplicate, Direction: packet.FromHost})
	for range 3 {
		if took := ping(t, conn, 10); took < 40*time.Millisecond {
			t.Errorf("ping took %v", took)
		}
	}
	w.healed()
	for _, s := range w.Status() {
		if s.Packets == 0 {
			t.Errorf("%s has not fired", s.ID)
		}
	}
}

// TestClosed: a closed bench says so.
func TestClosed(t *testing.T) {
	w := echoing(t)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Arm(packet.Spec{Kind: packet.Refused}); !errors.Is(err, packet.ErrClosed) {
		t.Errorf("arm: %v", err)
	}
	if _, err := w.dial(patience); !errors.Is(err, packet.ErrClosed) {
		t.Errorf("dial: %v", err)
	}
}

// TestNoIPv6: nothing of its own accord is on the links.
func TestNoIPv6(t *testing.T) {
	b := bench(t)
	err := b.Inside(packet.Terminal, func() error {
		all, err := net.InterfaceAddrs()
		for _, a := range all {
			if ip := a.(*net.IPNet).IP; ip.To4() == nil {
				t.Errorf("%v", a)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
