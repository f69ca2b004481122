package harness

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rigs"
)

// tool is what all instruments of the test's bench can do.
type tool struct {
	name  string
	probe func(context.Context) error // nil: alive
}

func (i *tool) Name() string { return i.name }

func (i *tool) Probe(ctx context.Context) error {
	if i.probe == nil {
		return nil
	}
	return i.probe(ctx)
}

func (*tool) Halt(context.Context) error { return nil }
func (*tool) Close() error               { return nil }

// finger is a keypad that does what the test says on a press.
type finger struct {
	tool
	pressed []string
	onPress func(key string) error
}

func (*finger) Home(context.Context) error { return nil }

func (f *finger) Press(_ context.Context, key string) (rigs.Press, error) {
	f.pressed = append(f.pressed, key)
	if f.onPress != nil {
		if err := f.onPress(key); err != nil {
			return rigs.Press{}, err
		}
	}
	return rigs.Press{Begin: time.Now(), End: time.Now()}, nil
}

// glass is a display that shows what the test says.
type glass struct {
	tool
	screens chan rigs.Screen
	err     error
}

func (g *glass) Screens() <-chan rigs.Screen { return g.screens }
func (g *glass) Err() error                  { return g.err }

// show puts lines on the screen now.
func (g *glass) show(lines ...string) { g.screens <- rigs.Screen{At: time.Now(), Lines: lines} }

// showAfter does so later, as a terminal that needs its time.
func (g *glass) showAfter(d time.Duration, lines ...string) {
	time.AfterFunc(d, func() { g.show(lines...) })
}

// supply is a power relay that does what the test says.
type supply struct {
	tool
	switched []string
	onOn     func() error
	onOff    func() error
}

func (s *supply) On(context.Context) error {
	s.switched = append(s.switched, "on")
	if s.onOn == nil {
		return nil
	}
	return s.onOn()
}

func (s *supply) Off(context.Context) error {
	s.switched = append(s.switched, "off")
	if s.onOff == nil {
		return nil
	}
	return s.onOff()
}

// slot is a card emulator.
type slot struct {
	tool
	events chan rigs.CardEvent
	ended  chan struct{}
	// onRemove is what happens while the card is taken out; nil: nothing.
	onRemove func()
}

func (*slot) Insert(context.Context, rigs.Chip) error { return nil }
func (s *slot) Remove(context.Context) error {
	if s.onRemove != nil {
		s.onRemove()
	}
	return nil
}
func (*slot) Swipe(context.Context, rigs.Tracks) error             { return nil }
func (*slot) Tap(context.Context, rigs.Chip, []byte, []byte) error { return nil }
func (*slot) Leave(context.Context) error                          { return nil }
func (s *slot) Events() <-chan rigs.CardEvent                      { return s.events }
func (s *slot) Ended() <-chan struct{}                             { return s.ended }
func (s *slot) Err() error                                         { return nil }

// roll is a printer.
type roll struct {
	tool
	paper chan rigs.Paper
}

func (r *roll) Paper() <-chan rigs.Paper { return r.paper }
func (*roll) Err() error                 { return nil }

// bench is a session on instruments that the test plays, with a run that has begun.
type bench struct {
	finger   *finger
	glass    *glass
	supply   *supply
	slot     *slot
	roll     *roll
	rig      *rigs.Rig
	session  *Session
	timeline *Timeline
	run      *run
	// gone are the fakes that don't answer: "issuer", "network".
	gone map[string]bool
}

// RoundTrip answers every call to a fake's control API, as long as the fake is there.
func (b *bench) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.gone[req.URL.Host] {
		return nil, syscall.ECONNREFUSED
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Body: io.NopCloser(strings.NewReader("{}")), Header: http.Header{}, Request: req}, nil
}

// queue is how many events an instrument of the test holds for the session.
const queue = 16

// onBench runs a test in virtual time on a bench with all instruments, the terminal idle and
// something done to it a second ago.
func onBench(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, err := terminals.Load("countertop")
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{
			finger: &finger{tool: tool{name: "keypad"}},
			glass:  &glass{tool: tool{name: "display"}, screens: make(chan rigs.Screen, queue)},
			supply: &supply{tool: tool{name: "power"}},
			slot:   &slot{tool: tool{name: "card"}, events: make(chan rigs.CardEvent, queue), ended: make(chan struct{})},
			roll:   &roll{tool: tool{name: "printer"}, paper: make(chan rigs.Paper, queue)},
		}
		b.rig = &rigs.Rig{Name: "test", Keypad: b.finger, Display: b.glass, Power: b.supply, Card: b.slot, Printer: b.roll}
		if b.timeline, err = CreateTimeline(filepath.Join(t.TempDir(), "x.jsonl")); err != nil {
			t.Fatal(err)
		}
		b.gone = map[string]bool{}
		b.session = Open(t.Context(), World{Rig: b.rig, Profile: p, Lang: "en",
			Issuer: issuer.New(&http.Client{Transport: b}, "http://issuer"), Network: network.New(&http.Client{Transport: b}, "http://network")})
		b.session.begin(b.timeline)
		b.run = &run{session: b.session, timeline: b.timeline}
		b.glass.show("WELCOME")
		synctest.Wait()
		b.run.acted = time.Now()
		<-time.After(time.Second)
		test(t, b)
		b.session.Close()
		if err := b.timeline.Close(); err != nil {
			t.Error(err)
		}
	})
}

// events gives the fields of each event of a kind.
func (b *bench) events(t *testing.T, source, kind string) []map[string]string {
	t.Helper()
	all, err := b.timeline.Events()
	if err != nil {
		t.Fatal(err)
	}
	var fields []map[string]string
	for _, e := range all {
		if e.Source == source && e.Kind == kind {
			fields = append(fields, e.Fields)
		}
	}
	return fields
}

// blames says that an error stops the scenario on somebody's account.
func blames(t *testing.T, err error, want record.Cause) *Stop {
	t.Helper()
	stop := (*Stop)(nil)
	if !errors.As(err, &stop) || stop.Cause != want {
		t.Fatalf("%v is no stop on account of %s", err, want)
	}
	return stop
}

func shows(prompt string) func(*view) bool {
	return func(v *view) bool { return slices.Contains(v.prompts, prompt) }
}
