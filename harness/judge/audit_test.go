package judge

import (
	"slices"
	"testing"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness/record"
)

// goodSale is a sale as it should be: asked, answered, shown, printed.
func goodSale(ms int64, amount, stan string) []record.Event {
	return story(sale(ms, amount), press(ms+100, 0, "ENTER"), exchange(ms+200, "0200", stan, "00"),
		screen(ms+300, "approved"), slipFor(ms+400, amount, stan))
}

// auditCase is a record, the host's books at the end, and what one check of the audit says.
type auditCase struct {
	name   string
	events []record.Event
	books  issuer.State
	want   wanted
}

func auditAll(t *testing.T, what string, cases []auditCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k := theCase(t, c.events)
			k.States[Audit] = c.books
			c.want.hold(t, k.audited(t, what))
		})
	}
}

func TestAuditOfAGoodSale(t *testing.T) {
	c := theCase(t, inAct(goodSale(2000, "12.50", "000002")))
	c.States[Audit] = settled(books(charge(1250, "000002", issuer.StateCharged)))
	want := []string{"charges", "given back", "unanswered", "order", "approval", "customer", "trace", "protocol", "scripts", "card told", "stored", "card data", "receipts", "print", "totals"}
	checks := c.audit()
	if len(checks) != len(want) {
		t.Fatalf("%d checks, want %v", len(checks), want)
	}
	for i, check := range checks {
		if check.What != want[i] || check.Phase != Audit {
			t.Errorf("check %d is %s in %s, want %s", i, check.What, check.Phase, want[i])
		}
		passes("").hold(t, check)
	}
	if got := checks[0].Observed; got != "1 sales, 1 net charges" {
		t.Errorf("observed %q", got)
	}
}

func TestAuditCharges(t *testing.T) {
	good := inAct(goodSale(2000, "12.50", "000002"))
	stands := charge(1250, "000002", issuer.StateCharged)
	auditAll(t, "charges", []auditCase{
		{"one", good, books(stands), passes("1 sales, 1 net charges")},
		{"none", good, books(), passes("1 sales, 0 net charges")},
		{"one of two taken back", good, books(charge(1250, "000001", issuer.StateReversed), stands), passes("1 net charges")},
		{"twice", good, books(stands, charge(1250, "000003", issuer.StateCharged)), fails("12.50 was charged 2 times")},
		{"unintended", good, books(stands, charge(1, "000007", issuer.StateCharged)), fails("0.01 was charged (trace 000007), which nobody intended")},
		{"unintended, and nobody began a sale", inAct(), books(stands), fails("which nobody intended")},
	})
}

func TestAuditReceipts(t *testing.T) {
	bought := sale(2000, "12.50")
	stands := charge(1250, "000002", issuer.StateCharged)
	auditAll(t, "receipts", []auditCase{
		{"they agree", inAct(goodSale(2000, "12.50", "000002")), books(stands), passes("they agree")},
		{"neither", inAct(bought), books(), passes("they agree")},
		{"receipt without charge", inAct(goodSale(2000, "12.50", "000002")), books(), fails("an approved receipt for 12.50 (trace 000002) has no charge")},
		{"receipt of a charge taken back", inAct(goodSale(2000, "12.50", "000002")), books(charge(1250, "000002", issuer.StateReversed)), fails("has no charge")},
		{"charge without receipt", inAct(bought, line(3000, "DECLINED"), cut(3000)), books(stands), fails("the charge of 12.50 (trace 000002) has 0 approved receipts")},
		{"two receipts", inAct(goodSale(2000, "12.50", "000002"), slipFor(4000, "12.50", "000002")), books(stands), fails("has 2 approved receipts")},
		{"another amount", inAct(goodSale(2000, "12.51", "000002")), books(stands), fails("the charge of 12.50 (trace 000002) has 0 approved receipts; an approved receipt for 12.51 (trace 000002) has no charge")},
		{"another trace", inAct(goodSale(2000, "12.50", "000003")), books(stands), fails("the charge of 12.50 (trace 000002) has 0 approved receipts; an approved receipt for 12.50 (trace 000003) has no charge")},
		{"silent printer", inAct(bought, screen(2500, "approved")), books(stands), unclear(record.Rig, "has 0 approved receipts; nothing at all came from the printer")},
	})
}

