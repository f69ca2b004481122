package packet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// lab is a machine with a terminal on one of its interfaces, each in a namespace of its own.
type lab struct {
	machine, terminal *namespace
}

// The addresses of a lab, and the interface behind which the terminal is.
const (
	labLink     = "lab0"
	labAddress  = "192.168.77.1"
	labTerminal = "192.168.77.2"
)

func newLab(t *testing.T) *lab {
	t.Helper()
	pid, start, err := self()
	if err != nil {
		t.Fatal(err)
	}
	made := func(role string) *namespace {
		n, err := newNamespace(name{pid: pid, start: start, bench: maxBenches + 1, role: role})
		if err != nil {
			Excused(t, unavailable(err))
		}
		t.Cleanup(func() {
			if err := n.remove(); err != nil {
				t.Error(err)
			}
		})
		return n
	}
	l := &lab{made("machine"), made("pos")}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = labLink
	pair := netlink.NewVeth(attrs)
	pair.PeerName, pair.PeerNamespace = "eth0", netlink.NsFd(l.terminal.handle)
	if err := l.machine.links.LinkAdd(pair); err != nil {
		t.Fatal(err)
	}
	for n, end := range map[*namespace][2]string{l.machine: {labLink, labAddress}, l.terminal: {"eth0", labTerminal}} {
		if _, err := raise(n, end[0], netip.MustParseAddr(end[1])); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// gated is a bench whose gate is the lab's interface, and its host that echoes.
func gated(t *testing.T, l *lab) *Bench {
	t.Helper()
	b, err := New(t.Context())
	Excused(t, err)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := l.gate(b, labLink); err != nil {
		t.Fatal(err)
	}
	host, err := b.Listen(t.Context(), Host, ":8583")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	go func() {
		for {
			c, err := host.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("hello"))
			_ = c.Close()
		}
	}()
	return b
}

func (l *lab) gate(b *Bench, link string) error {
	home, err := netns.GetFromPath(l.machine.name.path())
	if err != nil {
		return err
	}
	return b.gateFrom(home, link, netip.MustParsePrefix(labAddress+"/24"))
}

// greeting dials as the terminal does, the address of the machine's interface.
func (l *lab) greeting(limit time.Duration) (string, error) {
	var conn net.Conn
	err := l.terminal.do(func() (err error) {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		var d net.Dialer
		conn, err = d.DialContext(ctx, "tcp4", labAddress+":8583")
		return err
	})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	text := make([]byte, 5)
	n, err := conn.Read(text)
	return string(text[:n]), err
}

// A real terminal on an interface of the machine dials the address that the interface had, and meets the faults.
func TestGate(t *testing.T) {
	l := newLab(t)
	b := gated(t, l)
	good := func(when string) {
		t.Helper()
		if got, err := l.greeting(20 * time.Second); got != "hello" || err != nil {
			t.Errorf("%s: %q, %v", when, got, err)
		}
	}
	good("without a fault")
	for _, test := range []struct {
		spec Spec
		want error
	}{
		{Spec{Kind: Refused, Port: 8583}, syscall.ECONNREFUSED},
		{Spec{Kind: ICMPUnreachable, Answer: "host"}, syscall.EHOSTUNREACH},
		{Spec{Kind: SYNBlackhole}, context.DeadlineExceeded},
	} {
		if err := b.Arm(test.spec); err != nil {
			t.Fatal(err)
		}
		limit := 20 * time.Second
		if test.spec.Kind == SYNBlackhole {
			limit = 500 * time.Millisecond
		}
		_, err := l.greeting(limit)
		if timeout := (net.Error)(nil); !errors.Is(err, test.want) && !(test.spec.Kind == SYNBlackhole && errors.As(err, &timeout) && timeout.Timeout()) {
			t.Errorf("%s: %v, want %v", test.spec.Kind, err, test.want)
		}
		if s := b.Status(); s[len(s)-1].Packets == 0 {
			t.Errorf("%s did not fire", test.spec.Kind)
		}
		if err := b.Heal(); err != nil {
			t.Fatal(err)
		}
		good("healed " + test.spec.Kind)
	}
	slow := Spec{Kind: Delay, By: 100 * time.Millisecond}
	ExcusedFault(t, b.Arm(slow), slow)
	begin := time.Now()
	good("delayed")
	if took := time.Since(begin); took < 200*time.Millisecond {
		t.Errorf("delayed both ways, it took %v", took)
	}
}

// Close gives the interface back as it was.
func TestGateIsGivenBack(t *testing.T) {
	l := newLab(t)
	b := gated(t, l)
	if _, err := l.machine.links.LinkByName(labLink); err == nil {
		t.Error("the machine has the interface still")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	link, err := l.machine.links.LinkByName(labLink)
	if err != nil {
		t.Fatal(err)
	}
	addrs, err := l.machine.links.AddrList(link, netlink.FAMILY_V4)
	if err != nil || len(addrs) != 1 || addrs[0].IP.String() != labAddress || link.Attrs().Flags&net.FlagUp == 0 {
		t.Errorf("%v, flags %v, %v", addrs, link.Attrs().Flags, err)
	}
}

// What the machine can't do without is not borrowed, and nothing is changed.
func TestGateThatIsRefused(t *testing.T) {
	l := newLab(t)
	b, err := New(t.Context())
	Excused(t, err)
	defer b.Close()
	link, err := l.machine.links.LinkByName(labLink)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.machine.links.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: net.ParseIP(labTerminal)}); err != nil {
		t.Fatal(err)
	}
	for link, want := range map[string]string{"lo": "it is the loopback", labLink: "this machine's own way out", "eth9": "'ip link' lists"} {
		if err := l.gate(b, link); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", link, err, want)
		}
	}
	if _, err := l.machine.links.LinkByName(labLink); err != nil {
		t.Errorf("a refused interface is gone: %v", err)
	}
}
