package rungs

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/protocol/feed"
)

// near is a client of what is served in this process.
func near(name string, control http.Handler) *http.Client {
	h := &handlers{}
	h.serve(name, control)
	return &http.Client{Transport: direct{h}}
}

func TestDirectAnswersAsAConnectionDoes(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /echo/{name}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Name", r.PathValue("name"))
		w.WriteHeader(http.StatusAccepted)
		w.WriteHeader(http.StatusTeapot) // too late
		_, _ = w.Write(body)
	})
	mux.HandleFunc("GET /nothing", func(http.ResponseWriter, *http.Request) {})
	remote := httptest.NewServer(mux)
	defer remote.Close()
	type seen struct {
		Status     string
		Name, Body string
	}
	ask := func(client *http.Client, base, method, path string, body io.Reader) seen {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, base+path, body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return seen{resp.Status, resp.Header.Get("X-Name"), string(text)}
	}
	for _, call := range []struct{ method, path string }{{"POST", "/echo/a"}, {"GET", "/nothing"}, {"GET", "/unknown"}, {"DELETE", "/nothing"}} {
		here := ask(near("issuer", mux), "http://issuer", call.method, call.path, http.NoBody)
		there := ask(remote.Client(), remote.URL, call.method, call.path, http.NoBody)
		if here != there {
			t.Errorf("%s %s: %+v, over a connection %+v", call.method, call.path, here, there)
		}
	}
}

func TestDirectFails(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	for name, tt := range map[string]struct {
		ctx     context.Context
		url     string
		handler http.HandlerFunc
		want    error
	}{
		"nobody":        {t.Context(), "http://other/", func(http.ResponseWriter, *http.Request) {}, nil},
		"hung up":       {t.Context(), "http://issuer/", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, errHungUp},
		"ended between": {ctx, "http://issuer/", func(http.ResponseWriter, *http.Request) { cancel(why) }, why},
	} {
		req, err := http.NewRequestWithContext(tt.ctx, http.MethodGet, tt.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := near("issuer", tt.handler).Do(req)
		if err == nil {
			resp.Body.Close()
		}
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// A feed that is handed over as it is tells what it tells in JSON, and loses nothing to a call that was given up.
func TestDirectFeed(t *testing.T) {
	var log feed.Log
	log.Append("first", map[string]string{"n": "1"})
	log.Append("second", nil)
	remote := httptest.NewServer(log.Handler())
	defer remote.Close()
	readers := []*feed.Reader{
		{HTTP: near("log", log.Handler()), URL: "http://log/"},
		{HTTP: remote.Client(), URL: remote.URL},
	}
	for _, more := range []string{"third", "fourth"} {
		var told [][]feed.Event
		for _, r := range readers {
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := r.Next(ended, time.Second); err == nil {
				t.Error("a call whose context had ended was answered")
			}
			events, err := r.Next(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			for i := range events {
				events[i].At = time.Time{} // each on its reader's clock
			}
			told = append(told, events)
		}
		if len(told[0]) == 0 || !reflect.DeepEqual(told[0], told[1]) {
			t.Errorf("%+v, as JSON %+v", told[0], told[1])
		}
		log.Append(more, map[string]string{"n": more})
	}
}

// What happens at the moment of a call has happened when it is answered.
func TestDirectCallComesAfterTheMoment(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			var fired atomic.Bool
			begun := make(chan struct{})
			go func() { // a chain of goroutines at one moment
				<-begun
				next := make(chan struct{})
				go func() { <-next; fired.Store(true) }()
				close(next)
			}()
			client := near("network", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if !fired.Load() {
					w.WriteHeader(http.StatusTooEarly)
				}
			}))
			close(begun)
			resp, err := client.Get("http://network/status")
			if err != nil {
				t.Fatal(err)
			}
			if resp.Body.Close(); resp.StatusCode != http.StatusOK {
				t.Error(resp.Status)
			}
		})
	}
}
