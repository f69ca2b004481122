package emv_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/protocol/emv"
)

// twoApplications is a card with both directories, a PIN, a credit and a debit application of one scheme.
func twoApplications(t testing.TB) emv.Profile {
	t.Helper()
	credit, debit := testApplication(t), testApplication(t)
	debit.AID, debit.Label, debit.Priority, debit.Confirm = fromHex(t, "A000000003101002"), "VISA DEBIT", 2, true
	debit.Preferred, debit.CodeTable, debit.PAN = "DEBIT", 1, "4761739001010010"
	return emv.Profile{ATR: fromHex(t, "3B00"), Applications: []emv.Application{credit, debit}, PSE: true, PPSE: true, Languages: "zhen", PIN: "1234"}
}

func newProfile(t testing.TB, p emv.Profile) *emv.Card {
	t.Helper()
	c, err := emv.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const (
	selectPSE  = "00A404000E315041592E5359532E444446303100"
	selectPPSE = "00A404000E325041592E5359532E444446303100"
)

// What the directories say, composed by hand from EMV Book 1 §12.2.3 and Contactless Book B table 3-2.
func TestDirectories(t *testing.T) {
	credit := "6119 4F07A0000000031010 500B5649534120435245444954 870101"
	debit := "6125 4F08A000000003101002 500A56495341204445424954 870182 9F110101 9F12054445424954"
	expect(t, newProfile(t, twoApplications(t)),
		"00B2010C00", "6985",
		selectPSE, "6F1C 840E315041592E5359532E4444463031 A50A 880101 5F2D047A68656E"+" 9000",
		"00B2010C00", "701B "+credit+"9000",
		"00B2020C00", "7027 "+debit+"9000",
		"00B2030C00", "6A83",
		selectPPSE, "6F57 840E325041592E5359532E4444463031 A545 BF0C42"+credit+debit+"9000",
		getGPO, "6985",
	)
}

func TestSelectNext(t *testing.T) {
	p := twoApplications(t)
	p.Applications[1].Blocked = true
	first, next := "00A4040006A0000000031000", "00A4040206A0000000031000"
	c := newProfile(t, p)
	expect(t, c, next, "6A82", first, "9000")
	if answer := send(t, c, first); !strings.Contains(answer, "8407A0000000031010") {
		t.Fatalf("first occurrence: %s", answer)
	}
	answer := send(t, c, next)
	if !strings.Contains(answer, "8408A000000003101002") || !strings.HasSuffix(answer, "6283") {
		t.Fatalf("next occurrence, a blocked application: %s", answer)
	}
	expect(t, c, next, "6A82", first, "9000", selectPSE, "9000", next, "6A82")
	// A whole name of one application is the beginning of another's: the first one on the card answers.
	expect(t, c, selectAID, "9000", "00A4040207A000000003101000", "6283")
}

func TestBlockedCard(t *testing.T) {
	p := twoApplications(t)
	p.Blocked = true
	expect(t, newProfile(t, p), selectPSE, "6A81", selectPPSE, "6A81", selectAID, "6A81")
}

func TestPDOL(t *testing.T) {
	a := testApplication(t)
	a.PDOL = emv.DOL{{Tag: emv.TagTerminalCountry, Length: 2}, {Tag: emv.TagAmount, Length: 6}}
	a.CDOL1 = emv.DOL{{Tag: emv.TagAmountOther, Length: 6}, {Tag: emv.TagTVR, Length: 5}, {Tag: emv.TagCurrency, Length: 2},
		{Tag: emv.TagDate, Length: 3}, {Tag: emv.TagType, Length: 1}, {Tag: emv.TagUnpredictable, Length: 4}}
	c := emv.NewCard(a)
	if answer := send(t, c, selectAID); !strings.Contains(answer, "9F3806"+"9F1A02"+"9F0206") {
		t.Fatalf("FCI %s", answer)
	}
	expect(t, c, getGPO, "6700", "80A800000A8308"+"01560000000012", "6700", "80A800000A8408"+"0156000000001250"+"00", "6A80",
		"80A800000A8308"+"0156000000001250"+"00", "9000")
	// What the PDOL brought is in the cryptogram: the same as with the usual CDOL1.
	ask := "80AE800015" + "000000000000" + "8000048000" + "0156" + "261122" + "00" + "11223344" + "00"
	if answer := send(t, c, ask); !strings.Contains(answer, "9F260876D5DAC91257A29B") {
		t.Fatalf("cryptogram %s", answer)
	}
}

func TestGetData(t *testing.T) {
	p := twoApplications(t)
	p.Applications[0].Counter, p.Applications[0].LastOnline = 0x1234, 0x1200
	c := newProfile(t, p)
	expect(t, c, "80CA9F3600", "6985", selectAID, "9000",
		"80CA9F3600", "9F36021234 9000", "80CA9F1300", "9F13021200 9000", "80CA9F1700", "9F170103 9000",
		"80CA9F5800", "6A88", "80CA9F4F00", "6A88", "80CA9F360101", "6700",
		"0084000000", "9000")
	if one, two := send(t, c, "0084000000"), send(t, c, "0084000000"); len(one) != 20 || one == two {
		t.Fatalf("challenges %s and %s", one, two)
	}
}

func TestVerify(t *testing.T) {
	right, wrong := "0020008008241234FFFFFFFFFF", "0020008008241235FFFFFFFFFF"
	c := newProfile(t, twoApplications(t))
	expect(t, c, right, "6985", selectAID, "9000", "00200088082412347FFFFFFFFF", "6A86", "0020008007241234FFFFFFFF", "6700",
		wrong, "63C2", "80CA9F1700", "9F170102 9000", right, "9000", "80CA9F1700", "9F170103 9000",
		wrong, "63C2", wrong, "63C1")
	c.Reset()
	expect(t, c, selectAID, "9000", wrong, "63C0", right, "6983", "80CA9F1700", "9F170100 9000",
		getGPO, "9000", askARQC, "9000")
	// The card tells the issuer.
	c.Reset()
	expect(t, c, selectAID, "9000", right, "6983", getGPO, "9000")
	if answer := send(t, c, askARQC); !strings.Contains(answer, "9F100706011203"+"A64000") {
		t.Fatalf("CVR after a blocked PIN: %s", answer)
	}
	none := twoApplications(t)
	none.PIN = ""
	expect(t, newProfile(t, none), selectAID, "9000", right, "6A88", "80CA9F1700", "6A88")
}

func TestFiles(t *testing.T) {
	a := testApplication(t)
	a.Files = []emv.File{{SFI: 1, Number: 1, Data: fromHex(t, "7002FFFF")}, {SFI: 3, Number: 4, Data: fromHex(t, "70020500")}}
	a.Effective, a.Currency, a.Version, a.Country = "260102", "978", []byte{0, 0x96}, "276"
	c := emv.NewCard(a)
	expect(t, c, selectAID, "9000", getGPO, "7712 82021C00 940C 080102001001010018040400 9000",
		"00B2010C00", "7002FFFF 9000", "00B2041C00", "70020500 9000")
	for _, part := range []string{"5F2503260102", "9F42020978", "9F08020096", "5F28020276"} {
		if answer := send(t, c, "00B2020C00"); !strings.Contains(answer, part) {
			t.Errorf("no %s in %s", part, answer)
		}
	}
}

// Scripts that change what survives a reset.
func TestScriptsOnTheWholeCard(t *testing.T) {
	p := twoApplications(t)
	p.Applications[0].LowerOffline, p.Applications[0].UpperOffline = 1, 2
	c := newProfile(t, p)
	key, err := emv.Scheme{CVN: emv.CVN18}.CardKey(p.Applications[0].MasterKey, testPAN, "01")
	if err != nil {
		t.Fatal(err)
	}
	// online opens a transaction and gives the messaging of its script.
	online := func() emv.Messaging {
		c.Reset()
		m := newTerminal(t, c)
		m.open()
		m.generate(emv.TypeARQC, emv.TagCDOL1)
		messaging, err := emv.NewMessaging(key, key, [2]byte(m.value(m.data, emv.TagATC)), [8]byte(m.value(m.data, emv.TagCryptogram)))
		if err != nil {
			t.Fatal(err)
		}
		return messaging
	}
	run := func(want string, command []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		expect(t, c, hexOf(command), want)
	}
	wrong, old, changed := "0020008008241235FFFFFFFFFF", "0020008008241234FFFFFFFFFF", "0020008008261357"+"90FFFFFFFF"
	messaging := online()
	expect(t, c, wrong, "63C2", wrong, "63C1", wrong, "63C0")
	command, err := messaging.Command(emv.INSPINChange, 0, emv.PINUnblock, nil)
	run("9000", command, err)
	expect(t, c, old, "9000")
	command, err = messaging.PINChange(key, "135790", "1234")
	run("9000", command, err)
	expect(t, c, old, "63C2", changed, "9000")
	command, err = messaging.PINChange(key, "1234", "")
	run("9000", command, err)
	expect(t, c, old, "9000")
	command, err = messaging.PutData(uint16(emv.TagUpperLimit), []byte{9})
	run("9000", command, err)
	expect(t, c, "80CA9F5900", "9F590109 9000")
	command, err = messaging.PutData(0x9F60, []byte{9})
	run("6A88", command, err)
	// Three were carried out in all and one failed: four successes of five commands; the next CVR says so.
	m := newTerminal(t, c)
	c.Reset()
	m.open()
	m.generate(emv.TypeARQC, emv.TagCDOL1)
	if iad := m.value(m.data, emv.TagIAD); iad[6] != 0x48 {
		t.Fatalf("CVR %X", iad[3:])
	}
	messaging = online()
	command, err = messaging.Command(emv.INSCardBlock, 0, 0, nil)
	run("9000", command, err)
	c.Reset()
	expect(t, c, selectPSE, "6A81", selectAID, "6A81")
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fault  emv.Fault
		script []string
	}{
		{"status, once", emv.Fault{On: emv.OnOptions, Times: 1, Status: 0x6985}, []string{selectAID, "9000", getGPO, "6985", getGPO, "9000"}},
		{"status, the second time", emv.Fault{On: emv.OnRecord, Skip: 1, Status: 0x6A82}, []string{selectAID, "9000", getGPO, "9000", "00B2010C00", "9000", "00B2010C00", "6A82"}},
		{"other interface", emv.Fault{On: emv.OnAny, Interface: emv.OnContactless, Status: 0x6F00}, []string{selectAID, "9000"}},
		{"mute", emv.Fault{On: emv.OnCryptogram, Times: 1, Mute: true}, []string{selectAID, "9000", getGPO, "9000", askARQC, "", askTC2, "9000"}},
		{"truncated", emv.Fault{On: emv.OnOptions, Damage: emv.DamageTruncate}, []string{selectAID, "9000", getGPO, "770E82021C0094080801020010010100"[:30] + "9000"}},
		{"another tag", emv.Fault{On: emv.OnOptions, Damage: emv.DamageTag}, []string{selectAID, "9000", getGPO, "780E82021C00940808010200100101009000"}},
		{"length", emv.Fault{On: emv.OnOptions, Damage: emv.DamageLength}, []string{selectAID, "9000", getGPO, "770F82021C00940808010200100101009000"}},
		{"content", emv.Fault{On: emv.OnOptions, Damage: emv.DamageContent}, []string{selectAID, "9000", getGPO, "770E82021C00940809010200100101009000"}},
		{"twice", emv.Fault{On: emv.OnOptions, Damage: emv.DamageRepeat}, []string{selectAID, "9000", getGPO, strings.Repeat("770E82021C0094080801020010010100", 2) + "9000"}},
		{"script", emv.Fault{On: emv.OnScript, Status: 0x6A80}, []string{selectAID, "9000", "841E0000080000000000000000", "6A80"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := twoApplications(t)
			p.Faults = []emv.Fault{tt.fault}
			c := newProfile(t, p)
			for i := 0; i < len(tt.script); i += 2 {
				if got, want := send(t, c, tt.script[i]), tt.script[i+1]; len(want) == 4 && !strings.HasSuffix(got, want) || len(want) != 4 && got != want {
					t.Fatalf("%s\ngot  %s\nwant %s", tt.script[i], got, want)
				}
			}
		})
	}
}

func TestIntermittentAndSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := twoApplications(t)
		p.Faults = []emv.Fault{{On: emv.OnReset, Times: 2, Mute: true}, {On: emv.OnAny, Delay: 800 * time.Millisecond}}
		c := newProfile(t, p)
		lengths := []int{len(c.ATR()), len(c.ATR()), len(c.ATR())}
		if !slices.Equal(lengths, []int{0, 0, 2}) {
			t.Fatalf("answers to reset of %v bytes", lengths)
		}
		start := time.Now()
		expect(t, c, selectAID, "9000", getGPO, "9000")
		if took := time.Since(start); took != 1600*time.Millisecond {
			t.Fatalf("two commands took %v", took)
		}
		c.Hasten(4)
		start = time.Now()
		expect(t, c, selectAID, "9000")
		if took := time.Since(start); took != 200*time.Millisecond {
			t.Fatalf("a command of the hastened card took %v", took)
		}
	})
}

func TestProfileValidate(t *testing.T) {
	for field, damage := range map[string]func(*emv.Profile){
		"Applications": func(p *emv.Profile) { p.Applications = make([]emv.Application, 9) },
		"Languages":    func(p *emv.Profile) { p.Languages = "zhe" },
		"PIN":          func(p *emv.Profile) { p.PIN = "123" },
		"PINLimit":     func(p *emv.Profile) { p.PINLimit = 16 },
		"PINTries":     func(p *emv.Profile) { p.PINTries = 4 },
		"Faults":       func(p *emv.Profile) { p.Faults = []emv.Fault{{On: "lunch"}} },
		"Preferred":    func(p *emv.Profile) { p.Applications[1].Preferred = strings.Repeat("x", 17) },
		"CodeTable":    func(p *emv.Profile) { p.Applications[1].CodeTable = 11 },
		"Priority":     func(p *emv.Profile) { p.Applications[1].Priority = 16 },
		"Effective":    func(p *emv.Profile) { p.Applications[1].Effective = "260230" },
		"Country":      func(p *emv.Profile) { p.Applications[1].Country = "CN" },
		"Currency":     func(p *emv.Profile) { p.Applications[1].Currency = "CNY" },
		"Usage":        func(p *emv.Profile) { p.Applications[1].Usage = []byte{0xFF} },
		"Version":      func(p *emv.Profile) { p.Applications[1].Version = []byte{0xFF} },
		"CVMList":      func(p *emv.Profile) { p.Applications[1].CVMList = make([]byte, 9) },
		"Actions":      func(p *emv.Profile) { p.Applications[1].Actions.Denial = make([]byte, 4) },
		"PDOL":         func(p *emv.Profile) { p.Applications[1].PDOL = emv.DOL{{Tag: 0x9F02, Length: 253}} },
		"Files":        func(p *emv.Profile) { p.Applications[1].Files = []emv.File{{SFI: 31, Number: 1}} },
		"UpperOffline": func(p *emv.Profile) { p.Applications[1].LowerOffline = 1 },
		"LastOnline":   func(p *emv.Profile) { p.Applications[1].LastOnline = 1 },
	} {
		p := twoApplications(t)
		damage(&p)
		_, err := emv.New(p)
		if !errors.Is(err, emv.ErrProfile) && !errors.Is(err, emv.ErrApplication) || !strings.HasSuffix(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
