package journal

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/rules"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

const testPAN = "4111111111111111" // a published test number

func termsOf(t testing.TB) rules.Terms {
	t.Helper()
	h, err := hosts.Load("iso87-ascii")
	if err != nil {
		t.Fatal(err)
	}
	codec, err := iso8583.NewCodec(h.Dialect)
	if err != nil {
		t.Fatal(err)
	}
	return rules.Terms{Host: h, Codec: codec, Cards: []cards.Card{{ID: "visa", PAN: testPAN}}}
}

// sale is a received purchase.
func sale(t testing.TB, terms rules.Terms, stan int, amount int64) Record {
	t.Helper()
	m := iso8583.Message{MTI: "0200", Fields: map[int]string{
		2: testPAN, 3: "000000", 4: fmt.Sprintf("%012d", amount), 11: fmt.Sprintf("%06d", stan), 22: "021",
		35: testPAN + "=30122010000000000000", 41: "TERM0001", 49: "156",
	}}
	payload, err := terms.Codec.Pack(m)
	if err != nil {
		t.Fatal(err)
	}
	return Record{
		At: time.Unix(1, 0), In: true, Connection: "7", Payload: payload, Message: m,
		Operation: terms.Host.Operation(terms.Codec, m), Card: "visa", Rule: "r", Effect: client.EffectCharged, Reason: "approved",
	}
}

func answer(t testing.TB, terms rules.Terms, stan int, code string) Record {
	t.Helper()
	m := iso8583.Message{MTI: "0210", Fields: map[int]string{11: fmt.Sprintf("%06d", stan), 37: "000000000042", 39: code, 41: "TERM0001"}}
	payload, err := terms.Codec.Pack(m)
	if err != nil {
		t.Fatal(err)
	}
	return Record{Payload: payload, Message: m}
}

// An entry has all that is known, and no card data in any of it.
func TestEntry(t *testing.T) {
	terms := termsOf(t)
	j := New(terms)
	j.Append(sale(t, terms, 7, 1250))
	j.Append(answer(t, terms, 7, "51"))
	got := j.After(0)
	if got.Last != 2 || got.Dropped != 0 || len(got.Entries) != 2 {
		t.Fatalf("%+v", got)
	}
	e := got.Entries[0]
	if e.Seq != 1 || !e.In || e.MTI != "0200" || e.STAN != "000007" || e.Terminal != "TERM0001" || e.Amount != 1250 || e.Connection != "7" ||
		e.Operation != "purchase" || e.Card != "visa" || e.Rule != "r" || e.Effect != "charged" || e.Reason != "approved" || !e.At.Equal(time.Unix(1, 0)) {
		t.Errorf("%+v", e)
	}
	if out := got.Entries[1]; out.In || out.Code != "51" || out.RRN != "000000000042" || out.Operation != "" {
		t.Errorf("%+v", out)
	}
	if e.Fields["2"] != "[pan 16]" || e.Fields["41"] != "TERM0001" || len(e.Raw) != 2*len(sale(t, terms, 7, 1250).Payload) {
		t.Errorf("%+v", e)
	}
	text := fmt.Sprintf("%+v", got)
	for _, secret := range []string{testPAN, fmt.Sprintf("%X", testPAN), testPAN[6:12], fmt.Sprintf("%X", testPAN[:12])} {
		if strings.Contains(text, secret) {
			t.Errorf("the journal shows %q of a card number", secret)
		}
	}
}

// What the caller does to his bytes later does not change the journal.
func TestPayloadIsCopied(t *testing.T) {
	terms := termsOf(t)
	j := New(terms)
	r := sale(t, terms, 7, 1250)
	j.Append(r)
	before := j.After(0).Entries[0].Raw
	clear(r.Payload)
	if j.After(0).Entries[0].Raw != before {
		t.Error("the journal has the caller's bytes")
	}
}

