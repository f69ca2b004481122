package network_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
)

// Any fault is removed at once while neither side reads and the wires are full. What
// toxiproxy gets wrong besides is shown elsewhere: half-close in TestHalfClosePassesOn, a reset of an open
// connection in TestReset, a refused connect in TestRefuse.
func TestHealWhileNobodyReads(t *testing.T) {
	for _, kind := range client.Kinds() {
		t.Run(kind, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				terminal, host := w.connect(t)
				e := exhibits[kind][0]
				e.fault.ID, e.fault.Kind = "it", kind
				w.arm(t, e.fault)
				for _, c := range []net.Conn{terminal, host} {
					go func() { // more than a wire holds, where nobody takes it
						f := slices.Concat(frame(t, request), frame(t, response), frame(t, "0800000001"+strings.Repeat("x", 900)))
						for range 10_000 {
							if _, err := c.Write(f); err != nil {
								return
							}
						}
					}()
				}
				<-time.After(20 * time.Millisecond)
				begin := time.Now()
				w.heal(t)
				if took := time.Since(begin); took > time.Second {
					t.Errorf("healing took %v", took)
				}
				again, hostAgain := w.connect(t)
				ask(t, again, hostAgain)
				_, _ = terminal.Close(), host.Close()
			})
		})
	}
}

// descriptors counts the process's open files.
func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("open files are counted in /proc/self/fd, which this system does not have:", err)
	}
	return len(all)
}

func TestTenThousandConnectionsLeaveNothing(t *testing.T) {
	w := newWorld(t, loopback(), nil)
	w.events.stop()
	hosts := make(chan net.Conn, 100)
	go func() {
		for {
			c, err := w.host.Accept()
			if err != nil {
				close(hosts)
				return
			}
			hosts <- c
		}
	}()
	w.arm(t, client.Fault{ID: "cut", Kind: "reset", Message: client.Select{MTI: "0210"}})
	begin := make(map[bool]int)
	for round := range 101 {
		if round == 1 { // what is made once, is there now
			begin[false], begin[true] = settled(t, 1<<30, runtime.NumGoroutine), settled(t, 1<<30, func() int { return descriptors(t) })
		}
		for range 100 {
			terminal := w.dialTerminal(t)
			host := <-hosts
			_ = host.SetDeadline(time.Now().Add(patience))
			_ = terminal.SetDeadline(time.Now().Add(patience))
			ask(t, terminal, host)
			send(t, host, response)
			mustFail(t, "terminal", terminal, syscall.ECONNRESET)
			_, _ = terminal.Close(), host.Close()
		}
	}
	if n := settled(t, begin[false], runtime.NumGoroutine); n > begin[false] {
		t.Errorf("%d goroutines, %d before", n, begin[false])
	}
	if n := settled(t, begin[true], func() int { return descriptors(t) }); n > begin[true] {
		t.Errorf("%d descriptors, %d before", n, begin[true])
	}
	if n := w.fired(t, "cut"); n != 10_100 {
		t.Errorf("fired %d times", n)
	}
}

// settled counts until the number is no more than wanted, or does not change for a while.
func settled(t *testing.T, wanted int, count func() int) int {
	t.Helper()
	n := count()
	for range 100 {
		<-time.After(10 * time.Millisecond)
		if n = count(); n <= wanted && wanted < 1<<30 {
			return n
		}
	}
	return n
}

// The same seed and the same conversation give the same faults, whatever the timing, and another seed
// gives others.
func TestSeedDecides(t *testing.T) {
	converse := func(t *testing.T, seed int64, pace time.Duration) string {
		var pattern string
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, memory(), nil)
			plan := client.Plan{Seed: seed, Faults: []client.Fault{
				{ID: "lost", Kind: "drop", Message: client.Select{MTI: "0200"}, Probability: 0.4},
				{ID: "changed", Kind: "rewrite", Message: client.Select{MTI: "0200"}, Field: "39", Value: "x", Probability: 0.5},
			}}
			if err := w.server.Arm(t.Context(), plan); err != nil {
				t.Fatal(err)
			}
			terminal, host := w.connect(t)
			for i := range 20 {
				<-time.After(pace * time.Duration(i%3))
				send(t, terminal, fmt.Sprintf("0200%06d as it was", i))
			}
			closeWrite(t, terminal)
			for {
				m, err := framing.ReadFrame(host)
				if err != nil {
					break
				}
				pattern += string(m[4:11]) + ";"
			}
			if s := w.server.Status(); s[0].Seed != seed {
				t.Errorf("status: %+v", s)
			}
		})
		return pattern
	}
	want := converse(t, 42, 0)
	for run := range 100 {
		if got := converse(t, 42, time.Duration(run)*time.Millisecond); got != want {
			t.Fatalf("run %d: %s\nwant %s", run, got, want)
		}
	}
	if n := strings.Count(want, ";"); n < 5 || n > 18 || !strings.Contains(want, "x") || !strings.Contains(want, " ") {
		t.Errorf("not a chance of 0.4 and 0.5: %s", want)
	}
	if converse(t, 43, 0) == want {
		t.Error("another seed gives the same")
	}
}

func TestSeedOfItsOwnIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.arm(t, client.Fault{ID: "maybe", Kind: "drop", Message: client.Select{MTI: "0200"}, Probability: 0.5},
			client.Fault{ID: "always", Kind: "drop", Message: client.Select{MTI: "0400"}})
		s := w.server.Status()
		if s[0].Seed == 0 || s[1].Seed != 0 {
			t.Errorf("%+v", s)
		}
		if e := w.events.wait(t, "armed maybe"); e.Fields["seed"] != fmt.Sprint(s[0].Seed) {
			t.Errorf("%v", e.Fields)
		}
	})
}

// TestDelayError measures how exact a delay is. The bound is generous: the machine may be busy.
func TestDelayError(t *testing.T) {
	w := newWorld(t, loopback(), nil)
	w.events.stop()
	const by, rounds = 5 * time.Millisecond, 100
	w.arm(t, client.Fault{ID: "late", Kind: "delay", Message: client.Select{MTI: "0210"}, By: by})
	terminal, host := w.connect(t)
	var errs []time.Duration
	for range rounds {
		begin := time.Now()
		send(t, host, response)
		receive(t, terminal, response)
		errs = append(errs, time.Since(begin)-by)
	}
	slices.Sort(errs)
	t.Logf("delays of %v: p50 +%v, p99 +%v", by, errs[rounds/2], errs[rounds*99/100])
	if errs[0] < 0 || errs[rounds/2] > 100*time.Millisecond {
		t.Errorf("least %v, median %v", errs[0], errs[rounds/2])
	}
}

// Two uplinks: the primary dies between request and reversal; the terminal's reversal goes over the
// backup, once, with the original's trace number.
func TestFailover(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		backup := w.addUplink(t)
		w.arm(t, client.Fault{ID: "dead", Kind: "down", Uplink: "primary", Message: ofTheSale, When: "after"})
		terminal, host := w.connect(t)
		ask(t, terminal, host)
		mustFail(t, "terminal", terminal, syscall.ECONNRESET) // the outcome is unknown: reverse
		w.events.wait(t, "fired dead")
		if _, err := w.dial(t.Context(), w.server.Addr("primary").String()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("primary: %v", err)
		}
		again, err := w.dial(t.Context(), w.server.Addr("backup").String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = again.Close() }()
		_ = again.SetDeadline(time.Now().Add(patience))
		send(t, again, "0400000001reversal")
		over, err := backup.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = over.Close() }()
		_ = over.SetDeadline(time.Now().Add(patience))
		receive(t, over, "0400000001reversal")
		send(t, over, "0410000001done")
		receive(t, again, "0410000001done")
		seesNothing(t, over)
		if e := w.events.wait(t, "message 2 terminal>host 0400 000001 passed"); e.Fields["uplink"] != "backup" {
			t.Errorf("%v", e.Fields)
		}
		if e := w.events.wait(t, "message 1 terminal>host 0200 000001 down"); e.Fields["uplink"] != "primary" {
			t.Errorf("%v", e.Fields)
		}
	})
}

var ofTheSale = client.Select{MTI: "0200", Direction: client.FromTerminal, STAN: "000001"}

// addUplink starts the world's injector anew with a backup, and returns the host behind that.
func (w *world) addUplink(t *testing.T) net.Listener {
	t.Helper()
	backup, err := w.listen("")
	if err != nil {
		t.Fatal(err)
	}
	two := newWorld(t, w.wires, func(c *network.Config) {
		dial := c.Uplinks[0].SelfDial
		second := w.uplink("backup", backup)
		second.SelfDial = func(ctx context.Context) (net.Conn, error) { return dial(ctx) }
		c.Uplinks = append(c.Uplinks, second)
	})
	t.Cleanup(func() { _ = backup.Close() })
	*w = *two
	return backup
}
