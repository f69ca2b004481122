package issuer

import "github.com/assay-hil/assay/protocol/iso8583"

// Network management codes (DE70).
const (
	networkSignOn = "001"
	networkEcho   = "301"
)

// network handles an 0800, sign-on or echo. The issuer keeps no sign-on state: which terminals are
// signed on outlives a setup at the terminal, so a sale without sign-on proves nothing.
func (b *bank) network(m iso8583.Message) outcome {
	if !b.complete(m, []int{fieldTransmission, fieldSTAN, fieldTerminal, fieldMerchant, fieldNetwork}) {
		return outcome{code: codeFormat}
	}
	switch m.Fields[fieldNetwork] {
	case networkSignOn, networkEcho:
		return outcome{code: codeApproved}
	}
	b.fault(m, "field 70 is neither sign-on (001) nor echo (301)")
	return outcome{code: codeInvalid}
}
