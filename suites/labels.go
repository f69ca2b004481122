package suites

import (
	"slices"
	"strings"

	"github.com/assay-hil/assay/fixtures/scenarios"
)

// How long a scenario takes at a real terminal: quick ones wait for nothing but people and cards, slow ones for a timer of the
// terminal's or its restart, long ones are many transactions in a row.
const (
	Quick = "quick"
	Slow  = "slow"
	Long  = "long"
)

// manySales is how many transactions make a scenario long.
const manySales = 10

// LabelsOf are a scenario's labels as a filter and Ginkgo know them: its own, how long it takes, seed where chance is a part
// of it, and, as keys with values, its cause and its needs (cause:article-A-01, needs:chip).
func LabelsOf(s *scenarios.Scenario) []string {
	labels := append(slices.Clone(s.Labels), duration(s), "cause:"+labelled(s.Cause))
	for _, need := range s.Needs {
		labels = append(labels, "needs:"+labelled(need))
	}
	if s.Random() {
		labels = append(labels, "seed")
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}

// labelled writes a word as a label may be: Ginkgo's filters have a use for the slash.
func labelled(word string) string { return strings.ReplaceAll(word, "/", "-") }

// slowBudgets are those of prompts that come after a timer of the terminal's.
var slowBudgets = []string{"boot", "connect", "host-timeout"}

func duration(s *scenarios.Scenario) string {
	begun, waits := 0, false
	for _, step := range slices.Concat(s.Act, s.Recover) {
		if step.Sale != nil || step.Transaction != nil {
			begun++
		}
		waits = waits || step.Power != "" || step.Await != nil && step.Await.Prompt == "timed-out"
	}
	for _, e := range slices.Concat(s.Expect, s.Recovered) {
		waits = waits || slices.Contains(slowBudgets, e.Within) || e.Prompt == "timed-out"
	}
	switch {
	case begun >= manySales:
		return Long
	case waits:
		return Slow
	}
	return Quick
}
