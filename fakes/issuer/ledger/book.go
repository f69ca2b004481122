// Package ledger is the bank's double-entry books: a card's money, what is held of it, the
// terminals' acquiring accounts. Every posting is one atomic entry and checked before it counts: its
// legs sum to zero per currency, no card is overdrawn, no hold is captured beyond its ceiling, no
// charge refunded beyond its amount, nothing undone twice. The books may be kept in a file that
// survives the process being killed (Open).
//
//	book, err := ledger.New(ledger.Config{Accounts: accounts})
//	sale, err := book.Post(ledger.Entry{Kind: ledger.Charge, Account: "chip", Terminal: "TERM0001", Currency: "156", Amount: 1250})
//	_, err = book.Post(ledger.Entry{Kind: ledger.Undo, Of: sale.Seq})
//
// Accounts have names: "card:ID" is what is available to a card, "held:ID" what is set aside of it,
// "terminal:ID" what a terminal has taken, "opening" where the cards' first balances come from, and
// "suspense" pays what a card lacks when something must be posted that has taken place already (an
// advice) or must be taken back (a refund that was undone after the money was spent).
package ledger

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Limits of the books.
const (
	// DefaultLimit is how many entries a set of books has at most, about 150 MB of them; those that undo
	// others find room beyond it.
	DefaultLimit = 1 << 18
	// MaxAmount is the greatest amount of an entry, 12 digits of minor units as in DE4.
	MaxAmount = 999_999_999_999
	// MaxOpening bounds the balance that a card begins with, so that no sum can overflow.
	MaxOpening = 1_000_000_000_000_000
	// maxText bounds each text of an entry.
	maxText = 256
	// shortestPAN is the fewest digits that an account must not be named with: they might be a card's.
	shortestPAN = 12
)

// Config is what books begin with.
type Config struct {
	Accounts []Account
	// Limit is the greatest number of entries that undo nothing; 0 is DefaultLimit.
	Limit int
	// Sync has every posting flushed to the disk before it counts (fsync), so that a posting survives
	// a power cut too. Without it a posting is written to the operating system, which survives the
	// death of the process (kill -9). Only books with a file heed it.
	Sync bool
}

// Book is a set of books. Its methods are safe for use by several goroutines.
type Book struct {
	mu       sync.Mutex
	limit    int
	opening  map[string]int64 // by card ID
	accounts map[accountKey]*account
	sums     map[string]int64 // of all accounts of a currency; always 0
	items    []*item          // items[n] has the number n+1
	batches  map[batchKey]*batch
	file     *file // nil: in memory only
}

type accountKey struct{ name, currency string }

// account is a balance in one currency. A positive one is money that the named party has.
type account struct {
	key     accountKey
	balance int64
	floored bool // cannot go below zero
}

// item is an entry and what has become of it.
type item struct {
	entry    Entry
	legs     legs   // that the entry posted
	undone   uint64 // the entry that undid it
	again    uint64 // the undo of an undo that brought it back
	undoes   bool   // an undo whose original was an undo: final
	settled  bool
	listed   bool  // in its batch's list
	captured int64 // of a hold
	held     int64 // of a hold: what is left
	closed   uint64
	taken    int64 // of a capture: what came from its hold
	released int64 // of a capture or release: what became available
	refunded int64
}

// New makes books in memory.
func New(c Config) (*Book, error) {
	b := &Book{limit: c.Limit}
	if b.limit == 0 {
		b.limit = DefaultLimit
	}
	if err := b.open(c.Accounts); err != nil {
		return nil, err
	}
	return b, nil
}

// open begins empty books.
func (b *Book) open(accounts []Account) error {
	opening := make(map[string]int64, len(accounts))
	for _, a := range accounts {
		if err := a.check(); err != nil {
			return err
		}
		if _, twice := opening[a.ID]; twice {
			return fmt.Errorf("%w: account %q is there twice", ErrEntry, a.ID)
		}
		opening[a.ID] = a.Opening
	}
	b.opening = opening
	b.accounts = make(map[accountKey]*account)
	b.sums = make(map[string]int64)
	b.batches = make(map[batchKey]*batch)
	b.items = nil
	return nil
}

