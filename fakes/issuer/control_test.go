package issuer

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/rules"
)

func TestSetupRefuses(t *testing.T) {
	const rule = `{"rules":[{"name":"a","match":{"mti":"0200"},"answer":{}}`
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"empty setup", `{}`, 204, ""},
		{"a rule", rule + `]}`, 204, ""},
		{"unknown field", `{"rulez":[]}`, 400, `unknown field "rulez"`},
		{"unknown field inside", `{"rules":[{"name":"a","match":{"mti":"0200","stan":"1"}}]}`, 400, `unknown field "stan"`},
		{"not JSON", `rules`, 400, "invalid character"},
		{"nothing", ``, 400, "EOF"},
		{"two values", `{}{}`, 400, "more than one"},
		{"too long", `{"rules":[` + strings.Repeat(" ", MaxBody) + `]}`, 413, "too large"},
		{"no name", `{"rules":[{"match":{"mti":"0200"}}]}`, 400, "it has no name"},
		{"name taken", rule + `,{"name":"a","match":{"mti":"0400"}}]}`, 400, `rule 2 "a": name: the name is taken by rule 1`},
		{"too many", `{"rules":[` + strings.Repeat(`{"name":"a"},`, rules.MaxRules) + `{}]}`, 400, "1001 rules, at most 1000"},
		{"answer's MTI", `{"rules":[{"name":"a","match":{"mti":"0210"}}]}`, 400, `rule 1 "a": match.mti: "0210": this host has no such request`},
		{"negative nth", `{"rules":[{"name":"a","match":{"mti":"0200","nth":-1}}]}`, 400, "nth -1"},
		{"code", `{"rules":[{"name":"a","match":{"mti":"0200"},"answer":{"code":"9"}}]}`, 400, `answer.code: "9": want 2 characters`},
		{"negative late", `{"rules":[{"name":"a","match":{"mti":"0200"},"answer":{"late":-1}}]}`, 400, "late: -1ns"},
		{"late too long", `{"rules":[{"name":"a","match":{"mti":"0200"},"answer":{"late":600000000001}}]}`, 400, "late: 10m0.000000001s"},
		{"never with code", `{"rules":[{"name":"a","match":{"mti":"0200"},"answer":{"never":true,"code":"96"}}]}`, 400, "excludes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			ask(t, s, swipe(t, 1, 100))
			rec := httptest.NewRecorder()
			s.Control().ServeHTTP(rec, httptest.NewRequest(http.MethodPost, client.PathSetup, strings.NewReader(tt.body)))
			if rec.Code != tt.status || !strings.Contains(rec.Body.String(), tt.want) {
				t.Errorf("%d %s, want %d %s", rec.Code, rec.Body, tt.status, tt.want)
			}
			if kept := len(s.state().Charges) == 1; kept != (tt.status != 204) {
				t.Errorf("the old books are kept: %v", kept)
			}
		})
	}
}

func TestControlKnowsItsPaths(t *testing.T) {
	tests := []struct {
		method, path string
		status       int
	}{
		{"GET", "/healthz", 204}, {"GET", "/state", 200}, {"GET", "/events?after=0&wait=0s", 200},
		{"GET", "/events", 400}, {"GET", "/setup", 405}, {"POST", "/state", 405}, {"GET", "/", 404},
	}
	s := newServer(t)
	for _, tt := range tests {
		rec := httptest.NewRecorder()
		s.Control().ServeHTTP(rec, httptest.NewRequest(tt.method, tt.path, nil))
		if rec.Code != tt.status {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, rec.Code, tt.status)
		}
	}
}

func TestClientAgainstIssuer(t *testing.T) {
	s := newServer(t)
	web := httptest.NewServer(s.Control())
	defer web.Close()
	c, ctx := client.New(web.Client(), web.URL+"/"), t.Context()
	if err := c.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	rule := client.Rule{Name: "third", Match: client.Match{MTI: "0200", Nth: 2}, Answer: client.Answer{Code: "96", Late: 20 * time.Millisecond}}
	if err := c.Setup(ctx, client.Setup{Rules: []client.Rule{rule}, Otherwise: client.OtherwiseBooks}); err != nil {
		t.Fatal(err)
	}
	events := c.Events()
	ask(t, s, swipe(t, 1, 100))
	if answer := ask(t, s, swipe(t, 2, 100)); answer.Fields[39] != "96" {
		t.Errorf("the rule did not arrive: %v", answer)
	}
	got, err := events.Next(ctx, time.Second)
	if err != nil || len(got) < 6 || got[0].Kind != client.EventConnected || got[1].Kind != client.EventReceived {
		t.Errorf("events %v, %v", got, err)
	}
	st, err := c.State(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Journal) != 4 || len(st.Charges) != 1 || st.Charges[0].Amount != 100 || st.Settlements == nil || st.Violations == nil {
		t.Errorf("state %+v", st)
	}
	if e := st.Journal[0]; !e.In || e.MTI != "0200" || e.Amount != 100 || e.Terminal != testTerminal || e.Fields["2"] != "[pan 16]" || e.At.IsZero() {
		t.Errorf("entry %+v", e)
	}
	rule.Name = ""
	err = c.Setup(ctx, client.Setup{Rules: []client.Rule{rule}, Otherwise: client.OtherwiseBooks})
	var status *client.StatusError
	if !errors.As(err, &status) || status.Status != 400 || !strings.Contains(err.Error(), "POST /setup: 400 Bad Request: rule 1") {
		t.Errorf("refused setup: %v", err)
	}
}
