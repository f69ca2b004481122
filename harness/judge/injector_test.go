package judge

import (
	"testing"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

func TestUndelivered(t *testing.T) {
	// asked is a sale whose answer reaches the injector at 2000 ms.
	asked := []record.Event{leaves(2000, "0200", "7"), arrives(2000, "0200", "7"), received(2000, "0200", "7", ""),
		answers(2000, "0210", "7", "00"), returns(2000, "0210", "7")}
	const swallowed = "the injector swallowed the 0210 of trace 7"
	benchAll(t, []benchCase{
		{name: "the answer is gone", events: inAct(asked), injector: swallowed},
		{name: "the request is gone", events: inAct(leaves(2000, "0200", "7")), injector: "the injector swallowed the 0200 of trace 7"},
		{name: "it came out in time", events: inAct(asked, reaches(3001, "0210", "7"))},
		{name: "it came out late", events: inAct(asked, reaches(3500, "0210", "7")), injector: "the injector held the 0210 of trace 7 for 1.5s"},
		{name: "it came out on another connection", events: inAct(asked, with(reaches(2000, "0210", "7"), "connection", "8")),
			injector: swallowed},
		{name: "it came out the wrong way", events: inAct(asked, arrives(2000, "0210", "7")), injector: swallowed,
			issuer: "the issuer never received the 0210 of trace 7"},
		{name: "another message came out", events: inAct(asked, with(reaches(2000, "0210", "9"), "connection", "7")), injector: swallowed},
		{name: "the terminal closed the connection", events: inAct(asked, closes(2500, "7", "terminal closed"))},
		{name: "the terminal reset it", events: inAct(asked, closes(2500, "7", "reset by terminal"))},
		{name: "the terminal does not take it", events: inAct(asked, closes(2500, "7", "writing to terminal failed"))},
		{name: "the terminal closed it long after", events: inAct(asked, closes(3500, "7", "terminal closed")), injector: swallowed},
		{name: "the host closed it", events: inAct(asked, closes(2500, "7", "host closed")), injector: swallowed},
		{name: "the terminal closed another", events: inAct(asked, closes(2500, "8", "terminal closed")), injector: swallowed},
		{name: "the power was cut while it waited", events: inAct(asked, blackout(4000))},
		{name: "the power was cut in that moment", events: inAct(blackout(2000), asked)},
		{name: "the power was cut before", events: inAct(blackout(1500), asked), injector: swallowed},
		{name: "the power was cut after the wait", events: inAct(asked, blackout(32_001)), injector: swallowed},
	})
}

func TestUnlike(t *testing.T) {
	// answered is a sale up to the answer, on which the injector does something at 2000 ms.
	answered := func(fate string) []record.Event {
		return []record.Event{leaves(2000, "0200", "7"), arrives(2000, "0200", "7"), received(2000, "0200", "7", ""),
			answers(2000, "0210", "7", "00"), fated(returns(2000, "0210", "7"), fate)}
	}
	fired := func(id string) record.Event {
		return at(2000, "network", "fired", "connection", "7", "fault", id, "mti", "0210", "stan", "7")
	}
	drop, reset := scenarios.NetworkFault{Fault: "drop", Message: "0210"}, scenarios.NetworkFault{Fault: "reset", Message: "0210"}
	delay := scenarios.NetworkFault{Fault: "delay", Message: "0210", By: "5s"}
	longer := scenarios.NetworkFault{Fault: "delay", Message: "0210", Nth: 2, By: "9s"}
	faults := func(f ...scenarios.NetworkFault) []scenarios.NetworkFault { return f }
	benchAll(t, []benchCase{
		{name: "dropped as wanted", events: inAct(answered("dropped")), network: faults(drop)},
		{name: "reset as wanted", events: inAct(answered("reset"), closes(2000, "7", "fault reset-1")), network: faults(reset)},
		{name: "held as wanted", events: inAct(answered("held"), reaches(7000, "0210", "7")), network: faults(delay)},
		{name: "held by a busy machine", events: inAct(answered("held"), reaches(7900, "0210", "7")), network: faults(delay)},
		{name: "dropped, and nobody wanted anything", events: inAct(answered("dropped")),
			injector: `the injector says of the 0210 "dropped", which nobody wanted`},
		{name: "dropped where another message was meant", events: inAct(answered("dropped")),
			network: faults(scenarios.NetworkFault{Fault: "drop", Message: "0200"}), injector: `the injector says of the 0210 "dropped", which nobody wanted`},
		{name: "dropped where it was to be held", events: inAct(answered("dropped")), network: faults(delay),
			injector: `the injector says of the 0210 "dropped", which nobody wanted`},
		{name: "dropped and delivered", events: inAct(answered("dropped"), reaches(2000, "0210", "7")), network: faults(drop),
			injector: "the injector says that it took the 0210 away, and delivered it"},
		{name: "reset and delivered", events: inAct(answered("reset"), reaches(2000, "0210", "7")), network: faults(reset),
			injector: "the injector says that it took the 0210 away, and delivered it"},
		{name: "reset after delivery as wanted", events: inAct(answered("reset"), reaches(2000, "0210", "7")),
			network: faults(scenarios.NetworkFault{Fault: "reset", Message: "0210", When: "after"})},
		{name: "changed and delivered", events: inAct(answered("rewrite"), fired("rewrite-1"), reaches(2000, "0210", "7")),
			network: faults(scenarios.NetworkFault{Fault: "rewrite", Message: "0210", Field: "11", Value: "999999"})},
		{name: "silent after another message", events: inAct(answered("silence")),
			network: faults(scenarios.NetworkFault{Fault: "silence", Message: "0200"})},
		{name: "silent, and delivered", events: inAct(answered("silence"), reaches(2000, "0210", "7")),
			network: faults(scenarios.NetworkFault{Fault: "silence", Message: "0200"}), injector: "the injector says that it took the 0210 away, and delivered it"},
		{name: "lost behind a fault", events: inAct(fired("close-1"), answered("lost")),
			network: faults(scenarios.NetworkFault{Fault: "close", Message: "0200"})},
		{name: "lost without a fault", events: inAct(answered("lost")), injector: `the injector says of the 0210 "lost", which nobody wanted`},
		{name: "held too briefly", events: inAct(answered("held"), reaches(5000, "0210", "7")), network: faults(delay),
			injector: "the injector held the 0210 for 3s instead of 5s"},
		{name: "held too long", events: inAct(answered("held"), reaches(9000, "0210", "7")), network: faults(delay),
			injector: "the injector held the 0210 for 7s instead of 5s"},
		{name: "healed meanwhile", events: inAct(answered("held"), heals(5000), released(5000, "0210", "7")), network: faults(delay)},
		{name: "let go too early, healed in the same moment", events: inAct(answered("held"), reaches(5000, "0210", "7"), heals(5000)), network: faults(delay),
			injector: "the injector held the 0210 for 3s instead of 5s"},
		{name: "healed, and still held", events: inAct(answered("held"), heals(3000), reaches(6500, "0210", "7")), network: faults(delay),
			injector: "the injector held the 0210 for 4.5s instead of 5s"},
		{name: "healed before", events: inAct(heals(1500), answered("held"), reaches(5000, "0210", "7")), network: faults(delay),
			injector: "the injector held the 0210 for 3s instead of 5s"},
		{name: "healed before, and held as wanted", events: inAct(heals(1500), answered("held"), reaches(7000, "0210", "7")), network: faults(delay)},
		{name: "the connection ended while it was held", events: inAct(answered("held"), closes(4000, "7", "terminal closed")),
			network: faults(delay)},
		{name: "the connection ended, and it was due long before", events: inAct(answered("held"), closes(9000, "7", "terminal closed")),
			network: faults(delay), injector: "the injector held the 0210 for longer than 5s"},
		{name: "never let go", events: inAct(answered("held")), network: faults(delay),
			injector: "the injector held the 0210 for longer than 5s"},
		{name: "the power was cut while it was held", events: inAct(answered("held"), blackout(4000)), network: faults(delay)},
		{name: "two faults on one type, the first acts", events: inAct(answered("held"), fired("delay-1"), reaches(7000, "0210", "7")),
			network: faults(delay, longer)},
		{name: "two faults on one type, the second acts", events: inAct(answered("held"), fired("delay-2"), reaches(11_000, "0210", "7")),
			network: faults(delay, longer)},
		{name: "two kinds on one type", events: inAct(answered("held"), reaches(7000, "0210", "7")), network: faults(drop, delay)},
	})
}

func TestUnseen(t *testing.T) {
	closes := scenarios.NetworkFault{Fault: "close", Message: "0200", When: "after"}
	benchAll(t, []benchCase{
		{name: "a request that the injector never saw", events: inAct(received(2000, "0200", "7", ""), answers(2000, "0210", "7", "00"),
			returns(2000, "0210", "7"), reaches(2000, "0210", "7")), injector: "the issuer received the 0200 of trace 7, which the injector never saw"},
		{name: "an answer that the injector never saw",
			events: inAct(leaves(2000, "0200", "7"), arrives(2000, "0200", "7"), received(2000, "0200", "7", ""),
				answers(2000, "0210", "7", "00")), injector: "the issuer sent the 0210 of trace 7, which the injector never saw"},
		{name: "an answer of another trace",
			events: inAct(exchange(2000, "0200", "6", "00"), leaves(3000, "0200", "7"), arrives(3000, "0200", "7"),
				received(3000, "0200", "7", ""), answers(3000, "0210", "7", "00")), injector: "the issuer sent the 0210 of trace 7, which the injector never saw"},
		{name: "an answer that did not leave the issuer",
			events: inAct(leaves(2000, "0200", "7"), arrives(2000, "0200", "7"), received(2000, "0200", "7", ""),
				answers(2000, "0210", "7", "00"), at(2000, "issuer", "undelivered", "mti", "0210", "stan", "7"))},
		{name: "an answer to a connection that a fault ends under its request", network: []scenarios.NetworkFault{closes},
			events: inAct(fated(leaves(2000, "0200", "7"), "close"), arrives(2000, "0200", "7"), received(2000, "0200", "7", ""),
				answers(2000, "0210", "7", "00"))},
		{name: "an answer lost behind a fault that has yet to tell of firing", network: []scenarios.NetworkFault{closes},
			events: inAct(with(fated(leaves(2000, "0200", "7"), "close"), "connection", "7"), arrives(2000, "0200", "7"), received(2000, "0200", "7", ""),
				answers(2000, "0210", "7", "00"), with(fated(returns(2000, "0210", "7"), "lost"), "connection", "7"))},
	})
}

func TestUnreached(t *testing.T) {
	arranged := []record.Event{begin(500, "arrange"), end(900, "arrange")}
	refuse := []scenarios.NetworkFault{{Fault: "refuse"}}
	const doubt = "the terminal says that no connection was made, and the injector saw no try: the line between them is in doubt"
	dials := screen(2000, "connecting")
	benchAll(t, []benchCase{
		{name: "no try was seen", events: inAct(dials, screen(12_000, "comm-failed")), injector: doubt},
		{name: "a try was seen", events: inAct(dials, opens(2000), screen(12_000, "comm-failed"))},
		{name: "the try came with the screen", events: inAct(opens(2000), dials, screen(12_000, "comm-failed"))},
		{name: "an earlier sale's try is another one", events: inAct(opens(1500), dials, screen(12_000, "comm-failed")), injector: doubt},
		{name: "a later try is another one", events: inAct(dials, screen(12_000, "comm-failed"), opens(15_000)), injector: doubt},
		{name: "the screen was drawn again meanwhile",
			events: inAct(dials, opens(2000), dials, screen(3000, "connecting"), screen(12_000, "comm-failed"))},
		{name: "half a screen was seen meanwhile",
			events: inAct(dials, opens(2100), screen(2200, "connecting"), screen(3000), screen(12_000, "comm-failed"))},
		{name: "told again beside another prompt",
			events: inAct(dials, opens(2000), screen(12_000, "comm-failed"), screen(13_000, "comm-failed", "remove-card"))},
		{name: "told twice is one doubt",
			events: inAct(dials, screen(12_000, "comm-failed"), screen(20_000, "connecting"), screen(30_000, "comm-failed")), injector: doubt},
		{name: "refused", events: inAct(arms(1500, "refuse"), dials, screen(2001, "comm-failed")), network: refuse},
		{name: "refused, and told after healing", events: inAct(arms(1500, "refuse"), dials, heals(5000), screen(12_000, "comm-failed")),
			network: refuse},
		{name: "refused, and told again after healing",
			events:  inAct(arms(1500, "refuse"), dials, screen(3000, "comm-failed"), heals(5000), screen(6000, "comm-failed")),
			network: refuse},
		{name: "refused while it tried", events: inAct(dials, arms(5000, "refuse"), screen(12_000, "comm-failed")), network: refuse},
		{name: "healed before it tried", events: inAct(arms(1200, "refuse"), heals(1500), dials, screen(12_000, "comm-failed")), network: refuse,
			injector: doubt},
		{name: "armed after it failed", events: inAct(dials, screen(12_000, "comm-failed"), arms(15_000, "refuse")), network: refuse,
			injector: doubt},
		{name: "down since a message", events: inAct(arms(1200, "down"), at(1500, "network", "fired", "fault", "down-1", "kind", "down"), dials,
			screen(2001, "comm-failed")), network: []scenarios.NetworkFault{{Fault: "down", Message: "0200"}}},
		{name: "to go down, but up still", events: inAct(arms(1200, "down"), dials, screen(12_000, "comm-failed")),
			network: []scenarios.NetworkFault{{Fault: "down", Message: "0200"}}, injector: doubt},
		{name: "another fault does not refuse", events: inAct(arms(1500, "drop"), dials, screen(12_000, "comm-failed")), injector: doubt},
		{name: "failed before the scenario was arranged",
			events: inAct(screen(100, "signing-on"), screen(300, "comm-failed"), screen(400, "idle"), arranged)},
		{name: "tried before, failed while arranging",
			events: inAct(screen(100, "signing-on"), arranged[0], screen(700, "comm-failed"), arranged[1])},
		{name: "tried before, failed in the act", events: inAct(screen(100, "signing-on"), arranged, screen(5000, "comm-failed"))},
		{name: "tried and failed after it was arranged", events: inAct(arranged, dials, screen(12_000, "comm-failed")), injector: doubt},
		{name: "failed before and again after",
			events: inAct(screen(100, "signing-on"), screen(300, "comm-failed"), arranged, dials, screen(12_000, "comm-failed")), injector: doubt},
		{name: "nothing was shown before", events: inAct(screen(2000, "comm-failed"))},
		{name: "no try was seen, and time ran out", events: inAct(dials, screen(12_000, "connect-timeout")), injector: doubt},
		{name: "the modem had no SIM card", events: inAct(at(1000, "power", "broken", "part", "sim"), dials, screen(2001, "comm-failed"))},
		{name: "the antenna came back meanwhile",
			events: inAct(at(1000, "power", "broken", "part", "antenna"), dials, at(2500, "power", "mended", "part", "antenna"), screen(3000, "comm-failed"))},
		{name: "the SIM card was back before it tried",
			events:   inAct(at(1000, "power", "broken", "part", "sim"), at(1500, "power", "mended", "part", "sim"), dials, screen(12_000, "comm-failed")),
			injector: doubt},
		{name: "the paper has nothing to do with it", events: inAct(at(1000, "power", "broken", "part", "paper"), dials, screen(12_000, "comm-failed")), injector: doubt},
	})
}

// A fault on packets or names that acted explains why the injector saw no try; one on TLS does not, for what it
// acts on has come.
func TestKeptAwayBelowTheMessage(t *testing.T) {
	armed := func(ms int64, level string) record.Event {
		return at(ms, "network", "armed", "fault", level+"-x-1", "kind", "x", "level", level)
	}
	healed := func(ms int64, level string) record.Event {
		return at(ms, "network", "healed", "fault", level+"-x-1", "kind", "x", "level", level)
	}
	dials, fails := screen(2000, "connecting"), screen(12_000, "comm-failed")
	for _, test := range []struct {
		name, level string
		fired       int
		events      []record.Event
		want        bool
	}{
		{"packets", "packet", 1, inAct(armed(1000, "packet"), dials, fails), true},
		{"names", "dns", 1, inAct(armed(1000, "dns"), dials, fails), true},
		{"healed while it tried", "packet", 1, inAct(armed(1000, "packet"), dials, healed(5000, "packet"), fails), true},
		{"healed before it tried", "packet", 1, inAct(armed(1000, "packet"), healed(1500, "packet"), dials, fails), false},
		{"armed and did nothing", "packet", 0, inAct(armed(1000, "packet"), dials, fails), false},
		{"armed after it failed", "packet", 1, inAct(dials, fails, armed(15_000, "packet")), false},
		{"TLS", "tls", 1, inAct(armed(1000, "tls"), dials, fails), false},
	} {
		c := &Case{Scenario: &scenarios.Scenario{}, Events: test.events, Faults: []network.Status{{ID: test.level + "-x-1", Fired: test.fired}}}
		switch test.level {
		case "packet":
			c.Scenario.Arrange.Packet = []scenarios.PacketFault{{Fault: "x"}}
		case "dns":
			c.Scenario.Arrange.DNS = []scenarios.DNSFault{{Fault: "x"}}
		default:
			c.Scenario.Arrange.TLS = []scenarios.TLSFault{{Fault: "x"}}
		}
		if got := len(c.unreached()) == 0; got != test.want {
			t.Errorf("%s: explained %v, want %v", test.name, got, test.want)
		}
	}
}
