package injector

import (
	"maps"
	"slices"
	"strings"
	"testing"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fakes/network/dns"
	"github.com/assay-hil/assay/fakes/network/packet"
	"github.com/assay-hil/assay/fakes/network/tlswire"
	"github.com/assay-hil/assay/fixtures/scenarios"
)

// TestScenariosKnowTheLevelsFaults: the catalogue may not import the levels, so its words are its own, and must be
// the same. Where a level says name or port, a scenario says uplink; of names it knows no type.
func TestScenariosKnowTheLevelsFaults(t *testing.T) {
	for _, level := range []struct {
		name  string
		rules map[string]scenarios.FaultRule
		kinds []network.Kind
	}{
		{scenarios.LevelTLS, scenarios.TLSParams, tlswire.Vocabulary},
		{scenarios.LevelDNS, scenarios.DNSParams, dns.Vocabulary},
	} {
		var known []string
		for _, kind := range level.kinds {
			known = append(known, kind.Kind)
			var required, optional []string
			for _, p := range kind.Params {
				switch {
				case p.Name == "type":
				case p.Name == "name":
					optional = append(optional, "uplink")
				case p.Required:
					required = append(required, p.Name)
				default:
					optional = append(optional, p.Name)
				}
			}
			sameRule(t, level.name+" "+kind.Kind, level.rules[kind.Kind], required, optional)
		}
		if got := slices.Sorted(maps.Keys(level.rules)); !slices.Equal(got, known) {
			t.Errorf("%s: scenarios know %v, the level %v", level.name, got, known)
		}
	}
	var known []string
	for _, word := range packet.Vocabulary {
		known = append(known, word.Kind)
		var required, optional []string
		for _, p := range strings.Fields(word.Params) {
			name, needed := strings.CutSuffix(p, "!")
			name, _, _ = strings.Cut(name, "=")
			if name == "port" {
				name = "uplink"
			}
			if needed {
				required = append(required, name)
			} else {
				optional = append(optional, name)
			}
		}
		sameRule(t, "packet "+word.Kind, scenarios.PacketParams[word.Kind], required, optional)
	}
	slices.Sort(known)
	if got := slices.Sorted(maps.Keys(scenarios.PacketParams)); !slices.Equal(got, known) {
		t.Errorf("packet: scenarios know %v, the level %v", got, known)
	}
}

func sameRule(t *testing.T, what string, rule scenarios.FaultRule, required, optional []string) {
	t.Helper()
	for _, list := range []*[]string{&rule.Required, &rule.Optional, &required, &optional} {
		*list = slices.Sorted(slices.Values(*list))
	}
	if !slices.Equal(rule.Required, required) || !slices.Equal(rule.Optional, optional) {
		t.Errorf("%s takes %v and perhaps %v, the scenarios say %v and %v", what, required, optional, rule.Required, rule.Optional)
	}
}

// A packet fault's uplink is its port, once the injector knows it.
func TestPacketFaultsOfAnUplink(t *testing.T) {
	p := &packets{ports: func() map[string]int { return map[string]int{"primary": 8583, "backup": 8584} }}
	got, err := p.aimed([]packet.Fault{{Kind: packet.Refused, Uplink: "backup"}, {Kind: packet.Loss, Percent: 5}})
	if err != nil || got[0].Port != 8584 || got[0].Uplink != "" || got[1].Port != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := p.aimed([]packet.Fault{{Kind: packet.Refused, Uplink: "bakcup"}}); err == nil || !strings.Contains(err.Error(), `did you mean "backup"?`) {
		t.Errorf("an unknown uplink: %v", err)
	}
	for want, f := range map[string]packet.Fault{
		"port and uplink: give one of them": {Kind: packet.Refused, Uplink: "backup", Port: 1},
		"uplink: not taken by this kind":    {Kind: packet.LinkFlap, Uplink: "backup"},
	} {
		if _, err := packet.SpecOf(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", f, err, want)
		}
	}
}
