package network_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

var resetExhibits = []exhibit{
	{name: " before", fault: client.Fault{Message: onRequest}, show: func(t *testing.T, _ *world, terminal, host net.Conn) {
		send(t, terminal, request)
		mustFail(t, "terminal", terminal, syscall.ECONNRESET)
		mustFail(t, "host", host, syscall.ECONNRESET) // and has not got the request
	}},
	{name: " after", fault: client.Fault{Message: onRequest, When: "after"}, show: func(t *testing.T, _ *world, terminal, host net.Conn) {
		send(t, terminal, request)
		receive(t, host, request)
		mustFail(t, "terminal", terminal, syscall.ECONNRESET)
		mustFail(t, "host", host, syscall.ECONNRESET)
	}},
	{name: " after, of the terminal only", fault: client.Fault{Message: onRequest, When: "after", Towards: client.Terminal},
		show: func(t *testing.T, w *world, terminal, host net.Conn) {
			send(t, terminal, request)
			receive(t, host, request)
			mustFail(t, "terminal", terminal, syscall.ECONNRESET)
			send(t, host, response) // the host knows nothing of it
			w.events.wait(t, "message 1 host>terminal 0210 000001 lost")
			seesNothing(t, host)
			w.heal(t) // and a connection with one side only is no longer kept
			mustFail(t, "host", host, io.EOF)
			w.events.wait(t, "closed 1")
		}},
	{name: " of the host only, at the response", fault: client.Fault{Message: onResponse, Towards: client.Host},
		show: func(t *testing.T, _ *world, terminal, host net.Conn) {
			ask(t, terminal, host)
			send(t, host, response)
			mustFail(t, "host", host, syscall.ECONNRESET)
			seesNothing(t, terminal)
		}},
	{name: " when accepted", fault: client.Fault{Message: client.Select{Nth: 2}}, show: func(t *testing.T, w *world, terminal, host net.Conn) {
		ask(t, terminal, host)
		first, hostFirst := w.connect(t)
		ask(t, first, hostFirst)
		second, err := w.dial(t.Context(), w.server.Addr("").String())
		if errors.Is(err, syscall.ECONNRESET) {
			return // the reset was there before the dialler had looked
		}
		if err != nil {
			t.Fatal(err)
		}
		mustFail(t, "terminal", second, syscall.ECONNRESET)
		_ = second.Close()
	}},
}

var closeExhibits = []exhibit{
	{name: " before", fault: client.Fault{Message: onRequest}, show: func(t *testing.T, w *world, terminal, host net.Conn) {
		send(t, terminal, request)
		mustFail(t, "terminal", terminal, io.EOF)
		mustFail(t, "host", host, io.EOF)
		w.events.wait(t, "message 1 terminal>host 0200 000001 close")
		_, _ = terminal.Close(), host.Close()
		w.events.wait(t, "closed 1 fault it")
	}},
	{name: " after", fault: client.Fault{Message: onRequest, When: "after"}, show: func(t *testing.T, _ *world, terminal, host net.Conn) {
		send(t, terminal, request)
		receive(t, host, request)
		mustFail(t, "host", host, io.EOF)
		send(t, host, response) // no reset answers it at once
		mustFail(t, "terminal", terminal, io.EOF)
	}},
	{name: " of the terminal only", fault: client.Fault{Message: onRequest, When: "after", Towards: client.Terminal},
		show: func(t *testing.T, _ *world, terminal, host net.Conn) {
			send(t, terminal, request)
			receive(t, host, request)
			mustFail(t, "terminal", terminal, io.EOF)
			seesNothing(t, host)
		}},
	{name: " when accepted", fault: client.Fault{}, show: func(t *testing.T, w *world, terminal, host net.Conn) {
		ask(t, terminal, host)
		mustFail(t, "terminal", w.dialTerminal(t), io.EOF)
	}},
}

var halfCloseExhibits = []exhibit{
	{name: " towards the terminal", fault: client.Fault{Message: onRequest, Towards: client.Terminal}, show: func(t *testing.T, _ *world, terminal, host net.Conn) {
		send(t, terminal, request)
		mustFail(t, "terminal", terminal, io.EOF)
		receive(t, host, request)
		send(t, terminal, next)
		receive(t, host, next)
		send(t, host, response) // lost
	}},
	{name: " towards the host, after", fault: client.Fault{Message: onRequest, When: "after", Towards: client.Host},
		show: func(t *testing.T, _ *world, terminal, host net.Conn) {
			send(t, terminal, request)
			receive(t, host, request)
			mustFail(t, "host", host, io.EOF)
			send(t, host, response)
			receive(t, terminal, response)
		}},
}

var closeAfterExhibits = []exhibit{{name: " three", fault: client.Fault{Times: 3}, show: func(t *testing.T, w *world, terminal, host net.Conn) {
	for range 3 { // one that was open before lives on
		ask(t, terminal, host)
	}
	terminal, host = w.connect(t)
	ask(t, terminal, host)
	send(t, host, response)
	receive(t, terminal, response)
	ask(t, terminal, host)
	mustFail(t, "host", host, io.EOF)
	mustFail(t, "terminal", terminal, io.EOF)
}}}

var silenceExhibits = []exhibit{
	{name: " from a message on", fault: client.Fault{Message: onRequest}, show: func(t *testing.T, w *world, terminal, host net.Conn) {
		send(t, terminal, request)
		send(t, terminal, next)
		w.events.wait(t, "message 1 terminal>host 0810 000002 silence")
		seesNothing(t, host)
		send(t, host, response)
		seesNothing(t, terminal)
		w.heal(t)
		ask(t, terminal, host) // what came meanwhile is lost
	}},
	{name: " from the accept on", fault: client.Fault{}, show: func(t *testing.T, w *world, terminal, host net.Conn) {
		ask(t, terminal, host)
		terminal, host = w.connect(t)
		send(t, terminal, request)
		seesNothing(t, host)
		seesNothing(t, terminal)
	}},
}

var downExhibits = []exhibit{
	{name: " at once", fault: client.Fault{Schedule: &client.Schedule{From: 50 * time.Millisecond}}, show: func(t *testing.T, w *world, terminal, host net.Conn) {
		ask(t, terminal, host) // it stands on both sides
		isDown(t, w, terminal, host)
	}},
	{name: " at a message", fault: client.Fault{Message: onRequest, When: "after"}, show: func(t *testing.T, w *world, terminal, host net.Conn) {
		other, otherHost := w.connect(t)
		send(t, other, next) // it stands on both sides
		receive(t, otherHost, next)
		send(t, terminal, request)
		receive(t, host, request)
		w.events.wait(t, "fired it 1 terminal>host 0200 000001")
		isDown(t, w, terminal, host)
		isDown(t, w, other, otherHost)
	}},
}

func isDown(t *testing.T, w *world, terminal, host net.Conn) {
	t.Helper()
	mustFail(t, "terminal", terminal, syscall.ECONNRESET)
	mustFail(t, "host", host, syscall.ECONNRESET)
	if c, err := w.dial(t.Context(), w.server.Addr("").String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v, %v", c, err)
	}
}
