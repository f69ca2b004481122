package rungs

import (
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/assay-hil/assay/fakes/bench"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
	"github.com/assay-hil/assay/rigs/serial"
)

const (
	// simScale is by what the simulated terminal's timers, and with them the budgets, are
	// shortened in real time. Every record of the rung says so.
	simScale = 6
	// simContact is how long the fast finger holds a key, longer than any profile's debounce.
	simContact = 24 * time.Millisecond
	// simPlunge is the fast finger's speed downwards, mm/min.
	simPlunge = 30_000
	// simUncertainty: two pseudo-terminals and a scheduler lie between two time stamps.
	simUncertainty = 10 * time.Millisecond
)

// newSim is the simulated bench behind real pseudo-terminals and loopback TCP, in real time: several side by side, unless
// one was asked for. Containers serve one.
func newSim(o Options) (Rung, error) {
	profiles, err := o.profiles()
	if err != nil {
		return nil, err
	}
	n := o.Benches
	switch {
	case o.Hosts == Containers:
		n = 1
	case n == 0:
		n = usualBenches()
	}
	passed := &captures{evidence: o.Evidence}
	return newSeveral(n, func(n int) *realtime {
		return simBench(o, profiles, &wires{evidence: under(o.Evidence, n)}, passed)
	}), nil
}

// simBench is one of them.
func simBench(o Options, profiles []*terminals.Profile, log *wires, passed *captures) *realtime {
	drivers := simulated().Lines()
	return &realtime{
		log: log, name: Sim, profiles: profiles, scale: simScale,
		has: func(string) bool { return true }, noPackets: noPackets,
		plan: func(t *teardown, wanted Wanted) (plan, error) {
			ports, paths, err := openPorts(t)
			if err != nil {
				return plan{}, err
			}
			var w wire = newLoopback(nil)
			if wanted.Packets {
				if w, err = newRouted(t); err != nil {
					return plan{}, err
				}
			}
			return plan{
				wire: w,
				lines: func(name string) (*serial.Line, error) {
					return serial.Open(paths[name], serial.Mode{}, log.of(name, drivers[name].Driver)...)
				},
				captures: passed,
				settings: settings{name: Sim, contact: simContact, plunge: simPlunge, keypad: simKeypad(), uncertainty: simUncertainty},
				bench:    startBench(o, wanted.Profile, wanted.Lang, ports, w),
			}, nil
		},
	}
}

// simKeypad are the keypad driver's limits for a finger that is simulated: it may be asked for its
// status more often than a real controller.
func simKeypad() grbl.Limits {
	return grbl.Limits{Banner: time.Second, Settle: 10 * time.Millisecond, StatusEvery: 2 * time.Millisecond}
}

// dialer opens a connection over a named uplink.
type dialer func(ctx context.Context, uplink string) (net.Conn, error)

// outside is what a simulated terminal reaches of the world.
type outside interface {
	Dial(ctx context.Context, uplink string) (net.Conn, error)
	DialAt(ctx context.Context, uplink string, address netip.Addr) (net.Conn, error)
	DialNames(ctx context.Context) (net.Conn, error)
}

// startBench prepares the start of a fast simulated bench on ports.
func startBench(o Options, p *terminals.Profile, lang string, ports bench.Ports, out outside) func(context.Context, *hosts.Host, *x509.CertPool) (*bench.Bench, error) {
	return func(ctx context.Context, host *hosts.Host, trust *x509.CertPool) (*bench.Bench, error) {
		return bench.Start(ctx, bench.Config{
			Profile: p, Lang: lang, Host: host, Defects: o.Defects, Faults: o.Faults, Fast: true, Ports: ports,
			Dial: out.Dial, DialAt: out.DialAt, DialNames: out.DialNames, Trust: trust,
		})
	}
}

// openPorts makes a pseudo-terminal for each instrument: the bench gets the master, the paths
// are for the drivers.
func openPorts(t *teardown) (bench.Ports, map[string]string, error) {
	masters, paths := map[string]io.ReadWriteCloser{}, map[string]string{}
	for _, name := range instruments {
		master, slave, err := openPTY()
		if err != nil {
			return bench.Ports{}, nil, err
		}
		// The slave stays open on this side too: a master whose slave nobody holds reads EIO.
		t.add("pseudo-terminal of "+name, slave.Close)
		masters[name], paths[name] = master, slave.Name()
	}
	return bench.Ports{Keypad: masters["keypad"], Card: masters["card"], Display: masters["display"], Power: masters["power"], Printer: masters["printer"]}, paths, nil
}

// openPTY opens a pseudo-terminal that passes bytes on as they are: one that echoed would talk
// to itself until the driver has opened it.
func openPTY() (master, slave *os.File, err error) {
	master, slave, err = pty.Open()
	if err != nil {
		return nil, nil, err
	}
	if _, err = term.MakeRaw(int(slave.Fd())); err == nil {
		var waiting *os.File
		if waiting, err = pollable(master); err == nil {
			return waiting, slave, nil
		}
	}
	_ = master.Close()
	_ = slave.Close()
	return nil, nil, err
}

// pollable opens the same terminal anew in non-blocking mode: only then does Close end a Read or
// Write in progress. It closes f.
func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	name := f.Name()
	if err := f.Close(); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}
