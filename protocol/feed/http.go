package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// MaxWait bounds one long poll.
const MaxWait = 30 * time.Second

// batch is the wire form of one answer. Times are microseconds on the log's clock.
type batch struct {
	NowUS   int64       `json:"now_us"`
	Last    uint64      `json:"last"`
	Dropped uint64      `json:"dropped,omitempty"`
	Events  []wireEvent `json:"events"`
}

type wireEvent struct {
	Seq   uint64            `json:"seq"`
	AtUS  int64             `json:"at_us"`
	Kind  string            `json:"kind"`
	Field map[string]string `json:"fields,omitempty"`
}

// Nearby is what the http.ResponseWriter of a transport within this process may implement, to be given the answer as it is instead
// of as JSON. The body that the client reads must then be a Taken. What is handed over must not be changed.
type Nearby interface{ Take(answer any) }

// Taken is a response body that has what Nearby took; nil where that was nothing.
type Taken interface{ Taken() any }

// unpack reads an answer.
func unpack(body io.Reader) (b batch, err error) {
	if near, ok := body.(Taken); ok {
		if whole, ok := near.Taken().(batch); ok {
			return whole, nil
		}
	}
	err = json.NewDecoder(body).Decode(&b)
	return b, err
}

// Handler serves the log: GET ?after=SEQ&wait=DURATION answers at once with newer events, or
// waits for the first one, at most MaxWait.
func (l *Log) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		after, err := strconv.ParseUint(query.Get("after"), 10, 64)
		if err != nil {
			http.Error(w, "after: a whole number is needed", http.StatusBadRequest)
			return
		}
		wait, err := time.ParseDuration(query.Get("wait"))
		if err != nil || wait < 0 {
			http.Error(w, "wait: a duration such as 5s is needed", http.StatusBadRequest)
			return
		}
		events, dropped, more := l.After(after)
		if len(events) == 0 && wait > 0 {
			timer := time.NewTimer(min(wait, MaxWait))
			select {
			case <-more:
			case <-timer.C:
			case <-r.Context().Done():
			}
			timer.Stop()
			events, dropped, _ = l.After(after)
		}
		b := batch{NowUS: l.clock().Microseconds(), Last: l.Last(), Dropped: dropped, Events: make([]wireEvent, 0, len(events))}
		for _, e := range events {
			b.Events = append(b.Events, wireEvent{e.Seq, e.At.Sub(l.born).Microseconds(), e.Kind, e.Fields})
		}
		if near, ok := w.(Nearby); ok {
			near.Take(b)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(b) // a client that went away needs no answer
	})
}

// Reader reads a log served at URL.
type Reader struct {
	HTTP *http.Client
	URL  string
	seen uint64
	// start is when the log's clock started, on ours: the earliest that any answer allows. An answer that
	// travelled long would make it too late, so the estimate only gets better.
	start time.Time
	begun bool // the first answer has come
}

// ErrLost is returned by Next, with the events that are left, when the log dropped some between
// two calls. What follows from their absence is not known.
var ErrLost = errors.New("events were lost")

// Next returns the events after those already returned; with wait > 0 it waits for the first.
// Times are this machine's; they are late by the travel time of the fastest answer so far, and their
// distances are the log's own.
func (r *Reader) Next(ctx context.Context, wait time.Duration) ([]Event, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+"?after="+strconv.FormatUint(r.seen, 10)+"&wait="+wait.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := r.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", r.URL, resp.Status)
	}
	b, err := unpack(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.URL, err)
	}
	if start := time.Now().Add(-time.Duration(b.NowUS) * time.Microsecond); r.start.IsZero() || start.Before(r.start) {
		r.start = start
	}
	events := make([]Event, 0, len(b.Events))
	lost := r.begun && len(b.Events) > 0 && b.Events[0].Seq != r.seen+1
	r.begun = true
	for _, e := range b.Events {
		at := r.start.Add(time.Duration(e.AtUS) * time.Microsecond)
		events = append(events, Event{Seq: e.Seq, At: at, Kind: e.Kind, Fields: e.Field})
		r.seen = e.Seq
	}
	if lost {
		return events, fmt.Errorf("%s: %w", r.URL, ErrLost)
	}
	return events, nil
}
