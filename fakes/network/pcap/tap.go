package pcap

import (
	"fmt"
	"net"
	"runtime"
	"sync"
	"weak"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
)

// Tap gives an injector what writes its connections into the capture.
func (w *Writer) Tap() network.Tap {
	return &tap{writer: w, streams: make(map[weak.Pointer[network.Wire]]*Stream)}
}

// tap keeps the stream of every wire. A wire whose end nobody told of is forgotten with it.
type tap struct {
	writer *Writer

	mu      sync.Mutex
	streams map[weak.Pointer[network.Wire]]*Stream
}

func (t *tap) Opened(wire *network.Wire) {
	ends := [2]net.Addr{wire.Local, wire.Remote} // the injector dials the host
	side := Host
	if wire.Side == client.Terminal {
		ends[Dialler], ends[Listener] = wire.Remote, wire.Local
		side = Terminal
	}
	s := t.writer.Open(side, ends[Dialler], ends[Listener], fmt.Sprintf("uplink %s, connection %d", wire.Uplink, wire.Connection))
	key := weak.Make(wire)
	t.mu.Lock()
	t.streams[key] = s
	t.mu.Unlock()
	runtime.AddCleanup(wire, t.forget, key)
}

func (t *tap) forget(key weak.Pointer[network.Wire]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.streams, key)
}

func (t *tap) Data(wire *network.Wire, sent bool, masked []byte) {
	t.of(wire).Data(sender(wire, sent), masked)
}

func (t *tap) Ended(wire *network.Wire, sent, reset bool) {
	if reset {
		t.of(wire).Reset(sender(wire, sent))
		return
	}
	t.of(wire).Fin(sender(wire, sent))
}

func (t *tap) of(wire *network.Wire) *Stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.streams[weak.Make(wire)]
}

// sender says which peer of the wire's stream sends what the injector has sent, or received.
func sender(wire *network.Wire, sent bool) int {
	if (wire.Side == client.Terminal) == sent {
		return Listener
	}
	return Dialler
}
