package terminal

import (
	"fmt"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/hosts"
)

// noInstitution is an acquirer or forwarder in DE90 that the dialect doesn't use.
const noInstitution = "00000000000"

// field is what goes into a data element of a request; "" for nothing. s is never nil.
func (a *app) field(n int, o *hosts.Operation, s *sale) string {
	switch n {
	case 2:
		return s.card.pan
	case 3:
		return "000000" // unless the operation says otherwise
	case 4:
		return fmt.Sprintf("%012d", s.amount)
	case 7:
		return de7(s.at)
	case 11:
		return s.stan
	case 12:
		return a.localTime(s.at)
	case 13:
		return s.at.Format("0102")
	case 14:
		return s.card.expiry
	case 22:
		return a.entryMode(s)
	case 23:
		return s.card.sequence()
	case 25:
		return a.condition(o)
	case 35:
		return s.card.track2
	case 37:
		return s.originalRRN()
	case 38:
		return s.originalAuth()
	case 41:
		return a.profile.Identity.Terminal
	case 42:
		return a.profile.Identity.Merchant
	case 48:
		return a.totalsBlock(o)
	case 49:
		return a.profile.Identity.Currency
	case 52:
		return s.pinBlock
	case 55:
		return s.card.data()
	}
	return a.laterField(n, o, s)
}

// laterField are the fields that differ most from dialect to dialect.
func (a *app) laterField(n int, o *hosts.Operation, s *sale) string {
	d, t := a.dialect, a.memory.totals()
	switch n {
	case 26, 53:
		return a.pinFormat(n, s)
	case 56, 90:
		return a.originalData(n, s)
	case 60:
		return a.batchField(o, s)
	case 61:
		if row := s.original; row != nil && d.private {
			return row.Batch + row.STAN + row.At.Format("0102")
		}
	case 74:
		return fmt.Sprintf("%010d", t.creditCount)
	case 76:
		return fmt.Sprintf("%010d", t.debitCount)
	case 86:
		return fmt.Sprintf("%016d", t.creditAmount)
	case 88:
		return fmt.Sprintf("%016d", t.debitAmount)
	}
	return ""
}

// localTime is DE12: hhmmss, in 1993 with the date before it.
func (a *app) localTime(at time.Time) string {
	if a.dialect.ed1993 {
		return at.Format("060102150405")
	}
	return at.Format("150405")
}

// condition is DE25 of 1987: 06 for what belongs to a pre-authorisation.
func (a *app) condition(o *hosts.Operation) string {
	switch {
	case a.dialect.ed1993:
		return "" // a reason there, of reversals only
	case o.Name == opAuthorisation, o.Name == opCompletion, o.Of == opAuthorisation, o.Of == opCompletion:
		return "06"
	}
	return "00"
}

// entryMode is DE22: how the card was read (01 by nobody, 02 stripe, 05 chip, 07 contactless, 80 stripe after the
// chip failed), and whether a PIN was entered (1, 2). In 1993 it is 12 positions, of which 7 says how
// the card was read and 8 how the cardholder was identified.
func (a *app) entryMode(s *sale) string {
	mode := s.card.entry()
	if a.dialect.ed1993 {
		read := map[string]string{entryKeyed: "6", entryStripe: "2", entryFallback: "2", entryChip: "5", entryContactless: "7"}[mode]
		holder := "0"
		if s.pinBlock != "" {
			holder = "1"
		}
		return "51010" + "1" + read + holder + "0144"
	}
	if mode == entryFallback && a.dialect.private {
		mode = entryStripe // which field 60 explains
	}
	if s.pinBlock == "" {
		return mode + "2"
	}
	return mode + "1"
}

// pinFormat says of a PIN block how long the PIN may be (26) and how it was made (53).
func (a *app) pinFormat(n int, s *sale) string {
	switch {
	case s.pinBlock == "" || !a.dialect.private:
		return ""
	case n == 26:
		return fmt.Sprint(maxPIN)
	}
	return "2600000000000000" // with the card number, under a double-length key
}

// originalData names the transaction that a request is about.
func (a *app) originalData(n int, s *sale) string {
	row := s.original
	if row == nil {
		return ""
	}
	if n == 56 {
		return row.MTI + row.STAN + a.localTime(row.At)
	}
	return row.MTI + row.STAN + de7(row.At) + noInstitution + noInstitution
}

// batchField is DE60: the batch number, with UnionPay between type and function of the message, which the
// operation fills in.
func (a *app) batchField(o *hosts.Operation, s *sale) string {
	batch := a.memory.batchNumber()
	if !a.dialect.private {
		return batch
	}
	value := "00" + batch + "000"
	switch o.Name {
	case opPurchase, opAuthorisation, opBalance:
		chip := "0"
		if s.card.entry() == entryFallback {
			chip = "2"
		}
		value += "6" + chip + "1" // reads chips; partial approvals are understood
	}
	return value
}

// totalsBlock is DE48 of a UnionPay settlement: amount and count of debits and credits, the host's
// verdict, the same for foreign cards.
func (a *app) totalsBlock(o *hosts.Operation) string {
	if !a.dialect.private || o.Name != opSettlement && o.Name != opBatchEnd {
		return ""
	}
	t, digit := a.memory.totals(), "0"
	if o.Name == opBatchEnd {
		return fmt.Sprintf("%04d", t.debitCount+t.creditCount)
	}
	home := fmt.Sprintf("%012d%03d%012d%03d", t.debitAmount, t.debitCount, t.creditAmount, t.creditCount)
	return home + digit + strings.Repeat("0", len(home)) + digit
}

// de7 is the transmission date and time, MMDDhhmmss.
func de7(t time.Time) string { return t.Format("0102150405") }
