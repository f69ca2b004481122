package issuer

import (
	"strconv"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/iso8583"
)

const (
	processingSettlement = "920000" // DE3
	batchDigits          = 6        // DE60
	inBalance            = "1"      // DE66
	outOfBalance         = "2"
	// MaxSettlements bounds the list of settlements; later ones are judged, but not listed.
	MaxSettlements = 1000
)

// settlement handles an 0500: the terminal's totals against the books. In balance the batch is closed;
// out of balance it stays open.
func (b *bank) settlement(m iso8583.Message) outcome {
	if !b.complete(m, []int{fieldProcessing, fieldTransmission, fieldSTAN, fieldTerminal, fieldMerchant, fieldCurrency,
		fieldBatch, fieldDebits, fieldDebitSum}) {
		return outcome{code: codeFormat}
	}
	claim, err := claimed(m)
	if err != nil {
		b.fault(m, "field 60 is not a batch number of 6 digits")
		return outcome{code: codeFormat}
	}
	if m.Fields[fieldProcessing] != processingSettlement {
		return outcome{code: codeInvalid}
	}
	terminal := m.Fields[fieldTerminal]
	count, amount := b.books.totals(terminal, claim.currency)
	agrees := claim.count == count && claim.amount == amount
	if !agrees && count == 0 && b.books.settled[terminal] == claim {
		// The answer to the first one was lost: the terminal asks again for a batch that is closed.
		return outcome{code: codeApproved, settlement: inBalance, effect: client.EffectRepeat}
	}
	if len(b.settlements) < MaxSettlements {
		b.settlements = append(b.settlements, client.Settlement{
			Terminal: terminal, At: time.Now(), Agrees: agrees,
			TerminalCount: claim.count, TerminalAmount: claim.amount, HostCount: count, HostAmount: amount,
		})
	}
	if !agrees {
		return outcome{code: codeApproved, settlement: outOfBalance}
	}
	b.books.settle(terminal, claim)
	return outcome{code: codeApproved, settlement: inBalance}
}

// claimed reads what the terminal says that it has sold.
func claimed(m iso8583.Message) (batch, error) {
	claim := batch{number: m.Fields[fieldBatch], currency: m.Fields[fieldCurrency]}
	if len(claim.number) != batchDigits {
		return batch{}, strconv.ErrSyntax
	}
	if _, err := strconv.ParseUint(claim.number, 10, 32); err != nil {
		return batch{}, err
	}
	var err error
	if claim.count, err = strconv.ParseInt(m.Fields[fieldDebits], 10, 64); err != nil {
		return batch{}, err
	}
	claim.amount, err = strconv.ParseInt(m.Fields[fieldDebitSum], 10, 64)
	return claim, err
}
