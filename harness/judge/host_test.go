package judge

import (
	"testing"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// eventCase is a record and what one expectation says of it.
type eventCase struct {
	name   string
	events []record.Event
	want   wanted
}

func runAll(t *testing.T, e scenarios.Expectation, cases []eventCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.want.hold(t, theCase(t, c.events).expecting(t, e)) })
	}
}

func TestHostSilent(t *testing.T) {
	runAll(t, scenarios.Expectation{Host: &scenarios.HostExpectation{Silent: true}}, []eventCase{
		{"nothing", inAct(screen(2000, "pin")), passes("nothing was sent")},
		{"a connection alone says nothing", inAct(at(2000, "network", "opened")), passes("nothing was sent")},
		{"sent, lost on the way", inAct(leaves(2000, "0200", "000002")), fails("the terminal sent 0200")},
		{"seen by the host alone", inAct(received(2000, "0200", "000002", "")), fails("messages were sent")},
		{"before the phase", story(exchange(500, "0800", "000001", "00"), begin(1000, Act), end(2000, Act)), passes("nothing was sent")},
	})
}

func TestHostTimes(t *testing.T) {
	runAll(t, scenarios.Expectation{Host: &scenarios.HostExpectation{Request: "0200", Times: 1}}, []eventCase{
		{"once", inAct(exchange(2000, "0200", "000002", "00")), passes("0200 × 1")},
		{"never", inAct(exchange(2000, "0800", "000002", "00")), fails("0200 × 0")},
		{"twice", inAct(exchange(2000, "0200", "000002", "96"), exchange(3000, "0200", "000003", "00")), fails("0200 × 2")},
		{"lost on the way", inAct(leaves(2000, "0200", "000002")), fails("0200 × 0")},
	})
	runAll(t, scenarios.Expectation{Host: &scenarios.HostExpectation{Request: "0200", Times: 0}}, []eventCase{
		{"none wanted", inAct(), passes("0200 × 0")},
		{"none wanted, one came", inAct(exchange(2000, "0200", "000002", "00")), fails("0200 × 1")},
	})
}

// What a message must have beside its kind: the way that it took, and data elements as the host's journal has them.
func TestHostHaving(t *testing.T) {
	over := func(uplink string) []record.Event {
		return inAct(with(leaves(2000, "0200", "000002"), "uplink", uplink), with(received(2000, "0200", "000002", ""), "operation", "purchase"))
	}
	for _, c := range []struct {
		name  string
		want  scenarios.HostExpectation
		field string
		holds wanted
	}{
		{"the right uplink", scenarios.HostExpectation{Uplink: "primary"}, "", passes("0200 × 1")},
		{"the other uplink", scenarios.HostExpectation{Uplink: "backup"}, "", fails("0200 × 1, over the primary uplink")},
		{"the right field", scenarios.HostExpectation{Having: map[string]string{"22": "80*"}}, "801", passes("0200 × 1")},
		{"another field", scenarios.HostExpectation{Having: map[string]string{"22": "80*"}}, "021", fails(`0200 × 1, field 22 "021"`)},
		{"no such field", scenarios.HostExpectation{Having: map[string]string{"22": "80*"}}, "", fails(`field 22 ""`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Request, c.want.Times = "0200", 1
			of := theCase(t, over("primary"))
			of.States[Act] = issuer.State{Journal: []issuer.Entry{{In: true, STAN: "000002", Operation: "purchase", Fields: map[string]string{"22": c.field}}}}
			c.holds.hold(t, of.expecting(t, scenarios.Expectation{Host: &c.want}))
		})
	}
	of := theCase(t, over("primary"))
	fails("which is not in the host's journal").hold(t, of.expecting(t, scenarios.Expectation{Host: &scenarios.HostExpectation{Request: "0200", Times: 1, Having: map[string]string{"22": "*"}}}))
}

func TestCode(t *testing.T) {
	runAll(t, scenarios.Expectation{Code: "00"}, []eventCase{
		{"right", inAct(exchange(2000, "0200", "000002", "00")), passes("00")},
		{"wrong", inAct(exchange(2000, "0200", "000002", "96")), fails("96")},
		{"the last one counts", inAct(exchange(2000, "0200", "000002", "55"), exchange(3000, "0200", "000003", "00")), passes("00")},
		{"the last one is wrong", inAct(exchange(2000, "0200", "000002", "00"), exchange(3000, "0200", "000003", "55")), fails("55")},
		{"none", inAct(leaves(2000, "0200", "000002"), answers(2000, "0210", "000002", "00")), fails("no answer to a transaction reached the terminal")},
		{"of another message", inAct(exchange(2000, "0400", "000002", "00")), fails("no answer to a transaction")},
		{"not in the journal", inAct(leaves(2000, "0200", "000002"), answers(2000, "0210", "000009", "00"), reaches(2000, "0210", "000002")),
			unclear(record.Issuer, "the issuer's journal does not know the answer")},
		{"the journal's answer to something else", inAct(answers(2000, "0210", "000002", "96"), answers(2000, "0410", "000002", "00"), reaches(2000, "0210", "000002")), fails("96")},
		{"journal far behind", inAct(reaches(2000, "0210", "000002"), answers(2002, "0210", "000002", "00")), unclear(record.Issuer, "does not know")},
		{"journal behind by clocks", inAct(reaches(2000, "0210", "000002"), answers(2001, "0210", "000002", "00")), passes("00")},
	})
}

