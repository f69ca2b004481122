package issuer

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// Nothing that leaves the issuer shows a card number, a track, a PIN or an expiry date.
func TestNoCardDataLeaves(t *testing.T) {
	w := &world{t: t, expects: make(map[string]string)}
	var logged bytes.Buffer
	s, err := New(Config{Host: testHost(t), Cards: testCards(), Logger: slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	chip := w.message(parseArgs(strings.Fields("0200 stan=1 48=4761739001010119")))
	broken := packed(t, s, chip)
	conn := dialled(t, s)
	framing := s.codec.Dialect().Framing
	// A bitmap that does not announce the card number: its digits stand in the fields after it.
	shifted := packed(t, s, swipe(t, 3, 100))
	shifted[len("0200")] &^= 4
	for _, m := range []iso8583.Message{chip, swipe(t, 2, 100), w.message(parseArgs(strings.Fields("0400 stan=1")))} {
		exchangeOn(t, s, conn, m)
	}
	for _, payload := range [][]byte{broken[:len(broken)-3], shifted, packed(t, s, echo(9))} {
		if err := framing.WriteFrame(conn, payload); err != nil {
			t.Fatal(err)
		}
	}
	for m := (iso8583.Message{}); m.Fields[11] != "000009"; {
		b, err := framing.ReadFrame(conn)
		if err != nil {
			t.Fatal(err)
		}
		if m, err = s.codec.Unpack(b); err != nil {
			t.Fatal(err)
		}
	}
	events, _, _ := s.events.After(0)
	_ = s.Close() // the log is whole
	text, err := json.Marshal([]any{s.state(), events, logged.String()})
	if err != nil {
		t.Fatal(err)
	}
	out := string(text)
	for _, c := range testCards() {
		for what, secret := range map[string]string{"number": c.PAN, "track": c.PAN[6:] + "=", "PIN": `"` + c.PIN + `"`, "expiry": `"` + c.Expiry + `"`,
			"number in hexadecimal": strings.ToUpper(hex.EncodeToString([]byte(c.PAN)))} {
			if strings.Contains(out, secret) {
				t.Errorf("%s of card %s in %s", what, c.ID, out)
			}
		}
		const much = 9 // digits in a row; less than that is shown of a shifted message's terminal
		for i := 0; i+much <= len(c.PAN); i++ {
			if part := c.PAN[i : i+much]; strings.Contains(out, part) || strings.Contains(out, strings.ToUpper(hex.EncodeToString([]byte(part)))) {
				t.Errorf("%q of card %s in %s", part, c.ID, out)
			}
		}
	}
	if block := chip.Fields[52]; strings.Contains(out, block) || strings.Contains(out, hex.EncodeToString([]byte(block))) {
		t.Error("the PIN block is shown")
	}
	if got := s.state().Charges[0].Card; got != "476173******0119" {
		t.Errorf("card shown as %q", got)
	}
	if v := s.state().Violations; len(v) != 2 || !strings.Contains(v[0]+v[1], "unreadable") || !strings.Contains(logged.String(), "unreadable") {
		t.Errorf("violations %q, logged %s", v, logged.String())
	}
}

// FuzzConversation sends whatever bytes as one message: the issuer keeps its books whole and answers at most once,
// with something that can be read.
func FuzzConversation(f *testing.F) {
	s := newServer(f)
	for _, m := range []iso8583.Message{echo(1), swipe(f, 2, 100), {MTI: "0210", Fields: map[int]string{39: "00"}}} {
		f.Add(packed(f, s, m))
	}
	w := &world{t: nil, expects: make(map[string]string)}
	f.Add(packed(f, s, w.message(parseArgs(strings.Fields("0500 stan=3 count=1")))))
	f.Add([]byte("0200"))
	framing := s.codec.Dialect().Framing
	conn := dialled(f, s)
	f.Fuzz(func(t *testing.T, payload []byte) {
		if framing.WriteFrame(conn, payload) != nil {
			return // too long
		}
		last := packed(t, s, echo(999999))
		if err := framing.WriteFrame(conn, last); err != nil {
			t.Fatal(err)
		}
		for answers := 0; ; answers++ {
			b, err := framing.ReadFrame(conn)
			if err != nil || answers > 1 {
				t.Fatalf("%d answers, %v", answers, err)
			}
			m, err := s.codec.Unpack(b)
			if err != nil {
				t.Fatal(err)
			}
			if m.Fields[11] == "999999" {
				break
			}
		}
		if err := s.book.Check(); err != nil {
			t.Fatal(err)
		}
	})
}
