// Package pcap writes what passed a proxy as a capture (pcapng) that Wireshark and tshark open.
//
// The proxy has streams, not packets, so the packets are made up around what it read and wrote:
// Ethernet, IP and TCP with the connection's own addresses and ports, a handshake where the
// connection was opened, sequence numbers that add up, acknowledgements, and FIN or RST as the
// connection ended. Payload, its cut into writes, its order and its times are real; handshakes,
// acknowledgements, windows, MAC addresses and the cut of what is longer than MaxSegment are not.
//
// Each leg is its own conversation: terminal to proxy, proxy to host. A message that was dropped
// is on the first and not on the second. The two legs are two interfaces of the capture, named
// "terminal" and "host", and the handshake has a comment that says which connection it belongs to.
//
// Addresses that are no IP addresses (package memnet) are given some of 10.0.0.0/8, one per
// host name, from 10.0.0.1 in order of appearance; comments on the handshakes say who is who.
//
// Remarks (Writer.Note) are empty frames of EtherType 0x88B5 with a comment, of no conversation.
//
// Every packet is in the file when the call returns, in one write, so that the capture can be
// read also while it grows and after the process was killed. What is written was masked by the
// caller: this package does not know what a card number is.
package pcap

import "errors"

// Limits of a capture.
const (
	// DefaultMaxBytes is a file's size unless configured otherwise. What would exceed it is left
	// out and a last packet says so.
	DefaultMaxBytes = 256 << 20
	// MinMaxBytes is the smallest size that can be configured.
	MinMaxBytes = 4 << 10
	// MaxSegment is the most payload in one packet; one with headers fits into IPv4's 65,535.
	MaxSegment = 32 << 10
	// MaxHosts are host names that get an address of their own; all others share the last one.
	MaxHosts = 65_000
	// reserve is kept free for the note that a capture was cut.
	reserve = 1 << 10
	// maxComment is the length of a comment.
	maxComment = 512
)

// ErrConfig: a capture cannot be made as configured.
var ErrConfig = errors.New("pcap: config")

// Sides of the proxy: the interfaces of the capture.
const (
	Terminal = "terminal"
	Host     = "host"
)
