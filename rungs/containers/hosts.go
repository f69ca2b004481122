package containers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	testcontainers "github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
)

// Where hosts listen within their network.
const (
	issuerName  = "issuer"
	networkName = "network"
	// hostPort is where the issuer listens for terminals, and from where on the injector has its
	// uplinks; controlPort is the control API's.
	hostPort    = 8583
	controlPort = 9090
	// closedPort is one on which nothing listens.
	closedPort = 1
)

// Uplink is one way from the terminal to the issuer, through the injector.
type Uplink struct {
	Name string
	// Publish is the address of this machine, with a port, at which a terminal outside dials; ""
	// where the terminal is simulated on this machine.
	Publish string
}

// Config says what hosts are started.
type Config struct {
	Dialect string // one of the embedded
	// Parameters is the terminal profile, one of the embedded, whose chip parameters the issuer has to give; "": none.
	Parameters string
	Uplinks    []Uplink
	// Log opens a file for a container's log; it is written when the container has ended. nil drops it.
	Log func(name string) (io.WriteCloser, error)
}

// Control is a control API: its address and the bearer token that it asks for.
type Control struct{ Address, Token string }

// Hosts are an issuer and an injector that answer.
type Hosts struct {
	Issuer, Network Control
	// Uplinks are what a terminal dials, by name.
	Uplinks map[string]string

	engine  *Engine
	labels  map[string]string
	log     func(name string) (io.WriteCloser, error)
	network *testcontainers.DockerNetwork
	started []*started
}

// started is a container that was created.
type started struct {
	name string
	*testcontainers.DockerContainer
}

// Start starts an issuer and an injector in a network of their own and waits until they answer.
// After an error nothing is left of them. An error about Publish is ErrPublish or ErrUnreachable.
func (e *Engine) Start(ctx context.Context, c Config) (_ *Hosts, err error) {
	ctx, cancel := context.WithTimeout(ctx, StartLimit)
	defer cancel()
	if err := e.begin(ctx); err != nil {
		return nil, fmt.Errorf("containers: %w", err)
	}
	h := &Hosts{engine: e, labels: e.owner.labels(), log: c.Log, Uplinks: map[string]string{}}
	h.labels[labelWorld] = rand.Text()
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("containers: %w", err), h.Close())
		}
	}()
	err = creating(ctx, func(ctx context.Context) error {
		h.network, err = network.New(ctx, network.WithLabels(h.labels))
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := h.startIssuer(ctx, e, c); err != nil {
		return nil, err
	}
	return h, h.startInjector(ctx, e, c)
}

// creating makes something that ctx must not end halfway: the engine would go on, and nobody would
// know what it has made.
func creating(ctx context.Context, make func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createLimit)
	defer cancel()
	return make(ctx)
}

func (h *Hosts) startIssuer(ctx context.Context, e *Engine, c Config) error {
	r := request{
		name: issuerName, image: e.image, token: rand.Text(),
		args: []string{"issuer", "serve", "--dialect", c.Dialect, "--listen", listen(hostPort), "--control", listen(controlPort), "--token-file", tokenPath},
	}
	if c.Parameters != "" {
		r.args = append(r.args, "--parameters", c.Parameters)
	}
	ip, err := h.run(ctx, r)
	h.Issuer = Control{at(ip, controlPort), r.token}
	return err
}

func (h *Hosts) startInjector(ctx context.Context, e *Engine, c Config) error {
	r := request{
		name: networkName, image: e.image, token: rand.Text(),
		args: []string{"network", "serve", "--dialect", c.Dialect, "--control", listen(controlPort), "--token-file", tokenPath},
	}
	for i, u := range c.Uplinks {
		r.args = append(r.args, "--uplink", u.Name+"="+listen(hostPort+i)+","+at(issuerName, hostPort))
		if u.Publish != "" {
			r.publish = append(r.publish, published{hostPort + i, u.Publish})
		}
	}
	ip, err := h.run(ctx, r)
	if err != nil {
		return err
	}
	h.Network = Control{at(ip, controlPort), r.token}
	for i, u := range c.Uplinks {
		h.Uplinks[u.Name] = at(ip, hostPort+i)
		if u.Publish != "" {
			h.Uplinks[u.Name] = u.Publish
		}
	}
	return h.provePublished(ctx, r)
}

// listen is an address within a container.
func listen(port int) string { return at("0.0.0.0", port) }

func at(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// Close ends the containers, keeps their logs, and removes them and their network. It is bounded.
func (h *Hosts) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	failed := make([]error, len(h.started))
	var ending sync.WaitGroup
	for i, s := range h.started {
		ending.Go(func() { failed[i] = h.end(ctx, s) })
	}
	ending.Wait()
	err := errors.Join(failed...)
	h.started = nil
	if h.network != nil {
		err = errors.Join(err, h.network.Remove(ctx))
		h.network = nil
	}
	mine := func(labels map[string]string) bool { return labels[labelWorld] == h.labels[labelWorld] }
	return errors.Join(err, remove(ctx, h.engine.provider.Client(), mine))
}

// end ends one container. Its log is read when it has nothing more to say.
func (h *Hosts) end(ctx context.Context, s *started) error {
	limit := stopLimit
	err := s.Stop(ctx, &limit)
	err = errors.Join(err, h.keepLog(ctx, s))
	err = errors.Join(err, s.Terminate(ctx, testcontainers.StopTimeout(time.Second)))
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

func (h *Hosts) keepLog(ctx context.Context, s *started) error {
	if h.log == nil {
		return nil
	}
	from, err := s.Logs(ctx)
	if err != nil {
		return err
	}
	to, err := h.log(s.name + ".log")
	if err != nil {
		return errors.Join(err, from.Close())
	}
	_, err = io.Copy(to, io.LimitReader(from, maxLog))
	return errors.Join(err, from.Close(), to.Close())
}

// tail is the end of a container's log, for an error.
func (s *started) tail(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logLimit)
	defer cancel()
	from, err := s.Logs(ctx)
	if err != nil {
		return "its log cannot be read: " + err.Error()
	}
	text, err := io.ReadAll(io.LimitReader(from, maxLog))
	_ = from.Close()
	if err != nil {
		return "its log cannot be read: " + err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
