package issuer

import (
	"encoding/hex"
	"net"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/memnet"
	"github.com/assay-hil/assay/protocol/pin"
)

const (
	chipPAN   = "4761739001010119"
	stripePAN = "5413330089020011"
	oldPAN    = "4761739001010010"
)

func testHost(t testing.TB) *hosts.Host {
	t.Helper()
	h, err := hosts.Load("iso87-ascii")
	if err != nil {
		t.Fatal(err)
	}
	return h
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
	s, err := New(Config{Host: testHost(t), Cards: testCards()})
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
	block, err = pin.Encrypt(testHost(t).PINKey, block)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ToUpper(hex.EncodeToString(block[:]))
}

// chipField is DE55 of a sale, and what the issuer's cryptogram must be made of.
func chipField(t testing.TB, c cards.Card, amount string) (de55 string, sk []byte, ac [8]byte) {
	t.Helper()
	if c.Chip == nil { // a stripe card in a chip reader: the cryptogram can only be wrong
		c.Chip = &cards.Chip{Sequence: "00", MasterKey: []byte("no chip, no key!")}
	}
	value := func(tag uint32, s string) emv.TLV {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return emv.TLV{Tag: tag, Value: b}
	}
	l := emv.List{ // 147 bytes with the cryptogram
		value(emv.TagAmount, amount), value(emv.TagAmountOther, "000000000000"), value(emv.TagTerminalCountry, "0156"),
		value(emv.TagTVR, "0000040000"), value(emv.TagCurrency, "0156"), value(emv.TagDate, "000102"), value(emv.TagType, "00"),
		value(emv.TagUnpredictable, "11223344"), value(emv.TagAIP, "1800"), value(emv.TagATC, "0007"), value(emv.TagIAD, testIAD),
		value(emv.TagCID, "80"), value(emv.TagCapabilities, "E0F8C8"), value(emv.TagCVMResults, "420300"),
		value(emv.TagTerminalType, "22"), value(0x9F1E, "3132333435363738"), value(emv.TagDFName, "A0000000031010"),
		value(0x9F09, "0096"), value(0x9F41, "00000001"), value(emv.TagSequence, c.Chip.Sequence), value(emv.TagLabel, "564953412054455354"),
	}
	iad, _ := l.Find(emv.TagIAD)
	data, err := testScheme.Data(l, iad)
	if err != nil {
		t.Fatal(err)
	}
	key, err := testScheme.CardKey(c.Chip.MasterKey, c.PAN, c.Chip.Sequence)
	if err != nil {
		t.Fatal(err)
	}
	if sk, err = testScheme.SessionKey(key, [2]byte{0, 7}); err != nil {
		t.Fatal(err)
	}
	if ac, err = testScheme.Cryptogram(sk, data); err != nil {
		t.Fatal(err)
	}
	l = append(l, emv.TLV{Tag: emv.TagCryptogram, Value: ac[:]})
	return strings.ToUpper(hex.EncodeToString(l.Encode())), sk, ac
}

// testIAD names the scheme of the test cards, testScheme.
const testIAD = "06011203A00000"

var testScheme = emv.Scheme{CVN: emv.CVN18}

// pipes is a listener in memory: whoever dials gets the other end of a wire.
type pipes struct {
	queue chan net.Conn
	ended chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) dial() net.Conn {
	ours, theirs := memnet.Pipe()
	return p.give(ours, theirs)
}

// give has theirs accepted, and returns ours.
func (p *pipes) give(ours, theirs net.Conn) net.Conn {
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
