package dns_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fakes/network/dns"
)

// names are known to the servers of the tests.
var names = map[string][]netip.Addr{
	"host.test":   {netip.MustParseAddr("10.9.8.7"), netip.MustParseAddr("2001:db8::7")},
	"other.test.": {netip.MustParseAddr("10.9.8.6")},
	"EMPTY.test":  nil,
}

// events keeps what a server reports.
type events struct {
	mu    sync.Mutex
	lines []string
}

func (e *events) report(kind string, fields map[string]string) {
	words := []string{kind}
	for _, name := range []string{"fault", "name", "type", "result", "why"} {
		if fields[name] != "" {
			words = append(words, fields[name])
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lines = append(e.lines, strings.Join(words, " "))
}

func (e *events) must(t *testing.T, line string) {
	t.Helper()
	if !e.has(line) {
		e.mu.Lock()
		defer e.mu.Unlock()
		t.Errorf("no event %q in:\n%s", line, strings.Join(e.lines, "\n"))
	}
}

func (e *events) has(line string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.lines, line)
}

func newServer(t testing.TB) (*dns.Server, *events) {
	t.Helper()
	e := &events{}
	s, err := dns.New(dns.Config{Names: names, Report: e.report})
	if err != nil {
		t.Fatal(err)
	}
	return s, e
}

// resolver is Go's own, asking s over UDP or TCP on loopback.
func resolver(t *testing.T, s *dns.Server, network string) *net.Resolver {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	var addr net.Addr
	if network == "udp" {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr = conn.LocalAddr()
		go func() { ended <- s.ServePacket(ctx, conn) }()
	} else {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr = l.Addr()
		go func() { ended <- s.ServeStream(ctx, l) }()
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, addr.String())
	}}
}

// lookUp says in words what a terminal that dials by name gets.
func lookUp(r *net.Resolver, network, name string, patience time.Duration) string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	addrs, err := r.LookupNetIP(ctx, network, name)
	var failed *net.DNSError
	switch {
	case err == nil:
		var words []string
		for _, a := range addrs {
			words = append(words, a.Unmap().String())
		}
		slices.Sort(words)
		return strings.Join(words, " ")
	case errors.As(err, &failed) && failed.IsNotFound:
		return "not found"
	case errors.As(err, &failed) && failed.IsTimeout:
		return "timeout"
	case errors.As(err, &failed) && failed.IsTemporary:
		return "temporary"
	}
	return err.Error()
}

const (
	long  = 10 * time.Second // for what must come
	short = 100 * time.Millisecond
)

// Each fault is armed, fires, is seen by a resolver as stated, and heals.
func TestEachFault(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		for _, test := range []struct {
			fault    dns.Fault
			network  string
			want     string
			patience time.Duration
			atLeast  time.Duration
		}{
			{dns.Fault{Kind: "nxdomain"}, "ip4", "not found", long, 0},
			{dns.Fault{Kind: "servfail"}, "ip4", "temporary", long, 0},
			{dns.Fault{Kind: "timeout"}, "ip4", "timeout", short, 0},
			{dns.Fault{Kind: "slow", By: short}, "ip4", "10.9.8.7", long, short},
			{dns.Fault{Kind: "stale"}, "ip4", "192.0.2.1", long, 0},
			{dns.Fault{Kind: "stale"}, "ip", "192.0.2.1 2001:db8::1", long, 0},
			{dns.Fault{Kind: "stale", Address: "10.0.0.1"}, "ip", "10.0.0.1", long, 0},
			{dns.Fault{Kind: "nxdomain", Type: "AAAA"}, "ip", "10.9.8.7", long, 0},
		} {
			t.Run(network+" "+test.fault.Kind, func(t *testing.T) {
				s, e := newServer(t)
				r := resolver(t, s, network)
				test.fault.ID, test.fault.Name = "f", "host.test"
				if err := s.Arm([]dns.Fault{test.fault}); err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				if got := lookUp(r, test.network, "host.test.", test.patience); got != test.want {
					t.Errorf("the terminal gets: %s\nwant: %s", got, test.want)
				}
				if took := time.Since(begin); took < test.atLeast {
					t.Errorf("took %v, want %v or more", took, test.atLeast)
				}
				if got := lookUp(r, "ip4", "other.test.", long); got != "10.9.8.6" {
					t.Errorf("another name: %s", got)
				}
				status := s.Status()
				if len(status) != 1 || status[0].Fired == 0 || status[0].Healed {
					t.Errorf("status %+v", status)
				}
				s.Heal()
				if got := lookUp(r, "ip", "host.test.", long); got != "10.9.8.7 2001:db8::7" {
					t.Errorf("after healing: %s", got)
				}
				after := s.Status()
				if len(after) != 1 || after[0].Fired != status[0].Fired || !after[0].Healed {
					t.Errorf("status after healing %+v", after)
				}
				e.must(t, "armed f")
				e.must(t, "healed f")
			})
		}
	}
}

func TestWithoutFaults(t *testing.T) {
	s, e := newServer(t)
	for _, network := range []string{"udp", "tcp"} {
		r := resolver(t, s, network)
		for _, test := range []struct{ name, network, want string }{
			{"host.test.", "ip", "10.9.8.7 2001:db8::7"},
			{"HOST.Test.", "ip4", "10.9.8.7"},
			{"other.test.", "ip", "10.9.8.6"},
			{"empty.test.", "ip", "not found"},
			{"unknown.test.", "ip", "not found"},
		} {
			if got := lookUp(r, test.network, test.name, long); got != test.want {
				t.Errorf("%s %s: %s, want %s", network, test.name, got, test.want)
			}
		}
		if _, err := r.LookupTXT(t.Context(), "host.test."); err == nil {
			t.Error("TXT: there are none")
		}
	}
	e.must(t, "query host.test A Success")
	e.must(t, "query unknown.test AAAA NameError")
	e.must(t, "query host.test TXT Success")
}

