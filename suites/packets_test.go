package suites

import (
	"strings"
	"testing"

	"github.com/assay-hil/assay/rungs"
)

// without is a rung whose machine lacks the mechanism of one kind of packet fault.
type without struct {
	rungs.Rung
	kind, why string
}

func (w without) NoPackets(kind string) string {
	if kind == w.kind {
		return w.why
	}
	return ""
}

// A scenario that asks for what a machine can't do is skipped with the reason that the probe gave, on each
// profile, and nothing else is.
func TestMissingMechanismSkipsWithTheProbesReason(t *testing.T) {
	virtual, err := rungs.Open(rungs.Options{Rig: rungs.Virtual})
	if err != nil {
		t.Fatal(err)
	}
	rung := without{virtual, "loss", "packet fault loss: netem: no such file or directory; tun: operation not permitted"}
	items, err := Plan(rung, Selection{Scenarios: []string{"PKT-LOSS", "PKT-REFUSED", "SALE-PLAIN"}, Profile: AllProfiles})
	if err != nil {
		t.Fatal(err)
	}
	skipped := 0
	for _, item := range items {
		switch {
		case item.Scenario.ID != "PKT-LOSS" && item.Skip != "":
			t.Errorf("%s is skipped: %s", item.Name, item.Skip)
		case item.Scenario.ID == "PKT-LOSS" && item.Skip != item.Profile.ID+" on rig virtual: "+rung.why:
			t.Errorf("%s: %q, want the probe's reason", item.Name, item.Skip)
		case item.Skip != "":
			skipped++
		}
	}
	if skipped < 2 {
		t.Errorf("%d items are skipped, want one a profile", skipped)
	}
}

// In virtual time there are no packets, and TLS and names there are.
func TestVirtualHasTLSAndNamesAndNoPackets(t *testing.T) {
	results, _ := playAll(t, rungs.Options{Rig: rungs.Virtual}, Selection{Scenarios: []string{"TLS-EXPIRED", "DNS-STALE", "PKT-LOSS"}})
	if len(results) != 2 || results["TLS-EXPIRED"].Verdict != "pass" || results["DNS-STALE"].Verdict != "pass" {
		t.Errorf("%+v", results)
	}
	virtual, err := rungs.Open(rungs.Options{Rig: rungs.Virtual})
	if err != nil {
		t.Fatal(err)
	}
	if why := virtual.NoPackets("loss"); !strings.Contains(why, "packet fault loss: a kernel's network is needed") {
		t.Errorf("%q", why)
	}
}
