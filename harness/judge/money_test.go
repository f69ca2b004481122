package judge

import (
	"testing"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

func TestLedger(t *testing.T) {
	one, none := "one-sale", "no-charge"
	stands, back := charge(1250, "000002", issuer.StateCharged), charge(1250, "000002", issuer.StateReversed)
	for _, c := range []struct {
		name   string
		expect string
		events []record.Event
		books  issuer.State
		want   wanted
	}{
		{"no charge", none, inAct(sale(2000, "12.50")), books(), passes("0 charges")},
		{"no charge stands", none, inAct(sale(2000, "12.50")), books(back), passes("0 charges")},
		{"a charge stands", none, inAct(sale(2000, "12.50")), books(stands), fails("1 charges, 12.50 (trace 000002)")},
		{"one sale", one, inAct(sale(2000, "12.50")), books(stands), passes("1 charges, 12.50 (trace 000002)")},
		{"one sale of the last amount", one, inAct(sale(2000, "9.00"), sale(3000, "12.50")), books(stands), passes("")},
		{"a sale of an earlier amount", one, inAct(sale(2000, "12.50"), sale(3000, "9.00")), books(stands), fails("12.50")},
		{"wrong amount", one, inAct(sale(2000, "12.51")), books(stands), fails("1 charges, 12.50 (trace 000002)")},
		{"not charged", one, inAct(sale(2000, "12.50")), books(), fails("0 charges")},
		{"taken back", one, inAct(sale(2000, "12.50")), books(back), fails("0 charges")},
		{"charged twice", one, inAct(sale(2000, "12.50")), books(stands, charge(1250, "000003", issuer.StateCharged)),
			fails("2 charges, 12.50 (trace 000002), 12.50 (trace 000003)")},
		{"nobody began a sale", one, inAct(), books(stands), fails("1 charges")},
		{"the next phase's sale in the same moment", one,
			story(begin(1000, Act), sale(2000, "12.50"), end(3000, Act), begin(3000, Recover), sale(3000, "12.51"), end(9000, Recover)), books(stands), passes("")},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := theCase(t, c.events)
			k.States[Act] = c.books
			c.want.hold(t, k.expecting(t, scenarios.Expectation{Ledger: c.expect}))
		})
	}
}

func TestLedgerSaysWhichSale(t *testing.T) {
	c := theCase(t, inAct(sale(2000, "12.50")))
	c.States[Act] = books()
	if got := c.expecting(t, scenarios.Expectation{Ledger: "one-sale"}); got.Expected != "ledger one-sale of 12.50" {
		t.Errorf("expected %q", got.Expected)
	}
}

func TestReceipt(t *testing.T) {
	bought := sale(2000, "12.50")
	declinedSlip := []record.Event{line(3000, "TRACE: 000002"), line(3000, "AMOUNT: RMB 12.50"), line(3000, "DECLINED"), cut(3000)}
	for _, c := range []struct {
		name   string
		expect string
		events []record.Event
		want   wanted
	}{
		{"none", "none", inAct(bought), passes("0 approved receipts")},
		{"none approved", "none", inAct(bought, declinedSlip), passes("0 approved receipts")},
		{"one too many", "none", inAct(bought, slipFor(3000, "12.50", "000002")), fails("1 approved receipts, the last for 12.50")},
		{"before the phase", "none", story(slipFor(500, "12.50", "000002"), begin(1000, Act), end(2000, Act)), passes("0 approved receipts")},
		{"approved", "approved", inAct(bought, slipFor(3000, "12.50", "000002")), passes("1 approved receipts, the last for 12.50")},
		{"never cut", "approved", inAct(bought, slipFor(3000, "12.50", "000002")[:3]), passes("1 approved receipts")},
		{"wrong amount", "approved", inAct(bought, slipFor(3000, "12.51", "000002")), fails("1 approved receipts, the last for 12.51")},
		{"no amount", "approved", inAct(bought, line(3000, "APPROVED"), cut(3000)), fails("1 approved receipts")},
		{"two", "approved", inAct(bought, slipFor(3000, "12.50", "000002"), slipFor(4000, "12.50", "000002")), fails("2 approved receipts")},
		{"declined", "approved", inAct(bought, declinedSlip), fails("0 approved receipts")},
		{"silent printer", "approved", inAct(bought, screen(2500, "approved")), unclear(record.Rig, "nothing at all came from the printer")},
		{"nothing was to be printed", "approved", inAct(bought), fails("0 approved receipts")},
		{"printer silent until settlement", "approved", story(inAct(bought), line(200_000, "TOTAL")), fails("0 approved receipts")},
		{"to sign", "to-sign", inAct(bought, line(3000, "SIGNATURE: ____"), slipFor(3000, "12.50", "000002")), passes("1 to-sign receipts, the last for 12.50")},
		{"the one before was to sign", "to-sign", inAct(bought, line(2500, "SIGNATURE: ____"), cut(2500), slipFor(3000, "12.50", "000002")), fails("0 to-sign receipts")},
		{"no place to sign", "to-sign", inAct(bought, slipFor(3000, "12.50", "000002")), fails("0 to-sign receipts")},
		{"to sign is approved", "approved", inAct(bought, line(3000, "SIGNATURE: ____"), slipFor(3000, "12.50", "000002")), passes("")},
		{"nothing printed to sign", "to-sign", inAct(bought, screen(2500, "approved")), unclear(record.Rig, "nothing at all came from the printer")},
		{"nobody began a sale", "approved", inAct(slipFor(3000, "12.50", "000002")), fails("1 approved receipts")},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.hold(t, theCase(t, c.events).expecting(t, scenarios.Expectation{Receipt: c.expect}))
		})
	}
}

