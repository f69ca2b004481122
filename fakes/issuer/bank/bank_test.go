package bank

import (
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/ledger"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/cvv"
	"github.com/assay-hil/assay/protocol/dukpt"
	"github.com/assay-hil/assay/protocol/pin"
)

// newWorld is a bank without a conversation; what fails ends the test.
func newWorld(t testing.TB, dialect string, change func(*Config)) *world {
	t.Helper()
	return newWorldOf(t, loadHost(t, dialect), change)
}

func newWorldOf(t testing.TB, host *hosts.Host, change func(*Config)) *world {
	t.Helper()
	w := &world{cards: testCards(t), host: host, terminals: map[string]*terminal{}}
	c := Config{Host: w.host, Cards: w.cards}
	if change != nil {
		change(&c)
	}
	var err error
	if w.bank, err = New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

// payload is a right request on the wire.
func (w *world) payload(words string) []byte {
	a := parseArgs(strings.Fields(words))
	m := w.message(a.plain[0], a)
	if known := w.terminal(m.Fields[41]).sent; known[m.Fields[11]].request.MTI == "" {
		known[m.Fields[11]] = sent{request: m}
	}
	return w.pack(w.host.Operation(w.bank.codec, m), m, false)
}

// ask has the bank process a request.
func (w *world) ask(t testing.TB, words string) Result {
	t.Helper()
	r, err := w.bank.Understand(w.payload(words))
	if err != nil {
		t.Fatalf("%s: %v", words, err)
	}
	return w.bank.Process(r)
}

func TestConfigurationsThatCannotBeUsed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no host", func(c *Config) { c.Host = nil }, "no host"},
		{"a dialect without DE39", func(c *Config) { delete(c.Host.Dialect.Fields, 39) }, "39"},
		{"a reason without a code", func(c *Config) { delete(c.Host.Codes, "expired") }, `no code for "expired"`},
		{"no identity", func(c *Config) { c.Host.Identity = nil }, "no identity"},
		{"a path that is none", func(c *Config) { c.Host.Identity = []string{"41", "199"} }, "199"},
		{"an original that is none", func(c *Config) { c.Host.Operations[1].Original["rrn"] = "199" }, "original rrn"},
		{"CVV2 path", func(c *Config) { c.Policy.CVV2 = "x" }, "x"},
		{"a short CVK", func(c *Config) { c.Policy.CVK = map[string][]byte{"chip": {1}} }, "card chip: the card verification key has 1 bytes"},
		{"a card twice", func(c *Config) { c.Cards = append(c.Cards, c.Cards[0]) }, "cards chip and chip have the same number"},
		{"an ID twice", func(c *Config) { c.Cards[1].ID = "chip" }, "two cards have the ID chip"},
		{"partial for nobody", func(c *Config) { c.Policy.Partial = []string{"gold"} }, `card "gold"`},
		{"a negative balance", func(c *Config) { c.Cards[0].Balance = -1 }, "balance"},
		{"no master key", func(c *Config) { c.Host.Keys.Download = "63" }, "master key"},
		{"a short BDK", func(c *Config) { c.Host.Keys.BDK, c.Host.Keys.Scheme = []byte{1}, "tdes" }, "base derivation key"},
		{"no MAC key", func(c *Config) { c.Host = loadHost(t, "iso93-binary"); c.Host.Keys.MAC = nil }, "the MAC key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Host: loadHost(t, "iso87-ascii"), Cards: testCards(t)}
			tt.change(&c)
			if _, err := New(c); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			} else if strings.Contains(err.Error(), "4761") {
				t.Errorf("the complaint repeats card data: %v", err)
			}
		})
	}
}

// An unreadable message is a format error where it can be answered; nothing of it is told but where it is broken.
func TestUnreadableMessages(t *testing.T) {
	w := newWorld(t, "iso87-ascii", nil)
	whole := w.payload("purchase stan=1")
	r, err := w.bank.Understand(append(whole, 'x'))
	if err == nil {
		t.Fatal("trailing bytes are no error")
	}
	res := w.bank.Process(r)
	if res.Reply.MTI != "0210" || res.Reply.Fields[39] != "30" || res.Reason != formatError || len(res.Faults) != 1 {
		t.Errorf("%+v", res)
	}
	r, _ = w.bank.Understand(whole[:30])
	if res := w.bank.Process(r); res.Reply.MTI != "" || len(res.Faults) != 1 {
		t.Errorf("an answer to nobody: %+v", res)
	}
	r, _ = w.bank.Understand([]byte("0210" + string(whole[4:])))
	if res := w.bank.Process(r); res.Reply.MTI != "" || len(res.Faults) != 1 {
		t.Errorf("an answer to an answer: %+v", res)
	}
	if w.bank.book.Len() != 0 {
		t.Error("something was posted")
	}
}

