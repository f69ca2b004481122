// Package harness runs one scenario on one rig and says, from the record, whether the terminal did
// what it must. The main flow is Session.Run; read that first.
//
// The harness sees only what a lab sees: instruments, the network between terminal and host,
// and the host. It imports drivers' contracts and the fakes' clients, never a fake.
package harness

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/feed"
	"github.com/assay-hil/assay/rigs"
)

// World is all that a scenario is run against. A rung builds it.
type World struct {
	Rig     *rigs.Rig
	Issuer  *issuer.Client
	Network *network.Client
	Profile *terminals.Profile
	// Tongue translates what scenarios say of messages into the dialect of the host; nil where that is their own.
	Tongue *hosts.Tongue
	Lang   string
	Cards  []*cards.Card
	// Wear is told what wears the rig out, in package wear's words; nil where nobody counts.
	Wear func(kind string)
	// Lag is by how much this machine was late, at worst, since the last call; nil where it never is: in virtual time.
	Lag func() time.Duration
	// Carries says that the terminal was used before this session, so that it may hold a reversal or
	// a batch of which the host knows nothing.
	Carries bool
	// Rekeys says that the host gives terminals new working keys when they sign on. This session's host knows none of
	// those that a terminal that was used before has.
	Rekeys bool
	// Begun is told when a scenario begins; Passed gives what passed between terminal and host since then, masked, as a capture
	// (pcapng). nil where nobody captures.
	Begun  func()
	Passed func() []byte
	// Shared says that other terminals use the issuer meanwhile: what it says of them is left out of the record.
	Shared bool
}

// Limits of the harness's own waits.
const (
	pollWait = 10 * time.Second // one long poll of a fake's feed
	// clockSamples is how often a feed is asked before it is followed: its clock is known as well as its quickest
	// answer was quick, and an answer that is late on a busy machine would date everything too late.
	clockSamples = 4
	controlLimit = 10 * time.Second // one call to a fake's control API
	haltLimit    = 4 * time.Minute  // making one instrument safe: a finger that has lost its place homes
)

// Session is an open rig: it watches every instrument all the time and knows what the terminal
// shows now. Scenarios run on it one after the other.
type Session struct {
	world  World
	life   context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	timeline *Timeline
	now      view
	changed  chan struct{} // closed at the next change of now
	// proven instruments did what they said at least once in this session.
	proven map[string]bool
	// garbled are the sources whose line brought nonsense in this scenario.
	garbled map[string]bool
	// presented is the last card that was inserted or swiped.
	presented *cards.Card
	// chips are those of the cards used in this scenario, by id.
	chips map[string]*keptChip
	// slot says that a card is in the slot.
	slot bool
	// homed says that the finger knows where it is.
	homed bool
	// drained says that nothing is left in the terminal from before the session.
	drained bool
	// broken is why the rig could not be made safe; nil while it could.
	broken   error
	firmware string
	// askedAbout says that the about-screen was opened for it.
	askedAbout bool
}

// view is what the harness knows of the world at one moment.
type view struct {
	screen   []string // what the terminal shows
	prompts  []string // recognised on it
	screenAt time.Time
	changes  []time.Time // when the screen changed, since the scenario began
	cuts     int         // receipts ended since the session began
	shown    []shown
	requests map[string]int // MTI → messages from the terminal since the scenario began; operation → what reached the host
	dead     error          // an instrument's stream ended
}

// shown is a prompt and when it came.
type shown struct {
	prompt string
	at     time.Time
}

// Open starts watching a rig. ctx bounds the whole session.
func Open(ctx context.Context, w World) *Session {
	ctx, cancel := context.WithCancel(ctx)
	s := &Session{world: w, life: ctx, cancel: cancel, changed: make(chan struct{}), proven: map[string]bool{}, garbled: map[string]bool{}, chips: map[string]*keptChip{}}
	if w.Rig.Display != nil {
		s.watch(func() { s.watchDisplay(ctx) })
	}
	if w.Rig.Printer != nil {
		s.watch(func() { s.watchPrinter(ctx) })
	}
	if w.Rig.Card != nil {
		s.watch(func() { s.watchCard(ctx) })
	}
	for _, i := range w.Rig.Instruments() {
		if w, ok := i.(rigs.Watched); ok {
			s.watch(func() { s.watchLine(ctx, w) })
		}
	}
	return s
}

// World gives what the session was opened on.
func (s *Session) World() World { return s.world }

// Close stops watching. The rig stays open; it belongs to who opened it.
func (s *Session) Close() {
	s.cancel()
	s.wg.Wait()
}

func (s *Session) watch(f func()) {
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		f()
	}()
}

// note records an event in the running scenario's timeline, if there is one.
func (s *Session) note(at time.Time, source, kind string, fields map[string]string) {
	s.mu.Lock()
	t := s.timeline
	s.mu.Unlock()
	if t != nil {
		t.Add(at, source, kind, fields)
	}
}

// update changes the view and wakes everybody who waits for it.
func (s *Session) update(change func(v *view)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.now)
	close(s.changed)
	s.changed = make(chan struct{})
}

