package packet_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/assay-hil/assay/fakes/network/packet"
)

// names of ours that there are, of a process.
func names(t *testing.T, pid int) []string {
	t.Helper()
	found, err := filepath.Glob(fmt.Sprintf("/run/netns/assay-%d.*", pid))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestCleanAfterKill: what a killed process left is removed, by Clean and by the next bench; what
// a living one has is not.
func TestCleanAfterKill(t *testing.T) {
	bench(t)
	for name, clean := range map[string]func() error{
		"clean": func() error {
			removed, err := packet.Clean(t.Context())
			if len(removed) < 3 { // others may have left something too
				err = errors.Join(err, fmt.Errorf("removed %v, want 3 namespaces", removed))
			}
			return err
		},
		"next start": func() error {
			b, err := packet.New(t.Context())
			if err == nil {
				err = b.Close()
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			owner := startOwner(t)
			pid := owner.Process.Pid
			if removed, err := packet.Clean(t.Context()); err != nil || len(names(t, pid)) != 3 {
				t.Errorf("of a living process: removed %v, %v; left %v", removed, err, names(t, pid))
			}
			if err := owner.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = owner.Wait() // killed: that is its error
			if left := names(t, pid); len(left) != 3 {
				t.Fatalf("after kill: %v, want 3 leftovers", left)
			}
			if err := clean(); err != nil {
				t.Error(err)
			}
			if left := names(t, pid); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// startOwner starts a process that has a bench.
func startOwner(t *testing.T) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	owner := exec.Command(exe)
	owner.Env = append(os.Environ(), asOwner+"=1")
	if _, err := owner.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = owner.Process.Kill() }) // dead already when the test went well
	said, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(said, "made assay-"+strconv.Itoa(owner.Process.Pid)+".") {
		t.Fatalf("owner: %q, %v", said, err)
	}
	return owner
}

// TestHostUntouched: with every fault armed, and after all of it, the process's own namespace
// has the links, addresses, routes, rules, queues and settings that it had.
func TestHostUntouched(t *testing.T) {
	bench(t)
	before := host(t)
	b, err := packet.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []packet.Spec{
		{Kind: packet.SYNBlackhole}, {Kind: packet.NATIdleExpiry, Idle: time.Minute}, {Kind: packet.Duplicate},
		{Kind: packet.RateLimit, Rate: packet.MinRate}, {Kind: packet.LinkFlap}, {Kind: packet.Loss, Percent: 5},
	} {
		if err := b.Arm(s); err != nil && (!errors.Is(err, packet.ErrUnavailable) || packet.MachineLacks(s.Kind) == nil) {
			t.Error(err)
		}
	}
	during := host(t)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if during != before {
		t.Errorf("while armed:\n%s\nbefore:\n%s", during, before)
	}
	if after := host(t); after != before {
		t.Errorf("after:\n%s\nbefore:\n%s", after, before)
	}
}

// host describes the namespace that this process runs in.
func host(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	note := func(what string, things any, err error) {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		fmt.Fprintf(&all, "%s: %v\n", what, things)
	}
	links, err := netlink.LinkList()
	var named []string
	for _, l := range links {
		named = append(named, fmt.Sprint(l.Attrs().Index, l.Attrs().Name, l.Attrs().Flags, l.Attrs().MTU, l.Attrs().GSOMaxSegs))
	}
	note("links", named, err)
	addresses, err := net.InterfaceAddrs()
	note("addresses", addresses, err)
	routes, err := netlink.RouteList(nil, unix.AF_UNSPEC)
	note("routes", routes, err)
	rules, err := netlink.RuleList(unix.AF_UNSPEC)
	note("rules", rules, err)
	queues, err := netlink.QdiscList(nil)
	kinds := []string{}
	for _, q := range queues {
		kinds = append(kinds, fmt.Sprint(q.Type(), q.Attrs().LinkIndex, q.Attrs().Handle, q.Attrs().Parent))
	}
	note("queues", kinds, err)
	conn, err := nftables.New()
	note("nft", nil, err)
	chains, err := conn.ListChains()
	for _, c := range chains {
		in, err := conn.GetRules(c.Table, c)
		note("chain "+c.Table.Name+" "+c.Name, len(in), err)
	}
	note("chains", len(chains), err)
	for _, file := range []string{"ipv4/ip_forward", "ipv4/conf/all/rp_filter", "ipv4/icmp_ratelimit", "ipv6/conf/all/disable_ipv6"} {
		value, err := os.ReadFile("/proc/sys/net/" + file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		note(file, string(value), err)
	}
	return all.String()
}

// TestCloseLeavesNothing: no name, no descriptor, no goroutine, however often.
func TestCloseLeavesNothing(t *testing.T) {
	round := func() {
		w := echoing(t)
		w.arm(packet.Spec{Kind: packet.Delay, By: time.Second, Mechanism: packet.TUN})
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
		w.host.Close()
	}
	round()
	descriptors, goroutines := count(t), runtime.NumGoroutine()
	for range 5 {
		round()
	}
	deadline := time.Now().Add(patience)
	for count(t) > descriptors || runtime.NumGoroutine() > goroutines {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors, %d goroutines; %d and %d before", count(t), runtime.NumGoroutine(), descriptors, goroutines)
		}
		<-time.After(packet.WatchEvery)
	}
	if left := names(t, os.Getpid()); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// count counts this process's descriptors.
func count(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
