package record

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/rules"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

const (
	testPAN  = "4111111111111111" // published test numbers
	otherPAN = "5413330089010012"
)

func termsOf(t testing.TB, dialect string) rules.Terms {
	t.Helper()
	h, err := hosts.Load(dialect)
	if err != nil {
		t.Fatal(err)
	}
	codec, err := iso8583.NewCodec(h.Dialect)
	if err != nil {
		t.Fatal(err)
	}
	return rules.Terms{Host: h, Codec: codec, Cards: []cards.Card{{ID: "visa", PAN: testPAN}}}
}

func pack(t testing.TB, terms rules.Terms, m iso8583.Message) []byte {
	t.Helper()
	payload, err := terms.Codec.Pack(m)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// sale is a purchase of the ASCII dialect.
func sale(stan, amount, pan string) iso8583.Message {
	return iso8583.Message{MTI: "0200", Fields: map[int]string{
		2: pan, 3: "000000", 4: amount, 7: "0101120000", 11: stan, 12: "120000", 13: "0101", 14: "3012", 22: "021", 25: "00",
		35: pan + "=30122010000000000000", 41: "TERM0001", 42: "MERCHANT0000001", 49: "156",
	}}
}

// answerTo is what the other host answers: an approval up to 2000, with fields that our bank would
// not send, and a card number that must not be written down.
func answerTo(m iso8583.Message, turn int) iso8583.Message {
	code := "00"
	if m.Fields[4] > "000000002000" {
		code = "51"
	}
	out := iso8583.Message{MTI: m.MTI[:2] + string(m.MTI[2]+1) + m.MTI[3:], Fields: map[int]string{
		11: m.Fields[11], 39: code, 41: m.Fields[41], 37: strings.Repeat("0", 11) + string(rune('1'+turn)), 63: "HELLO",
	}}
	for _, n := range []int{2, 3, 4, 70} {
		if v, has := m.Fields[n]; has {
			out.Fields[n] = v
		}
	}
	if code == "00" && m.MTI == "0200" {
		out.Fields[38] = "A1B2C3"
		out.Fields[55] = "910A0102030405060708303071049F180111"
	}
	return out
}

// host answers every frame in its own way; a request of 666 is not answered.
func host(t *testing.T, terms rules.Terms, conn net.Conn) {
	framing := terms.Codec.Dialect().Framing
	for turn := 0; ; turn++ {
		payload, err := framing.ReadFrame(conn)
		if err != nil {
			return
		}
		m, err := terms.Codec.Unpack(payload)
		if err != nil {
			_ = framing.WriteFrame(conn, payload) // nonsense comes back as it is
			continue
		}
		if m.Fields[4] == "000000000666" {
			continue
		}
		if m.Fields[4] == "000000000300" {
			<-time.After(3 * time.Second)
		}
		if err := framing.WriteFrame(conn, pack(t, terms, answerTo(m, turn))); err != nil {
			return
		}
	}
}

// proxied runs a terminal's side against the host through a Proxy and gives its result.
func proxied(t *testing.T, terms rules.Terms, on func(Exchange), terminal func(net.Conn)) error {
	t.Helper()
	near, ours := net.Pipe()
	theirs, far := net.Pipe()
	go host(t, terms, far)
	done := make(chan error, 1)
	go func() {
		done <- Proxy(t.Context(), ours, func(context.Context) (net.Conn, error) { return theirs, nil }, terms.Codec, on)
		_ = far.Close()
	}()
	terminal(near)
	_ = near.Close()
	return <-done
}

// conversation is what the terminal says in the tests of replay.
func conversation() []iso8583.Message {
	return []iso8583.Message{
		{MTI: "0800", Fields: map[int]string{7: "0101115900", 11: "000001", 41: "TERM0001", 42: "MERCHANT0000001", 70: "001"}},
		sale("000002", "000000001250", testPAN),
		sale("000003", "000000002500", testPAN),
		sale("000004", "000000001250", testPAN), // as the first: a second answer of the same rule
		sale("000005", "000000001250", otherPAN),
		sale("000006", "000000000300", testPAN),
	}
}

// What was recorded is answered again, byte for byte, by the rules alone.
func TestReplayIsByteForByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		terms := termsOf(t, "iso87-ascii")
		recorder := NewRecorder(terms)
		var answers [][]byte
		err := proxied(t, terms, recorder.Add, func(conn net.Conn) {
			for _, m := range conversation() {
				if err := terms.Codec.Dialect().Framing.WriteFrame(conn, pack(t, terms, m)); err != nil {
					t.Fatal(err)
				}
				answer, err := terms.Codec.Dialect().Framing.ReadFrame(conn)
				if err != nil {
					t.Fatal(err)
				}
				answers = append(answers, answer)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		file, err := recorder.File()
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{testPAN, otherPAN, "30122010000000000000", testPAN[4:12], hex.EncodeToString([]byte(testPAN))} {
			if strings.Contains(string(file), secret) {
				t.Errorf("the file has card data:\n%s", file)
			}
		}
		set, err := rules.Parse("recorded.yaml", file, terms)
		if err != nil {
			t.Fatal(err)
		}
		engine := rules.NewEngine(set)
		for i, m := range conversation() {
			d := engine.Next(rules.View{Message: m, Operation: terms.Host.Operation(terms.Codec, m)})
			// The bank's own refusal: other fields, which the rule takes out.
			bank := iso8583.Message{MTI: terms.Host.Operation(terms.Codec, m).Reply, Fields: map[int]string{39: d.Code, 37: "000000000099", 12: "235959"}}
			plan, err := d.Plan(terms.Codec, bank, terms.Codec.Pack)
			if err != nil || d.Unexpected {
				t.Fatalf("%d: %+v, %v\n%s", i, d, err, file)
			}
			if string(plan.Payload) != string(answers[i]) {
				t.Errorf("%d: %s\nwant %s\n%s", i, terms.Codec.MaskPayload(plan.Payload), terms.Codec.MaskPayload(answers[i]), file)
			}
			if late := d.Answer.Late; (m.Fields[4] == "000000000300") != (late == 3*time.Second) {
				t.Errorf("%d: late %v", i, late)
			}
		}
	})
}

// Every exchange is told with its time; what was never answered comes at the end.
func TestExchanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		terms := termsOf(t, "iso87-ascii")
		framing := terms.Codec.Dialect().Framing
		var all []Exchange
		err := proxied(t, terms, func(x Exchange) { all = append(all, x) }, func(conn net.Conn) {
			for _, payload := range [][]byte{pack(t, terms, sale("000001", "000000000666", testPAN)), []byte("nonsense"), pack(t, terms, sale("000002", "000000000300", testPAN))} {
				if err := framing.WriteFrame(conn, payload); err != nil {
					t.Fatal(err)
				}
			}
			nonsense, err := framing.ReadFrame(conn)
			if err != nil || string(nonsense) != "nonsense" {
				t.Errorf("%q, %v", nonsense, err)
			}
			if _, err := framing.ReadFrame(conn); err != nil {
				t.Error(err)
			}
		})
		if err != nil || len(all) != 2 {
			t.Fatalf("%d exchanges, %v", len(all), err)
		}
		if x := all[0]; x.Request.Fields[11] != "000002" || x.Reply.MTI != "0210" || x.After != 3*time.Second {
			t.Errorf("%v %v %v", x.Request.Fields[11], x.Reply.MTI, x.After)
		}
		if x := all[1]; x.Request.Fields[11] != "000001" || x.Reply.MTI != "" {
			t.Errorf("%v %v", x.Request.Fields[11], x.Reply.MTI)
		}
	})
}

