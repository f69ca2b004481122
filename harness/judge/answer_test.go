package judge

import (
	"testing"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/harness/record"
)

func TestAuditUnanswered(t *testing.T) {
	asked := leaves(2000, "0200", "000002")
	never := fails("the sale with trace 000002 got no answer and was never reversed")
	reused := story(exchange(2000, "0200", "000002", "00"), reversed(3000, "000002", "98", "00"), leaves(4000, "0200", "000002"))
	auditAll(t, "unanswered", []auditCase{
		{"answered", inAct(exchange(2000, "0200", "000002", "00")), books(), passes("none is left over")},
		{"answered with a refusal", inAct(exchange(2000, "0200", "000002", "96")), books(), passes("none is left over")},
		{"nothing was sent", inAct(screen(2000, "comm-failed")), books(), passes("none is left over")},
		{"not reversed", inAct(asked, screen(32_000, "comm-timeout")), books(), never},
		{"reversed", inAct(asked, reversed(40_000, "000002", "98", "00")), books(), passes("none is left over")},
		{"another one reversed", inAct(asked, reversed(40_000, "000003", "98", "00")), books(), never},
		{"reversal refused", inAct(asked, reversed(40_000, "000002", "98", "96")), books(), never},
		{"reversal without an answer", inAct(asked, unacknowledged(40_000, "000002", "98")), books(), never},
		{"answer to another", inAct(asked, reaches(2100, "0210", "000003")), books(), never},
		{"answered after it gave up", inAct(asked, screen(32_000, "comm-timeout"), reaches(33_000, "0210", "000002")), books(), never},
		{"answered after it gave up, reversed", inAct(asked, screen(32_000, "comm-timeout"), reaches(33_000, "0210", "000002"),
			reversed(40_000, "000002", "98", "00")), books(), passes("none is left over")},
		{"answered after the line broke", inAct(asked, screen(3000, "comm-error"), reaches(4000, "0210", "000002")), books(), never},
		{"answered without power", inAct(asked, at(3000, "power", "off"), reaches(4000, "0210", "000002")), books(), never},
		{"answered too close to the end to tell", inAct(asked, screen(32_000, "comm-timeout"), reaches(32_001, "0210", "000002")), books(), passes("none is left over")},
		{"a timeout of the sale before", inAct(screen(1500, "comm-timeout"), exchange(2000, "0200", "000002", "00")), books(), passes("none is left over")},
		{"answered, by clocks before it asked", inAct(at(2001, "harness", "x"), leaves(2001, "0200", "000002"), reaches(2000, "0210", "000002")), books(), passes("none")},
		{"a trace used again needs its own reversal", inAct(reused), books(), never},
	})
}

func TestAuditOrder(t *testing.T) {
	asked, next := leaves(2000, "0200", "000002"), exchange(50_000, "0200", "000003", "00")
	overtaken := fails("the sale with trace 000003 went out before the reversal of trace 000002 was acknowledged")
	auditAll(t, "order", []auditCase{
		{"answered", inAct(exchange(2000, "0200", "000002", "96"), next), books(), passes("none was overtaken")},
		{"reversed before", inAct(asked, reversed(49_000, "000002", "98", "00"), next), books(), passes("none was overtaken")},
		{"reversed before, all in one moment", inAct(asked, reversed(50_000, "000002", "98", "00"), next), books(), passes("none was overtaken")},
		{"reversed later", inAct(asked, next, reversed(51_000, "000002", "98", "00")), books(), overtaken},
		{"reversed later, all in one moment", inAct(asked, next, reversed(50_000, "000002", "98", "00")), books(), overtaken},
		{"sent before, acknowledged later", inAct(asked, leaves(49_000, "0400", "000002"), next, reaches(51_000, "0410", "000002"),
			answers(51_000, "0410", "000002", "00")), books(), overtaken},
		{"never reversed", inAct(asked, next), books(), overtaken},
		{"reversal refused", inAct(asked, reversed(49_000, "000002", "98", "96"), next), books(), overtaken},
		{"reversal of another", inAct(asked, reversed(49_000, "000001", "98", "00"), next), books(), overtaken},
		{"gave up before the answer", inAct(asked, screen(32_000, "comm-timeout"), reaches(33_000, "0210", "000002"), next), books(), overtaken},
		{"no sale comes after", inAct(asked, screen(32_000, "comm-timeout")), books(), passes("none was overtaken")},
		{"the same sale again is no other", inAct(asked, leaves(3000, "0200", "000002")), books(), passes("none was overtaken")},
		{"a repeat that is answered", inAct(asked, exchange(3000, "0200", "000002", "00")), books(), passes("none was overtaken")},
	})
}