// PIN blocks under derived keys: the key serial number is in field 63.
func TestDUKPT(t *testing.T) {
	tdesKSN, _ := hex.DecodeString("FFFF9876543210E00001")
	aesKSN, _ := hex.DecodeString("123456789012345600000001")
	bdk := []byte("\x01\x23\x45\x67\x89\xAB\xCD\xEF\xFE\xDC\xBA\x98\x76\x54\x32\x10")
	for _, tt := range []struct {
		name, scheme string
		ksn          []byte
		format       int
		key          func() ([]byte, error)
	}{
		{"TDES", "tdes", tdesKSN, pin.Format0, func() ([]byte, error) {
			initial, err := dukpt.IPEK(bdk, tdesKSN)
			if err != nil {
				return nil, err
			}
			return dukpt.Key(initial, tdesKSN, dukpt.PIN)
		}},
		{"AES", "aes", aesKSN, pin.Format4, func() ([]byte, error) {
			initial, err := dukpt.InitialKey(bdk, aesKSN)
			if err != nil {
				return nil, err
			}
			return dukpt.WorkingKey(initial, aesKSN, dukpt.PIN, dukpt.AES128)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, "iso87-ascii", func(c *Config) {
				c.Host.Keys.BDK, c.Host.Keys.KSN, c.Host.Keys.Scheme, c.Host.PINFormat = bdk, "63", tt.scheme, tt.format
				f := c.Host.Dialect.Fields[52]
				f.Length = pin.Size(tt.format)
				c.Host.Dialect.Fields[52] = f
			})
			key, err := tt.key()
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range []struct{ pin, ksn, want string }{
				{"8642", fmt.Sprintf("%X", tt.ksn), approved}, {"0000", fmt.Sprintf("%X", tt.ksn), wrongPIN},
				{"8642", "00", pinFormat}, {"8642", "not hexadecimal", pinFormat},
			} {
				block, err := pin.Seal(tt.format, key, c.pin, w.card("chip").PAN, strings.NewReader(strings.Repeat("x", 64)))
				if err != nil {
					t.Fatal(err)
				}
				w.terminal(testTerminal).pin = key
				a := parseArgs([]string{"purchase", fmt.Sprintf("stan=%d", i+1), "amount=5"})
				m := w.message("purchase", a)
				m.Fields[52], m.Fields[63] = strings.ToUpper(hex.EncodeToString(block)), c.ksn
				r, err := w.bank.Understand(w.pack(nil, m, false))
				if err != nil {
					t.Fatal(err)
				}
				if res := w.bank.Process(r); res.Reason != c.want {
					t.Errorf("%+v: %s %v", c, res.Reason, res.Faults)
				}
			}
		})
	}
}

// The code that is printed on a card, where a request has it.
func TestCVV2(t *testing.T) {
	w := newWorld(t, "iso87-ascii", func(c *Config) {
		c.Policy.CVV2, c.Policy.CVK = "63", map[string][]byte{"stripe": testCVK}
	})
	right, err := cvv.Compute(testCVK, w.card("stripe").PAN, "1230", cvv.ServiceCVV2) // MMYY
	if err != nil {
		t.Fatal(err)
	}
	wrong := string('0'+(right[0]-'0'+1)%10) + right[1:]
	for i, c := range []struct{ words, want string }{
		{"63=" + right, approved}, {"63=" + wrong, security}, {"", approved},
	} {
		if res := w.ask(t, fmt.Sprintf("purchase card=stripe amount=5 stan=%d %s", i+1, c.words)); res.Reason != c.want {
			t.Errorf("case %d: %s", i+1, res.Reason)
		}
	}
}

// A chip's track 2 has another value than the stripe's: the stripe's on a chip is a copy of the stripe.
func TestICVV(t *testing.T) {
	w := newWorld(t, "iso87-ascii", func(c *Config) { c.Policy.CVK = map[string][]byte{"chip": testCVK} })
	c := w.card("chip")
	for i, x := range []struct{ service, want string }{{cvv.ServiceICVV, approved}, {c.Service, security}} {
		value, err := cvv.Compute(testCVK, c.PAN, c.Expiry, x.service)
		if err != nil {
			t.Fatal(err)
		}
		track := c.PAN + "=" + c.Expiry + c.Service + "10000" + value
		if res := w.ask(t, fmt.Sprintf("purchase amount=5 stan=%d 35=%s", i+1, track)); res.Reason != x.want {
			t.Errorf("service code %s: %s", x.service, res.Reason)
		}
	}
}

