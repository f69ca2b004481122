package judge

import (
	"testing"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// begun is a transaction that the cashier begins from the menu.
func begun(ms int64, kind string, kv ...string) record.Event { return at(ms, "harness", kind, kv...) }

// marked is a receipt with a mark of its own.
func marked(ms int64, mark, amount, trace string) []record.Event {
	return []record.Event{line(ms, "TRACE: "+trace), line(ms, "AMOUNT: RMB "+amount), line(ms, mark), cut(ms)}
}

func refund(amount int64, stan string) issuer.Refund {
	return issuer.Refund{STAN: stan, Amount: amount, State: issuer.StateRefunded, Settled: true}
}

func hold(amount int64, stan, state string) issuer.Hold {
	return issuer.Hold{STAN: stan, Amount: amount, State: state}
}

// part is a charge of less than was asked for.
func part(amount, asked int64, state string) issuer.Charge {
	c := charge(amount, "000002", state)
	c.Asked = asked
	return c
}

func TestAuditGivenBack(t *testing.T) {
	bought := sale(2000, "12.50")
	void, back := begun(3000, "void", "of", "12.50"), begun(3000, "refund", "of", "12.50", "amount", "5.00")
	voidedSale := charge(1250, "000002", issuer.StateVoided)
	authorised := begun(2000, "authorise", "amount", "200.00")
	for _, c := range []struct {
		name   string
		events []record.Event
		books  issuer.State
		want   wanted
	}{
		{"nothing", inAct(bought), books(), passes("they are")},
		{"a void", inAct(bought, void), books(voidedSale), passes("")},
		{"a void that nobody began", inAct(bought), books(voidedSale), fails("a void of 12.50 is on the books")},
		{"a part that was refused is voided by the terminal", inAct(sale(2000, "25.00")), books(part(1000, 2500, issuer.StateVoided)), passes("")},
		{"a refund", inAct(bought, back), issuer.State{Refunds: []issuer.Refund{refund(500, "000003")}}, passes("")},
		{"a refund of another amount", inAct(bought, back), issuer.State{Refunds: []issuer.Refund{refund(501, "000003")}}, fails("a refund of 5.01")},
		{"refunded twice", inAct(bought, back), issuer.State{Refunds: []issuer.Refund{refund(500, "000003"), refund(500, "000004")}}, fails("or not again")},
		{"a hold", inAct(authorised), issuer.State{Holds: []issuer.Hold{hold(20000, "000002", issuer.StateHeld)}}, passes("")},
		{"a captured hold", inAct(authorised), issuer.State{Holds: []issuer.Hold{hold(20000, "000002", issuer.StateCaptured)}}, passes("")},
		{"a hold that was taken back", inAct(), issuer.State{Holds: []issuer.Hold{hold(20000, "000002", issuer.StateReversed)}}, passes("")},
		{"held twice", inAct(authorised), issuer.State{Holds: []issuer.Hold{hold(20000, "000002", issuer.StateHeld), hold(20000, "000003", issuer.StateHeld)}},
			fails("a pre-authorisation of 200.00")},
		{"a voided hold", inAct(authorised, begun(3000, "void", "of", "200.00")), issuer.State{Holds: []issuer.Hold{hold(20000, "000002", issuer.StateVoided)}}, passes("")},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := theCase(t, c.events)
			k.States[Audit] = c.books
			c.want.hold(t, k.audited(t, "given back"))
		})
	}
}