func (a Account) check() error {
	switch {
	case a.ID == "" || len(a.ID) > maxText:
		return fmt.Errorf("%w: an account is named with 1 to %d characters", ErrEntry, maxText)
	case len(a.ID) >= shortestPAN && strings.Trim(a.ID, "0123456789") == "":
		return fmt.Errorf("%w: an account is named with the card's ID, not with digits only", ErrEntry)
	case a.Opening < 0 || a.Opening > MaxOpening:
		return fmt.Errorf("%w: account %q: a balance of 0 to %d is needed", ErrEntry, a.ID, int64(MaxOpening))
	}
	return nil
}

// Reset begins new books with these accounts. In the file the old ones stay, before the new.
func (b *Book) Reset(accounts []Account) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	fresh := Book{limit: b.limit}
	if err := fresh.open(accounts); err != nil {
		return err
	}
	if b.file != nil {
		if err := b.file.writeOpening(accounts); err != nil {
			return err
		}
	}
	return b.open(accounts)
}

// Post checks an entry, writes it to the file if there is one, and posts it. The result has its
// number and time. With an error nothing is posted; it is one of this package's, wrapped.
func (b *Book) Post(e Entry) (Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.room(e); err != nil {
		return Entry{}, err
	}
	e.Seq, e.At = uint64(len(b.items))+1, time.Now()
	p, err := b.plan(&e)
	if err != nil {
		return Entry{}, err
	}
	if b.file != nil {
		if err := b.file.write(e); err != nil {
			return Entry{}, err
		}
	}
	b.commit(e, p)
	return e, nil
}

// room refuses what the books are too full for. An Undo always finds room: money must be given back when it is
// reversed, and there are at most two for any other entry.
func (b *Book) room(e Entry) error {
	if len(b.items) >= b.limit && e.Kind != Undo {
		return fmt.Errorf("%w: %d entries; start new books or raise the limit", ErrFull, b.limit)
	}
	return nil
}

// plan checks an entry against the books. No balance moves but a card's first one, on its first use.
func (b *Book) plan(e *Entry) (posting, error) {
	if err := e.check(); err != nil {
		return posting{}, err
	}
	p, err := b.posting(e)
	if err != nil {
		return posting{}, err
	}
	return p, p.legs.check()
}

// commit posts a planned entry.
func (b *Book) commit(e Entry, p posting) {
	it := &item{entry: e, legs: p.legs}
	for _, l := range p.legs.list() {
		l.account.balance += l.amount
		b.sums[l.account.key.currency] += l.amount
	}
	b.items = append(b.items, it)
	if p.then != nil {
		p.then(it)
	}
}

// check refuses what no entry can be.
func (e *Entry) check() error {
	for _, text := range []string{e.Account, e.Terminal, e.Currency, e.Memo.Identity, e.Memo.Customer} {
		if len(text) > maxText {
			return fmt.Errorf("%w: a text of more than %d characters", ErrEntry, maxText)
		}
	}
	if e.Amount < 0 || e.Amount > MaxAmount || e.Ceiling < 0 || e.Ceiling > MaxAmount {
		return fmt.Errorf("%w: an amount of %d", ErrEntry, e.Amount)
	}
	moves := e.Kind == Charge || e.Kind == Hold || e.Kind == Capture || e.Kind == Refund
	if moves && (e.Amount == 0 || e.Currency == "" && e.Of == 0) {
		return fmt.Errorf("%w: a %s needs an amount and a currency", ErrEntry, e.Kind)
	}
	return nil
}

// item finds an entry by its number.
func (b *Book) item(seq uint64) *item {
	if seq == 0 || seq > uint64(len(b.items)) {
		return nil
	}
	return b.items[seq-1]
}

// account gives the account of a name, opened with nothing.
func (b *Book) account(name, currency string) *account {
	k := accountKey{name, currency}
	a := b.accounts[k]
	if a == nil {
		a = &account{key: k, floored: strings.HasPrefix(name, "card:") || strings.HasPrefix(name, "held:")}
		b.accounts[k] = a
	}
	return a
}

// card gives what is available to a card, opened with its first balance; nil for an unknown one.
func (b *Book) card(id, currency string) *account {
	if a := b.accounts[accountKey{"card:" + id, currency}]; a != nil {
		return a
	}
	opening, known := b.opening[id]
	if !known {
		return nil
	}
	a := b.account("card:"+id, currency)
	a.balance += opening
	b.account("opening", currency).balance -= opening
	return a
}
