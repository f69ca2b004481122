package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// patience is how long the harness waits before it says that something did not come. It is
// never shorter than what the profile allows the terminal, so that the judge and not the wait
// decides about a budget.
type patience struct {
	local  time.Duration // the terminal needs nobody else
	card   time.Duration // it talks to the card, or shows a result first
	online time.Duration // a whole exchange with the host, reversals before it included
	idle   time.Duration // it may still be showing a result, or asking for the card to be taken
	boot   time.Duration
}

// slack is what the harness adds to every allowance, in the terminal's time.
const slack = time.Second

func (r *run) patience() patience {
	p := r.session.world.Profile
	extra := time.Duration(float64(slack) / p.Scale)
	t, b := p.Timers, p.Budgets
	return patience{
		local:  2*b["local"] + extra,
		card:   2*b["local"] + 2*t.ResultDwell + extra,
		online: t.Connect + time.Duration(t.ReversalTry+1)*t.HostReply + b["host-timeout"] + extra,
		idle:   2*t.ResultDwell + 2*b["local"] + t.Connect + extra,
		boot:   2*b["boot"] + extra,
	}
}

// within is how long to wait for a prompt that a budget measures.
func (r *run) within(budget string) time.Duration {
	p := r.patience()
	switch budget {
	case "local":
		return p.local
	case "boot":
		return p.boot
	case "connect":
		return r.session.world.Profile.Budgets["connect"] + p.local
	default:
		return p.online
	}
}

// prompted waits until the terminal shows one of the prompts; without it the scenario can't go on.
func (r *run) prompted(ctx context.Context, limit time.Duration, prompts ...string) error {
	ok, err := r.session.until(ctx, limit, func(v *view) bool {
		return slices.ContainsFunc(prompts, func(p string) bool { return slices.Contains(v.prompts, p) })
	})
	if err != nil {
		return err
	}
	if !ok {
		return r.missing(ctx, "the prompt "+strings.Join(prompts, " or "))
	}
	return nil
}

// untilIdle waits for the idle screen, and takes the card out when the terminal asks for that.
func (r *run) untilIdle(ctx context.Context) error {
	if !r.session.inSlot() {
		return r.prompted(ctx, r.patience().idle, "idle")
	}
	if err := r.prompted(ctx, r.patience().online, "idle", "remove-card"); err != nil {
		return err
	}
	if err := r.removeCard(ctx); err != nil {
		return err
	}
	return r.prompted(ctx, r.patience().idle, "idle")
}

// awaitRequest waits until a request of that type is on its way to the host.
func (r *run) awaitRequest(ctx context.Context, mti string) error {
	ok, err := r.session.until(ctx, r.patience().online, func(v *view) bool { return v.requests[mti] > r.awaited[mti] })
	if err != nil {
		return err
	}
	if !ok {
		return r.missing(ctx, "the request "+mti+" on the network")
	}
	r.awaited[mti]++ // the next wait is for the next one
	return nil
}

// awaitPrompts gives the terminal the time to show what is expected of this phase, in order. What does not
// come is no error here: the judge will not find it. Only whose fault that is has to be found out now.
func (r *run) awaitPrompts(ctx context.Context, since time.Time, expect []scenarios.Expectation) error {
	found := map[string]time.Time{}
	for _, e := range expect {
		if e.Prompt == "" {
			continue
		}
		before, again := found[e.Prompt]
		var at time.Time
		came := func(v *view) bool {
			for _, s := range v.shown {
				if s.prompt == e.Prompt && !s.at.Before(since) && (!again || v.wentAway(e.Prompt, before, s.at)) {
					at = s.at
					return true
				}
			}
			return false
		}
		// A terminal that is idle again has said all that it will say.
		over := func(v *view) bool {
			return e.Prompt != "idle" && slices.Contains(v.prompts, "idle") && v.screenAt.After(r.acted)
		}
		_, err := r.session.until(ctx, r.within(e.Within), func(v *view) bool { return came(v) || over(v) })
		if err == nil && at.IsZero() {
			_, err = r.session.until(ctx, r.patience().local, came)
		}
		if err != nil {
			return err
		}
		if at.IsZero() {
			err := r.missing(ctx, "the prompt "+e.Prompt)
			if stop := (*Stop)(nil); errors.As(err, &stop) {
				stop.Expected = true
			}
			return err
		}
		since, found[e.Prompt] = at, at
	}
	return nil
}

// wentAway says whether the screen was without a prompt between two times: a redrawn screen does not show it
// again. The judge has the same rule.
func (v *view) wentAway(prompt string, from, to time.Time) bool {
	return slices.ContainsFunc(v.changes, func(at time.Time) bool {
		return at.After(from) && at.Before(to) && !slices.Contains(v.shown, shown{prompt, at})
	})
}

// awaitPaper gives an approved sale's receipt the time to come out: as many have ended as there were approvals, and, since
// there are slips besides, the last one about the time of the last approval or later.
func (r *run) awaitPaper(ctx context.Context) error {
	s := r.session
	if s.world.Rig.Printer == nil {
		return nil
	}
	limit := r.patience().local
	out := func(v *view) bool {
		n, last := 0, time.Time{}
		for _, p := range v.shown {
			if s.world.Profile.Approves(p.prompt) || p.prompt == "settled" {
				n, last = n+1, p.at
			}
		}
		return n == 0 || v.cuts-r.cutsBefore >= n && !v.cutAt.Before(last.Add(-limit))
	}
	_, err := s.until(ctx, limit, out)
	return err
}

// missing is called when something that the terminal must do did not happen. It finds out whose
// fault that is before anybody is blamed.
func (r *run) missing(ctx context.Context, what string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	shows := strings.Join(r.session.look().screen, " / ")
	// What the terminal shows from here on is an answer to the probe, and no evidence.
	r.note("probing", map[string]string{"missing": what})
	cause, why := r.whose(ctx)
	r.note("probe", map[string]string{"missing": what, "cause": string(cause), "why": why})
	err := fmt.Errorf("%s did not come; the terminal shows %q", what, shows)
	if cause != record.Terminal {
		err = fmt.Errorf("%s did not come, and that may not be the terminal's fault: %s", what, why)
	}
	return &Stop{Cause: cause, Err: err}
}
