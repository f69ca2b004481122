package terminal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/terminal"
	"github.com/assay-hil/assay/fakes/terminal/kernel/kerneltest"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/track"
)

// script is a conversation under way.
type script struct {
	config terminal.Config
	world  *world
	host   scriptedHost
	cut    context.CancelFunc
	ended  chan error
	dials  int              // seen by "host hears nothing"
	table  *kerneltest.Card // of "card answers"
	idle   string           // what is shown when nothing is to be done
	// provision is what the workshop does before the terminal is switched on first.
	provision sync.Once
}

func newScript() *script {
	w := newWorld()
	s := &script{config: terminal.Config{Profile: testProfile()}, world: w, host: scriptedHost{world: w}, idle: "<idle>"}
	s.speak(testDialect)
	return s
}

// speak chooses the dialect.
func (s *script) speak(dialect string) {
	h := testHost(dialect)
	codec, err := iso8583.NewCodec(h.Dialect)
	if err != nil {
		panic(err)
	}
	s.config.Host, s.host.dialect, s.host.codec = h, h, codec
	s.host.pinKey, s.host.macKey = h.Keys.PIN, h.Keys.MAC
}

func (s *script) finish() {
	_ = s.powerCut()
	s.hangUp()
}

// hangUp closes the host's ends of all connections.
func (s *script) hangUp() {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	for _, c := range s.world.conns {
		_ = c.Close()
	}
}

func (s *script) powerOn() error {
	s.provision.Do(func() { terminal.Provision(&s.world.nvram, s.config.Profile) })
	app, err := terminal.New(s.config, s.world.hardware())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cut, s.ended = cancel, make(chan error, 1)
	s.world.nvram.Power(true)
	s.world.mu.Lock()
	s.world.cut = cancel
	s.world.mu.Unlock()
	go func() { s.ended <- app.Run(ctx) }()
	return nil
}

func (s *script) powerCut() error {
	if s.cut == nil {
		return nil
	}
	s.cut()
	s.world.nvram.Power(false)
	s.cut = nil
	began := time.Now()
	if err := <-s.ended; !errors.Is(err, context.Canceled) {
		return fmt.Errorf("Run returned %w", err)
	}
	if took := time.Since(began); took > 0 {
		return fmt.Errorf("the terminal worked %v without power", took)
	}
	return nil
}

func (s *script) step(words []string) error {
	verbs := map[string]func([]string) error{
		"with": s.with, "without": s.without, "power": s.power, "key": s.press, "keys": s.press,
		"advance": s.advance, "swipe": s.swipe, "insert": s.insert, "remove": s.remove, "card": s.card,
		"tap": s.tap, "leave": s.leave, "answers": s.answers,
		"host": s.hostDoes, "screen": s.screen, "shown": s.shown, "nvram": s.memory,
		"printed": s.printed, "printer": s.printer, "terminal": s.sent,
		"pad": s.pad, "battery": s.battery, "modem": s.modem, "debug": s.debugged, "signal": s.signalled, "burst": s.burst, "names": s.namesDo,
	}
	do, ok := verbs[words[0]]
	if !ok {
		return fmt.Errorf("unknown word %q", words[0])
	}
	return do(words[1:])
}

func (s *script) with(words []string) error {
	p := s.config.Profile
	switch words[0] {
	case "signed-on": // before, by a sign-on that is over
		terminal.PokeLogon(&s.world.nvram)
	case "parameters": // none: not provisioned
		s.provision.Do(func() {})
	case "lang":
		s.config.Lang = words[1]
	case "firmware":
		s.config.Firmware = words[1]
	case "customer-id":
		p.CustomerID = &terminals.CustomerID{Charset: "0123456789-"}
		if _, err := fmt.Sscanf(words[1], "%d-%d", &p.CustomerID.Min, &p.CustomerID.Max); err != nil {
			return err
		}
	case "full":
		terminal.PokeMemory(&s.world.nvram, func(m *terminal.State) {
			for i := range 300 {
				m.Journal = append(m.Journal, terminal.Row{Kind: "purchase", MTI: "0200", STAN: fmt.Sprintf("%06d", i+1), Amount: 100, PAN: testPAN})
			}
		})
	case "write": // how long a record takes, and that a cut tears it
		d, err := time.ParseDuration(words[1])
		s.world.nvram.Takes, s.world.nvram.Tears = d, true
		return err
	case "stan":
		n, err := strconv.Atoi(words[1])
		terminal.PokeMemory(&s.world.nvram, func(m *terminal.State) { m.STAN = n })
		return err
	case "contactless":
		p.Capabilities = append(p.Capabilities, words[0])
	case "wallets", "pin-bypass", "floor", "offline-codes", "exception":
		return s.withEMV(words)
	case "dialect":
		s.speak(words[1])
	case "password":
		p.OperatorPassword = words[1]
	case "reversal-drop":
		p.ReversalDrop = true
	case "key":
		p.Keypad.Keys[words[1]] = terminals.Key{Char: words[2]}
	case "switch-back":
		d, err := time.ParseDuration(words[1])
		p.Timers.SwitchBack = d
		return err
	case "dial-tries":
		n, err := strconv.Atoi(words[1])
		p.Timers.DialTries = n
		return err
	case "script": // a result of an issuer script waits to be told
		terminal.PokeMemory(&s.world.nvram, func(m *terminal.State) {
			m.Scripts = append(m.Scripts, terminal.Message{Operation: "script-result", MTI: "0620", Fields: map[int]string{
				2: testPAN, 7: "0101000000", 11: "000777", 41: "10000001", 42: "898100012340001", 55: "DF3105200000000F",
				90: "020000000101010000000000000000000000000000"}})
		})
	case "code":
		p.Codes[words[1]] = words[2]
	case "backup-uplink":
		p.Capabilities = append(p.Capabilities, words[0])
	case "tls":
		return s.withTLS()
	case "capability":
		p.Capabilities = append(p.Capabilities, words[1])
	default:
		return fmt.Errorf("unknown setting %q", words[0])
	}
	return nil
}

