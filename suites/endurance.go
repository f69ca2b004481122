package suites

import (
	"fmt"
	"maps"
	"sync"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/rungs"
)

// stagings are what files can't say of the scenarios written by hand, by id.
var stagings = sync.OnceValue(func() map[string]staging {
	all := map[string]staging{}
	for _, made := range []map[string]staging{clocks(), {
		"REPRINT-NONE":        {stage: rungs.Stage{Trace: 1}},
		"TRACE-WRAP":          {stage: rungs.Stage{Trace: lastTrace - 2}},
		"TRACE-WRAP-REVERSAL": {stage: rungs.Stage{Trace: lastTrace - 2}},
		"TWO-TERMINALS":       {neighbour: neighbour(scenarios.Arrange{})},
		"TWO-TERMINALS-LOST":  {neighbour: neighbour(scenarios.Arrange{})},
		"TWO-TERMINALS-BOTH":  {neighbour: neighbour(lostAnswer())},
	}} {
		maps.Copy(all, made)
	}
	return all
})

// lastTrace is the trace number after which they begin with 1 again.
const lastTrace = 999_999

// made is a scenario of the family endurance, with what all of them have.
func made(id, cause string, title, why scenarios.Text, labels ...string) *scenarios.Scenario {
	return &scenarios.Scenario{
		ID: id, Family: "endurance", Labels: append([]string{"endurance"}, labels...), Cause: cause, Guess: true, Transaction: "sale",
		Title: title, Why: why, Needs: []string{"chip", "customer-id", "pin"},
	}
}

// fullDaySales are more than the journal of any profile holds, settled settleEvery.
const (
	fullDaySales = 500
	settleEvery  = 50
)

// fullDay is a day at a busy till.
func fullDay() []*scenarios.Scenario {
	s := made("SALES-500", scenarios.Control, scenarios.Text{EN: fmt.Sprintf("%d sales in a row", fullDaySales), ZH: fmt.Sprintf("连续%d笔消费", fullDaySales)},
		scenarios.Text{EN: "Nothing goes wrong, all day long. Each sale is charged once, each settlement agrees with the bank.", ZH: "全天一切正常。每笔消费扣款一次，每次结算与银行一致。"},
		"control", soakLabel)
	s.Remedy, s.Needs = []string{"article/R-03"}, append(s.Needs, "settlement")
	for n := range fullDaySales {
		s.Act = append(s.Act, oneSale(firstAmount+int64(n), "chip", "insert")...)
		if (n+1)%settleEvery == 0 {
			s.Act = append(s.Act, scenarios.Step{Procedure: "settle"})
		}
	}
	s.Expect = []scenarios.Expectation{
		{Prompt: "settled", Within: "host-reply"},
		{Host: &scenarios.HostExpectation{Request: "0200", Times: fullDaySales}},
		{Host: &scenarios.HostExpectation{Request: "0500", Times: fullDaySales / settleEvery}},
		{Reversal: &scenarios.ReversalExpectation{None: true}},
		{Settlement: "in-balance"},
	}
	return []*scenarios.Scenario{s}
}

// nothingPrinted is a terminal fresh from the workshop: another one has a receipt of some scenario before.
func nothingPrinted() []*scenarios.Scenario {
	s := &scenarios.Scenario{
		ID: "REPRINT-NONE", Family: "operator", Labels: []string{"operator"}, Cause: "article/B-04", Guess: true, Transaction: "reprint",
		Remedy: []string{"article/R-03"}, Needs: []string{"chip", "customer-id", "pin", "printer"},
		Title: scenarios.Text{EN: "A receipt is asked for again, and there was none yet", ZH: "尚无凭单时重打"},
		Why: scenarios.Text{
			EN: "Nothing was printed on this terminal since it came from the workshop. It says so, and prints nothing.",
			ZH: "终端出厂后尚未打印过凭单，提示没有可打印的凭单。",
		},
		Act: []scenarios.Step{{Procedure: "reprint"}},
		Expect: []scenarios.Expectation{{Prompt: "no-receipt", Within: "local"}, {Host: &scenarios.HostExpectation{Silent: true}},
			{Receipt: "none"}, {Ledger: "no-charge"}},
	}
	approvedSale(s, firstAmount, scenarios.Expectation{Ledger: "one-sale"})
	return []*scenarios.Scenario{s}
}

// lostAnswer has the answer to the first sale lost.
func lostAnswer() scenarios.Arrange {
	return scenarios.Arrange{Network: []scenarios.NetworkFault{{Fault: "drop", Message: "0210", Nth: 1}}}
}

// approvedSale ends a scenario with a sale that passes.
func approvedSale(s *scenarios.Scenario, amount int64, more ...scenarios.Expectation) {
	s.Recover = oneSale(amount, "chip", "insert")
	s.Recovered = append([]scenarios.Expectation{{Prompt: "approved", Within: "host-reply"}, {Code: "00"}}, more...)
}

// lost makes s one in which the first sale's answer is lost, and the next takes it back and passes.
func lost(s *scenarios.Scenario) *scenarios.Scenario {
	s.Arrange = lostAnswer()
	s.Act = oneSale(firstAmount, "chip", "insert")
	s.Expect = []scenarios.Expectation{{Prompt: "comm-timeout", Within: "host-timeout"}, {Host: &scenarios.HostExpectation{Request: "0200", Times: 1}}}
	approvedSale(s, firstAmount+1, scenarios.Expectation{Reversal: &scenarios.ReversalExpectation{Reason: "98", Times: 1}, Within: "reversal"}, scenarios.Expectation{Ledger: "one-sale"})
	return s
}

