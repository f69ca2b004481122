package terminal

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"
)

// connectParts: a question to the name server, and each address but the last one to be tried, may take this
// part of Timers.Connect, so that the whole stays within it.
const connectParts = 3

// errUnreachable is the end of a dial by name that found no address where anybody answered.
var errUnreachable = errors.New("no address of the host answers")

// dialOver connects over one uplink within Timers.Connect: to the address that was set for it or, where the
// model dials by name, to one that the name server gives; then TLS, where the model speaks it.
func (a *app) dialOver(ctx context.Context, uplink string) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, a.profile.Timers.Connect)
	defer cancel()
	conn, err := a.reach(limited, uplink)
	if err == nil && a.profile.Has("tls") {
		shaking := limited
		if a.defects.has(defectHandshakeUntimed) {
			shaking = ctx
		}
		conn, err = a.secure(shaking, conn, uplink)
	}
	if err != nil && ctx.Err() == nil && (limited.Err() != nil || timedOut(err)) {
		return nil, errDialTimeout
	}
	return conn, err
}

// timedOut tells a dial that the net package gave up: its own timer may go off a moment before the context's.
func timedOut(err error) bool {
	var why net.Error
	return errors.As(err, &why) && why.Timeout()
}

// reach opens the connection beneath.
func (a *app) reach(ctx context.Context, uplink string) (net.Conn, error) {
	if !a.profile.Has("dns-name") {
		return a.hw.Dial(ctx, uplink)
	}
	addresses := a.addresses(ctx, uplink)
	for i, address := range addresses {
		conn, err := a.dialAt(ctx, uplink, address, i == len(addresses)-1)
		switch {
		case err == nil:
			a.known[uplink] = address
			return conn, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
	}
	return nil, errUnreachable
}

// addresses are where the uplink's host may be: what the name server says now and, since it may be
// silent, wrong or out of date, where the host was reached last.
func (a *app) addresses(ctx context.Context, uplink string) []netip.Addr {
	limited, cancel := context.WithTimeout(ctx, a.profile.Timers.Connect/connectParts)
	defer cancel()
	found := a.resolve(limited, a.profile.Uplinks.Hosts[uplink])
	known, ok := a.known[uplink]
	if ok && !slices.Contains(found, known) && !a.defects.has(defectNameForgotten) {
		found = append(found, known)
	}
	return found
}

// dialAt tries one address; only the last may use all the time that is left.
func (a *app) dialAt(ctx context.Context, uplink string, address netip.Addr, last bool) (net.Conn, error) {
	if !last {
		limited, cancel := context.WithTimeout(ctx, a.profile.Timers.Connect/connectParts)
		defer cancel()
		ctx = limited
	}
	return a.hw.DialAt(ctx, uplink, address)
}

// wakeOnEnd ends reads and writes on conn when ctx does, without closing it. The caller must call stop, which
// waits until conn is left alone.
func wakeOnEnd(ctx context.Context, conn net.Conn) (stop func()) {
	woken := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(woken)
		_ = conn.SetDeadline(time.Unix(1, 0)) // a connection that is gone needs no waking
	})
	return func() {
		if !cancel() {
			<-woken
		}
	}
}
