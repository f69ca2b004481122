package network_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// exhibit shows a kind of fault: it is armed, and the conversation on an open connection ends in what
// terminal and host must see.
type exhibit struct {
	name  string
	fault client.Fault
	show  func(t *testing.T, w *world, terminal, host net.Conn)
	// fired is how often it must have acted; 0 stands for once.
	fired int
}

const request, response, next = "0200000001request", "0210000001response", "0810000002next"

// onResponse picks the response, onRequest the request.
var (
	onRequest  = client.Select{MTI: "0200"}
	onResponse = client.Select{MTI: "0210"}
)

// exhibits are at least one of every kind, by kind.
var exhibits = map[string][]exhibit{
	"close":        closeExhibits,
	"close-after":  closeAfterExhibits,
	"coalesce":     {{fault: client.Fault{Message: onResponse}, show: showCoalesce}},
	"corrupt":      corruptExhibits,
	"delay":        {{fault: client.Fault{Message: onResponse, By: 30 * time.Millisecond}, show: showDelay}},
	"down":         downExhibits,
	"dribble":      {{fault: client.Fault{Message: onResponse, Bytes: 3, Pause: 5 * time.Millisecond}, show: showDribble}},
	"drop":         {{fault: client.Fault{Message: onResponse}, show: showDrop}},
	"duplicate":    duplicateExhibits,
	"half-close":   halfCloseExhibits,
	"junk":         junkExhibits,
	"late":         {{fault: client.Fault{Message: onResponse, By: 50 * time.Millisecond}, show: showLate}},
	"refuse":       {{fault: client.Fault{}, show: showRefuse}},
	"replay":       replayExhibits,
	"reset":        resetExhibits,
	"rewrite":      rewriteExhibits,
	"silence":      silenceExhibits,
	"split":        splitExhibits,
	"stop-reading": stopReadingExhibits,
	"swap":         {{fault: client.Fault{Message: onResponse}, show: showSwap}},
	"truncate":     truncateExhibits,
	"wrong-length": wrongLengthExhibits,
}

// TestEveryKind shows every fault of the vocabulary, in memory and over TCP: armed, fired, seen as it
// is said to be, healed.
func TestEveryKind(t *testing.T) {
	for _, kind := range client.Kinds() {
		if len(exhibits[kind]) == 0 {
			t.Errorf("%s: nothing shows it", kind)
		}
		for _, e := range exhibits[kind] {
			t.Run(kind+e.name, func(t *testing.T) {
				onBoth(t, func(t *testing.T, w *world) {
					terminal, host := w.connect(t)
					e.fault.ID, e.fault.Kind = "it", kind
					w.arm(t, e.fault)
					w.events.wait(t, "armed it")
					e.show(t, w, terminal, host)
					w.events.wait(t, "fired it")
					if n := w.fired(t, "it"); n != max(e.fired, 1) {
						t.Errorf("fired %d times, want %d", n, max(e.fired, 1))
					}
					w.heal(t)
					w.events.wait(t, "healed it")
					again, hostAgain := w.connect(t)
					send(t, again, request)
					receive(t, hostAgain, request)
					send(t, hostAgain, response)
					receive(t, again, response)
				})
			})
		}
	}
}

// ask sends the request on its undisturbed way.
func ask(t *testing.T, terminal, host net.Conn) {
	t.Helper()
	send(t, terminal, request)
	receive(t, host, request)
}

// sees reads exactly these bytes.
func sees(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v; want %q", got[:n], err, want)
	}
}

// seesNothing waits a moment: nothing comes, not even an end.
func seesNothing(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	mustFail(t, "in silence", c, os.ErrDeadlineExceeded)
	_ = c.SetReadDeadline(time.Now().Add(patience))
}

func showDrop(t *testing.T, _ *world, terminal, host net.Conn) {
	ask(t, terminal, host)
	send(t, host, response)
	send(t, host, next)
	receive(t, terminal, next)
	seesNothing(t, terminal)
}

func showDelay(t *testing.T, _ *world, terminal, host net.Conn) {
	begin := time.Now()
	send(t, host, response)
	send(t, host, next)
	receive(t, terminal, response)
	if took := time.Since(begin); took < 30*time.Millisecond {
		t.Errorf("delivered after %v", took)
	}
	receive(t, terminal, next)
}

func showLate(t *testing.T, _ *world, terminal, host net.Conn) {
	begin := time.Now()
	send(t, host, response)
	send(t, host, next)
	receive(t, terminal, next)
	closeWrite(t, host) // the late one still comes before the end
	receive(t, terminal, response)
	if took := time.Since(begin); took < 50*time.Millisecond {
		t.Errorf("delivered after %v", took)
	}
	mustFail(t, "terminal", terminal, io.EOF)
}

func showSwap(t *testing.T, _ *world, terminal, host net.Conn) {
	send(t, host, response)
	send(t, host, next)
	receive(t, terminal, next)
	receive(t, terminal, response)
}

