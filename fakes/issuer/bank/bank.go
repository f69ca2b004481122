// Package bank is the issuer by the books: it understands a request in any dialect, decides on it the way a
// host does, posts what follows to the ledger and builds the answer. It knows nothing of connections
// or of rules; its owner asks it, message after message:
//
//	b, err := bank.New(bank.Config{Host: host, Cards: cards})
//	req, err := b.Understand(payload)
//	res := b.Process(req)           // or b.Refuse(req, "51"), which posts nothing
//	wire, err := b.Seal(res.Reply, req.Terminal())
//
// Everything that differs between dialects comes from hosts.Host.
package bank

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/ledger"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/emv/parameters"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// Config is what a bank knows from the start.
type Config struct {
	Host  *hosts.Host
	Cards []cards.Card
	// Book are the books, with an account for each card (Accounts); nil: new ones in memory. What is in
	// them already is known: repeats and reversals of it are recognised.
	Book   *ledger.Book
	Policy Policy
	// Parameters are what terminals can download for their chip kernels; nil: nothing.
	Parameters *parameters.Set
	// Rand makes working keys; nil is crypto/rand.
	Rand io.Reader
}

// Policy is what a bank is free to choose.
type Policy struct {
	// SignOn refuses a terminal's transactions until it has signed on, where the dialect downloads keys.
	SignOn bool
	// Batch refuses transactions of another batch than the terminal's, where requests carry one.
	Batch bool
	// Tolerance is by how many percent a completion may exceed the amount held.
	Tolerance int64
	// Limit is the greatest amount of a transaction; 0: none.
	Limit int64
	// Partial are IDs of cards for which a purchase beyond their funds is approved in part.
	Partial []string
	// CVK are card verification keys (16 bytes) by card ID, instead of the card's own. A card without any
	// is not checked for its CVV, iCVV and CVV2.
	CVK map[string][]byte
	// CVV2 is the path of the card verification code that is printed on a card; "": the host's.
	CVV2 string
}

// Accounts are the ledger's accounts for cards.
func Accounts(list []cards.Card) []ledger.Account {
	accounts := make([]ledger.Account, 0, len(list))
	for _, c := range list {
		accounts = append(accounts, ledger.Account{ID: c.ID, Opening: c.Balance})
	}
	return accounts
}

// Options change how an approval is answered.
type Options struct {
	Authorisation string // DE38 instead of the bank's own
	RRN           string // DE37 instead of the bank's own
	// Amount approves at most this amount, in part if it is less than asked; 0: as asked.
	Amount int64
	// Script are issuer script commands (C-APDUs) to send along in DE55.
	Script [][]byte
	// BadKCV spoils the check values of the keys that a sign-on downloads.
	BadKCV bool
}

// Result is what the bank says to a request.
type Result struct {
	// Reply is not packed yet; with an empty MTI there is no answer.
	Reply iso8583.Message
	// Effect is what has become of the books or of a session, one of the words of this package.
	Effect string
	// Reason is why it was answered so, one of hosts.Reasons.
	Reason string
	// Card is the ID of the card, where it is known.
	Card string
	// Faults are what a real host would call protocol errors, in words, without card data.
	Faults []string
}

// Bank is safe for use by several goroutines.
type Bank struct {
	codec  *iso8583.Codec
	host   *hosts.Host
	policy Policy
	random io.Reader
	book   *ledger.Book
	cards  map[string]*cards.Card // by number
	ids    map[string]*cards.Card
	chips  map[string]*emv.Verifier // by card ID
	paths  paths
	// loads are the records for terminals' kernels, by what a download asks for.
	loads map[string][][]byte
	// accounts are the ledger's, with the cards' first balances.
	accounts []ledger.Account

	initial       *keyset // before a terminal's first sign-on
	lastReference atomic.Int64

	mu          sync.Mutex // never held while a secret is checked or a message packed
	known       transactions
	tries       map[string]int // wrong PINs in a row, by card ID
	sessions    map[string]*session
	settlements []client.Settlement
	scripts     []client.ScriptResult
}

// New makes a bank. Errors say what is unusable in the configuration.
func New(c Config) (*Bank, error) {
	if c.Host == nil {
		return nil, errors.New("bank: no host dialect")
	}
	codec, err := iso8583.NewCodec(c.Host.Dialect)
	if err != nil {
		return nil, fmt.Errorf("bank: host %s: %w", c.Host.ID, err)
	}
	b := &Bank{codec: codec, host: c.Host, policy: c.Policy, random: c.Rand, book: c.Book,
		cards: make(map[string]*cards.Card), ids: make(map[string]*cards.Card),
		accounts: Accounts(c.Cards), sessions: make(map[string]*session), chips: make(map[string]*emv.Verifier)}
	if c.Parameters != nil {
		applications, keys := c.Parameters.Records()
		b.loads = map[string][][]byte{loadApplications: applications, loadKeys: keys}
	}
	if b.random == nil {
		b.random = rand.Reader
	}
	if err := b.compile(); err != nil {
		return nil, fmt.Errorf("bank: host %s: %w", c.Host.ID, err)
	}
	if err := b.usable(c); err != nil {
		return nil, fmt.Errorf("bank: host %s: %w", c.Host.ID, err)
	}
	if b.book == nil {
		if b.book, err = ledger.New(ledger.Config{Accounts: b.accounts}); err != nil {
			return nil, fmt.Errorf("bank: %w", err)
		}
	}
	b.forget()
	if err := b.restore(); err != nil {
		return nil, fmt.Errorf("bank: %w", err)
	}
	return b, nil
}

// Codec is the dialect's.
func (b *Bank) Codec() *iso8583.Codec { return b.codec }