// neighbour is what the second terminal of a pair does: the same sale, at the same time, with the same trace number.
func neighbour(a scenarios.Arrange) *scenarios.Scenario {
	s := made("NEIGHBOUR", scenarios.Control, scenarios.Text{}, scenarios.Text{})
	if len(a.Network) > 0 {
		return lost(s)
	}
	s.Act = oneSale(firstAmount, "chip", "insert")
	s.Expect = []scenarios.Expectation{{Prompt: "approved", Within: "host-reply"}, {Code: "00"}, {Ledger: "one-sale"}}
	approvedSale(s, firstAmount+1)
	return s
}

// midnights are when the terminal is switched on, so that midnight comes while it signs on, while the cashier types, while
// the card is read and while the bank is asked.
var midnights = []string{"23:59:58", "23:59:50", "23:59:44", "23:59:40", "23:59:36"}

func midnightID(n int) string { return fmt.Sprintf("MIDNIGHT-%d", n+1) }

func clocks() map[string]staging {
	all := map[string]staging{"MIDNIGHT-REVERSAL": {stage: rungs.Stage{Clock: "23:59:20"}}}
	for n, at := range midnights {
		all[midnightID(n)] = staging{stage: rungs.Stage{Clock: at}}
	}
	return all
}

// onStage are the scenarios whose terminal is at a turn: of the day, of the trace numbers, or with another one beside.
func onStage() []*scenarios.Scenario {
	var all []*scenarios.Scenario
	for n, at := range midnights {
		s := made(midnightID(n), scenarios.Control, scenarios.Text{EN: "A sale over midnight, begun at " + at, ZH: "跨零点的消费，开机于" + at},
			scenarios.Text{EN: "Nothing goes wrong. The day changes in the middle of the sale; it is charged once, and the settlement agrees.", ZH: "一切正常。交易途中日期变更，扣款一次，结算相符。"}, "control")
		s.Source = []string{"faults/54"}
		s.Act = oneSale(firstAmount, "chip", "insert")
		s.Expect = []scenarios.Expectation{{Prompt: "approved", Within: "host-reply"}, {Code: "00"}, {Ledger: "one-sale"}, {Reversal: &scenarios.ReversalExpectation{None: true}}}
		all = append(all, s)
	}
	s := lost(made("MIDNIGHT-REVERSAL", "article/A-05", scenarios.Text{EN: "The answer is lost before midnight, the sale is taken back after it", ZH: "零点前应答丢失，零点后冲正"},
		scenarios.Text{EN: "The reversal is of yesterday's sale, and the bank must find it. Do the sale again: the customer pays once.", ZH: "冲正的是昨日的交易，银行仍须找到原交易。请重新交易，顾客只付一次。"}))
	s.Source = []string{"faults/54", "payments/E-03"}
	all = append(all, s)

	s = made("TRACE-WRAP", scenarios.Control, scenarios.Text{EN: "The trace numbers begin anew", ZH: "流水号循环"},
		scenarios.Text{EN: "After 999999 comes 000001. Nobody notices: every sale is charged once.", ZH: "流水号999999之后为000001，每笔消费扣款一次。"}, "control")
	s.Source = []string{"faults/55"}
	for n := range int64(3) {
		s.Act = append(s.Act, oneSale(firstAmount+n, "chip", "insert")...)
		s.Expect = append(s.Expect, scenarios.Expectation{Prompt: "approved", Within: "host-reply"})
	}
	s.Expect = append(s.Expect, scenarios.Expectation{Host: &scenarios.HostExpectation{Request: "0200", Times: 3}}, scenarios.Expectation{Reversal: &scenarios.ReversalExpectation{None: true}})
	all = append(all, s)

	s = lost(made("TRACE-WRAP-REVERSAL", "article/A-05", scenarios.Text{EN: "The sale with the last trace number is taken back", ZH: "末号流水的交易被冲正"},
		scenarios.Text{EN: "The reversal has the number 999999 of its sale, the next sale begins anew. Do the sale again: the customer pays once.", ZH: "冲正沿用原流水号999999，下一笔重新计数。请重新交易，顾客只付一次。"}))
	s.Source = []string{"faults/55"}
	return append(append(all, s), pairs()...)
}

// pairs are two terminals at one host, that do the same at the same time, with the same trace numbers.
func pairs() []*scenarios.Scenario {
	why := scenarios.Text{EN: "Two tills sell at the same moment. The bank keeps them apart by the terminal's number: each sale is charged once, to its own till.", ZH: "两台终端同时交易，银行按终端号区分，每笔只在本机扣款一次。"}
	plain := made("TWO-TERMINALS", scenarios.Control, scenarios.Text{EN: "Two terminals at one host", ZH: "两台终端同一主机"}, why, "control")
	plain.Source = []string{"faults/20"}
	from := neighbour(scenarios.Arrange{})
	plain.Act, plain.Expect, plain.Recover, plain.Recovered = from.Act, from.Expect, from.Recover, from.Recovered
	one := lost(made("TWO-TERMINALS-LOST", "payments/E-03", scenarios.Text{EN: "Of two terminals at one host one takes its sale back", ZH: "同一主机的两台终端，其一冲正"}, why))
	both := lost(made("TWO-TERMINALS-BOTH", "payments/E-03", scenarios.Text{EN: "Two terminals at one host both take their sale back", ZH: "同一主机的两台终端同时冲正"}, why))
	return []*scenarios.Scenario{plain, one, both}
}
