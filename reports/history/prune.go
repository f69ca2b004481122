package history

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

// Keep says which run folders stay. A folder goes only when it is too old and beyond the count, as far as each is given; the
// last good ones stay whatever is said.
type Keep struct {
	OlderThan time.Duration // 0: age is no reason to go
	Count     int           // the newest stay; 0: their number is no reason to go
	Now       time.Time
}

// Pruned is a run folder and what becomes of it.
type Pruned struct {
	Dir  string
	Gone bool
	Why  string
}

// Prune decides about the run folders below a root and, unless it is a dry run, removes those that go. Of each
// rig, firmware apart, the last run that passed stays, and of each scenario the last folder in which it passed: without them nobody could say
// since when it fails.
func Prune(ctx context.Context, root string, keep Keep, dry bool) ([]Pruned, error) {
	dirs, err := reports.Find(root)
	if err != nil {
		return nil, err
	}
	type folder struct {
		dir string
		run *reports.Run
	}
	var folders []folder
	var all []Pruned
	for _, dir := range dirs {
		run, err := reports.Open(dir)
		if err != nil {
			all = append(all, Pruned{dir, false, "it can't be read: " + err.Error()})
			continue
		}
		folders = append(folders, folder{dir, run})
	}
	slices.SortFunc(folders, func(a, b folder) int { return b.run.Summary.Started.Compare(a.run.Summary.Started) })
	good := map[string]bool{}
	for i, f := range folders {
		needed := lastGood(f.run, good)
		p := Pruned{Dir: f.dir}
		age := keep.Now.Sub(f.run.Summary.Started)
		switch {
		case !f.run.Summary.Complete && age < time.Hour*24:
			p.Why = "it may still be written"
		case keep.OlderThan == 0 && keep.Count == 0, keep.Count > 0 && i < keep.Count, keep.OlderThan > 0 && age <= keep.OlderThan:
			p.Why = "it is young enough"
		case needed != "":
			p.Why = "the last good of " + needed
		default:
			p.Gone, p.Why = true, "begun "+f.run.Summary.Started.Format(time.DateOnly)
		}
		all = append(all, p)
	}
	if dry {
		return all, nil
	}
	return all, remove(ctx, all)
}

// lastGood says for what a folder is the last good one, newer folders having been asked before.
func lastGood(run *reports.Run, seen map[string]bool) (first string) {
	for _, o := range run.Outcomes() {
		if v := o.Result.Verdict; v != record.Pass && v != record.Marginal {
			continue
		}
		k := o.Result.Scenario + " on " + o.Result.Profile
		if !seen[k] && first == "" {
			first = k
		}
		seen[k] = true
	}
	return first
}

// remove deletes folders. results.jsonl goes first: a folder that is half gone must not look like a run.
func remove(ctx context.Context, all []Pruned) error {
	var errs []error
	for _, p := range all {
		if !p.Gone {
			continue
		}
		if ctx.Err() != nil {
			return errors.Join(append(errs, context.Cause(ctx))...)
		}
		err := os.Remove(filepath.Join(p.Dir, reports.ResultsFile))
		if err == nil {
			err = os.RemoveAll(p.Dir)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
