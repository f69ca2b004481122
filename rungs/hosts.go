package rungs

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	issuerserver "github.com/assay-hil/assay/fakes/issuer"
	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	networkserver "github.com/assay-hil/assay/fakes/network"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// headerLimit bounds how long a control request's header may take.
const headerLimit = 10 * time.Second

// embedded are issuer and injector in this process, reached as if they were elsewhere: the terminal by
// their ports, the harness by their control API.
type embedded struct {
	issuer  *issuer.Client
	network *network.Client
}

// startHosts starts issuer and injector on a wire.
func startHosts(ctx context.Context, w wire, t *teardown, host *hosts.Host, all []*cards.Card) (*embedded, error) {
	accounts := make([]cards.Card, 0, len(all))
	for _, c := range all {
		accounts = append(accounts, *c)
	}
	bank, err := issuerserver.New(issuerserver.Config{Host: host, Cards: accounts})
	if err != nil {
		return nil, err
	}
	t.add("issuer", bank.Close)
	ln, err := w.Listen(issuerName)
	if err != nil {
		return nil, err
	}
	serve(t, "issuer", func() error { return bank.Serve(ctx, ln) })
	injector, err := startInjector(ctx, w, t, host)
	if err != nil {
		return nil, err
	}
	for name, handler := range map[string]http.Handler{issuerControlName: bank.Control(), networkControlName: injector.Control()} {
		if err := startControl(w, t, name, handler); err != nil {
			return nil, err
		}
	}
	client := controlClient(w, t)
	return &embedded{
		issuer:  issuer.New(client, "http://"+issuerControlName),
		network: network.New(client, "http://"+networkControlName),
	}, nil
}

func startInjector(ctx context.Context, w wire, t *teardown, host *hosts.Host) (*networkserver.Server, error) {
	codec, err := iso8583.NewCodec(host.Dialect)
	if err != nil {
		return nil, err
	}
	injector, err := networkserver.New(networkserver.Config{
		Framing: host.Dialect.Framing,
		Identify: func(payload []byte) (mti, stan string, ok bool) {
			id, err := codec.Identify(payload)
			return id.MTI, id.STAN, err == nil
		},
		Listen:   func() (net.Listener, error) { return w.Listen(uplinkName) },
		Dial:     func(ctx context.Context) (net.Conn, error) { return w.Dial(ctx, issuerName) },
		SelfDial: func(ctx context.Context) (net.Conn, error) { return w.Dial(ctx, uplinkName) },
	})
	if err != nil {
		return nil, err
	}
	t.add("network", injector.Close)
	serve(t, "network", func() error { return injector.Run(ctx) })
	return injector, nil
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

// controlClient dials names of the wire. Connections are not kept: an idle one would be a
// goroutine left behind in virtual time.
func controlClient(w wire, t *teardown) *http.Client {
	transport := &http.Transport{
		DisableKeepAlives: true,
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
