// Package issuer is the bank that a terminal talks to: an ISO 8583 host with accounts, a ledger
// and a journal, which answers by the books unless a rule tells it to misbehave.
//
//	srv, err := issuer.New(issuer.Config{Host: host, Cards: cards})
//	go srv.Serve(ctx, terminals)                  // ISO 8583, many connections
//	http.Serve(control, srv.Control())            // see package client
//	defer srv.Close()
//
// A message's way: server.go reads it, process.go decides (purchase.go, reversal.go,
// settlement.go, signon.go, and rules.go before them), ledger.go posts, journal.go remembers,
// and only then server.go answers.
package issuer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/feed"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// Limits of the terminals' side.
const (
	MaxConnections = 64              // at one time; more are closed at once, as a violation
	MaxLateAnswers = 64              // waiting at one time; more are not sent, as a violation
	IdleLimit      = 5 * time.Minute // without a whole message, until a connection is closed
	WriteLimit     = 10 * time.Second
)

// ErrClosed is returned by Serve after Close.
var ErrClosed = errors.New("issuer: closed")

// Config is what an issuer knows from the start.
type Config struct {
	Host  *hosts.Host  // dialect and PIN key
	Cards []cards.Card // the accounts; every setup starts from their balances
}

// Server is the issuer. Its methods are safe for use by several goroutines.
type Server struct {
	codec   *iso8583.Codec
	config  Config
	events  feed.Log
	control http.Handler
	ending  chan struct{} // closed by Close
	work    sync.WaitGroup

	mu          sync.Mutex // never held while waiting
	closed      bool
	bank        *bank // of the latest setup
	connections int   // open now
	accepted    int   // ever
	late        int   // answers waiting for their time
}

// New makes an issuer with an empty setup. Errors say what is unusable in the configuration.
func New(config Config) (*Server, error) {
	if config.Host == nil {
		return nil, errors.New("issuer: no host dialect")
	}
	codec, err := iso8583.NewCodec(config.Host.Dialect)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if err := usable(config); err != nil {
		return nil, fmt.Errorf("issuer: host %s: %w", config.Host.ID, err)
	}
	s := &Server{codec: codec, config: config, ending: make(chan struct{})}
	s.control = s.routes()
	s.bank = newBank(s, nil)
	return s, nil
}

// Serve answers terminals on ln until ctx ends or Close is called, then returns nil once every
// connection and late answer of this listener is done. It closes ln. An error of ln itself ends
// it too, and is returned.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if !s.begin() {
		_ = ln.Close()
		return ErrClosed
	}
	defer s.work.Done()
	ctx, stop := context.WithCancel(ctx)
	var own sync.WaitGroup
	own.Go(func() {
		select {
		case <-ctx.Done():
		case <-s.ending:
			stop()
		}
		_ = ln.Close()
	})
	err := s.accept(ctx, ln, &own)
	if ctx.Err() != nil {
		err = nil
	}
	stop()
	own.Wait()
	return err
}

// begin counts a piece of work that Close must wait for; false after Close.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.work.Add(1)
	}
	return !s.closed
}

// Close ends every Serve and waits for all goroutines of the issuer.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.ending)
	}
	s.mu.Unlock()
	s.work.Wait()
	return nil
}

// accept takes connections until the listener ends.
func (s *Server) accept(ctx context.Context, ln net.Listener, own *sync.WaitGroup) error {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		l, ok := s.link(conn)
		if !ok {
			_ = conn.Close()
			continue
		}
		own.Go(func() { s.converse(ctx, l, own) })
	}
}

// link is one connection of a terminal.
type link struct {
	id   string
	conn net.Conn
	gone chan struct{} // closed when the connection is over
	turn chan struct{} // holds a token while somebody writes
	over sync.Once
}

// link registers a connection; false when there are too many.
func (s *Server) link(conn net.Conn) (*link, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connections == MaxConnections {
		s.bank.violate(fmt.Sprintf("more than %d connections at one time", MaxConnections))
		return nil, false
	}
	s.connections++
	s.accepted++
	return &link{
		id: strconv.Itoa(s.accepted), conn: conn,
		gone: make(chan struct{}), turn: make(chan struct{}, 1),
	}, true
}

func (l *link) close() {
	l.over.Do(func() {
		close(l.gone)
		_ = l.conn.Close()
	})
}

