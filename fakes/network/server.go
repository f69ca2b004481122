package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/feed"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// ErrClosed: the injector was closed.
var ErrClosed = errors.New("network: injector closed")

// Config is what an injector stands between. All of it but Tap and Token is needed.
type Config struct {
	// Framing says where a message begins and ends.
	Framing iso8583.Framing
	// Messages knows what stands in a message; see ISO8583.
	Messages Messages
	// Uplinks are the ways from terminals to hosts, for example primary and backup.
	Uplinks []Uplink
	// Tap is told what is on the wires.
	Tap Tap
	// Token must come with every control request but a ping, as a bearer token; "" asks for none.
	Token string
}

// Uplink is a port that terminals dial and the host behind it.
type Uplink struct {
	// Name of the uplink in faults and events.
	Name string
	// Listen opens the port. It is called again when "refuse" heals, and must then listen on the
	// same address.
	Listen func() (net.Listener, error)
	// Dial opens a connection to the host.
	Dial func(ctx context.Context) (net.Conn, error)
	// SelfDial dials the port of Listen, as a terminal would.
	SelfDial func(ctx context.Context) (net.Conn, error)
}

func (c Config) validate() error {
	if c.Messages == nil || len(c.Uplinks) == 0 {
		return errors.New("network: config: Messages and at least one uplink are needed")
	}
	if _, err := c.Framing.AppendFrame(nil, []byte{0}); err != nil {
		return fmt.Errorf("network: config: Framing: %w", err)
	}
	for i, u := range c.Uplinks {
		if u.Name == "" || u.Listen == nil || u.Dial == nil || u.SelfDial == nil {
			return fmt.Errorf("network: config: uplink %d: Name, Listen, Dial and SelfDial are needed", i+1)
		}
		if slices.ContainsFunc(c.Uplinks[:i], func(b Uplink) bool { return b.Name == u.Name }) {
			return fmt.Errorf("network: config: uplink %q is given twice", u.Name)
		}
	}
	return nil
}

// uplink is one that runs.
type uplink struct {
	Uplink
	port *port
}

// Server is an injector. It listens from New on, and accepts while it runs.
type Server struct {
	config  Config
	head    int // bytes of a frame's length
	log     feed.Log
	uplinks []*uplink
	plan    atomic.Pointer[plan] // the one armed last
	turn    chan struct{}        // held while a plan is armed or healed
	failed  chan error           // why accepting ended
	looking sync.Once            // starts look

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[*connection]struct{}
	last   int // number of the last connection
}

// New makes an injector without faults and opens its ports.
func New(config Config) (*Server, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	s := &Server{
		config: config,
		head:   config.Framing.LengthBytes,
		turn:   make(chan struct{}, 1),
		failed: make(chan error, len(config.Uplinks)),
		open:   make(map[*connection]struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.plan.Store(newPlan(s, 0))
	for _, u := range config.Uplinks {
		up := &uplink{Uplink: u}
		up.port = &port{listen: u.Listen, accept: func(l net.Listener) { s.accept(up, l) }}
		s.uplinks = append(s.uplinks, up)
		if err := up.port.open(); err != nil {
			_ = s.Close() // it has only ports to close
			return nil, fmt.Errorf("network: uplink %q: %w", u.Name, err)
		}
	}
	return s, nil
}

// Addr is the address that terminals dial for an uplink, "" being the first; nil for an unknown one.
func (s *Server) Addr(uplink string) net.Addr {
	for _, u := range s.named(uplink) {
		return u.port.addr
	}
	return nil
}

// Uplinks are the names of the uplinks.
func (s *Server) Uplinks() (names []string) {
	for _, u := range s.uplinks {
		names = append(names, u.Name)
	}
	return names
}

// named are the uplinks of that name; all of them for "".
func (s *Server) named(name string) []*uplink {
	return slices.DeleteFunc(slices.Clone(s.uplinks), func(u *uplink) bool { return name != "" && u.Name != name })
}

// Run accepts connections until ctx ends or Close is called, then closes. The error says why
// accepting was not possible.
func (s *Server) Run(ctx context.Context) error {
	for _, u := range s.uplinks {
		u.port.serve()
	}
	var err error
	select {
	case <-ctx.Done():
	case <-s.ctx.Done():
	case err = <-s.failed:
	}
	s.Close()
	return err
}

// Close ends the ports and every connection, and waits for all that the injector started. No
// peer can hold it up.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	for _, u := range s.uplinks {
		u.port.close()
	}
	for _, c := range s.connections("") {
		_ = c.end("injector closed", false)
	}
	s.wg.Wait()
	return nil
}

// connections are those that are open on an uplink, on all of them for "".
func (s *Server) connections(uplink string) []*connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*connection, 0, len(s.open))
	for c := range s.open {
		if uplink == "" || c.uplink.Name == uplink {
			all = append(all, c)
		}
	}
	return all
}

// Arm heals the plan before, then lets the faults of a new one act. It returns when "refuse"
// was seen to refuse or could not be. A plan that makes no sense is ErrPlan and changes nothing.
func (s *Server) Arm(ctx context.Context, spec client.Plan) error {
	if err := s.check(spec); err != nil {
		return err
	}
	p := newPlan(s, spec.Seed)
	for _, f := range spec.Faults {
		p.add(f, s.newFault(f))
	}
	if err := s.replace(ctx, p); err != nil {
		return err
	}
	p.settle(ctx)
	return nil
}

func (s *Server) replace(ctx context.Context, p *plan) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer func() { <-s.turn }()
	if err := s.plan.Load().heal(ctx); err != nil {
		return err
	}
	if err := p.begin(); err != nil {
		return errors.Join(err, p.heal(ctx))
	}
	s.plan.Store(p)
	return nil
}

// Heal ends every fault. It does not wait for terminal or host.
func (s *Server) Heal(ctx context.Context) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer func() { <-s.turn }()
	return s.plan.Load().heal(ctx)
}

// takeTurn waits until nobody else arms or heals.
func (s *Server) takeTurn(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ctx.Done():
		return ErrClosed
	}
}

// Status tells what became of each fault of the plan armed last.
func (s *Server) Status() []client.Status { return s.plan.Load().status() }

// Events is the log of what happened, for who runs in the same process; see package client.
func (s *Server) Events() *feed.Log { return &s.log }
