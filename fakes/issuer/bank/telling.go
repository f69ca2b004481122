package bank

import (
	"maps"
	"slices"
	"strings"

	"github.com/assay-hil/assay/fixtures/hosts"
)

// A host takes the messages below as they are: no money is wrong yet. But somebody bears a risk without knowing, or can't
// match a message later, so each is a fault, and its answer stays what it is.

// Where a dialect says what the terminal's reader could do, and how reading the chip went (UnionPay, field 60); and the
// condition that tells a batch's end which agreed from one that differed.
const (
	pathCapability = "60.read-capability"
	pathCondition  = "60.chip-condition"
	pathFunction   = "60.function"
	functionAgreed = "207"
)

// Values of DE22 of 1987, 3 digits, of which the first two say how the card was read; and what the chip's condition says
// after a failed reading.
const (
	entryModeLength = 3
	readStripe      = "02"
	readFallback    = "80"
	chipFailed      = "2"
)

// misread faults a request that tells wrongly how its card was read.
func (b *Bank) misread(q *inquiry) {
	mode := q.f[fieldEntryMode]
	if len(mode) != entryModeLength || !slices.Contains([]string{opPurchase, opAuthorisation, opBalance}, q.Operation.Name) {
		return
	}
	read := mode[:2]
	fallback := read == readFallback
	if !b.paths.condition.IsZero() {
		if _, told := b.codec.Get(q.Message, b.paths.capability); !told {
			q.fault("%s is missing: what the terminal can read", pathCapability)
		}
		condition, _ := b.codec.Get(q.Message, b.paths.condition)
		if fallback {
			q.fault("field 22 is %s: this host is told of a failed chip in %s", mode, pathCondition)
		}
		fallback = condition == chipFailed
	}
	if read == readStripe || fallback {
		for _, n := range []int{fieldSequence, fieldChip} {
			if _, has := q.f[n]; has {
				q.fault("field %d is a chip's, and the stripe was read", n)
			}
		}
	}
	_, rest, _ := cutTrack(q.f[fieldTrack2])
	hasChip := len(rest) > expiryLength && strings.ContainsRune("26", rune(rest[expiryLength])) // its service code
	switch {
	case read == readStripe && hasChip && !fallback:
		q.fault("the stripe of a card with a chip was read, and nothing says why")
	case read != readStripe && read != readFallback && fallback:
		q.fault("%s says that the chip failed, and field 22 that it was read", pathCondition)
	}
}

// unrepeated faults a reversal that leaves out or changes what its original had: without it other hosts don't find the card
// or the transaction.
func (q *inquiry) unrepeated(t *transaction) {
	for _, n := range repeated {
		first, had := t.said[n]
		value, has := q.f[n]
		switch {
		case had && !has && n == fieldEntryMode: // not every dialect wants it there
		case had && !has:
			q.fault("field %d of the original is not repeated", n)
		case had && value != first && n != fieldAmount: // which is held against the books
			q.fault("field %d differs from the original's", n)
		}
	}
}

// repeated are the fields that a reversal has as its original had them.
var repeated = []int{fieldPAN, fieldProcessing, fieldAmount, fieldExpiry, fieldEntryMode, fieldCurrency}

// said keeps what a reversal must repeat; in memory only.
func (q *inquiry) said() map[int]string {
	said := make(map[int]string, len(repeated))
	for _, n := range repeated {
		if value, ok := q.f[n]; ok {
			said[n] = value
		}
	}
	return said
}

// Function codes of 1993 (DE24) of a completion: as much as was authorised, or another amount.
const (
	completionSame  = "201"
	completionOther = "202"
)

// completes faults a completion whose function code does not fit its amount.
func (q *inquiry) completes(authorised int64) {
	same := q.amount == authorised
	if code := q.f[fieldFunction]; code == completionSame && !same || code == completionOther && same {
		q.fault("function %s of a completion of %d, authorised are %d", code, q.amount, authorised)
	}
}

// agreedEnd is the operation that ends a batch which agreed; nil where a dialect has none of its own.
func agreedEnd(h *hosts.Host) *hosts.Operation {
	for i := range h.Operations {
		o := &h.Operations[i]
		if o.Name == opBatchEnd && slices.ContainsFunc(o.When, func(c hosts.Condition) bool {
			return c.Path == pathFunction && c.Pattern == functionAgreed
		}) {
			return o
		}
	}
	return nil
}

// endsOtherwise faults the end of a batch that says other than the settlement did. s is the terminal's session.
func (b *Bank) endsOtherwise(q *inquiry, s *session) {
	agreed := s.upload == nil && s.closed != nil && s.closed.agrees
	if own := b.paths.agreedEnd; own != nil && agreed != (q.Operation == own) && (agreed || s.upload != nil) {
		q.fault("the end of a batch says that it agrees: %t, the settlement said %t", q.Operation == own, agreed)
	}
	s.unended = false
}

// numbered faults a batch number that tells no batch from another. last is the batch that was closed last; nil: none.
func (q *inquiry) numbered(c claim, last *closed) {
	switch {
	case strings.Trim(c.number, "0") == "":
		q.fault("batch %s: they go from 1", c.number)
	case last != nil && last.claim.number == c.number && last.claim != c:
		q.fault("batch %s again, with other totals than those it was closed with", c.number)
	}
}

// unreferenced faults a message about a transaction that leaves out the bank's reference of it, where the dialect has a
// place for it.
func (b *Bank) unreferenced(q *inquiry, of *transaction) {
	if _, place := b.paths.original[q.Operation]["rrn"]; place && of.memo.RRN != "" && q.named["rrn"] == "" {
		q.fault("the reference of the original is not named")
	}
}

// misbatched faults a message whose original is found by its reference, and not in the batch that is named with it: mostly that is the
// open one, and the original is of one before.
func (b *Bank) misbatched(q *inquiry) {
	operations := about(q.Operation.Name)
	if q.named["rrn"] == "" || q.named["batch"] == "" || b.known.named(q.Terminal(), q.named, operations...) != nil {
		return
	}
	rest := maps.Clone(q.named)
	delete(rest, "batch")
	if o := b.known.named(q.Terminal(), rest, operations...); o != nil {
		q.fault("the original is named as of batch %s, it is of batch %s", q.named["batch"], o.memo.Batch)
	}
}

// goesOn faults a transaction of a terminal that has not told the end of the batch before. s may be nil.
func (q *inquiry) goesOn(s *session) {
	if s != nil && s.unended {
		s.unended = false // said once
		q.fault("the end of the batch that agreed was not told before")
	}
}