// Result says which card was meant, and the state has it masked.
func TestCardsAreNamedNotNumbered(t *testing.T) {
	w := newWorld(t, "iso87-ascii", nil)
	res := w.ask(t, "purchase stan=1 48=4761739001010119")
	if res.Card != "chip" || res.Effect != client.EffectCharged {
		t.Errorf("%+v", res)
	}
	state := fmt.Sprintf("%+v %+v", w.bank.State(), w.bank.book.Entries())
	if strings.Contains(state, "4761739001010119") || !strings.Contains(state, "476173******0119") {
		t.Errorf("%s", state)
	}
}

// The process dies after it has posted a sale whose reversal came first, and before it has undone it.
func TestADeathBetweenTwoEntriesIsMadeGood(t *testing.T) {
	list := testCards(t)
	book, err := ledger.New(ledger.Config{Accounts: Accounts(list)})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "iso87-ascii", func(c *Config) { c.Book = book })
	w.ask(t, "reversal stan=1 amount=5")
	buried, _ := book.Get(1)
	memo := ledger.Memo{Operation: opPurchase, MTI: "0200", Identity: buried.Memo.Identity, STAN: "000001", RRN: "000000000002", Reason: approved}
	if _, err := book.Post(ledger.Entry{Kind: ledger.Charge, Account: "chip", Terminal: testTerminal, Currency: "156", Amount: 5, Memo: memo}); err != nil {
		t.Fatal(err)
	}
	again := newWorld(t, "iso87-ascii", func(c *Config) { c.Book = book })
	if got := book.Available("chip", "156"); got != list[0].Balance {
		t.Errorf("%d available, want all", got)
	}
	if res := again.ask(t, "purchase stan=1 amount=5"); res.Reason != invalidTransaction || res.Effect != client.EffectRepeat {
		t.Errorf("%+v", res)
	}
}

// Many terminals at once: no sale is lost, none is posted twice.
func TestConcurrentTerminals(t *testing.T) {
	const terminals, sales = 8, 25
	w := newWorld(t, "unionpay-bcd", func(c *Config) { c.Cards[0].Balance = 1_000_000 })
	payloads := make([][][]byte, terminals)
	for i := range payloads {
		for n := range sales {
			payloads[i] = append(payloads[i], w.payload(fmt.Sprintf("purchase terminal=TERM%04d stan=%d amount=100", i, n+1)))
		}
	}
	var all sync.WaitGroup
	for i := range payloads {
		for range 2 { // each request twice at once: one of them is a repeat
			all.Go(func() {
				for _, p := range payloads[i] {
					r, err := w.bank.Understand(p)
					if err != nil {
						t.Error(err)
						return
					}
					res := w.bank.Process(r)
					if _, err := w.bank.Seal(res.Reply, r.Terminal()); err != nil || res.Reason != approved {
						t.Errorf("%+v %v", res, err)
					}
				}
			})
		}
	}
	all.Go(func() {
		for range sales {
			w.bank.State()
		}
	})
	all.Wait()
	if got, want := w.bank.book.Available("chip", "156"), int64(1_000_000-terminals*sales*100); got != want {
		t.Errorf("%d available, want %d", got, want)
	}
	if err := w.bank.book.Check(); err != nil {
		t.Error(err)
	}
}

// Books that are full or broken decline, and say so.
func TestBooksThatTakeNothing(t *testing.T) {
	list := testCards(t)
	book, err := ledger.New(ledger.Config{Accounts: Accounts(list), Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "iso87-ascii", func(c *Config) { c.Book = book })
	if res := w.ask(t, "purchase stan=1 amount=5"); res.Reason != approved {
		t.Fatalf("%+v", res)
	}
	for _, words := range []string{"purchase stan=2 amount=5", "purchase stan=3 amount=50000", "reversal stan=4", "settlement stan=5 count=1 sum=5"} {
		if res := w.ask(t, words); res.Reason != systemError || len(res.Faults) != 1 || !strings.Contains(res.Faults[0], "full") {
			t.Errorf("%s: %+v", words, res)
		}
	}
	if res := w.ask(t, "purchase stan=1 amount=5"); res.Effect != client.EffectRepeat {
		t.Errorf("a repeat needs no room: %+v", res)
	}
	if res := w.ask(t, "reversal stan=1 amount=5"); res.Effect != client.EffectReversed || len(res.Faults) != 0 {
		t.Errorf("a reversal must find room: %+v", res)
	}
}