func TestReceiptToSignThatNobodyDescribes(t *testing.T) {
	c := theCase(t, inAct(sale(2000, "12.50"), slipFor(3000, "12.50", "000002")))
	c.Profile.Receipt.Signature = nil
	unclear(record.Config, "the profile does not say").hold(t, c.expecting(t, scenarios.Expectation{Receipt: "to-sign"}))
}

func TestReceiptWithoutPrinterOnTheRig(t *testing.T) {
	c := theCase(t, inAct(slipFor(3000, "12.50", "000002")))
	c.Printer = false
	for _, expect := range []string{"none", "approved"} {
		unclear(record.Config, "this rig takes no receipts").hold(t, c.expecting(t, scenarios.Expectation{Receipt: expect}))
	}
}

func TestSettlement(t *testing.T) {
	agrees := issuer.Settlement{Agrees: true, TerminalCount: 2, TerminalAmount: 2500, HostCount: 2, HostAmount: 2500}
	upload := func(differences ...string) issuer.Settlement {
		return issuer.Settlement{TerminalCount: 2, Closed: true, Uploaded: 2, Differences: differences}
	}
	differs := issuer.Settlement{TerminalCount: 1, TerminalAmount: 1250, HostCount: 2, HostAmount: 2500}
	for _, c := range []struct {
		name        string
		expect      string
		settlements []issuer.Settlement
		want        wanted
	}{
		{"in balance", "in-balance", []issuer.Settlement{agrees}, passes("in balance: terminal 2 sales, 25.00; host 2 sales, 25.00")},
		{"not in balance", "in-balance", []issuer.Settlement{differs}, fails("out of balance: terminal 1 sales, 12.50; host 2 sales, 25.00")},
		{"the last one counts", "in-balance", []issuer.Settlement{differs, agrees}, passes("in balance")},
		{"the last one differs", "in-balance", []issuer.Settlement{agrees, differs}, fails("out of balance")},
		{"out of balance", "out-of-balance", []issuer.Settlement{differs}, passes("out of balance")},
		{"not out of balance", "out-of-balance", []issuer.Settlement{agrees}, fails("in balance")},
		{"uploaded", "uploaded", []issuer.Settlement{upload("STAN 000003: uploaded 4300, " + issuer.NotInTheBooks)}, passes("2 transactions uploaded")},
		{"uploaded with another amount", "uploaded", []issuer.Settlement{upload("STAN 000003: uploaded 4300, "+issuer.NotInTheBooks, "STAN 000004: uploaded 0, the books have 4301")},
			fails("2 transactions uploaded: STAN 000004: uploaded 0, the books have 4301")},
		{"not all uploaded", "uploaded", []issuer.Settlement{{TerminalCount: 3, Closed: true, Uploaded: 2}}, fails("2 transactions uploaded")},
		{"uploaded and not closed", "uploaded", []issuer.Settlement{{TerminalCount: 2, Uploaded: 2}}, fails("")},
		{"none", "in-balance", nil, fails("no settlement reached the host")},
		{"none, wanted differing", "out-of-balance", nil, fails("no settlement reached the host")},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := theCase(t, inAct())
			k.States[Act] = issuer.State{Settlements: c.settlements}
			c.want.hold(t, k.expecting(t, scenarios.Expectation{Settlement: c.expect}))
		})
	}
}

func TestWithoutBooks(t *testing.T) {
	c := theCase(t, inAct())
	for _, e := range []scenarios.Expectation{{Ledger: "no-charge"}, {Ledger: "one-sale"}, {Settlement: "in-balance"}, {Settlement: "out-of-balance"}} {
		unclear(record.Issuer, "not evaluated: the host's books could not be taken").hold(t, c.expecting(t, e))
	}
}
