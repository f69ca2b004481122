package dns

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/assay-hil/assay/fakes/network/client"
)

// Config is what a server knows and whom it tells.
type Config struct {
	// Names and their addresses. A name is known also without addresses: then it has none.
	Names map[string][]netip.Addr
	// TTL is how long a resolver may keep an answer, in seconds; 0 means DefaultTTL.
	TTL uint32
	// Report takes the events; nil drops them. It is called by many at once and must not wait.
	Report func(kind string, fields map[string]string)
}

// Server is a name server. Its methods may be called by many at once.
type Server struct {
	names  map[string][]netip.Addr // by canonical name; they do not change
	ttl    uint32
	report func(kind string, fields map[string]string)

	mu  sync.Mutex
	set *set
}

// New makes a server without faults. It serves nothing yet: see ServePacket and ServeStream.
func New(config Config) (*Server, error) {
	if n := len(config.Names); n > MaxNames {
		return nil, fmt.Errorf("%w: %d names, at most %d", ErrConfig, n, MaxNames)
	}
	s := &Server{names: map[string][]netip.Addr{}, ttl: config.TTL, report: config.Report}
	if s.ttl == 0 {
		s.ttl = DefaultTTL
	}
	if s.report == nil {
		s.report = func(string, map[string]string) {}
	}
	for _, name := range slices.Sorted(maps.Keys(config.Names)) {
		addrs := config.Names[name]
		key, ok := canonical(name)
		_, twice := s.names[key]
		switch {
		case !ok:
			return nil, fmt.Errorf("%w: %q is not a DNS name", ErrConfig, name)
		case twice:
			return nil, fmt.Errorf("%w: %q is there twice", ErrConfig, name)
		case len(addrs) > MaxAddresses:
			return nil, fmt.Errorf("%w: %q has %d addresses, at most %d", ErrConfig, name, len(addrs), MaxAddresses)
		case slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !a.IsValid() || a.Zone() != "" }):
			return nil, fmt.Errorf("%w: %q has an address that is none, or has a zone", ErrConfig, name)
		}
		s.names[key] = slices.Clone(addrs)
	}
	s.set = newSet(nil, s.report)
	return s, nil
}

// Arm heals the faults before and arms these. The error is ErrFault.
func (s *Server) Arm(faults []Fault) error {
	if err := check(faults); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set.heal()
	s.set = newSet(faults, s.report)
	return nil
}

// Heal ends every fault at once. Late answers are let go.
func (s *Server) Heal() { s.current().heal() }

// Status tells what became of each fault armed last, in their order.
func (s *Server) Status() []client.Status { return s.current().status() }

func (s *Server) current() *set {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set
}

// canonical is a name as names are compared (RFC 4343): lower case, without a dot at the end. It
// is not ok for what is no host name.
func canonical(name string) (string, bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if name == "" || len(name) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return "", false
		}
		for i := range len(label) {
			if c := label[i]; c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return "", false
			}
		}
	}
	return name, true
}

// Answer gives the reply to a query: nil for none, because it is withheld, because it is no
// query, or because ctx ended while it waited.
func (s *Server) Answer(ctx context.Context, peer string, query []byte) []byte {
	q, ok := s.parse(query)
	if !ok {
		s.report("dropped", map[string]string{"why": "not a query", "peer": peer})
		return nil
	}
	r := s.resolve(ctx, q, peer)
	s.report("query", map[string]string{"name": q.asked.name, "type": q.asked.kind, "peer": peer, "result": r.result()})
	return r.pack(q, s.ttl)
}
