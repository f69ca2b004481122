package quarantine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var today = time.Date(2026, 12, 1, 12, 0, 0, 0, time.Local)

func load(t *testing.T, text string) (*List, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "quarantine.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path, []string{"NET-SILENT", "SALE-PLAIN"}, today)
}

func TestFind(t *testing.T) {
	l, err := load(t, `quarantine:
  - {scenario: NET-SILENT, rig: lab-7, reason: cable, by: m, until: 2026-12-24}
  - {scenario: SALE-PLAIN, reason: old, until: 2026-11-30}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scenario, rig string
		at            time.Time
		want          string
	}{
		{"NET-SILENT", "lab-7", today, "in quarantine until 2026-12-24: cable (m)"},
		{"net-silent", "lab-7", time.Date(2026, 12, 24, 23, 0, 0, 0, time.Local), "in quarantine until 2026-12-24: cable (m)"},
		{"NET-SILENT", "lab-7", time.Date(2026, 12, 25, 0, 0, 0, 0, time.Local), ""},
		{"NET-SILENT", "lab-8", today, ""},
		{"SALE-PLAIN", "lab-7", today, ""},
	} {
		e, found := l.Find(c.scenario, c.rig, c.at)
		if found != (c.want != "") || found && e.String() != c.want {
			t.Errorf("%s on %s at %v: %v %v", c.scenario, c.rig, c.at, e, found)
		}
	}
	if old := l.Expired(today); len(old) != 1 || old[0].Scenario != "SALE-PLAIN" {
		t.Errorf("%v", old)
	}
}

func TestComplaints(t *testing.T) {
	for text, want := range map[string]string{
		"quarantine:\n  - {scenario: NET-SILEN, reason: x, until: 2026-12-24}":   `did you mean "NET-SILENT"?`,
		"quarantine:\n  - {scenario: NET-SILENT, until: 2026-12-24}":             `"reason" is missing`,
		"quarantine:\n  - {scenario: NET-SILENT, reason: x}":                     `"until" is missing`,
		"quarantine:\n  - {scenario: NET-SILENT, reason: ' ', until: 2026-12-2}": "not a date",
		"quarantine:\n  - {scenario: NET-SILENT, reason: x, until: 2027-12-24}":  "quarantine.yaml:2:5: until 2027-12-24 is more than 90 days away",
		"quarantine:\n  - {scenario: NET-SILENT, reason: '', until: 2026-12-24}": "a reason is needed",
	} {
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
