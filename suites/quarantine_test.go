package suites

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/rungs"
)

// TestQuarantineSkipsWithTheReason on the rig that it names, and nothing else.
func TestQuarantineSkipsWithTheReason(t *testing.T) {
	rung, err := rungs.Open(rungs.Options{Rig: rungs.Virtual})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "quarantine.yaml")
	text := fmt.Sprintf("quarantine:\n  - {scenario: SALE-PLAIN, rig: virtual, reason: a cable, until: %[1]s}\n  - {scenario: SALE-STRIPE, rig: lab-7, reason: a reader, until: %[1]s}\n",
		time.Now().Format(time.DateOnly))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	items, err := Plan(rung, Selection{Scenarios: []string{"SALE-PLAIN", "SALE-STRIPE"}, Quarantine: path})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		if got, want := strings.Contains(item.Skip, "a cable"), item.Scenario.ID == "SALE-PLAIN"; got != want {
			t.Errorf("%s: %q", item.Name, item.Skip)
		}
	}
	later, err := ExpiredQuarantine(path, time.Now().AddDate(0, 0, 1))
	if err != nil || len(later) != 2 || !strings.Contains(later[0], "SALE-PLAIN on virtual ended on") || !strings.Contains(later[0], path) {
		t.Errorf("%q, %v", later, err)
	}
	if now, err := ExpiredQuarantine(path, time.Now()); err != nil || len(now) > 0 {
		t.Errorf("%q, %v", now, err)
	}
	if _, err := Plan(rung, Selection{Quarantine: path + "x"}); err == nil {
		t.Error("a list that is not there was accepted")
	}
}
