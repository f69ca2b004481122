package harness

import (
	"maps"
	"slices"
	"testing"
	"time"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/terminals"
)

// What a scenario says of uplinks and the profile's time becomes names and durations.
func TestProgramOfTheLevels(t *testing.T) {
	p, err := terminals.Load("countertop-tls")
	if err != nil {
		t.Fatal(err)
	}
	sc := &scenarios.Scenario{Arrange: scenarios.Arrange{
		TLS:    []scenarios.TLSFault{{Fault: "alert", Alert: "access_denied", Nth: 2, Uplink: "primary"}},
		DNS:    []scenarios.DNSFault{{Fault: "slow", Uplink: "backup", By: "1s", Nth: 1}, {Fault: "nxdomain"}},
		Packet: []scenarios.PacketFault{{Fault: "delay", Uplink: "primary", By: "connect - 2s", Jitter: "1s", Seed: 7, Direction: "host>terminal"}},
	}}
	made, err := programs(sc, p.Scaled(2), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []network.TLSFault{{ID: "tls-alert-1", Kind: "alert", Nth: 2, Alert: "access_denied", Uplink: "primary"}}; !slices.Equal(made.tls, want) {
		t.Errorf("%+v, want %+v", made.tls, want)
	}
	names := []network.DNSFault{{ID: "dns-slow-1", Kind: "slow", Name: "pos2.bank.test", Nth: 1, By: 500 * time.Millisecond}, {ID: "dns-nxdomain-2", Kind: "nxdomain"}}
	if !slices.Equal(made.dns, names) {
		t.Errorf("%+v, want %+v", made.dns, names)
	}
	packets := []network.PacketFault{{ID: "packet-delay-1", Kind: "delay", Uplink: "primary", By: 4 * time.Second, Jitter: 500 * time.Millisecond,
		Seed: 7, Direction: "host>terminal"}}
	if !slices.Equal(made.packet, packets) {
		t.Errorf("%+v, want %+v", made.packet, packets)
	}
	if got := slices.Sorted(slices.Values(made.levels())); !slices.Equal(got, []string{"dns", "packet", "tls"}) {
		t.Errorf("levels %v", got)
	}
	sc.Arrange.Packet[0].Idle = "conect"
	if _, err := programs(sc, p, nil); err == nil {
		t.Error("an unknown timer was taken")
	}
}

// TestScenariosKnowTheInjectorsFaults: the catalogue may not import the injector's client, so its words are
// its own, and must be the same.
func TestScenariosKnowTheInjectorsFaults(t *testing.T) {
	if got, want := slices.Sorted(maps.Keys(scenarios.FaultParams)), network.Kinds(); !slices.Equal(got, want) {
		t.Fatalf("scenarios know %v, the injector %v", got, want)
	}
	for _, kind := range network.Vocabulary {
		rule := scenarios.FaultParams[kind.Kind]
		if !slices.Equal(rule.Targets, kind.On) {
			t.Errorf("%s acts on %v, the scenarios say %v", kind.Kind, kind.On, rule.Targets)
		}
		var required, optional []string
		for _, p := range kind.Params {
			if p.Required {
				required = append(required, p.Name)
			} else {
				optional = append(optional, p.Name)
			}
		}
		if !slices.Equal(rule.Required, required) || !slices.Equal(rule.Optional, optional) {
			t.Errorf("%s takes %v and perhaps %v, the scenarios say %v and %v", kind.Kind, required, optional, rule.Required, rule.Optional)
		}
	}
}
