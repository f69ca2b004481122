package terminal_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/terminal"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// FuzzHostReply sends any bytes as the answer to a purchase, as they are or with a right MAC: never approved unless they are the
// approval of this very sale, and always back to idle.
func FuzzHostReply(f *testing.F) {
	for model := range models {
		n := byte(model)
		f.Add(n, []byte{}, true, false, false)
		f.Add(n, []byte("\x00\x040210"), false, false, true)
		for _, words := range []string{"39=00", "39=51", "39=00 11=000009", "39=00 55=9F", "39=00 55=7106860484160000", "39=10 4=000000000100", ""} {
			f.Add(n, sampleReply(f, n, words), false, true, false)
			f.Add(n, sampleReply(f, n, words), false, true, true)
		}
	}
	f.Fuzz(func(t *testing.T, model byte, answer []byte, hangUp, sealed, chip bool) {
		synctest.Test(t, func(t *testing.T) {
			s := newModel(t, model)
			defer s.finish()
			accounts := newBooks(&s.host)
			asked := make(chan struct{})
			go func() {
				defer close(asked)
				s.untilPurchase(accounts)
			}()
			s.sell(t, chip)
			<-asked
			if sealed {
				answer = s.host.resealed(answer)
			}
			want := s.host.approvesSale(answer)
			_ = s.host.write(answer) // the terminal may have had enough before the end
			if hangUp {
				_ = s.host.conn.Close()
			}
			<-time.After(time.Second)
			approved := len(terminal.PeekMemory(&s.world.nvram).Journal) > 0
			if approved && !want || want && !approved && !chip { // a chip has a say
				t.Fatalf("approved: %v, want %v (%s)", approved, want, s.world.screen())
			}
			s.world.slot.remove()
			go s.world.serve(newBooks(&s.host), func(iso8583.Message) mood { return silent })
			defer close(s.world.accepted)
			<-time.After(longEnough)
			if !s.isIdle() {
				t.Fatalf("not idle: %s", s.world.screen())
			}
		})
	})
}

// sell makes a sale up to the request: with a chip or a stripe, or with a tap where there is a field only.
func (s *script) sell(t *testing.T, chip bool) {
	t.Helper()
	if err := s.powerOn(); err != nil {
		t.Fatal(err)
	}
	<-time.After(5 * time.Second)
	if err := s.press(slices.Concat([]string{"1", "2", "5", "0", "ENTER"}, s.sampleID())); err != nil {
		t.Fatal(err)
	}
	if !s.config.Profile.Has("chip") {
		s.world.field.bring(tapCard())
		<-time.After(time.Second)
		s.world.field.bring()
		return
	}
	err := s.swipe([]string{"101"})
	if chip {
		err = s.insert([]string{"good"})
	}
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	if err := s.press([]string{"8", "6", "4", "2", "ENTER"}); err != nil {
		t.Fatal(err)
	}
}

// untilPurchase answers everything by the books until a purchase comes, which is left to the caller.
func (s *script) untilPurchase(b *books) {
	for conn := range s.world.accepted {
		s.host.conn = conn
		purchase := false
		for b.serveOne(func(m iso8583.Message) mood {
			s.host.answered = s.host.dialect.Operation(s.host.codec, m)
			if purchase = s.host.answered.Name == "purchase"; purchase {
				return silent
			}
			return answers
		}) == nil {
			if purchase {
				return
			}
		}
	}
}

// sampleReply is an answer to the sale of FuzzHostReply, framed.
func sampleReply(f *testing.F, model byte, words string) []byte {
	f.Helper()
	h := &newModel(f, model).host
	h.request = iso8583.Message{MTI: "0200", Fields: map[int]string{
		3: "000000", 4: "000000001250", 11: "000002", 41: "10000001", 42: "898100012340001", 49: "156",
	}}
	if h.dialect.ID == "iso93-binary" {
		h.request.MTI, h.request.Fields[24] = "1200", "200"
		words = strings.ReplaceAll(words, "39=", "39=0")
	} else if h.dialect.ID == "unionpay-bcd" {
		path, err := h.codec.Path("60.type")
		if err == nil {
			err = h.codec.Set(&h.request, path, "22")
		}
		if err != nil {
			f.Fatal(err)
		}
	}
	m, err := h.reply(strings.Fields(words))
	if err != nil {
		f.Fatal(err)
	}
	payload, err := h.seal(m)
	if err != nil {
		f.Fatal(err)
	}
	frame, err := h.codec.Dialect().Framing.AppendFrame(nil, payload)
	if err != nil {
		f.Fatal(err)
	}
	return frame
}

// resealed is a framed answer with a right MAC; what is no message stays as it is.
func (h *scriptedHost) resealed(answer []byte) []byte {
	payload, err := h.codec.Dialect().Framing.ReadFrame(bytes.NewReader(answer))
	if err != nil {
		return answer
	}
	m, err := h.codec.Unpack(payload)
	if err != nil {
		return answer
	}
	if payload, err = h.seal(m); err != nil {
		return answer
	}
	frame, err := h.codec.Dialect().Framing.AppendFrame(nil, payload)
	if err != nil {
		return answer
	}
	return frame
}

// approvesSale says whether bytes begin with the approval of the purchase that was asked for last. It is
// written apart from the terminal's own check.
func (h *scriptedHost) approvesSale(answer []byte) bool {
	payload, err := h.codec.Dialect().Framing.ReadFrame(bytes.NewReader(answer))
	if err != nil {
		return false
	}
	m, err := h.codec.Unpack(payload)
	if err != nil || m.MTI != h.answered.Reply {
		return false
	}
	for _, n := range []int{3, 4, 11, 41, 42} {
		if m.Fields[n] != h.request.Fields[n] {
			return false
		}
	}
	if !slices.Contains([]string{"00", "11", "A2", "A4", "A5", "A6", "000", "001", "003"}, m.Fields[39]) {
		return false
	}
	return h.dialect.Dialect.MAC == nil || h.verifyMAC(payload) == nil
}
