package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/assay-hil/assay/protocol/feed"
)

// maxAnswer bounds how much of an answer is read.
const maxAnswer = 1 << 20

// Error is an answer of the injector other than success.
type Error struct {
	Op     string // "arm", "heal", "status", "vocabulary" or "ping"
	Status int    // HTTP: 400 when the plan makes no sense
	Text   string // the injector's own words
}

// Error is one line.
func (e *Error) Error() string {
	return fmt.Sprintf("network %s: %d: %s", e.Op, e.Status, e.Text)
}

// WrongType says what a field of a plan needs instead of a value of another type.
func WrongType(err *json.UnmarshalTypeError) string {
	need := "a " + err.Type.String()
	switch {
	case err.Type == reflect.TypeFor[time.Duration]():
		need = "a duration as a whole number of nanoseconds, such as 500000000 for 500ms"
	case err.Type.Kind() == reflect.Int, err.Type.Kind() == reflect.Int64:
		need = "a whole number"
	case err.Type.Kind() == reflect.Float64:
		need = "a number"
	case err.Type.Kind() == reflect.Struct, err.Type.Kind() == reflect.Map:
		need = "an object"
	case err.Type.Kind() == reflect.Slice:
		need = "a list"
	}
	return fmt.Sprintf("%s: a JSON %s; it is %s", cmp.Or(err.Field, "all"), err.Value, need)
}

// Paths of the control API.
const (
	PathPlan       = "/plan"
	PathHeal       = "/heal"
	PathStatus     = "/status"
	PathVocabulary = "/vocabulary"
	PathEvents     = "/events"
	PathHealth     = "/healthz"
	PathOpenAPI    = "/openapi.yaml"
)

// Client talks to an injector's control API.
type Client struct {
	http *http.Client
	base string
}

// Option changes a client.
type Option func(*Client)

// WithToken sends a bearer token with every call (RFC 6750, 2.1).
func WithToken(token string) Option {
	return func(c *Client) {
		with := *c.http
		with.Transport = bearer{token: token, next: c.http.Transport}
		c.http = &with
	}
}

// bearer is a transport that adds the token.
type bearer struct {
	token string
	next  http.RoundTripper // nil: the default
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	if b.next == nil {
		return http.DefaultTransport.RoundTrip(r)
	}
	return b.next.RoundTrip(r)
}

// New makes a client of the injector whose control API is at baseURL, for example
// "http://127.0.0.1:8080". The HTTP client must not time out earlier than feed.MaxWait if
// events are read with long waits.
func New(httpClient *http.Client, baseURL string, options ...Option) *Client {
	c := &Client{http: httpClient, base: strings.TrimRight(baseURL, "/")}
	for _, o := range options {
		o(c)
	}
	return c
}

// Arm heals the plan before and arms this one. It returns when its faults act.
func (c *Client) Arm(ctx context.Context, p Plan) error {
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("network arm: %w", err)
	}
	return c.call(ctx, "arm", http.MethodPost, PathPlan, body, nil)
}

// Heal ends every fault.
func (c *Client) Heal(ctx context.Context) error {
	return c.call(ctx, "heal", http.MethodPost, PathHeal, nil, nil)
}

// Status tells what became of each fault of the plan armed last, in its order.
func (c *Client) Status(ctx context.Context) ([]Status, error) {
	var all []Status
	err := c.call(ctx, "status", http.MethodGet, PathStatus, nil, &all)
	return all, err
}

// Vocabulary tells what kinds of fault the injector knows.
func (c *Client) Vocabulary(ctx context.Context) ([]Kind, error) {
	var all []Kind
	err := c.call(ctx, "vocabulary", http.MethodGet, PathVocabulary, nil, &all)
	return all, err
}

// Ping tells if the injector lives.
func (c *Client) Ping(ctx context.Context) error {
	return c.call(ctx, "ping", http.MethodGet, PathHealth, nil, nil)
}

// Events returns a reader of the injector's events, from the first that it still has.
func (c *Client) Events() *feed.Reader {
	return &feed.Reader{HTTP: c.http, URL: c.base + PathEvents}
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