func TestNeverAnswered(t *testing.T) {
	terms := termsOf(t, "iso87-ascii")
	r := NewRecorder(terms)
	r.Add(Exchange{Request: sale("000001", "000000000666", testPAN)})
	if s := r.Setup(); len(s.Rules) != 1 || !s.Rules[0].Answers[0].Never {
		t.Errorf("%+v", s)
	}
}

// What cannot be written down is counted, and said in the file.
func TestSkipped(t *testing.T) {
	terms := termsOf(t, "iso87-ascii")
	r := NewRecorder(terms)
	r.Add(Exchange{Reply: iso8583.Message{MTI: "0800"}})
	r.Add(Exchange{Request: iso8583.Message{MTI: "0900"}})
	request := sale("000001", "000000000001", testPAN)
	reply := answerTo(request, 0)
	reply.Fields[35] = otherPAN + "=3012"          // a track that the request did not have
	reply.Fields[48] = "for " + testPAN            // a card number in a free field
	reply.Fields[55] = "5A08" + testPAN + "910101" // and in chip data
	r.Add(Exchange{Request: request, Reply: reply})
	reply = answerTo(request, 0)
	reply.Fields[55] = "9F1008" + testPAN // an innocent tag with the card's number
	r.Add(Exchange{Request: request, Reply: reply})
	want := []string{
		"1 × fields with a card number inside: 48", "1 × fields with card data or keys: 35", "2 × fields with card data or keys: 55",
		"1 × messages of the host that answer nothing", "1 × requests that the dialect has no operation for",
	}
	if got := r.Skipped(); !reflect.DeepEqual(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	file, err := r.File()
	if err != nil || !strings.Contains(string(file), "# Not recorded: "+want[0]) || strings.Contains(string(file), testPAN) {
		t.Errorf("%v\n%s", err, file)
	}
}

// A downloaded key is not written down; the header's digits are.
func TestKeysAndHeader(t *testing.T) {
	terms := termsOf(t, "unionpay-bcd")
	request := iso8583.Message{Header: "60000300006031003100" + "00", MTI: "0800", Fields: map[int]string{11: "000001", 41: "TERM0001", 42: "MERCHANT0000001", 60: "00000001003"}}
	header, err := terms.Codec.SetHeaderPart(terms.Codec.ReplyHeader(request.Header), "processing-request", "3")
	if err != nil {
		t.Fatal(err)
	}
	const key = "00112233445566778899AABBCCDDEEFF"
	reply := iso8583.Message{Header: header, MTI: "0810", Fields: map[int]string{11: "000001", 39: "00", 41: "TERM0001", 62: key, 64: "0011223344556677"}}
	r := NewRecorder(terms)
	r.Add(Exchange{Request: request, Reply: reply})
	a := r.Setup().Rules[0].Answers[0]
	if a.Set["header.processing-request"] != "3" || a.Set["64"] != "" {
		t.Errorf("%+v", a)
	}
	if file, err := r.File(); err != nil || strings.Contains(string(file), key[:16]) {
		t.Errorf("%v\n%s", err, file)
	}
}

// Rules for a known card stand before those that could match it too.
func TestOrderOfRules(t *testing.T) {
	terms := termsOf(t, "iso87-ascii")
	r := NewRecorder(terms)
	anonymous := sale("000001", "000000000001", otherPAN)
	delete(anonymous.Fields, 2)
	delete(anonymous.Fields, 35)
	for _, m := range []iso8583.Message{anonymous, sale("000002", "000000000001", otherPAN), sale("000003", "000000000001", testPAN)} {
		r.Add(Exchange{Request: m, Reply: answerTo(m, 0)})
	}
	s := r.Setup()
	if len(s.Rules) != 3 || s.Rules[0].Match.Card != "visa" || s.Rules[1].Match.Fields["2"] != "541333*" || s.Rules[2].Match.Fields["2"] != "" {
		t.Errorf("%+v", s)
	}
	if _, err := r.File(); err != nil {
		t.Error(err)
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		reply, request, stan string
		want                 bool
	}{
		{"0210", "0200", "000001", true}, {"0210", "0201", "000001", true}, {"0410", "0401", "000001", true},
		{"0210", "0200", "000002", false}, {"0410", "0200", "000001", false}, {"0200", "0200", "000001", false}, {"0810", "0800", "", true},
	} {
		reply := iso8583.Message{MTI: c.reply, Fields: map[int]string{}}
		if c.stan != "" {
			reply.Fields[11] = c.stan
		}
		if got := answers(reply, iso8583.Message{MTI: c.request, Fields: map[int]string{11: "000001"}}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestPendingIsBounded(t *testing.T) {
	terms := termsOf(t, "iso87-ascii")
	told := 0
	p := &passage{codec: terms.Codec, on: func(x Exchange) { told++ }}
	for range MaxPending + 3 {
		p.asked(pack(t, terms, sale("000001", "000000000001", testPAN)))
	}
	if len(p.pending) != MaxPending || told != 3 {
		t.Errorf("%d pending, %d told", len(p.pending), told)
	}
}

func TestHostThatCannotBeReached(t *testing.T) {
	near, ours := net.Pipe()
	refused := errors.New("refused")
	terms := termsOf(t, "iso87-ascii")
	err := Proxy(t.Context(), ours, func(context.Context) (net.Conn, error) { return nil, refused }, terms.Codec, func(Exchange) {})
	if !errors.Is(err, refused) {
		t.Error(err)
	}
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the terminal is left alone: %v", err)
	}
}

// A side that says nothing is not waited for longer than the limit, and the end of ctx ends both.
func TestProxyEnds(t *testing.T) {
	for _, idle := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			terms := termsOf(t, "iso87-ascii")
			near, ours := net.Pipe()
			theirs, far := net.Pipe()
			defer near.Close()
			defer far.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if !idle {
				time.AfterFunc(time.Minute, cancel)
			}
			began := time.Now()
			err := Proxy(ctx, ours, func(context.Context) (net.Conn, error) { return theirs, nil }, terms.Codec, func(Exchange) {})
			if took := time.Since(began); idle != (took == IdleLimit) || idle == (err == nil) {
				t.Errorf("after %v: %v", took, err)
			}
		})
	}
}
