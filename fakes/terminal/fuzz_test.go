package terminal_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
)

const (
	// longEnough brings any transaction to its end: every timer, every repeat.
	longEnough = time.Hour
	// maxFuzzSteps bounds one fuzzed shift at the till.
	maxFuzzSteps = 300
)

// serve answers one connection by the books until it ends. moods says, message by message, whether
// the host answers, posts and is silent, is silent, or hangs up.
func (w *world) serve(codec *iso8583.Codec, accounts books, moods func() byte) {
	for conn := range w.accepted {
		for {
			payload, err := codec.Dialect().Framing.ReadFrame(conn)
			if err != nil {
				break
			}
			request, err := codec.Unpack(payload)
			if err != nil {
				panic(err)
			}
			mood := moods()
			if request.MTI == "0500" {
				mood = 0 // a settlement whose answer is lost is the host's to sort out
			}
			if mood%4 == 3 {
				_ = conn.Close()
				break
			}
			if mood%4 == 2 {
				continue
			}
			reply := accounts.process(request)
			if mood%4 == 1 {
				continue
			}
			if payload, err = codec.Pack(reply); err != nil {
				panic(err)
			}
			if err := codec.Dialect().Framing.WriteFrame(conn, payload); err != nil {
				break
			}
		}
		_ = conn.Close()
	}
}

type fuzzRow struct {
	STAN   string `json:"stan"`
	Amount int64  `json:"amount"`
}

// audit compares the terminal's journal with the host's books: every sale in the journal is
// charged with its amount, and every charge is in the journal or waits for its reversal.
func audit(w *world, accounts books) error {
	var rows []fuzzRow
	if raw := w.nvram.Get("journal"); len(raw) > 0 {
		if err := json.Unmarshal(raw, &rows); err != nil {
			return err
		}
	}
	known := map[string]bool{}
	for _, row := range rows {
		if accounts[row.STAN] != fmt.Sprintf("%012d", row.Amount) || known[row.STAN] {
			return fmt.Errorf("journal row %+v, charged %q", row, accounts[row.STAN])
		}
		known[row.STAN] = true
	}
	var pending struct{ Fields map[int]string }
	if raw := w.nvram.Get("reversal"); len(raw) > 0 {
		if err := json.Unmarshal(raw, &pending); err != nil {
			return err
		}
		if known[pending.Fields[11]] {
			return fmt.Errorf("sale %s is approved and to be reversed", pending.Fields[11])
		}
		known[pending.Fields[11]] = true
	}
	for stan := range accounts {
		if !known[stan] {
			return fmt.Errorf("sale %s is charged, and the terminal doesn't know", stan)
		}
	}
	return nil
}

