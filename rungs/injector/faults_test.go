package injector

import (
	"slices"
	"testing"

	network "github.com/assay-hil/assay/fakes/network/client"
)

// Each row of the fault catalogue that a level of the injector owns has a kind of that level that
// provokes it; the others are the issuer's and the bench's.
func TestEveryRowHasAFaultOfItsLevel(t *testing.T) {
	levels := map[string]string{network.OwnerMessage: Message, network.OwnerPacket: Packet, network.OwnerTLS: TLS, network.OwnerDNS: DNS}
	owned := map[string]int{}
	for _, row := range network.Catalogue {
		level, ours := levels[row.Owner]
		if !ours {
			if row.Owner != network.OwnerIssuer && row.Owner != network.OwnerBench {
				t.Errorf("row %d (%s) belongs to nobody: %q", row.Number, row.Fault, row.Owner)
			}
			continue
		}
		owned[level]++
		if !slices.ContainsFunc(Faults(), func(f Fault) bool { return f.Level == level && slices.Contains(f.Rows, row.Number) }) {
			t.Errorf("row %d (%s): no fault of level %s provokes it", row.Number, row.Fault, level)
		}
	}
	if len(owned) != len(levels) {
		t.Errorf("rows by level: %v", owned)
	}
}