func TestAuditTotals(t *testing.T) {
	good := inAct(goodSale(2000, "12.50", "000002"))
	stands := charge(1250, "000002", issuer.StateCharged)
	unsettled := stands
	unsettled.Settled = false
	differs := books(stands)
	differs.Settlements = []issuer.Settlement{{HostCount: 1, HostAmount: 1250}}
	auditAll(t, "totals", []auditCase{
		{"they agree", good, settled(books(stands)), passes("they agree")},
		{"never settled", good, books(stands), fails("the terminal's settlement never reached the host")},
		{"they differ", good, differs, fails("out of balance: terminal 0 sales, 0.00; host 1 sales, 12.50")},
		{"a charge outside the batch", good, settled(books(stands, unsettled)), fails("the charge of 12.50 (trace 000002) was not settled")},
		{"a charge taken back need not be", good, settled(books(stands, charge(1300, "000001", issuer.StateReversed))), passes("they agree")},
		{"a reversal is open", story(good, unacknowledged(3000, "000001", "98")), settled(books(stands)), fails("the reversal of trace 000001 is still open")},
		{"a reversal is done", story(good, reversed(3000, "000001", "98", "00")), settled(books(stands)), passes("they agree")},
	})
}

func TestAuditProtocol(t *testing.T) {
	auditAll(t, "protocol", []auditCase{
		{"kept", inAct(), issuer.State{}, passes("no violation")},
		{"broken", inAct(), issuer.State{Violations: []string{"DE11 was used before", "a MAC is wrong"}}, fails("DE11 was used before; a MAC is wrong")},
	})
}

func TestAuditCardData(t *testing.T) {
	leak := func(ms int64, source string) record.Event {
		return at(ms, source, "leak", "what", "the card number in clear", "card", "chip")
	}
	auditAll(t, "card data", []auditCase{
		{"none", inAct(goodSale(2000, "12.50", "000002")), books(), passes("none was seen")},
		{"printed", inAct(leak(2000, "printer")), books(), fails("the card number in clear was seen on the printer")},
		{"in two places", inAct(leak(2000, "display"), leak(2100, "display"), leak(2150, "display"), leak(2200, "printer")), books(),
			fails("the card number in clear was seen on the display; the card number in clear was seen on the printer")},
	})
}

// TestALeakIsSaidOnceForEachPlace: a number on the screen is drawn again with every key.
func TestALeakIsSaidOnceForEachPlace(t *testing.T) {
	leak := at(2000, "display", "leak", "what", "the card number in clear")
	if got := theCase(t, inAct(leak, leak)).audited(t, "card data").Observed; got != "the card number in clear was seen on the display" {
		t.Errorf("observed %q", got)
	}
}

// TestAuditOnlyAsksWhatThereIs: no printer on the rig, no settlement in the terminal.
func TestAuditOnlyAsksWhatThereIs(t *testing.T) {
	c := theCase(t, inAct())
	c.Printer = false
	c.Profile = &terminals.Profile{ID: "bare"}
	c.States[Audit] = issuer.State{}
	for _, check := range c.audit() {
		if check.What == "receipts" || check.What == "print" || check.What == "totals" {
			t.Errorf("%s was asked: %s", check.What, check.Observed)
		}
		passes("").hold(t, check)
	}
}

// TestAuditWithoutBooks: what only the books can tell is unclear, and the issuer's fault; what the
// record alone shows is judged all the same.
func TestAuditWithoutBooks(t *testing.T) {
	c := theCase(t, inAct(goodSale(2000, "12.50", "000002"), leaves(3000, "0200", "000003")))
	for _, what := range []string{"charges", "given back", "protocol", "receipts", "totals"} {
		unclear(record.Issuer, "not evaluated: the host's books could not be taken").hold(t, c.audited(t, what))
	}
	fails("the sale with trace 000003 got no answer").hold(t, c.audited(t, "unanswered"))
	passes("each had its answer").hold(t, c.audited(t, "approval"))
}

func faulty(kind, message string, nth int) *scenarios.Scenario {
	return &scenarios.Scenario{ID: "X-1", Arrange: scenarios.Arrange{Network: []scenarios.NetworkFault{{Fault: kind, Message: message, Nth: nth}}}}
}

func ruled(on string, nth int) *scenarios.Scenario {
	return &scenarios.Scenario{ID: "X-1", Arrange: scenarios.Arrange{Issuer: []scenarios.IssuerRule{{On: on, Nth: nth, Code: "96"}}}}
}

