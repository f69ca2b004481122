package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/feed"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// ErrClosed: the injector was closed.
var ErrClosed = errors.New("network: injector closed")

// Config is what an injector stands between. All of it is needed.
type Config struct {
	// Framing says where a message begins and ends.
	Framing iso8583.Framing
	// Identify reads MTI (4 digits) and STAN (up to 6 digits, may be missing) of a message; ok is false for bytes
	// that are no message. It must not keep the payload.
	Identify func(payload []byte) (mti, stan string, ok bool)
	// Listen opens the port that terminals dial. It is called again when "refuse" heals, and
	// must then listen on the same address.
	Listen func() (net.Listener, error)
	// Dial opens a connection to the host.
	Dial func(ctx context.Context) (net.Conn, error)
	// SelfDial dials the port of Listen, as a terminal would.
	SelfDial func(ctx context.Context) (net.Conn, error)
}

func (c Config) validate() error {
	switch {
	case c.Framing.LengthBytes != 2 && c.Framing.LengthBytes != 4, c.Framing.MaxLength <= 0:
		return errors.New("network: config: Framing is not usable")
	case c.Identify == nil, c.Listen == nil, c.Dial == nil, c.SelfDial == nil:
		return errors.New("network: config: Identify, Listen, Dial and SelfDial are needed")
	}
	return nil
}

// Server is an injector. It listens from New on, and accepts while it runs.
type Server struct {
	config Config
	log    feed.Log
	port   *port
	plan   atomic.Pointer[plan] // the one armed last
	turn   chan struct{}        // held while a plan is armed or healed
	failed chan error           // why accepting ended

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[*connection]struct{}
	last   int // number of the last connection
}

// New makes an injector without faults and opens its port.
func New(config Config) (*Server, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	s := &Server{
		config: config,
		turn:   make(chan struct{}, 1),
		failed: make(chan error, 1),
		open:   make(map[*connection]struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.plan.Store(newPlan(&s.log))
	s.port = &port{listen: config.Listen, accept: s.accept}
	if err := s.port.open(); err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	return s, nil
}

// Addr is the address that terminals dial.
func (s *Server) Addr() net.Addr { return s.port.addr }

// Run accepts connections until ctx ends or Close is called, then closes. The error says why
// accepting was not possible.
func (s *Server) Run(ctx context.Context) error {
	s.port.serve()
	var err error
	select {
	case <-ctx.Done():
	case <-s.ctx.Done():
	case err = <-s.failed:
	}
	s.Close()
	return err
}

// Close ends the port and every connection, and waits for all that the injector started. No
// peer can hold it up.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	all := make([]*connection, 0, len(s.open))
	for c := range s.open {
		all = append(all, c)
	}
	s.mu.Unlock()
	s.cancel()
	s.port.close()
	for _, c := range all {
		_ = c.end("injector closed", false)
	}
	s.wg.Wait()
	return nil
}

// Arm heals the plan before, then lets the faults of a new one act. It returns when "refuse"
// was seen to refuse or could not be. A plan that makes no sense is ErrPlan and changes nothing.
func (s *Server) Arm(ctx context.Context, spec client.Plan) error {
	if err := check(spec); err != nil {
		return err
	}
	p := newPlan(&s.log)
	for _, f := range spec.Faults {
		p.entries = append(p.entries, &entry{spec: f, fault: s.newFault(f)})
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

// accept takes connections from l until l closes.
func (s *Server) accept(l net.Listener) {
	s.spawn(func() {
		for {
			conn, err := l.Accept()
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err != nil:
				select {
				case s.failed <- fmt.Errorf("network: accept: %w", err):
				default: // an earlier one is told
				}
				return
			}
			s.admit(conn)
		}
	})
}

// admit begins to serve a terminal's connection, or closes it when there are too many.
func (s *Server) admit(conn net.Conn) {
	c := &connection{server: s, terminal: conn}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	s.mu.Lock()
	s.last++
	c.id = strconv.Itoa(s.last)
	full := len(s.open) >= MaxConnections
	if !full && !s.closed {
		s.open[c] = struct{}{}
	}
	s.mu.Unlock()
	if full {
		s.log.Append("opened", map[string]string{"connection": c.id})
		_ = c.end("too many connections", false)
		c.report()
		return
	}
	started := s.spawn(func() {
		c.serve()
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
	})
	if !started {
		_ = c.end("injector closed", false)
	}
}

// spawn runs f, for which Close waits. It is false after Close, and f is not run.
func (s *Server) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Go(f)
	return true
}
