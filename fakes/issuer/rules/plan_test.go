package rules

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// planned applies an answer to a reply of the ASCII dialect.
func planned(t *testing.T, a client.Answer, m iso8583.Message) (Plan, error) {
	t.Helper()
	terms := termsOf(t, "iso87-ascii")
	return plannedFor(t, terms, a, sale("000000001250"), m, terms.Codec.Pack)
}

func plannedFor(t *testing.T, terms Terms, a client.Answer, request, reply iso8583.Message, seal Seal) (Plan, error) {
	t.Helper()
	set, err := FromSetup(client.Setup{Rules: []client.Rule{{Name: "r", Answer: a}}}, terms)
	if err != nil {
		t.Fatal(err)
	}
	return NewEngine(set).Next(View{Message: request}).Plan(terms.Codec, reply, seal)
}

func reply() iso8583.Message {
	return iso8583.Message{MTI: "0210", Fields: map[int]string{
		3: "000000", 4: "000000001250", 11: "000007", 37: "000000000001", 38: "000001", 39: "00", 41: "TERM0009",
	}}
}

// Mutations change what they name and nothing else, and the answer of the bank itself stays as it is.
func TestMutations(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer client.Answer
		want   map[int]string // "" for a field that is gone
		mti    string
	}{
		{name: "as it is"},
		{name: "stan", answer: client.Answer{Wrong: []string{"stan"}}, want: map[int]string{11: "000008"}},
		{name: "amount", answer: client.Answer{Wrong: []string{"amount"}}, want: map[int]string{4: "000000001251"}},
		{name: "terminal", answer: client.Answer{Wrong: []string{"terminal"}}, want: map[int]string{41: "TERM0000"}},
		{name: "mti", answer: client.Answer{Wrong: []string{"mti"}}, mti: "0410"},
		{name: "two", answer: client.Answer{Wrong: []string{"stan", "amount"}}, want: map[int]string{11: "000008", 4: "000000001251"}},
		{name: "no code", answer: client.Answer{Drop: []string{"39"}}, want: map[int]string{39: ""}},
		{name: "set", answer: client.Answer{Set: map[string]string{"38": "ABCDEF", "mti": "0230"}}, want: map[int]string{38: "ABCDEF"}, mti: "0230"},
		{name: "copy", answer: client.Answer{Copy: []string{"12", "13", "55"}}, want: map[int]string{12: "120000", 13: "0101"}},
		{name: "exact", answer: client.Answer{Exact: true, Copy: []string{"11"}, Set: map[string]string{"37": "000000000009"}},
			want: map[int]string{3: "", 4: "", 37: "000000000009", 38: "", 41: ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			terms, before := termsOf(t, "iso87-ascii"), reply()
			plan, err := planned(t, c.answer, before)
			if err != nil {
				t.Fatal(err)
			}
			want := reply()
			for n, v := range c.want {
				if want.Fields[n] = v; v == "" {
					delete(want.Fields, n)
				}
			}
			if c.mti != "" {
				want.MTI = c.mti
			}
			packed, err := terms.Codec.Pack(want)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(plan.Payload, packed) {
				t.Errorf("%s\nwant %s", plan.Payload, packed)
			}
			if len(before.Fields) != len(reply().Fields) || before.Fields[11] != "000007" {
				t.Error("the bank's own reply was changed")
			}
			frame, _ := terms.Codec.Dialect().Framing.AppendFrame(nil, packed)
			if len(plan.Acts) != 1 || !bytes.Equal(plan.Acts[0].Bytes, frame) {
				t.Errorf("acts %+v", plan.Acts)
			}
		})
	}
}

func TestMutationOfNothing(t *testing.T) {
	m := reply()
	delete(m.Fields, 4)
	plan, err := planned(t, client.Answer{Wrong: []string{"amount"}}, m)
	if !errors.Is(err, ErrNothing) || !strings.Contains(err.Error(), `rule "r" cannot be applied: wrong amount`) || len(plan.Acts) != 0 {
		t.Errorf("%v, %+v", err, plan)
	}
	if _, err := planned(t, client.Answer{Wrong: []string{"arpc"}}, m); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
}

