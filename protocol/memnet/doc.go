// Package memnet is a wire in memory: connections and a network that promise what TCP (and a
// serial line) promise, and nothing that waits anywhere but on a condition or a channel. So the
// code that runs on sockets runs on it too, also inside a testing/synctest bubble.
//
// What is kept: bytes in order, a bounded buffer whose writer blocks when it is full, half-close,
// an abortive close that the peer sees as a connection reset, deadlines, refused dials, a bounded
// backlog. What differs from a kernel, so that runs are repeatable: a write to a closed peer
// fails at once (a kernel accepts the first one), and a close with unread bytes ends the peer's
// stream with io.EOF (Linux sends a reset); only SetLinger(0) resets. As on Linux, bytes that
// arrived before a reset can still be read.
package memnet

// Capacity is how many bytes a connection holds in each direction before Write blocks.
const Capacity = 64 << 10

// Backlog is how many connections a listener holds that nobody has accepted; further dials
// wait, as a kernel's do when it drops their SYN.
const Backlog = 128
