package emv_test

import (
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/emv"
)

// The card's choice of the first cryptogram, against what the terminal asks for.
func TestFirstDecision(t *testing.T) {
	for _, tt := range []struct {
		name             string
		change           func(*emv.Application)
		aac, tc, arqc    string
		second           bool
		secondCryptogram string
	}{
		{"as asked", func(*emv.Application) {}, "00", "40", "80", false, ""},
		{"declines", func(a *emv.Application) { a.First = emv.Decline }, "00", "00", "00", false, ""},
		{"goes online", func(a *emv.Application) { a.First = emv.GoOnline }, "00", "80", "80", false, ""},
		{"blocked", func(a *emv.Application) { a.Blocked = true }, "00", "00", "00", false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for asked, want := range map[string]string{"00": tt.aac, "40": tt.tc, "80": tt.arqc} {
				a := testApplication(t)
				tt.change(&a)
				c := emv.NewCard(a)
				send(t, c, selectAID)
				expect(t, c, getGPO, "9000")
				if answer := send(t, c, "80AE"+asked+askARQC[6:]); !strings.Contains(answer, "9F2701"+want) {
					t.Errorf("asked %s: %s", asked, answer)
				}
			}
		})
	}
}

// At the upper limit of approvals in a row the card goes online; an issuer that proves itself sets the count to zero.
func TestOfflineLimit(t *testing.T) {
	a := testApplication(t)
	a.LowerOffline, a.UpperOffline = 1, 2
	c := emv.NewCard(a)
	kinds := ""
	for range 4 {
		c.Reset()
		expect(t, c, selectAID, "9000", getGPO, "9000")
		answer := send(t, c, "80AE40"+askARQC[6:])
		kinds += answer[strings.Index(answer, "9F2701")+6:][:2] + " "
	}
	if kinds != "40 40 80 80 " {
		t.Fatalf("cryptograms %s", kinds)
	}
	m := newTerminal(t, c)
	c.Reset()
	m.open()
	if lower := m.value(m.data, emv.TagLowerOffline); lower[0] != 1 {
		t.Fatalf("lower limit %X", lower)
	}
	m.generate(emv.TypeTC, emv.TagCDOL1)
	m.must(m.send(0x00, emv.INSExternalAuthenticate, 0, 0, issue(t, m.field55()), -1))
	m.data = append(m.data, emv.TLV{Tag: emv.TagARC, Value: []byte("00")})
	m.generate(emv.TypeTC, emv.TagCDOL2)
	expect(t, c, "80CA9F1300", "9F13020005 9000", "80CA9F5900", "9F590102 9000")
	c.Reset()
	expect(t, c, selectAID, "9000", getGPO, "9000")
	if answer := send(t, c, "80AE40"+askARQC[6:]); !strings.Contains(answer, "9F270140") {
		t.Fatalf("after an online transaction: %s", answer)
	}
}

// Approvals without the issuer count towards the limit also when the terminal could not go online.
func TestUnableCountsTowardsTheLimit(t *testing.T) {
	a := testApplication(t)
	a.UpperOffline, a.Unable = 1, true
	c := emv.NewCard(a)
	m := newTerminal(t, c)
	m.open()
	m.generate(emv.TypeARQC, emv.TagCDOL1)
	m.data = append(m.data, emv.TLV{Tag: emv.TagARC, Value: []byte("Y3")})
	if second := m.generate(emv.TypeTC, emv.TagCDOL2); m.value(second, emv.TagCID)[0] != emv.TypeTC {
		t.Fatal("not approved")
	}
	c.Reset()
	expect(t, c, selectAID, "9000", getGPO, "9000")
	if answer := send(t, c, "80AE40"+askARQC[6:]); !strings.Contains(answer, "9F270180") {
		t.Fatalf("the limit is reached: %s", answer)
	}
}