// A question is known by name, type and how often it was asked since arming.
func TestNthQuestion(t *testing.T) {
	s, e := newServer(t)
	r := resolver(t, s, "udp")
	if err := s.Arm([]dns.Fault{{ID: "second", Kind: "stale", Name: "Host.Test.", Nth: 2}, {ID: "rest", Kind: "nxdomain", Name: "other.test"}}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"10.9.8.7 2001:db8::7", "192.0.2.1 2001:db8::1", "10.9.8.7 2001:db8::7"} {
		if got := lookUp(r, "ip", "host.test.", long); got != want {
			t.Errorf("time %d: %s, want %s", i+1, got, want)
		}
	}
	want := []client.Status{{ID: "second", Kind: "stale", Fired: 2}, {ID: "rest", Kind: "nxdomain"}}
	if got := s.Status(); !slices.Equal(got, want) {
		t.Errorf("status %+v, want %+v", got, want)
	}
	e.must(t, "fired second host.test A")
	e.must(t, "fired second host.test AAAA")
}

func TestFaultsThatMakeNoSense(t *testing.T) {
	s, _ := newServer(t)
	if err := s.Arm([]dns.Fault{{ID: "kept", Kind: "timeout"}}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		fault dns.Fault
		want  string
	}{
		{dns.Fault{ID: "a", Kind: "nxdomian"}, `did you mean "nxdomain"?`},
		{dns.Fault{Kind: "timeout"}, "id: 1 to 64"},
		{dns.Fault{ID: "a", Kind: "timeout", Name: "a b"}, "name: not a DNS name"},
		{dns.Fault{ID: "a", Kind: "timeout", Type: "AAA"}, `did you mean "AAAA"?`},
		{dns.Fault{ID: "a", Kind: "timeout", Nth: -1}, "nth: 1 or more"},
		{dns.Fault{ID: "a", Kind: "slow"}, "by: more than 0"},
		{dns.Fault{ID: "a", Kind: "slow", By: dns.MaxDelay + 1}, "at most 10m0s"},
		{dns.Fault{ID: "a", Kind: "stale", By: 1}, "by: only slow has it"},
		{dns.Fault{ID: "a", Kind: "slow", By: 1, Address: "10.0.0.1"}, "address: only stale has it"},
		{dns.Fault{ID: "a", Kind: "stale", Address: "10.0.0"}, "address: an IP address is needed"},
		{dns.Fault{ID: "a", Kind: "stale", Address: "fe80::1%eth0"}, "address: an IP address is needed"},
	} {
		if err := s.Arm([]dns.Fault{test.fault}); !errors.Is(err, dns.ErrFault) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v\nwant ErrFault with %q", test.fault, err, test.want)
		}
	}
	if err := s.Arm([]dns.Fault{{ID: "a", Kind: "timeout"}, {ID: "a", Kind: "timeout"}}); !errors.Is(err, dns.ErrFault) {
		t.Errorf("an ID twice: %v", err)
	}
	if err := s.Arm(make([]dns.Fault, dns.MaxFaults+1)); !errors.Is(err, dns.ErrFault) {
		t.Errorf("too many: %v", err)
	}
	if got := s.Status(); len(got) != 1 || got[0].ID != "kept" || got[0].Healed {
		t.Errorf("those before: %+v", got)
	}
}

func TestConfigsThatMakeNoSense(t *testing.T) {
	one := netip.MustParseAddr("10.0.0.1")
	for _, test := range []struct {
		names map[string][]netip.Addr
		want  string
	}{
		{map[string][]netip.Addr{"a b": nil}, `"a b" is not a DNS name`},
		{map[string][]netip.Addr{"a.test": nil, "A.test.": nil}, "is there twice"},
		{map[string][]netip.Addr{"a.test": {{}}}, "has an address that is none"},
		{map[string][]netip.Addr{"a.test": slices.Repeat([]netip.Addr{one}, 9)}, "9 addresses, at most 8"},
	} {
		if _, err := dns.New(dns.Config{Names: test.names}); !errors.Is(err, dns.ErrConfig) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v\nwant ErrConfig with %q", test.names, err, test.want)
		}
	}
}

func TestVocabulary(t *testing.T) {
	if !slices.IsSortedFunc(dns.Vocabulary, func(a, b client.Kind) int { return strings.Compare(a.Kind, b.Kind) }) {
		t.Error("not sorted")
	}
	for _, k := range dns.Vocabulary {
		if k.Help == "" || len(k.Params) == 0 || !slices.Equal(k.Rows, []int{39}) || !k.ActsOn(dns.OnQuestion) {
			t.Errorf("%+v: incomplete", k)
		}
		f := dns.Fault{ID: "f", Kind: k.Kind}
		if p, ok := k.Takes("by"); ok && p.Required {
			f.By = time.Second
		}
		s, _ := newServer(t)
		if err := s.Arm([]dns.Fault{f}); err != nil {
			t.Error(err)
		}
	}
}
