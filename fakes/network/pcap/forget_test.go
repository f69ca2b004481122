package pcap

import (
	"bytes"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
)

// A wire that is gone takes its stream with it, also if nobody told of its end.
func TestTapForgetsWires(t *testing.T) {
	w, err := New(&bytes.Buffer{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	taps := w.Tap().(*tap)
	kept := &network.Wire{Side: client.Terminal, Local: &net.TCPAddr{}, Remote: &net.TCPAddr{}}
	taps.Opened(kept)
	for range 100 {
		wire := *kept
		taps.Opened(&wire)
	}
	for limit := time.After(20 * time.Second); taps.count() > 1; {
		runtime.GC()
		select {
		case <-limit:
			t.Fatalf("%d wires are remembered", taps.count())
		case <-time.After(time.Millisecond):
		}
	}
	if taps.of(kept) == nil {
		t.Error("the wire that is still there is forgotten")
	}
}

func (t *tap) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.streams)
}
