package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// refuse closes the port, so that a dial is refused as when no host runs (ECONNREFUSED);
// connections that exist live on. A kernel does not tell the owner of a closed port who knocked,
// so the fault has fired when a dial of our own was refused.
type refuse struct {
	port  *port
	dial  func(context.Context) (net.Conn, error)
	spawn func(func()) bool
	ctx   context.Context // the server's: begin outlives the request that asks for it
	stop  context.CancelFunc
	done  chan struct{}
}

func (*refuse) decide(message) verdict { return verdict{fate: passed} }

func (r *refuse) begin(report func(error)) error {
	var ctx context.Context
	ctx, r.stop = context.WithTimeout(r.ctx, proofLimit)
	r.port.shut()
	started := r.spawn(func() {
		defer close(r.done)
		defer r.stop()
		if err := r.prove(ctx); !errors.Is(err, context.Canceled) {
			report(err)
		}
	})
	if !started {
		close(r.done)
		r.stop()
		return ErrClosed
	}
	return nil
}

// prove dials until the dial is refused.
func (r *refuse) prove(ctx context.Context) error {
	for {
		conn, err := r.dial(ctx)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil
		}
		if err == nil {
			_ = conn.Close()
			err = errors.New("a dial was answered")
		}
		select {
		case <-time.After(proofPause):
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return fmt.Errorf("port not seen to refuse within %v: %w", proofLimit, err)
		}
	}
}

func (r *refuse) settled() <-chan struct{} { return r.done }

// end listens again. A proof still dialling is called off first, so that its connection does
// not become the first one on the open port.
func (r *refuse) end(ctx context.Context) error {
	if r.stop == nil { // never begun
		return nil
	}
	r.stop()
	grace := time.NewTimer(proofGrace)
	defer grace.Stop()
	select {
	case <-r.done:
	case <-grace.C:
	case <-ctx.Done():
	}
	return r.port.open()
}
