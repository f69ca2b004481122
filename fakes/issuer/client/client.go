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
	http *http.Client
	base string
}

// New makes a client for the control API at baseURL, for example "http://127.0.0.1:8584". The
// HTTP client brings the transport (in memory on some rungs); its timeout, if it has one, must be
// longer than the waits of the event reader.
func New(httpClient *http.Client, baseURL string) *Client {
	return &Client{http: httpClient, base: strings.TrimSuffix(baseURL, "/")}
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
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("issuer: POST %s: %w", PathSetup, err)
	}
	_, err = c.do(ctx, http.MethodPost, PathSetup, body)
	return err
}

// State gives everything that the issuer knows since the last setup.
func (c *Client) State(ctx context.Context) (State, error) {
	body, err := c.do(ctx, http.MethodGet, PathState, nil)
	if err != nil {
		return State{}, err
	}
	var s State
	if err := json.Unmarshal(body, &s); err != nil {
		return State{}, fmt.Errorf("issuer: GET %s: %w", PathState, err)
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
	_, err := c.do(ctx, http.MethodGet, PathHealth, nil)
	return err
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
