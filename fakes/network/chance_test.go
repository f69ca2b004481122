package network

import (
	"slices"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// Every part of what chance decides by counts: two faults, directions or MTIs do not share their luck.
func TestChanceDependsOnEveryPart(t *testing.T) {
	type key struct {
		seed               int64
		id, direction, mti string
	}
	base := key{7, "a", client.FromTerminal, "0200"}
	luck := func(k key) (all []bool) {
		p := &plan{seed: k.seed}
		for nth := range int64(64) {
			all = append(all, p.chance(client.Fault{ID: k.id, Probability: 0.5}, k.direction, k.mti, nth))
		}
		return all
	}
	if !slices.Equal(luck(base), luck(base)) {
		t.Error("the same is not the same")
	}
	for name, k := range map[string]key{
		"seed": {8, "a", client.FromTerminal, "0200"}, "fault": {7, "b", client.FromTerminal, "0200"},
		"direction": {7, "a", client.FromHost, "0200"}, "MTI": {7, "a", client.FromTerminal, "0400"},
	} {
		if slices.Equal(luck(base), luck(k)) {
			t.Errorf("another %s has the same luck", name)
		}
	}
	if all := luck(base); !slices.Contains(all, true) || !slices.Contains(all, false) {
		t.Error("the occurrence does not count")
	}
}

// The times at which a schedule changes are those at which active says otherwise than a moment before.
func TestChangesOfASchedule(t *testing.T) {
	for name, s := range map[string]client.Schedule{
		"flapping":          {Every: 3 * time.Second, For: time.Second},
		"mostly on":         {From: time.Second, Every: 5 * time.Second, For: 4 * time.Second},
		"ends within":       {From: 2 * time.Second, Until: 9500 * time.Millisecond, Every: 4 * time.Second, For: 3 * time.Second},
		"ends in a pause":   {Until: 7 * time.Second, Every: 4 * time.Second, For: time.Second},
		"window":            {From: 2 * time.Second, Until: 5 * time.Second},
		"from then on":      {From: 2 * time.Second},
		"only at the start": {Until: 5 * time.Second},
	} {
		const step = 500 * time.Millisecond
		var want []time.Duration
		for at := step; at < 30*time.Second; at += step {
			if active(&s, at) != active(&s, at-time.Nanosecond) {
				want = append(want, at)
			}
		}
		var got []time.Duration
		for at, more := change(&s, 0); more && at < 30*time.Second; at, more = change(&s, at) {
			if active(&s, at) != active(&s, at-time.Nanosecond) { // the end of a pause changes nothing
				got = append(got, at)
			}
			if len(got) > len(want) {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: changes at %v, want %v", name, got, want)
		}
	}
}
