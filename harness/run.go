package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/judge"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/protocol/feed"
	"github.com/assay-hil/assay/rigs"
)

// Run takes one scenario from idle to verdict. It always returns a result and always leaves the rig
// safe; what was recorded is in the timeline, which Run neither creates nor closes.
//
// A cancelled ctx ends the scenario as inconclusive; making the rig safe has a time of its own.
func (s *Session) Run(ctx context.Context, sc *scenarios.Scenario, tl *Timeline) record.Result {
	sc = sc.On(s.world.Profile)
	r := &run{session: s, scenario: sc, timeline: tl, states: map[string]issuer.State{}, awaited: map[string]int{}}
	r.cutsBefore = s.begin(tl)
	if s.world.Begun != nil {
		s.world.Begun()
	}
	_ = s.lag() // what was before is none of this scenario's
	r.note("begin", map[string]string{
		"scenario": sc.ID, "profile": s.world.Profile.ID, "lang": s.world.Lang, "rig": s.world.Rig.Name,
		"scale": fmt.Sprintf("%g", s.world.Profile.Scale),
	})
	r.phases(ctx)
	r.safe(ctx)
	return r.verdict()
}

// phases goes through the scenario until something stops it. A panic stops it too: it is the
// harness's fault, and no reason to leave the finger on a key.
func (r *run) phases(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			r.stop("harness", blame(record.Harness, "panic: %v\n%s", p, debug.Stack()))
		}
	}()
	for _, phase := range []struct {
		name string
		do   func(context.Context) error
		// always: also after the terminal failed an earlier phase.
		always bool
	}{
		{"idle", r.reachIdle, true},
		{"about", r.about, true},
		{"drain", r.drain, true},
		{"arrange", r.arrange, true},
		{judge.Act, r.act, false},
		{"heal", r.heal, true},
		{judge.Recover, r.recover, false},
		{judge.Audit, r.audit, true},
	} {
		if r.stopped != nil && !(phase.always && stoppedBy(r.stopped) == record.Terminal) {
			continue
		}
		r.note("phase", map[string]string{"name": phase.name, "edge": "begin"})
		r.timeline.Flush()
		err := phase.do(ctx)
		r.note("phase", map[string]string{"name": phase.name, "edge": "end"})
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			err = blame(record.Harness, "interrupted in phase %s: %w", phase.name, context.Cause(ctx))
		}
		r.stop(phase.name, err)
	}
}

// run is one scenario being run.
type run struct {
	session  *Session
	scenario *scenarios.Scenario
	timeline *Timeline
	states   map[string]issuer.State // the host's books at the end of a phase
	faults   []network.Status
	stops    []followed // feeds, in the order of their start
	// blind is why a feed was not seen to its end: nothing can be judged from what is missing.
	blind error
	armed bool
	// levels are those below the message that have faults.
	levels []string
	// cutsBefore is how many receipts had ended when the scenario began.
	cutsBefore int
	// awaited counts the requests of each type that steps have waited for.
	awaited map[string]int
	// lastKey is the key that was pressed last, if an amount entry must react to it; "" for one of a PIN.
	lastKey string
	// acted is when something was last done to the terminal: a press, a card, its power.
	acted time.Time
	// stopped is why the scenario did not go on; nil while it does.
	stopped error
	// where is the phase in which it stopped.
	where string
}

// Stop is why a scenario did not go on, and whose fault that is.
type Stop struct {
	Cause record.Cause
	Err   error
	// Expected says that what is missing is an expectation of the scenario: the judge will find the
	// same, with what was seen instead.
	Expected bool
}

func (s *Stop) Error() string { return s.Err.Error() }

// Unwrap gives the fault itself.
func (s *Stop) Unwrap() error { return s.Err }

// blame says whose fault an error is.
func blame(cause record.Cause, format string, args ...any) error {
	return &Stop{Cause: cause, Err: fmt.Errorf(format, args...)}
}

