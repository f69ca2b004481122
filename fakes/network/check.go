package network

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/strict"
)

// ErrPlan: a plan cannot be armed as it is. The plan before it stays in force.
var ErrPlan = errors.New("plan")

// check says what is wrong with a plan, everything at once; the error is ErrPlan.
func (s *Server) check(spec client.Plan) error {
	var wrong []error
	if n := len(spec.Faults); n > MaxFaults {
		return fmt.Errorf("%w: %d faults, at most %d", ErrPlan, n, MaxFaults)
	}
	for i, f := range spec.Faults {
		texts := append(checkFault(f), s.checkWords(f)...)
		for _, before := range spec.Faults[:i] {
			if text := checkPair(before, f); text != "" {
				texts = append(texts, text)
			}
		}
		for _, text := range texts {
			wrong = append(wrong, fmt.Errorf("%w: fault %d (%.*q): %s", ErrPlan, i+1, maxName, f.ID, text))
		}
	}
	return errors.Join(wrong...)
}

// checkFault says what is wrong with a fault on whatever injector.
func checkFault(f client.Fault) (wrong []string) {
	if f.ID == "" || len(f.ID) > maxName {
		wrong = append(wrong, fmt.Sprintf("id: 1 to %d characters are needed", maxName))
	}
	if f.Probability < 0 || f.Probability > 1 || f.Probability != f.Probability {
		wrong = append(wrong, "probability: 0 to 1")
	}
	kind, ok := client.Find(f.Kind)
	if !ok {
		return append(wrong, strict.UnknownMessage("kind", f.Kind, client.Kinds()))
	}
	wrong = append(wrong, checkSelection(kind, f.Message)...)
	wrong = append(wrong, checkParams(kind, f)...)
	return append(wrong, checkSchedule(f.Schedule)...)
}

func checkSelection(kind client.Kind, m client.Select) (wrong []string) {
	if m.Nth < 0 {
		wrong = append(wrong, "message.nth: 1 or more, or 0 for every one")
	}
	if d := m.Direction; d != "" && d != client.FromTerminal && d != client.FromHost {
		wrong = append(wrong, strict.UnknownMessage("message.direction", d, []string{client.FromTerminal, client.FromHost}))
	}
	if _, ok := packed(m.STAN); !ok {
		wrong = append(wrong, fmt.Sprintf("message.stan: up to %d digits, as field 11 has them", maxSTAN))
	}
	occurrence := client.Select{Nth: m.Nth}
	switch {
	case m.MTI != "" && !kind.ActsOn(client.OnMessage):
		wrong = append(wrong, fmt.Sprintf("message: %s acts on the %s, not on a message", kind.Kind, kind.On[0]))
	case m.MTI != "" && !isMTIPattern(m.MTI):
		wrong = append(wrong, "message.mti: 4 digits are needed, or ? for any of them")
	case m.MTI != "":
	case m.Empty() && len(kind.On) == 1 && kind.ActsOn(client.OnMessage):
		wrong = append(wrong, "message.mti: 4 digits are needed, or ? for any of them")
	case m.Direction != "" || m.STAN != "" || len(m.Fields) > 0 || !kind.ActsOn(client.OnConnection) && !occurrence.Empty():
		wrong = append(wrong, "message: without mti there is no message to pick")
	}
	return wrong
}

func checkParams(kind client.Kind, f client.Fault) (wrong []string) {
	given := f.Given()
	for _, name := range given {
		p, ok := kind.Takes(name)
		if !ok {
			wrong = append(wrong, fmt.Sprintf("%s: only %s", name, takers(name)))
			continue
		}
		if text := checkValue(p, f); text != "" {
			wrong = append(wrong, text)
		}
	}
	for _, p := range kind.Params {
		if p.Required && !slices.Contains(given, p.Name) && p.Name != "value" {
			wrong = append(wrong, missing(p))
		}
	}
	return wrong
}

// takers names the kinds that have a parameter.
func takers(name string) string {
	var kinds []string
	for _, k := range client.Vocabulary {
		if _, ok := k.Takes(name); ok {
			kinds = append(kinds, k.Kind)
		}
	}
	if len(kinds) == 1 {
		return kinds[0] + " has it"
	}
	return strings.Join(kinds[:len(kinds)-1], ", ") + " and " + kinds[len(kinds)-1] + " have it"
}

func missing(p client.Param) string {
	switch {
	case p.Name == "by":
		return fmt.Sprintf("by: more than 0, at most %v", MaxDelay)
	case len(p.Words) > 0:
		return fmt.Sprintf("%s: one of %s is needed", p.Name, strings.Join(p.Words, ", "))
	}
	return fmt.Sprintf("%s is needed: %s", p.Name, p.Help)
}

