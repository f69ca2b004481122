package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/assay-hil/assay/protocol/feed"
)

// Limits of what a client reads.
const (
	maxState = 64 << 20
	maxText  = 4 << 10 // of an error's text
)

// Client speaks the issuer's control API. It is safe for use by several goroutines.
type Client struct {
	http  *http.Client
	base  string
	token string
}

// Option changes a client.
type Option func(*Client)

// WithToken sends a bearer token with every call (RFC 6750, 2.1).
func WithToken(token string) Option { return func(c *Client) { c.token = token } }

// New makes a client for the control API at baseURL, for example "http://127.0.0.1:8584". The
// HTTP client brings the transport (in memory on some rungs); its timeout, if it has one, must be
// longer than the waits of the event reader.
func New(httpClient *http.Client, baseURL string, options ...Option) *Client {
	c := &Client{base: strings.TrimSuffix(baseURL, "/")}
	for _, o := range options {
		o(c)
	}
	c.http = httpClient
	if c.token != "" {
		c.http = c.authorised(httpClient)
	}
	return c
}

// authorised gives an HTTP client that sends the token with every request, the event reader's too.
func (c *Client) authorised(plain *http.Client) *http.Client {
	with := *plain
	next := plain.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	with.Transport = bearer{token: c.token, base: c.base, next: next}
	return &with
}

// bearer is a transport that adds the token to requests for base, and not to those that a redirect leads
// elsewhere.
type bearer struct {
	token, base string
	next        http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.String(), b.base+"/") {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	return b.next.RoundTrip(r)
}

// StatusError is an answer of the issuer other than success.
type StatusError struct {
	Method, Path string
	Status       int
	Text         string // what the issuer says about it
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("issuer: %s %s: %d %s: %s", e.Method, e.Path, e.Status, http.StatusText(e.Status), e.Text)
}

// Setup starts the issuer anew: rules, ledger, journal, violations, balances and PIN tries. A
// setup that the issuer refuses is a *StatusError and changes nothing.
func (c *Client) Setup(ctx context.Context, s Setup) error {
	return c.call(ctx, http.MethodPost, PathSetup, s, nil)
}

// State gives everything that the issuer knows since the last setup.
func (c *Client) State(ctx context.Context) (State, error) {
	var s State
	if err := c.call(ctx, http.MethodGet, PathState, nil, &s); err != nil {
		return State{}, err
	}
	return s, nil
}

// Events gives a new reader of the issuer's feed, which begins with the oldest event that the
// issuer still has. A setup does not empty the feed.
func (c *Client) Events() *feed.Reader {
	return &feed.Reader{HTTP: c.http, URL: c.base + PathEvents}
}

// Ping asks the issuer for a sign of life.
func (c *Client) Ping(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, PathHealth, nil, nil)
}

// call posts a value, if there is one, and reads the answer into out, if there is one.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("issuer: %s %s: %w", method, path, err)
		}
	}
	answer, err := c.do(ctx, method, path, body)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("issuer: %s %s: %w", method, path, err)
	}
	return nil
}

// do makes one request and reads its answer.
func (c *Client) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("issuer: %s %s: %w", method, path, err) }
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return fail(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxText)) // the status says enough
		return nil, &StatusError{method, path, resp.StatusCode, strings.TrimSpace(string(text))}
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxState+1))
	if err == nil && len(answer) > maxState {
		err = fmt.Errorf("%d %s: an answer of more than %d bytes", resp.StatusCode, http.StatusText(resp.StatusCode), maxState)
	}
	if err != nil {
		return fail(err)
	}
	return answer, nil
}
