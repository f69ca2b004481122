// Package harness runs one scenario on one rig and says, from the record, whether the terminal did
// what it must. The main flow is Session.Run; read that first.
//
// The harness sees only what a lab sees: instruments, the network between terminal and host,
// and the host. It imports drivers' contracts and the fakes' clients, never a fake.
package harness

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/cards"
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
	Lang    string
	Cards   []*cards.Card
}

// Limits of the harness's own waits.
const (
	pollWait     = 10 * time.Second // one long poll of a fake's feed
	controlLimit = 10 * time.Second // one call to a fake's control API
	haltLimit    = 15 * time.Second // making one instrument safe
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
	// slot says that a card is in the slot.
	slot bool
	// homed says that the finger knows where it is.
	homed bool
	// broken is why the rig could not be made safe; nil while it could.
	broken   error
	firmware string
}

// view is what the harness knows of the world at one moment.
type view struct {
	screen   []string // what the terminal shows
	prompts  []string // recognised on it
	screenAt time.Time
	changes  []time.Time // when the screen changed, since the scenario began
	cuts     int         // receipts ended since the session began
	shown    []shown
	requests map[string]int // MTI → messages from the terminal since the scenario began
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
	s := &Session{world: w, life: ctx, cancel: cancel, changed: make(chan struct{}), proven: map[string]bool{}, garbled: map[string]bool{}}
	if w.Rig.Display != nil {
		s.watch(func() { s.watchDisplay(ctx) })
	}
	if w.Rig.Printer != nil {
		s.watch(func() { s.watchPrinter(ctx) })
	}
	if w.Rig.Card != nil {
		s.watch(func() { s.watchCard(ctx) })
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
	timer := time.NewTimer(limit)
	defer timer.Stop()
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
		select {
		case <-changed:
		case <-timer.C:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
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
	s.note(screen.At, "display", "screen", map[string]string{
		"text":    strings.Join(screen.Lines, "\n"),
		"prompts": strings.Join(prompts, " "),
	})
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

func (s *Session) watchCard(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-s.world.Rig.Card.Events():
			if !ok {
				return // the next command to the emulator says why
			}
			s.prove("card")
			s.note(e.At, "card", e.Kind, exchangeFields(e.Exchange))
		}
	}
}

// exchangeFields tells of an APDU pair what is not card data: the header without parameters' meaning,
// lengths and the status words.
func exchangeFields(x *rigs.Exchange) map[string]string {
	if x == nil {
		return nil
	}
	f := map[string]string{
		"command_bytes":  strconv.Itoa(len(x.Command)),
		"response_bytes": strconv.Itoa(len(x.Response)),
		"took_us":        strconv.FormatInt(x.Took.Microseconds(), 10),
	}
	if len(x.Command) >= 2 {
		f["instruction"] = strings.ToUpper(hex2(x.Command[0]) + hex2(x.Command[1]))
	}
	if n := len(x.Response); n >= 2 {
		f["status"] = strings.ToUpper(hex2(x.Response[n-2]) + hex2(x.Response[n-1]))
	}
	return f
}

func hex2(b byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[b>>4], digits[b&15]})
}

// follow copies a fake's feed into the timeline until the session ends. Events from before are
// skipped; ctx bounds that. The returned function stops it and brings in what is left.
func (s *Session) follow(ctx context.Context, source string, r *feed.Reader) (stop func(ctx context.Context) error, err error) {
	if _, err := r.Next(ctx, 0); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(s.life)
	done := make(chan error, 1)
	s.watch(func() {
		for {
			events, err := r.Next(ctx, pollWait)
			s.sawFeed(source, events)
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
		s.sawFeed(source, events)
		return err
	}, nil
}

func (s *Session) sawFeed(source string, events []feed.Event) {
	for _, e := range events {
		s.note(e.At, source, e.Kind, e.Fields)
		if source == "network" && e.Kind == "message" && e.Fields["direction"] == network.FromTerminal {
			s.update(func(v *view) { v.requests[e.Fields["mti"]]++ })
		}
	}
}
