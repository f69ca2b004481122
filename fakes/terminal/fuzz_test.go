package terminal_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/iso8583"
)

const (
	// longEnough brings any transaction to its end: every timer, every repeat.
	longEnough = time.Hour
	// maxFuzzSteps bounds one fuzzed shift at the till.
	maxFuzzSteps = 300
)

// mood is what the host by the books does with a request.
type mood byte

const (
	answers      mood = iota
	postsSilent       // it does as it is told and says nothing
	silent            // it never got it
	hangsUp           // so, and the connection ends
	declines          // it refuses
	moods             // how many there are
	differs      = postsSilent
	refusal      = "51"
	refusal1993  = "116"
	fuzzPassword = "1234"
)

// serve answers connections by the books until there are no more.
func (w *world) serve(accounts *books, moodOf func(request iso8583.Message) mood) {
	for conn := range w.accepted {
		accounts.host.conn = conn
		for accounts.serveOne(moodOf) == nil {
		}
		_ = conn.Close()
	}
}

var errHungUp = fmt.Errorf("the host hangs up")

// serveOne answers one request on the connection.
func (b *books) serveOne(moodOf func(iso8583.Message) mood) error {
	h := b.host
	payload, err := h.codec.Dialect().Framing.ReadFrame(h.conn)
	if err != nil {
		return err
	}
	request, err := h.codec.Unpack(payload)
	if err == nil {
		h.request = request
		err = h.verify(payload)
	}
	if err != nil {
		b.wrong = fmt.Errorf("what the terminal sent: %w", err)
		return err
	}
	m := moodOf(request)
	o := h.dialect.Operation(h.codec, unrepeated(request))
	final := o != nil && (o.Name == "settlement" || o.Name == "batch-end") // a lost answer to these is for people to sort out
	switch {
	case final:
	case m == hangsUp:
		return errHungUp
	case m == silent:
		return nil
	case m == declines && o != nil && o.Name != "sign-on":
		return b.refuse()
	}
	reply, err := b.process(request, !final || m != differs)
	if err != nil {
		b.wrong = fmt.Errorf("what the terminal sent: %w", err)
		return err
	}
	if m == postsSilent && !final {
		return nil
	}
	return h.send(reply, 0)
}

// refuse answers with a decline. A reversal or an advice that is refused stays to be told.
func (b *books) refuse() error {
	code := refusal
	if b.host.request.MTI[0] == '1' {
		code = refusal1993
	}
	reply, err := b.host.reply([]string{"39=" + code})
	if err != nil {
		b.wrong = err
		return err
	}
	return b.host.send(reply, 0)
}

// unrepeated is a request with the MTI of its first time.
func unrepeated(m iso8583.Message) iso8583.Message {
	if first, repeat := iso8583.RepeatOf(m.MTI); repeat {
		m.MTI = first
	}
	return m
}

// models are the terminals that are fuzzed: the tests' own, and those of the house.
var models = []string{"", "countertop", "handheld", "unattended"}

// profiles are those of the house, read once.
var profiles = sync.OnceValues(terminals.All)

// newModel is a script on one of the models, with English screens and a short operator password.
func newModel(tb testing.TB, n byte) *script {
	tb.Helper()
	s := newScript()
	name := models[int(n)%len(models)]
	if name == "" {
		p := s.config.Profile
		p.CustomerID = &terminals.CustomerID{Charset: "0123456789", Min: 4, Max: 6}
		p.Capabilities = append(p.Capabilities, "contactless")
		return s
	}
	all, err := profiles()
	if err != nil {
		tb.Fatal(err)
	}
	p := *all[slices.IndexFunc(all, func(p *terminals.Profile) bool { return p.ID == name })]
	if p.OperatorPassword != "" {
		p.OperatorPassword = fuzzPassword
	}
	s.speak(p.Host)
	s.config.Profile, s.config.Lang = &p, "en"
	s.world.nvram.Takes, s.world.nvram.Tears = p.Write, p.TornWrites
	s.idle, _ = p.Prompt("idle", "en")
	return s
}

// sampleID is a customer ID that the model takes, and ENTER; nothing where it asks for none.
func (s *script) sampleID() []string {
	if s.config.Profile.CustomerID == nil {
		return nil
	}
	id := strings.Repeat("1", s.config.Profile.CustomerID.Min)
	return append(strings.Split(id, ""), "ENTER")
}

