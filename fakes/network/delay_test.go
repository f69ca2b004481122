package network_test

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

const minute = time.Minute

func late(by time.Duration) client.Fault {
	return client.Fault{ID: "late", Kind: "delay", Message: client.Select{MTI: "0210", Nth: 1}, By: by}
}

func TestDelayIsExactAndKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory(), nil)
		terminal, host := w.connect(t)
		_ = terminal.SetDeadline(time.Time{})
		_ = host.SetDeadline(time.Time{})
		w.arm(t, late(minute))
		begin := time.Now()
		send(t, host, "0210000001")
		send(t, host, "0810000002")
		send(t, terminal, "0400000003") // the other direction goes on
		receive(t, host, "0400000003")
		if took := time.Since(begin); took != 0 {
			t.Errorf("the other direction took %v", took)
		}
		receive(t, terminal, "0210000001")
		if took := time.Since(begin); took != minute {
			t.Errorf("delivered after %v, want exactly %v", took, minute)
		}
		receive(t, terminal, "0810000002")
		e := w.events.wait(t, "delivered 1 host>terminal 0210 000001")
		held := w.events.wait(t, "message 1 host>terminal 0210 000001 held")
		if d := e.At.Sub(held.At); d != minute {
			t.Errorf("events are %v apart", d)
		}
	})
}

func TestDelayOnTCP(t *testing.T) {
	w := newWorld(t, loopback(), nil)
	terminal, host := w.connect(t)
	const by = 50 * time.Millisecond
	w.arm(t, late(by))
	begin := time.Now()
	send(t, host, "0210000001")
	receive(t, terminal, "0210000001")
	if took := time.Since(begin); took < by {
		t.Errorf("delivered after %v, want %v or more", took, by)
	}
}

func TestHealDeliversWhatIsHeld(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		terminal, host := w.connect(t)
		w.arm(t, late(10*minute))
		send(t, host, "0210000001")
		w.events.wait(t, "fired late 1")
		w.heal(t)
		receive(t, terminal, "0210000001") // within the test's patience, much less than the delay
	})
}

func TestHeldMessageIsLostWithItsConnection(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		terminal, host := w.connect(t)
		w.arm(t, late(10*minute))
		send(t, host, "0210000001")
		w.events.wait(t, "fired late 1")
		_ = terminal.(interface{ SetLinger(int) error }).SetLinger(0)
		_ = terminal.Close()
		mustFail(t, "host", host, syscall.ECONNRESET)
		w.events.wait(t, "closed 1 reset by terminal")
	})
}
