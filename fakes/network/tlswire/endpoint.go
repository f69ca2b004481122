package tlswire

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/certs"
)

// Config is what an endpoint shows and whom it tells.
type Config struct {
	// Authority signs what is shown; terminals are told to trust it. It is needed.
	Authority *certs.Authority
	// Hosts are the names and addresses by which terminals dial, at least one.
	Hosts []string
	// Mutual asks a terminal for a certificate of the same authority, and ends the handshake
	// without one.
	Mutual bool
	// MaxVersion is the newest version offered, tls.VersionTLS12 or tls.VersionTLS13; 0 means the
	// latter.
	MaxVersion uint16
	// Report takes the events; nil drops them. It is called by many at once and must not wait.
	Report func(kind string, fields map[string]string)
}

// Endpoint is the injector's end of TLS. Its methods may be called by many at once.
type Endpoint struct {
	base  *tls.Config
	certs map[string]tls.Certificate // by kind of fault; "" is the good one

	mu      sync.Mutex
	set     *set
	uplinks []string // that it listens for, or has
}

// New makes an endpoint without faults. Its certificates are valid relative to now.
func New(config Config) (*Endpoint, error) {
	switch {
	case config.Authority == nil:
		return nil, fmt.Errorf("%w: Authority is needed", ErrConfig)
	case config.MaxVersion != 0 && config.MaxVersion != tls.VersionTLS12 && config.MaxVersion != tls.VersionTLS13:
		return nil, fmt.Errorf("%w: MaxVersion is TLS 1.2 or 1.3", ErrConfig)
	}
	if config.Report == nil {
		config.Report = func(string, map[string]string) {}
	}
	e := &Endpoint{certs: map[string]tls.Certificate{}, set: newSet(nil, config.Report)}
	now := time.Now()
	for _, flaw := range append([]string{string(certs.None)}, certs.Flaws...) {
		c, err := config.Authority.Certificate(config.Hosts, certs.Flaw(flaw), now)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
		e.certs[flaw] = c
	}
	e.base = &tls.Config{
		Certificates:           []tls.Certificate{e.certs[string(certs.None)]},
		MinVersion:             tls.VersionTLS12,
		MaxVersion:             config.MaxVersion,
		SessionTicketsDisabled: true, // with a ticket a certificate is not shown again
	}
	if config.Mutual {
		e.base.ClientAuth = tls.RequireAndVerifyClientCert
		e.base.ClientCAs = config.Authority.Pool()
	}
	return e, nil
}

// Arm heals the faults before and arms these. Their uplinks are those that Listen was told of. The error is ErrFault.
func (e *Endpoint) Arm(faults []Fault) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := check(faults, e.uplinks); err != nil {
		return err
	}
	e.set.heal()
	e.set = newSet(faults, e.set.report)
	return nil
}

// Heal ends every fault at once. Handshakes that were stalled go on.
func (e *Endpoint) Heal() { e.current().heal() }

// Status tells what became of each fault armed last, in their order.
func (e *Endpoint) Status() []client.Status { return e.current().status() }

func (e *Endpoint) current() *set {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.set
}

// Listen gives a listener whose connections speak TLS with who dials inner. Closing it closes
// inner. An endpoint may listen many times, at once or one after the other, and for an uplink more
// than once. The uplink's name is that in faults and events.
func (e *Endpoint) Listen(inner net.Listener, uplink string) net.Listener {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Contains(e.uplinks, uplink) {
		e.uplinks = append(e.uplinks, uplink)
	}
	return &listener{Listener: inner, endpoint: e, uplink: uplink}
}

type listener struct {
	net.Listener
	endpoint *Endpoint
	uplink   string
}

// Accept accepts a connection, whose handshake is still to come.
func (l *listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.endpoint.serve(raw, l.uplink), nil
}

func (e *Endpoint) serve(raw net.Conn, uplink string) *conn {
	c := &conn{endpoint: e, uplink: uplink, wire: &wire{Conn: raw}}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	config := e.base.Clone()
	config.GetConfigForClient = c.answer
	c.tls = tls.Server(c.wire, config)
	return c
}
