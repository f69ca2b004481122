package bank

import (
	"bytes"
	"fmt"
	"math/bits"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fakes/issuer/ledger"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/protocol/cvv"
)

// Upload messages that name no transaction, or no amount, are no uploads.
func TestUploadOfNothing(t *testing.T) {
	w := newWorld(t, "iso87-ascii", nil)
	w.ask(t, "settlement stan=1 batch=1 count=1 sum=5")
	for _, words := range []string{"batch-upload stan=2 of=9 90=020000000001011200000000000000000000000000", "batch-upload stan=3 of=9 -4"} {
		if res := w.ask(t, words); res.Reason != formatError {
			t.Errorf("%s: %+v", words, res)
		}
	}
}

// What DE48 has is only taken for a customer's ID in a purchase, and never where it looks like a card's number.
func TestCustomers(t *testing.T) {
	for words, want := range map[string]string{
		"purchase stan=1 48=123456789012":           "123456789012",
		"purchase stan=1 48=5555555555554444":       "[pan inside 16]",
		"purchase stan=1 48=ID 4761-7390-0101-0119": "[pan inside 22]",
		"authorisation stan=1 48=123456789012":      "",
		"purchase stan=1":                           "",
	} {
		w := newWorld(t, "iso87-ascii", nil)
		m := w.message(strings.Fields(words)[0], parseArgs([]string{"stan=1"}))
		if _, value, found := strings.Cut(words, "48="); found {
			m.Fields[48] = value
		}
		payload, err := w.bank.codec.Pack(m)
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.bank.Understand(payload)
		if err != nil {
			t.Fatal(err)
		}
		w.bank.Process(r)
		if got := w.bank.book.Entries()[0].Memo.Customer; got != want {
			t.Errorf("%s: the books have %q, want %q", words, got, want)
		}
	}
}

// A terminal too many has no session: it can neither sign on nor settle.
func TestTooManyTerminals(t *testing.T) {
	w := newWorld(t, "iso87-ascii", nil)
	for i := range MaxTerminals {
		w.bank.sessions[fmt.Sprint(i)] = &session{keys: w.bank.initial}
	}
	for _, words := range []string{"sign-on stan=1", "settlement stan=2 batch=1"} {
		if res := w.ask(t, words); res.Reason != systemError || len(res.Faults) != 1 || !strings.Contains(res.Faults[0], "more than 10000 terminals") {
			t.Errorf("%s: %+v", words, res)
		}
	}
}

// Downloaded keys have odd parity (FIPS 46-3), which some terminals verify; without randomness there are none.
func TestDownloadedKeys(t *testing.T) {
	w := newWorld(t, "unionpay-bcd", nil)
	w.ask(t, "sign-on stan=1 kind=003")
	k := w.bank.keys(testTerminal)
	for _, key := range [][]byte{k.pin, k.macKey} {
		if bytes.Equal(key, w.bank.initial.pin) || bytes.Equal(key, w.bank.initial.macKey) {
			t.Error("a key is an old one")
		}
		for _, x := range key {
			if bits.OnesCount8(x)%2 == 0 {
				t.Errorf("a byte with %d bits", bits.OnesCount8(x))
			}
		}
	}
	dry := newWorld(t, "unionpay-bcd", func(c *Config) { c.Rand = strings.NewReader("too short") })
	if res := dry.ask(t, "sign-on stan=1 kind=003"); res.Reason != systemError || len(res.Faults) != 1 {
		t.Errorf("without randomness: %+v", res)
	}
}

// A balance inquiry whose reversal had come first moves nothing that could be undone.
func TestADeathAfterABalanceInquiry(t *testing.T) {
	book, err := ledger.New(ledger.Config{Accounts: Accounts(testCards(t))})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "iso87-ascii", func(c *Config) { c.Book = book })
	w.ask(t, "reversal stan=1 amount=5")
	buried, _ := book.Get(1)
	memo := ledger.Memo{Operation: opBalance, MTI: "0100", Identity: buried.Memo.Identity, STAN: "000001", Reason: approved}
	if _, err := book.Post(ledger.Entry{Kind: ledger.Note, Account: "chip", Terminal: testTerminal, Currency: "156", Memo: memo}); err != nil {
		t.Fatal(err)
	}
	newWorld(t, "iso87-ascii", func(c *Config) { c.Book = book })
}

// A balance that DE54 has no digits for is told as the most that it can say.
func TestFundsBeyondTheField(t *testing.T) {
	w := newWorld(t, "iso87-ascii", func(c *Config) { c.Cards[0].Balance = ledger.MaxAmount + 1 })
	if res := w.ask(t, "balance stan=1"); res.Reply.Fields[54] != "0002156C999999999999" {
		t.Errorf("%+v", res)
	}
}

// The keys and sessions of terminals outlive a bank; their batches begin anew.
func TestInherit(t *testing.T) {
	old := newWorld(t, "unionpay-bcd", nil)
	old.ask(t, "sign-on stan=1 kind=003")
	old.ask(t, "settlement stan=2 batch=000007")
	keys := old.bank.keys(testTerminal)
	next := newWorld(t, "unionpay-bcd", func(c *Config) { c.Policy.SignOn = true })
	next.bank.Inherit(old.bank)
	if next.bank.keys(testTerminal) != keys || old.bank.keys(testTerminal) == keys {
		t.Error("the keys were not handed over")
	}
	s := next.bank.State()
	if len(s.Sessions) != 1 || !s.Sessions[0].SignedOn || s.Sessions[0].Batch != "000001" || s.Settlements == nil {
		t.Errorf("%+v", s)
	}
}

// A card's own verification key is used where the policy has none, and the host's path of the CVV2.
func TestVerificationByFiles(t *testing.T) {
	w := newWorld(t, "iso87-ascii", func(c *Config) { c.Cards[1].CVK = testCVK })
	c := w.card("stripe")
	value, err := cvv.Compute(testCVK, c.PAN, "1230", cvv.ServiceCVV2)
	if err != nil {
		t.Fatal(err)
	}
	track := c.PAN + "=" + c.Expiry + c.Service
	for i, x := range []struct{ words, want string }{
		{"126=" + value, approved},
		{"126=" + value + "0", security},
		{"35=" + track + "10000" + value, security}, // a CVV2 on the stripe
		{"35=" + track + "10000", security},         // none at all
	} {
		if res := w.ask(t, fmt.Sprintf("purchase card=stripe amount=5 stan=%d %s", i+1, x.words)); res.Reason != x.want {
			t.Errorf("%s: %s", x.words, res.Reason)
		}
	}
	refund := "refund card=stripe amount=1 of=1 37=000000000001 126="
	for stan, x := range []struct{ value, want string }{{"999", security}, {value, approved}} { // without an expiry date
		if res := w.ask(t, fmt.Sprintf("%s%s stan=%d", refund, x.value, 7+stan)); res.Reason != x.want {
			t.Errorf("refund %d: %s", stan, res.Reason)
		}
	}
	h := loadHost(t, "iso87-ascii")
	if _, err := New(Config{Host: h, Cards: []cards.Card{{ID: "a", PAN: "1", CVK: []byte{1}}}}); err == nil || !strings.Contains(err.Error(), "want 16") {
		t.Errorf("a short key: %v", err)
	}
}