func showCoalesce(t *testing.T, _ *world, terminal, host net.Conn) {
	send(t, host, response)
	seesNothing(t, terminal)
	send(t, host, next)
	all := make([]byte, 1000)
	n, err := terminal.Read(all)
	want := string(frame(t, response)) + string(frame(t, next))
	if string(all[:n]) != want || err != nil {
		t.Errorf("one read gave %q, %v; want %q", all[:n], err, want)
	}
}

var duplicateExhibits = []exhibit{
	{name: " at once", fault: client.Fault{Message: onResponse, Times: 2}, show: func(t *testing.T, _ *world, terminal, host net.Conn) {
		send(t, host, response)
		send(t, host, next)
		for _, want := range []string{response, response, response, next} {
			receive(t, terminal, want)
		}
	}},
	{name: " later", fault: client.Fault{Message: onResponse, By: 50 * time.Millisecond}, show: func(t *testing.T, _ *world, terminal, host net.Conn) {
		begin := time.Now()
		send(t, host, response)
		send(t, host, next)
		for _, want := range []string{response, next, response} {
			receive(t, terminal, want)
		}
		if took := time.Since(begin); took < 50*time.Millisecond {
			t.Errorf("the copy came after %v", took)
		}
	}},
	{name: " request", fault: client.Fault{Message: onRequest}, show: func(t *testing.T, _ *world, terminal, host net.Conn) {
		send(t, terminal, request)
		receive(t, host, request)
		receive(t, host, request)
	}},
}

var replayExhibits = []exhibit{
	{name: " own", fault: client.Fault{Message: client.Select{MTI: "0210", Nth: 2}}, show: func(t *testing.T, _ *world, terminal, host net.Conn) {
		send(t, host, response)
		receive(t, terminal, response)
		send(t, host, "0210000002second")
		receive(t, terminal, response)
		receive(t, terminal, "0210000002second")
	}},
	{name: " another", fault: client.Fault{Message: client.Select{MTI: "0410"}, Old: "0210"}, show: func(t *testing.T, w *world, terminal, host net.Conn) {
		send(t, host, response)
		receive(t, terminal, response)
		later, hostLater := w.connect(t) // on whichever connection it was
		send(t, hostLater, "0410000003reversed")
		receive(t, later, response)
		receive(t, later, "0410000003reversed")
	}},
}

func showDribble(t *testing.T, _ *world, terminal, host net.Conn) {
	begin := time.Now()
	send(t, host, response)
	p := make([]byte, 100)
	if n, err := terminal.Read(p); n != 3 || err != nil {
		t.Errorf("first read: %q, %v", p[:n], err)
	}
	sees(t, terminal, string(frame(t, response))[3:])
	if took, pieces := time.Since(begin), (len(response)+2+2)/3; took < time.Duration(pieces-1)*5*time.Millisecond {
		t.Errorf("%d pieces came within %v", pieces, took)
	}
}

var splitExhibits = []exhibit{
	{name: " in the length", fault: client.Fault{Message: onResponse, Pause: 50 * time.Millisecond}, show: showSplit(1)},
	{name: " elsewhere", fault: client.Fault{Message: onResponse, At: "after-mti", Pause: 50 * time.Millisecond}, show: showSplit(6)},
}

func showSplit(at int) func(t *testing.T, w *world, terminal, host net.Conn) {
	return func(t *testing.T, _ *world, terminal, host net.Conn) {
		begin := time.Now()
		send(t, host, response)
		all := string(frame(t, response))
		p := make([]byte, 100)
		if n, err := terminal.Read(p); string(p[:n]) != all[:at] || err != nil {
			t.Errorf("first read: %q, %v", p[:n], err)
		}
		sees(t, terminal, all[at:])
		if took := time.Since(begin); took < 50*time.Millisecond {
			t.Errorf("both parts came within %v", took)
		}
	}
}

var junkExhibits = []exhibit{
	{name: " usual", fault: client.Fault{Message: onResponse}, show: func(t *testing.T, _ *world, terminal, host net.Conn) {
		send(t, host, response)
		sees(t, terminal, "\x00\x00\x00\x00"+string(frame(t, response)))
	}},
	{name: " own", fault: client.Fault{Message: onRequest, Junk: "48545450"}, show: func(t *testing.T, _ *world, terminal, host net.Conn) {
		send(t, terminal, request)
		sees(t, host, "HTTP"+string(frame(t, request)))
	}},
}

var rewriteExhibits = []exhibit{
	{name: " STAN", fault: client.Fault{Message: onResponse, Field: "11", Value: "999999"}, show: becomes("0210999999response")},
	{name: " MTI", fault: client.Fault{Message: onResponse, Field: "mti", Value: "0230"}, show: becomes("0230000001response")},
	{name: " another length", fault: client.Fault{Message: onResponse, Field: "39", Value: "05"}, show: becomes("021000000105")},
}

