package judge

import (
	"testing"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// with is an event with one field changed.
func with(e record.Event, key, value string) record.Event {
	fields := map[string]string{key: value}
	for k, v := range e.Fields {
		if k != key {
			fields[k] = v
		}
	}
	e.Fields = fields
	return e
}

// fated is a message of which the injector says something else than that it passed.
func fated(e record.Event, fate string) record.Event { return with(e, "fate", fate) }

// underRule is an event of the issuer that names the scenario's first rule.
func underRule(e record.Event) record.Event { return with(e, "rule", "X-1-1") }

func closes(ms int64, connection, why string) record.Event {
	return at(ms, "network", "closed", "connection", connection, "why", why)
}

func opens(ms int64) record.Event { return at(ms, "network", "opened", "connection", "1") }

func arms(ms int64, kind string) record.Event {
	return at(ms, "network", "armed", "fault", kind+"-1", "kind", kind)
}

// released is a held message that healing let go.
func released(ms int64, mti, stan string) record.Event {
	e := reaches(ms, mti, stan)
	e.Fields["released"] = "healed"
	return e
}

func heals(ms int64) record.Event { return at(ms, "network", "healed", "fault", "any") }

func blackout(ms int64) record.Event { return at(ms, "power", "off") }

// benchCase is a record and what it says of injector and issuer; "" for nothing.
type benchCase struct {
	name    string
	events  []record.Event
	network []scenarios.NetworkFault
	rule    *scenarios.IssuerRule
	books   issuer.State

	injector, issuer string
}

func benchAll(t *testing.T, cases []benchCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k := theCase(t, c.events)
			k.Scenario.Arrange.Network = c.network
			if c.rule != nil {
				k.Scenario.Arrange.Issuer = []scenarios.IssuerRule{*c.rule}
			}
			k.States[Audit] = c.books
			checks := k.bench()
			says(t, named(t, checks, "injector"), record.Network, c.injector)
			says(t, named(t, checks, "issuer"), record.Issuer, c.issuer)
		})
	}
}

// says is exact: another problem beside the one that is wanted is one too many.
func says(t *testing.T, got record.Check, cause record.Cause, problem string) {
	t.Helper()
	want := wanted{record.Pass, record.None, "it did"}
	if problem != "" {
		want = unclear(cause, problem)
	}
	want.hold(t, got)
	if got.Observed != want.observed || got.Phase != Audit {
		t.Errorf("%s in %s: observed %q\nwant exactly %q", got.What, got.Phase, got.Observed, want.observed)
	}
}

func TestBenchOfASoundRecord(t *testing.T) {
	stands := charge(1250, "000002", issuer.StateCharged)
	benchAll(t, []benchCase{
		{name: "nothing happened", events: inAct()},
		{name: "a sale", events: inAct(goodSale(2000, "12.50", "000002")), books: books(stands)},
		{name: "a sale and its reversal", events: inAct(exchange(2000, "0200", "000002", "00"), exchange(9000, "0400", "000002", "00")),
			books: books(charge(1250, "000002", issuer.StateReversed))},
		{name: "a message repeated", events: inAct(exchange(2000, "0400", "000002", "96"), exchange(9000, "0400", "000002", "00"))},
	})
}

// A fault below the message that did not fire proves nothing, whatever its level.
func TestUnfiredLevelFault(t *testing.T) {
	c := &Case{Scenario: &scenarios.Scenario{}, Faults: []network.Status{{ID: "tls-expired-1", Fired: 0}, {ID: "packet-loss-1", Fired: 3}},
		Events: inAct(opens(2000))}
	c.Scenario.Arrange.TLS = []scenarios.TLSFault{{Fault: "expired"}}
	c.Scenario.Arrange.Packet = []scenarios.PacketFault{{Fault: "loss"}}
	checks := c.fired()
	if len(checks) != 2 || checks[0].Verdict != record.Inconclusive || checks[0].Cause != record.Network || checks[1].Verdict != record.Pass {
		t.Errorf("%+v", checks)
	}
}

// A fault of one uplink's TLS could not act on a terminal that dialled the other alone.
func TestUnfiredFaultOfAnUplink(t *testing.T) {
	const never = "it did not fire: the terminal never sent what it waits for"
	for dialled, want := range map[string]string{"primary": never, "backup": "it did not fire"} {
		c := &Case{Scenario: &scenarios.Scenario{}, Events: inAct(at(2000, "network", "opened", "connection", "1", "uplink", dialled))}
		c.Scenario.Arrange.TLS = []scenarios.TLSFault{{Fault: "expired", Uplink: "backup"}}
		if checks := c.fired(); len(checks) != 1 || checks[0].Verdict != record.Inconclusive || checks[0].Observed != want {
			t.Errorf("%s was dialled: %+v, want %q", dialled, checks, want)
		}
	}
}

// TestBenchBeforeTheTerminal: what the terminal seems to have done wrong may come from the same contradiction.
func TestBenchBeforeTheTerminal(t *testing.T) {
	c := goodCase(t)
	c.Scenario.Expect[1].Code = "96"
	c.Events = story(c.Events, leaves(50_000, "0200", "000009"))
	v := Judge(*c)
	if v.Verdict != record.Inconclusive || v.Cause != record.Network ||
		v.Why != "audit: expected the injector does to messages what was arranged, and nothing else; observed the injector swallowed the 0200 of trace 000009" {
		t.Errorf("%s (%s): %s", v.Verdict, v.Cause, v.Why)
	}
}
