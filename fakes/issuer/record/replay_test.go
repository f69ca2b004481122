package record

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fakes/issuer/bank"
	"github.com/assay-hil/assay/fakes/issuer/rules"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// stripe is a card without a chip, and so without secrets that a request would have to prove.
var stripe = []cards.Card{{ID: "visa", PAN: testPAN, Expiry: "4912", Service: "201", Discretionary: "0000000000000", PIN: "1234", Balance: 3000}}

// requests is a short conversation of a dialect: an echo, two sales, of which the second is too much,
// and the first once more.
func requests(dialect string) []iso8583.Message {
	track := testPAN + "=49122010000000000000"
	echo := iso8583.Message{MTI: "0800", Fields: map[int]string{7: "0101115900", 11: "000001", 41: "TERM0001", 42: "MERCHANT0000001", 70: "301"}}
	sale := iso8583.Message{MTI: "0200", Fields: map[int]string{
		2: testPAN, 3: "000000", 4: "000000001250", 7: "0101120000", 11: "000002", 12: "120000", 13: "0101", 14: "4912", 22: "022", 25: "00",
		35: track, 41: "TERM0001", 42: "MERCHANT0000001", 49: "156",
	}}
	switch dialect {
	case "unionpay-bcd":
		echo = iso8583.Message{MTI: "0820", Fields: map[int]string{11: "000001", 41: "TERM0001", 42: "MERCHANT0000001", 60: "00000001301"}}
		for _, n := range []int{7, 12, 13, 14} {
			delete(sale.Fields, n)
		}
		sale.Fields[60] = "22000001000"
		sale.Fields[64] = strings.Repeat("0", 16) // a place for the MAC
	case "iso93-binary":
		echo = iso8583.Message{MTI: "1804", Fields: map[int]string{7: "0101115900", 11: "000001", 12: "260101115900", 24: "831", 41: "TERM0001", 42: "MERCHANT0000001"}}
		sale.MTI = "1200"
		sale.Fields[12], sale.Fields[22], sale.Fields[24] = "260101120000", "210101200141", "200"
		delete(sale.Fields, 13)
		delete(sale.Fields, 25)
		sale.Fields[64] = strings.Repeat("0", 16)
	}
	big := iso8583.Message{MTI: sale.MTI, Fields: map[int]string{}}
	for n, v := range sale.Fields {
		big.Fields[n] = v
	}
	big.Fields[4], big.Fields[11] = "000000099999", "000003"
	return []iso8583.Message{echo, sale, big, sale}
}

// newBank makes a bank of one card.
func newBank(t *testing.T, terms rules.Terms) *bank.Bank {
	t.Helper()
	b, err := bank.New(bank.Config{Host: terms.Host, Cards: stripe})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// answerFrom lets a bank answer on a connection, with or without rules.
func answerFrom(t *testing.T, terms rules.Terms, b *bank.Bank, engine *rules.Engine, payload []byte) []byte {
	t.Helper()
	r, err := b.Understand(payload)
	if err != nil {
		t.Fatal(err)
	}
	var d rules.Decision
	result := bank.Result{}
	if engine == nil {
		result = b.Process(r)
	} else {
		d = engine.Next(rules.View{Message: r.Message, Operation: r.Operation})
		if d.Unexpected {
			t.Errorf("%s STAN %s is unexpected", r.Message.MTI, r.Message.Fields[11])
		}
		result = b.Refuse(r, d.Code)
	}
	plan, err := d.Plan(terms.Codec, result.Reply, func(m iso8583.Message) ([]byte, error) { return b.Seal(m, r.Terminal()) })
	if err != nil {
		t.Fatal(err)
	}
	return plan.Payload
}

// A conversation with a real bank, recorded, is answered byte for byte by another bank that
// replays it, MAC included, since both have the same keys. The other bank's books stay empty.
func TestReplayOfABank(t *testing.T) {
	for _, dialect := range []string{"iso87-ascii", "unionpay-bcd", "iso93-binary"} {
		t.Run(dialect, func(t *testing.T) {
			terms := termsOf(t, dialect)
			terms.Cards = stripe
			framing := terms.Codec.Dialect().Framing
			first := newBank(t, terms)
			var sent, answers [][]byte
			for _, m := range requests(dialect) {
				payload, err := first.Seal(m, "TERM0001")
				if err != nil {
					t.Fatal(err)
				}
				sent = append(sent, payload)
			}
			recorder := NewRecorder(terms)
			near, ours := net.Pipe()
			theirs, far := net.Pipe()
			go func() {
				for {
					payload, err := framing.ReadFrame(far)
					if err != nil || framing.WriteFrame(far, answerFrom(t, terms, first, nil, payload)) != nil {
						return
					}
				}
			}()
			done := make(chan error, 1)
			go func() {
				done <- Proxy(t.Context(), ours, func(context.Context) (net.Conn, error) { return theirs, nil }, terms.Codec, recorder.Add)
			}()
			for _, payload := range sent {
				if err := framing.WriteFrame(near, payload); err != nil {
					t.Fatal(err)
				}
				answer, err := framing.ReadFrame(near)
				if err != nil {
					t.Fatal(err)
				}
				answers = append(answers, answer)
			}
			_ = near.Close()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			approved(t, terms, answers)
			file, err := recorder.File()
			if err != nil {
				t.Fatal(err)
			}
			set, err := rules.Parse("recorded.yaml", file, terms)
			if err != nil {
				t.Fatal(err)
			}
			second, engine := newBank(t, terms), rules.NewEngine(set)
			for i, payload := range sent {
				if got := answerFrom(t, terms, second, engine, payload); string(got) != string(answers[i]) {
					t.Errorf("%d: %X\nwant %X\n%s", i, terms.Codec.MaskPayload(got), terms.Codec.MaskPayload(answers[i]), file)
				}
			}
			if state := second.State(); len(state.Charges) != 0 {
				t.Errorf("the replay has posted: %+v", state.Charges)
			}
		})
	}
}

// approved checks that the conversation was worth recording: the first sale went well, the second did not.
func approved(t *testing.T, terms rules.Terms, answers [][]byte) {
	t.Helper()
	var codes []string
	for _, payload := range answers {
		m, err := terms.Codec.Unpack(payload)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, m.Fields[39])
	}
	if good := terms.Host.Codes["approved"]; codes[1] != good || codes[2] == good || codes[3] != good {
		t.Fatalf("codes %v", codes)
	}
}
