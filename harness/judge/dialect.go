package judge

import (
	"maps"

	"github.com/assay-hil/assay/harness/record"
)

// translated gives the events with message types and response codes in the words of scenarios. What is in the
// record stays as it was on the wire.
func (c *Case) translated(events []record.Event) []record.Event {
	if c.Tongue == nil {
		return events
	}
	out := make([]record.Event, len(events))
	for i, e := range events {
		out[i] = e
		mti, code, reason := e.Fields["mti"], e.Fields["code"], e.Fields["reason"]
		if (e.Source != "issuer" && e.Source != "network") || mti == "" && code == "" {
			continue
		}
		out[i].Fields = maps.Clone(e.Fields)
		if mti != "" {
			out[i].Fields["mti"] = c.Tongue.CanonicalMTI(mti)
		}
		switch {
		case reason != "":
			out[i].Fields["code"] = c.Tongue.CanonicalReason(reason)
		case code != "":
			out[i].Fields["code"] = c.Tongue.CanonicalCode(code)
		}
	}
	return out
}

// meant is a response code of a scenario as an answer has it after it was translated to the dialect and back:
// several codes of 1987 may be one there.
func (c *Case) meant(code string) string { return c.Tongue.CanonicalCode(c.Tongue.Code(code)) }
