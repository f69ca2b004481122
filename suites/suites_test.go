package suites_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/rungs"
	"github.com/assay-hil/assay/suites"
)

// Flags of `go test ./suites/... -args` and `ginkgo ./suites -- `.
var (
	rig     = flag.String("rig", rungs.Virtual, "virtual, sim or a rig file")
	profile = flag.String("profile", usualProfile(), "a terminal profile, or all; \"\" is the first that can run a scenario")
	out     = flag.String("out", "", "folder for the run folder of each process (default: none is kept)")
)

// usualProfile is all of them, but where the race detector watches.
func usualProfile() string {
	if suites.UnderRace {
		return ""
	}
	return suites.AllProfiles
}

// TestSuites runs the same specs that `assay run` runs.
func TestSuites(t *testing.T) {
	RegisterFailHandler(Fail)
	rung, err := rungs.Open(rungs.Options{Rig: *rig})
	if err != nil {
		t.Fatal(err)
	}
	items, err := suites.Plan(rung, suites.Selection{Profile: *profile})
	if err != nil {
		t.Fatal(err)
	}
	if *out == "" {
		*out = t.TempDir()
	}
	folder, err := reports.Create(filepath.Join(*out, fmt.Sprintf("run-%d", GinkgoParallelProcess())), reports.Summary{Planned: len(items), Rig: rung.Name(), Profile: *profile})
	if err != nil {
		t.Fatal(err)
	}
	suites.Register(suites.Config{Items: items, Rung: rung, Folder: folder})
	RunSpecs(t, "assay")
	if err := rung.Close(); err != nil {
		t.Error(err)
	}
	if _, err := folder.Close(); err != nil {
		t.Error(err)
	}
}
