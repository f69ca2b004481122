package iso8583

import (
	"fmt"
	"strconv"
	"strings"
)

// shortestPAN is the fewest digits a card number has here: a shorter value of a "pan" field is
// an expiry date, which may well turn up inside another value by chance.
const shortestPAN = 12

// Masked gives the values by field number, fit for logs and files: a sensitive one as its
// kind and length only ("[pan 16]"; bytes are counted for b fields). So is a field
// that the dialect does not know, and a free one in which the message's card number turns up.
func (c *Codec) Masked(m Message) map[string]string {
	var pans []string
	for n, value := range m.Fields {
		if c.dialect.Fields[n].Sensitive == "pan" && len(value) >= shortestPAN {
			pans = append(pans, value)
		}
	}
	out := make(map[string]string, len(m.Fields))
	for n, value := range m.Fields {
		f, known := c.dialect.Fields[n]
		kind := f.Sensitive
		switch {
		case !known:
			kind = "unknown"
		case kind == "" && containsAny(value, pans):
			kind = "pan inside"
		}
		if kind != "" {
			value = fmt.Sprintf("[%s %d]", kind, characters(f, value))
		}
		out[strconv.Itoa(n)] = value
	}
	return out
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
