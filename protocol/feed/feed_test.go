package feed_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/protocol/feed"
	"github.com/assay-hil/assay/protocol/memnet"
)

// serve runs a log's handler in memory and returns a reader of it.
func serve(t *testing.T, log *feed.Log) *feed.Reader {
	t.Helper()
	network := memnet.New()
	ln, err := network.Listen("log:1")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: log.Handler()}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return network.Dial(ctx, "log:1")
	}}
	return &feed.Reader{HTTP: &http.Client{Transport: transport}, URL: "http://log/"}
}

func TestReaderFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log feed.Log
		r := serve(t, &log)
		log.Append("first", map[string]string{"n": "1"})
		events, err := r.Next(t.Context(), 0)
		if err != nil || len(events) != 1 || events[0].Kind != "first" || events[0].Fields["n"] != "1" {
			t.Fatalf("%v %v", events, err)
		}
		begun := time.Now()
		go func() {
			<-time.After(3 * time.Second)
			log.Append("second", nil)
		}()
		events, err = r.Next(t.Context(), 10*time.Second)
		if err != nil || len(events) != 1 || events[0].Seq != 2 {
			t.Fatalf("%v %v", events, err)
		}
		if got := events[0].At.Sub(begun); got != 3*time.Second {
			t.Errorf("the event came after %v on the reader's clock, want 3 s", got)
		}
		if events, err = r.Next(t.Context(), time.Second); err != nil || len(events) != 0 {
			t.Errorf("nothing new, and yet %v %v", events, err)
		}
	})
}

type word string

func (w word) Fields() map[string]string { return map[string]string{"word": string(w)} }

func TestFieldsAreMadeWhenRead(t *testing.T) {
	var log feed.Log
	log.Append("first", map[string]string{"word": "at once"})
	log.AppendLater("second", word("later"))
	for range 2 { // reading does not use it up
		events, _, _ := log.After(0)
		if len(events) != 2 || events[0].Fields["word"] != "at once" || events[1].Fields["word"] != "later" || events[1].Seq != 2 {
			t.Errorf("%v", events)
		}
	}
}

func TestLogIsBoundedAndSaysSo(t *testing.T) {
	var log feed.Log
	for n := range feed.Limit + 5 {
		log.Append("e", map[string]string{"n": fmt.Sprint(n)})
	}
	events, dropped, _ := log.After(0)
	if len(events) != feed.Limit || dropped != 5 || events[0].Seq != 6 || log.Last() != feed.Limit+5 {
		t.Errorf("%d events from %d, %d dropped, last %d", len(events), events[0].Seq, dropped, log.Last())
	}
}

func TestReaderNoticesLostEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log feed.Log
		r := serve(t, &log)
		log.Append("old", nil)
		if _, err := r.Next(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		for range feed.Limit + 1 {
			log.Append("new", nil)
		}
		events, err := r.Next(t.Context(), 0)
		if !errors.Is(err, feed.ErrLost) || len(events) != feed.Limit {
			t.Errorf("%d events, %v; want %v", len(events), err, feed.ErrLost)
		}
		log.Append("newer", nil)
		if events, err = r.Next(t.Context(), 0); err != nil || len(events) != 1 {
			t.Errorf("after a loss: %v %v", events, err)
		}
	})
}

func TestHandlerRefusesBadQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serve(t, &feed.Log{})
		r.URL += "?after=x&"
		if _, err := r.Next(t.Context(), 0); err == nil {
			t.Error("a bad position was accepted")
		}
	})
}
