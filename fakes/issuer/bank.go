package issuer

import (
	"errors"
	"fmt"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/feed"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// Data elements by their role (ISO 8583:1987).
const (
	fieldPAN          = 2
	fieldProcessing   = 3
	fieldAmount       = 4
	fieldTransmission = 7
	fieldSTAN         = 11
	fieldTime         = 12
	fieldDate         = 13
	fieldExpiry       = 14
	fieldEntryMode    = 22
	fieldSequence     = 23
	fieldCondition    = 25
	fieldTrack2       = 35
	fieldRRN          = 37
	fieldAuth         = 38
	fieldCode         = 39
	fieldTerminal     = 41
	fieldMerchant     = 42
	fieldCustomerID   = 48
	fieldCurrency     = 49
	fieldPIN          = 52
	fieldChip         = 55
	fieldBatch        = 60
	fieldSettlement   = 66
	fieldNetwork      = 70
	fieldDebits       = 76
	fieldDebitSum     = 88
	fieldOriginal     = 90
)

// Response codes (DE39).
const (
	codeApproved      = "00"
	codeRefused       = "05" // the cryptogram is wrong
	codeInvalid       = "12"
	codeUnknownCard   = "14"
	codeNoOriginal    = "25"
	codeFormat        = "30"
	codeFunds         = "51"
	codeExpired       = "54"
	codeWrongPIN      = "55"
	codeTriesExceeded = "75"
	codeSystem        = "96"
)

// bank is everything that a setup resets. It belongs to whoever holds Server.mu, but for the
// channel replaced.
type bank struct {
	codec    *iso8583.Codec
	pinKey   []byte
	events   *feed.Log
	replaced chan struct{} // closed when a newer setup has taken over

	rules       rules
	books       *ledger
	journal     journal
	violations  violations
	settlements []client.Settlement
	references  int // retrieval reference numbers given
}

// newBank starts from the cards' balances with these rules, which are valid.
func newBank(s *Server, rs []client.Rule) *bank {
	return &bank{
		codec: s.codec, pinKey: s.config.Host.PINKey, events: &s.events, replaced: make(chan struct{}),
		rules: newRules(rs), books: newLedger(s.config.Cards),
	}
}

// usable says what the issuer cannot work with: a dialect without a field that it reads or
// writes, keys of the wrong size, accounts that cannot be told apart.
func usable(config Config) error {
	d := config.Host.Dialect
	for _, n := range []int{
		fieldPAN, fieldProcessing, fieldAmount, fieldTransmission, fieldSTAN, fieldTime, fieldDate, fieldExpiry,
		fieldEntryMode, fieldSequence, fieldCondition, fieldTrack2, fieldRRN, fieldAuth, fieldCode, fieldTerminal,
		fieldMerchant, fieldCustomerID, fieldCurrency, fieldPIN, fieldChip, fieldBatch, fieldSettlement, fieldNetwork,
		fieldDebits, fieldDebitSum, fieldOriginal,
	} {
		if _, ok := d.Fields[n]; !ok {
			return fmt.Errorf("the dialect has no field %d", n)
		}
	}
	if len(config.Host.PINKey) != 16 {
		return fmt.Errorf("the PIN key has %d bytes, want 16", len(config.Host.PINKey))
	}
	seen := make(map[string]string)
	for _, c := range config.Cards {
		if other, twice := seen[c.PAN]; twice {
			return fmt.Errorf("cards %s and %s have the same number", other, c.ID)
		}
		if c.Balance < 0 {
			return fmt.Errorf("card %s: balance below zero", c.ID)
		}
		seen[c.PAN] = c.ID
	}
	return nil
}

// setup replaces the whole bank in one step: a message is processed by the old one or by the
// new one, and late answers of the old one are dropped.
func (s *Server) setup(setup client.Setup) error {
	if err := checkRules(setup.Rules); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.bank
	s.bank = newBank(s, setup.Rules)
	close(old.replaced)
	return nil
}

// state is a copy of what the money audit needs.
func (s *Server) state() client.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bank
	return client.State{
		Journal:     b.journal.list(),
		Dropped:     b.journal.dropped,
		Charges:     b.books.list(),
		Settlements: append([]client.Settlement{}, b.settlements...),
		Violations:  b.violations.list(),
	}
}

// errFull: the books are at their limit.
var errFull = errors.New("the books are full")
