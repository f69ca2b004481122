package injector

import (
	"errors"
	"os"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fakes/network/dns"
	"github.com/assay-hil/assay/fakes/network/packet"
	"github.com/assay-hil/assay/fakes/network/tlswire"
	"github.com/assay-hil/assay/fixtures/strict"
)

// Plan is what is armed on the levels of an injector.
type Plan struct {
	// Seed and Faults are those of the message level.
	Seed   int64                  `yaml:"seed"`
	Faults []network.WrittenFault `yaml:"faults"`
	TLS    []tlswire.WrittenFault `yaml:"tls"`
	DNS    []dns.WrittenFault     `yaml:"dns"`
	Packet []packet.WrittenFault  `yaml:"packet"`
}

// LoadPlan reads a plan from a YAML file. Every complaint has its place. What only the injector
// knows (its uplinks, its dialect's paths) is checked when the plan is armed.
func LoadPlan(path string) (Plan, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Plan{}, err
	}
	var p Plan
	return p, strict.Decode(path, data, &p)
}

// messageLevel is the part that the message level arms.
func (p Plan) messageLevel() client.Plan {
	plan := client.Plan{Seed: p.Seed}
	for _, f := range p.Faults {
		plan.Faults = append(plan.Faults, f.Fault)
	}
	return plan
}

// tlsLevel, dnsLevel and packetLevel are the parts that those levels arm.
func (p Plan) tlsLevel() (faults []tlswire.Fault) {
	for _, f := range p.TLS {
		faults = append(faults, f.Fault)
	}
	return faults
}

func (p Plan) dnsLevel() (faults []dns.Fault) {
	for _, f := range p.DNS {
		faults = append(faults, f.Fault)
	}
	return faults
}

func (p Plan) packetLevel() (faults []packet.Fault) {
	for _, f := range p.Packet {
		faults = append(faults, f.Fault)
	}
	return faults
}

// fits says which of the plan's levels the injector has not.
func (p Plan) fits(tls, names, packets bool) error {
	var wrong []error
	if len(p.TLS) > 0 && !tls {
		wrong = append(wrong, errors.New("it has faults for TLS, which needs --tls good"))
	}
	if len(p.DNS) > 0 && !names {
		wrong = append(wrong, errors.New("it has faults for DNS, which needs --dns LISTEN"))
	}
	if len(p.Packet) > 0 && !packets {
		wrong = append(wrong, errors.New("it has faults for packets, which needs --packet"))
	}
	return errors.Join(wrong...)
}
