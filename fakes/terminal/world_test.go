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
	"github.com/assay-hil/assay/fakes/terminal/kernel/kerneltest"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/emv"
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
		Prompts: map[string]map[string]string{},
		Codes:   map[string]string{"51": "no-funds", "96": "try-later", "default": "declined"},
		EMV:     testEMV(),
		Receipt: terminals.Receipt{Encoding: "gbk", Columns: 32},
	}
	all := terminal.CardPrompts(func(string) bool { return true })
	for _, id := range slices.Concat(terminal.Needed(), all, []string{"no-funds", "try-later", "declined"}) {
		p.Prompts[id] = map[string]string{"en": "<" + id + ">", "zh": "《" + id + "》"}
	}
	keys := map[string]terminals.Key{"ENTER": {}, "CLEAR": {}, "CANCEL": {}, "FUNC": {}, "HASH": {Char: "-"}, "STAR": {Char: "*"}}
	for _, d := range "0123456789" {
		keys[string(d)] = terminals.Key{Char: string(d)}
	}
	p.Keypad.Keys = keys
	return p
}

// testEMV is a kernel's data: online always, PIN by card and host, the field up to 1000.00.
func testEMV() *terminals.EMV {
	application := func(aid ...byte) terminals.EMVApplication {
		return terminals.EMVApplication{
			AID: aid, TACDefault: [5]byte{0xD8, 0x40, 0x04, 0xF8}, TACDenial: [5]byte{0x10, 0x70}, TACOnline: [5]byte{0xD8, 0x40, 0x04, 0xF8},
			Contactless: &terminals.ContactlessLimits{CVM: 30000, Transaction: 100000},
		}
	}
	return &terminals.EMV{
		Type: 0x22, Capabilities: [3]byte{0xE0, 0xE8, 0xC8}, Country: "156", Choice: true, Wallets: true,
		Applications: []terminals.EMVApplication{application(0xA0, 0, 0, 3, 0x33, 1, 1), application(0xA0, 0, 0, 0, 3, 0x10, 0x10)},
	}
}

// testHost is a dialect of the house.
func testHost(dialect string) *hosts.Host {
	h, ok := loaded.Load(dialect)
	if !ok {
		read, err := hosts.Load(dialect)
		if err != nil {
			panic(err)
		}
		h, _ = loaded.LoadOrStore(dialect, read)
	}
	own := *h.(*hosts.Host) // a test may change it
	return &own
}

// loaded are the dialects that were read already.
var loaded sync.Map

// testDialect is the one that conversations are held in unless they say otherwise.
const testDialect = "iso87-ascii"

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
	field  *field
	nvram  terminal.NVRAM

	mu      sync.Mutex // never held while waiting
	screens [][]string
	paper   bytes.Buffer
	printer error    // why it prints nothing
	pad     error    // why no PIN can be entered
	modem   error    // why nobody can be dialled
	signals []string // of beeper and lights
	debug   []string // of the service port
	dial    string   // over the primary uplink: "accept", "refuse", "hang"
	backup  string   // over the other
	over    string   // the uplink dialled last
	dialled int
	conns   []net.Conn // host's ends
	cut     context.CancelFunc
	cutAt   int // the power goes with this screen; 0 never

	accepted chan net.Conn
	secured  secured
}

func newWorld() *world {
	return &world{
		keys: make(chan string, 256), stripe: make(chan terminal.Swipe, 16), dial: "accept", backup: "accept",
		slot: &slot{changed: make(chan bool, 1)}, field: &field{changed: make(chan int, 1)}, accepted: make(chan net.Conn, 256),
	}
}

func (w *world) hardware() terminal.Hardware {
	return terminal.Hardware{
		Keys: w.keys, Display: w, Stripe: w.stripe, Chip: w.slot, Field: w.field, Printer: (*printer)(w), Dial: w.dialHost, NVRAM: &w.nvram,
		DialAt: w.dialAt, DialNames: w.dialNames,
		PINPad: func() error {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.pad
		},
		Modem: func() error {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.modem
		},
		Signal: func(what string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.signals = append(w.signals, what)
		},
		Debug: func(text string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.debug = append(w.debug, text)
		},
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
	mode, ok := map[string]string{"primary": w.dial, "backup": w.backup}[uplink]
	w.dialled++
	w.over = uplink
	w.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("no uplink %q", uplink)
	}
	switch mode {
	case "refuse":
		return nil, errors.New("connection refused")
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	near, far := w.wire()
	w.mu.Lock()
	w.conns = append(w.conns, far)
	w.mu.Unlock()
	w.accept(uplink, far)
	return near, nil
}

// printer is the world as the terminal's printer sees it.
type printer world

func (p *printer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.printer != nil {
		return 0, p.printer
	}
	return p.paper.Write(b)
}

// slot is a chip reader with an emv.Card, or a card that fails, in it.
type slot struct {
	changed chan bool
	mu      sync.Mutex
	in      bool
	card    *emv.Card
	table   *kerneltest.Card // instead of card
	// instead answers commands that begin with a key (upper-case hexadecimal), once a transaction; "pulled" takes the card out.
	instead map[string]string
	twist   func(right []byte) []byte // what becomes of an answer; nil: nothing
	sent    [][]byte                  // commands
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
	s.in, s.card, s.table, s.instead = true, card, nil, instead
	s.mu.Unlock()
	s.report(true)
}

func (s *slot) insertTable(card *kerneltest.Card) {
	s.mu.Lock()
	s.in, s.card, s.table = true, nil, card
	s.mu.Unlock()
	s.report(true)
}

func (s *slot) remove() {
	s.mu.Lock()
	s.in, s.card, s.table = false, nil, nil
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
	if s.table != nil {
		return []byte{0x3B, 0}, nil
	}
	if !s.in || s.card == nil || len(s.card.ATR()) == 0 {
		return nil, terminal.ErrMute
	}
	s.card.Reset()
	return s.card.ATR(), nil
}

func (s *slot) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	s.mu.Lock()
	card, table, answer, pulled := s.card, s.table, []byte(nil), false
	twist := s.twist
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
	case table != nil:
		response, err := table.Transmit(ctx, command)
		if table.Removed {
			s.remove()
		}
		return response, err
	case card == nil:
		return nil, errors.New("no card")
	}
	right := card.Transmit(command)
	if answer != nil {
		return answer, nil // the card did as it was told, and says something else
	}
	if twist != nil {
		return twist(right), nil
	}
	return right, nil
}

func (s *slot) PowerOff() {}
