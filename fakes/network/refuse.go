package network

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// refuse closes ports, so that a dial is refused as when no host runs (ECONNREFUSED);
// connections that exist live on. A kernel does not tell the owner of a closed port who knocked,
// so the fault has fired when a dial of our own was refused.
type refuse struct {
	server  *Server
	uplinks []*uplink

	mu    sync.Mutex
	proof *proof // nil while the ports are open
}

// proof is an attempt to show that closed ports refuse.
type proof struct {
	stop context.CancelFunc
	done chan struct{}
}

func (s *Server) newRefuse(spec client.Fault) *refuse {
	return &refuse{server: s, uplinks: s.named(spec.Uplink)}
}

func (r *refuse) begin(_ *entry, report func(error)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proof != nil {
		return nil
	}
	ctx, stop := context.WithTimeout(r.server.ctx, proofLimit) // it outlives the request that asks for it
	p := &proof{stop: stop, done: make(chan struct{})}
	for _, u := range r.uplinks {
		u.port.shut()
	}
	started := r.server.spawn(func() {
		defer close(p.done)
		defer stop()
		if err := r.prove(ctx); !errors.Is(err, context.Canceled) {
			report(err)
		}
	})
	if !started {
		stop()
		return ErrClosed
	}
	r.proof = p
	return nil
}

// prove dials every port until the dial is refused.
func (r *refuse) prove(ctx context.Context) error {
	for _, u := range r.uplinks {
		if err := u.refuses(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (u *uplink) refuses(ctx context.Context) error {
	for {
		conn, err := u.SelfDial(ctx)
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

func (r *refuse) settled() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proof != nil {
		return r.proof.done
	}
	open := make(chan struct{})
	close(open)
	return open
}

// end listens again. A proof still dialling is called off first, so that its connection does
// not become the first one on the open port.
func (r *refuse) end(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proof == nil {
		return nil
	}
	r.proof.stop()
	grace := time.NewTimer(proofGrace)
	defer grace.Stop()
	select {
	case <-r.proof.done:
	case <-grace.C:
	case <-ctx.Done():
	}
	var failed error
	for _, u := range r.uplinks {
		failed = errors.Join(failed, u.port.open())
	}
	if failed == nil {
		r.proof = nil
	}
	return failed
}
