package suites

import (
	"fmt"
	"slices"

	"github.com/assay-hil/assay/fixtures/scenarios"
)

// handwritten are the families that loops say better than files.
func handwritten() []*scenarios.Scenario {
	return slices.Concat(salesInARow(), bothCardsInTurn())
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
		ID: "SALES-IN-A-ROW", Family: "endurance", Labels: []string{"control", "endurance", "smoke"}, Cause: "article/R-03",
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
		ID: "CARDS-IN-TURN", Family: "endurance", Labels: []string{"control", "endurance"}, Cause: "article/R-05",
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

// oneSale is a whole sale in steps.
func oneSale(amount int64, card, by string) []scenarios.Step {
	return []scenarios.Step{
		{Sale: &scenarios.Sale{Amount: amount}},
		{Type: &scenarios.Type{Into: "customer-id", Kind: "valid", Enter: true}},
		{Card: &scenarios.CardStep{Use: card, By: by}},
		{PIN: "correct"},
	}
}