// isIdle says whether the idle screen is shown.
func (s *script) isIdle() bool { return s.world.screen() == s.idle }

// FuzzKeys plays any shift at the till: keys, cards, waits, power cuts, a host in any mood. In
// the end the terminal is idle and no money is lost.
func FuzzKeys(f *testing.F) {
	for _, seed := range []struct{ steps, moods string }{
		{"1E#s8642Et", "\x00"},                                   // a sale
		{"1E#s8642Et7E#i8642E\x01rtF1Et", "\x00"},                // two, and a settlement
		{"5E#s8642Etpt1E#s8642Et", "\x00\x00\x01\x00"},           // lost answer, cut, reversal
		{"5E#s8642Ep\x40X1E#s8642E", "\x00\x01\x02\x03"},         // cut while waiting
		{"12C3E1*E#CX9E#ErsXF2XFt5E#s86C8642Et", "\x00\x03\x00"}, // slips of the fingers
		{"1E#alt2E#alF1Et", "\x00"},                              // two taps and a settlement
		{"5E#s8642Et\x40F21234E2EEtF1Et", "\x00"},                // a void
		{"5E#s8642Et\x40F31234E2E3EtF1Et", "\x00\x00\x00\x01"},   // a refund that is not answered
		{"F45Es8642Et\x40F52E5EtF1Et", "\x00"},                   // a pre-authorisation and its completion
		{"1E#s8642EtF1Etp\x40t", "\x00\x00\x00\x01\x02"},         // totals that differ, and an upload without answers
		{"1E#i8642Ez", "\x00\x00\x04"},                           // a decline, a cut soon after
		{"3E#s8642Eyt3E#s8642Eyt", "\x00"},                       // a cut within a write
	} {
		for model := range models {
			f.Add(byte(model), []byte(seed.steps), []byte(seed.moods))
		}
	}
	f.Fuzz(func(t *testing.T, model byte, steps, moodsOf []byte) {
		synctest.Test(t, func(t *testing.T) {
			s := newModel(t, model)
			accounts, at := newBooks(&s.host), 0
			go s.world.serve(accounts, func(iso8583.Message) mood {
				at++
				if len(moodsOf) == 0 {
					return answers
				}
				return mood(moodsOf[at%len(moodsOf)]) % moods
			})
			defer close(s.world.accepted)
			defer s.finish()
			if err := s.powerOn(); err != nil {
				t.Fatal(err)
			}
			<-time.After(5 * time.Second) // booted
			for _, step := range steps[:min(len(steps), maxFuzzSteps)] {
				if err := s.fuzzStep(step); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
			s.world.slot.remove()
			s.world.field.bring()
			<-time.After(longEnough)
			if !s.isIdle() {
				t.Fatalf("not idle: %s", s.world.screen())
			}
			if err := audit(s.world, accounts); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// fuzzStep is one thing that happens at the till.
func (s *script) fuzzStep(step byte) error {
	names := map[byte]string{'E': "ENTER", 'C': "CLEAR", 'X': "CANCEL", 'F': "FUNC", '*': "STAR"}
	name := names[step]
	if step >= '0' && step <= '9' {
		name = string(step)
	}
	if _, known := s.config.Profile.Keypad.Keys[name]; known {
		return s.press([]string{name})
	}
	switch step {
	case '#':
		return s.press(s.sampleID())
	case 's':
		return s.swipe([]string{"101"})
	case 'i':
		return s.insert([]string{"good"})
	case 'a':
		s.world.field.bring(tapCard())
	case 'l':
		s.world.field.bring()
	case 'r':
		s.world.slot.remove()
	case 't':
		<-time.After(time.Minute)
	case 'p', 'y', 'z':
		<-time.After(map[byte]time.Duration{'y': 20 * time.Millisecond, 'z': 60 * time.Millisecond}[step])
		if err := s.powerCut(); err != nil {
			return err
		}
		s.hangUp() // the host notices sooner or later; here at once
		return s.powerOn()
	default:
		<-time.After(time.Duration(step) * 100 * time.Millisecond)
	}
	return nil
}
