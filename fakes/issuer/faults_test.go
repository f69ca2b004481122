package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/memnet"
)

// call makes one call of the control API, in virtual time too.
func call(t *testing.T, s *Server, method, path string, body any) (int, string) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	s.Control().ServeHTTP(rec, httptest.NewRequest(method, path, strings.NewReader(string(text))))
	return rec.Code, rec.Body.String()
}

// program has sales answered so, everything else by the books.
func program(t *testing.T, s *Server, answers ...client.Answer) {
	t.Helper()
	r := client.Rule{Name: "sales", Match: client.Match{Operation: "purchase"}, Answers: answers}
	if code, text := call(t, s, "POST", client.PathSetup, client.Setup{Rules: []client.Rule{r}, Otherwise: client.OtherwiseBooks}); code != 204 {
		t.Fatalf("%d %s", code, text)
	}
}

// bubbled runs a test with an issuer in virtual time.
func bubbled(t *testing.T, f func(t *testing.T, s *Server, p *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, p := newServer(t), newPipes()
		end := serve(s, p)
		f(t, s, p)
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// all reads until the line is silent for a minute; it says how the stream stands then.
func all(t *testing.T, conn net.Conn) (b []byte, end string) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	b, err := io.ReadAll(conn)
	var late net.Error
	switch {
	case err == nil:
		return b, "closed"
	case errors.Is(err, syscall.ECONNRESET):
		return b, "reset"
	case errors.As(err, &late) && late.Timeout():
		return b, "open"
	}
	return b, err.Error()
}

// Each of these answers is made by package rules and written by package wire; here it is seen from the terminal.
func TestSpoiltAnswersOnTheWire(t *testing.T) {
	var right []byte // a right answer, framed
	bubbled(t, func(t *testing.T, s *Server, p *pipes) {
		conn := p.dial()
		writeSale(t, s, conn)
		right, _ = all(t, conn)
	})
	if len(right) < 50 {
		t.Fatalf("%q", right)
	}
	tests := []struct {
		name   string
		answer client.Answer
		want   func(b []byte) bool
		end    string
	}{
		{"books", client.Answer{}, func(b []byte) bool { return string(b) == string(right) }, "open"},
		{"never", client.Answer{Never: true}, func(b []byte) bool { return len(b) == 0 }, "open"},
		{"duplicate", client.Answer{Duplicate: 2}, func(b []byte) bool { return string(b) == strings.Repeat(string(right), 3) }, "open"},
		{"reset", client.Answer{Never: true, End: client.EndReset}, func(b []byte) bool { return len(b) == 0 }, "reset"},
		{"close", client.Answer{End: client.EndClose}, func(b []byte) bool { return string(b) == string(right) }, "closed"},
		{"truncated", client.Answer{Truncate: 20, End: client.EndReset}, func(b []byte) bool { return string(b) == string(right[:20]) }, "reset"},
		{"stalled", client.Answer{Truncate: 20, End: client.EndStall}, func(b []byte) bool { return string(b) == string(right[:20]) }, "open"},
		{"junk", client.Answer{Junk: "0102"}, func(b []byte) bool { return string(b) == "\x01\x02"+string(right) }, "open"},
		{"dribbled", client.Answer{Dribble: &client.Dribble{Bytes: 9, Every: time.Second}}, func(b []byte) bool { return string(b) == string(right) }, "open"},
		{"wrong STAN", client.Answer{Wrong: []string{"stan"}}, func(b []byte) bool { return len(b) == len(right) && string(b) != string(right) }, "open"},
		{"wrong length", client.Answer{WrongLength: "+3"}, func(b []byte) bool { return b[1] == right[1]+3 && string(b[2:]) == string(right[2:]) }, "open"},
		{"restart", client.Answer{Restart: &client.Restart{Down: time.Second}}, func(b []byte) bool { return string(b) == string(right) }, "closed"},
		{"unsolicited", client.Answer{Unsolicited: &client.Unsolicited{After: time.Second, MTI: "0800", Fields: map[string]string{"70": "301"}}},
			func(b []byte) bool {
				return strings.HasPrefix(string(b), string(right)) && strings.Contains(string(b[len(right):]), "0800")
			}, "open"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubbled(t, func(t *testing.T, s *Server, p *pipes) {
				program(t, s, tt.answer)
				conn := p.dial()
				writeSale(t, s, conn)
				b, end := all(t, conn)
				if !tt.want(b) || end != tt.end {
					t.Errorf("got %q, %s, want %s", b, end, tt.end)
				}
				if st := s.state(); len(st.Charges) != 1 || len(st.Violations) != 0 {
					t.Errorf("%d charges, violations %q", len(st.Charges), st.Violations)
				}
			})
		})
	}
}

