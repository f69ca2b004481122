// Package packet spoils the way between a terminal and its host below the message: lost and late
// packets, a network that says no or nothing, a router that forgets, a cable that is pulled. What
// happens then inside TCP is the kernel's own doing, which no proxy can give.
//
// A [Bench] is three network namespaces in a row, made by [New] and removed by [Bench.Close]:
//
//	terminal ── router ── host
//
// The terminal's side dials, the host's side listens, every fault acts in the router. So a packet
// is lost on its way and not in the sender's own kernel, which would tell the sender. Nothing is
// ever changed in the namespace that the process itself runs in: the links are made inside. The one
// exception is the interface that [Bench.Gate] borrows, for a real terminal behind it.
//
//	bench, err := packet.New(ctx)
//	defer bench.Close()
//	listener, err := bench.Listen(ctx, packet.Host, ":8583")
//	err = bench.Arm(packet.Spec{Kind: packet.SYNBlackhole, Port: 8583})
//	conn, err := bench.Dial(ctx, packet.Terminal, bench.Addr(packet.Host).String()+":8583")
//	err = bench.Heal()
//
// A fault is armed by one of several mechanisms, the best that the kernel has: netem, nftables
// rules, the token bucket filter, a TUN device whose packets pass through this process, or the
// link itself. [Probe] tells which they are here. Each fault is armed, fired (a counter of the
// kernel or the TUN device shows that it affected a packet) and healed, as [Bench.Status] tells.
//
// Chance is decided by a seed and a packet's identity (which connection, direction and place in
// the stream, and how often it has come), never by a count of packets: see [Spec.Seed].
//
// Faults act on TCP over IPv4; IPv6 is off inside. They need Linux, CAP_NET_ADMIN for the
// links and CAP_SYS_ADMIN for the namespaces. Elsewhere everything says [ErrUnavailable].
package packet

import (
	"errors"
	"time"
)

// Errors of a bench.
var (
	// ErrSpec: a fault makes no sense as it is described.
	ErrSpec = errors.New("packet fault")
	// ErrUnavailable: this machine can't do it, for a right, a device or a part of the kernel is missing; the
	// error says which.
	ErrUnavailable = errors.New("not available on this machine")
	// ErrClosed: the bench is closed.
	ErrClosed = errors.New("bench closed")
)

// Sides of a bench.
const (
	Terminal = "terminal"
	Host     = "host"
)

// Directions of a packet, in the words of the message level.
const (
	FromTerminal = "terminal>host"
	FromHost     = "host>terminal"
)

// Mechanisms, as a capability or a status names them.
const (
	Netem = "netem" // the kernel's network emulator, a queueing discipline
	NFT   = "nft"   // nftables rules in the router's forward hook
	TBF   = "tbf"   // the kernel's token bucket filter, a queueing discipline
	TUN   = "tun"   // a TUN device in the router, its packets handled in this process
	Link  = "link"  // a link set down and up
)

// Limits of a bench.
const (
	// MaxFaults are armed or remembered at the same time.
	MaxFaults = 64
	// MaxDelay is the longest that a packet is held, MaxIdle the longest idle time.
	MaxDelay = time.Minute
	MaxIdle  = 24 * time.Hour
	// MaxTimes is how often a link flaps, MaxDown how long it is down or up.
	MaxTimes = 1000
	MaxDown  = time.Hour
	// MinRate and MaxRate bound a link's rate, in bit/s.
	MinRate = 1_000
	MaxRate = 1_000_000_000
	// MinSize is the smallest packet of IPv4 that everybody must take, MTU the links' own size.
	MinSize = 68
	MTU     = 1500
	// maxName is the length of a fault's ID.
	maxName = 64
)
