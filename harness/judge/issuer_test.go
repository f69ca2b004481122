package judge

import (
	"testing"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

func TestUnheard(t *testing.T) {
	sent := inAct(leaves(2000, "0200", "7"), arrives(2000, "0200", "7"))
	benchAll(t, []benchCase{
		{name: "it came out and never arrived", events: sent, issuer: "the issuer never received the 0200 of trace 7"},
		{name: "another one arrived", events: inAct(exchange(1500, "0200", "6", "00"), sent),
			issuer: "the issuer never received the 0200 of trace 7"},
		{name: "the terminal talks nonsense", events: sent, books: issuer.State{Violations: []string{"unreadable message"}}},
		{name: "it was dropped on the way", events: inAct(fated(leaves(2000, "0200", "7"), "dropped")),
			network: []scenarios.NetworkFault{{Fault: "drop", Message: "0200"}}},
	})
}

func TestUnreplied(t *testing.T) {
	asked := []record.Event{leaves(2000, "0200", "7"), arrives(2000, "0200", "7"), received(2000, "0200", "7", "")}
	under := []record.Event{asked[0], asked[1], underRule(asked[2])}
	// reply is the answer, all the way back.
	reply := func(ms int64, mti, stan string) []record.Event {
		return []record.Event{answers(ms, mti, stan, "00"), with(returns(ms, mti, stan), "connection", "7"), with(reaches(ms, mti, stan), "connection", "7")}
	}
	const silent = "the issuer did not answer the 0200 of trace 7"
	benchAll(t, []benchCase{
		{name: "no answer", events: inAct(asked), issuer: silent},
		{name: "the answer to another trace", events: inAct(asked, reply(2000, "0210", "8")), issuer: silent},
		{name: "the answer to another type", events: inAct(asked, reply(2000, "0410", "7")), issuer: silent},
		{name: "the answer to an earlier one", events: inAct(exchange(1500, "0200", "7", "00"), asked), issuer: silent},
		{name: "answered", events: inAct(asked, reply(3000, "0210", "7"))},
		{name: "answered, but the terminal had gone", events: inAct(asked, at(2500, "issuer", "undelivered", "mti", "0210", "stan", "7"))},
		{name: "answered late without a rule", events: inAct(asked, reply(5000, "0210", "7")),
			issuer: "the issuer took 3s for the 0200 of trace 7, and no rule says so"},
		{name: "answered late with a rule for the code",
			events: inAct(under, with(reply(5000, "0210", "7")[0], "code", "96"), reply(5000, "0210", "7")[1:]),
			rule:   &scenarios.IssuerRule{On: "0200", Code: "96"}, issuer: "the issuer took 3s for the 0200 of trace 7, and no rule says so"},
		{name: "the rule says never", events: inAct(under), rule: &scenarios.IssuerRule{On: "0200", Never: true}},
		{name: "the rule says late", events: inAct(under), rule: &scenarios.IssuerRule{On: "0200", Late: "host-reply + 5s"}},
		{name: "a rule for another one says never", events: inAct(asked), rule: &scenarios.IssuerRule{On: "0200", Nth: 2, Never: true},
			issuer: silent},
		{name: "no request at all, which the host calls a violation",
			events: inAct(leaves(2000, "0220", "7"), arrives(2000, "0220", "7"), received(2000, "0220", "7", "")),
			books:  issuer.State{Violations: []string{"0220: not a request that this host knows"}}},
	})
}

func TestMisruled(t *testing.T) {
	// replied is a sale answered under the rule after some milliseconds.
	replied := func(after int64, code string) []record.Event {
		return []record.Event{leaves(2000, "0200", "7"), arrives(2000, "0200", "7"), underRule(received(2000, "0200", "7", "")),
			underRule(answers(2000+after, "0210", "7", code)), returns(2000+after, "0210", "7"), reaches(2000+after, "0210", "7")}
	}
	code, late := &scenarios.IssuerRule{On: "0200", Code: "96"}, &scenarios.IssuerRule{On: "0200", Late: "5s"}
	benchAll(t, []benchCase{
		{name: "the code of the rule", events: inAct(replied(0, "96")), rule: code},
		{name: "another code", events: inAct(replied(0, "00")), rule: code, issuer: "the issuer answered 00 where the rule says 96"},
		{name: "late as the rule says", events: inAct(replied(5000, "00")), rule: late},
		{name: "late on a busy machine", events: inAct(replied(5900, "00")), rule: late},
		{name: "too soon", events: inAct(replied(4000, "00")), rule: late, issuer: "the issuer answered after 4s where the rule says 5s"},
		{name: "too late", events: inAct(replied(7000, "00")), rule: late, issuer: "the issuer answered after 7s where the rule says 5s"},
		{name: "late, with a reversal of the same trace meanwhile",
			events: inAct(replied(5000, "00")[:3], exchange(4000, "0400", "7", "00"), replied(5000, "00")[3:]), rule: late},
		{name: "too soon, but in time for another message", events: inAct(exchange(1100, "0800", "6", "00"), replied(4100, "00")), rule: late,
			issuer: "the issuer answered after 4.1s where the rule says 5s"},
		{name: "answered where the rule says never", events: inAct(replied(0, "00")), rule: &scenarios.IssuerRule{On: "0200", Never: true},
			issuer: "the issuer sent the 0210 of trace 7 where the rule says never"},
		{name: "without a rule", events: inAct(exchange(2000, "0200", "7", "00")), rule: &scenarios.IssuerRule{On: "0200", Nth: 2, Code: "96"}},
	})
}

func TestMiscounted(t *testing.T) {
	stands, taken := charge(1250, "7", issuer.StateCharged), charge(1250, "7", issuer.StateReversed)
	open := stands
	open.Settled = false
	// lacking is a journal without the last charge of the books.
	lacking := func(all ...issuer.Charge) issuer.State {
		s := books(all...)
		s.Journal = s.Journal[:len(s.Journal)-1]
		return s
	}
	lost := books(stands)
	lost.Charges = nil
	short := lacking(stands)
	short.Dropped = 1
	late := books(taken)
	late.Journal[len(late.Journal)-1].Effect = issuer.EffectReversed
	reversed := inAct(exchange(2000, "0400", "7", "00"))
	ruledOff := inAct(leaves(2000, "0400", "7"), arrives(2000, "0400", "7"), underRule(received(2000, "0400", "7", "")),
		underRule(answers(2000, "0410", "7", "00")), returns(2000, "0410", "7"), reaches(2000, "0410", "7"))
	const unposted = "the issuer acknowledged the reversal of trace 7 and did not post it"
	benchAll(t, []benchCase{
		{name: "they agree", events: inAct(), books: books(stands, charge(1, "8", issuer.StateReversed))},
		{name: "a charge that the journal does not know", events: inAct(), books: lacking(stands),
			issuer: "the issuer's books have 1 charges of 12.50 (trace 7), its journal 0"},
		{name: "a charge booked twice is told once", events: inAct(), books: lacking(stands, stands),
			issuer: "the issuer's books have 2 charges of 12.50 (trace 7), its journal 1"},
		{name: "a charge twice in both", events: inAct(), books: books(stands, stands)},
		{name: "a charge that the books do not have", events: inAct(), books: lost,
			issuer: "the issuer's books have 0 charges of 12.50 (trace 7), its journal 1"},
		{name: "a sale that came after its reversal", events: inAct(), books: late},
		{name: "a journal that lost its beginning", events: inAct(), books: short},
		{name: "a reversal done and posted", events: reversed, books: books(taken)},
		{name: "a reversal done and not posted", events: reversed, books: books(open), issuer: unposted},
		{name: "a reversal done after the settlement", events: reversed, books: books(stands)},
		{name: "a reversal refused", events: inAct(exchange(2000, "0400", "7", "12")), books: books(open)},
		{name: "a reversal of another trace", events: inAct(exchange(2000, "0400", "8", "00")), books: books(open)},
		{name: "a reversal that a rule called done", events: ruledOff, books: books(open), rule: &scenarios.IssuerRule{On: "0400", Code: "00"}},
	})
}
