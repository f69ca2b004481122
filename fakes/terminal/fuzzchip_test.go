package terminal_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/terminal/kernel/kerneltest"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// How FuzzChip changes an answer.
const (
	replaced  = iota // by other bytes
	flipped          // some of its bits
	truncated        // it is as long as the other bytes
	inserted         // other bytes are in its middle
	appended         // or before its status
	twists
)

// maxTwisted is more commands than a transaction of the test cards has.
const maxTwisted = 40

// twisted is an answer, changed.
func twisted(right, bits []byte, how uint8) []byte {
	out := bytes.Clone(right)
	body := max(0, len(out)-2)
	switch how % twists {
	case replaced:
		return bits
	case flipped:
		for i := range out {
			if len(bits) > 0 {
				out[i] ^= bits[i%len(bits)]
			}
		}
		return out
	case truncated:
		return out[:min(len(bits), len(out))]
	case inserted:
		body /= 2
	}
	return append(append(bytes.Clone(out[:body]), bits...), out[body:]...)
}

// testCard is one that FuzzChip spoils: with contacts and without, plain or with signatures of its own.
func testCard(kind uint8) *emv.Card {
	a := testApplication([]byte{0xA0, 0, 0, 0, 3, 0x10, 0x10})
	a.Contactless = &emv.Contactless{OnlinePIN: true}
	if kind&1 != 0 {
		a.IssuerAuth = emv.AuthInCryptogram
		a.LowerOffline, a.UpperOffline = 1, 2
	}
	p := emv.Profile{ATR: a.ATR, PSE: kind&2 != 0, PPSE: true, Applications: []emv.Application{a}}
	if kind&4 != 0 {
		p.PIN = "8642"
	}
	card, err := emv.New(p)
	if err != nil {
		panic(err)
	}
	return card
}

// tapCard is a sound card for the field.
func tapCard() *kerneltest.Card { return nearCard(func(right []byte) []byte { return right }) }

func nearCard(twist func([]byte) []byte) *kerneltest.Card {
	field := testCard(0).Field()
	card := kerneltest.New(errGone)
	card.Hook = func(command []byte) ([]byte, bool) { return twist(field.Transmit(command)), true }
	return card
}

// FuzzChip spoils one answer of a card, in the slot or in the field, at any point of the transaction, and again from another on:
// never a crash, always back to idle, and the journal is what the host charged.
func FuzzChip(f *testing.F) {
	for model := range models {
		n := byte(model)
		for _, tap := range []bool{false, true} {
			f.Add(n, tap, uint8(0), []byte{}, uint8(0), uint8(replaced))
			f.Add(n, tap, uint8(1), []byte{0x6F, 0x00, 0x90, 0x00}, uint8(1), uint8(replaced))
			f.Add(n, tap, uint8(2), []byte{0x77, 0x0A, 0x82, 2, 4, 0, 0x94, 4, 8, 1, 1, 0, 0x90, 0x00}, uint8(2), uint8(replaced))
			f.Add(n, tap, uint8(6), []byte{0x70, 0x03, 0x5A, 1, 0x47, 0x90, 0x00}, uint8(3), uint8(replaced))
			f.Add(n, tap, uint8(4), []byte{0x80, 0x0B, 0x80, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0x90, 0x00}, uint8(6), uint8(replaced))
			for nth := uint8(model); nth < 12; nth += uint8(len(models)) { // a model its own
				f.Add(n, tap, nth, []byte{0, 0, 0, 0, 0, 1, 0, 0, 0}, nth, uint8(flipped))
				f.Add(n, tap, nth, []byte{1, 2, 3, 4, 5}, nth, uint8(truncated))
				f.Add(n, tap, nth, []byte{0x9F, 0x27, 1, 0x40}, nth, uint8(inserted))
				f.Add(n, tap, nth, []byte{0x9F, 0x27, 1, 0x40}, nth, uint8(appended))
			}
		}
	}
	f.Fuzz(func(t *testing.T, model byte, tap bool, kind uint8, bits []byte, nth, how uint8) {
		synctest.Test(t, func(t *testing.T) {
			s := newModel(t, model)
			accounts := newBooks(&s.host)
			go s.world.serve(accounts, func(iso8583.Message) mood { return answers })
			defer close(s.world.accepted)
			defer s.finish()
			if err := s.powerOn(); err != nil {
				t.Fatal(err)
			}
			<-time.After(5 * time.Second)
			_ = s.press([]string{"1", "2", "5", "0", "ENTER"})
			_ = s.press(s.sampleID())
			commands := 0
			twist := func(right []byte) []byte {
				if commands++; commands-1 == int(nth%maxTwisted) {
					return twisted(right, bits, how)
				}
				return right
			}
			if tap || !s.config.Profile.Has("chip") {
				s.world.field.bring(nearCard(twist))
				<-time.After(time.Second)
				s.world.field.bring()
			} else {
				s.world.slot.twist = twist
				s.world.slot.insert(testCard(kind), nil)
			}
			synctest.Wait()
			for range 3 { // whoever asks for a PIN gets one
				_ = s.press([]string{"8", "6", "4", "2", "ENTER"})
			}
			<-time.After(10 * time.Second)
			s.world.slot.remove()
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
