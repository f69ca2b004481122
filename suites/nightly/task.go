package nightly

import (
	"errors"
	"fmt"
	"slices"

	"github.com/assay-hil/assay/rungs"
	"github.com/assay-hil/assay/suites"
)

// Task is one scenario on one profile of one rig, once. It may take several attempts.
type Task struct {
	Scenario string `json:"scenario"`
	Title    string `json:"title"`
	Profile  string `json:"profile"`
	Lang     string `json:"lang"`
	Repeat   int    `json:"repeat"`         // from 1
	Skip     string `json:"skip,omitempty"` // why it can't run there; "" when it can
}

// key tells tasks of one rig apart.
type key struct {
	group
	scenario string
}

// group is what tasks have in common that one process can run.
type group struct {
	repeat        int
	profile, lang string
}

func (t Task) key() key { return key{group{t.Repeat, t.Profile, t.Lang}, t.Scenario} }

// Tasks plans a rig: its selection, as often as it is to be repeated.
func (p *Plan) Tasks(r Rig) ([]Task, error) {
	rung, err := rungs.Open(rungs.Options{Rig: r.Rig, Defects: r.Defects, Faults: r.BenchFaults, Planning: true})
	if err != nil {
		return nil, fmt.Errorf("rig %s: %w", r.Name, err)
	}
	tasks, err := tasksOn(rung, r, p.Quarantine)
	if err = errors.Join(err, rung.Close()); err != nil {
		return nil, fmt.Errorf("rig %s: %w", r.Name, err)
	}
	return tasks, nil
}

func tasksOn(rung rungs.Rung, r Rig, quarantine string) ([]Task, error) {
	profiles := r.Profiles
	if len(profiles) == 0 {
		profiles = []string{""}
	}
	var once []Task
	seen := map[key]bool{}
	for _, profile := range profiles {
		items, err := suites.Plan(rung, suites.Selection{Profile: profile, Lang: r.Lang, Filter: r.Labels, Scenarios: r.Scenarios, Quarantine: quarantine})
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			t := Task{Scenario: item.Scenario.ID, Title: item.Scenario.Title.EN, Profile: item.Profile.ID, Lang: item.Lang, Skip: item.Skip}
			if !seen[t.key()] { // a profile may be named, and be one of all
				seen[t.key()] = true
				once = append(once, t)
			}
		}
	}
	// A process runs the tasks of one profile: those belong together.
	order := groups(once)
	slices.SortStableFunc(once, func(a, b Task) int {
		return slices.Index(order, a.key().group) - slices.Index(order, b.key().group)
	})
	var all []Task
	for n := range r.Repeats {
		for _, t := range once {
			t.Repeat = n + 1
			all = append(all, t)
		}
	}
	return all, nil
}

// groups lists the groups of tasks in the order in which they come first.
func groups(tasks []Task) []group {
	var all []group
	for _, t := range tasks {
		if g := t.key().group; !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	return all
}
