package terminal_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/assay-hil/assay/protocol/certs"
	"github.com/assay-hil/assay/protocol/memnet"
)

// The part of a scripted world that shows certificates and knows names. Conversations are in secure.txt.

// Names of the test host, and where it is.
const (
	testPrimary = "pos.bank.test"
	testBackup  = "pos2.bank.test"
)

var testAddresses = map[string]netip.Addr{
	testPrimary: netip.MustParseAddr("10.0.0.1"),
	testBackup:  netip.MustParseAddr("10.0.0.2"),
}

// secured is what the world does about TLS and names; the zero value knows neither.
type secured struct {
	authority *certs.Authority // nil: no TLS
	// shows is the flaw of what the primary shows, or "stall".
	shows string
	// names is what the name server does: "" as it should, "nxdomain", "silence", "rubbish", or an address.
	names string
	asked int
	last  netip.Addr // dialled last
}

// withTLS makes the terminal one that speaks TLS and dials by name.
func (s *script) withTLS() error {
	p, w := s.config.Profile, s.world
	p.Capabilities = append(p.Capabilities, "tls", "dns-name")
	p.Uplinks.Hosts = map[string]string{"primary": testPrimary, "backup": testBackup}
	p.Prompts["certificate-refused"] = map[string]string{"en": "<certificate-refused>"}
	authority, err := certs.NewAuthority("bank", time.Now())
	if err != nil {
		return err
	}
	w.secured.authority = authority
	s.config.Trust = authority.Pool()
	return nil
}

// hostShows is a line "host shows expired", "host shows good", "host shows nothing": what is answered to a
// ClientHello over the primary uplink.
func (s *script) hostShows(words []string) error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.secured.shows = map[string]string{"good": "", "nothing": "stall"}[words[0]]
	if words[0] != "good" && words[0] != "nothing" {
		s.world.secured.shows = words[0]
	}
	return nil
}

// namesDo is a line about the name server: "names right", "names nxdomain", "names silence", "names rubbish",
// "names 10.9.9.9"; "names dialled 10.0.0.1" checks where the terminal dialled last.
func (s *script) namesDo(words []string) error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	switch words[0] {
	case "right":
		s.world.secured.names = ""
	case "dialled":
		if got := s.world.secured.last.String(); got != words[1] {
			return fmt.Errorf("the terminal dialled %s", got)
		}
	default:
		s.world.secured.names = words[0]
	}
	return nil
}

// dialAt is the network between addresses: only those of the host are anybody's.
func (w *world) dialAt(ctx context.Context, uplink string, address netip.Addr) (net.Conn, error) {
	w.mu.Lock()
	w.secured.last = address
	w.mu.Unlock()
	if address != testAddresses[map[string]string{"primary": testPrimary, "backup": testBackup}[uplink]] {
		<-ctx.Done() // nobody has it
		return nil, ctx.Err()
	}
	return w.dialHost(ctx, uplink)
}

// wire is a connection's two ends. One for TLS has room for what nobody reads: a last word, close_notify.
func (w *world) wire() (near, far net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.secured.authority == nil {
		return net.Pipe()
	}
	return memnet.Pipe()
}

// accept gives a connection to the host: with TLS one whose handshake is done. Stalled, it reads and says nothing.
func (w *world) accept(uplink string, far net.Conn) {
	w.mu.Lock()
	security := w.secured
	w.mu.Unlock()
	switch {
	case security.authority == nil:
		w.accepted <- far
		return
	case security.shows == "stall" && uplink == "primary":
		go func() { _, _ = far.Read(make([]byte, 4096)) }() // the ClientHello, until the end
		return
	}
	flaw, name := certs.None, testBackup
	if uplink == "primary" {
		flaw, name = certs.Flaw(security.shows), testPrimary
	}
	shown, err := security.authority.Certificate([]string{name}, flaw, time.Now())
	if err != nil {
		panic(err)
	}
	host := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{shown}, SessionTicketsDisabled: true})
	go func() {
		if host.Handshake() == nil { // else the terminal knows why
			w.accepted <- host
		}
	}()
}

// dialNames connects to the name server, over a stream.
func (w *world) dialNames(context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	w.mu.Lock()
	w.conns = append(w.conns, far)
	w.secured.asked++
	mode := w.secured.names
	w.mu.Unlock()
	go func() { _ = answerName(far, mode) }() // ends with the pipe
	return near, nil
}

// answerName answers one question in a mode of secured.names.
func answerName(conn net.Conn, mode string) error {
	buf := make([]byte, 512)
	n, err := conn.Read(buf)
	if err != nil || n < 2 {
		return errors.Join(err, conn.Close())
	}
	var m dnsmessage.Message
	if err := m.Unpack(buf[2:n]); err != nil {
		return err
	}
	m.Response = true
	address := testAddresses[m.Questions[0].Name.String()[:len(m.Questions[0].Name.String())-1]]
	switch mode {
	case "":
	case "nxdomain":
		m.RCode = dnsmessage.RCodeNameError
	case "silence":
		return nil
	case "rubbish":
		m.ID ^= 0xFFFF
	default:
		address = netip.MustParseAddr(mode)
	}
	if m.RCode == dnsmessage.RCodeSuccess {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 60},
			Body:   &dnsmessage.AResource{A: address.As4()},
		}}
	}
	packed, err := m.Pack()
	if err != nil {
		return err
	}
	_, err = conn.Write(append([]byte{byte(len(packed) >> 8), byte(len(packed))}, packed...))
	return err
}