var corruptExhibits = []exhibit{
	{name: " bit", fault: client.Fault{Message: onResponse, At: "value:39"}, show: becomes("0210000001sesponse")},
	{name: " byte", fault: client.Fault{Message: onResponse, At: "last", Mask: "FF"}, show: becomes("0210000001respons\x9a")},
	{name: " MTI", fault: client.Fault{Message: onResponse, At: "after-length", Mask: "08"}, show: becomes("8210000001response")},
}

// becomes says what the response arrives as; what follows it is untouched.
func becomes(want string) func(t *testing.T, w *world, terminal, host net.Conn) {
	return func(t *testing.T, _ *world, terminal, host net.Conn) {
		send(t, host, response)
		send(t, host, next)
		receive(t, terminal, want)
		receive(t, terminal, next)
	}
}

var wrongLengthExhibits = []exhibit{
	{name: " zero", fault: client.Fault{Message: onResponse, Length: "zero"}, show: announces("\x00\x00")},
	{name: " short", fault: client.Fault{Message: onResponse, Length: "short"}, show: announces("\x00\x11")},
	{name: " long", fault: client.Fault{Message: onResponse, Length: "long"}, show: announces("\x00\x13")},
	{name: " huge", fault: client.Fault{Message: onResponse, Length: "huge"}, show: announces("\xff\xff")},
}

func announces(length string) func(t *testing.T, w *world, terminal, host net.Conn) {
	return func(t *testing.T, _ *world, terminal, host net.Conn) {
		send(t, host, response)
		sees(t, terminal, length+response)
	}
}

// truncated are the places of a cut, by how many bytes of the response's frame arrive.
var truncated = map[string]int{"0": 0, "1": 1, "2": 2, "after-length": 2, "after-mti": 6, "field:11": 6, "field:39": 12, "last": 19, "last-1": 18}

var truncateExhibits = func() (all []exhibit) {
	for at, n := range truncated {
		part := func(t *testing.T) string { return string(frame(t, response))[:n] }
		for then, see := range map[string]func(t *testing.T, w *world, terminal, host net.Conn){
			"stall": func(t *testing.T, w *world, terminal, host net.Conn) {
				sees(t, terminal, part(t))
				seesNothing(t, terminal)
				send(t, terminal, request) // the other direction goes on
				receive(t, host, request)
				w.heal(t)
				sees(t, terminal, string(frame(t, response))[n:])
			},
			"close": func(t *testing.T, _ *world, terminal, host net.Conn) {
				sees(t, terminal, part(t))
				mustFail(t, "terminal", terminal, io.EOF)
				mustFail(t, "host", host, io.EOF)
			},
			"reset": func(t *testing.T, _ *world, terminal, host net.Conn) {
				sees(t, terminal, part(t))
				mustFail(t, "terminal", terminal, syscall.ECONNRESET)
				mustFail(t, "host", host, syscall.ECONNRESET)
			},
		} {
			all = append(all, exhibit{name: " at " + at + " then " + then, fault: client.Fault{Message: onResponse, At: at, Then: then},
				show: func(t *testing.T, w *world, terminal, host net.Conn) {
					send(t, host, response)
					see(t, w, terminal, host)
				}})
		}
	}
	return all
}()

func showRefuse(t *testing.T, w *world, terminal, host net.Conn) {
	if c, err := w.dial(t.Context(), w.server.Addr("").String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v, %v", c, err)
	}
	ask(t, terminal, host)
}

var stopReadingExhibits = []exhibit{
	{name: " from a message on", fault: client.Fault{Message: client.Select{MTI: "0210", Nth: 1}}, show: func(t *testing.T, w *world, terminal, host net.Conn) {
		send(t, host, response)
		w.events.wait(t, "fired it")
		jammed(t, host)
		ask(t, terminal, host) // the other direction goes on
		w.heal(t)
		receive(t, terminal, response)
	}},
	{name: " from the accept on", fault: client.Fault{Message: client.Select{Nth: 1}}, show: func(t *testing.T, w *world, _, _ net.Conn) {
		terminal, host := w.connect(t)
		send(t, terminal, request)
		jammed(t, terminal)
		send(t, host, response)
		receive(t, terminal, response)
		w.heal(t)
		receive(t, host, request)
	}},
}

// jammed writes until the wire takes no more.
func jammed(t *testing.T, c net.Conn) {
	t.Helper()
	filler := frame(t, "0800000009"+strings.Repeat("x", 900))
	_ = c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	for total := 0; total < 1<<30; total += len(filler) {
		if _, err := c.Write(filler); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("write: %v", err)
			}
			_ = c.SetWriteDeadline(time.Now().Add(patience))
			return
		}
	}
	t.Error("the wire takes everything")
}