// stoppedBy classifies an error: what says so itself, what an instrument reported, and, for all the rest, the harness.
func stoppedBy(err error) record.Cause {
	if stop := (*Stop)(nil); errors.As(err, &stop) {
		return stop.Cause
	}
	if fault := (*rigs.Error)(nil); errors.As(err, &fault) {
		return record.Rig
	}
	return record.Harness
}

// stop keeps the first reason and records each. Only a fault of the rig replaces an earlier
// failure of the terminal: an instrument that is found dead may have been dying before.
func (r *run) stop(phase string, err error) {
	if r.stopped == nil || stoppedBy(r.stopped) == record.Terminal && stoppedBy(err) == record.Rig {
		r.stopped, r.where = err, phase
	}
	r.note("stop", map[string]string{"phase": phase, "cause": string(stoppedBy(err)), "why": err.Error()})
}

// note records what the harness itself does.
func (r *run) note(kind string, fields map[string]string) {
	r.timeline.record(time.Now(), "harness", kind, fields)
}

// begin makes the timeline the one that watchers write to, and forgets what the last scenario saw.
// It returns how many receipts have ended so far.
func (s *Session) begin(tl *Timeline) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timeline = tl
	if s.world.Lag == nil {
		tl.Gather()
	}
	s.now.shown, s.now.changes = nil, nil
	s.now.requests = map[string]int{}
	s.garbled = map[string]bool{}
	s.chips = map[string]*keptChip{}
	return s.now.cuts
}

