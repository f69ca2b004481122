package harness

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness/record"
)

// program is what a scenario arranges, in the words of issuer and injector and in the profile's time.
type program struct {
	setup  issuer.Setup
	plan   network.Plan
	tls    []network.TLSFault
	dns    []network.DNSFault
	packet []network.PacketFault
}

// programs turns what a scenario arranges into those words, and into the host's dialect.
func programs(sc *scenarios.Scenario, p *terminals.Profile, tongue *hosts.Tongue) (program, error) {
	made := program{setup: issuer.Setup{Ordered: true, Otherwise: issuer.OtherwiseBooks}, plan: network.Plan{Faults: []network.Fault{}}}
	times := clock{profile: p}
	for i, r := range sc.Arrange.Issuer {
		made.setup.Rules = append(made.setup.Rules, issuer.Rule{
			Name: scenarios.RuleName(sc, i), Match: matching(r, tongue),
			Answer: issuer.Answer{Code: tongue.Code(r.Code), Never: r.Never, Late: times.of(r.Late), Approve: approval(r.Approve), Set: r.Set, Drop: r.Drop, Wrong: r.Wrong, Duplicate: r.Duplicate, Merge: r.Merge, Restart: restart(times.of(r.Restart))},
		})
	}
	for i, f := range sc.Arrange.Network {
		made.plan.Faults = append(made.plan.Faults, network.Fault{
			ID: scenarios.FaultID(f, i), Kind: f.Fault, Uplink: f.Uplink, Message: network.Select{MTI: tongue.MTI(f.Message), Fields: f.Fields, Nth: f.Nth},
			By: times.of(f.By), Pause: times.of(f.Pause), Times: f.Times, Bytes: f.Bytes, Field: f.Field, Value: f.Value,
			At: f.At, Mask: f.Mask, Then: f.Then, Length: f.Length, Junk: f.Junk, When: f.When, Towards: f.Towards, Old: f.Old,
		})
	}
	for i, f := range sc.Arrange.TLS {
		made.tls = append(made.tls, network.TLSFault{ID: scenarios.LevelFaultID(scenarios.LevelTLS, f.Fault, i), Kind: f.Fault, Uplink: f.Uplink, Nth: f.Nth, Alert: f.Alert})
	}
	for i, f := range sc.Arrange.DNS {
		made.dns = append(made.dns, network.DNSFault{
			ID: scenarios.LevelFaultID(scenarios.LevelDNS, f.Fault, i), Kind: f.Fault,
			Name: p.Uplinks.Hosts[f.Uplink], Nth: f.Nth, By: times.of(f.By), Address: f.Address,
		})
	}
	for i, f := range sc.Arrange.Packet {
		made.packet = append(made.packet, network.PacketFault{
			ID: scenarios.LevelFaultID(scenarios.LevelPacket, f.Fault, i), Kind: f.Fault, Uplink: f.Uplink,
			By: times.of(f.By), Jitter: times.of(f.Jitter), Idle: times.of(f.Idle), Down: times.of(f.Down), Up: times.of(f.Up),
			Direction: f.Direction, Answer: f.Answer, Percent: f.Percent, Every: f.Every, Size: f.Size, Rate: f.Rate, Times: f.Times, Seed: f.Seed,
		})
	}
	return made, times.err
}

// matching picks the messages that a rule is about.
func matching(r scenarios.IssuerRule, tongue *hosts.Tongue) issuer.Match {
	if slices.Contains(hosts.OperationNames(), r.On) {
		return issuer.Match{Operation: r.On, Nth: r.Nth}
	}
	return issuer.Match{MTI: tongue.MTI(r.On), Nth: r.Nth}
}

func restart(down time.Duration) *issuer.Restart {
	if down == 0 {
		return nil
	}
	return &issuer.Restart{Down: down}
}

func approval(a *scenarios.Approval) *issuer.Approve {
	if a == nil {
		return nil
	}
	return &issuer.Approve{Amount: a.Minor(), Script: a.Script, BadKCV: a.BadKCV}
}

// clock computes times in a profile's measure, and keeps the first error.
type clock struct {
	profile *terminals.Profile
	err     error
}

func (c *clock) of(written string) time.Duration {
	if written == "" {
		return 0
	}
	d, err := c.profile.Duration(written)
	if c.err == nil {
		c.err = err
	}
	return d
}

// levels are the levels below the message that the program has faults for, in the injector's words.
func (p program) levels() (all []string) {
	for level, faults := range map[string]int{network.LayerTLS: len(p.tls), network.LayerDNS: len(p.dns), network.LayerPacket: len(p.packet)} {
		if faults > 0 {
			all = append(all, level)
		}
	}
	return all
}

// arm arms the faults of every level. What the injector can't do as it is described is the scenario's fault.
func (p program) arm(ctx context.Context, injector *network.Client) error {
	err := injector.Arm(ctx, p.plan)
	if err == nil && len(p.tls) > 0 {
		err = injector.ArmTLS(ctx, p.tls)
	}
	if err == nil && len(p.dns) > 0 {
		err = injector.ArmDNS(ctx, p.dns)
	}
	if err == nil && len(p.packet) > 0 {
		err = injector.ArmPacket(ctx, p.packet)
	}
	var refused *network.Error
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusBadRequest:
		return blame(record.Config, "arrange: %w", err)
	case err != nil:
		return blame(record.Network, "arrange: %w", err)
	}
	return nil
}