func writeSale(t *testing.T, s *Server, conn net.Conn) {
	t.Helper()
	if err := s.codec.Dialect().Framing.WriteFrame(conn, packed(t, s, swipe(t, 1, 100))); err != nil {
		t.Fatal(err)
	}
}

// Two answers of one connection in one write: the first one waits for the second.
func TestMergedAnswers(t *testing.T) {
	bubbled(t, func(t *testing.T, s *Server, p *pipes) {
		program(t, s, client.Answer{Merge: true}, client.Answer{})
		conn := p.dial()
		for n := range 2 {
			if err := s.codec.Dialect().Framing.WriteFrame(conn, packed(t, s, swipe(t, n, 100))); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		b := make([]byte, 1000)
		n, err := conn.Read(b)
		if err != nil || strings.Count(string(b[:n]), "0210") != 2 {
			t.Errorf("%q, %v", b[:n], err)
		}
	})
}

// A message that no rule expects is a violation, and not an approval.
func TestUnexpectedIsAViolation(t *testing.T) {
	bubbled(t, func(t *testing.T, s *Server, p *pipes) {
		rule := client.Rule{Name: "echo", Match: client.Match{Operation: "echo"}}
		if code, text := call(t, s, "POST", client.PathSetup, client.Setup{Rules: []client.Rule{rule}}); code != 204 {
			t.Fatal(text)
		}
		conn := p.dial()
		if got := exchangeOn(t, s, conn, swipe(t, 1, 100)); got.Fields[39] != "96" {
			t.Errorf("answered %v", got)
		}
		if got := exchangeOn(t, s, conn, echo(2)); got.Fields[39] != "00" {
			t.Errorf("the echo: %v", got)
		}
		st := s.state()
		if len(st.Charges) != 0 || len(st.Violations) != 1 || st.Violations[0] != "0200 terminal TERM0001 STAN 000001: no rule expects it" {
			t.Errorf("%d charges, violations %q", len(st.Charges), st.Violations)
		}
	})
}

func TestRestartForgetsSessionsAndKeepsBooks(t *testing.T) {
	bubbled(t, func(t *testing.T, s *Server, p *pipes) {
		conn := p.dial()
		sign := echo(1)
		sign.Fields[70] = "001"
		exchangeOn(t, s, conn, sign)
		exchangeOn(t, s, conn, swipe(t, 2, 100))
		if st := s.state(); len(st.Sessions) != 1 || !st.Sessions[0].SignedOn {
			t.Errorf("sessions %+v", st.Sessions)
		}
		if code, text := call(t, s, "POST", client.PathRestart, client.Restart{Down: 10 * time.Second}); code != 204 {
			t.Fatal(text)
		}
		if _, end := all(t, conn); end != "closed" {
			t.Errorf("the connection is %s", end)
		}
		st := s.state()
		if len(st.Charges) != 1 || len(st.Journal) != 4 || len(st.Sessions) != 0 {
			t.Errorf("%d charges, %d entries, sessions %+v", len(st.Charges), len(st.Journal), st.Sessions)
		}
		<-time.After(10 * time.Second)
		again := swipe(t, 2, 100)
		again.MTI = "0201"
		if got := exchangeOn(t, s, p.dial(), again); got.Fields[39] != "00" || len(s.state().Charges) != 1 {
			t.Errorf("a repeat after the restart: %v, %d charges", got, len(s.state().Charges))
		}
	})
}

// In virtual time and on a listener that a restart closes, terminals are refused as a kernel does it.
func TestServeFromRefusesWhileDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, network := newServer(t), memnet.New()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.ServeFrom(ctx, func() (net.Listener, error) { return network.Listen("bank:1") }) }()
		synctest.Wait()
		s.restart(time.Minute)
		synctest.Wait()
		if _, err := network.Dial(t.Context(), "bank:1"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v", err)
		}
		<-time.After(time.Minute)
		synctest.Wait()
		conn, err := network.Dial(t.Context(), "bank:1")
		if err != nil {
			t.Fatal(err)
		}
		exchangeOn(t, s, conn, echo(1))
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func TestControlCalls(t *testing.T) {
	bubbled(t, func(t *testing.T, s *Server, p *pipes) {
		conn := p.dial()
		exchangeOn(t, s, conn, echo(1))
		one := 1
		scenario := map[string][]string{"line": {"dead"}}
		rule := client.Rule{Name: "r", Match: client.Match{MTI: "0200"}, When: &client.When{Scenario: "line", State: "dead"}, Answer: client.Answer{Code: "91"}}
		steps := []struct {
			method, path string
			body         any
			status       int
			want         string
		}{
			{"PUT", client.PathRules, client.Setup{Rules: []client.Rule{rule}, Scenarios: scenario, Otherwise: "books"}, 204, ""},
			{"GET", client.PathRules, nil, 200, `"name":"r"`},
			{"POST", client.PathRules, client.Rule{Name: "s", Match: client.Match{MTI: "0400"}}, 204, ""},
			{"POST", client.PathRules, client.Rule{Name: "s", Match: client.Match{MTI: "0500"}}, 400, "taken"},
			{"DELETE", client.PathRules + "/s", nil, 204, ""},
			{"DELETE", client.PathRules + "/s", nil, 404, `no rule "s"`},
			{"GET", client.PathScenarios, nil, 200, `"state":"started"`},
			{"PUT", client.PathScenarios + "/line", client.ScenarioState{State: "dead"}, 204, ""},
			{"PUT", client.PathScenarios + "/line", client.ScenarioState{State: "deed"}, 400, `did you mean "dead"?`},
			{"PUT", client.PathScenarios + "/line", client.ScenarioState{Name: "other", State: "dead"}, 400, `the body "other"`},
			{"GET", client.PathScenarios, nil, 200, `"state":"dead"`},
			{"DELETE", client.PathScenarios, nil, 204, ""},
			{"GET", client.PathScenarios, nil, 200, `"state":"started"`},
			{"GET", client.PathJournal + "?after=1", nil, 200, `"last":2`},
			{"GET", client.PathJournal + "?after=x", nil, 400, "after="},
			{"POST", client.PathVerify, client.Verify{Match: client.Match{MTI: "0800"}, Exactly: &one}, 200, `"ok":true`},
			{"POST", client.PathVerify, client.Verify{}, 400, "at_least"},
			{"POST", client.PathSend, client.Unsolicited{MTI: "0800", Terminal: "NOBODY"}, 404, "no connection"},
			{"POST", client.PathSend, client.Unsolicited{MTI: "0800"}, 400, "terminal"},
			{"POST", client.PathSend, client.Unsolicited{MTI: "0800", Terminal: testTerminal, Fields: map[string]string{"70": "301"}}, 204, ""},
			{"POST", client.PathRestart, client.Restart{Down: -1}, 400, "down"},
			{"GET", client.PathOpenAPI, nil, 200, "openapi:"},
		}
		for _, x := range steps {
			status, text := call(t, s, x.method, x.path, x.body)
			if status != x.status || !strings.Contains(text, x.want) {
				t.Errorf("%s %s: %d %s, want %d %s", x.method, x.path, status, text, x.status, x.want)
			}
		}
		b, err := s.codec.Dialect().Framing.ReadFrame(conn)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := s.codec.Unpack(b); err != nil || m.MTI != "0800" || m.Fields[41] != testTerminal {
			t.Errorf("unsolicited: %v, %v", m, err)
		}
	})
}

