package rungs

import (
	"testing"

	"github.com/assay-hil/assay/fakes/network/packet"
	"github.com/assay-hil/assay/harness/record"
)

// TestSimSpoilsPackets plays packet faults on a kernel's network that assay made. Where the machine can't, the
// probe says why.
func TestSimSpoilsPackets(t *testing.T) {
	simPasses(t, "PKT-REFUSED", "PKT-DUPLICATE")
}

// TestSimSpeaksTLSAndAsksForNames over TCP and UDP of the loopback.
func TestSimSpeaksTLSAndAsksForNames(t *testing.T) {
	simPasses(t, "TLS-WRONG-HOST", "DNS-NXDOMAIN")
}

func simPasses(t *testing.T, ids ...string) {
	r, err := Open(Options{Rig: Sim})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, id := range ids {
		t.Run(id, func(t *testing.T) {
			if why := NoPackets(r, scenario(t, id).PacketFaults()); why != "" {
				t.Skip(why)
			}
			result := runOne(t, r, id)
			if result.Verdict != record.Pass && result.Verdict != record.Marginal {
				t.Errorf("%s (%s): %s", result.Verdict, result.Cause, result.Why)
			}
		})
	}
}

// A fault that the machine lacks is a reason to skip; one that should work and does not has to be seen.
func TestBrokenPacketFaultIsNoReasonToSkip(t *testing.T) {
	all := []packet.Capability{{Fault: "loss", Why: "tun: operation not permitted"}, {Fault: "delay", Broken: true, Why: "tun: device or resource busy"}, {Fault: "rate", OK: true}}
	for kind, want := range map[string]string{"loss": "packet fault loss: tun: operation not permitted", "delay": "", "rate": ""} {
		if got := missing(all, kind); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
}
