package terminal

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Limits of a question to the name server.
const (
	// nameTries is how often a question is put within the time that there is for it: a datagram may be lost.
	nameTries = 2
	// maxDatagram is the longest answer without extensions (RFC 1035, 4.2.1), maxNames how many addresses of
	// one are used.
	maxDatagram = 512
	maxNames    = 4
)

// errNoAnswer: what came is no answer to the question.
var errNoAnswer = errors.New("no answer to the question")

// resolve asks the name server for the IPv4 addresses of a host (RFC 1035); none when it knows none, says
// nothing in time, or says nonsense.
func (a *app) resolve(ctx context.Context, host string) []netip.Addr {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	wait := time.Until(deadline) / nameTries
	for range nameTries {
		try, cancel := context.WithTimeout(ctx, wait)
		found, err := a.askName(try, host)
		cancel()
		if err == nil {
			return found
		}
		if ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

// askName puts one question. An answer that says that there is no such name is no error.
func (a *app) askName(ctx context.Context, host string) ([]netip.Addr, error) {
	id := uint16(rand.Uint32())
	question, err := nameQuestion(id, host)
	if err != nil {
		return nil, err
	}
	conn, err := a.hw.DialNames(ctx)
	if err != nil {
		<-ctx.Done() // asking again at once would meet the same
		return nil, err
	}
	defer func() { _ = conn.Close() }() // nothing is waited for any more
	defer wakeOnEnd(ctx, conn)()
	exchange := overStream
	if _, datagrams := conn.(net.PacketConn); datagrams {
		exchange = overDatagrams
	}
	return exchange(conn, question, func(answer []byte) ([]netip.Addr, error) { return nameAnswer(answer, id) })
}

// nameQuestion is a query for a host's A records, with recursion desired.
func nameQuestion(id uint16, host string) ([]byte, error) {
	name, err := dnsmessage.NewName(strings.TrimSuffix(host, ".") + ".")
	if err != nil {
		return nil, err
	}
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	return message.Pack()
}

// nameAnswer reads the answer to the question with that ID.
func nameAnswer(answer []byte, id uint16) ([]netip.Addr, error) {
	var message dnsmessage.Message
	if err := message.Unpack(answer); err != nil {
		return nil, err
	}
	if message.ID != id || !message.Response {
		return nil, errNoAnswer
	}
	var found []netip.Addr
	for _, record := range message.Answers {
		if a, ok := record.Body.(*dnsmessage.AResource); ok && len(found) < maxNames {
			found = append(found, netip.AddrFrom4(a.A))
		}
	}
	return found, nil
}

// reading makes addresses of an answer.
type reading func(answer []byte) ([]netip.Addr, error)

// overDatagrams passes over whatever does not answer the question.
func overDatagrams(conn net.Conn, question []byte, read reading) ([]netip.Addr, error) {
	if _, err := conn.Write(question); err != nil {
		return nil, err
	}
	answer := make([]byte, maxDatagram)
	for {
		n, err := conn.Read(answer)
		if err != nil {
			return nil, err
		}
		if found, err := read(answer[:n]); err == nil {
			return found, nil
		}
	}
}

// overStream puts each message behind its length in two bytes (RFC 1035, 4.2.2).
func overStream(conn net.Conn, question []byte, read reading) ([]netip.Addr, error) {
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(question))), question...)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, err
	}
	return read(answer)
}
