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

// maxAnswer bounds how much of an answer is read.
const maxAnswer = 1 << 20

// Error is an answer of the injector other than success.
type Error struct {
	Op     string // "arm", "heal", "status" or "ping"
	Status int    // HTTP: 400 when the plan makes no sense
	Text   string // the injector's own words
}

// Error is one line.
func (e *Error) Error() string {
	return fmt.Sprintf("network %s: %d: %s", e.Op, e.Status, e.Text)
}

// Client talks to an injector's control API.
type Client struct {
	http *http.Client
	base string
}

// New makes a client of the injector whose control API is at baseURL, for example
// "http://127.0.0.1:8080". The HTTP client must not time out earlier than feed.MaxWait if
// events are read with long waits.
func New(httpClient *http.Client, baseURL string) *Client {
	return &Client{http: httpClient, base: strings.TrimRight(baseURL, "/")}
}

// Arm heals the plan before and arms this one. It returns when its faults act.
func (c *Client) Arm(ctx context.Context, p Plan) error {
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("network arm: %w", err)
	}
	return c.call(ctx, "arm", http.MethodPost, "/plan", body, nil)
}

// Heal ends every fault.
func (c *Client) Heal(ctx context.Context) error {
	return c.call(ctx, "heal", http.MethodPost, "/heal", nil, nil)
}

// Status tells what became of each fault of the plan armed last, in its order.
func (c *Client) Status(ctx context.Context) ([]Status, error) {
	var all []Status
	err := c.call(ctx, "status", http.MethodGet, "/status", nil, &all)
	return all, err
}

// Ping tells if the injector lives.
func (c *Client) Ping(ctx context.Context) error {
	return c.call(ctx, "ping", http.MethodGet, "/healthz", nil, nil)
}

// Events returns a reader of the injector's events, from the first that it still has.
func (c *Client) Events() *feed.Reader {
	return &feed.Reader{HTTP: c.http, URL: c.base + "/events"}
}

func (c *Client) call(ctx context.Context, op, method, path string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("network %s: %w", op, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("network %s: %w", op, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("network %s: %w", op, err)
	}
	if resp.StatusCode/100 != 2 {
		return &Error{Op: op, Status: resp.StatusCode, Text: strings.TrimSpace(string(answer))}
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("network %s: answer: %w", op, err)
	}
	return nil
}
