// Package quarantine keeps scenarios from running on rigs on which they are known to prove
// nothing, for a stated reason and not for ever.
//
//	quarantine:
//	  - scenario: NET-SILENT
//	    rig: lab-7                 # left out: on every rig
//	    reason: the reader's cable is being replaced
//	    by: m.keller
//	    until: 2026-12-24          # the last day
//
// A scenario in quarantine is skipped with that reason, and the report says so. An entry that has
// expired has no effect any more.
package quarantine

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fixtures/strict"
)

// Longest is for how long an entry may be valid from now: what is broken for longer is not in
// quarantine but given up.
const Longest = 90 * 24 * time.Hour

// Day is a date, the whole day in local time.
type Day struct{ time.Time }

// UnmarshalStrict implements strict.Unmarshaler.
func (d *Day) UnmarshalStrict(dec *strict.Decoder, n *yaml.Node) {
	at, err := time.ParseInLocation(time.DateOnly, n.Value, time.Local)
	if err != nil {
		dec.Errorf(n, "%q is not a date such as 2026-12-24", n.Value)
		return
	}
	d.Time = at
}

// Entry is one scenario in quarantine.
type Entry struct {
	Scenario string `yaml:"scenario,required"`
	Rig      string `yaml:"rig"` // "" is every rig
	Reason   string `yaml:"reason,required"`
	By       string `yaml:"by"`
	Until    Day    `yaml:"until,required"`
}

// String is the reason in full.
func (e Entry) String() string {
	text := fmt.Sprintf("in quarantine until %s: %s", e.Until.Format(time.DateOnly), e.Reason)
	if e.By != "" {
		text += " (" + e.By + ")"
	}
	return text
}

// Ended is a sentence that says that the entry has no effect any more.
func (e Entry) Ended() string {
	where := "on every rig"
	if e.Rig != "" {
		where = "on " + e.Rig
	}
	return fmt.Sprintf("the quarantine of %s %s ended on %s and has no effect any more: %s", e.Scenario, where, e.Until.Format(time.DateOnly), e.Reason)
}

// expired says whether the entry's last day is over.
func (e Entry) expired(now time.Time) bool { return !now.Before(e.Until.AddDate(0, 0, 1)) }

// List is a quarantine list. Its zero value is empty.
type List struct {
	Entries []Entry `yaml:"quarantine,required"`
}

// Load reads a list. All complaints come at once, each with its place. Scenarios that are not
// known are complained about with the nearest that is; nil scenarios: nobody knows which there are.
func Load(path string, scenarios []string, now time.Time) (*List, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	l := &List{}
	if err := strict.Decode(path, data, l); err != nil {
		return nil, err
	}
	places, err := placesOf(data)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i, e := range l.Entries {
		complain := func(format string, args ...any) {
			errs = append(errs, &strict.Error{File: path, Line: places[i].Line, Column: places[i].Column, Message: fmt.Sprintf(format, args...)})
		}
		if scenarios != nil && !contains(scenarios, e.Scenario) {
			complain("%s", strict.UnknownMessage("scenario", e.Scenario, scenarios))
		}
		if strings.TrimSpace(e.Reason) == "" {
			complain("a reason is needed")
		}
		if e.Until.Sub(now) > Longest {
			complain("until %s is more than %d days away: renew it when it is due", e.Until.Format(time.DateOnly), int(Longest.Hours()/24))
		}
	}
	return l, errors.Join(errs...)
}

// placesOf gives the node of each entry of a list that was read without complaints.
func placesOf(data []byte) ([]*yaml.Node, error) {
	var nodes struct {
		Entries []yaml.Node `yaml:"quarantine"`
	}
	if err := yaml.Unmarshal(data, &nodes); err != nil {
		return nil, err
	}
	places := make([]*yaml.Node, len(nodes.Entries))
	for i := range nodes.Entries {
		places[i] = &nodes.Entries[i]
	}
	return places, nil
}

func contains(words []string, word string) bool {
	for _, w := range words {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

// Find gives the entry that keeps a scenario from running on a rig now. A nil list has none.
func (l *List) Find(scenario, rig string, now time.Time) (Entry, bool) {
	if l == nil {
		return Entry{}, false
	}
	for _, e := range l.Entries {
		if strings.EqualFold(e.Scenario, scenario) && (e.Rig == "" || e.Rig == rig) && !e.expired(now) {
			return e, true
		}
	}
	return Entry{}, false
}

// Expired lists the entries that have no effect any more.
func (l *List) Expired(now time.Time) []Entry {
	if l == nil {
		return nil
	}
	var old []Entry
	for _, e := range l.Entries {
		if e.expired(now) {
			old = append(old, e)
		}
	}
	return old
}
