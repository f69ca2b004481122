package rungs

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/netip"
	"time"

	"github.com/assay-hil/assay/fakes/network/dns"
	"github.com/assay-hil/assay/fakes/network/tlswire"
	"github.com/assay-hil/assay/protocol/certs"
	"github.com/assay-hil/assay/rungs/injector"
)

// levels are what the injector has below the message, as a profile's uplinks need it.
type levels struct {
	injector.Layers
	tls   *tlswire.Endpoint // nil: terminals speak in clear
	trust *x509.CertPool
}

// startLevels makes the end of TLS for a profile that speaks it, and the name server for one that dials by name.
func startLevels(ctx context.Context, w wire, t *teardown, s site) (*levels, error) {
	l, p := &levels{}, s.profile
	var hosts []string
	names := map[string][]netip.Addr{}
	for uplink, host := range p.Uplinks.Hosts {
		hosts = append(hosts, host)
		names[host] = []netip.Addr{}
		if address := w.At(uplink); address.IsValid() && !address.IsUnspecified() {
			names[host] = append(names[host], address)
		}
	}
	if p.Uplinks.TLS {
		authority, err := s.trusted(time.Now())
		if err != nil {
			return nil, err
		}
		if l.tls, err = l.AddTLS(authority, hosts, false); err != nil {
			return nil, err
		}
		l.trust = authority.Pool()
	}
	if !p.Uplinks.ByName {
		return l, nil
	}
	server, err := l.AddNames(dns.Config{Names: names})
	if err != nil {
		return nil, fmt.Errorf("name server: %w", err)
	}
	run, err := w.ServeNames(server)
	if err != nil {
		return nil, fmt.Errorf("name server: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	t.add("name server", func() error { stop(); return nil })
	serve(t, "name server", func() error { return run(ctx) })
	return l, nil
}

// trusted is the authority whose certificates the injector shows.
func (s site) trusted(now time.Time) (*certs.Authority, error) {
	if s.authority == "" {
		return certs.NewAuthority("assay bench", now)
	}
	return certs.LoadOrCreate(s.authority, now)
}
