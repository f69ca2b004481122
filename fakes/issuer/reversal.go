package issuer

import (
	"fmt"
	"strings"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// reversal handles an 0400. It may come any number of times, and before its original.
func (b *bank) reversal(m iso8583.Message) outcome {
	if !b.complete(m, reversalFields()) {
		return outcome{code: codeFormat}
	}
	if !strings.HasPrefix(m.Fields[fieldOriginal], "0200"+m.Fields[fieldSTAN]) {
		b.fault(m, "field 90 does not name an 0200 with the STAN in field 11")
		return outcome{code: codeFormat}
	}
	s := b.books.sales[keyOf(m)]
	if s == nil {
		return b.bury(m)
	}
	for _, n := range []int{fieldPAN, fieldAmount, fieldCurrency} {
		if m.Fields[n] != s.request.Fields[n] {
			b.fault(m, fmt.Sprintf("field %d differs from the original's", n))
			return outcome{code: codeInvalid, reference: s.out.reference}
		}
	}
	if m.Fields[fieldOriginal][10:20] != s.request.Fields[fieldTransmission] {
		b.fault(m, "field 90 does not have the original's transmission time")
	}
	return b.undo(m, s)
}

func reversalFields() []int {
	return []int{fieldPAN, fieldProcessing, fieldAmount, fieldTransmission, fieldSTAN, fieldTime, fieldDate, fieldExpiry,
		fieldEntryMode, fieldCondition, fieldCode, fieldTerminal, fieldMerchant, fieldCurrency, fieldOriginal}
}

// bury remembers a reversal whose original is not known (yet).
func (b *bank) bury(m iso8583.Message) outcome {
	k := keyOf(m)
	if b.books.full() && !b.books.tombstones[k] {
		b.fault(m, errFull.Error())
		return outcome{code: codeSystem}
	}
	b.books.tombstones[k] = true
	return outcome{code: codeNoOriginal, effect: client.EffectUnknown}
}

// undo gives the money back, once. A declined sale has nothing to give back.
func (b *bank) undo(m iso8583.Message, s *sale) outcome {
	out := outcome{code: codeApproved, reference: s.out.reference}
	if s.charge == nil {
		return out
	}
	if s.charge.open() && s.charge.record.Settled {
		b.fault(m, "the original is settled already")
	}
	again, err := b.books.reverse(s.charge)
	switch {
	case err != nil:
		b.fault(m, err.Error())
		out.code = codeSystem
	case again:
		out.effect = client.EffectRepeat
	default:
		out.effect = client.EffectReversed
	}
	return out
}
