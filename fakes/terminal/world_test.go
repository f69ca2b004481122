package terminal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-hil/assay/fakes/terminal"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/track"
)

// The world around a terminal under test: hardware made of channels and buffers.

const testPAN = "4761739001010119"

func testProfile() *terminals.Profile {
	p := &terminals.Profile{
		ID:           "test",
		Languages:    []string{"en", "zh"},
		Identity:     terminals.Identity{Terminal: "10000001", Merchant: "898100012340001", Currency: "156"},
		Capabilities: []string{"chip", "pin", "printer", "settlement", "stripe"},
		Timers: terminals.Timers{
			Boot: 3 * time.Second, KeyWait: 60 * time.Second, CardWait: 50 * time.Second,
			Connect: 10 * time.Second, HostReply: 30 * time.Second, ResultDwell: 3 * time.Second, ReversalTry: 3,
		},
		Prompts:      map[string]map[string]string{},
		Codes:        map[string]string{"51": "no-funds", "96": "try-later", "default": "declined"},
		Applications: [][]byte{{0xA0, 0, 0, 3, 0x33, 1, 1}, {0xA0, 0, 0, 0, 3, 0x10, 0x10}},
		Receipt:      terminals.Receipt{Encoding: "gbk", Columns: 32},
	}
	for _, id := range append(terminal.Needed(), "no-funds", "try-later", "declined") {
		p.Prompts[id] = map[string]string{"en": "<" + id + ">", "zh": "《" + id + "》"}
	}
	keys := map[string]terminals.Key{"ENTER": {}, "CLEAR": {}, "CANCEL": {}, "FUNC": {}, "HASH": {Char: "-"}, "STAR": {Char: "*"}}
	for _, d := range "0123456789" {
		keys[string(d)] = terminals.Key{Char: string(d)}
	}
	p.Keypad.Keys = keys
	return p
}

func testHost() *hosts.Host {
	field := func(kind string, length, variable int, sensitive string) iso8583.Field {
		return iso8583.Field{Name: "field", Type: kind, Length: length, Var: variable, Sensitive: sensitive}
	}
	return &hosts.Host{
		ID:     "test",
		PINKey: bytes.Repeat([]byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF}, 2),
		Dialect: iso8583.Dialect{
			Name: "test", Bitmap: "hex", Framing: iso8583.Framing{LengthBytes: 2, MaxLength: 2048},
			Fields: map[int]iso8583.Field{
				2: field("n", 19, 2, "pan"), 3: field("n", 6, 0, ""), 4: field("n", 12, 0, ""),
				7: field("n", 10, 0, ""), 11: field("n", 6, 0, ""), 12: field("n", 6, 0, ""),
				13: field("n", 4, 0, ""), 14: field("n", 4, 0, "pan"), 22: field("n", 3, 0, ""),
				23: field("n", 3, 0, ""), 25: field("n", 2, 0, ""), 35: field("z", 37, 2, "track"),
				37: field("an", 12, 0, ""), 38: field("an", 6, 0, ""), 39: field("an", 2, 0, ""),
				41: field("ans", 8, 0, ""), 42: field("ans", 15, 0, ""), 48: field("ans", 255, 3, ""),
				49: field("n", 3, 0, ""), 52: field("b", 8, 0, "pin"), 55: field("b", 255, 3, "track"),
				60: field("ans", 60, 3, ""), 66: field("n", 1, 0, ""), 70: field("n", 3, 0, ""),
				76: field("n", 10, 0, ""), 88: field("n", 16, 0, ""), 90: field("n", 42, 0, ""),
			},
		},
	}
}

func testTrack2(service string) track.Track2 {
	return track.Track2{PAN: testPAN, Expiry: "3112", Service: service, Discretionary: "12345678900"}
}

func testMasterKey() []byte {
	return bytes.Repeat([]byte{0x23, 0x15, 0x20, 0x8C, 0x91, 0x10, 0xAD, 0x40}, 2)
}

// world is the hardware of one terminal. Its NVRAM outlives power cuts.
type world struct {
	keys   chan string
	stripe chan terminal.Swipe
	slot   *slot
	nvram  terminal.NVRAM

	mu      sync.Mutex // never held while waiting
	screens [][]string
	paper   bytes.Buffer
	jammed  bool
	dial    string // "accept", "refuse", "hang"
	dialled int
	conns   []net.Conn // host's ends
	cut     context.CancelFunc
	cutAt   int // the power goes with this screen; 0 never

	accepted chan net.Conn
}

