package bank

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/ledger"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// MaxSettlements bounds the list of settlements; later ones are judged, but not listed.
const MaxSettlements = 1000

// claim is what a terminal says that it has done in a batch.
type claim struct {
	number, currency string
	totals           ledger.Totals
	credits          bool // the terminal speaks of credits
}

// errBatch: a batch number that is none.
var errBatch = errors.New("not a batch number of 1 to 6 digits")

// claimed reads a settlement's totals.
func (b *Bank) claimed(q *inquiry) (claim, error) {
	c := claim{currency: q.currency}
	c.number, _ = b.codec.Get(q.Message, b.paths.number)
	if _, err := strconv.ParseUint(c.number, 10, 32); err != nil || len(c.number) > batchDigits {
		return claim{}, fmt.Errorf("%s is %w", b.paths.number, errBatch)
	}
	for _, x := range []struct {
		path     iso8583.Path
		to       *int64
		optional bool
	}{
		{b.paths.debitCount, &c.totals.DebitCount, false}, {b.paths.debitAmount, &c.totals.DebitAmount, false},
		{b.paths.creditCount, &c.totals.CreditCount, true}, {b.paths.creditAmount, &c.totals.CreditAmount, true},
	} {
		value, ok := b.codec.Get(q.Message, x.path)
		if !ok && x.optional {
			continue
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return claim{}, fmt.Errorf("%s is no number", x.path)
		}
		*x.to = n
		c.credits = c.credits || x.optional
	}
	return c, nil
}

// agrees holds a claim against the books.
func (c claim) agrees(t ledger.Totals) bool {
	if !c.credits {
		t.CreditCount, t.CreditAmount = 0, 0
	}
	return c.totals == t
}

// text is how the books keep a claim, and whether it was agreed to.
func (c closed) text() string {
	t := c.claim.totals
	return fmt.Sprintf("%d/%d %d/%d credits=%t agrees=%t", t.DebitCount, t.DebitAmount, t.CreditCount, t.CreditAmount, c.claim.credits, c.agrees)
}

// closedBy reads what an entry of the books has closed; nil where it does not say.
func closedBy(e ledger.Entry) *closed {
	c := &closed{claim: claim{number: e.Memo.Batch, currency: e.Currency}}
	t := &c.claim.totals
	_, err := fmt.Sscanf(e.Memo.Claim, "%d/%d %d/%d credits=%t agrees=%t",
		&t.DebitCount, &t.DebitAmount, &t.CreditCount, &t.CreditAmount, &c.claim.credits, &c.agrees)
	if err != nil {
		return nil
	}
	return c
}

// settlement judges a terminal's totals. In balance its batch is closed; out of balance the terminal
// uploads what it has, and the batch is closed by the end of that.
func (b *Bank) settlement(q *inquiry) outcome {
	c, err := b.claimed(q)
	if err != nil {
		q.fault("%v", err)
		return outcome{reason: formatError}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.session(q.Terminal())
	if s == nil {
		q.fault("more than %d terminals", MaxTerminals)
		return outcome{reason: systemError}
	}
	q.numbered(c, s.closed)
	totals := b.book.Totals(q.Terminal(), c.currency)
	agrees := c.agrees(totals)
	if !agrees && totals == (ledger.Totals{}) && s.closed != nil && s.closed.claim == c {
		// The answer to the first one was lost: the terminal asks again for a batch that is closed.
		return b.judged(s.closed.agrees, client.EffectRepeat)
	}
	b.record(q, c, totals, agrees)
	if !agrees {
		if s.upload == nil || s.upload.claim != c {
			s.upload = &upload{claim: c, listed: b.lastListed(), rows: make(map[string]row)}
		}
		return b.judged(false, client.EffectUnbalanced)
	}
	if err := b.closeBatch(q, s, c, true); err != nil {
		q.fault("%v", err)
		return outcome{reason: systemError}
	}
	return b.judged(true, client.EffectSettled)
}

// judged is an answer that says whether the totals agree.
func (b *Bank) judged(agrees bool, effect string) outcome {
	return outcome{reason: approved, effect: effect, change: func(reply *iso8583.Message) error {
		if b.paths.result.IsZero() {
			return nil
		}
		value := b.host.Batch.Differ
		if agrees {
			value = b.host.Batch.Agree
		}
		return b.codec.Set(reply, b.paths.result, value)
	}}
}

// record lists a settlement.
func (b *Bank) record(q *inquiry, c claim, t ledger.Totals, agrees bool) {
	if len(b.settlements) == MaxSettlements {
		return
	}
	b.settlements = append(b.settlements, client.Settlement{
		Terminal: q.Terminal(), At: time.Now(), Agrees: agrees, Closed: agrees, Batch: c.number, Currency: c.currency,
		TerminalCount: c.totals.DebitCount, TerminalAmount: c.totals.DebitAmount,
		HostCount: t.DebitCount, HostAmount: t.DebitAmount,
		TerminalCreditCount: c.totals.CreditCount, TerminalCreditAmount: c.totals.CreditAmount,
		HostCreditCount: t.CreditCount, HostCreditAmount: t.CreditAmount,
	})
}

// lastListed is the place of the settlement that was recorded last; -1 where the list was full.
func (b *Bank) lastListed() int {
	if len(b.settlements) == MaxSettlements {
		return -1
	}
	return len(b.settlements) - 1
}

// closeBatch settles what a terminal has done and begins its next batch.
func (b *Bank) closeBatch(q *inquiry, s *session, c claim, agrees bool) error {
	last := &closed{claim: c, agrees: agrees}
	memo := ledger.Memo{Operation: q.Operation.Name, MTI: q.Operation.Request, STAN: q.f[fieldSTAN], Batch: c.number, Claim: last.text()}
	_, err := b.book.Post(ledger.Entry{Kind: ledger.Settle, Terminal: q.Terminal(), Currency: c.currency, Memo: memo})
	if err != nil {
		return err
	}
	s.upload, s.closed = nil, last
	s.unended = agrees && b.paths.agreedEnd != nil
	s.batch = nextBatch(c.number)
	return nil
}

// nextBatch counts a batch number up; the one after 999999 is 1.
func nextBatch(number string) int {
	const most = 999_999
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n >= most {
		return 1
	}
	return n + 1
}
