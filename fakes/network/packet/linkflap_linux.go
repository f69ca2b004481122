package packet

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
)

// flap sets the terminal's link down and up, as its system does when a cable comes and goes:
// while it is down, connect gives ENETUNREACH at once, and what open connections send waits for
// the kernel's repeats.
type flap struct {
	bench   *Bench
	link    netlink.Link
	far     netlink.Link // the router's end
	stop    chan struct{}
	stopped bool
	done    chan struct{}

	mu    sync.Mutex
	downs uint64
	err   error // that ended the flapping
}

// armFlap takes the link down; with times it goes on by itself.
func (b *Bench) armFlap(s Spec) (acting, error) {
	for _, f := range b.faults {
		if _, flaps := f.acting.(*flap); flaps {
			return nil, fmt.Errorf("%w: fault %q flaps the link already; heal that first", ErrSpec, f.status.ID)
		}
	}
	f := &flap{bench: b, stop: make(chan struct{}), done: make(chan struct{})}
	var err error
	if f.link, err = b.terminal.links.LinkByName(uplink); err != nil {
		return nil, err
	}
	if f.far, err = b.router.links.LinkByName(Terminal); err != nil {
		return nil, err
	}
	if err := f.down(); err != nil {
		return nil, errors.Join(err, f.up())
	}
	go f.run(s)
	return f, nil
}

// run goes on from a link that is down.
func (f *flap) run(s Spec) {
	defer close(f.done)
	if s.Down == 0 {
		return
	}
	for n := 1; f.pause(s.Down); n++ {
		if f.failed(f.up()) || n == s.Times || !f.pause(s.Up) || f.failed(f.down()) {
			return
		}
	}
}

// pause is false when the fault is healed meanwhile.
func (f *flap) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-f.stop:
		return false
	}
}

func (f *flap) failed(err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	return err != nil
}

// down takes the link down and asks the kernel if it is.
func (f *flap) down() error {
	links := f.bench.terminal.links
	if err := links.LinkSetDown(f.link); err != nil {
		return fmt.Errorf("link down: %w", err)
	}
	link, err := links.LinkByIndex(f.link.Attrs().Index)
	if err != nil {
		return err
	}
	if link.Attrs().Flags&net.FlagUp != 0 {
		return errors.New("link down: it is still up")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.downs++
	return nil
}

// up brings the link back, and the way through the router, which goes with it.
func (f *flap) up() error {
	if err := f.bench.terminal.links.LinkSetUp(f.link); err != nil {
		return fmt.Errorf("link up: %w", err)
	}
	err := adopt(f.bench.terminal, f.link, f.bench.plan.toTerminal, f.far)
	if err == nil {
		err = errors.Join(ready(f.bench.terminal, f.link), ready(f.bench.router, f.far))
	}
	if err != nil {
		return fmt.Errorf("link up: %w", err)
	}
	return nil
}

func (f *flap) fired() (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.downs, f.err
}

func (f *flap) heal() error {
	if !f.stopped {
		f.stopped = true
		close(f.stop)
	}
	<-f.done // a link's getting ready away at most
	return f.up()
}
