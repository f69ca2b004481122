package network_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/memnet"
)

// serve serves a handler until the test ends and returns an HTTP client for that network.
func serve(t testing.TB, h http.Handler, l net.Listener, n *memnet.Network) *http.Client {
	server := &http.Server{Handler: h}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l)
	}()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return n.Dial(ctx, addr) }}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-ended
	})
	return &http.Client{Transport: transport}
}

func TestControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory(), nil)
		c := serveControl(t, w.server)
		if err := c.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		plan := client.Plan{Faults: []client.Fault{
			{ID: "lost", Kind: "drop", Message: client.Select{MTI: "0210", Nth: 1}},
			{ID: "late", Kind: "delay", Message: client.Select{MTI: "0210"}, By: time.Second},
			{ID: "down", Kind: "refuse"},
		}}
		if err := c.Arm(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		status, err := c.Status(t.Context())
		want := []client.Status{{ID: "lost", Kind: "drop"}, {ID: "late", Kind: "delay"}, {ID: "down", Kind: "refuse", Fired: 1}}
		if err != nil || !equal(status, want) {
			t.Errorf("armed: %+v, %v", status, err)
		}
		if err := c.Heal(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			want[i].Healed = true
		}
		if status, err := c.Status(t.Context()); err != nil || !equal(status, want) {
			t.Errorf("healed: %+v, %v", status, err)
		}
		events, err := c.Events().Next(t.Context(), time.Minute)
		var lines []string
		for _, e := range events {
			lines = append(lines, read(e))
		}
		wantLines := "armed lost, armed late, armed down, fired down, healed lost, healed late, healed down"
		if got := strings.Join(lines, ", "); err != nil || got != wantLines {
			t.Errorf("events: %s, %v", got, err)
		}

		_ = w.server.Close()
		var refused *client.Error
		if err := c.Arm(t.Context(), plan); !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable {
			t.Errorf("Arm after Close: %v", err)
		}
		if err := c.Ping(t.Context()); err == nil {
			t.Error("Ping after Close: no error")
		}
	})
}

func equal(a, b []client.Status) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestPlansThatMakeNoSense(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"no JSON", `{`, "unexpected EOF"},
		{"wrong type", `{"faults":[{"id":1}]}`, "faults.id: a JSON number; it is a string"},
		{"duration in words", `{"faults":[{"id":"a","kind":"delay","message":{"mti":"0200"},"by":"5s"}]}`, "such as 500000000 for 500ms"},
		{"no object", `[]`, "all: a JSON array; it is an object"},
		{"field", `{"faults":[{"id":"a","knd":"drop"}]}`, `unknown field "knd"; did you mean "kind"?`},
		{"two plans", `{"faults":[]}{"faults":[]}`, "something follows"},
		{"kind", `{"faults":[{"id":"a","kind":"dorp","message":{"mti":"0200"}}]}`, `unknown kind "dorp"; did you mean "drop"?`},
		{"no id", `{"faults":[{"kind":"refuse"}]}`, "id: 1 to 64"},
		{"id twice", `{"faults":[{"id":"a","kind":"refuse"},{"id":"a","kind":"drop","message":{"mti":"0200"}}]}`, "id: used twice"},
		{"MTI", `{"faults":[{"id":"a","kind":"drop","message":{"mti":"02"}}]}`, "message.mti: 4 digits"},
		{"STAN", `{"faults":[{"id":"a","kind":"drop","message":{"mti":"0200","stan":"00012x"}}]}`, "message.stan: up to 6 digits"},
		{"long STAN", `{"faults":[{"id":"a","kind":"drop","message":{"mti":"0200","stan":"0000123"}}]}`, "message.stan: up to 6 digits"},
		{"nth", `{"faults":[{"id":"a","kind":"drop","message":{"mti":"0200","nth":-1}}]}`, "message.nth"},
		{"delay without by", `{"faults":[{"id":"a","kind":"delay","message":{"mti":"0200"}}]}`, "by: more than 0"},
		{"delay too long", `{"faults":[{"id":"a","kind":"delay","message":{"mti":"0200"},"by":9000000000000}]}`, "at most 10m"},
		{"drop with by", `{"faults":[{"id":"a","kind":"drop","message":{"mti":"0200"},"by":1}]}`, "only delay"},
		{"no bit to flip", `{"faults":[{"id":"a","kind":"corrupt","at":"last","mask":"00","message":{"mti":"0200"}}]}`, "other than 00"},
		{"refuse with message", `{"faults":[{"id":"a","kind":"refuse","message":{"mti":"0200"}}]}`, "refuse acts on the port"},
		{"refuse twice", `{"faults":[{"id":"a","kind":"refuse"},{"id":"b","kind":"refuse"}]}`, "twice"},
		{"never acts", `{"faults":[{"id":"a","kind":"drop","message":{"mti":"0200"}},{"id":"b","kind":"reset","message":{"mti":"0200","nth":2}}]}`, `fault "a" takes it first`},
		{"too many", `{"faults":[` + strings.Repeat(`{},`, network.MaxFaults) + `{}]}`, "257 faults, at most 256"},
		{"too long", `{"faults":[` + strings.Repeat(" ", 300_000) + `]}`, "too large"},
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory(), nil)
		w.arm(t, client.Fault{ID: "kept", Kind: "drop", Message: client.Select{MTI: "0200"}})
		h := w.server.Control()
		for _, test := range tests {
			resp := httptest.NewRecorder()
			h.ServeHTTP(resp, httptest.NewRequest(http.MethodPost, "/plan", strings.NewReader(test.body)))
			if text := resp.Body.String(); resp.Code != http.StatusBadRequest || !strings.Contains(text, test.want) {
				t.Errorf("%s: got %d %s\nwant 400 with %q", test.name, resp.Code, text, test.want)
			}
		}
		if s := w.server.Status(); len(s) != 1 || s[0].ID != "kept" || s[0].Healed {
			t.Errorf("the plan before: %+v", s)
		}
	})
}

// Whatever is posted as a plan is armed or refused with a reason, and healing works after it.
func FuzzPlan(f *testing.F) {
	f.Add(`{"faults":[{"id":"a","kind":"delay","message":{"mti":"0210","nth":2},"by":1000}]}`)
	f.Add(`{"faults":[{"id":"a","kind":"refuse"},{"id":"b","kind":"drop","message":{"mti":"0200"}}]}`)
	f.Add(`{"faults":[{"ID":"a","kind":"reset","message":{"mti":"0200"}}]} x`)
	f.Add(`{"knid":"\ud800"}`)
	f.Fuzz(func(t *testing.T, body string) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, memory(), nil)
			resp := httptest.NewRecorder()
			w.server.Control().ServeHTTP(resp, httptest.NewRequest(http.MethodPost, "/plan", strings.NewReader(body)))
			if resp.Code != http.StatusNoContent && (resp.Code != http.StatusBadRequest || resp.Body.Len() == 0) {
				t.Errorf("%d %s", resp.Code, resp.Body)
			}
			w.heal(t)
			w.connect(t)
		})
	})
}