// An application that a script has blocked before the second cryptogram declines, whatever the issuer said.
func TestBlockedWithinTheTransaction(t *testing.T) {
	a := testApplication(t)
	m := newTerminal(t, emv.NewCard(a))
	m.open()
	m.generate(emv.TypeARQC, emv.TagCDOL1)
	m.must(m.send(0x00, emv.INSExternalAuthenticate, 0, 0, issue(t, m.field55()), -1))
	key, err := emv.Scheme{CVN: emv.CVN18}.CardKey(a.MasterKey, testPAN, "01")
	if err != nil {
		t.Fatal(err)
	}
	messaging, err := emv.NewMessaging(key, key, [2]byte(m.value(m.data, emv.TagATC)), [8]byte(m.value(m.data, emv.TagCryptogram)))
	if err != nil {
		t.Fatal(err)
	}
	command, err := messaging.Command(emv.INSApplicationBlock, 0, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, m.card, hexOf(command), "9000")
	m.data = append(m.data, emv.TLV{Tag: emv.TagARC, Value: []byte("00")})
	if second := m.generate(emv.TypeTC, emv.TagCDOL2); m.value(second, emv.TagCID)[0] != emv.TypeAAC {
		t.Fatal("a blocked application approves")
	}
}

// The second cryptogram, by what the issuer must do.
func TestSecondDecision(t *testing.T) {
	proof := func(m *terminal) []byte { return issue(m.t, m.field55()) }
	for _, tt := range []struct {
		name   string
		change func(*emv.Application)
		proof  func(*terminal) []byte
		arc    string
		want   byte
	}{
		{"declines after approval", func(a *emv.Application) { a.Second = emv.Decline }, proof, "00", emv.TypeAAC},
		{"optional, absent", func(a *emv.Application) { a.IssuerAuth = emv.AuthOptional }, nil, "00", emv.TypeTC},
		{"optional, wrong", func(a *emv.Application) { a.IssuerAuth = emv.AuthOptional }, func(*terminal) []byte { return make([]byte, 8) }, "00", emv.TypeAAC},
		{"mandatory, absent", func(*emv.Application) {}, nil, "00", emv.TypeAAC},
		{"could not go online", func(*emv.Application) {}, nil, "Y3", emv.TypeAAC},
		{"could not go online, approved", func(a *emv.Application) { a.Unable = true }, nil, "Y3", emv.TypeTC},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := testApplication(t)
			tt.change(&a)
			m := newTerminal(t, emv.NewCard(a))
			m.open()
			m.generate(emv.TypeARQC, emv.TagCDOL1)
			if tt.proof != nil {
				m.send(0x00, emv.INSExternalAuthenticate, 0, 0, tt.proof(m), -1)
			}
			m.data = append(m.data, emv.TLV{Tag: emv.TagARC, Value: []byte(tt.arc)})
			second := m.generate(emv.TypeTC, emv.TagCDOL2)
			if got := m.value(second, emv.TagCID)[0]; got != tt.want {
				t.Fatalf("CID %02X, want %02X", got, tt.want)
			}
		})
	}
}

// A card whose CDOL2 asks for the issuer's proof, for every cryptogram version.
func TestProofInSecondCryptogram(t *testing.T) {
	for name, application := range versions(t) {
		application.IssuerAuth = emv.AuthInCryptogram
		for _, wrong := range []bool{false, true} {
			m := newTerminal(t, emv.NewCard(application))
			m.must(m.send(0x00, emv.INSSelect, 4, 0, application.AID, 0))
			options := m.must(m.send(0x80, emv.INSGetProcessingOptions, 0, 0, []byte{0x83, 0}, 0))
			if m.value(options, emv.TagAIP)[0] != 0x18 {
				t.Fatalf("AIP %X", m.value(options, emv.TagAIP))
			}
			m.must(m.send(0x00, emv.INSReadRecord, 1, 2<<3|4, nil, 0))
			m.generate(emv.TypeARQC, emv.TagCDOL1)
			proof := issue(t, m.field55())
			if wrong {
				proof[0] ^= 1
			}
			m.data = append(m.data, emv.TLV{Tag: emv.TagARC, Value: []byte("00")}, emv.TLV{Tag: emv.TagIssuerAuth, Value: proof})
			if _, sw := m.send(0x00, emv.INSExternalAuthenticate, 0, 0, proof, -1); sw != emv.SWConditions {
				t.Errorf("%s: EXTERNAL AUTHENTICATE: %04X", name, sw)
			}
			want := map[bool]byte{false: emv.TypeTC, true: emv.TypeAAC}[wrong]
			if second := m.generate(emv.TypeTC, emv.TagCDOL2); m.value(second, emv.TagCID)[0] != want {
				t.Errorf("%s, wrong %v: CID %X", name, wrong, m.value(second, emv.TagCID))
			}
		}
	}
}
