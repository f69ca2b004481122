package dns_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/assay-hil/assay/fakes/network/dns"
	"github.com/assay-hil/assay/protocol/memnet"
)

// question packs a query.
func question(t testing.TB, m dnsmessage.Message) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ask(name string, kind dnsmessage.Type) dnsmessage.Message {
	return dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 4711, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
}

func TestQueriesThatAreOdd(t *testing.T) {
	chaos := ask("host.test.", dnsmessage.TypeA)
	chaos.Questions[0].Class = dnsmessage.ClassCHAOS
	two := ask("host.test.", dnsmessage.TypeA)
	two.Questions = append(two.Questions, two.Questions[0])
	update := ask("host.test.", dnsmessage.TypeA)
	update.OpCode = 5
	good := question(t, ask("host.test.", dnsmessage.TypeA))
	for _, test := range []struct {
		name  string
		query []byte
		want  string // the response code, or silence
	}{
		{"good", good, "Success"},
		{"root", question(t, ask(".", dnsmessage.TypeA)), "NameError"},
		{"another class", question(t, chaos), "Refused"},
		{"two questions", question(t, two), "FormatError"},
		{"no question", question(t, dnsmessage.Message{}), "FormatError"},
		{"cut within the question", good[:20], "FormatError"},
		{"an update", question(t, update), "NotImplemented"},
		{"cut within the header", good[:11], "silence"},
		{"an answer", question(t, dnsmessage.Message{Header: dnsmessage.Header{Response: true}}), "silence"},
		{"nothing", nil, "silence"},
	} {
		s, _ := newServer(t)
		got := "silence"
		if reply := s.Answer(t.Context(), "peer", test.query); reply != nil {
			var m dnsmessage.Message
			if err := m.Unpack(reply); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			got = strings.TrimPrefix(m.RCode.String(), "RCode")
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// An answer repeats the ID and the name as it was asked, letter by letter.
func TestAnswerFitsTheQuestion(t *testing.T) {
	s, _ := newServer(t)
	reply := s.Answer(t.Context(), "peer", question(t, ask("hOsT.tEsT.", dnsmessage.TypeAAAA)))
	var m dnsmessage.Message
	if err := m.Unpack(reply); err != nil {
		t.Fatal(err)
	}
	if m.ID != 4711 || !m.Response || !m.RecursionDesired || len(m.Answers) != 1 || m.Answers[0].Header.Name.String() != "hOsT.tEsT." {
		t.Errorf("got %v", m.GoString())
	}
	if ttl := m.Answers[0].Header.TTL; ttl != dns.DefaultTTL {
		t.Errorf("TTL %d", ttl)
	}
}

// The longest answer that a server can give fits into what UDP carries without EDNS.
func TestLongestAnswerFits(t *testing.T) {
	label := strings.Repeat("a", 63)
	name := label + "." + label + "." + label + "." + label[:61]
	s, err := dns.New(dns.Config{Names: map[string][]netip.Addr{name: slices.Repeat([]netip.Addr{netip.MustParseAddr("2001:db8::1")}, dns.MaxAddresses)}})
	if err != nil {
		t.Fatal(err)
	}
	var longest dnsmessage.Name
	longest.Length = uint8(copy(longest.Data[:], name+"."))
	m := ask("x.", dnsmessage.TypeAAAA)
	m.Questions[0].Name = longest
	if reply := s.Answer(t.Context(), "peer", question(t, m)); len(reply) == 0 || len(reply) > 512 {
		t.Errorf("%d bytes", len(reply))
	}
}

// world serves in memory over TCP; virtual time is exact.
func world(t *testing.T) (*dns.Server, func() net.Conn) {
	s, _ := newServer(t)
	n := memnet.New()
	l, err := n.Listen("dns:53")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.ServeStream(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, func() net.Conn {
		c, err := n.Dial(t.Context(), "dns:53")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

func send(t *testing.T, c net.Conn, query []byte) {
	t.Helper()
	if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		t.Fatal(err)
	}
}

func TestSlowIsExactAndHealingLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := world(t)
		if err := s.Arm([]dns.Fault{{ID: "f", Kind: "slow", By: time.Minute}}); err != nil {
			t.Fatal(err)
		}
		query := question(t, ask("host.test.", dnsmessage.TypeA))
		for _, want := range []time.Duration{time.Minute, time.Second} {
			c := dial()
			begin := time.Now()
			send(t, c, query)
			if want < time.Minute {
				<-time.After(want)
				s.Heal()
			}
			if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); took != want {
				t.Errorf("answered after %v, want exactly %v", took, want)
			}
		}
	})
}

func TestStreamIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dial := world(t)
		begin := time.Now()
		if n, err := dial().Read(make([]byte, 1)); err != io.EOF || time.Since(begin) != dns.IdleLimit {
			t.Errorf("idle: %d, %v after %v", n, err, time.Since(begin))
		}
		c := dial()
		send(t, c, make([]byte, 5000))
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a query of 5000 bytes was answered")
		}
		for range dns.MaxConnections {
			dial()
		}
		synctest.Wait()
		begin = time.Now()
		if _, err := dial().Read(make([]byte, 1)); err != io.EOF || time.Since(begin) != 0 {
			t.Errorf("one connection too many: %v after %v", err, time.Since(begin))
		}
	})
}

// One question too many over UDP is dropped, said, and answered when it is repeated.
func TestQuestionsAreBounded(t *testing.T) {
	s, e := newServer(t)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.ServePacket(ctx, conn) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	if err := s.Arm([]dns.Fault{{ID: "f", Kind: "slow", By: dns.MaxDelay, Name: "host.test"}}); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("udp", conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetReadDeadline(time.Now().Add(long))
	slow := question(t, ask("host.test.", dnsmessage.TypeA))
	for i := range dns.MaxPending {
		if _, err := c.Write(slow); err != nil {
			t.Fatal(err)
		}
		for s.Status()[0].Fired <= i { // one after the other, so that the socket loses none
			<-time.After(time.Millisecond)
		}
	}
	other := ask("other.test.", dnsmessage.TypeA)
	other.ID = 815
	quick := question(t, other)
	if _, err := c.Write(quick); err != nil {
		t.Fatal(err)
	}
	for !e.has("dropped too many questions at once") {
		<-time.After(time.Millisecond)
	}
	s.Heal()
	for answered := false; !answered; { // as a resolver would: the answers that are let go at once may fill the socket
		if _, err := c.Write(quick); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 512)
		if _, err := c.Read(answer); err != nil {
			t.Fatal(err)
		}
		answered = bytes.Equal(answer[:2], quick[:2])
	}
}

// Whatever is asked, the answer is a DNS answer to it, or there is none.
func FuzzAnswer(f *testing.F) {
	f.Add(question(f, ask("host.test.", dnsmessage.TypeA)))
	f.Add(question(f, ask("empty.test.", dnsmessage.TypeMX)))
	f.Add([]byte("\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01"))
	f.Add([]byte("\x00\x01\x28\x00\x00\x01\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, query []byte) {
		s, _ := newServer(t)
		reply := s.Answer(t.Context(), "peer", query)
		if reply == nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(reply); err != nil {
			t.Fatalf("%v: %x", err, reply)
		}
		if !bytes.Equal(reply[:2], query[:2]) || !m.Response || len(reply) > 512 {
			t.Errorf("not an answer to it: %x", reply)
		}
	})
}