func (s *script) without(words []string) error {
	p := s.config.Profile
	p.Capabilities = slices.DeleteFunc(p.Capabilities, func(c string) bool { return c == words[0] })
	return nil
}

func (s *script) power(words []string) error {
	if words[0] == "on" {
		return s.powerOn()
	}
	return s.powerCut()
}

// modem lacks its SIM card or a signal, or nothing.
func (s *script) modem(words []string) error {
	lacks, ok := map[string]error{"ready": nil, "without-sim": terminal.ErrNoSIM, "without-signal": terminal.ErrNoSignal}[words[0]]
	if !ok {
		return fmt.Errorf("unknown modem %q", words[0])
	}
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.modem = lacks
	return nil
}

// battery takes the one out that keeps keys and parameters, or puts it in.
func (s *script) battery(words []string) error {
	s.world.nvram.Battery(words[0] == "in")
	return nil
}

// press pushes keys: a word is a key's name, or else its characters are.
func (s *script) press(words []string) error {
	for _, word := range words {
		names := strings.Split(word, "")
		if _, ok := s.config.Profile.Keypad.Keys[word]; ok {
			names = []string{word}
		}
		for _, name := range names {
			if name == "-" {
				name = "HASH" // the key that types it
			}
			if _, ok := s.config.Profile.Keypad.Keys[name]; !ok {
				return fmt.Errorf("no key %q", name)
			}
			s.world.keys <- name
			synctest.Wait()
		}
	}
	return nil
}

func (s *script) advance(words []string) error {
	d, err := time.ParseDuration(words[0])
	<-time.After(d)
	return err
}

// swipe takes a card past the head: a service code, then how its track 2 is damaged.
func (s *script) swipe(words []string) error {
	symbols := track.Encode2(testTrack2(words[0]))
	switch strings.Join(words[1:], " ") {
	case "":
	case "parity":
		symbols[3] ^= 1
	case "lrc":
		symbols[len(symbols)-1] ^= 0b10001
	case "blank":
		symbols = nil
	case "short":
		short := testTrack2(words[0])
		short.PAN = short.PAN[:12]
		symbols = track.Encode2(short)
	default:
		return fmt.Errorf("unknown damage %q", words[1:])
	}
	s.world.stripe <- terminal.Swipe{Tracks: [3][]byte{1: symbols}}
	return nil
}

// insert puts a card into the slot: "good", "mute" or "foreign", then "COMMAND=ANSWER" for
// commands that it answers wrongly once.
func (s *script) insert(words []string) error {
	application := testApplication([]byte{0xA0, 0, 0, 0, 3, 0x10, 0x10})
	switch words[0] {
	case "good":
	case "table":
		s.world.slot.insertTable(s.tableCard())
		return nil
	case "mute":
		application.ATR = nil
	case "foreign":
		application.AID = []byte{0xA0, 0, 0, 9, 9, 9, 9}
	default:
		return fmt.Errorf("unknown card %q", words[0])
	}
	instead := map[string]string{}
	for _, word := range words[1:] {
		command, answer, _ := strings.Cut(word, "=")
		instead[command] = answer
	}
	s.world.slot.insert(emv.NewCard(application), instead)
	return nil
}

func (s *script) remove([]string) error {
	s.world.slot.remove()
	return nil
}

// printer takes paper in or out, or breaks: "printer jammed", "printer hot", "printer ready", "printer torn" (what was
// printed is taken away).
func (s *script) printer(words []string) error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.printer = map[string]error{"jammed": terminal.ErrPaper, "hot": errors.New("too hot")}[words[0]]
	if words[0] == "torn" {
		s.world.paper.Reset()
	}
	return nil
}

// pad breaks the PIN pad or mends it: "pad broken", "pad mended".
func (s *script) pad(words []string) error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.pad = map[string]error{"broken": errors.New("tampered")}[words[0]]
	return nil
}

// burst pushes keys faster than the terminal takes them.
func (s *script) burst(words []string) error {
	for _, name := range words {
		s.world.keys <- name
	}
	return nil
}
