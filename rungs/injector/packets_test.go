package injector

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fakes/network/packet"
)

// benched runs an injector behind a packet bench, in front of an echo.
func benched(t *testing.T, plan string) (*Injector, *network.Client, func()) {
	t.Helper()
	host, err := net.Listen("tcp", "127.0.0.1:0")
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
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	file := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(file, []byte(plan), 0o600); err != nil {
		t.Fatal(err)
	}
	i, err := Start(t.Context(), Options{
		Uplinks: []string{"primary=:0," + host.Addr().String()}, Dialect: "iso87-ascii", Control: "127.0.0.1:0", Packet: true, Plan: file,
	})
	if errors.Is(err, packet.ErrUnavailable) && !slices.ContainsFunc(Probe(t.Context()), func(c Capability) bool { return c.OK }) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	stop := func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ended <- nil
	}
	t.Cleanup(stop)
	return i, network.New(http.DefaultClient, i.Ready().Control), stop
}

// dial dials as a terminal in the namespace does, and says if an echo comes back.
func (i *Injector) dial(t *testing.T, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c, err := i.bench.Dial(ctx, packet.Terminal, i.Ready().Uplinks["primary"])
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second)) // bounds the test alone
	if _, err := c.Write([]byte("\x00\x03abc")); err != nil {
		return err
	}
	_, err = io.ReadFull(c, make([]byte, 5))
	return err
}

// A plan's packet faults act from the start; the control API arms others; healing ends them, on every level;
// the end leaves no namespace.
func TestPacketFaultsFromAPlanAndTheControlAPI(t *testing.T) {
	i, c, stop := benched(t, "packet:\n  - {id: closed, kind: refused}\n")
	if err := i.dial(t, 10*time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v, want ECONNREFUSED", err)
	}
	if err := c.Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := i.dial(t, 10*time.Second); err != nil {
		t.Errorf("after healing: %v", err)
	}
	if err := c.ArmPacket(t.Context(), []network.PacketFault{{Kind: packet.SYNBlackhole}}); err != nil {
		t.Fatal(err)
	}
	if err := i.dial(t, 300*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("dial: %v, want a timeout", err)
	}
	// The proof that a port refuses does not go the way that the blackhole is on.
	if err := c.Arm(t.Context(), network.Plan{Faults: []network.Fault{{ID: "r", Kind: "refuse"}}}); err != nil {
		t.Fatal(err)
	}
	if s, err := c.Status(t.Context()); err != nil || len(s) != 1 || s[0].Fired != 1 {
		t.Errorf("refuse: %+v %v", s, err)
	}
	s, err := c.LayerStatus(t.Context(), network.LayerPacket)
	if err != nil || len(s) != 1 || s[0].ID != packet.SYNBlackhole || s[0].Fired == 0 || s[0].Healed {
		t.Errorf("packet status: %+v %v", s, err)
	}
	stop()
	if _, err := os.Stat("/run/netns/" + i.Ready().Namespace); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the namespace after the end: %v", err)
	}
	var story []string
	events, _, _ := i.packetLog.After(0)
	for _, e := range events {
		story = append(story, e.Kind+" "+e.Fields["fault"])
	}
	want := "armed closed, fired closed, healed closed, armed syn-blackhole, fired syn-blackhole, healed syn-blackhole"
	if got := strings.Join(story, ", "); got != want {
		t.Errorf("events: %s\nwant:   %s", got, want)
	}
}

// A plan that makes no sense changes nothing.
func TestWrongPacketPlanIsRefusedWhole(t *testing.T) {
	i, c, _ := benched(t, "packet:\n  - {id: closed, kind: refused}\n")
	for want, faults := range map[string][]network.PacketFault{
		`did you mean "loss"?`:     {{Kind: "los"}},
		"used twice":               {{Kind: "refused"}, {Kind: "refused"}},
		"port: 1 to 65535":         {{Kind: "refused", Port: 70000}},
		"seed: 1 or more":          {{Kind: "loss", Percent: 5, Seed: -1}},
		"rate: not taken":          {{Kind: "refused", Rate: 9600}},
		"percent or every: one of": {{Kind: "loss"}},
	} {
		var refused *network.Error
		if err := c.ArmPacket(t.Context(), faults); !errors.As(err, &refused) || refused.Status != http.StatusBadRequest || !strings.Contains(refused.Text, want) {
			t.Errorf("%+v: %v, want 400 %q", faults, err, want)
		}
	}
	if err := i.dial(t, 10*time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v, want ECONNREFUSED still", err)
	}
}

func TestPacketOptions(t *testing.T) {
	good := Options{Uplinks: []string{"primary=127.0.0.1:0,127.0.0.1:1"}, Dialect: "iso87-ascii", Control: "127.0.0.1:0", Packet: true}
	if _, err := good.parse(); err == nil || !strings.Contains(err.Error(), "write primary=:0,127.0.0.1:1") {
		t.Errorf("an address with --packet: %v", err)
	}
	good.Uplinks, good.Packet, good.Plan = []string{"primary=:0,127.0.0.1:1"}, false, filepath.Join(t.TempDir(), "plan.yaml")
	for text, want := range map[string]string{
		"packet:\n  - {kind: refused}\n":                  "needs --packet",
		"packet:\n  - {kind: refused}\n  - {kind: lss}\n": `plan.yaml:3:5: packet fault: unknown kind "lss"; did you mean "loss"?`,
		"packet:\n  - {kind: delay}\n":                    "plan.yaml:2:5: packet fault delay: by: needed",
	} {
		if err := os.WriteFile(good.Plan, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := good.parse(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// Who asks for something wrong is told so; what should work and does not is the injector's own failure.
func TestFailureIsNotTheRequests(t *testing.T) {
	i, c, _ := benched(t, "packet:\n  - {id: closed, kind: refused}\n")
	refused := func(f network.PacketFault) int {
		var refused *network.Error
		if err := c.ArmPacket(t.Context(), []network.PacketFault{f}); !errors.As(err, &refused) {
			t.Fatalf("%+v: %v", f, err)
		}
		return refused.Status
	}
	if got := refused(network.PacketFault{Kind: packet.RateLimit}); got != http.StatusBadRequest {
		t.Errorf("a rate without a rate: %d", got)
	}
	if err := i.bench.Close(); err != nil {
		t.Fatal(err)
	}
	if got := refused(network.PacketFault{Kind: packet.Refused}); got != http.StatusInternalServerError {
		t.Errorf("a bench that is gone: %d", got)
	}
}
