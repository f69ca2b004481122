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
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs/quarantine"
	"github.com/assay-hil/assay/rungs"
)

// AllProfiles runs each scenario on every profile that can, instead of on the first.
const AllProfiles = "all"

// soakLabel marks scenarios that take as long as all others together. They are run where a filter or an id asks for them:
// --filter soak, or 'soak || !soak' for everything.
const soakLabel = "soak"

// Selection says what is to be run. Its zero value is the whole catalogue but what has the label soak, each scenario on
// the first profile that can run it.
type Selection struct {
	Profile   string   // an id, AllProfiles, or "" for the first that fits
	Lang      string   // "zh", "en", or "" for the profile's first
	Filter    string   // Ginkgo label filter, for example "smoke && !control"
	Scenarios []string // ids; none is all
	// Quarantine is a file of scenarios that prove nothing on a rig for now; see package quarantine. "" is none.
	Quarantine string
	// Folders of scenarios besides the embedded ones.
	Folders []string
	Seed    int64 // shuffles the order; 0 keeps the catalogue's
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
	// made is what a file can't say of it.
	made staging
	// on is a rung of its own; nil: the run's.
	on rungs.Rung
}

// Then adds to a run's items others that run after them, on another rung. Their names tell them from the same on the first.
func Then(items, others []Item, rung rungs.Rung) []Item {
	all := slices.Clone(items)
	for _, item := range others {
		item.Name, item.on = item.Name+"@"+rung.Name(), rung
		all = append(all, item)
	}
	return all
}

// wanted is the world that it needs.
func (i Item) wanted() rungs.Wanted {
	return rungs.Wanted{Profile: i.Profile, Lang: i.Lang, Packets: len(i.Scenario.Arrange.Packet) > 0, Stage: i.made.stage}
}

// Catalogue is everything that can be run: the files, those of more too, and the families written by hand.
func Catalogue(more scenarios.More) ([]*scenarios.Scenario, error) {
	all, err := scenarios.LoadMore(more)
	if err != nil {
		return nil, err
	}
	return append(all, handwritten()...), nil
}

// Plan decides what a run is made of. Every selected scenario is in it, also those that the rung
// can't run: as skipped, with the exact reason.
func Plan(r rungs.Rung, sel Selection) ([]Item, error) {
	all, err := Catalogue(scenarios.More{Folders: sel.Folders, Profiles: r.Profiles()})
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
	if err := isolate(items, r.Name(), sel.Quarantine, all); err != nil {
		return nil, err
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

// isolate skips what is in quarantine on a rig, with the reason.
func isolate(items []Item, rig, path string, all []*scenarios.Scenario) error {
	if path == "" {
		return nil
	}
	var ids []string
	for _, s := range all {
		ids = append(ids, s.ID)
	}
	now := time.Now()
	list, err := quarantine.Load(path, ids, now)
	if err != nil {
		return err
	}
	for i := range items {
		if e, found := list.Find(items[i].Scenario.ID, rig, now); found && items[i].Skip == "" {
			items[i].Skip = e.String()
		}
	}
	return nil
}

// ExpiredQuarantine tells, in a sentence each, of a quarantine list's entries that have no effect any more: what was to
// be mended by then runs again, and somebody has to take the entry out. Without a list there are none.
func ExpiredQuarantine(path string, now time.Time) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	list, err := quarantine.Load(path, nil, now)
	if err != nil {
		return nil, err
	}
	var told []string
	for _, e := range list.Expired(now) {
		told = append(told, e.Ended()+"; take it out of "+path)
	}
	return told, nil
}

// ansi matches terminal colours.
var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m|\\{\\{[^}]*\\}\\}")

func choose(all []*scenarios.Scenario, sel Selection) ([]*scenarios.Scenario, error) {
	named, err := Named(all, sel.Scenarios)
	if err != nil {
		return nil, err
	}
	if len(sel.Scenarios) == 0 && sel.Filter == "" {
		named = slices.DeleteFunc(slices.Clone(named), func(s *scenarios.Scenario) bool { return slices.Contains(s.Labels, soakLabel) })
	}
	return Filtered(named, sel.Filter)
}

// Filtered are the scenarios whose labels match a filter; all without one.
func Filtered(all []*scenarios.Scenario, filter string) ([]*scenarios.Scenario, error) {
	if filter == "" {
		return all, nil
	}
	matches, err := types.ParseLabelFilter(filter)
	if err != nil {
		// Ginkgo draws the filter under its message, in colours; the first line says it.
		message, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("--filter %q: %s; a filter is labels joined by &&, || and !, such as 'smoke && !control'", filter, ansi.ReplaceAllString(message, ""))
	}
	var chosen []*scenarios.Scenario
	for _, s := range all {
		if matches(LabelsOf(s)) {
			chosen = append(chosen, s)
		}
	}
	return chosen, nil
}

// Named are the scenarios of some ids, in the catalogue's order; all without any.
func Named(all []*scenarios.Scenario, names []string) ([]*scenarios.Scenario, error) {
	if len(names) == 0 {
		return all, nil
	}
	var ids []string
	for _, id := range names {
		id = strings.ToUpper(id)
		if !slices.ContainsFunc(all, func(s *scenarios.Scenario) bool { return s.ID == id }) {
			return nil, scenarios.Nearest(id, all)
		}
		ids = append(ids, id)
	}
	var chosen []*scenarios.Scenario
	for _, s := range all {
		if slices.Contains(ids, s.ID) {
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
		item := Item{Scenario: sc, Profile: p, Lang: sel.Lang, Name: sc.ID, made: stagings()[sc.ID]}
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
		fits = fits[:1]
	}
	if why := rungs.NoPackets(r, sc.PacketFaults()); why != "" {
		for i := range fits {
			fits[i].Skip = fmt.Sprintf("%s on rig %s: %s", fits[i].Profile.ID, r.Name(), why)
		}
	}
	if why := rungs.NoStage(r); why != "" && fits[0].made.needed() {
		for i := range fits {
			fits[i].Skip = fmt.Sprintf("%s on rig %s: %s", fits[i].Profile.ID, r.Name(), why)
		}
	}
	if sel.Profile != AllProfiles {
		return fits
	}
	if len(profiles) > 1 {
		for i := range fits {
			fits[i].Name = sc.ID + "@" + fits[i].Profile.ID
		}
	}
	return fits
}
