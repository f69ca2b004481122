package proof

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/rungs"
	"github.com/assay-hil/assay/suites"
)

// order puts the first profile of every scenario before the others: most defects are in every terminal.
func (p *prover) order(items []suites.Item) {
	seen := map[string]bool{}
	var others []suites.Item
	for _, item := range items {
		switch {
		case item.Skip != "":
			continue
		case seen[item.Scenario.ID]:
			others = append(others, item)
		default:
			p.items = append(p.items, item)
			p.first[item.Name] = true
		}
		seen[item.Scenario.ID] = true
	}
	p.matrix.Scenarios = len(seen)
	if !p.cfg.Quick {
		p.items = append(p.items, others...)
	}
}

// families that most likely meet the defects of a group. It only saves time: all of the others follow.
var families = map[string][]string{
	"customer-id": {"customer-id"},
	"prompts":     {"host-codes", "host-behaviour"},
	"codes":       {"host-codes", "host-behaviour"},
	"reversal":    {"network", "host-behaviour", "power"},
	"matching":    {"host-behaviour", "network"},
	"security":    {"security", "network", "host-behaviour"},
	"uplink":      {"uplink", "network"},
	"timers":      {"network", "host-behaviour", "operator"},
	"card":        {"chip", "stripe", "contactless", "pin", "card-data", "wallet"},
	"memory":      {"power", "terminal-fault", "settlement"},
	"settlement":  {"settlement", "power"},
	"receipt":     {"controls", "terminal-fault"},
	"interface":   {"operator", "controls"},
	"leaks":       {"controls", "security"},
}

// likely puts the scenarios that prove the very rule which a defect breaks before the families of its group, and these
// before the others.
func (p *prover) likely(d rungs.Defect) []suites.Item {
	items := slices.Clone(p.items)
	rows, group := rowsOf(d.Rule), families[d.Group]
	rank := func(item suites.Item) int {
		if len(named(item, rows)) > 0 {
			return 0
		}
		if i := slices.Index(group, item.Scenario.Family); i >= 0 {
			return 1 + i
		}
		return 1 + len(group)
	}
	slices.SortStableFunc(items, func(a, b suites.Item) int { return rank(a) - rank(b) })
	return items
}

// named are the rows of a rule that a scenario proves.
func named(item suites.Item, rows []string) []string {
	return slices.DeleteFunc(slices.Clone(rows), func(row string) bool { return !slices.Contains(item.Scenario.Rows(), row) })
}

var (
	rowInRule   = regexp.MustCompile(`\b([A-F])-?([0-9]{1,2})\b(?: to ([A-F])-?([0-9]{1,2})\b)?`)
	faultInRule = regexp.MustCompile(`\bfault ([0-9]+)\b`)
)

// rowsOf are the rows of the register that a rule begins with: "E-10 to E-15: …", "fault 39: …". A rule of a standard
// begins with its name and has none.
func rowsOf(rule string) []string {
	names, _, found := strings.Cut(rule, ":")
	if !found || strings.Contains(names, "EMV") || strings.Contains(names, "ISO") {
		return nil
	}
	var rows []string
	for _, m := range rowInRule.FindAllStringSubmatch(names, -1) {
		first, _ := strconv.Atoi(m[2]) // digits, by the pattern
		last := first
		if m[3] == m[1] {
			last, _ = strconv.Atoi(m[4])
		}
		for n := first; n <= last; n++ {
			rows = append(rows, fmt.Sprintf("payments/%s-%02d", m[1], n))
		}
	}
	for _, m := range faultInRule.FindAllStringSubmatch(names, -1) {
		rows = append(rows, "faults/"+m[1])
	}
	return rows
}