// TestReversalLaterIsStillReversed: order and completeness are two things.
func TestReversalLaterIsStillReversed(t *testing.T) {
	c := theCase(t, inAct(leaves(2000, "0200", "000002"), exchange(50_000, "0200", "000003", "00"), reversed(51_000, "000002", "98", "00")))
	c.States[Audit] = issuer.State{}
	passes("none is left over").hold(t, c.audited(t, "unanswered"))
	fails("went out before").hold(t, c.audited(t, "order"))
}

func TestAuditApproval(t *testing.T) {
	bought := sale(2000, "12.50")
	onScreen := "approved was shown for the sale of 12.50"
	auditAll(t, "approval", []auditCase{
		{"approved", inAct(goodSale(2000, "12.50", "000002")), books(), passes("each had its answer")},
		{"declined", inAct(bought, exchange(3000, "0200", "000002", "51"), screen(3100, "no-funds")), books(), passes("each had its answer")},
		{"approved after a wrong PIN", inAct(bought, exchange(3000, "0200", "000002", "55"), exchange(4000, "0200", "000003", "00"), screen(4100, "approved")), books(), passes("")},
		{"seen a little before its answer", inAct(bought, leaves(3000, "0200", "000002"), screen(3000, "approved"), reaches(3001, "0210", "000002"),
			answers(3001, "0210", "000002", "00")), books(), passes("each had its answer")},
		{"without an answer", inAct(bought, leaves(3000, "0200", "000002"), screen(33_000, "approved")), books(), fails(onScreen + " although no answer had come")},
		{"without a request", inAct(bought, screen(3000, "approved")), books(), fails(onScreen + " although no answer had come")},
		{"before its answer", inAct(bought, leaves(3000, "0200", "000002"), screen(3100, "approved"), reaches(3200, "0210", "000002"),
			answers(3200, "0210", "000002", "00")), books(), fails(onScreen + " although no answer had come")},
		{"on another code", inAct(bought, exchange(3000, "0200", "000002", "96"), screen(3100, "approved")), books(), fails(onScreen + " although the host had answered 96")},
		{"the last answer counts", inAct(bought, exchange(3000, "0200", "000002", "00"), exchange(3100, "0200", "000003", "05"), screen(3200, "approved")), books(),
			fails("although the host had answered 05")},
		{"on the answer to the sale before", inAct(goodSale(2000, "12.50", "000002"), sale(5000, "13.00"), screen(6000, "approved")), books(),
			fails("approved was shown for the sale of 13.00 although no answer had come")},
		{"on the answer to another request", inAct(bought, leaves(3000, "0200", "000003"), reaches(3000, "0210", "000002"), answers(3000, "0210", "000002", "00"), screen(3100, "approved")),
			books(), fails(onScreen + " on the answer to another request, trace 000002")},
		{"an answer to another request comes late", inAct(bought, exchange(3000, "0200", "000003", "00"), reaches(3050, "0210", "000002"), screen(3100, "approved")), books(), passes("")},
		{"no sale", inAct(screen(3000, "approved")), books(), fails("approved was shown before any sale began")},
		{"unknown to the journal", inAct(bought, leaves(3000, "0200", "000002"), reaches(3000, "0210", "000002"), screen(3100, "approved")), books(),
			unclear(record.Issuer, "on an answer that the issuer's journal does not know, trace 000002")},
	})
}

func TestAuditApprovalCodes(t *testing.T) {
	for code, want := range map[string]wanted{
		"00": passes(""), "10": passes(""), "11": passes(""), "A2": passes(""), "A4": passes(""), "A5": passes(""), "A6": passes(""),
		"01": fails("answered 01"), "12": fails("answered 12"), "25": fails("answered 25"), "A1": fails("answered A1"), "": fails("answered "),
	} {
		c := theCase(t, inAct(sale(2000, "12.50"), exchange(3000, "0200", "000002", code), screen(3100, "approved")))
		want.hold(t, c.audited(t, "approval"))
	}
}

