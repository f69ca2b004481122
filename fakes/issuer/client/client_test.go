package client

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Every error says which path it was and what came back.
func TestErrorsNamePathAndStatus(t *testing.T) {
	calls := []struct {
		path string
		call func(context.Context, *Client) error
	}{
		{"POST /setup", func(ctx context.Context, c *Client) error { return c.Setup(ctx, Setup{}) }},
		{"GET /state", func(ctx context.Context, c *Client) error { _, err := c.State(ctx); return err }},
		{"GET /healthz", func(ctx context.Context, c *Client) error { return c.Ping(ctx) }},
		{"GET /rules", func(ctx context.Context, c *Client) error { _, err := c.Rules(ctx); return err }},
		{"PUT /rules", func(ctx context.Context, c *Client) error { return c.SetRules(ctx, Setup{}) }},
		{"POST /rules", func(ctx context.Context, c *Client) error { return c.AddRule(ctx, Rule{}) }},
		{"DELETE /rules/a%20b", func(ctx context.Context, c *Client) error { return c.RemoveRule(ctx, "a b") }},
		{"GET /scenarios", func(ctx context.Context, c *Client) error { _, err := c.Scenarios(ctx); return err }},
		{"DELETE /scenarios", func(ctx context.Context, c *Client) error { return c.ResetScenarios(ctx) }},
		{"PUT /scenarios/a%2Fb", func(ctx context.Context, c *Client) error { return c.ForceScenario(ctx, "a/b", "x") }},
		{"GET /journal", func(ctx context.Context, c *Client) error { _, err := c.Journal(ctx, 5); return err }},
		{"POST /verify", func(ctx context.Context, c *Client) error { _, err := c.Verify(ctx, Verify{}); return err }},
		{"POST /send", func(ctx context.Context, c *Client) error { return c.Send(ctx, Unsolicited{}) }},
		{"POST /restart", func(ctx context.Context, c *Client) error { return c.Restart(ctx, Restart{}) }},
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "out of order"+strings.Repeat(".", 2*maxText), http.StatusServiceUnavailable)
	}))
	defer web.Close()
	for _, tt := range calls {
		err := tt.call(t.Context(), New(web.Client(), web.URL))
		var status *StatusError
		if !errors.As(err, &status) || status.Status != 503 || len(status.Text) > maxText {
			t.Errorf("%v, want a StatusError with 503", err)
		}
		want := tt.path + ": 503 Service Unavailable: out of order"
		if tt.path == "GET /journal" {
			want = "GET /journal?after=5: 503 Service Unavailable: out of order"
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	web.Close()
	for _, tt := range calls {
		if err := tt.call(t.Context(), New(http.DefaultClient, web.URL)); err == nil || !strings.Contains(err.Error(), tt.path) {
			t.Errorf("%v, want %q", err, tt.path)
		}
	}
}

func TestStateThatIsNone(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	defer web.Close()
	if _, err := New(web.Client(), web.URL).State(t.Context()); err == nil || !strings.Contains(err.Error(), "GET /state") {
		t.Errorf("%v", err)
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	release := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer web.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := New(web.Client(), web.URL).Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the context's end", err)
	}
}

// The token goes with every call, the event reader's too, and to nobody else.
func TestToken(t *testing.T) {
	const token = "s3cret"
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("a redirect takes %q along", got)
		}
	}))
	defer elsewhere.Close()
	seen := 0
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer "+token {
			t.Errorf("%s: authorisation %q", r.URL.Path, got)
		}
		seen++
		if r.URL.Path == PathHealth {
			http.Redirect(w, r, elsewhere.URL+"/", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte("{}"))
	}))
	defer web.Close()
	c := New(web.Client(), web.URL, WithToken(token))
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := c.State(t.Context()); err != nil {
		t.Error(err)
	}
	_, _ = c.Events().Next(t.Context(), time.Second) // an answer without events is no feed's; the header counts
	if seen != 3 {
		t.Errorf("%d calls", seen)
	}
	if _, err := New(elsewhere.Client(), elsewhere.URL).State(t.Context()); err == nil {
		t.Error("an empty answer is a state")
	}
}
