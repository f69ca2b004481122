package issuer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/wire"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// packed is a right message on the wire, without its frame.
func packed(t testing.TB, s *Server, m iso8583.Message) []byte {
	t.Helper()
	b, err := s.codec.Pack(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func echo(stan int) iso8583.Message {
	return iso8583.Message{MTI: "0800", Fields: map[int]string{
		7: "0101120000", 11: fmt.Sprintf("%06d", stan), 41: testTerminal, 42: testMerchant, 70: "301"}}
}

// swipe is a stripe sale without PIN.
func swipe(t testing.TB, stan int, amount int64) iso8583.Message {
	c := cardNamed(t, "stripe")
	return iso8583.Message{MTI: "0200", Fields: map[int]string{
		2: c.PAN, 3: "000000", 4: fmt.Sprintf("%012d", amount), 7: "0101120000", 11: fmt.Sprintf("%06d", stan), 12: "120000", 13: "0101",
		14: c.Expiry, 22: "022", 25: "00", 35: c.PAN + "=" + c.Expiry + "101", 41: testTerminal, 42: testMerchant, 49: "156"}}
}

// serve starts a Serve; the returned function ends it and gives its error.
func serve(s *Server, ln net.Listener) (end func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	return func() error {
		cancel()
		return <-served
	}
}

// dialled is a connection to an issuer that is served until the test ends.
func dialled(t testing.TB, s *Server) net.Conn {
	t.Helper()
	p := newPipes()
	end := serve(s, p)
	conn := p.dial()
	t.Cleanup(func() {
		_ = conn.Close()
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

// ask sends one message on a connection of its own, and waits until the issuer is done with it.
func ask(t testing.TB, s *Server, m iso8583.Message) iso8583.Message {
	t.Helper()
	p := newPipes()
	end := serve(s, p)
	conn := p.dial()
	answer := exchangeOn(t, s, conn, m)
	_ = conn.Close()
	if err := end(); err != nil {
		t.Error(err)
	}
	return answer
}

func exchangeOn(t testing.TB, s *Server, conn io.ReadWriter, m iso8583.Message) iso8583.Message {
	t.Helper()
	framing := s.codec.Dialect().Framing
	if err := framing.WriteFrame(conn, packed(t, s, m)); err != nil {
		t.Fatal(err)
	}
	b, err := framing.ReadFrame(conn)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.codec.Unpack(b)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestServeTCP(t *testing.T) {
	s := newServer(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	end := serve(s, ln)
	done := make(chan string)
	for n := range 4 {
		go func() {
			conn, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				done <- err.Error()
				return
			}
			defer conn.Close()
			for i := range 10 {
				if got := exchangeOn(t, s, conn, swipe(t, 10*n+i, 100)); got.Fields[39] != "00" {
					done <- fmt.Sprint(got)
					return
				}
			}
			done <- ""
		}()
	}
	for range 4 {
		if why := <-done; why != "" {
			t.Error(why)
		}
	}
	if err := end(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if st := s.state(); len(st.Charges) != 40 || len(st.Journal) != 80 || len(st.Violations) != 0 {
		t.Errorf("%d charges, %d entries, %q", len(st.Charges), len(st.Journal), st.Violations)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		if err := s.setup(client.Setup{Rules: []client.Rule{{Name: "slow", Match: client.Match{MTI: "0800"}, Answer: client.Answer{Late: time.Minute}}}}); err != nil {
			t.Fatal(err)
		}
		one, two := newPipes(), newPipes()
		served := make(chan error, 2)
		for _, p := range []*pipes{one, two} {
			go func() { served <- s.Serve(context.Background(), p) }()
		}
		conn, idle := one.dial(), two.dial()
		if err := s.codec.Dialect().Framing.WriteFrame(conn, packed(t, s, echo(1))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // an answer is waiting for its time, a connection for a message
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := <-served; err != nil {
				t.Errorf("Serve: %v", err)
			}
		}
		for _, c := range []net.Conn{conn, idle} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("the connection lives: %v", err)
			}
		}
		if err := s.Serve(context.Background(), newPipes()); !errors.Is(err, ErrClosed) {
			t.Errorf("Serve after Close: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
}

func TestServeReturnsTheListenersError(t *testing.T) {
	s, p := newServer(t), newPipes()
	_ = p.Close()
	if err := s.Serve(context.Background(), &onceClosed{p}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v, want net.ErrClosed", err)
	}
}

// onceClosed is a listener that somebody else has closed.
type onceClosed struct{ *pipes }

func (*onceClosed) Close() error { return net.ErrClosed }

func TestTooManyConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room = 20
		s, err := New(Config{Host: testHost(t), Cards: testCards(), Limits: wire.Limits{MaxConnections: room}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		p := newPipes()
		end := serve(s, p)
		var conns []net.Conn
		for range room {
			conns = append(conns, p.dial())
		}
		synctest.Wait()
		refused := p.dial()
		if _, err := refused.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("one connection too many: %v", err)
		}
		_ = conns[0].Close()
		synctest.Wait()
		if got := exchangeOn(t, s, p.dial(), echo(1)); got.Fields[39] != "00" {
			t.Errorf("after one has gone: %v", got)
		}
		if v := s.state().Violations; len(v) != 1 || !strings.Contains(v[0], "connections") {
			t.Errorf("violations %q", v)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

func TestTooManyLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newServer(t), newPipes()
		rule := client.Rule{Name: "slow", Match: client.Match{MTI: "0800"}, Answer: client.Answer{Late: time.Minute}}
		if err := s.setup(client.Setup{Rules: []client.Rule{rule}}); err != nil {
			t.Fatal(err)
		}
		end := serve(s, p)
		conn, framing := p.dial(), s.codec.Dialect().Framing
		for n := range wire.MaxWaiting + 1 {
			if err := framing.WriteFrame(conn, packed(t, s, echo(n))); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		begin, got := time.Now(), 0
		_ = conn.SetReadDeadline(begin.Add(2 * time.Minute))
		for ; ; got++ {
			if _, err := framing.ReadFrame(conn); err != nil {
				break
			}
		}
		if v := s.state().Violations; got != wire.MaxWaiting || len(v) != 1 {
			t.Errorf("%d late answers, violations %q", got, v)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// A terminal that does not read must not keep the issuer waiting for ever.
func TestTerminalThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newServer(t), newPipes()
		end := serve(s, p)
		conn := p.give(net.Pipe()) // which holds no byte
		if err := s.codec.Dialect().Framing.WriteFrame(conn, packed(t, s, echo(1))); err != nil {
			t.Fatal(err)
		}
		<-time.After(wire.WriteLimit + time.Second)
		if _, err := conn.Write([]byte{0}); err == nil {
			t.Error("the connection lives")
		}
		j := s.state().Journal
		if last := j[len(j)-1]; len(j) != 3 || last.In || last.Effect != client.EffectUndelivered {
			t.Errorf("journal %v", j)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// Setups in the middle of traffic: every message is processed by one bank or another.
func TestSetupDuringTraffic(t *testing.T) {
	s, p := newServer(t), newPipes()
	end := serve(s, p)
	done := make(chan int)
	for n := range 3 {
		go func() {
			conn, refused := p.dial(), 0
			defer conn.Close()
			for i := range 60 {
				if got := exchangeOn(t, s, conn, swipe(t, 100*n+i, 10)); got.Fields[39] != "00" {
					refused++
				}
			}
			done <- refused
		}()
	}
	for range 40 {
		if err := s.setup(client.Setup{Otherwise: client.OtherwiseBooks}); err != nil {
			t.Error(err)
		}
		st := s.state()
		if len(st.Journal) > 2*len(st.Charges)+3 {
			t.Errorf("%d entries for %d charges", len(st.Journal), len(st.Charges))
		}
	}
	for range 3 {
		if refused := <-done; refused > 0 { // there are funds for all of them, however few setups there were between
			t.Errorf("%d refused", refused)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if err := s.book.Check(); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no host", func(c *Config) { c.Host = nil }, "no host"},
		{"no dialect", func(c *Config) { c.Host.Dialect = iso8583.Dialect{} }, "unusable dialect"},
		{"a field lacks", func(c *Config) { delete(c.Host.Dialect.Fields, 90) }, `unknown field "90"`},
		{"same card twice", func(c *Config) { c.Cards = append(c.Cards, cards.Card{ID: "twin", PAN: chipPAN}) }, "chip and twin"},
		{"in debt", func(c *Config) { c.Cards[0].Balance = -1 }, `account "chip": a balance of 0`},
		{"ledger file", func(c *Config) { c.LedgerFile = "/nowhere/ledger" }, "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Host: testHost(t), Cards: testCards()}
			tt.change(&c)
			if _, err := New(c); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), chipPAN) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
