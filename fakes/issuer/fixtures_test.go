package issuer

import (
	"encoding/hex"
	"net"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/pin"
)

const (
	chipPAN   = "4761739001010119"
	stripePAN = "5413330089020011"
	oldPAN    = "4761739001010010"
)

func testHost() *hosts.Host {
	field := func(typ string, length, digits int, sensitive string) iso8583.Field {
		return iso8583.Field{Name: "test", Type: typ, Length: length, Var: digits, Sensitive: sensitive}
	}
	return &hosts.Host{
		ID:     "iso87-ascii",
		PINKey: []byte("0123456789abcdef"),
		Dialect: iso8583.Dialect{
			Name: "iso87-ascii", Bitmap: "hex", Framing: iso8583.Framing{LengthBytes: 2, MaxLength: 2048},
			Fields: map[int]iso8583.Field{
				2: field("n", 19, 2, "pan"), 3: field("n", 6, 0, ""), 4: field("n", 12, 0, ""), 7: field("n", 10, 0, ""),
				11: field("n", 6, 0, ""), 12: field("n", 6, 0, ""), 13: field("n", 4, 0, ""), 14: field("n", 4, 0, "pan"),
				22: field("n", 3, 0, ""), 23: field("n", 3, 0, ""), 25: field("n", 2, 0, ""), 35: field("z", 37, 2, "track"),
				37: field("an", 12, 0, ""), 38: field("an", 6, 0, ""), 39: field("an", 2, 0, ""), 41: field("ans", 8, 0, ""),
				42: field("ans", 15, 0, ""), 48: field("ans", 255, 3, ""), 49: field("n", 3, 0, ""), 52: field("b", 8, 0, "pin"),
				55: field("b", 255, 3, "track"), 60: field("ans", 255, 3, ""), 63: field("ans", 255, 3, ""),
				66: field("n", 1, 0, ""), 70: field("n", 3, 0, ""), 76: field("n", 10, 0, ""), 88: field("n", 16, 0, ""),
				90: field("n", 42, 0, ""),
			},
		},
	}
}

// testCards are the accounts: 100.00 behind a chip card, 50.00 behind a stripe card, and a card whose last month
// is January 2000, the month in which a synctest bubble begins.
func testCards() []cards.Card {
	return []cards.Card{
		{ID: "chip", PAN: chipPAN, Expiry: "2812", Service: "201", Discretionary: "12345", PIN: "8642", Balance: 10000,
			Chip: &cards.Chip{Sequence: "01", MasterKey: []byte("fedcba9876543210")}},
		{ID: "stripe", PAN: stripePAN, Expiry: "3012", Service: "101", Discretionary: "67890", PIN: "7531", Balance: 5000},
		{ID: "old", PAN: oldPAN, Expiry: "0001", Service: "101", Discretionary: "0", PIN: "1111", Balance: 5000},
	}
}

func newServer(t testing.TB) *Server {
	t.Helper()
	s, err := New(Config{Host: testHost(), Cards: testCards()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func cardNamed(t testing.TB, id string) cards.Card {
	t.Helper()
	for _, c := range testCards() {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("no card %q", id)
	return cards.Card{}
}

// pinBlock is DE52.
func pinBlock(t testing.TB, number, pan string) string {
	t.Helper()
	block, err := pin.EncodeISO0(number, pan)
	if err != nil {
		t.Fatal(err)
	}
	block, err = pin.Encrypt(testHost().PINKey, block)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ToUpper(hex.EncodeToString(block[:]))
}

// chipField is DE55 of a sale, and what the issuer's cryptogram must be made of.
func chipField(t testing.TB, c cards.Card, amount string) (de55 string, sk []byte, ac [8]byte) {
	t.Helper()
	value := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	l := emv.List{
		{Tag: emv.TagAmount, Value: value(amount)}, {Tag: emv.TagAmountOther, Value: make([]byte, 6)},
		{Tag: emv.TagTerminalCountry, Value: value("0156")}, {Tag: emv.TagTVR, Value: make([]byte, 5)},
		{Tag: emv.TagCurrency, Value: value("0156")}, {Tag: emv.TagDate, Value: value("000102")},
		{Tag: emv.TagType, Value: value("00")}, {Tag: emv.TagUnpredictable, Value: value("11223344")},
		{Tag: emv.TagAIP, Value: value("1800")}, {Tag: emv.TagATC, Value: value("0007")},
		{Tag: emv.TagIAD, Value: value("06010A03A00000")},
	}
	iad, _ := l.Find(emv.TagIAD)
	data, err := emv.CryptogramData(l, iad)
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("no chip, no key!")
	psn := "00"
	if c.Chip != nil {
		key, psn = c.Chip.MasterKey, c.Chip.Sequence
	}
	icc, err := emv.ICCMasterKey(key, c.PAN, psn)
	if err != nil {
		t.Fatal(err)
	}
	if sk, err = emv.SessionKey(icc, [8]byte{0, 7}); err != nil {
		t.Fatal(err)
	}
	if ac, err = emv.Cryptogram(sk, data); err != nil {
		t.Fatal(err)
	}
	l = append(l, emv.TLV{Tag: emv.TagCryptogram, Value: ac[:]})
	return strings.ToUpper(hex.EncodeToString(l.Encode())), sk, ac
}

// pipes is a listener in memory: whoever dials gets the other end of a net.Pipe.
type pipes struct {
	queue chan net.Conn
	ended chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	select {
	case p.queue <- theirs:
	case <-p.ended:
		_ = theirs.Close()
	}
	return ours
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.queue:
		return c, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.ended); return nil }
func (p *pipes) Addr() net.Addr { return nil }
