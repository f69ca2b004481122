package harness

import (
	"context"
	"maps"
	"slices"
	"time"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/feed"
)

const (
	// clockSamples is how often a feed is asked before it is followed: its clock is known as well as its quickest
	// answer was quick, and an answer that is late on a busy machine would date everything too late.
	clockSamples = 4
	// pollWait is one long poll of a fake's feed.
	pollWait = feed.MaxWait
	// feedPause is how long a feed is left alone after it told something: a message makes several events.
	feedPause = 2 * time.Millisecond
)

// follow copies a fake's feed into the timeline until the session ends, with the level of a fault where the
// injector has a feed for each. Events from before are skipped; ctx bounds that. The returned function stops it
// and brings in what is left.
func (s *Session) follow(ctx context.Context, source, level string, r *feed.Reader) (stop func(ctx context.Context) error, err error) {
	if _, err := r.Next(ctx, 0); err != nil {
		return nil, err
	}
	for range clockSamples {
		events, err := r.Next(ctx, 0)
		if err != nil {
			return nil, err
		}
		s.sawFeed(source, level, events)
	}
	ctx, cancel := context.WithCancel(s.life)
	done := make(chan error, 1)
	s.watch(func() {
		for {
			events, err := r.Next(ctx, pollWait)
			s.sawFeed(source, level, events)
			if err == nil && len(events) > 0 {
				select { // what comes with it is told with the next answer
				case <-time.After(feedPause):
				case <-ctx.Done():
				}
			}
			if err != nil {
				if ctx.Err() != nil {
					err = nil
				}
				done <- err
				return
			}
		}
	})
	return func(ctx context.Context) error {
		cancel()
		if err := <-done; err != nil {
			return err
		}
		events, err := r.Next(ctx, 0)
		s.sawFeed(source, level, events)
		return err
	}, nil
}

func (s *Session) sawFeed(source, level string, events []feed.Event) {
	for _, e := range events {
		if source == "issuer" && s.others(e.Fields["terminal"]) {
			continue
		}
		if level != "" {
			e.Fields = maps.Clone(e.Fields)
			e.Fields["level"] = level
		}
		s.note(e.At, source, e.Kind, e.Fields)
		if source == "network" && e.Kind == "message" && e.Fields["direction"] == network.FromTerminal {
			s.update(func(v *view) { v.requests[s.world.Tongue.CanonicalMTI(e.Fields["mti"])]++ })
		}
		if source == "issuer" && e.Kind == issuer.EventReceived {
			s.update(func(v *view) { v.requests[e.Fields["operation"]]++ })
		}
	}
}

// others says that what the issuer tells of a terminal is about another than ours.
func (s *Session) others(terminal string) bool {
	return s.world.Shared && terminal != "" && terminal != s.world.Profile.Identity.Terminal
}

// own leaves in the issuer's books what is about our terminal.
func (s *Session) own(state issuer.State) issuer.State {
	if !s.world.Shared {
		return state
	}
	state.Journal = slices.DeleteFunc(state.Journal, func(e issuer.Entry) bool { return s.others(e.Terminal) })
	state.Charges = slices.DeleteFunc(state.Charges, func(c issuer.Charge) bool { return s.others(c.Terminal) })
	state.Settlements = slices.DeleteFunc(state.Settlements, func(c issuer.Settlement) bool { return s.others(c.Terminal) })
	state.Holds = slices.DeleteFunc(state.Holds, func(h issuer.Hold) bool { return s.others(h.Terminal) })
	state.Refunds = slices.DeleteFunc(state.Refunds, func(r issuer.Refund) bool { return s.others(r.Terminal) })
	state.Sessions = slices.DeleteFunc(state.Sessions, func(x issuer.Session) bool { return s.others(x.Terminal) })
	state.Scripts = slices.DeleteFunc(state.Scripts, func(r issuer.ScriptResult) bool { return s.others(r.Terminal) })
	return state
}