func TestTokenIsNeeded(t *testing.T) {
	s, err := New(Config{Host: testHost(t), Cards: testCards(), Token: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	web := httptest.NewServer(s.Control())
	defer web.Close()
	for _, x := range []struct{ path, header, want string }{
		{client.PathState, "", "401"}, {client.PathState, "Bearer wrong", "401"}, {client.PathState, "Bearer s3cret", "200"},
		{client.PathEvents + "?after=0&wait=0s", "", "401"}, {client.PathOpenAPI, "", "401"}, {"/nothing", "", "401"}, {client.PathHealth, "", "204"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+x.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if x.header != "" {
			r.Header.Set("Authorization", x.header)
		}
		answer, err := web.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if !strings.HasPrefix(answer.Status, x.want) {
			t.Errorf("%s with %q: %s, want %s", x.path, x.header, answer.Status, x.want)
		}
	}
	if err := client.New(web.Client(), web.URL, client.WithToken("s3cret")).Setup(t.Context(), client.Setup{}); err != nil {
		t.Error(err)
	}
}

// Every dialect is served.
func TestEveryDialectIsServed(t *testing.T) {
	for _, dialect := range []string{"iso87-ascii", "unionpay-bcd"} {
		s, addr := startIssuer(t, dialect)
		seller := newSeller(t, dialect, testTerminal)
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := seller.host.Dialect.Framing.WriteFrame(conn, seller.sale(t, 1)); err != nil {
			t.Fatal(err)
		}
		b, err := seller.host.Dialect.Framing.ReadFrame(conn)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		var m iso8583.Message
		if m, err = seller.codec.Unpack(b); err != nil || m.Fields[39] != "00" || len(s.state().Violations) != 0 {
			t.Errorf("%s: %v, %v, violations %q", dialect, m.Fields[39], err, s.state().Violations)
		}
	}
}
