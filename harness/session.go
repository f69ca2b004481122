// Package harness runs one scenario on one rig and says, from the record, whether the terminal did
// what it must. The main flow is Session.Run; read that first.
//
// The harness sees only what a lab sees: instruments, the network between terminal and host,
// and the host. It imports drivers' contracts and the fakes' clients, never a fake.
package harness

import (
	"context"
	"sync"
	"time"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
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
	// Lag is by how much this machine was late since the last call, at worst, at once or within a second; nil where it never is: in
	// virtual time.
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
	changed  chan struct{} // closed at the next change of now; nil while nobody waits for one
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
	cutAt    time.Time   // when the last of them did
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
	s := &Session{world: w, life: ctx, cancel: cancel, proven: map[string]bool{}, garbled: map[string]bool{}, chips: map[string]*keptChip{}}
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

// note records an event in the running scenario's timeline, if there is one. Its fields must not change any more.
func (s *Session) note(at time.Time, source, kind string, fields map[string]string) {
	s.mu.Lock()
	t := s.timeline
	s.mu.Unlock()
	if t != nil {
		t.record(at, source, kind, fields)
	}
}

// update changes the view and wakes everybody who waits for it.
func (s *Session) update(change func(v *view)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.now)
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// until waits for the view to satisfy a condition. It reports whether it did before ctx ended or the limit passed.
// A stream that ended is an error: waiting longer is pointless.
func (s *Session) until(ctx context.Context, limit time.Duration, ok func(v *view) bool) (bool, error) {
	var timer *time.Timer
	for {
		met, changed, dead := s.check(ok)
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

// check says whether the view satisfies a condition, and gives what is closed at its next change when it does not.
func (s *Session) check(ok func(v *view) bool) (met bool, changed <-chan struct{}, dead error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ok(&s.now) {
		return true, nil, nil
	}
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return false, s.changed, s.now.dead
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