func newWorld() *world {
	return &world{
		keys: make(chan string, 256), stripe: make(chan terminal.Swipe, 16), dial: "accept",
		slot: &slot{changed: make(chan bool, 1)}, accepted: make(chan net.Conn, 256),
	}
}

func (w *world) hardware() terminal.Hardware {
	return terminal.Hardware{
		Keys: w.keys, Display: w, Stripe: w.stripe, Chip: w.slot, Printer: (*printer)(w), Dial: w.dialHost, NVRAM: &w.nvram,
	}
}

func (w *world) Show(rows []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.screens = append(w.screens, slices.Clone(rows))
	if len(w.screens) == w.cutAt {
		w.cut()
	}
}

// screen is what is shown now, rows joined with " | ".
func (w *world) screen() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.screens) == 0 {
		return ""
	}
	return strings.Join(w.screens[len(w.screens)-1], " | ")
}

func (w *world) dialHost(ctx context.Context, uplink string) (net.Conn, error) {
	w.mu.Lock()
	mode := w.dial
	w.dialled++
	w.mu.Unlock()
	if uplink != "primary" {
		return nil, fmt.Errorf("no uplink %q", uplink)
	}
	switch mode {
	case "refuse":
		return nil, errors.New("connection refused")
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	near, far := net.Pipe()
	w.mu.Lock()
	w.conns = append(w.conns, far)
	w.mu.Unlock()
	w.accepted <- far
	return near, nil
}

// printer is the world as the terminal's printer sees it.
type printer world

func (p *printer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.jammed {
		return 0, errors.New("out of paper")
	}
	return p.paper.Write(b)
}

// slot is a chip reader with an emv.Card, or a card that fails, in it.
type slot struct {
	changed chan bool
	mu      sync.Mutex
	in      bool
	card    *emv.Card
	// instead answers commands that begin with a key (upper-case hexadecimal), once a transaction; "pulled" takes the card out.
	instead map[string]string
	lies    map[int][]byte // answers by the number of the command, from 0
	sent    [][]byte       // commands
}

// lie makes the nth command from now be answered with any bytes.
func (s *slot) lie(nth int, answer []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lies = map[int][]byte{len(s.sent) + nth: answer}
}

func testApplication(aid []byte) emv.Application {
	t := testTrack2("201")
	return emv.Application{
		ATR: []byte{0x3B, 0x65, 0, 0, 0x20, 0x63, 0xCB, 0x68, 0}, AID: aid, Label: "TEST CREDIT", Sequence: "01",
		PAN: t.PAN, Expiry: t.Expiry, Service: t.Service, Discretionary: t.Discretionary, MasterKey: testMasterKey(),
	}
}

func (s *slot) insert(card *emv.Card, instead map[string]string) {
	s.mu.Lock()
	s.in, s.card, s.instead = true, card, instead
	s.mu.Unlock()
	s.report(true)
}

func (s *slot) remove() {
	s.mu.Lock()
	s.in, s.card = false, nil
	s.mu.Unlock()
	s.report(false)
}

// report leaves only the newest change in the channel.
func (s *slot) report(in bool) {
	select {
	case <-s.changed:
	default:
	}
	s.changed <- in
}

func (s *slot) Changed() <-chan bool { return s.changed }

func (s *slot) Present() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.in
}

func (s *slot) PowerOn(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.in || s.card == nil || len(s.card.ATR()) == 0 {
		return nil, terminal.ErrMute
	}
	s.card.Reset()
	return s.card.ATR(), nil
}

func (s *slot) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	s.mu.Lock()
	card, answer, pulled := s.card, []byte(nil), false
	answer = s.lies[len(s.sent)]
	s.sent = append(s.sent, bytes.Clone(command))
	for prefix, text := range s.instead {
		if strings.HasPrefix(fmt.Sprintf("%X", command), prefix) {
			pulled = text == "pulled"
			answer = unhex(text)
			delete(s.instead, prefix)
			break
		}
	}
	s.mu.Unlock()
	switch {
	case pulled:
		s.remove()
		return nil, errors.New("card left")
	case card == nil:
		return nil, errors.New("no card")
	}
	right := card.Transmit(command)
	if answer != nil {
		return answer, nil // the card did as it was told, and says something else
	}
	return right, nil
}

func (s *slot) PowerOff() {}
