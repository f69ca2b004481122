package issuer

import (
	"fmt"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// MaxViolations bounds the list; the first ones are kept, since they explain the rest.
const MaxViolations = 1000

// violations are messages that a real host would call protocol errors, in words.
type violations struct {
	texts []string
	more  int
}

func (v *violations) add(text string) {
	if len(v.texts) == MaxViolations {
		v.more++
		return
	}
	v.texts = append(v.texts, text)
}

func (v *violations) list() []string {
	texts := append([]string{}, v.texts...)
	if v.more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", v.more))
	}
	return texts
}

// violate records a violation. The text must not contain card data.
func (b *bank) violate(text string) {
	b.violations.add(text)
	b.events.Append(eventViolation, map[string]string{"text": text})
}

// fault records what is wrong with a message.
func (b *bank) fault(m iso8583.Message, why string) {
	b.violate(label(m.MTI, m.Fields[fieldTerminal], m.Fields[fieldSTAN]) + ": " + why)
}

// label names a message by what could be read of it.
func label(mti, terminal, stan string) string {
	if mti == "" {
		mti = "message"
	}
	if terminal != "" {
		mti += " terminal " + terminal
	}
	if stan != "" {
		mti += " STAN " + stan
	}
	return mti
}