func TestAuditReceiptsOfEachKind(t *testing.T) {
	bought, void := sale(2000, "12.50"), begun(3000, "void", "of", "12.50")
	approvedSlip, voidSlip := slipFor(2500, "12.50", "000002"), marked(3500, "VOIDED", "12.50", "000003")
	voidedSale := books(charge(1250, "000002", issuer.StateVoided))
	refunded := books(charge(1250, "000002", issuer.StateCharged))
	refunded.Refunds = []issuer.Refund{refund(500, "000003")}
	refundSlip := marked(3500, "REFUNDED", "5.00", "000003")
	held := issuer.State{Holds: []issuer.Hold{hold(20000, "000002", issuer.StateHeld)}}
	heldSlip := marked(3500, "PRE-AUTHORISED", "200.00", "000002")
	for _, c := range []struct {
		name   string
		events []record.Event
		books  issuer.State
		want   wanted
	}{
		{"sale and void", inAct(bought, approvedSlip, void, voidSlip), voidedSale, passes("they agree")},
		{"void on paper only", inAct(bought, approvedSlip, void, voidSlip), books(charge(1250, "000002", issuer.StateCharged)),
			fails("0 voids of 12.50 are on the books, and 1 on receipts")},
		{"void printed twice", inAct(bought, approvedSlip, void, voidSlip, voidSlip), voidedSale, fails("1 voids of 12.50 are on the books, and 2 on receipts")},
		{"refund", inAct(bought, approvedSlip, refundSlip), refunded, passes("they agree")},
		{"refund without a receipt", inAct(bought, approvedSlip), refunded, fails("the refund of 5.00 (trace 000003) has 0 refunded receipts")},
		{"refund on paper only", inAct(bought, approvedSlip, refundSlip), books(charge(1250, "000002", issuer.StateCharged)),
			fails("a refunded receipt for 5.00 (trace 000003) has no charge, refund or hold")},
		{"hold", inAct(heldSlip), held, passes("they agree")},
		{"hold on paper only", inAct(heldSlip), books(), fails("a held receipt for 200.00 (trace 000002)")},
		{"a copy proves nothing", inAct(bought, approvedSlip, append([]record.Event{line(4000, "DUPLICATE")}, slipFor(4000, "12.50", "000002")...)),
			books(charge(1250, "000002", issuer.StateCharged)), passes("they agree")},
		{"a copy that does not say so", inAct(bought, approvedSlip, slipFor(4000, "12.50", "000002")),
			books(charge(1250, "000002", issuer.StateCharged)), fails("has 2 approved receipts")},
		{"a part", inAct(sale(2000, "25.00"), slipFor(2500, "10.00", "000002")), books(part(1000, 2500, issuer.StateCharged)), passes("they agree")},
		{"a part taken for the whole", inAct(sale(2000, "25.00"), slipFor(2500, "25.00", "000002")), books(part(1000, 2500, issuer.StateCharged)),
			fails("the charge of 10.00 (trace 000002) has 0 approved receipts")},
		{"a part that was refused needs no receipt", inAct(sale(2000, "25.00")), books(part(1000, 2500, issuer.StateVoided)), passes("they agree")},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := theCase(t, c.events)
			k.States[Audit] = c.books
			c.want.hold(t, k.audited(t, "receipts"))
		})
	}
}

func TestUnansweredOfEachKind(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []record.Event
		want   wanted
	}{
		{"a void", inAct(begun(2000, "void", "of", "12.50"), leaves(2500, "0200", "000003")), fails("trace 000003")},
		{"a pre-authorisation", inAct(begun(2000, "authorise", "amount", "200.00"), leaves(2500, "0100", "000003")), fails("trace 000003")},
		{"a refund that is an advice", inAct(begun(2000, "refund", "amount", "5.00"), leaves(2500, "0220", "000003")), fails("trace 000003")},
		{"a balance moves no money", inAct(begun(2000, "balance"), leaves(2500, "0200", "000003")), passes("")},
		{"a completion that is an advice", inAct(begun(2000, "complete", "amount", "5.00"), leaves(2500, "0220", "000003")), fails("the advice with trace 000003 got no answer")},
		{"one that is answered to its repeat", inAct(begun(2000, "complete", "amount", "5.00"), leaves(2500, "0220", "000003"), leaves(5000, "0221", "000003"), reaches(5100, "0230", "000003")),
			passes("")},
		{"the void of a part", inAct(sale(2000, "25.00"), leaves(2500, "0200", "000003"), answers(2550, "0210", "000003", "10"), reaches(2600, "0210", "000003"), leaves(3000, "0200", "000004")), passes("")},
		{"a second request after an approval", inAct(sale(2000, "25.00"), leaves(2500, "0200", "000003"), answers(2550, "0210", "000003", "00"), reaches(2600, "0210", "000003"), leaves(3000, "0200", "000004")),
			fails("trace 000004")},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.hold(t, theCase(t, c.events).audited(t, "unanswered"))
		})
	}
}

