package tlswire_test

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fakes/network/tlswire"
	"github.com/assay-hil/assay/protocol/memnet"
)

// onTwo runs a test with two uplinks behind one endpoint, in memory and on TCP. The world dials the one that over says.
func onTwo(t *testing.T, test func(t *testing.T, w *world, over func(uplink string))) {
	type wire struct {
		listener net.Listener
		dial     func() (net.Conn, error)
	}
	on := func(t *testing.T, open func(port string) (wire, error)) {
		wires := map[string]wire{}
		for uplink, port := range map[string]string{"primary": "8583", "backup": "8584"} {
			opened, err := open(port)
			if err != nil {
				t.Fatal(err)
			}
			wires[uplink] = opened
		}
		w := newWorld(t, tlswire.Config{}, wires["primary"].listener, nil, nil)
		w.listen(t, wires["backup"].listener, "backup")
		test(t, w, func(uplink string) { w.dial = wires[uplink].dial })
	}
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New()
			on(t, func(port string) (wire, error) {
				l, err := n.Listen("injector:" + port)
				return wire{l, func() (net.Conn, error) { return n.Dial(context.Background(), "injector:"+port) }}, err
			})
		})
	})
	t.Run("tcp", func(t *testing.T) {
		on(t, func(string) (wire, error) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			return wire{l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }}, err
		})
	})
}

// once is a message there and back on a new connection, as the terminal saw it.
func (w *world) once(t *testing.T) string {
	t.Helper()
	raw, injector := w.open(t)
	ended := echo(injector)
	got := seen(ping(w.terminal(raw)))
	_ = raw.Close()
	<-ended
	return got
}

// A fault of one uplink leaves the other alone, and without the uplink's name it breaks both.
func TestFaultOfOneUplink(t *testing.T) {
	onTwo(t, func(t *testing.T, w *world, over func(uplink string)) {
		for _, test := range []struct {
			fault           tlswire.Fault
			primary, backup string // as the terminal saw each
			fired           int
		}{
			{tlswire.Fault{Kind: "expired", Uplink: "primary"}, "expired", "nothing", 1},
			{tlswire.Fault{Kind: "expired", Uplink: "backup"}, "nothing", "expired", 1},
			{tlswire.Fault{Kind: "expired"}, "expired", "expired", 2},
			{tlswire.Fault{Kind: "corrupted-record", Uplink: "backup"}, "nothing", "local error: tls: bad record MAC", 1},
			{tlswire.Fault{Kind: "corrupted-record"}, "local error: tls: bad record MAC", "local error: tls: bad record MAC", 2},
		} {
			test.fault.ID = "f"
			if err := w.endpoint.Arm([]tlswire.Fault{test.fault}); err != nil {
				t.Fatal(err)
			}
			for _, dialled := range []struct{ uplink, want string }{{"primary", test.primary}, {"backup", test.backup}} {
				over(dialled.uplink)
				if got := w.once(t); got != dialled.want {
					t.Errorf("%+v over %s: the terminal saw: %s\nwant: %s", test.fault, dialled.uplink, got, dialled.want)
				}
			}
			if s := w.endpoint.Status(); s[0].Fired != test.fired {
				t.Errorf("%+v fired %d ×, want %d", test.fault, s[0].Fired, test.fired)
			}
		}
		w.wait(t, "fired f on backup")
		w.wait(t, "handshake f failed remote error: tls: bad certificate on backup")
		w.wait(t, "alert tls: bad record MAC on backup")
	})
}

// The nth of an uplink is not the nth of all.
func TestNthOfAnUplink(t *testing.T) {
	onTwo(t, func(t *testing.T, w *world, over func(uplink string)) {
		if err := w.endpoint.Arm([]tlswire.Fault{
			{ID: "second of backup", Kind: "alert", Uplink: "backup", Nth: 2},
			{ID: "third of all", Kind: "wrong-host", Nth: 3},
			{ID: "third record of primary", Kind: "corrupted-record", Uplink: "primary", Nth: 3},
		}); err != nil {
			t.Fatal(err)
		}
		for i, dialled := range []struct{ uplink, want string }{
			{"primary", "nothing"}, {"backup", "nothing"}, {"primary", "wrong host"},
			{"backup", "remote error: tls: handshake failure"}, {"backup", "nothing"},
			{"primary", "nothing"}, {"primary", "local error: tls: bad record MAC"}, {"primary", "nothing"},
		} {
			over(dialled.uplink)
			if got := w.once(t); got != dialled.want {
				t.Errorf("dial %d, over %s: the terminal saw: %s\nwant: %s", i+1, dialled.uplink, got, dialled.want)
			}
		}
		want := []client.Status{{ID: "second of backup", Kind: "alert", Fired: 1}, {ID: "third of all", Kind: "wrong-host", Fired: 1},
			{ID: "third record of primary", Kind: "corrupted-record", Fired: 1}}
		if got := w.endpoint.Status(); !slices.Equal(got, want) {
			t.Errorf("status %+v, want %+v", got, want)
		}
	})
}