// checkValue says what is wrong with a parameter that is given.
func checkValue(p client.Param, f client.Fault) string {
	switch p.Name {
	case "by", "pause":
		if d := map[string]time.Duration{"by": f.By, "pause": f.Pause}[p.Name]; d <= 0 || d > MaxDelay {
			return fmt.Sprintf("%s: more than 0, at most %v", p.Name, MaxDelay)
		}
	case "times", "bytes":
		if n := map[string]int{"times": f.Times, "bytes": f.Bytes}[p.Name]; n < 1 || n > MaxTimes {
			return fmt.Sprintf("%s: 1 to %d", p.Name, MaxTimes)
		}
	case "at":
		if _, err := parsePlace(f.At); err != nil {
			return "at: " + err.Error()
		}
	case "mask":
		if b, err := hex.DecodeString(f.Mask); err != nil || len(b) != 1 || b[0] == 0 {
			return "mask: 2 hexadecimal digits other than 00"
		}
	case "junk":
		if b, err := hex.DecodeString(f.Junk); err != nil || len(b) > maxText {
			return fmt.Sprintf("junk: pairs of hexadecimal digits, at most %d", maxText)
		}
	case "old":
		if !isMTI(f.Old) {
			return "old: an MTI of 4 digits"
		}
	case "value":
		if len(f.Value) > maxText {
			return fmt.Sprintf("value: at most %d characters", maxText)
		}
	}
	return checkWord(p, f)
}

func checkWord(p client.Param, f client.Fault) string {
	word, ok := map[string]string{"then": f.Then, "length": f.Length, "when": f.When, "towards": f.Towards}[p.Name]
	if !ok || slices.Contains(p.Words, word) {
		return ""
	}
	return strict.UnknownMessage(p.Name, word, p.Words)
}

func checkSchedule(s *client.Schedule) (wrong []string) {
	switch {
	case s == nil:
	case s.From < 0 || s.Until < 0 || s.Every < 0 || s.For < 0:
		wrong = append(wrong, "schedule: times are not negative")
	case s.Until > 0 && s.Until <= s.From:
		wrong = append(wrong, "schedule.until: later than from")
	case (s.Every > 0) != (s.For > 0), s.Every > 0 && s.For >= s.Every:
		wrong = append(wrong, "schedule: every and for go together, and for is the shorter")
	case s.Every > 0 && s.Every < minPeriod:
		wrong = append(wrong, fmt.Sprintf("schedule.every: at least %v", minPeriod))
	}
	return wrong
}

// checkWords holds a fault against what this injector has: uplinks, and paths of its dialect.
func (s *Server) checkWords(f client.Fault) (wrong []string) {
	if len(s.named(f.Uplink)) == 0 {
		var names []string
		for _, u := range s.uplinks {
			names = append(names, u.Name)
		}
		wrong = append(wrong, strict.UnknownMessage("uplink", f.Uplink, names))
	}
	for path := range f.Message.Fields {
		if err := s.config.Messages.CheckPath(path); err != nil {
			wrong = append(wrong, "message.fields: "+err.Error())
		}
	}
	if f.Field != "" {
		if err := s.config.Messages.CheckPath(f.Field); err != nil {
			wrong = append(wrong, "field: "+err.Error())
		}
	}
	slices.Sort(wrong)
	return wrong
}

// checkPair says why f can't stand after another fault: it would never act.
func checkPair(before, f client.Fault) string {
	switch {
	case f.ID == before.ID:
		return "id: used twice"
	case closesPort(f) && closesPort(before) && overlap(f, before):
		return "kind: the port can't be refused twice"
	case closesPort(f), closesPort(before), f.Message.MTI != before.Message.MTI, !overlap(before, f), changes(f), changes(before):
		return ""
	case before.Probability > 0 && before.Probability < 1, before.Schedule != nil:
		return ""
	case before.Message.Direction != "" || before.Message.STAN != "" || len(before.Message.Fields) > 0:
		return ""
	case before.Message.Nth == 0, before.Message.Nth == f.Message.Nth && plainly(f):
		return fmt.Sprintf("message: fault %q takes it first", before.ID)
	}
	return ""
}

// overlap says that a fault acts on every uplink that another acts on.
func overlap(before, f client.Fault) bool { return before.Uplink == "" || before.Uplink == f.Uplink }

// closesPort says that a fault closes ports without waiting for a message.
func closesPort(f client.Fault) bool {
	return (f.Kind == "refuse" || f.Kind == "down") && f.Message.MTI == ""
}

// changes says that a fault changes messages: several may do so with the same one.
func changes(f client.Fault) bool {
	return slices.Contains([]string{"corrupt", "junk", "rewrite", "wrong-length"}, f.Kind)
}

// plainly says that a fault's selection counts what the MTI alone picks.
func plainly(f client.Fault) bool {
	m := f.Message
	return m.Direction == "" && m.STAN == "" && len(m.Fields) == 0
}

// isMTI says that it is an MTI, 4 digits.
func isMTI(s string) bool { return len(s) == 4 && isDigits(s) }

func isMTIPattern(s string) bool { return isMTI(strings.ReplaceAll(s, "?", "0")) }

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