func TestApprovalOnAWrongMAC(t *testing.T) {
	k := theCase(t, inAct(sale(2000, "12.50"), leaves(2500, "0200", "000002"),
		at(2600, "issuer", "sent", "mti", "0210", "stan", "000002", "code", "00", "rule", "X-1-1"), reaches(2700, "0210", "000002"), screen(2800, "approved")))
	k.Scenario.Arrange.Issuer = []scenarios.IssuerRule{{On: "purchase", Wrong: []string{"mac"}}}
	fails("on an answer whose MAC was wrong").hold(t, k.audited(t, "approval"))
	fails("trace 000002").hold(t, k.audited(t, "unanswered"))
}

func TestABankThatForgotItsKeys(t *testing.T) {
	k := theCase(t, inAct())
	k.States[Audit] = issuer.State{Violations: []string{"0400 STAN 000002: wrong MAC", "0200 STAN 000004: field 52 is not a PIN block under the terminal's key"}}
	fails("wrong MAC").hold(t, k.audited(t, "protocol"))
	k.Scenario.Arrange.Issuer = []scenarios.IssuerRule{{On: "purchase", Never: true, Restart: "2s"}}
	passes("no violation").hold(t, k.audited(t, "protocol"))
	k.States[Audit] = issuer.State{Violations: []string{"0200 STAN 000004: field 22 is missing"}}
	fails("field 22").hold(t, k.audited(t, "protocol"))
}

func TestBooks(t *testing.T) {
	state := books(charge(1250, "000002", issuer.StateCharged), charge(900, "000003", issuer.StateVoided))
	state.Refunds = []issuer.Refund{refund(500, "000004")}
	state.Holds = []issuer.Hold{hold(20000, "000005", issuer.StateHeld), hold(30000, "000006", issuer.StateCaptured)}
	for _, c := range []struct {
		name string
		want scenarios.Books
		says wanted
	}{
		{"all of it", scenarios.Books{Charged: []int64{1250}, Voided: []int64{900}, Refunded: []int64{500}, Held: []int64{20000}},
			passes("charged 12.50; refunded 5.00; voided 9.00; held 200.00")},
		{"a cent less", scenarios.Books{Charged: []int64{1249}, Voided: []int64{900}, Refunded: []int64{500}, Held: []int64{20000}}, fails("charged 12.50")},
		{"one is not said", scenarios.Books{Charged: []int64{1250}, Voided: []int64{900}, Refunded: []int64{500}}, fails("held 200.00")},
		{"one is not there", scenarios.Books{Charged: []int64{1250, 1251}, Voided: []int64{900}, Refunded: []int64{500}, Held: []int64{20000}}, fails("")},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := theCase(t, inAct())
			k.States[Act] = state
			c.says.hold(t, k.expecting(t, scenarios.Expectation{Books: &c.want}))
		})
	}
	t.Run("without books", func(t *testing.T) {
		unclear(record.Issuer, "not evaluated").hold(t, theCase(t, inAct()).expecting(t, scenarios.Expectation{Books: &scenarios.Books{}}))
	})
}

func TestUploaded(t *testing.T) {
	differs := issuer.Settlement{TerminalCount: 2, TerminalCreditCount: 1, Closed: true, Uploaded: 3}
	for _, c := range []struct {
		name   string
		change func(*issuer.Settlement)
		want   wanted
	}{
		{"all of it", func(*issuer.Settlement) {}, passes("3 transactions uploaded")},
		{"one is missing", func(s *issuer.Settlement) { s.Uploaded = 2 }, fails("2 transactions uploaded")},
		{"never ended", func(s *issuer.Settlement) { s.Closed = false }, fails("")},
		{"in balance", func(s *issuer.Settlement) { s.Agrees = true }, fails("in balance")},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := differs
			c.change(&s)
			k := theCase(t, inAct())
			k.States[Act] = issuer.State{Settlements: []issuer.Settlement{s}}
			c.want.hold(t, k.expecting(t, scenarios.Expectation{Settlement: "uploaded"}))
		})
	}
}