// until waits for the view to satisfy a condition. It reports whether it did before ctx ended or the limit passed.
// A stream that ended is an error: waiting longer is pointless.
func (s *Session) until(ctx context.Context, limit time.Duration, ok func(v *view) bool) (bool, error) {
	var timer *time.Timer
	for {
		s.mu.Lock()
		met, dead, changed := ok(&s.now), s.now.dead, s.changed
		s.mu.Unlock()
		if met {
			return true, nil
		}
		if dead != nil {
			return false, dead
		}
		if timer == nil {
			more, stop := s.looking(ctx)
			defer stop()
			timer = time.NewTimer(limit + more)
			defer timer.Stop()
		}
		select {
		case <-changed:
		case <-timer.C:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// looking has a display that must be asked asked again and again until stop, and gives the time that the answers may
// take. Nobody who answers is a fault of the rig.
func (s *Session) looking(ctx context.Context) (patience time.Duration, stop func()) {
	d, ok := s.world.Rig.Display.(rigs.Looker)
	if !ok {
		return 0, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if err := d.Look(ctx); err != nil && ctx.Err() == nil {
				s.update(func(v *view) { v.dead = rigs.Fault(d.Name(), "look", err) })
				return
			}
		}
	}()
	return d.Patience(), func() { cancel(); <-ended }
}

func (s *Session) look() view {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *Session) prove(instrument string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proven[instrument] = true
}

func (s *Session) isProven(instrument string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proven[instrument]
}

func (s *Session) watchDisplay(ctx context.Context) {
	d := s.world.Rig.Display
	for {
		select {
		case <-ctx.Done():
			return
		case screen, ok := <-d.Screens():
			if !ok {
				s.update(func(v *view) { v.dead = rigs.Fault(d.Name(), "read", lineError(d.Err())) })
				return
			}
			s.sawScreen(screen)
		}
	}
}

func (s *Session) sawScreen(screen rigs.Screen) {
	s.inspect(screen.At, "display", append(screen.Lines, screen.Noise)...)
	if screen.Noise != "" {
		if brokenLine(s.world.Profile.Screen, screen.Noise) {
			s.setGarbled("display")
		}
		s.note(screen.At, "display", "noise", map[string]string{"text": s.hidePIN(screen.At, "display", screen.Noise, false)})
		return
	}
	prompts := s.world.Profile.Recognise(screen.Lines, s.world.Lang)
	for i, row := range screen.Lines {
		screen.Lines[i] = s.hidePIN(screen.At, "display", row, slices.Contains(prompts, "pin"))
	}
	fields := map[string]string{"text": strings.Join(screen.Lines, "\n"), "prompts": strings.Join(prompts, " ")}
	if screen.Early > 0 {
		fields["early_us"] = strconv.FormatInt(screen.Early.Microseconds(), 10)
	}
	s.note(screen.At, "display", "screen", fields)
	s.prove("display")
	version := firmware(s.world.Profile, screen.Lines)
	s.mu.Lock()
	if version != "" {
		s.firmware = version
	}
	s.mu.Unlock()
	s.update(func(v *view) {
		v.screen, v.prompts, v.screenAt = screen.Lines, prompts, screen.At
		v.changes = append(v.changes, screen.At)
		for _, p := range prompts {
			v.shown = append(v.shown, shown{p, screen.At})
		}
	})
}

// firmware finds the version that the terminal itself shows; "" when it does not.
func firmware(p *terminals.Profile, lines []string) string {
	re := p.Screen.Firmware
	if re == nil {
		return ""
	}
	for _, line := range lines {
		if m := re.FindStringSubmatch(line); m != nil {
			return m[re.SubexpIndex("version")]
		}
	}
	return ""
}

func (s *Session) watchPrinter(ctx context.Context) {
	p := s.world.Rig.Printer
	for {
		select {
		case <-ctx.Done():
			return
		case paper, ok := <-p.Paper():
			if !ok {
				s.update(func(v *view) { v.dead = rigs.Fault(p.Name(), "read", lineError(p.Err())) })
				return
			}
			if paper.Cut {
				s.note(paper.At, "printer", "cut", nil)
				s.update(func(v *view) { v.cuts++ })
				continue
			}
			s.inspect(paper.At, "printer", paper.Text)
			s.note(paper.At, "printer", "line", map[string]string{"text": s.hidePIN(paper.At, "printer", paper.Text, false)})
		}
	}
}

// lineError makes sure that an ended stream has a reason.
func lineError(err error) error {
	if err == nil {
		return rigs.ErrLost
	}
	return err
}

// watchLine ends every wait when an instrument's line is lost while nobody speaks to it.
func (s *Session) watchLine(ctx context.Context, i rigs.Watched) {
	select {
	case <-ctx.Done():
	case <-i.Ended():
		s.note(time.Now(), i.Name(), "lost", map[string]string{"why": lineError(i.Err()).Error()})
		s.update(func(v *view) {
			if v.dead == nil { // the first cause is the one to tell
				v.dead = rigs.Fault(i.Name(), "line", lineError(i.Err()))
			}
		})
	}
}

func (s *Session) watchCard(ctx context.Context) {
	var trace apduTrace
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-s.world.Rig.Card.Events():
			if !ok {
				return // watchLine says why
			}
			s.prove("card")
			s.note(e.At, "card", e.Kind, trace.fields(e, s.card()))
		}
	}
}

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
