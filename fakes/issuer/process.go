package issuer

import (
	"fmt"
	"slices"
	"time"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// decision is what the bank does with one message.
type decision struct {
	bank   *bank
	rule   string        // name of the rule that was used
	late   time.Duration // wait before the answer
	effect string
	reply  iso8583.Message
	wire   []byte // the packed reply; nil: no answer
}

// outcome is what came of a request, in the fields of its answer.
type outcome struct {
	code       string // DE39
	reference  string // DE37; empty: a new one
	settlement string // DE66; only a settlement has one
	effect     string // what the ledger did: one of client's effects
}

// process decides on one message and records it. Rules come first; a code posts nothing.
func (b *bank) process(m iso8583.Message) decision {
	if answerTo(m.MTI) == "" {
		b.received(m, "", "")
		b.fault(m, "not a request that this host knows")
		return decision{bank: b}
	}
	rule := b.rules.next(m.MTI)
	var out outcome
	switch {
	case rule.Answer.Code != "":
		out = outcome{code: rule.Answer.Code}
	case m.MTI == "0200":
		out = b.purchase(m)
	case m.MTI == "0400":
		out = b.reversal(m)
	case m.MTI == "0500":
		out = b.settlement(m)
	case m.MTI == "0800":
		out = b.network(m)
	}
	b.received(m, rule.Name, out.effect)
	d := decision{bank: b, rule: rule.Name, late: rule.Answer.Late, effect: out.effect}
	if rule.Answer.Never {
		return d
	}
	d.reply = b.answer(m, out)
	wire, err := b.codec.Pack(d.reply)
	if err != nil { // a rule's code that the dialect's DE39 cannot hold
		b.fault(m, fmt.Sprintf("the issuer cannot write its answer: %v", err))
		return d
	}
	d.wire = wire
	return d
}

// answerTo gives the MTI of the answer; "" for what is no request to this host.
func answerTo(mti string) string {
	switch mti {
	case "0200":
		return "0210"
	case "0400":
		return "0410"
	case "0500":
		return "0510"
	case "0800":
		return "0810"
	}
	return ""
}

// echoed are the fields that go back as they came, where they came.
func echoed(mti string) []int {
	switch mti {
	case "0200":
		return []int{fieldProcessing, fieldAmount, fieldTransmission, fieldSTAN, fieldTime, fieldDate,
			fieldTerminal, fieldMerchant, fieldCurrency}
	case "0400":
		return []int{fieldProcessing, fieldAmount, fieldTransmission, fieldSTAN, fieldTerminal, fieldMerchant, fieldCurrency}
	case "0500":
		return []int{fieldProcessing, fieldTransmission, fieldSTAN, fieldTerminal, fieldMerchant, fieldCurrency, fieldBatch}
	}
	return []int{fieldTransmission, fieldSTAN, fieldTerminal, fieldMerchant, fieldNetwork}
}

// answer builds the reply to a request.
func (b *bank) answer(m iso8583.Message, out outcome) iso8583.Message {
	fields := map[int]string{fieldCode: out.code}
	for _, n := range echoed(m.MTI) {
		if v, ok := m.Fields[n]; ok {
			fields[n] = v
		}
	}
	if m.MTI == "0200" || m.MTI == "0400" {
		if out.reference == "" {
			out.reference = b.reference()
		}
		fields[fieldRRN] = out.reference
	}
	if m.MTI == "0200" && out.code == codeApproved {
		fields[fieldAuth] = out.reference[len(out.reference)-authLength:]
	}
	if m.MTI == "0200" {
		if proof := b.proof(m, out.code); proof != "" {
			fields[fieldChip] = proof
		}
	}
	if out.settlement != "" {
		fields[fieldSettlement] = out.settlement
	}
	return iso8583.Message{MTI: answerTo(m.MTI), Fields: fields}
}

// authLength is the length of DE38.
const authLength = 6

// reference gives the next retrieval reference number (DE37), from 000000000001 in each setup.
func (b *bank) reference() string {
	b.references++
	return fmt.Sprintf("%012d", b.references)
}

// missing gives the first mandatory field that a message lacks; 0 for none.
func missing(m iso8583.Message, mandatory []int) int {
	slices.Sort(mandatory)
	for _, n := range mandatory {
		if _, ok := m.Fields[n]; !ok {
			return n
		}
	}
	return 0
}

// complete says whether a message has its mandatory fields; it records a violation otherwise.
func (b *bank) complete(m iso8583.Message, mandatory []int) bool {
	n := missing(m, mandatory)
	if n != 0 {
		b.fault(m, fmt.Sprintf("field %d is missing", n))
	}
	return n == 0
}
