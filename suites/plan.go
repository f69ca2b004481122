// Package suites is what is run: the catalogue's scenarios and the families written by hand,
// as Ginkgo specs. Register(cfg) makes the same specs under `go test ./suites/...`, under the
// ginkgo CLI and inside the assay binary.
package suites

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rungs"
)

// AllProfiles runs each scenario on every profile that can, instead of on the first.
const AllProfiles = "all"

// Selection says what is to be run. Its zero value is the whole catalogue, each scenario on the
// first profile that can run it.
type Selection struct {
	Profile   string   // an id, AllProfiles, or "" for the first that fits
	Lang      string   // "zh", "en", or "" for the profile's first
	Filter    string   // Ginkgo label filter, for example "smoke && !control"
	Scenarios []string // ids; none is all
	Seed      int64    // shuffles the order; 0 keeps the catalogue's
}

// Item is one scenario on one profile.
type Item struct {
	Scenario *scenarios.Scenario
	Profile  *terminals.Profile
	Lang     string
	// Skip is why it will not run; "" when it will.
	Skip string
	// Name is its own in the run: the scenario's id, with the profile where there are several.
	Name string
}

// Catalogue is everything that can be run: the files and the families written by hand.
func Catalogue() ([]*scenarios.Scenario, error) {
	all, err := scenarios.Load()
	if err != nil {
		return nil, err
	}
	return append(all, handwritten()...), nil
}

// Plan decides what a run is made of. Every selected scenario is in it, also those that the rung
// can't run: as skipped, with the exact reason.
func Plan(r rungs.Rung, sel Selection) ([]Item, error) {
	all, err := Catalogue()
	if err != nil {
		return nil, err
	}
	chosen, err := choose(all, sel)
	if err != nil {
		return nil, err
	}
	if fixed := r.Lang(); fixed != "" {
		if sel.Lang != "" && sel.Lang != fixed {
			return nil, fmt.Errorf("--lang %s: the terminal on rig %s is set to %s", sel.Lang, r.Name(), fixed)
		}
		sel.Lang = fixed
	}
	profiles, err := profilesFor(r, sel)
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, sc := range chosen {
		items = append(items, itemsFor(sc, profiles, r, sel)...)
	}
	if len(items) == 0 {
		return nil, errors.New("nothing is selected: no scenario has labels that match --filter " + sel.Filter)
	}
	if sel.Seed != 0 {
		order := rand.New(rand.NewPCG(uint64(sel.Seed), 0))
		order.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
	return items, nil
}

// ansi matches terminal colours.
var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m|\\{\\{[^}]*\\}\\}")

func choose(all []*scenarios.Scenario, sel Selection) ([]*scenarios.Scenario, error) {
	matches := func([]string) bool { return true }
	if sel.Filter != "" {
		filter, err := types.ParseLabelFilter(sel.Filter)
		if err != nil {
			// Ginkgo draws the filter under its message, in colours; the first line says it.
			message, _, _ := strings.Cut(err.Error(), "\n")
			return nil, fmt.Errorf("--filter %q: %s; a filter is labels joined by &&, || and !, such as 'smoke && !control'", sel.Filter, ansi.ReplaceAllString(message, ""))
		}
		matches = func(labels []string) bool { return filter(labels) }
	}
	var ids []string
	for _, id := range sel.Scenarios {
		id = strings.ToUpper(id)
		if !slices.ContainsFunc(all, func(s *scenarios.Scenario) bool { return s.ID == id }) {
			return nil, scenarios.Nearest(id, all)
		}
		ids = append(ids, id)
	}
	var chosen []*scenarios.Scenario
	for _, s := range all {
		if matches(s.Labels) && (len(ids) == 0 || slices.Contains(ids, s.ID)) {
			chosen = append(chosen, s)
		}
	}
	return chosen, nil
}

// profilesFor are the profiles to try, in order.
func profilesFor(r rungs.Rung, sel Selection) ([]*terminals.Profile, error) {
	profiles := r.Profiles()
	if sel.Profile != "" && sel.Profile != AllProfiles {
		var ids []string
		for _, p := range profiles {
			ids = append(ids, p.ID)
		}
		i := slices.Index(ids, sel.Profile)
		if i < 0 {
			return nil, errors.New(strict.UnknownMessage("profile", sel.Profile, append(ids, AllProfiles)))
		}
		profiles = profiles[i : i+1]
	}
	if sel.Lang == "" {
		return profiles, nil
	}
	var speak []*terminals.Profile
	var langs []string
	for _, p := range profiles {
		langs = append(langs, p.Languages...)
		if slices.Contains(p.Languages, sel.Lang) {
			speak = append(speak, p)
		}
	}
	if len(speak) == 0 {
		slices.Sort(langs)
		return nil, errors.New(strict.UnknownMessage("language", sel.Lang, slices.Compact(langs)))
	}
	return speak, nil
}

// itemsFor plans one scenario. Where no profile fits it is skipped, and the reason is that of the profile
// that lacks least.
func itemsFor(sc *scenarios.Scenario, profiles []*terminals.Profile, r rungs.Rung, sel Selection) []Item {
	var fits []Item
	var least Item
	var lacking []string
	for _, p := range profiles {
		item := Item{Scenario: sc, Profile: p, Lang: sel.Lang, Name: sc.ID}
		if item.Lang == "" {
			item.Lang = p.Languages[0]
		}
		missing := sc.Missing(p, r.Has)
		if len(missing) == 0 {
			fits = append(fits, item)
			continue
		}
		if least.Scenario == nil || len(missing) < len(lacking) {
			least, lacking = item, missing
		}
	}
	if len(fits) == 0 {
		least.Skip = fmt.Sprintf("%s on rig %s lacks %s", least.Profile.ID, r.Name(), strings.Join(lacking, ", "))
		return []Item{least}
	}
	if sel.Profile != AllProfiles {
		return fits[:1]
	}
	if len(profiles) > 1 {
		for i := range fits {
			fits[i].Name = sc.ID + "@" + fits[i].Profile.ID
		}
	}
	return fits
}
