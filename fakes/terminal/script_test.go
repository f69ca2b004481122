package terminal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/assay-hil/assay/fakes/terminal"
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
	dials  int // seen by "host hears nothing"
}

func newScript() *script {
	codec, err := iso8583.NewCodec(testHost().Dialect)
	if err != nil {
		panic(err)
	}
	w := newWorld()
	return &script{
		config: terminal.Config{Profile: testProfile(), Host: testHost()},
		world:  w, host: scriptedHost{world: w, codec: codec},
	}
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
	app, err := terminal.New(s.config, s.world.hardware())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cut, s.ended = cancel, make(chan error, 1)
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
		"host": s.hostDoes, "screen": s.screen, "shown": s.shown, "nvram": s.memory,
		"printed": s.printed, "printer": s.printer, "terminal": s.sent,
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
		rows := make([]map[string]any, 300)
		for i := range rows {
			rows[i] = map[string]any{"stan": fmt.Sprintf("%06d", i+1), "amount": 100}
		}
		raw, err := json.Marshal(rows)
		s.world.nvram.Commit(map[string][]byte{"journal": raw})
		return err
	case "stan":
		s.world.nvram.Commit(map[string][]byte{"stan": []byte(words[1])})
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

// card checks which commands the chip got: "card got 0082".
func (s *script) card(words []string) error {
	s.world.slot.mu.Lock()
	defer s.world.slot.mu.Unlock()
	for _, command := range s.world.slot.sent {
		if strings.HasPrefix(fmt.Sprintf("%X", command), words[1]) {
			return nil
		}
	}
	return errors.New("the chip never got it")
}

func (s *script) hostDoes(words []string) error {
	switch verb, rest := words[0], words[1:]; verb {
	case "accepts", "refuses", "hangs":
		s.world.mu.Lock()
		s.world.dial = strings.TrimSuffix(verb, "s")
		s.world.mu.Unlock()
	case "expects":
		err := s.host.expects(rest)
		s.world.mu.Lock()
		s.dials = s.world.dialled
		s.world.mu.Unlock()
		return err
	case "answers", "trickles":
		pace := time.Duration(0)
		if verb == "trickles" {
			pace, rest = time.Second, rest[1:]
		}
		reply, err := s.host.reply(rest)
		if err != nil {
			return err
		}
		return s.host.send(reply, pace)
	case "sends":
		return s.host.write(unhex(rest[0]))
	case "closes":
		return s.host.conn.Close()
	case "silent": // it read the request and says nothing
	case "hears": // nothing
		s.world.mu.Lock()
		defer s.world.mu.Unlock()
		if s.world.dialled != s.dials {
			return errors.New("the terminal dialled")
		}
	case "sees":
		connected, err := s.host.connected()
		if err == nil && connected != (rest[0] == "connection") {
			err = fmt.Errorf("connected: %v", connected)
		}
		return err
	default:
		return fmt.Errorf("unknown word %q", verb)
	}
	return nil
}

// screen checks what is shown: a prompt, then the data rows.
func (s *script) screen(words []string) error {
	want := s.wording(words[0])
	if len(words) > 1 {
		want += " | " + strings.Join(words[1:], " ")
	}
	if got := s.world.screen(); got != want {
		return fmt.Errorf("the screen is not %s", want)
	}
	return nil
}

func (s *script) wording(prompt string) string {
	lang := s.config.Lang
	if lang == "" {
		lang = "en"
	}
	text, ok := s.config.Profile.Prompt(prompt, lang)
	if !ok {
		return "(no prompt " + prompt + ")"
	}
	return text
}

// shown checks that prompts were seen one after another, up to now: "shown connecting processing".
func (s *script) shown(words []string) error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	seen := s.world.screens
	if len(seen) < len(words) {
		return errors.New("not so many screens")
	}
	for i, word := range words {
		if got := seen[len(seen)-len(words)+i][0]; got != s.wording(word) {
			return fmt.Errorf("screen %d of them was %s", i+1, got)
		}
	}
	return nil
}

// memory checks NVRAM: "nvram pending no|98|06", "nvram journal 1", "nvram batch 2", "nvram stan 3".
func (s *script) memory(words []string) error {
	got := string(s.world.nvram.Get(words[0]))
	switch words[0] {
	case "pending":
		var pending struct{ Reason string }
		raw := s.world.nvram.Get("reversal")
		if len(raw) == 0 {
			got = "no"
		} else if err := json.Unmarshal(raw, &pending); err != nil {
			return err
		} else {
			got = pending.Reason
		}
	case "journal":
		var rows []any
		if len(got) > 0 {
			if err := json.Unmarshal([]byte(got), &rows); err != nil {
				return err
			}
		}
		got = fmt.Sprint(len(rows))
	}
	if got != words[1] {
		return fmt.Errorf("it is %q", got)
	}
	return nil
}

// printed checks the paper since the last check: "printed nothing", "printed TEXT" (a line), "printed no
// TEXT" (anywhere), "printed bytes HEX".
func (s *script) printed(words []string) error {
	s.world.mu.Lock()
	paper := s.world.paper.Bytes()
	s.world.mu.Unlock()
	text, err := simplifiedchinese.GBK.NewDecoder().Bytes(paper)
	if err != nil {
		return err
	}
	want := strings.Join(words, " ")
	switch {
	case want == "nothing":
		if len(paper) > 0 {
			return fmt.Errorf("paper: %q", text)
		}
	case words[0] == "bytes":
		if !strings.Contains(fmt.Sprintf("%X", paper), words[1]) {
			return fmt.Errorf("paper: %X", paper)
		}
	case words[0] == "no":
		if strings.Contains(string(text), words[1]) {
			return fmt.Errorf("paper: %q", text)
		}
	default:
		line := regexp.MustCompile(`(?m)^(\x1b@|\x1dV\x00)*` + regexp.QuoteMeta(want) + `$`)
		if !line.Match(text) {
			return fmt.Errorf("paper: %q", text)
		}
	}
	return nil
}

// printer takes paper in or out: "printer jammed", "printer torn" (what was printed is taken away).
func (s *script) printer(words []string) error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.jammed = words[0] == "jammed"
	s.world.paper.Reset()
	return nil
}

// sent checks a field of the last request against another: "terminal sent 90 0200 000002" (its beginning).
func (s *script) sent(words []string) error {
	var n int
	if _, err := fmt.Sscan(words[1], &n); err != nil {
		return err
	}
	if got, want := s.host.request.Fields[n], strings.Join(words[2:], ""); !strings.HasPrefix(got, want) {
		return fmt.Errorf("field %d is %q", n, got)
	}
	return nil
}
