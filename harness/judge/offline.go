package judge

import (
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// cryptogramGiven finds the type of a cryptogram in the answer to GENERATE AC, in either format (EMV Book 3, 6.5.5.4).
var cryptogramGiven = regexp.MustCompile(`(?m)^ *(?:9F27 |80 )([0-9A-F]{2})`)

// transactionCertificate is what a card answers when it approves.
const transactionCertificate = "40"

// unasked says what is wrong with an approval for which the host was not asked, up to a time, as the end of a sentence. Nothing is when the card gave it with its
// first cryptogram, for a sale below the floor limit of the application (EMV Book 3, 10.6.1).
func (c *Case) unasked(begun record.Event, to int64) string {
	name, started, given, count := "", "", "", 0
	for _, e := range c.Events {
		if e.US < begun.US || e.US > to || !is(e, "card", "exchange") {
			continue
		}
		switch e.Fields["instruction"] {
		case selectFile:
			if m := selected.FindStringSubmatch(e.Fields["command"]); m != nil {
				name = strings.ReplaceAll(m[1], "/", "")
			}
		case processingOptions:
			started, given, count = name, "", 0
		case generateAC:
			count++
			if m := cryptogramGiven.FindStringSubmatch(e.Fields["response"]); m != nil {
				given = m[1]
			}
		}
	}
	if count != 1 || given != transactionCertificate {
		return " although no answer had come"
	}
	if begun.Kind != "sale" {
		return " by the card alone; without the host only a sale may be"
	}
	limit := c.floorLimit(started)
	amount, err := strconv.ParseInt(strings.Replace(begun.Fields["amount"], ".", "", 1), 10, 64)
	if err != nil || amount >= limit {
		return fmt.Sprintf(" by the card alone, and only below the floor limit, %s, need the host not be asked", scenarios.Money(limit))
	}
	return ""
}

// floorLimit is the terminal's for an application of the card's; 0, with which everything goes online, for one that it does not have.
func (c *Case) floorLimit(application string) int64 {
	name, err := hex.DecodeString(application)
	if err != nil || c.Profile.EMV == nil {
		return 0
	}
	return c.Profile.EMV.Application(name).FloorLimit
}

// neverHeard says that a void is about what the host has not heard of up to a time: no request with that trace number has left the
// terminal. There is nothing to be taken back at the host then, and it need not be asked.
func (c *Case) neverHeard(begun record.Event, to int64) bool {
	trace := begun.Fields["trace"]
	return begun.Kind == "void" && trace != "" && !slices.ContainsFunc(c.hostSide(), func(e record.Event) bool {
		return financialRequest(e) && e.Fields["stan"] == trace && e.US <= to
	})
}

// untoldVoid says that the cashier voided a sale of an amount that the host never heard of, neither before nor after it.
func (c *Case) untoldVoid(amount string) bool {
	return slices.ContainsFunc(c.Events, func(e record.Event) bool {
		return begins(e) && e.Fields["of"] == amount && c.neverHeard(e, math.MaxInt64)
	})
}
