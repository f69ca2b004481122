package bank

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/ledger"
	"github.com/assay-hil/assay/protocol/mask"
)

// transaction is a financial request that was answered by the books, approved or not.
type transaction struct {
	memo     ledger.Memo
	terminal string
	card     string // ID; "" for an unknown one
	pan      string // in memory only: an unknown card has no ID
	asked    int64
	amount   int64 // approved
	currency string
	entry    uint64         // in the ledger
	said     map[int]string // what a reversal of it must repeat; in memory only
	next     *transaction   // the same identity with another reference of the terminal's
}

// approved says whether it was.
func (t *transaction) approved() bool { return t.memo.Reason == approved || t.memo.Reason == partial }

// transactions finds them again by what later messages name them by. It belongs to whoever holds
// Bank.mu.
type transactions struct {
	byIdentity map[string]*transaction
	byRRN      map[string][]*transaction
	byAuth     map[string][]*transaction
	byTrace    map[string][]*transaction // terminal and STAN
	// buried are the identities of transactions that were reversed before they were heard of.
	buried map[string]bool
	// scripts are the identities of script results.
	scripts map[string]bool
}

func newTransactions() transactions {
	return transactions{
		byIdentity: make(map[string]*transaction), byRRN: make(map[string][]*transaction),
		byAuth: make(map[string][]*transaction), byTrace: make(map[string][]*transaction), buried: make(map[string]bool),
		scripts: make(map[string]bool),
	}
}

func trace(terminal, stan string) string { return terminal + "|" + stan }

func (x *transactions) remember(t *transaction) {
	t.next = x.byIdentity[t.memo.Identity]
	x.byIdentity[t.memo.Identity] = t
	x.byRRN[t.memo.RRN] = append(x.byRRN[t.memo.RRN], t)
	if t.memo.Auth != "" {
		x.byAuth[t.memo.Auth] = append(x.byAuth[t.memo.Auth], t)
	}
	k := trace(t.terminal, t.memo.STAN)
	x.byTrace[k] = append(x.byTrace[k], t)
}

// identified finds the transaction with an identity. Where request and transaction both have a
// reference of the terminal's side (DE37), it must be the same.
func (x *transactions) identified(identity, sent string) *transaction {
	for t := x.byIdentity[identity]; t != nil; t = t.next {
		if sent == "" || t.memo.Sent == "" || t.memo.Sent == sent || t.memo.RRN == sent {
			return t
		}
	}
	return nil
}

// named finds the latest approved transaction of one of these operations that has everything which is
// named, by hosts.OriginalKeys.
func (x *transactions) named(terminal string, named map[string]string, operations ...string) *transaction {
	var found []*transaction
	switch {
	case named["rrn"] != "":
		found = x.byRRN[named["rrn"]]
	case named["stan"] != "":
		found = x.byTrace[trace(terminal, named["stan"])]
	case named["authorisation"] != "":
		found = x.byAuth[named["authorisation"]]
	}
	for _, t := range slices.Backward(found) {
		if t.terminal == terminal && t.approved() && slices.Contains(operations, t.memo.Operation) && t.has(named) {
			return t
		}
	}
	return nil
}

// has says whether a transaction has the values that a message names its original by.
func (t *transaction) has(named map[string]string) bool {
	for name, value := range named {
		mine := ""
		switch name {
		case "mti":
			mine = t.memo.MTI
		case "stan":
			mine = t.memo.STAN
		case "rrn":
			mine = t.memo.RRN
		case "authorisation":
			mine = t.memo.Auth
		case "batch":
			mine = t.memo.Batch
		case "time":
			if t.when(value) {
				continue
			}
		}
		if mine != value {
			return false
		}
	}
	return true
}

// when says whether a time is the transaction's, in one of the forms in which messages carry it: DE7, DE12,
// DE13, both of them, or the beginning of one of these.
func (t *transaction) when(value string) bool {
	m := t.memo
	for _, mine := range []string{m.Transmission, m.Time, m.Date + m.Time} {
		if strings.HasPrefix(mine, value) {
			return true
		}
	}
	return false
}

// memo is what the books remember of a request.
func (b *Bank) memo(q *inquiry) ledger.Memo {
	m := ledger.Memo{
		Operation: q.Operation.Name, MTI: q.Operation.Request, Identity: q.identity, STAN: q.f[fieldSTAN],
		RRN: b.nextReference(q), Sent: q.f[fieldRRN], Transmission: q.f[fieldTransmission],
		Time: q.f[fieldTime], Date: q.f[fieldDate], Customer: q.customer(b),
	}
	if !b.paths.batch.IsZero() {
		m.Batch, _ = b.codec.Get(q.Message, b.paths.batch)
	}
	if !b.paths.ownTime && m.Time == "" {
		now := time.Now()
		m.Time, m.Date = now.Format("150405"), now.Format("0102")
	}
	return m
}

// customer is the customer ID of a purchase, or of the advice of one (in DE48, unless the dialect says where), unless it shows the
// card's number or anything that looks like one.
func (q *inquiry) customer(b *Bank) string {
	path := b.paths.customer
	value, ok := b.codec.Get(q.Message, path)
	if !ok || q.Operation.Name != opPurchase && q.Operation.Name != opAdvice {
		return ""
	}
	if b.host.Dialect.Fields[path.Field()].Sensitive != "" || q.pan != "" && strings.Contains(value, q.pan) || mask.Text(value) != value {
		return b.codec.Masked(q.Message)[strconv.Itoa(path.Field())]
	}
	const most = 64
	return value[:min(len(value), most)]
}
