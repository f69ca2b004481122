package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rungs"
	"github.com/assay-hil/assay/suites"
	"github.com/assay-hil/assay/suites/proof/mutants/switches"
)

// played is what a child says of an item.
type played struct {
	Item    string         `json:"item"`
	Verdict record.Verdict `json:"verdict"`
	Cause   record.Cause   `json:"cause,omitempty"`
	Why     string         `json:"why,omitempty"`
	Seconds float64        `json:"seconds"`
	Met     []int          `json:"met,omitempty"`
}

func (p played) passed() bool { return p.Verdict == record.Pass || p.Verdict == record.Marginal }

// items are all that can be run, by name.
func items() ([]suites.Item, rungs.Rung, error) {
	rung, err := rungs.Open(rungs.Options{Rig: rungs.Virtual})
	if err != nil {
		return nil, nil, err
	}
	all, err := suites.Plan(rung, suites.Selection{Profile: suites.AllProfiles})
	if err != nil {
		return nil, nil, err
	}
	var can []suites.Item
	for _, item := range all {
		if item.Skip == "" {
			can = append(can, item)
		}
	}
	return can, rung, nil
}

// child plays the items whose names are on in, one after the other, until one does not pass; with record it plays all.
func child(ctx context.Context, in io.Reader, out io.Writer, record bool) error {
	var names []string
	if err := json.NewDecoder(in).Decode(&names); err != nil {
		return err
	}
	all, rung, err := items()
	if err != nil {
		return err
	}
	defer rung.Close()
	byName := map[string]suites.Item{}
	for _, item := range all {
		byName[item.Name] = item
	}
	scratch, err := os.MkdirTemp("", "assay-mutant-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	tell := json.NewEncoder(out)
	for _, name := range names {
		item, known := byName[name]
		if !known {
			return fmt.Errorf("no item %s", name)
		}
		switches.Forget()
		begun := time.Now()
		path := filepath.Join(scratch, name+".jsonl")
		result := suites.Play(ctx, rung, item, path, nil)
		_ = os.Remove(path) // it is scratch
		p := played{Item: name, Verdict: result.Verdict, Cause: result.Cause, Why: result.Why, Seconds: time.Since(begun).Seconds()}
		if record {
			p.Met = switches.Met()
		}
		if err := tell.Encode(p); err != nil {
			return err
		}
		if !p.passed() && !record || ctx.Err() != nil {
			return nil
		}
	}
	return nil
}
