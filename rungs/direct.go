package rungs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/assay-hil/assay/protocol/feed"
)

// nearby is a wire on which a control API is called where it is served: in memory there is nothing between the two that could
// be slow, full or cut, and connections of a world that lives for milliseconds would cost more than what they carry. The
// requests and answers are those that would pass a connection.
type nearby interface {
	serve(name string, control http.Handler)
	served(name string) http.Handler
}

// handlers are the control APIs of a world, by name.
type handlers struct {
	mu     sync.Mutex
	byName map[string]http.Handler
}

func (h *handlers) serve(name string, control http.Handler) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byName == nil {
		h.byName = map[string]http.Handler{}
	}
	h.byName[name] = control
}

// served is nil where nobody serves.
func (h *handlers) served(name string) http.Handler {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byName[name]
}

// errHungUp is what a client sees of a server that ends a connection instead of answering.
var errHungUp = errors.New("the server hung up without an answer")

// direct is a transport that calls handlers. A call whose context has ended fails with the context's error, whatever the
// handler answered.
type direct struct{ nearby }

// directDelay is how long a call is on its way. In virtual time all that happens at one moment comes to its end in it: a fault
// that has just broken a connection is noted as fired before somebody asks whether it was.
const directDelay = time.Microsecond

// pass lets time go by, unless the context ends.
func pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// RoundTrip implements http.RoundTripper.
func (d direct) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	ctx := r.Context()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	handler := d.served(r.URL.Hostname())
	if handler == nil {
		return nil, fmt.Errorf("nobody serves %s", r.URL.Host)
	}
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			resp, err = nil, errHungUp
		} else if p != nil {
			panic(p)
		}
	}()
	if err := pass(ctx, directDelay); err != nil {
		return nil, err
	}
	asked := r.WithContext(ctx) // a copy: handlers write into theirs
	if asked.Body == nil {
		asked.Body = http.NoBody
	}
	w := &answer{header: http.Header{}}
	handler.ServeHTTP(w, asked)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return w.response(r), nil
}

// answer collects what a handler answers, and is the body that the client reads.
type answer struct {
	bytes.Buffer
	header http.Header
	status int
	whole  any // see feed.Nearby
}

var (
	_ feed.Nearby = (*answer)(nil)
	_ feed.Taken  = (*answer)(nil)
)

// Take and Taken hand a feed's answer over as it is.
func (a *answer) Take(whole any) { a.whole = whole }

// Taken implements feed.Taken.
func (a *answer) Taken() any { return a.whole }

// Close implements io.Closer.
func (a *answer) Close() error { return nil }

// Header, Write and WriteHeader implement http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.Buffer.Write(p)
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) response(r *http.Request) *http.Response {
	a.WriteHeader(http.StatusOK) // without a word from the handler, as net/http does
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)),
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: a, ContentLength: int64(a.Len()), Request: r,
	}
}
