package harness

import (
	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/terminals"
)

// programs turns what a scenario arranges into what issuer and injector understand, in the
// profile's time.
func programs(sc *scenarios.Scenario, p *terminals.Profile) (issuer.Setup, network.Plan, error) {
	var setup issuer.Setup
	for i, r := range sc.Arrange.Issuer {
		rule := issuer.Rule{Name: scenarios.RuleName(sc, i), Match: issuer.Match{MTI: r.On, Nth: r.Nth}, Answer: issuer.Answer{Code: r.Code, Never: r.Never}}
		if r.Late != "" {
			late, err := p.Duration(r.Late)
			if err != nil {
				return setup, network.Plan{}, err
			}
			rule.Answer.Late = late
		}
		setup.Rules = append(setup.Rules, rule)
	}
	plan := network.Plan{Faults: []network.Fault{}}
	for i, f := range sc.Arrange.Network {
		fault := network.Fault{ID: scenarios.FaultID(f, i), Kind: f.Fault, Message: network.Select{MTI: f.Message, Nth: f.Nth}}
		if f.By != "" {
			by, err := p.Duration(f.By)
			if err != nil {
				return setup, plan, err
			}
			fault.By = by
		}
		plan.Faults = append(plan.Faults, fault)
	}
	return setup, plan, nil
}