// FuzzKeys plays any shift at the till: keys, cards, waits, power cuts, a host in any mood. In
// the end the terminal is idle and no money is lost.
func FuzzKeys(f *testing.F) {
	f.Add([]byte("1E12345Es8642Et"), []byte{0})                                          // a sale
	f.Add([]byte("1E1234Es8642Et7E1234Ei8642E\x01rtF1Et"), []byte{0})                    // two, and a settlement
	f.Add([]byte("5E1234Es8642Etpt1E1234Es8642Et"), []byte{0, 0, 1, 0})                  // lost answer, cut, reversal
	f.Add([]byte("5E1234Es8642Ep\x40X1E1234Es8642E"), []byte{0, 1, 2, 3})                // cut while waiting
	f.Add([]byte("12C3E1*E12345678CX9E1234ErsXF2XFt5E1234Es86C8642Et"), []byte{0, 3, 0}) // slips of the fingers
	f.Fuzz(func(t *testing.T, steps, moods []byte) {
		synctest.Test(t, func(t *testing.T) {
			s := newScript()
			s.config.Profile.CustomerID = &terminals.CustomerID{Charset: "0123456789", Min: 4, Max: 6}
			accounts, at := books{}, 0
			go s.world.serve(s.host.codec, accounts, func() byte {
				at++
				if len(moods) == 0 {
					return 0
				}
				return moods[at%len(moods)]
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
			<-time.After(longEnough)
			if got := s.world.screen(); got != "<idle>" {
				t.Fatalf("not idle: %s", got)
			}
			if err := audit(s.world, accounts); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func (s *script) fuzzStep(step byte) error {
	names := map[byte]string{'E': "ENTER", 'C': "CLEAR", 'X': "CANCEL", 'F': "FUNC", '*': "STAR"}
	switch {
	case step >= '0' && step <= '9':
		return s.press([]string{string(step)})
	case names[step] != "":
		return s.press([]string{names[step]})
	}
	switch step {
	case 's':
		return s.swipe([]string{"101"})
	case 'i':
		return s.insert([]string{"good"})
	case 'r':
		s.world.slot.remove()
	case 't':
		<-time.After(time.Minute)
	case 'p':
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

// FuzzHostReply sends any bytes as the answer to a purchase: never approved unless they are the
// approval of this very sale, and always back to idle.
func FuzzHostReply(f *testing.F) {
	f.Add([]byte{}, true)
	f.Add([]byte("\x00\x040210"), false)
	for _, words := range []string{"39=00", "39=51", "39=00 11=000009", "39=00 55=9F", ""} {
		f.Add(sampleReply(f, words), false)
	}
	f.Fuzz(func(t *testing.T, answer []byte, hangUp bool) {
		synctest.Test(t, func(t *testing.T) {
			s := newScript()
			defer s.finish()
			for _, line := range []string{
				"without pin", "power on", "advance 3s", "host expects 0800", "host answers 39=00",
				"keys 1250 ENTER", "swipe 101", "host expects 0200 11=000002",
			} {
				if err := s.step(strings.Fields(line)); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				synctest.Wait()
			}
			_ = s.host.write(answer) // the terminal may have had enough before the end
			if hangUp {
				_ = s.host.conn.Close()
			}
			synctest.Wait()
			approved := s.world.screen() == "<approved>"
			if want := approvesSale(s.host.codec, answer); approved != want {
				t.Fatalf("approved: %v, want %v", approved, want)
			}
			if rows := s.memory([]string{"journal", map[bool]string{true: "1", false: "0"}[approved]}); rows != nil {
				t.Fatal(rows)
			}
			<-time.After(longEnough)
			if got := s.world.screen(); got != "<idle>" {
				t.Fatalf("not idle: %s", got)
			}
		})
	})
}

// sampleReply is an answer to the sale of FuzzHostReply, framed.
func sampleReply(f *testing.F, words string) []byte {
	f.Helper()
	h := newScript().host
	h.request = iso8583.Message{MTI: "0200", Fields: map[int]string{
		3: "000000", 4: "000000001250", 11: "000002", 41: "10000001", 42: "898100012340001", 49: "156",
	}}
	m, err := h.reply(strings.Fields(words))
	if err != nil {
		f.Fatal(err)
	}
	payload, err := h.codec.Pack(m)
	if err != nil {
		f.Fatal(err)
	}
	frame, err := h.codec.Dialect().Framing.AppendFrame(nil, payload)
	if err != nil {
		f.Fatal(err)
	}
	return frame
}

// approvesSale says whether bytes begin with the approval of the sale of FuzzHostReply. It is
// written apart from the terminal's own check.
func approvesSale(codec *iso8583.Codec, answer []byte) bool {
	if len(answer) < 2 {
		return false
	}
	length := int(answer[0])<<8 | int(answer[1])
	if length > len(answer)-2 || length > codec.Dialect().Framing.MaxLength {
		return false
	}
	m, err := codec.Unpack(answer[2 : 2+length])
	return err == nil && checkMessage(m, strings.Fields(
		"0210 3=000000 4=000000001250 11=000002 39=00 41=10000001 42=898100012340001")) == nil
}

// FuzzChip lets a chip answer with any bytes, a line of them a command: never a crash, always back to
// idle, and nothing in the journal that the host didn't charge.
func FuzzChip(f *testing.F) {
	f.Add([]byte{}, uint8(0))
	f.Add([]byte{0x6F, 0x00, 0x90, 0x00}, uint8(1))
	f.Add([]byte{0x77, 0x0A, 0x82, 2, 4, 0, 0x94, 4, 8, 1, 1, 0, 0x90, 0x00}, uint8(2))
	f.Add([]byte{0x70, 0x03, 0x5A, 1, 0x47, 0x90, 0x00}, uint8(3))
	f.Add([]byte{0x80, 0x0B, 0x80, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0x90, 0x00}, uint8(6))
	f.Fuzz(func(t *testing.T, answer []byte, nth uint8) {
		synctest.Test(t, func(t *testing.T) {
			s := newScript()
			accounts := books{}
			go s.world.serve(s.host.codec, accounts, func() byte { return 0 })
			defer close(s.world.accepted)
			defer s.finish()
			if err := s.powerOn(); err != nil {
				t.Fatal(err)
			}
			<-time.After(3 * time.Second)
			_ = s.press([]string{"1250", "ENTER"})
			s.world.slot.lie(int(nth%10), answer)
			s.world.slot.insert(emv.NewCard(testApplication([]byte{0xA0, 0, 0, 0, 3, 0x10, 0x10})), nil)
			synctest.Wait()
			if s.world.screen() == "<pin>" {
				_ = s.press([]string{"8642", "ENTER"})
			}
			s.world.slot.remove()
			<-time.After(longEnough)
			if got := s.world.screen(); got != "<idle>" {
				t.Fatalf("not idle: %s", got)
			}
			if err := audit(s.world, accounts); err != nil {
				t.Fatal(err)
			}
		})
	})
}
