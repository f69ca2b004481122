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
		if want := tt.path + ": 503 Service Unavailable: out of order"; !strings.Contains(err.Error(), want) {
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
