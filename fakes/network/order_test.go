package network_test

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// What waits for a next message that never comes is let go when its direction ends, and the fault says
// that it could not show itself.
func TestKeptMessageIsLetGoAtTheEnd(t *testing.T) {
	for _, kind := range []string{"swap", "coalesce"} {
		t.Run(kind, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				w.arm(t, client.Fault{ID: "it", Kind: kind, Message: onResponse})
				terminal, host := w.connect(t)
				ask(t, terminal, host)
				send(t, host, response)
				w.events.wait(t, "message 1 host>terminal 0210")
				closeWrite(t, host)
				receive(t, terminal, response)
				mustFail(t, "terminal", terminal, io.EOF)
				w.events.wait(t, "unproven it")
				if n := w.fired(t, "it"); n != 0 {
					t.Errorf("fired %d times", n)
				}
			})
		})
	}
}

// A fault for many MTIs acts in its place in the plan's order, before and behind those for one.
func TestOrderOfPatternAndMTI(t *testing.T) {
	pattern := client.Fault{ID: "pattern", Kind: "drop", Message: client.Select{MTI: "02??", Nth: 2}}
	exact := client.Fault{ID: "exact", Kind: "duplicate", Message: onResponse}
	for name, c := range map[string]struct {
		faults []client.Fault
		want   string
	}{
		"pattern first": {[]client.Fault{pattern, exact}, "pattern"},
		"exact first":   {[]client.Fault{exact, pattern}, "exact"},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				w.arm(t, c.faults...)
				terminal, host := w.connect(t)
				ask(t, terminal, host) // the first of 02??
				send(t, host, response)
				w.events.wait(t, "fired "+c.want)
				for _, f := range c.faults {
					if n := w.fired(t, f.ID); (n == 1) != (f.ID == c.want) {
						t.Errorf("%s fired %d times", f.ID, n)
					}
				}
			})
		})
	}
}

// Who reset the connection can be told from the tap.
func TestTapSeesWhoReset(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		tap := w.tapped(t)
		terminal, host := w.connect(t)
		ask(t, terminal, host)
		_ = terminal.(interface{ SetLinger(int) error }).SetLinger(0)
		_ = terminal.Close()
		mustFail(t, "host", host, syscall.ECONNRESET)
		w.events.wait(t, "closed 1")
		lines := strings.Split(tap.String(), "\n")
		if !strings.Contains(lines[0], "ended sent=false reset=true") || strings.Contains(lines[0], "sent=true reset=true") {
			t.Errorf("the terminal reset, but %s", lines[0])
		}
		if !strings.Contains(lines[1], "ended sent=true reset=true") {
			t.Errorf("the host was reset, but %s", lines[1])
		}
	})
}

// Chance does not depend on which direction's messages come first.
func TestSeedDecidesForEachDirection(t *testing.T) {
	converse := func(t *testing.T, pause [2]time.Duration) (pattern [2]string) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, memory(), nil)
			fault := client.Fault{ID: "lost", Kind: "drop", Message: client.Select{MTI: "0800"}, Probability: 0.5}
			if err := w.server.Arm(t.Context(), client.Plan{Seed: 5, Faults: []client.Fault{fault}}); err != nil {
				t.Fatal(err)
			}
			terminal, host := w.connect(t)
			_, _ = terminal.SetDeadline(time.Time{}), host.SetDeadline(time.Time{})
			var done sync.WaitGroup
			for i, c := range []io.ReadWriter{terminal, host} {
				done.Go(func() {
					for n := range 20 {
						<-time.After(pause[i])
						_, _ = c.Write(frame(t, fmt.Sprintf("0800%06d", n)))
					}
				})
				done.Go(func() {
					for {
						m, err := framing.ReadFrame(c)
						if err != nil {
							return
						}
						pattern[i] += string(m[8:]) + " "
					}
				})
			}
			<-time.After(time.Minute)
			_, _ = terminal.Close(), host.Close()
			done.Wait()
		})
		return pattern
	}
	want := converse(t, [2]time.Duration{time.Second, 2 * time.Second})
	if got := converse(t, [2]time.Duration{2 * time.Second, time.Second}); got != want || want[0] == "" || want[1] == "" {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