func TestBounds(t *testing.T) {
	terms := termsOf(t)
	t.Run("entries", func(t *testing.T) {
		j := New(terms)
		r := answer(t, terms, 1, "00")
		for range 2*MaxEntries + 10 {
			j.Append(r)
		}
		got := j.After(0)
		if len(got.Entries) != MaxEntries || got.Dropped != MaxEntries+10 || got.Last != 2*MaxEntries+10 {
			t.Errorf("%d entries, %d dropped, last %d", len(got.Entries), got.Dropped, got.Last)
		}
		for i, e := range got.Entries {
			if e.Seq != uint64(MaxEntries+11+i) {
				t.Fatalf("entry %d has Seq %d", i, e.Seq)
			}
		}
	})
	t.Run("bytes", func(t *testing.T) {
		j := New(terms)
		r := answer(t, terms, 1, "00")
		r.Payload = make([]byte, 1<<20)
		const fit = MaxBytes / (2<<20 + costOfEntry)
		for range 100 {
			j.Append(r)
		}
		if j.count > fit+1 || j.bytes > MaxBytes || j.dropped != uint64(100-j.count) {
			t.Errorf("%d entries, %d bytes, %d dropped", j.count, j.bytes, j.dropped)
		}
		r.Payload = nil
		for range MaxEntries + 1 { // around the ring, with what was dropped in the middle
			j.Append(r)
		}
		if got := j.After(0); len(got.Entries) != MaxEntries || got.Entries[MaxEntries-1].Seq != got.Last {
			t.Errorf("%d entries up to %d", len(got.Entries), got.Last)
		}
	})
}

func TestAfterAndReset(t *testing.T) {
	terms := termsOf(t)
	j := New(terms)
	for i := range 5 {
		j.Append(answer(t, terms, i, "00"))
	}
	if got := j.After(3); len(got.Entries) != 2 || got.Entries[0].Seq != 4 || got.Last != 5 {
		t.Errorf("%+v", got)
	}
	if got := j.After(5); got.Entries == nil || len(got.Entries) != 0 {
		t.Errorf("%+v", got)
	}
	j.Reset()
	if got := j.After(0); len(got.Entries) != 0 || got.Last != 5 {
		t.Errorf("%+v", got)
	}
	if seq := j.Append(answer(t, terms, 9, "00")); seq != 6 || j.After(5).Entries[0].Seq != 6 {
		t.Errorf("after a reset: %d", seq)
	}
}

func number(n int) *int { return &n }

func TestVerify(t *testing.T) {
	terms := termsOf(t)
	j := New(terms)
	j.Append(sale(t, terms, 1, 100))
	j.Append(answer(t, terms, 1, "00"))
	j.Append(sale(t, terms, 2, 200))
	j.Append(answer(t, terms, 2, "51"))
	least := int64(150)
	for _, c := range []struct {
		name  string
		v     client.Verify
		ok    bool
		count int
		want  string
	}{
		{"exactly", client.Verify{Match: client.Match{Operation: "purchase"}, Exactly: number(2)}, true, 2, "exactly 2 wanted, 2 found"},
		{"too many", client.Verify{Match: client.Match{MTI: "0200"}, Exactly: number(1)}, false, 2, "exactly 1 wanted, 2 found"},
		{"none", client.Verify{Match: client.Match{MTI: "0400"}, Exactly: number(0)}, true, 0, "exactly 0 wanted"},
		{"at least", client.Verify{Match: client.Match{Amount: &client.Amount{Min: least}}, AtLeast: number(1)}, true, 1, "at least 1"},
		{"at most", client.Verify{Match: client.Match{Card: "visa"}, AtMost: number(1)}, false, 2, "at most 1 wanted, 2 found"},
		{"between", client.Verify{Match: client.Match{Card: "visa"}, AtLeast: number(1), AtMost: number(2)}, true, 2, "1 to 2 wanted"},
		{"after", client.Verify{Match: client.Match{Card: "visa"}, After: 1, Exactly: number(1)}, true, 1, ""},
		{"sent", client.Verify{Match: client.Match{MTI: "0210"}, Sent: true, Code: "5?", Exactly: number(1)}, true, 1, ""},
		{"sent by anything", client.Verify{Sent: true, Exactly: number(2)}, true, 2, ""},
		{"words", client.Verify{Rule: "r", Effect: "charged", Reason: "appr*", Exactly: number(2)}, true, 2, ""},
		{"nearest miss", client.Verify{Match: client.Match{Operation: "purchase", Fields: map[string]string{"11": "000002", "22": "051", "35": "absent"}}, AtLeast: number(1)}, false, 0,
			"at least 1 wanted, 0 found; the nearest miss is entry 3 (0200 STAN 000002): field 22: want 051, got 021; field 35: want absent, got [track 37]"},
		{"the latest of equals", client.Verify{Match: client.Match{Operation: "refund"}, Exactly: number(1)}, false, 0, "entry 3 (0200 STAN 000002): operation: want refund, got purchase"},
		{"word that misses", client.Verify{Match: client.Match{Amount: &client.Amount{Min: least}}, Effect: "reversed", AtLeast: number(1)}, false, 0, "entry 3 (0200 STAN 000002): effect: want reversed, got charged"},
		{"nothing to compare", client.Verify{After: 4, AtLeast: number(1)}, false, 0, "no message to compare with"},
	} {
		got, err := j.Verify(c.v)
		if err != nil || got.OK != c.ok || got.Count != c.count || !strings.Contains(got.Text, c.want) || len(got.Seqs) != c.count {
			t.Errorf("%s: %+v, %v; want %v, %d, %q", c.name, got, err, c.ok, c.count, c.want)
		}
		if strings.Contains(fmt.Sprintf("%+v", got), testPAN) {
			t.Errorf("%s: the verdict shows a card number", c.name)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	j := New(termsOf(t))
	for _, c := range []struct {
		v    client.Verify
		want string
	}{
		{client.Verify{}, "say how many"},
		{client.Verify{Exactly: number(1), AtLeast: number(1)}, "exactly excludes"},
		{client.Verify{AtLeast: number(2), AtMost: number(1)}, "cannot be"},
		{client.Verify{AtMost: number(-1)}, "cannot be"},
		{client.Verify{AtLeast: number(-1)}, "cannot be"},
		{client.Verify{AtLeast: number(1), Match: client.Match{Nth: 1}}, "occurrences are for rules"},
		{client.Verify{AtLeast: number(1), Match: client.Match{Operation: "purchas"}}, `did you mean "purchase"?`},
		{client.Verify{AtLeast: number(1), Match: client.Match{MTI: "0210"}}, "no such request"},
		{client.Verify{AtLeast: number(1), Match: client.Match{Fields: map[string]string{"2": testPAN}}}, "sensitive"},
		{client.Verify{AtLeast: number(1), Code: "*1"}, `code: "*" stands`},
	} {
		if _, err := j.Verify(c.v); !errors.Is(err, ErrVerify) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), testPAN) {
			t.Errorf("%+v: %v, want %q", c.v, err, c.want)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	const each = 200
	terms := termsOf(t)
	j := New(terms)
	r := sale(t, terms, 1, 1)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range each {
				j.Append(r)
				if i%50 == 0 {
					j.After(0)
				}
			}
		})
	}
	all.Wait()
	if got := j.After(0); len(got.Entries) != 4*each {
		t.Errorf("%d entries", len(got.Entries))
	}
}

