package judge

import (
	"testing"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

func apdu(ms int64, instruction, command string) record.Event {
	return at(ms, "card", "exchange", "instruction", instruction, "command", command)
}

func TestTVR(t *testing.T) {
	first, second := apdu(2000, "80AE", " 9F02 00000000/1250\n 95 80000480/00\n 9C 00"), apdu(3000, "80AE", " 8A 3030\n 95 80000480/40")
	for _, c := range []struct {
		name   string
		events []record.Event
		bit    string
		want   wanted
	}{
		{"set", inAct(first, second), "5.7", passes("TVR 8000048040")},
		{"the highest bit", inAct(first, second), "1.8", passes("")},
		{"not set", inAct(first, second), "5.6", fails("TVR 8000048040")},
		{"only the last cryptogram counts", inAct(second, first), "5.7", fails("TVR 8000048000")},
		{"no cryptogram", inAct(), "5.7", fails("no cryptogram")},
		{"not among the data", inAct(apdu(2000, "80AE", " 9C 00")), "5.7", fails("not told")},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.hold(t, theCase(t, c.events).expecting(t, scenarios.Expectation{TVR: c.bit}))
		})
	}
}

func TestApplication(t *testing.T) {
	visa, electron, start := apdu(2000, "00A4", "4F A000000003/1010"), apdu(2001, "00A4", "4F A000000003/2010"), apdu(2002, "80A8", "83")
	for _, c := range []struct {
		name   string
		events []record.Event
		want   wanted
	}{
		{"the one", inAct(electron, start, visa, start), passes("A0000000031010")},
		{"another", inAct(visa, electron, start), fails("A0000000032010")},
		{"selected later, but not started", inAct(electron, start, visa), fails("A0000000032010")},
		{"none started", inAct(visa), fails("no application")},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.hold(t, theCase(t, c.events).expecting(t, scenarios.Expectation{Application: "A0000000031010"}))
		})
	}
}

func TestCryptogram(t *testing.T) {
	start, ask := apdu(2000, "80A8", "83"), func(p1 string) record.Event {
		e := apdu(2001, "80AE", "")
		e.Fields["parameters"] = p1 + "00"
		return e
	}
	for _, c := range []struct {
		name   string
		events []record.Event
		want   wanted
	}{
		{"ARQC", inAct(start, ask("80"), ask("40")), passes("go online")},
		{"ARQC, signed", inAct(start, ask("90")), passes("go online")},
		{"TC", inAct(start, ask("40")), fails("to approve")},
		{"AAC", inAct(start, ask("00")), fails("to decline")},
		{"of the last card", inAct(start, ask("40"), start, ask("80")), passes("go online")},
		{"none", inAct(start), fails("no cryptogram")},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.hold(t, theCase(t, c.events).expecting(t, scenarios.Expectation{Cryptogram: "online"}))
		})
	}
}

func TestAuditScripts(t *testing.T) {
	reset, ac, script := at(1500, "card", "reset"), apdu(2000, "80AE", ""), apdu(3000, "8424", "")
	for _, c := range []struct {
		name   string
		events []record.Event
		want   wanted
	}{
		{"after the second cryptogram", inAct(reset, ac, ac, script), passes("none came before")},
		{"between the two", inAct(reset, ac, script, ac), fails("the command 8424 came after 1 cryptograms")},
		{"of another card", inAct(reset, ac, ac, reset, script), fails("after 0 cryptograms")},
		{"a challenge is no script", inAct(reset, apdu(1800, "0084", ""), ac, ac), passes("")},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.hold(t, theCase(t, c.events).audited(t, "scripts"))
		})
	}
}

func TestAuditCardTold(t *testing.T) {
	insert, reset, off := at(1400, "card", "insert"), at(1500, "card", "reset"), at(3500, "card", "power-off")
	ask := apdu(2000, "80AE", "")
	ask.Fields["response"] = "77\n 9F27 80\n 9F36 0001"
	told, done := apdu(3000, "80AE", " 8A 5A33"), screen(4000, "remove-card")
	for _, c := range []struct {
		name   string
		events []record.Event
		want   wanted
	}{
		{"told", inAct(insert, reset, ask, told, off, done), passes("each was")},
		{"not told", inAct(insert, reset, ask, off, done), fails("no second GENERATE AC")},
		{"not told, and back at idle", inAct(insert, reset, ask, screen(4000, "idle")), fails("no second GENERATE AC")},
		{"the card declined", inAct(insert, reset, told, done), passes("")},
		{"not told, and taken out while the error stands", inAct(insert, reset, ask, screen(3000, "comm-timeout"), at(5100, "card", "remove"), screen(6000, "idle")), fails("no second GENERATE AC")},
		{"taken out as soon as the error was shown", inAct(insert, reset, ask, screen(3000, "comm-timeout"), at(3100, "card", "remove"), screen(4000, "idle")), passes("")},
		{"told, and noted a little after the screen", inAct(insert, reset, ask, screen(2950, "remove-card"), told), passes("each was")},
		{"told while the error stands", inAct(insert, reset, ask, screen(2900, "comm-timeout"), told, at(3100, "card", "remove")), passes("")},
		{"taken out before", inAct(insert, reset, ask, at(2500, "card", "remove"), done), passes("")},
		{"power cut", inAct(insert, reset, ask, at(2500, "power", "off"), screen(4000, "idle")), passes("")},
		{"contactless", inAct(at(1400, "card", "tap"), ask, done), passes("")},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.hold(t, theCase(t, c.events).audited(t, "card told"))
		})
	}
}
