package cardslot

import (
	"cmp"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-hil/assay/fakes/bench/line"
	"github.com/assay-hil/assay/fakes/terminal"
)

// Slot is one emulator in the slot, the head and the field of one terminal.
type Slot struct {
	cfg     Config
	line    *line.Line
	calls   chan func() // run by the loop
	closing chan struct{}
	ended   chan struct{}
	close   sync.Once

	stripe  chan terminal.Swipe
	changed chan bool // holds the newest change
	present atomic.Bool
	field   *Field

	// From here on everything belongs to the loop.
	in       splitter
	supplied bool // the terminal itself has power
	powered  bool // the terminal powers the chip
	atr      []byte
	waiting  *command
	kept     exchange // the last request and its reply
	swipe    *swipe   // being clocked out
	swiped   *time.Timer
	head     *terminal.Swipe // read and not yet fetched by the application
	forget   *time.Timer
	events   events
	heard    int // new requests, for SilentAfter
	sent     int // lines, for DropEvery and GarbleEvery
}

// exchange is a request and its reply; reply is "" while the request is being worked on.
type exchange struct {
	request, reply string
}

// swipe is a SWIPE that has begun.
type swipe struct {
	request message
	tracks  terminal.Swipe
}

// New starts an emulator on the port, which belongs to it from then on. It is in its safe state;
// the terminal around it is powered.
func New(port io.ReadWriteCloser, cfg Config) *Slot {
	cfg.Firmware = cmp.Or(cfg.Firmware, "sim-1.0")
	cfg.SwipeTime = cmp.Or(cfg.SwipeTime, SwipeTime)
	s := &Slot{
		cfg:      cfg,
		line:     line.Open(port),
		calls:    make(chan func()),
		closing:  make(chan struct{}),
		ended:    make(chan struct{}),
		stripe:   make(chan terminal.Swipe),
		changed:  make(chan bool, 1),
		supplied: true,
		swiped:   stoppedTimer(),
		forget:   stoppedTimer(),
		events:   events{repeat: stoppedTimer()},
	}
	s.field = &Field{slot: s, changed: make(chan int, 1)}
	go s.run()
	return s
}

func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// Stripe delivers what the head read. A swipe that is not fetched within HeadHold is lost.
func (s *Slot) Stripe() <-chan terminal.Swipe { return s.stripe }

// SetPower says whether the terminal around the slot has its supply. Without it the chip is
// dead and the head reads nothing; the card stays where it is.
func (s *Slot) SetPower(on bool) {
	s.do(func() {
		if !on {
			s.unpower(ErrNoPower)
			s.field.release(ErrNoPower)
			s.head = nil
		}
		s.supplied = on
		s.field.takeChange()
		s.takeChange() // a terminal that boots looks at the switch, not at the past
	})
}

// Close ends the emulator: closes the port and waits for its goroutines.
func (s *Slot) Close() error {
	s.close.Do(func() { close(s.closing) })
	<-s.ended
	return s.line.Close()
}

func (s *Slot) run() {
	defer close(s.ended)
	defer s.swiped.Stop()
	defer s.forget.Stop()
	defer s.events.repeat.Stop()
	received := s.line.Received()
	for {
		var offer chan terminal.Swipe
		var read terminal.Swipe
		if s.head != nil {
			offer, read = s.stripe, *s.head
		}
		select {
		case <-s.closing:
			return
		case chunk, ok := <-received:
			if !ok {
				received = nil // the host is gone for good: the terminal's side goes on
				continue
			}
			s.in.feed(chunk, s.hear)
		case f := <-s.calls:
			f()
		case <-s.events.repeat.C:
			s.repeatEvent()
		case <-s.swiped.C:
			s.endSwipe()
		case offer <- read:
			s.head = nil
		case <-s.forget.C:
			s.head = nil
		}
	}
}

// do runs f in the loop and waits for it; false when the loop has ended.
func (s *Slot) do(f func()) bool {
	done := make(chan struct{})
	select {
	case s.calls <- func() { f(); close(done) }:
		<-done
		return true
	case <-s.ended:
		return false
	}
}

// send puts a line on the wire, or does to it what the faults want.
func (s *Slot) send(kind, number byte, text string) {
	if s.dead() {
		return
	}
	out := format(kind, number, text)
	s.sent++
	if n := s.cfg.Faults.DropEvery; n > 0 && s.sent%n == 0 {
		return
	}
	if n := s.cfg.Faults.GarbleEvery; n > 0 && s.sent%n == 0 {
		out[len(out)/2] ^= 0x01 // printable characters never become LF by this
	}
	s.line.Send(out) // a line that is lost here is mended like one lost on the wire
}

func (s *Slot) dead() bool {
	after := s.cfg.Faults.SilentAfter
	return s.cfg.Faults.Silent || after > 0 && s.heard > after
}

// setPresent moves the card-present switch.
func (s *Slot) setPresent(in bool) {
	if s.present.Swap(in) == in {
		return
	}
	s.takeChange()
	s.changed <- in // there is room: only the loop sends
}

func (s *Slot) takeChange() {
	select {
	case <-s.changed:
	default:
	}
}