func TestOneMore(t *testing.T) {
	for in, want := range map[string]string{"000007": "000008", "999999": "000000", "9": "0", "A": "0", "00A": "000", "000000001299": "000000001300"} {
		if got := oneMore(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// seal makes a MAC that shows what it was made over.
func sealer(codec *iso8583.Codec) Seal {
	return func(m iso8583.Message) ([]byte, error) {
		return codec.Seal(m, func(data []byte) ([]byte, error) {
			sum := make([]byte, 8)
			for i, b := range data {
				sum[i%8] += b * byte(i)
			}
			return sum, nil
		})
	}
}

// A wrong field has a right MAC; a wrong MAC stands by right fields; a dropped one is not there.
func TestMACIsMadeAfterMutations(t *testing.T) {
	terms := termsOf(t, "unionpay-bcd")
	answer := iso8583.Message{MTI: "0210", Fields: map[int]string{3: "000000", 11: "000007", 39: "00", 41: "TERM0009"}}
	unpack := func(a client.Answer) iso8583.Message {
		plan, err := plannedFor(t, terms, a, iso8583.Message{MTI: "0200"}, answer, sealer(terms.Codec))
		if err != nil {
			t.Fatal(err)
		}
		m, err := terms.Codec.Unpack(plan.Payload)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	right := func(m iso8583.Message) bool {
		again := iso8583.Message{Header: m.Header, MTI: m.MTI, Fields: map[int]string{}}
		for n, v := range m.Fields {
			if n != 64 {
				again.Fields[n] = v
			}
		}
		packed, err := sealer(terms.Codec)(again)
		if err != nil {
			t.Fatal(err)
		}
		want, err := terms.Codec.Unpack(packed)
		return err == nil && want.Fields[64] == m.Fields[64]
	}
	if m := unpack(client.Answer{Wrong: []string{"stan"}}); m.Fields[11] != "000008" || !right(m) {
		t.Errorf("%v", m)
	}
	if m := unpack(client.Answer{Wrong: []string{"mac"}}); m.Fields[11] != "000007" || right(m) {
		t.Errorf("%v", m)
	}
	if m := unpack(client.Answer{Drop: []string{"64"}}); m.Fields[64] != "" {
		t.Errorf("%v", m)
	}
}

func TestWrongARPC(t *testing.T) {
	terms := termsOf(t, "unionpay-bcd")
	answer := iso8583.Message{MTI: "0210", Fields: map[int]string{39: "00", 55: "910A0102030405060708303086010A"}}
	plan, err := plannedFor(t, terms, client.Answer{Wrong: []string{"arpc"}}, iso8583.Message{MTI: "0200"}, answer, terms.Codec.Pack)
	if err != nil || plan.Message.Fields[55] != "910AFE02030405060708303086010A" {
		t.Errorf("%v, %s", err, plan.Message.Fields[55])
	}
}

// A bad bitmap makes a message that nobody can read, in hexadecimal and binary bitmaps.
func TestBadBitmap(t *testing.T) {
	for _, dialect := range []string{"iso87-ascii", "unionpay-bcd", "iso93-binary"} {
		terms := termsOf(t, dialect)
		answer := iso8583.Message{MTI: "0210", Fields: map[int]string{11: "000007", 39: "00"}}
		answer.Fields[39] = terms.Host.Codes["approved"]
		plan, err := plannedFor(t, terms, client.Answer{BadBitmap: true}, iso8583.Message{MTI: "0200"}, answer, terms.Codec.Pack)
		if err != nil {
			t.Fatal(dialect, err)
		}
		clean, err := terms.Codec.Pack(answer)
		if err != nil || len(clean) != len(plan.Payload) || bytes.Equal(clean, plan.Payload) {
			t.Errorf("%s: %v: more than the bitmap was changed, or nothing", dialect, err)
		}
		if _, err := terms.Codec.Unpack(plan.Payload); err == nil {
			t.Errorf("%s: the message can be read", dialect)
		}
	}
}

// A dialect that has all fields leaves only those that a message lacks.
func TestBadBitmapWhereAllFieldsAreKnown(t *testing.T) {
	d := iso8583.Dialect{Name: "full", Framing: iso8583.Framing{LengthBytes: 2, MaxLength: 999}, Bitmap: "hex", Fields: map[int]iso8583.Field{}}
	for n := firstAnnounced; n <= lastAnnounced; n++ {
		d.Fields[n] = iso8583.Field{Name: "x", Type: "n", Length: 2}
	}
	codec, err := iso8583.NewCodec(d)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := codec.Pack(iso8583.Message{MTI: "0210", Fields: map[int]string{39: "00"}})
	if err != nil {
		t.Fatal(err)
	}
	bad, err := badBitmap(codec, payload)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := codec.Unpack(bad); err == nil {
		t.Error("the message can be read")
	}
}

// The ways onto the wire, for a payload "abc".
func TestActs(t *testing.T) {
	framing := iso8583.Framing{LengthBytes: 2, MaxLength: 100}
	const whole = "0003616263"
	for _, c := range []struct {
		name   string
		answer client.Answer
		want   []Act
		frames []string
	}{
		{"plain", client.Answer{}, []Act{{}}, []string{whole}},
		{"late", client.Answer{Late: time.Second}, []Act{{Wait: time.Second}}, []string{whole}},
		{"longer", client.Answer{WrongLength: "+2"}, []Act{{}}, []string{"0005616263"}},
		{"shorter", client.Answer{WrongLength: "-1"}, []Act{{}}, []string{"0002616263"}},
		{"shorter than nothing", client.Answer{WrongLength: "-9"}, []Act{{}}, []string{"0000616263"}},
		{"zero", client.Answer{WrongLength: "zero"}, []Act{{}}, []string{"0000616263"}},
		{"huge", client.Answer{WrongLength: "huge"}, []Act{{}}, []string{"FFFF616263"}},
		{"junk", client.Answer{Junk: "beef"}, []Act{{}}, []string{"BEEF" + whole}},
		{"cut", client.Answer{Truncate: 3, End: "stall"}, []Act{{End: Stall}}, []string{"000361"}},
		{"cut behind the end", client.Answer{Truncate: 99, End: "reset"}, []Act{{End: Reset}}, []string{whole}},
		{"dribbled", client.Answer{Dribble: &client.Dribble{Bytes: 2, Every: time.Second}}, []Act{{Chunk: 2, Gap: time.Second}}, []string{whole}},
		{"copies", client.Answer{Duplicate: 2, Late: time.Second, End: "close"}, []Act{{Wait: time.Second}, {}, {End: Close}}, []string{whole, whole, whole}},
		{"merged copies", client.Answer{Duplicate: 1, Merge: true}, []Act{{}}, []string{whole + whole}},
		{"held back", client.Answer{Merge: true}, []Act{{Hold: true}}, []string{whole}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := answerOf(t, c.answer)
			got := a.acts(framing, []byte("abc"))
			if len(got) != len(c.want) {
				t.Fatalf("%+v", got)
			}
			for i := range got {
				bytes := strings.ToUpper(hex.EncodeToString(got[i].Bytes))
				got[i].Bytes = nil
				if w := c.want[i]; bytes != c.frames[i] || got[i].Wait != w.Wait || got[i].Chunk != w.Chunk || got[i].Gap != w.Gap || got[i].Hold != w.Hold || got[i].End != w.End {
					t.Errorf("act %d: %+v %s, want %+v %s", i, got[i], bytes, w, c.frames[i])
				}
			}
		})
	}
}

func answerOf(t *testing.T, a client.Answer) *answer {
	t.Helper()
	c := &complaints{place: func(keys []string, text string) error { return &Error{strings.Join(keys, "."), text} }}
	out := newAnswer(a, termsOf(t, "iso87-ascii"), c, nil)
	if err := c.err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLengthsOfOtherFramings(t *testing.T) {
	for _, c := range []struct {
		framing iso8583.Framing
		word    string
		want    string
	}{
		{iso8583.Framing{LengthBytes: 4, Encoding: "ascii"}, "huge", "39393939"},
		{iso8583.Framing{LengthBytes: 2, Encoding: "bcd"}, "huge", "9999"},
		{iso8583.Framing{LengthBytes: 4}, "huge", "FFFFFFFF"},
		{iso8583.Framing{LengthBytes: 2, Inclusive: true}, "huge", "FFFF"},
		{iso8583.Framing{LengthBytes: 2, Inclusive: true}, "zero", "0000"},
		{iso8583.Framing{LengthBytes: 2, Inclusive: true}, "-99", "0000"},
		{iso8583.Framing{LengthBytes: 2, Inclusive: true, LittleEndian: true}, "+1", "0600"},
	} {
		a := answerOf(t, client.Answer{WrongLength: c.word})
		if got := strings.ToUpper(hex.EncodeToString(a.frame(c.framing, []byte("abc"))[:c.framing.LengthBytes])); got != c.want {
			t.Errorf("%+v %s: %s, want %s", c.framing, c.word, got, c.want)
		}
	}
}

// Without an answer there are no bytes, and the connection may still come to an end.
func TestSilence(t *testing.T) {
	plan, err := planned(t, client.Answer{Never: true}, reply())
	if err != nil || len(plan.Acts) != 0 || plan.Payload != nil {
		t.Errorf("%+v, %v", plan, err)
	}
	plan, err = planned(t, client.Answer{Never: true, End: "reset", Late: time.Second}, reply())
	if err != nil || len(plan.Acts) != 1 || plan.Acts[0].End != Reset || plan.Acts[0].Wait != time.Second || plan.Acts[0].Bytes != nil {
		t.Errorf("%+v, %v", plan, err)
	}
	if plan, err = planned(t, client.Answer{Late: time.Second}, iso8583.Message{}); err != nil || len(plan.Acts) != 0 {
		t.Errorf("a reply that is none is sent: %+v, %v", plan, err)
	}
}

func TestPlanWithoutRule(t *testing.T) {
	terms := termsOf(t, "iso87-ascii")
	plan, err := Decision{}.Plan(terms.Codec, reply(), terms.Codec.Pack)
	if err != nil || len(plan.Acts) != 1 || len(plan.Payload) == 0 {
		t.Errorf("%+v, %v", plan, err)
	}
	broken := errors.New("no key")
	if _, err := (Decision{}).Plan(terms.Codec, reply(), func(iso8583.Message) ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestUnsolicited(t *testing.T) {
	terms := termsOf(t, "iso87-ascii")
	u := client.Unsolicited{After: time.Second, MTI: "0800", Fields: map[string]string{"70": "301", "11": "000001"}}
	plan, err := Unsolicited(terms.Codec, u, "TERM0001", terms.Codec.Pack)
	if err != nil || plan.Acts[0].Wait != time.Second {
		t.Fatal(plan, err)
	}
	m, err := terms.Codec.Unpack(plan.Payload)
	if err != nil || m.MTI != "0800" || m.Fields[70] != "301" || m.Fields[41] != "TERM0001" {
		t.Errorf("%+v, %v", m, err)
	}
	u.Fields["99x"] = "1"
	var unknown *iso8583.PathError
	if _, err := Unsolicited(terms.Codec, u, "", terms.Codec.Pack); !errors.As(err, &unknown) {
		t.Error(err)
	}
}

// A reason has the code that the dialect gives it for the operation.
func TestReasonByOperation(t *testing.T) {
	terms := termsOf(t, "iso93-binary")
	set, err := FromSetup(client.Setup{Rules: []client.Rule{{Name: "r", Answer: client.Answer{Reason: "approved"}}}}, terms)
	if err != nil {
		t.Fatal(err)
	}
	var reversal *hosts.Operation
	for i := range terms.Host.Operations {
		if terms.Host.Operations[i].Name == "reversal" {
			reversal = &terms.Host.Operations[i]
		}
	}
	e := NewEngine(set)
	if with, without := e.Next(View{Operation: reversal}).Code, e.Next(View{}).Code; with != "400" || without != "000" {
		t.Errorf("%s and %s", with, without)
	}
}

func TestDifferences(t *testing.T) {
	terms := termsOf(t, "iso87-ascii")
	m := sale("000000001250")
	m.Fields[48] = "4111111111111111"
	m.Fields[55] = "5A0841111111111111119F3602003A" + "9F1F" + "084111111111111111" + "DF0108" + "4111111111111111"
	match := client.Match{
		MTI: "0400", Operation: "reversal", Card: "mastercard", Terminal: "TERM0002", Amount: amount(5, 9),
		Fields: map[string]string{"22": "05?", "2": "54*", "48": "x", "55.9F36": "0001", "55.5A": "absent", "55.DF01": "absent", "60": "present"},
	}
	x, err := NewMatcher(match, terms)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, d := range x.Differences(View{Message: m, Operation: terms.Host.Operation(terms.Codec, m), Card: "visa"}) {
		lines = append(lines, d.What+": "+d.Want+", "+d.Got)
	}
	want := []string{
		"mti: 0400, 0200", "operation: reversal, purchase", "card: mastercard, visa", "terminal: TERM0002, TERM0001",
		"amount: 5 to 9, 000000001250", "field 2: 54*, [pan 16]", "field 22: 05?, 021", "field 48: x, [pan inside 16]",
		"field 55.5A: absent, [8 bytes]", "field 55.9F36: 0001, 003A", "field 55.DF01: absent, [8 bytes]", "field 60: present, nothing",
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if all := (&Matcher{codec: terms.Codec}).Differences(View{Message: m}); len(all) != 0 {
		t.Errorf("no conditions, but %v", all)
	}
}

func TestOpenData(t *testing.T) {
	for value, want := range map[string]bool{
		"": true, "910A01020304050607083030": true, "9F360200018A023030": true,
		"7209860784160000021234": true, // an issuer script
		"5A084111111111111111":   false, "57084111111111111111": false, "70045A024111": false, "5F2003414243": false,
		"91": false, "XY": false,
	} {
		if got := OpenData(value); got != want {
			t.Errorf("%s: %v", value, got)
		}
	}
}