// arrange prepares issuer and network and starts to follow what they see.
func (r *run) arrange(ctx context.Context) error {
	w := r.session.world
	made, err := programs(r.scenario, w.Profile, w.Tongue)
	if err != nil {
		return blame(record.Config, "arrange: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, controlLimit)
	defer cancel()
	if err := w.Issuer.Setup(ctx, made.setup); err != nil {
		cause := record.Issuer
		if refused := (*issuer.StatusError)(nil); errors.As(err, &refused) && refused.Status == http.StatusBadRequest {
			cause = record.Config // a rule that this bank's dialect can't follow
		}
		return blame(cause, "arrange: %w", err)
	}
	r.levels = made.levels()
	if err := r.followFeeds(ctx); err != nil {
		return err
	}
	r.armed = true // also in part: what is armed has to be healed
	return made.arm(ctx, w.Network)
}

func (r *run) followFeeds(ctx context.Context) error {
	w := r.session.world
	stop, err := r.session.follow(ctx, "issuer", "", w.Issuer.Events())
	if err != nil {
		return blame(record.Issuer, "events: %w", err)
	}
	r.stops = append(r.stops, followed{record.Issuer, stop})
	feeds := map[string]*feed.Reader{"": w.Network.Events()}
	for _, level := range r.levels {
		feeds[level] = w.Network.LayerEvents(level)
	}
	for level, reader := range feeds {
		stop, err = r.session.follow(ctx, "network", level, reader)
		if err != nil {
			return blame(record.Network, "events: %w", err)
		}
		r.stops = append(r.stops, followed{record.Network, stop})
	}
	return nil
}

// followed is a feed that is being followed; its fake is at fault when it breaks.
type followed struct {
	cause record.Cause
	stop  func(context.Context) error
}

// act provokes the failure mode and waits for what must then be shown.
func (r *run) act(ctx context.Context) error {
	return r.steps(ctx, judge.Act, r.scenario.Act, r.scenario.Expect)
}

// recover takes the way back and waits for what must then be shown.
func (r *run) recover(ctx context.Context) error {
	if len(r.scenario.Recover) == 0 {
		return nil
	}
	return r.steps(ctx, judge.Recover, r.scenario.Recover, r.scenario.Recovered)
}

// steps performs a phase's steps, waits for its prompts, tidies the slot and takes the host's books.
func (r *run) steps(ctx context.Context, phase string, steps []scenarios.Step, expect []scenarios.Expectation) error {
	begun := time.Now()
	err := r.perform(ctx, steps)
	if err == nil {
		err = r.awaitPrompts(ctx, begun, expect)
	}
	if err == nil {
		err = r.awaitPaper(ctx)
	}
	if tidy := r.tidy(ctx); err == nil {
		err = tidy
	}
	if books := r.books(ctx, phase); err == nil {
		err = books
	}
	return err
}

// books keeps the host's journal and ledger as they are now.
func (r *run) books(ctx context.Context, phase string) error {
	ctx, cancel := context.WithTimeout(ctx, controlLimit)
	defer cancel()
	state, err := r.session.world.Issuer.State(ctx)
	if err != nil {
		return blame(record.Issuer, "books: %w", err)
	}
	state = r.session.own(state)
	r.states[phase] = state
	for _, c := range state.Charges {
		r.timeline.record(time.Now(), "issuer", "charge", map[string]string{"phase": phase, "terminal": c.Terminal, "stan": c.STAN,
			"amount": scenarios.Money(c.Amount), "state": c.State, "settled": fmt.Sprint(c.Settled)})
	}
	return nil
}

// heal ends every fault; what each one did is kept.
func (r *run) heal(ctx context.Context) error {
	if !r.armed {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, controlLimit)
	defer cancel()
	injector := r.session.world.Network
	faults, err := injector.Status(ctx)
	for _, level := range r.levels {
		var more []network.Status
		if err == nil {
			more, err = injector.LayerStatus(ctx, level)
			faults = append(faults, more...)
		}
	}
	if err == nil {
		r.faults = faults
		err = injector.Heal(ctx)
	}
	if err != nil {
		return blame(record.Network, "heal: %w", err)
	}
	return nil
}

// lag is by how much this machine was late in this scenario: no time can be measured closer. It is recorded.
func (r *run) lag() time.Duration {
	late := r.session.lag()
	if late > 0 {
		r.note("lag", map[string]string{"worst_us": fmt.Sprint(late.Microseconds())})
	}
	return late
}

func (s *Session) lag() time.Duration {
	if s.world.Lag == nil {
		return 0
	}
	return s.world.Lag()
}

// verdict hands the record to the judge.
func (r *run) verdict() record.Result {
	s := r.session
	events, incomplete := r.timeline.Events()
	if r.stopped == nil || stoppedBy(r.stopped) == record.Terminal {
		// What is not in the record is not the terminal's failure.
		switch {
		case incomplete != nil:
			r.stopped = blame(record.Harness, "%w", incomplete)
		case r.blind != nil:
			r.stopped = r.blind
		}
	}
	c := judge.Case{
		Scenario: r.scenario, Profile: s.world.Profile, Tongue: s.world.Tongue, Lang: s.world.Lang, Printer: s.world.Rig.Printer != nil && s.world.Profile.Has("printer"),
		Events: events, States: r.states, Faults: r.faults, Uncertainty: s.world.Rig.Uncertainty + r.lag(),
	}
	if r.stopped != nil {
		c.Stopped = &judge.Stopped{Phase: r.where, Cause: stoppedBy(r.stopped), Why: r.stopped.Error()}
		if stop := (*Stop)(nil); errors.As(r.stopped, &stop) {
			c.Stopped.Expected = stop.Expected
		}
	}
	verdict := judge.Judge(c)
	r.note("verdict", map[string]string{"verdict": string(verdict.Verdict), "cause": string(verdict.Cause), "why": verdict.Why})
	s.mu.Lock()
	firmware := s.firmware
	s.timeline = nil
	s.mu.Unlock()
	evidence := r.evidence(events)
	return record.Result{
		Scenario: r.scenario.ID, TitleEN: r.scenario.Title.EN, TitleZH: r.scenario.Title.ZH, Article: r.scenario.Cause,
		Profile: s.world.Profile.ID, Lang: s.world.Lang, Rig: s.world.Rig.Name, Labels: r.scenario.Labels,
		Verdict: verdict.Verdict, Cause: verdict.Cause, Why: verdict.Why, Checks: verdict.Checks,
		Started: r.timeline.Start(), TerminalSeconds: time.Since(r.timeline.Start()).Seconds(), Firmware: firmware, Evidence: evidence,
	}
}
