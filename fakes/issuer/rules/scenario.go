package rules

import (
	"maps"
	"slices"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/strict"
)

func checkScenarios(all map[string][]string, c *complaints) {
	if len(all) > MaxScenarios {
		c.add([]string{"scenarios"}, "%d scenarios, at most %d", len(all), MaxScenarios)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		place := []string{"scenarios", name}
		states := all[name]
		if name == "" || len(name) > MaxName {
			c.add(place, "a scenario needs a name, of at most %d bytes", MaxName)
		}
		if len(states) == 0 || len(states) > MaxStates {
			c.add(place, "%d states: want 1 to %d besides %q", len(states), MaxStates, client.StateStarted)
		}
		for i, state := range states {
			switch {
			case state == "" || len(state) > MaxName:
				c.add(place, "a state needs a name, of at most %d bytes", MaxName)
			case state == client.StateStarted:
				c.add(place, "every scenario has the state %q: leave it out", state)
			case slices.Contains(states[:i], state):
				c.add(place, "the state %q is given twice", state)
			}
		}
	}
}

// statesOf gives all states of a scenario; nil for one that there is not.
func (s *Set) statesOf(scenario string) []string {
	states, ok := s.source.Scenarios[scenario]
	if !ok {
		return nil
	}
	return append([]string{client.StateStarted}, states...)
}

// checkWhen complains of states that the setup does not declare.
func (s *Set) checkWhen(r client.Rule, c *complaints, place []string) {
	if r.When == nil {
		if r.Then != "" {
			c.add(at(place, "then"), "which scenario? Name it with when: {scenario: …}")
		}
		return
	}
	states := s.statesOf(r.When.Scenario)
	if states == nil {
		c.add(at(place, "when"), "%s", strict.UnknownMessage("scenario", r.When.Scenario, slices.Sorted(maps.Keys(s.source.Scenarios))))
		return
	}
	if state := r.When.State; state != "" && !slices.Contains(states, state) {
		c.add(at(place, "when", "state"), "%s", strict.UnknownMessage("state of "+r.When.Scenario, state, states))
	}
	if r.Then != "" && !slices.Contains(states, r.Then) {
		c.add(at(place, "then"), "%s", strict.UnknownMessage("state of "+r.When.Scenario, r.Then, states))
	}
}
