package network

import (
	"fmt"
	"net"
	"sync"
)

// port is the address that terminals dial: open or shut, always the same one.
type port struct {
	listen func() (net.Listener, error)
	accept func(net.Listener) // starts accepting and returns

	mu       sync.Mutex
	listener net.Listener // nil while shut
	addr     net.Addr
	serving  bool
	closed   bool
}

// open listens, unless it does already.
func (p *port) open() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if p.listener != nil {
		return nil
	}
	l, err := p.listen()
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if p.addr == nil {
		p.addr = l.Addr()
	}
	if got, want := l.Addr().String(), p.addr.String(); got != want {
		_ = l.Close()
		return fmt.Errorf("listen: got address %s, need %s again", got, want)
	}
	p.listener = l
	if p.serving {
		p.accept(l)
	}
	return nil
}

// serve begins to accept, now and whenever the port opens.
func (p *port) serve() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.serving || p.closed {
		return
	}
	p.serving = true
	if p.listener != nil {
		p.accept(p.listener)
	}
}

// shut stops listening; open can undo it.
func (p *port) shut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close() // its error changes nothing: the proof is a refused dial
		p.listener = nil
	}
}

// close stops listening for good.
func (p *port) close() {
	p.shut()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.listener != nil { // opened between the two
		_ = p.listener.Close()
		p.listener = nil
	}
}
