package judge

import (
	"maps"
	"testing"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/harness/record"
)

// receiptOf is a whole receipt, with more rows before its mark.
func receiptOf(stan string, rows ...string) []record.Event {
	events := []record.Event{line(2400, "TRACE: "+stan), line(2400, "AMOUNT: RMB 12.50")}
	for _, row := range rows {
		events = append(events, line(2400, row))
	}
	return append(events, line(2400, "APPROVED"), cut(2400))
}

// recorded are books of one sale whose bank gave it a reference and an authorisation code.
func recorded() issuer.State {
	sold := charge(1250, "000002", issuer.StateCharged)
	sold.Card, sold.Asked = "621700******1234", 2000
	s := books(sold)
	s.Journal[0].Fields = map[string]string{"12": "101502"}
	s.Journal = append(s.Journal,
		issuer.Entry{MTI: "0210", STAN: "000002", Fields: map[string]string{"37": "RRN000000002", "38": "AUTH02"}},
		issuer.Entry{In: true, MTI: "0200", Operation: "purchase", STAN: "000001", Fields: map[string]string{"12": "101402"}},
		issuer.Entry{MTI: "0210", STAN: "000001", Fields: map[string]string{"37": "RRN000000001", "38": "AUTH01"}})
	s.Settlements = []issuer.Settlement{{Agrees: true, Batch: "000007", TerminalCount: 2, TerminalAmount: 3000, TerminalCreditCount: 1, TerminalCreditAmount: 500}}
	return s
}

func TestAuditPrint(t *testing.T) {
	slip := func(rows ...string) []record.Event {
		return inAct(record.Event(line(2400, "SETTLEMENT")), line(2400, rows[0]), line(2400, rows[1]), line(2400, rows[2]), cut(2400))
	}
	first := recorded()
	first.Charges[0].Asked = 0
	plain := recorded()
	plain.Journal[0].Fields = nil // a dialect without the terminal's time
	without := recorded()
	without.Journal[1].Fields = maps.Clone(without.Journal[1].Fields)
	delete(without.Journal[1].Fields, "38")
	auditAll(t, "print", []auditCase{
		{"all right", inAct(receiptOf("000002", "DATE: 2026-01-02 10:15:02", "RRN: RRN000000002", "AUTH: AUTH02", "CARD: 621700******1234", "REQUESTED: RMB 20.00")), recorded(), passes("")},
		{"nothing but what must be", inAct(receiptOf("000002")), recorded(), passes("")},
		{"reference of the sale before", inAct(receiptOf("000002", "RRN: RRN000000001")), recorded(), fails("the receipt of trace 000002 has the reference RRN000000001, which the bank did not give it")},
		{"code of the sale before", inAct(receiptOf("000002", "AUTH: AUTH01")), recorded(), fails("the receipt of trace 000002 has the authorisation code AUTH01, which the bank did not give it")},
		{"code that the bank left out", inAct(receiptOf("000002", "AUTH: AUTH01")), without, fails("has the authorisation code AUTH01")},
		{"time of the sale before", inAct(receiptOf("000002", "DATE: 2026-01-02 10:14:02")), recorded(), fails("the receipt of trace 000002 has the time 10:14:02, and its request another")},
		{"time that the request does not have", inAct(receiptOf("000002", "DATE: 2026-01-02 10:14:02")), plain, passes("")},
		{"another card", inAct(receiptOf("000002", "CARD: 621700******9999")), recorded(), fails("the receipt of trace 000002 has the card 621700******9999, and the books another")},
		{"asked for in another sale", inAct(receiptOf("000002", "REQUESTED: RMB 20.00")), first, fails("the receipt of trace 000002 says that 20.00 was asked for, and the books do not")},
		{"unheard of", inAct(receiptOf("000009", "AUTH: AUTH01")), recorded(), passes("")},
		{"slip", slip("BATCH: 000007", "COUNT: 3", "TOTAL: RMB 25.00"), recorded(), passes("")},
		{"slip of the next batch", slip("BATCH: 000008", "COUNT: 3", "TOTAL: RMB 25.00"), recorded(), fails("a settlement slip says batch 000008, 3 transactions, 25.00; the terminal last told the bank batch 000007, 3 transactions, 25.00")},
		{"slip of what the terminal held from before", story(begin(100, "drain"), slip("BATCH: 000006", "COUNT: 9", "TOTAL: RMB 90.00"), end(2450, "drain"), begin(2500, Act), end(9000, Act)), recorded(), passes("")},
		{"receipt of what the terminal held from before", story(begin(100, "drain"), receiptOf("000002", "AUTH: AUTH01"), end(2450, "drain"), begin(2500, Act), end(9000, Act)), recorded(), passes("")},
		{"slip without credits", slip("BATCH: 000007", "COUNT: 2", "TOTAL: RMB 30.00"), recorded(), fails("a settlement slip says batch 000007, 2 transactions, 30.00")},
	})
}
