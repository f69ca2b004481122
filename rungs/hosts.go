package rungs

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	issuerserver "github.com/assay-hil/assay/fakes/issuer"
	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	networkserver "github.com/assay-hil/assay/fakes/network"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fakes/network/packet"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/emv/parameters"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/rungs/injector"
)

// headerLimit bounds how long a control request's header may take.
const headerLimit = 10 * time.Second

// peers are issuer and injector, reached as if they were elsewhere also in this process: the
// terminal by their ports, the harness by their control API.
type peers struct {
	issuer  *issuer.Client
	network *network.Client
	// trust are the authorities that a terminal has to know; nil without TLS.
	trust *x509.CertPool
}

// site is for whom issuer and injector work.
type site struct {
	profile *terminals.Profile
	host    *hosts.Host
	cards   []*cards.Card
	// authority is the folder of the one that terminals trust; "" for a new one, which peers.trust tells.
	authority string
	// ails are HostFaults.
	ails []string
	// captures keeps what passes the injector; nil: nobody does.
	captures *captures
	// part is a scenario's part of it.
	part *section
}

// startHosts starts issuer and injector in this process, on a wire.
func startHosts(ctx context.Context, w wire, t *teardown, s site) (*peers, error) {
	host, all := s.host, s.cards
	accounts := make([]cards.Card, 0, len(all))
	for _, c := range all {
		accounts = append(accounts, *c)
	}
	bank, err := issuerserver.New(issuerserver.Config{Host: host, Cards: accounts, Parameters: parametersOf(s.profile)})
	if err != nil {
		return nil, err
	}
	t.add("issuer", bank.Close)
	ln, err := w.Listen(issuerName)
	if err != nil {
		return nil, err
	}
	serve(t, "issuer", func() error { return bank.Serve(ctx, ln) })
	control := bank.Control()
	if slices.Contains(s.ails, issuerGone) {
		control = goneAfterSetup(bank, control)
	}
	if err := startControl(w, t, issuerControlName, control); err != nil {
		return nil, err
	}
	return startNetwork(ctx, w, t, s)
}

// parametersOf are what a terminal's kernel can be loaded with; nil where it reads no chip.
func parametersOf(p *terminals.Profile) *parameters.Set {
	if p.EMV == nil {
		return nil
	}
	set := p.EMV.Parameters()
	return &set
}

// startNetwork starts the injector before an issuer that is there already.
func startNetwork(ctx context.Context, w wire, t *teardown, s site) (*peers, error) {
	token := rand.Text() // the control port is open to whoever is on this machine
	levels, err := startLevels(ctx, w, t, s)
	if err != nil {
		return nil, err
	}
	server, err := startInjector(ctx, w, t, levels, s, token)
	if err != nil {
		return nil, err
	}
	if r, ok := w.(interface{ packets() *packet.Bench }); ok {
		levels.AddPackets(r.packets(), func() map[string]int { return injector.Ports(server) })
	}
	control := levels.Handler(server, token)
	if slices.Contains(s.ails, injectorDeaf) {
		control = deaf(control)
	}
	if err := startControl(w, t, networkControlName, control); err != nil {
		return nil, err
	}
	client := controlClient(w, t)
	return &peers{
		trust:   levels.trust,
		issuer:  issuer.New(client, "http://"+issuerControlName),
		network: network.New(client, "http://"+networkControlName, network.WithToken(token)),
	}, nil
}

func startInjector(ctx context.Context, w wire, t *teardown, levels *levels, s site, token string) (*networkserver.Server, error) {
	codec, err := iso8583.NewCodec(s.host.Dialect)
	if err != nil {
		return nil, err
	}
	tap, err := s.captures.tap(t, s.part)
	if err != nil {
		return nil, err
	}
	injector, err := networkserver.New(networkserver.Config{
		Framing:  s.host.Dialect.Framing,
		Messages: networkserver.ISO8583(codec),
		Uplinks:  []networkserver.Uplink{levels.uplink(w, uplinkName), levels.uplink(w, backupName)},
		Token:    token,
		Tap:      tap,
	})
	if err != nil {
		return nil, err
	}
	t.add("network", injector.Close)
	serve(t, "network", func() error { return injector.Run(ctx) })
	return injector, nil
}

// uplink leads from an address of the wire to the issuer.
func (l *levels) uplink(w wire, name string) networkserver.Uplink {
	return networkserver.Uplink{
		Name: name,
		Listen: func() (net.Listener, error) {
			ln, err := w.Listen(name)
			if err != nil || l.tls == nil {
				return ln, err
			}
			return l.tls.Listen(ln, name), nil
		},
		Dial:     func(ctx context.Context) (net.Conn, error) { return w.Dial(ctx, issuerName) },
		SelfDial: func(ctx context.Context) (net.Conn, error) { return w.DialBeside(ctx, name) },
	}
}

// serve runs something until its own close, and makes the teardown wait for it. The part that ends
// it must be added before.
func serve(t *teardown, name string, run func() error) {
	done := make(chan error, 1)
	go func() { done <- run() }()
	// Closing runs backwards, so the wait has to stand before the close that ends it.
	last := t.parts[len(t.parts)-1]
	t.parts[len(t.parts)-1] = part{name + " to end", func() error { return <-done }}
	t.parts = append(t.parts, last)
}

func startControl(w wire, t *teardown, name string, handler http.Handler) error {
	if near, ok := w.(nearby); ok {
		near.serve(name, handler)
		return nil
	}
	ln, err := w.Listen(name)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerLimit}
	t.add(name, server.Close)
	serve(t, name, func() error {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return nil
}

// controlConns are kept to each fake: two for its feeds, two for everything else.
const controlConns = 4

// controlClient dials names of the wire. Connections are kept, for a feed is asked again with each of its events, until the
// teardown: in virtual time no goroutine may be left behind.
func controlClient(w wire, t *teardown) *http.Client {
	if near, ok := w.(nearby); ok {
		return &http.Client{Transport: direct{near}}
	}
	transport := &http.Transport{
		MaxIdleConnsPerHost: controlConns,
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			name, _, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			return w.Dial(ctx, name)
		},
	}
	t.add("control client", func() error { transport.CloseIdleConnections(); return nil })
	return &http.Client{Transport: transport}
}
