//go:build !linux

package packet

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
)

// errSystem is the answer of every other system.
var errSystem = fmt.Errorf("%w: packets are spoilt by Linux, this is %s", ErrUnavailable, runtime.GOOS)

// Bench can't be made on this system.
type Bench struct{}

// New says that this is not Linux; the error is ErrUnavailable.
func New(context.Context) (*Bench, error) { return nil, errSystem }

// Probe says of every kind that this is not Linux.
func Probe(context.Context) []Capability {
	var all []Capability
	for _, kind := range Kinds() {
		all = append(all, Capability{Fault: kind, Why: errSystem.Error()})
	}
	return all
}

// Clean has nothing to remove.
func Clean(context.Context) ([]string, error) { return nil, nil }

// Arm and the methods below exist so that callers compile; there is no bench to call them on.
func (*Bench) Arm(Spec) error { return errSystem }

// Heal says that this is not Linux, as do the rest.
func (*Bench) Heal() error { return errSystem }

// HealOne says that this is not Linux.
func (*Bench) HealOne(string) error { return errSystem }

// Status is empty.
func (*Bench) Status() []Status { return nil }

// Wait says that this is not Linux.
func (*Bench) Wait(context.Context, string) (Status, error) { return Status{}, errSystem }

// Addr is no address.
func (*Bench) Addr(string) netip.Addr { return netip.Addr{} }

// Namespace is no path.
func (*Bench) Namespace(string) string { return "" }

// Gate says that this is not Linux.
func (*Bench) Gate(string, netip.Prefix) error { return errSystem }

// Inside says that this is not Linux.
func (*Bench) Inside(string, func() error) error { return errSystem }

// Dial says that this is not Linux.
func (*Bench) Dial(context.Context, string, string) (net.Conn, error) { return nil, errSystem }

// Listen says that this is not Linux.
func (*Bench) Listen(context.Context, string, string) (net.Listener, error) { return nil, errSystem }

// Close has nothing to close.
func (*Bench) Close() error { return nil }
