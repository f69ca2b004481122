package suites

import (
	"fmt"
	"slices"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/terminals"
)

// handwritten are the families that loops say better than files.
func handwritten() []*scenarios.Scenario {
	return slices.Concat(salesInARow(), bothCardsInTurn(), fullDay(), onStage(), races(), cuts(), journalFull(), nothingPrinted())
}

const (
	// inARow is how many sales the cashier does one after the other.
	inARow = 3
	// firstAmount is the first sale's; each next one is a little more, because the audit tells sales
	// apart by their amounts.
	firstAmount = 10_00
)

// salesInARow: several sales and a settlement in the middle. What one sale leaves behind must not
// show in the next: trace numbers, totals, a card in the slot, a receipt.
func salesInARow() []*scenarios.Scenario {
	s := &scenarios.Scenario{
		ID: "SALES-IN-A-ROW", Family: "endurance", Labels: []string{"control", "endurance", "smoke"}, Cause: scenarios.Control, Remedy: []string{"article/R-03"}, Transaction: "settlement",
		Title: scenarios.Text{EN: fmt.Sprintf("%d sales in a row, settled in between", inARow), ZH: fmt.Sprintf("连续%d笔消费，中间结算一次", inARow)},
		Needs: []string{"chip", "customer-id", "pin", "settlement"},
		Why: scenarios.Text{
			EN: "Nothing goes wrong. Each sale is charged once, each settlement agrees with the bank.",
			ZH: "一切正常。每笔消费扣款一次，每次结算与银行一致。",
		},
	}
	for n := range inARow {
		s.Act = append(s.Act, oneSale(firstAmount+int64(n), "chip", "insert")...)
		s.Expect = append(s.Expect, scenarios.Expectation{Prompt: "approved", Within: "host-reply"})
		if n == inARow/2 {
			s.Act = append(s.Act, scenarios.Step{Procedure: "settle"})
			s.Expect = append(s.Expect, scenarios.Expectation{Prompt: "settled", Within: "host-reply"})
		}
	}
	s.Expect = append(s.Expect,
		scenarios.Expectation{Host: &scenarios.HostExpectation{Request: "0200", Times: inARow}},
		scenarios.Expectation{Host: &scenarios.HostExpectation{Request: "0500", Times: 1}},
		scenarios.Expectation{Reversal: &scenarios.ReversalExpectation{None: true}},
		scenarios.Expectation{Settlement: "in-balance"},
	)
	return []*scenarios.Scenario{s}
}

// bothCardsInTurn: each way to read a card after each other one. What a reader leaves behind must
// not reach the next.
func bothCardsInTurn() []*scenarios.Scenario {
	ways := []struct{ card, by string }{{"chip", "insert"}, {"stripe", "swipe"}, {"chip", "insert"}}
	s := &scenarios.Scenario{
		ID: "CARDS-IN-TURN", Family: "endurance", Labels: []string{"control", "endurance"}, Cause: scenarios.Control, Remedy: []string{"article/R-05"}, Transaction: "sale",
		Title: scenarios.Text{EN: "Chip, stripe and chip again, without a pause", ZH: "芯片卡、磁条卡、芯片卡连续交易"},
		Needs: []string{"chip", "customer-id", "pin", "stripe"},
		Why: scenarios.Text{
			EN: "Nothing goes wrong. Every way to read a card works after every other.",
			ZH: "一切正常。各种读卡方式可以依次使用。",
		},
	}
	for n, way := range ways {
		s.Act = append(s.Act, oneSale(firstAmount+int64(n), way.card, way.by)...)
		s.Expect = append(s.Expect, scenarios.Expectation{Prompt: "approved", Within: "host-reply"})
	}
	s.Expect = append(s.Expect,
		scenarios.Expectation{Host: &scenarios.HostExpectation{Request: "0200", Times: len(ways)}},
		scenarios.Expectation{Reversal: &scenarios.ReversalExpectation{None: true}},
	)
	return []*scenarios.Scenario{s}
}

// smallJournal is how many transactions fit into the journal of a terminal with the capability small-journal, at most.
const smallJournal = terminals.SmallJournal

// journalFull: sales until the memory of a small terminal is full. The next key must not begin one more, but the settlement
// that makes room.
func journalFull() []*scenarios.Scenario {
	s := &scenarios.Scenario{
		ID: "JOURNAL-FULL", Family: "terminal-fault", Labels: []string{"nightly", "terminal-fault"}, Cause: "article/A-06",
		Remedy: []string{"article/R-03"}, Source: []string{"payments/A-09", "payments/F-06"}, Transaction: "settlement",
		Title: scenarios.Text{EN: "The journal is full", ZH: "交易日志已满"},
		Needs: []string{"no-customer-id", "settlement", "small-journal"},
		Why: scenarios.Text{
			EN: "The terminal can remember no more sales. It says so and settles by itself when ENTER is pressed; then the next sale passes. Nothing is lost.",
			ZH: "终端存储已满，会提示并在按确认后结算，随后可继续交易，不会丢失交易。",
		},
	}
	for n := range smallJournal {
		s.Act = append(s.Act, scenarios.Step{Sale: &scenarios.Sale{Amount: firstAmount + int64(n)}}, scenarios.Step{Pay: "chip"})
		s.Expect = append(s.Expect, scenarios.Expectation{Prompt: "approved", Within: "host-reply"})
	}
	s.Act = append(s.Act, scenarios.Step{Await: &scenarios.Await{Prompt: "idle"}}, scenarios.Step{Press: "5"},
		scenarios.Step{Await: &scenarios.Await{Prompt: "settle-confirm"}}, scenarios.Step{Press: "ENTER"})
	s.Expect = append(s.Expect,
		scenarios.Expectation{Prompt: "journal-full", Within: "local"},
		scenarios.Expectation{Prompt: "settled", Within: "host-reply"},
		scenarios.Expectation{Host: &scenarios.HostExpectation{Request: "purchase", Times: smallJournal}},
		scenarios.Expectation{Settlement: "in-balance"},
	)
	s.Recover = []scenarios.Step{{Sale: &scenarios.Sale{Amount: firstAmount + smallJournal}}, {Pay: "chip"}}
	s.Recovered = []scenarios.Expectation{{Prompt: "approved", Within: "host-reply"}, {Code: "00"},
		{Host: &scenarios.HostExpectation{Request: "purchase", Times: 1}}}
	return []*scenarios.Scenario{s}
}

// oneSale is a whole sale in steps.
func oneSale(amount int64, card, by string) []scenarios.Step {
	return []scenarios.Step{
		{Sale: &scenarios.Sale{Amount: amount}},
		{Type: &scenarios.Type{Into: "customer-id", Kind: "valid", Enter: true}},
		{Card: &scenarios.CardStep{Use: card, By: by}},
		{PIN: "correct"},
	}
}