// BenchmarkAppend is the hot path: one record while the journal is full. Masking is done when it is read.
func BenchmarkAppend(b *testing.B) {
	terms := termsOf(b)
	j := New(terms)
	r := sale(b, terms, 1, 1)
	for range MaxEntries {
		j.Append(r)
	}
	b.ReportAllocs()
	for b.Loop() {
		j.Append(r)
	}
}

// BenchmarkRead is a full journal read and masked, per entry.
func BenchmarkRead(b *testing.B) {
	terms := termsOf(b)
	j := New(terms)
	r := sale(b, terms, 1, 1)
	for range MaxEntries {
		j.Append(r)
	}
	for b.Loop() {
		j.After(0)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/MaxEntries, "ns/entry")
}

// The MAC of an answer is the one on the wire, not what stood in its place before it was packed.
func TestEntryHasTheMACOnTheWire(t *testing.T) {
	h, err := hosts.Load("iso93-binary")
	if err != nil {
		t.Fatal(err)
	}
	codec, err := iso8583.NewCodec(h.Dialect)
	if err != nil {
		t.Fatal(err)
	}
	m := iso8583.Message{MTI: "1210", Fields: map[int]string{11: "000001", 39: "000", 41: "TERM0001", 64: "0000000000000000"}}
	payload, err := codec.Seal(m, func([]byte) ([]byte, error) { return []byte("\x01\x02\x03\x04\x05\x06\x07\xAB"), nil })
	if err != nil {
		t.Fatal(err)
	}
	j := New(rules.Terms{Host: h, Codec: codec})
	j.Append(Record{Payload: payload, Message: m})
	j.Append(Record{Payload: payload[:9], Message: m}) // which nobody can read
	list := j.After(0).Entries
	if got := list[0].Fields["64"]; got != "01020304050607AB" || m.Fields[64] != "0000000000000000" {
		t.Errorf("%q, and the record has %q", got, m.Fields[64])
	}
	if got := list[1].Fields["64"]; got != "0000000000000000" {
		t.Errorf("of a spoilt message: %q", got)
	}
}