// converse runs one connection to its end.
func (s *Server) converse(ctx context.Context, l *link, own *sync.WaitGroup) {
	hung := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		l.close()
		close(hung)
	})
	s.events.Append(eventConnected, map[string]string{"connection": l.id})
	why := s.exchanges(ctx, l, own)
	l.close()
	if !stop() {
		<-hung
	}
	s.events.Append(eventDisconnected, map[string]string{"connection": l.id, "why": why})
	s.mu.Lock()
	s.connections--
	s.mu.Unlock()
}

// exchanges reads message after message; it says why it stopped.
func (s *Server) exchanges(ctx context.Context, l *link, own *sync.WaitGroup) (why string) {
	framing := s.codec.Dialect().Framing
	for {
		if err := l.conn.SetReadDeadline(time.Now().Add(IdleLimit)); err != nil {
			return ended(err)
		}
		payload, err := framing.ReadFrame(l.conn)
		if errors.Is(err, iso8583.ErrFrameLength) {
			s.violate(fmt.Sprintf("bad frame: %v", err))
		}
		if err != nil {
			return ended(err)
		}
		if why := s.exchange(ctx, l, payload, own); why != "" {
			return why
		}
	}
}

// ended says in a few words how a connection came to its end. A terminal that loses power or
// line inside a frame breaks no rule, so that is no violation.
func ended(err error) string {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "ended inside a frame"
	case errors.Is(err, io.EOF):
		return "closed by the terminal"
	case errors.Is(err, iso8583.ErrFrameLength):
		return "bad frame"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "idle"
	case errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return "closed by the issuer"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	}
	return "line error"
}

// exchange handles one message; it says why the connection cannot go on, if so.
func (s *Server) exchange(ctx context.Context, l *link, payload []byte, own *sync.WaitGroup) (why string) {
	m, err := s.codec.Unpack(payload)
	if err != nil {
		id, _ := s.codec.Identify(payload) // what can be read of it; the error is told already
		s.violate(fmt.Sprintf("%s: unreadable message: %v", label(id.MTI, id.Terminal, id.STAN), err))
		return "unreadable message"
	}
	d := s.decide(m)
	switch {
	case d.wire == nil:
		return ""
	case d.late > 0:
		s.later(ctx, l, d, own)
		return ""
	}
	return s.send(l, d)
}

// decide processes a message and records what was decided. Nothing is sent before.
func (s *Server) decide(m iso8583.Message) decision {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.bank.process(m)
	if d.wire != nil && d.late == 0 {
		s.bank.sent(d)
	}
	return d
}

// later sends an answer when its time has come, unless a new setup or the end comes first.
func (s *Server) later(ctx context.Context, l *link, d decision, own *sync.WaitGroup) {
	s.mu.Lock()
	full := s.late == MaxLateAnswers
	if full {
		d.bank.violate(fmt.Sprintf("more than %d late answers at one time", MaxLateAnswers))
	} else {
		s.late++
	}
	s.mu.Unlock()
	if full {
		return
	}
	own.Go(func() {
		timer := time.NewTimer(d.late)
		defer timer.Stop()
		select {
		case <-timer.C:
			if s.due(l, d) && s.send(l, d) != "" {
				l.close()
			}
		case <-d.bank.replaced:
		case <-ctx.Done():
		}
		s.mu.Lock()
		s.late--
		s.mu.Unlock()
	})
}

// due records a late answer and says whether it is to be sent: not after a new setup, and not
// when the terminal has hung up.
func (s *Server) due(l *link, d decision) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bank != d.bank {
		return false
	}
	select {
	case <-l.gone:
		s.bank.undelivered(d)
		return false
	default:
		s.bank.sent(d)
		return true
	}
}

// send writes one answer, one writer at a time.
func (s *Server) send(l *link, d decision) (why string) {
	select {
	case l.turn <- struct{}{}:
	case <-l.gone:
		return s.unsent(d, net.ErrClosed)
	}
	defer func() { <-l.turn }()
	err := l.conn.SetWriteDeadline(time.Now().Add(WriteLimit))
	if err == nil {
		err = s.codec.Dialect().Framing.WriteFrame(l.conn, d.wire)
	}
	if err != nil {
		return s.unsent(d, err)
	}
	return ""
}

// unsent records an answer that the connection did not take any more.
func (s *Server) unsent(d decision, err error) (why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bank == d.bank {
		s.bank.undelivered(d)
	}
	return ended(err)
}

// violate records a violation outside of a message's processing.
func (s *Server) violate(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bank.violate(text)
}