// unacknowledged is a reversal whose answer got lost.
func unacknowledged(ms int64, stan, reason string) []record.Event {
	return []record.Event{leaves(ms, "0400", stan), received(ms, "0400", stan, reason), answers(ms, "0410", stan, "00")}
}

// reversed is a reversal and its answer.
func reversed(ms int64, stan, reason, code string) []record.Event {
	return []record.Event{leaves(ms, "0400", stan), received(ms, "0400", stan, reason), answers(ms, "0410", stan, code), reaches(ms, "0410", stan)}
}

func TestNoReversal(t *testing.T) {
	runAll(t, scenarios.Expectation{Reversal: &scenarios.ReversalExpectation{None: true}}, []eventCase{
		{"none", inAct(exchange(2000, "0200", "000002", "00")), passes("0400 × 0")},
		{"one", inAct(reversed(2000, "000002", "98", "00")), fails("0400 × 1")},
		{"one that got lost", inAct(leaves(2000, "0400", "000002")), fails("0400 × 0")},
	})
}

func TestReversal(t *testing.T) {
	once := scenarios.Expectation{Reversal: &scenarios.ReversalExpectation{Times: 1, Reason: "98"}}
	runAll(t, once, []eventCase{
		{"acknowledged", inAct(reversed(2000, "000002", "98", "00")), passes("0400 × 1, acknowledged")},
		{"of an unknown sale", inAct(reversed(2000, "000002", "98", "25")), passes("acknowledged")},
		{"of a refused sale", inAct(reversed(2000, "000002", "98", "12")), passes("acknowledged")},
		{"refused", inAct(reversed(2000, "000002", "98", "96")), fails("0400 × 1, but its acknowledgement never reached the terminal")},
		{"answer lost", inAct(unacknowledged(2000, "000002", "98")), fails("but its acknowledgement never reached the terminal")},
		{"answer of another", inAct(unacknowledged(2000, "000002", "98"), reaches(2001, "0410", "000003")), fails("but its acknowledgement")},
		{"none", inAct(), fails("0400 × 0")},
		{"lost on the way", inAct(leaves(2000, "0400", "000002")), fails("0400 × 0")},
		{"two", inAct(reversed(2000, "000002", "98", "00"), reversed(3000, "000003", "98", "00")), fails("0400 × 2")},
		{"another reason", inAct(reversed(2000, "000002", "06", "00")), fails("0400 × 1 with reason 06")},
	})
	runAll(t, scenarios.Expectation{Reversal: &scenarios.ReversalExpectation{Times: 2}}, []eventCase{
		{"any reason", inAct(reversed(2000, "000002", "06", "00"), reversed(3000, "000003", "98", "00")), passes("0400 × 2, acknowledged")},
		{"the second not acknowledged", inAct(reversed(2000, "000002", "06", "00"), unacknowledged(3000, "000003", "98")), fails("× 2, but")},
	})
}

func TestReversalWithin(t *testing.T) {
	soon := scenarios.Expectation{Within: "reversal", Reversal: &scenarios.ReversalExpectation{Times: 1}}
	runAll(t, soon, []eventCase{
		{"in time", inAct(press(2000, 0, "ENTER"), reversed(3000, "000002", "98", "00")), passes("acknowledged 1s after the last key or card")},
		{"never measured", inAct(reversed(3000, "000002", "98", "00")), fails("the budget reversal can't be measured")},
	})
	late := story(begin(1000, Act), press(2000, 0, "ENTER"), reversed(122_001, "000002", "98", "00"), end(130_000, Act))
	runAll(t, soon, []eventCase{{"too late", late, fails("acknowledged 2m0s after the last key or card, allowed 2m0s")}})
	close := story(begin(1000, Act), press(2000, 0, "ENTER"), reversed(122_000, "000002", "98", "00"), end(130_000, Act))
	runAll(t, soon, []eventCase{{"just in time", close, marginal("")}})
}

func TestReversalUplink(t *testing.T) {
	over := func(uplink string) []record.Event {
		all := reversed(3000, "000002", "98", "00")
		all[0].Fields["uplink"] = uplink
		return all
	}
	backup := scenarios.Expectation{Reversal: &scenarios.ReversalExpectation{Times: 1, Uplink: "backup"}}
	runAll(t, backup, []eventCase{
		{"over the backup", inAct(over("backup")), passes("0400 × 1, acknowledged")},
		{"over the primary", inAct(over("primary")), fails("0400 × 1, over the primary uplink")},
		{"before the recovery began", inAct(over("primary"), exchange(4000, "0200", "000003", "00")), fails("over the primary uplink")},
	})
}
