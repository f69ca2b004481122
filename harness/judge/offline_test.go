package judge

import (
	"testing"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/harness/record"
)

// given is a cryptogram of a card's, with what was selected and started before it.
func given(ms int64, application, response string) []record.Event {
	ac := apdu(ms, "80AE", "")
	ac.Fields["response"] = response
	return []record.Event{apdu(ms, "00A4", "4F "+application), apdu(ms, "80A8", "83"), ac}
}

// The countertop's floor limit is 50.00 for electronic cash, and 0 for the rest.
func TestAuditApprovalByTheCard(t *testing.T) {
	const cash, debit = "A000000333/010106", "A000000333/010101"
	tc := "77\n 9F27 40\n 9F36 0001"
	again := apdu(2600, "80AE", "")
	again.Fields["response"] = tc
	auditAll(t, "approval", []auditCase{
		{"below the floor limit", inAct(sale(2000, "49.99"), given(2500, cash, tc), screen(3000, "approved"), slipFor(3100, "49.99", "000002")), books(), passes("each had its answer")},
		{"in format 1", inAct(sale(2000, "49.99"), given(2500, cash, "80 40000112/34"), screen(3000, "approved")), books(), passes("")},
		{"at the floor limit", inAct(sale(2000, "50.00"), given(2500, cash, tc), screen(3000, "approved")), books(), fails("only below the floor limit, 50.00")},
		{"so on paper", inAct(sale(2000, "50.00"), given(2500, cash, tc), slipFor(3100, "50.00", "000002")), books(), fails("only below the floor limit, 50.00")},
		{"an application without one", inAct(sale(2000, "0.01"), given(2500, debit, tc), screen(3000, "approved")), books(), fails("only below the floor limit, 0.00")},
		{"the card wanted to go online", inAct(sale(2000, "49.99"), given(2500, cash, "77\n 9F27 80"), screen(3000, "approved")), books(), fails("although no answer had come")},
		{"its second cryptogram", inAct(sale(2000, "49.99"), given(2500, cash, "77\n 9F27 80"), again, screen(3000, "approved")), books(), fails("although no answer had come")},
		{"of the sale before", inAct(sale(2000, "49.99"), given(2500, cash, tc), sale(4000, "10.00"), screen(5000, "approved")), books(), fails("the sale of 10.00 although no answer had come")},
		{"the host was asked as well", inAct(sale(2000, "49.99"), given(2500, cash, tc), leaves(2600, "0200", "000002"), screen(3000, "approved"), slipFor(3100, "49.99", "000002")), books(),
			fails("although no answer had come")},
		{"a pre-authorisation", inAct(begun(2000, "authorise", "amount", "20.00"), given(2500, cash, tc), screen(3000, "approved")), books(), fails("without the host only a sale may be")},
	})
}

// What the card approved the host must be told.
func TestAdviceOfASale(t *testing.T) {
	advice := []record.Event{sale(2000, "49.99"), leaves(3000, "0220", "000002")}
	auditAll(t, "unanswered", []auditCase{
		{"answered", inAct(advice, reaches(3100, "0230", "000002"), answers(3100, "0230", "000002", "00")), books(), passes("none is left over")},
		{"not answered", inAct(advice), books(), fails("the advice with trace 000002 got no answer")},
	})
}

// The void of a sale that the host never heard of is the terminal's own affair, as long as it stays so.
func TestVoidOfAnUntoldSale(t *testing.T) {
	const cash, tc = "A000000333/010106", "77\n 9F27 40"
	alone := []any{sale(2000, "10.51"), given(2500, cash, tc), screen(3000, "approved"), slipFor(3100, "10.51", "000002")}
	void := begun(4000, "void", "of", "10.51", "trace", "000002")
	voidSlip := marked(5100, "VOIDED", "10.51", "000002")
	after := func(more ...any) []record.Event { return inAct(append(append([]any{}, alone...), more...)...) }
	auditAll(t, "approval", []auditCase{
		{"without the host", after(void, screen(5000, "approved"), voidSlip), books(), passes("each had its answer")},
		{"the host knew of the sale", after(leaves(3500, "0220", "000002"), void, screen(5000, "approved")), books(),
			fails("approved was shown for the void of 10.51 although no answer had come")},
		{"of no transaction", after(begun(4000, "void"), screen(5000, "approved")), books(), fails("although no answer had come")},
	})
	told := []record.Event{leaves(6000, "0220", "000002"), reaches(6100, "0230", "000002"), answers(6100, "0230", "000002", "00")}
	auditAll(t, "receipts", []auditCase{
		{"never told", after(void, screen(5000, "approved"), voidSlip), books(), passes("they agree")},
		{"told all the same", after(void, screen(5000, "approved"), voidSlip, told), books(charge(1051, "000002", issuer.StateCharged)),
			fails("0 voids of 10.51 are on the books, and 1 on receipts")},
		{"voided on no receipt", after(void, screen(5000, "approved")), books(),
			fails("an approved receipt for 10.51 (trace 000002) has no charge, refund or hold on the books")},
		{"voided twice on paper", after(void, screen(5000, "approved"), voidSlip, voidSlip), books(), fails("1 voids of 10.51 are on the books, and 2 on receipts")},
	})
}