func TestFired(t *testing.T) {
	used := at(2000, "issuer", "received", "mti", "0200", "stan", "000002", "rule", "X-1-1")
	stopped := &Stopped{Phase: Act, Cause: record.Terminal, Why: "hung"}
	later := &Stopped{Phase: Recover, Cause: record.Terminal, Why: "hung"}
	seen := inAct(exchange(2000, "0200", "000002", "00"))
	for _, c := range []struct {
		name     string
		scenario *scenarios.Scenario
		events   []record.Event
		faults   []network.Status
		stopped  *Stopped
		want     wanted
	}{
		{"fault fired", faulty("drop", "0210", 1), seen, []network.Status{{ID: "drop-1", Fired: 2}}, nil, passes("it fired 2 ×")},
		{"noted just after it was healed", faulty("reset", "0200", 1), append(slices.Clone(seen), at(3000, "network", "fired", "fault", "reset-1")),
			[]network.Status{{ID: "reset-1"}}, nil, passes("it fired 1 ×")},
		{"another one noted just after", faulty("reset", "0200", 1), append(slices.Clone(seen), at(3000, "network", "fired", "fault", "reset-2")),
			[]network.Status{{ID: "reset-1"}}, nil, unclear(record.Network, "it did not fire")},
		{"fault slept", faulty("drop", "0200", 1), seen, []network.Status{{ID: "drop-1"}}, nil, unclear(record.Network, "it did not fire")},
		{"fault unknown to the network", faulty("drop", "0200", 1), seen, nil, nil, unclear(record.Network, "it did not fire")},
		{"another fault fired", faulty("drop", "0200", 1), seen, []network.Status{{ID: "drop-2", Fired: 1}}, nil, unclear(record.Network, "it did not fire")},
		{"fault slept although provoked, terminal failed", faulty("drop", "0200", 1), seen, nil, stopped, unclear(record.Network, "it did not fire")},
		{"never provoked", faulty("drop", "0210", 1), inAct(), nil, nil, unclear(record.Network, "the terminal never sent what it waits for")},
		{"never provoked, terminal failed before", faulty("drop", "0210", 1), inAct(), nil, stopped, fails("the terminal never sent what it waits for")},
		{"never provoked, terminal failed later", faulty("drop", "0210", 1), inAct(), nil, later, fails("never sent")},
		{"the second never came, terminal failed before", faulty("drop", "0200", 2), seen, nil, stopped, fails("never sent what it waits for")},
		{"refusing needs no message", faulty("refuse", "", 0), inAct(), nil, stopped, unclear(record.Network, "it did not fire")},
		{"rule unused", ruled("0200", 1), seen, nil, nil, unclear(record.Issuer, "it did not fire")},
		{"rule never provoked", ruled("0200", 1), inAct(), nil, nil, unclear(record.Issuer, "the terminal never sent what it waits for")},
		{"rule never provoked, terminal failed before", ruled("0200", 1), inAct(), nil, stopped, fails("never sent")},
		{"the rule's second never came, terminal failed before", ruled("0200", 2), seen, nil, stopped, fails("never sent")},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := theCase(t, c.events)
			k.Scenario, k.Faults, k.Stopped = c.scenario, c.faults, c.stopped
			checks := k.fired()
			if len(checks) != 1 {
				t.Fatalf("%d checks", len(checks))
			}
			c.want.hold(t, checks[0])
		})
	}
	k := theCase(t, inAct(used))
	k.Scenario = ruled("0200", 1)
	if checks := k.fired(); len(checks) != 0 {
		t.Errorf("the rule was used, and yet %+v", checks)
	}
}

func TestAuditStored(t *testing.T) {
	entry := func(operation string, fields map[string]string) issuer.State {
		b := books()
		b.Journal = []issuer.Entry{{In: true, STAN: "000002", Operation: operation, Fields: fields}}
		return b
	}
	auditAll(t, "stored", []auditCase{
		{"a reversal without", inAct(), entry("reversal", map[string]string{"2": "[pan 16]", "4": "000000001250"}), passes("none has")},
		{"a reversal with the stripe", inAct(), entry("reversal", map[string]string{"35": "[track2 37]"}), fails("the reversal of trace 000002 has field 35 [track2 37]")},
		{"a reversal of a void with a PIN block", inAct(), entry("reversal-void", map[string]string{"52": "[pin-block 8]"}), fails("has field 52")},
		{"a sale may have both", inAct(), entry("purchase", map[string]string{"35": "[track2 37]", "52": "[pin-block 8]"}), passes("none has")},
	})
}
