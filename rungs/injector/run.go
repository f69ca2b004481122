package injector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-hil/assay/protocol/feed"
)

// Run serves until ctx ends, and then closes everything. The error says what could not be served
// any more, or that the capture is not whole.
func (i *Injector) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	control := &http.Server{Handler: i.Handler(i.server, i.config.Token), ReadHeaderTimeout: headerLimit}
	var parts sync.WaitGroup
	part := func(name string, run func() error) {
		parts.Go(func() {
			if err := run(); err != nil {
				cancel(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	part("control", func() error {
		if err := control.Serve(i.control); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	part("uplinks", func() error { return i.server.Run(ctx) })
	if i.names != nil {
		part("dns", func() error { return i.names.ServePacket(ctx, i.nameUDP) })
		part("dns", func() error { return i.names.ServeStream(ctx, i.nameTCP) })
	}
	var telling sync.WaitGroup
	told, stop := context.WithCancel(context.Background())
	telling.Go(func() { i.tell(told) })

	<-ctx.Done()
	healed := i.heal()
	_ = control.Close() // ends also those who wait for events
	parts.Wait()
	stop()
	telling.Wait()
	err := context.Cause(ctx)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, healed, i.close())
}

// close closes what Start opened; what Run has closed already says nothing any more.
func (i *Injector) close() error {
	if i.server != nil {
		_ = i.server.Close() // it has no error
	}
	for _, c := range []interface{ Close() error }{i.control, i.nameUDP, i.nameTCP} {
		if c != nil {
			_ = c.Close()
		}
	}
	if i.capture.Cut() {
		i.config.Log.Warn("the capture is cut: it has reached its size", "file", i.config.Capture)
	}
	failed := i.capture.Close()
	if i.bench != nil {
		failed = errors.Join(failed, i.bench.Close())
	}
	return failed
}

// tell tells of the message level's events, in the log and its faults in the capture, until ctx
// ends and all is told.
func (i *Injector) tell(ctx context.Context) {
	pause := time.NewTicker(tellEvery)
	defer pause.Stop()
	var seq, lost uint64
	for {
		last := ctx.Err() != nil
		events, dropped, more := i.server.Events().After(seq)
		if dropped > lost {
			i.config.Log.Warn("events were too many to be told", "lost", dropped-lost)
			lost = dropped
		}
		for _, e := range events {
			seq = e.Seq
			i.log(Message, e)
			i.note(e)
		}
		if last {
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			continue
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
	}
}

// note puts into the capture what a fault did.
func (i *Injector) note(e feed.Event) {
	if e.Kind != "fired" && e.Kind != "unproven" {
		return
	}
	words := []string{e.At.Format(time.RFC3339Nano), e.Kind, "fault"}
	for _, name := range []string{"fault", "kind", "uplink", "connection", "direction", "mti", "stan", "why"} {
		if value := e.Fields[name]; value != "" {
			words = append(words, name+"="+value)
		}
	}
	i.capture.Note(strings.Join(words, " "))
}

// log writes an event. What every message causes is for who looks closely.
func (i *Injector) log(level string, e feed.Event) {
	importance := slog.LevelInfo
	switch e.Kind {
	case "message", "delivered", "query":
		importance = slog.LevelDebug
	case "unproven":
		importance = slog.LevelWarn
	}
	if !i.config.Log.Enabled(context.Background(), importance) {
		return
	}
	attrs := []slog.Attr{slog.String("level_of_fault", level)}
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		attrs = append(attrs, slog.String(name, e.Fields[name]))
	}
	i.config.Log.LogAttrs(context.Background(), importance, e.Kind, attrs...)
}
