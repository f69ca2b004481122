package suites

import (
	"fmt"
	"strings"

	"github.com/assay-hil/assay/fixtures/scenarios"
)

// races have the answer come at the very moment at which the terminal gives up, and just before and after. Either outcome is
// right, as long as terminal, receipt and bank agree on it: that is the audit's to say.
func races() []*scenarios.Scenario {
	var all []*scenarios.Scenario
	for _, r := range []struct{ id, late, en, zh string }{
		{"BEFORE", "host-reply - 1ms", "a millisecond before", "超时前1毫秒"},
		{"AT", "host-reply", "at the very moment", "恰在超时时刻"},
		{"AFTER", "host-reply + 1ms", "a millisecond after", "超时后1毫秒"},
	} {
		for _, by := range []string{"issuer", "network"} {
			s := made("RACE-"+strings.ToUpper(by)+"-"+r.id, "article/A-05",
				scenarios.Text{EN: fmt.Sprintf("The answer comes %s the terminal gives up (%s)", r.en, by), ZH: fmt.Sprintf("应答于%s到达（%s）", r.zh, map[string]string{"issuer": "主机慢", "network": "网络慢"}[by])},
				scenarios.Text{EN: "The sale is approved, or it times out and is taken back by itself. What the terminal says holds: do the sale again only after a time-out.", ZH: "交易或成功，或超时并自动冲正。以终端提示为准，仅在超时后重做。"})
			s.Source = []string{"payments/E-09"}
			s.Needs = append(s.Needs, "stripe") // a swiped card is not in the way while nobody waits for a prompt
			if by == "issuer" {
				s.Arrange.Issuer = []scenarios.IssuerRule{{On: "0200", Nth: 1, Late: r.late}}
			} else {
				s.Arrange.Network = []scenarios.NetworkFault{{Fault: "delay", Message: "0210", Nth: 1, By: r.late}}
			}
			s.Act = append(oneSale(firstAmount, "stripe", "swipe"), scenarios.Step{Await: &scenarios.Await{Prompt: "idle"}})
			s.Expect = []scenarios.Expectation{{Host: &scenarios.HostExpectation{Request: "0200", Times: 1}}, {NotPrompt: []string{"customer-id-length", "customer-id-format"}}}
			approvedSale(s, firstAmount+1)
			all = append(all, s)
		}
	}
	return all
}

// slowReversal has the answer to the first sale lost, and that to its reversal come late.
func slowReversal() scenarios.Arrange {
	a := lostAnswer()
	a.Network = append(a.Network, scenarios.NetworkFault{Fault: "delay", Message: "0410", Nth: 1, By: "2s"})
	return a
}

// cuts take the power away at each thing that the terminal does with its host, and bring it back. What was under way must
// end well, and the next sale pass.
func cuts() []*scenarios.Scenario {
	sale, again := oneSale(firstAmount, "chip", "insert"), oneSale(firstAmount+1, "chip", "insert")
	settle := append(append([]scenarios.Step{}, sale...), scenarios.Step{Procedure: "settle"})
	var all []*scenarios.Scenario
	for _, c := range []struct {
		at, zh  string
		arrange scenarios.Arrange
		needs   string
		act     []scenarios.Step
	}{
		{"signing-on", "签到", scenarios.Arrange{Issuer: []scenarios.IssuerRule{{On: "0800", Nth: 1, Late: "2s"}}}, "", []scenarios.Step{{Power: "off"}, {Power: "on"}}},
		{"processing", "处理", scenarios.Arrange{Issuer: []scenarios.IssuerRule{{On: "0200", Nth: 1, Late: "2s"}}}, "", sale},
		{"remove-card", "取卡", scenarios.Arrange{}, "", sale},
		{"reversing", "冲正", slowReversal(), "", append(append([]scenarios.Step{}, sale...), again...)},
		{"settling", "结算", scenarios.Arrange{Issuer: []scenarios.IssuerRule{{On: "0500", Nth: 1, Late: "2s"}}}, "settlement", settle},
		{"settled", "结算完成", scenarios.Arrange{}, "settlement", settle},
	} {
		s := made("CUT-AT-"+strings.ToUpper(c.at), "article/B-04", scenarios.Text{EN: "Power is cut on the screen " + c.at, ZH: c.zh + "画面时断电"},
			scenarios.Text{EN: "The power went in the middle. After the restart the terminal ends by itself what was under way; the next sale passes, and each sale is charged once at most.", ZH: "中途断电。重启后终端自行完成未了事项，下一笔交易成功，每笔至多扣款一次。"})
		s.Remedy, s.Source, s.Arrange = []string{"article/R-07"}, []string{"faults/56"}, c.arrange
		if c.at == "processing" {
			s.Source = append(s.Source, "payments/F-01")
		}
		s.Needs = append(s.Needs, "power")
		if c.needs != "" {
			s.Needs = append(s.Needs, c.needs)
		}
		s.Act = append(append([]scenarios.Step{}, c.act...), scenarios.Step{Await: &scenarios.Await{Prompt: c.at}}, scenarios.Step{Power: "off"}, scenarios.Step{Power: "on"})
		s.Expect = []scenarios.Expectation{{Prompt: c.at}, {Prompt: "idle", Within: "boot"}}
		approvedSale(s, firstAmount+2)
		if c.needs == "settlement" { // which the cashier brings to its end first
			s.Recover = append([]scenarios.Step{{Procedure: "settle"}}, s.Recover...)
		}
		all = append(all, s)
	}
	return all
}
