package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-hil/assay/harness/record"
)

// GinkgoFile is where the suite may leave Ginkgo's own JSON report, for the cross-check.
const GinkgoFile = "ginkgo.json"

// ginkgoReport is what the cross-check needs of Ginkgo's types.Report.
type ginkgoReport struct {
	SpecialSuiteFailureReasons []string
	SpecReports                []struct {
		LeafNodeType string
		LeafNodeText string
		State        string
	}
}

// CrossCheck holds the results against Ginkgo's own JSON report of the same run, and says where they disagree. A
// missing report is no disagreement: Ginkgo writes none when its process dies.
func CrossCheck(run *Run) ([]string, error) {
	b, err := os.ReadFile(filepath.Join(run.Dir, GinkgoFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var reports []ginkgoReport
	if err := json.Unmarshal(b, &reports); err != nil {
		return nil, fmt.Errorf("%s: %w", GinkgoFile, err)
	}
	ended := false                // by an interrupt, after which Ginkgo skips what was played ahead of it
	states := map[string]string{} // as suites name a spec: "ID on PROFILE: title", with "@RIG" on a run's second rig
	for _, report := range reports {
		ended = ended || slices.ContainsFunc(report.SpecialSuiteFailureReasons, func(why string) bool { return strings.HasPrefix(why, "Interrupted") })
		for _, s := range report.SpecReports {
			if key, _, ok := strings.Cut(s.LeafNodeText, ":"); ok && s.LeafNodeType == "It" {
				states[key] = s.State
			}
		}
	}
	var disagree []string
	for _, o := range run.Outcomes() {
		r := o.Result
		key := r.Scenario + " on " + r.Profile
		if second := "@" + r.Rig; strings.HasSuffix(o.Item.Name, second) {
			key += second
		}
		state, found := states[key]
		switch {
		case !found:
			disagree = append(disagree, fmt.Sprintf("%s: Ginkgo knows no such spec", o.Item.Name))
		case ended && state == "skipped":
		case !agrees(state, r.Verdict):
			disagree = append(disagree, fmt.Sprintf("%s: %s here, %s in Ginkgo's report", o.Item.Name, r.Verdict, state))
		}
	}
	return disagree, nil
}

// crossCheck is CrossCheck as an error: whose record is right nobody knows.
func (r *Run) crossCheck() error {
	disagree, err := CrossCheck(r)
	if err != nil || len(disagree) == 0 {
		return err
	}
	return fmt.Errorf("our record and Ginkgo's disagree: %s", strings.Join(disagree, "; "))
}

func agrees(state string, v record.Verdict) bool {
	switch v {
	case record.Pass, record.Marginal:
		return state == "passed"
	case record.Skipped, record.NotRun:
		return state == "skipped" || state == "pending"
	default:
		return state != "passed" && state != "skipped"
	}
}
