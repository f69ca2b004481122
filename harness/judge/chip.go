package judge

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// Classes and instructions: GENERATE AC and GET PROCESSING OPTIONS (EMV Book 3, 6.5.5 and 6.5.8), SELECT (Book 1, 11.3).
const (
	generateAC        = "80AE"
	processingOptions = "80A8"
	selectFile        = "00A4"
)

// verificationResults finds the TVR (tag 95) among the data of a cryptogram, as package harness records them.
var verificationResults = regexp.MustCompile(`(?m)^ *95 ([0-9A-F/]+)$`)

// tvr looks whether a bit is set in what the card was told with its last cryptogram. want is a byte and a bit, from 1, as 5.7.
func (c *Case) tvr(w *window, want string, check *record.Check) {
	asked := c.all(w, func(e record.Event) bool {
		return is(e, "card", "exchange") && e.Fields["instruction"] == generateAC && verificationResults.MatchString(e.Fields["command"])
	})
	if len(asked) == 0 {
		check.Observed = "the card was asked for no cryptogram, or not told the verification results"
		return
	}
	last := asked[len(asked)-1]
	text := strings.ReplaceAll(verificationResults.FindStringSubmatch(last.Fields["command"])[1], "/", "")
	check.Observed, check.AtUS = "TVR "+text, last.US
	var at, bit int
	results, err := hex.DecodeString(text)
	if _, scan := fmt.Sscanf(want, "%d.%d", &at, &bit); err != nil || scan != nil || at > len(results) {
		return
	}
	if results[at-1]>>(bit-1)&1 == 1 {
		check.Verdict = record.Pass
	}
}

// selected finds the name in a SELECT, as package harness records it.
var selected = regexp.MustCompile(`^4F ([0-9A-F/]+)$`)

// application looks which application the terminal had selected when it started one last.
func (c *Case) application(w *window, want string, check *record.Check) {
	name, started := "", ""
	for _, e := range c.all(w, func(e record.Event) bool { return is(e, "card", "exchange") }) {
		switch m := selected.FindStringSubmatch(e.Fields["command"]); {
		case e.Fields["instruction"] == selectFile && m != nil:
			name = strings.ReplaceAll(m[1], "/", "")
		case e.Fields["instruction"] == processingOptions:
			started, check.AtUS = name, e.US
		}
	}
	check.Observed = "no application was started"
	if started != "" {
		check.Observed = "the application " + started + " was used"
	}
	if started == want {
		check.Verdict = record.Pass
	}
}

// cryptogram looks what the terminal asked the last application for first: bits 8 and 7 of P1 (EMV Book 3, table 12).
func (c *Case) cryptogram(w *window, want string, check *record.Check) {
	check.Observed = "the card was asked for no cryptogram"
	asked := ""
	for _, e := range c.all(w, func(e record.Event) bool { return is(e, "card", "exchange") }) {
		switch p1, err := hex.DecodeString(e.Fields["parameters"]); {
		case e.Fields["instruction"] == processingOptions:
			asked = ""
		case e.Fields["instruction"] == generateAC && asked == "" && err == nil && len(p1) == 2:
			asked, check.AtUS = [4]string{"decline", "approve", "online", "nothing known"}[p1[0]>>6], e.US
			check.Observed = "the card was asked first for the cryptogram to " + strings.Replace(asked, "online", "go online", 1)
		}
	}
	if asked == want {
		check.Verdict = record.Pass
	}
}

// early are issuer's commands, which have the class 84 or 8C of secure messaging, that the terminal gave to a card before its
// second cryptogram. The issuer sends them in template 72, whose place is after it (EMV Book 3, 10.10).
func (c *Case) early() []string {
	var problems []string
	cryptograms := 0
	for _, e := range c.Events {
		if e.Source != "card" {
			continue
		}
		switch instruction := e.Fields["instruction"]; {
		case e.Kind == "reset":
			cryptograms = 0
		case instruction == generateAC:
			cryptograms++
		case (strings.HasPrefix(instruction, "84") || strings.HasPrefix(instruction, "8C")) && cryptograms < 2:
			problems = append(problems, fmt.Sprintf("the command %s came after %d cryptograms", instruction, cryptograms))
		}
	}
	return problems
}

// requested finds in a card's answer that it asks for the host: the cryptogram information (tag 9F27) of an ARQC.
var requested = regexp.MustCompile(`(?m)^ *9F27 80$`)

// tellingTime is how long a card must have stayed after the terminal gave its answer up, before nobody can say any more that it was taken
// away from a terminal that was about to tell it. tellingOrder is how late an exchange may be noted beside the screen.
const (
	tellingTime  = 2 * time.Second
	tellingOrder = 100 * time.Millisecond
)

// leftAsking are cards in the slot that asked for the host and then stayed there until the terminal was done with them, without a
// second GENERATE AC, by which a card learns of an answer and of none (EMV Book 3, 10.11; Book 4, 6.3.7).
func (c *Case) leftAsking() []string {
	var problems []string
	slot, asked, over := false, false, int64(-1)
	for i, e := range c.Events {
		switch {
		case e.Source == "card" && e.Kind == "exchange":
			if e.Fields["instruction"] == generateAC {
				asked, over = slot && !asked && requested.MatchString(e.Fields["response"]), -1
			}
		case e.Source == "card" && e.Kind == "insert":
			slot, asked = true, false
		case asked && over >= 0 && is(e, "card", "remove") && e.US-over >= tellingTime.Microseconds():
			problems = append(problems, "a card that asked for the host got no second GENERATE AC")
			asked = false
		case e.Source == "card" && e.Kind == "power-off": // by the terminal, which is no excuse
		case e.Source == "card", e.Source == "power": // taken out, tapped, reset; without power
			slot, asked = slot && e.Kind == "reset", false
		case asked && slices.ContainsFunc(prompts(e), func(p string) bool { return slices.Contains(gaveUpPrompts, p) }):
			if over < 0 {
				over = e.US // it may still be told on this screen
			}
		case asked && slices.ContainsFunc(prompts(e), func(p string) bool { return p == "remove-card" || p == "idle" }) && !c.toldBy(i, e.US+tellingOrder.Microseconds()):
			problems = append(problems, "a card that asked for the host got no second GENERATE AC")
			asked = false
		}
	}
	return problems
}

// toldBy says whether a GENERATE AC is noted after an event and no later than at a time, in µs.
func (c *Case) toldBy(after int, us int64) bool {
	return slices.ContainsFunc(c.Events[after+1:], func(e record.Event) bool {
		return e.US <= us && is(e, "card", "exchange") && e.Fields["instruction"] == generateAC
	})
}
