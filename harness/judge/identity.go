package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-hil/assay/fixtures/scenarios"
)

// misnamed are charges that carry another customer ID than the cashier typed last for that sale. Sales are told
// apart by their amounts; where nothing was typed nothing is compared.
func (c *Case) misnamed() []string {
	if c.Profile.CustomerID == nil {
		return nil
	}
	var problems []string
	for _, ch := range c.States[Audit].Charges {
		typed, in := "", false
		for i := range c.Events {
			if c.Events[i].Source != "harness" {
				continue
			}
			switch e := c.Events[i]; {
			case begins(e):
				in = e.Kind == "sale" && e.Fields["amount"] == scenarios.Money(asked(ch))
			case in && is(e, "harness", "typed") && e.Fields["into"] == "customer-id":
				typed = e.Fields["text"]
			}
		}
		if typed != "" && ch.CustomerID != typed {
			problems = append(problems, fmt.Sprintf("the sale of %s went to the host for customer %q, typed was %q",
				scenarios.Money(asked(ch)), ch.CustomerID, typed))
		}
	}
	return problems
}

// renumbered are trace numbers that the terminal gave to two things, or that are none. A message that is sent again within its sale
// keeps its number, and a reversal carries that of its sale.
func (c *Case) renumbered() []string {
	var problems []string
	type use struct {
		mti  string
		sale int
	}
	seen := map[string]use{}
	sale := 0
	for _, e := range c.Events {
		if begins(e) {
			sale++
		}
		if !fromTerminal(e, "") || !slices.Contains([]string{"0100", "0200", "0220", "0500", "0800"}, e.Fields["mti"]) {
			continue
		}
		if stan := e.Fields["stan"]; stan != "" && strings.Trim(stan, "0") == "" {
			problems = append(problems, fmt.Sprintf("an %s has the trace number %s; they go from 1 to 999999", e.Fields["mti"], stan))
		}
		now := use{e.Fields["mti"], sale}
		if before, ok := seen[e.Fields["stan"]]; ok && before != now {
			problems = append(problems, fmt.Sprintf("trace %s was used for an %s and again for an %s", e.Fields["stan"], before.mti, now.mti))
		}
		seen[e.Fields["stan"]] = now
	}
	return problems
}