func TestAuditApprovalOnPaper(t *testing.T) {
	bought := sale(2000, "12.50")
	printed := "an approved receipt for 12.50 (trace 000002) was printed"
	auditAll(t, "approval", []auditCase{
		{"after the answer", inAct(bought, exchange(3000, "0200", "000002", "00"), slipFor(3100, "12.50", "000002")), books(), passes("")},
		{"paper comes when the next sale began", inAct(bought, exchange(3000, "0200", "000002", "00"), sale(4000, "13.00"), slipFor(4100, "12.50", "000002")), books(), passes("")},
		{"before the answer", inAct(bought, leaves(3000, "0200", "000002"), slipFor(3100, "12.50", "000002"), reaches(3200, "0210", "000002"),
			answers(3200, "0210", "000002", "00")), books(), fails(printed + " although no answer had come")},
		{"without an answer", inAct(bought, leaves(3000, "0200", "000002"), slipFor(33_000, "12.50", "000002")), books(), fails(printed + " although no answer had come")},
		{"on another code", inAct(bought, exchange(3000, "0200", "000002", "96"), slipFor(3100, "12.50", "000002")), books(), fails(printed + " although the host had answered 96")},
		{"on the answer to another", inAct(bought, exchange(3000, "0200", "000003", "00"), slipFor(3100, "12.50", "000002")), books(), fails(printed + " although no answer had come")},
		{"unknown to the journal", inAct(bought, reaches(3000, "0210", "000002"), slipFor(3100, "12.50", "000002")), books(), unclear(record.Issuer, "does not know")},
	})
}

// TestApprovalIsSaidOnceForEachSale: a terminal redraws its screen.
func TestApprovalIsSaidOnceForEachSale(t *testing.T) {
	c := theCase(t, inAct(sale(2000, "12.50"), screen(3000, "approved"), screen(3001, "approved", "remove-card")))
	if got := c.audited(t, "approval").Observed; got != "approved was shown for the sale of 12.50 although no answer had come" {
		t.Errorf("observed %q", got)
	}
}

// TestProblemsHideDoubts: what is certain is said, whatever else is doubtful.
func TestProblemsHideDoubts(t *testing.T) {
	c := theCase(t, inAct(sale(2000, "12.50"), leaves(3000, "0200", "000002"), reaches(3000, "0210", "000002"), screen(3100, "approved"),
		sale(5000, "13.00"), screen(6000, "approved")))
	got := c.audited(t, "approval")
	fails("approved was shown for the sale of 13.00 although no answer had come").hold(t, got)
}

// A reversal may be given up where the profile says so, after as many tries as it says, and on paper.
func TestReversalGivenUp(t *testing.T) {
	lost, named := []record.Event{sale(2000, "12.50"), leaves(3000, "0200", "000002")}, line(50_000, "NOT REVERSED: 000002")
	var tries []record.Event
	for i := range 4 {
		tries = append(tries, leaves(int64(10_000+i*1000), "0400", "000002"))
	}
	next := goodSale(40_000, "13.00", "000003")
	for _, c := range []struct {
		name, what string
		drops      bool
		events     []record.Event
		want       wanted
	}{
		{"named", "unanswered", true, inAct(lost, tries, next, named), passes("none is left over")},
		{"silent", "unanswered", true, inAct(lost, tries, next), fails("the reversal of trace 000002 was given up, and no slip says so")},
		{"another is named", "unanswered", true, inAct(lost, tries, next, line(50_000, "NOT REVERSED: 000003")), fails("no slip says so")},
		{"too early", "unanswered", true, inAct(lost, tries[1:], next, named), fails("was never reversed")},
		{"a terminal that must go on", "unanswered", false, inAct(lost, tries, next, named), fails("was never reversed")},
		{"given up, then the next sale", "order", true, inAct(lost, tries, next, named), passes("none was overtaken")},
		{"the next sale before it is given up", "order", true, inAct(lost, tries[:3], next, tries[3:], named), fails("went out before")},
		{"must go on, and the next sale", "order", false, inAct(lost, tries, next, named), fails("went out before")},
	} {
		t.Run(c.name, func(t *testing.T) {
			given := theCase(t, c.events)
			given.Profile.ReversalDrop = c.drops
			c.want.hold(t, given.audited(t, c.what))
		})
	}
}
