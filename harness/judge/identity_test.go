package judge

import (
	"testing"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/harness/record"
)

// typed is a customer ID that the cashier confirmed.
func typed(ms int64, text string) record.Event {
	return at(ms, "harness", "typed", "into", "customer-id", "text", text)
}

// owned is a charge that carries a customer ID.
func owned(amount int64, stan, customer string) issuer.Charge {
	c := charge(amount, stan, issuer.StateCharged)
	c.CustomerID = customer
	return c
}

func TestAuditCustomer(t *testing.T) {
	const first, second = "100000000001", "200000000002"
	one := inAct(sale(2000, "12.50"), typed(2100, first))
	two := inAct(sale(2000, "12.50"), typed(2100, first), sale(5000, "7.00"), typed(5100, second))
	auditAll(t, "customer", []auditCase{
		{"as typed", one, books(owned(1250, "2", first)), passes("they do")},
		{"another one", one, books(owned(1250, "2", second)),
			fails(`the sale of 12.50 went to the host for customer "200000000002", typed was "100000000001"`)},
		{"none", one, books(owned(1250, "2", "")), fails(`for customer "", typed was "100000000001"`)},
		{"typed anew: the last one counts", inAct(sale(2000, "12.50"), typed(2100, "1"), typed(2200, first)),
			books(owned(1250, "2", first)), passes("they do")},
		{"typed anew: the first one went", inAct(sale(2000, "12.50"), typed(2100, second), typed(2200, first)),
			books(owned(1250, "2", second)), fails("typed was")},
		{"two sales, each its own", two, books(owned(1250, "2", first), owned(700, "3", second)), passes("they do")},
		{"the one of the sale before", two, books(owned(1250, "2", first), owned(700, "3", first)), fails("the sale of 7.00 went")},
		{"reversed or not", one,
			books(issuer.Charge{Amount: 1250, STAN: "2", State: issuer.StateReversed, CustomerID: second}), fails("the sale of 12.50 went")},
		{"nothing was typed", inAct(sale(2000, "12.50")), books(owned(1250, "2", first)), passes("they do")},
		{"something else was typed", inAct(sale(2000, "12.50"), with(typed(2100, first), "into", "amount")),
			books(owned(1250, "2", second)), passes("they do")},
		{"no charge", one, books(), passes("they do")},
	})
}

// TestAuditCustomerWithoutOne: a profile without customer IDs has nothing to compare.
func TestAuditCustomerWithoutOne(t *testing.T) {
	c := theCase(t, inAct(sale(2000, "12.50"), typed(2100, "100000000001")))
	p := *c.Profile
	p.CustomerID = nil
	c.Profile = &p
	c.States[Audit] = books(owned(1250, "2", "9"))
	passes("they do").hold(t, c.audited(t, "customer"))
}

func TestAuditTrace(t *testing.T) {
	first, second := sale(2000, "12.50"), sale(9000, "7.00")
	auditAll(t, "trace", []auditCase{
		{"each its own", inAct(leaves(1500, "0800", "1"), first, leaves(2000, "0200", "2"), second, leaves(9000, "0200", "3"), leaves(9500, "0500", "4")),
			books(), passes("they have")},
		{"a reversal has its sale's", inAct(first, leaves(2000, "0200", "2"), leaves(3000, "0400", "2"), second, leaves(9000, "0400", "2")),
			books(), passes("they have")},
		{"the same message again", inAct(first, leaves(2000, "0200", "2"), leaves(3000, "0200", "2")), books(), passes("they have")},
		{"two sales", inAct(first, leaves(2000, "0200", "2"), second, leaves(9000, "0200", "2")),
			books(), fails("trace 2 was used for an 0200 and again for an 0200")},
		{"sale and settlement", inAct(first, leaves(2000, "0200", "2"), leaves(3000, "0500", "2")),
			books(), fails("trace 2 was used for an 0200 and again for an 0500")},
		{"logon and sale", inAct(leaves(1500, "0800", "2"), first, leaves(2000, "0200", "2")),
			books(), fails("trace 2 was used for an 0800 and again for an 0200")},
		{"none", inAct(first, leaves(2000, "0200", "000000")), books(), fails("an 0200 has the trace number 000000; they go from 1 to 999999")},
		{"what the host sends is not the terminal's", inAct(first, leaves(2000, "0200", "2"), second, returns(9000, "0200", "2"), arrives(9000, "0200", "2")),
			books(), passes("they have")},
	})
}
