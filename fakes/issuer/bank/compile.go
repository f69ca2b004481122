package bank

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/dukpt"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/tdes"
)

// paths are a host's, as its codec reads them.
type paths struct {
	identity []iso8583.Path
	// ownTime: the terminal gives the time of a transaction, since it tells transactions by it; else the
	// host gives it in its replies.
	ownTime  bool
	original map[*hosts.Operation]map[string]iso8583.Path

	number, debitCount, debitAmount, creditCount, creditAmount, result, upload iso8583.Path
	download, ksn, cvv2, customer                                              iso8583.Path
	batch                                                                      iso8583.Path // of Identity, where a request has one
	capability, condition                                                      iso8583.Path // of the reader; zero where messages do not say
	agreedEnd                                                                  *hosts.Operation
}

// compile reads a host's paths. An error names what is wrong with the host or the policy.
func (b *Bank) compile() error {
	h, p := b.host, &b.paths
	p.original = make(map[*hosts.Operation]map[string]iso8583.Path)
	for _, s := range h.Identity {
		path, err := b.codec.Path(s)
		if err != nil {
			return err
		}
		p.identity = append(p.identity, path)
		p.ownTime = p.ownTime || path.Field() == fieldTime || path.Field() == fieldTransmission
		if s == h.Batch.Number {
			p.batch = path
		}
	}
	if len(p.identity) == 0 {
		return fmt.Errorf("no identity: nothing tells one transaction from another")
	}
	for i := range h.Operations {
		o := &h.Operations[i]
		p.original[o] = make(map[string]iso8583.Path)
		for name, s := range o.Original {
			path, err := b.codec.Path(s)
			if err != nil {
				return fmt.Errorf("operation %s: original %s: %w", o.Name, name, err)
			}
			p.original[o][name] = path
		}
	}
	for s, path := range map[string]*iso8583.Path{
		h.Batch.Number: &p.number, h.Batch.DebitCount: &p.debitCount, h.Batch.DebitAmount: &p.debitAmount,
		h.Batch.CreditCount: &p.creditCount, h.Batch.CreditAmount: &p.creditAmount, h.Batch.Result: &p.result,
		h.Batch.Upload: &p.upload, h.Keys.Download: &p.download, h.Keys.KSN: &p.ksn, cmp.Or(b.policy.CVV2, h.CVV2): &p.cvv2,
	} {
		if s == "" {
			continue
		}
		var err error
		if *path, err = b.codec.Path(s); err != nil {
			return err
		}
	}
	p.agreedEnd = agreedEnd(h)
	if len(h.Dialect.Fields[60].Parts) > 0 { // a part that it lacks stays zero
		p.capability, _ = b.codec.Path(pathCapability)
		p.condition, _ = b.codec.Path(pathCondition)
	}
	customer := h.CustomerID
	if customer == "" && b.has(fieldCustomer) {
		customer = strconv.Itoa(fieldCustomer)
	}
	if customer != "" {
		var err error
		p.customer, err = b.codec.Path(customer)
		return err
	}
	return nil
}

// usable says what this bank cannot work with: a dialect without a field that every answer needs, a reason
// without a code, keys of the wrong size, cards that cannot be told apart.
func (b *Bank) usable(c Config) error {
	h := c.Host
	for _, n := range []int{fieldSTAN, fieldTerminal, fieldCode} {
		if _, ok := h.Dialect.Fields[n]; !ok {
			return fmt.Errorf("the dialect has no field %d", n)
		}
	}
	for _, reason := range hosts.Reasons() {
		if h.Codes[reason] == "" {
			return fmt.Errorf("no code for %q", reason)
		}
	}
	if err := usableKeys(h); err != nil {
		return err
	}
	var err error
	if b.initial, err = initialKeys(h); err != nil {
		return err
	}
	for id, key := range c.Policy.CVK {
		if len(key) != 16 {
			return fmt.Errorf("card %s: the card verification key has %d bytes, want 16", id, len(key))
		}
	}
	return b.index(c)
}

func usableKeys(h *hosts.Host) error {
	if h.Keys.Download != "" && (len(h.Keys.Master) < 16 || len(h.Keys.PIN) == 0 || h.Dialect.MAC != nil && len(h.Keys.MAC) == 0) {
		return fmt.Errorf("a sign-on that downloads keys needs a master key of 16 or 24 bytes, and working keys to begin with")
	}
	if h.Keys.BDK != nil && h.Keys.Scheme == "tdes" && len(h.Keys.BDK) != 16 {
		return fmt.Errorf("the base derivation key: %w", dukpt.ErrKey)
	}
	return nil
}

// index finds cards by number and ID, and holds them against the books.
func (b *Bank) index(c Config) error {
	for i := range c.Cards {
		card := &c.Cards[i]
		if other := b.cards[card.PAN]; other != nil {
			return fmt.Errorf("cards %s and %s have the same number", other.ID, card.ID)
		}
		if b.ids[card.ID] != nil {
			return fmt.Errorf("two cards have the ID %s", card.ID)
		}
		b.cards[card.PAN], b.ids[card.ID] = card, card
		if card.CVK != nil && len(card.CVK) != tdes.DoubleSize {
			return fmt.Errorf("card %s: the card verification key has %d bytes, want %d", card.ID, len(card.CVK), tdes.DoubleSize)
		}
		if card.Chip == nil {
			continue
		}
		var err error
		if b.chips[card.ID], err = emv.NewVerifier(card.Chip.MasterKey, card.PAN, card.Chip.Sequence); err != nil {
			return fmt.Errorf("card %s: %w", card.ID, err)
		}
	}
	for _, id := range c.Policy.Partial {
		if b.ids[id] == nil {
			return fmt.Errorf("policy: partial approval for card %q, which the bank does not have", id)
		}
	}
	return nil
}

// partialFor says whether a card gets a part where it has not the whole.
func (b *Bank) partialFor(id string) bool { return slices.Contains(b.policy.Partial, id) }
