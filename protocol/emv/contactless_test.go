package emv_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/emv/oda"
)

// reader is a test's contactless reader.
type reader struct {
	t     *testing.T
	field *emv.Field
	data  emv.List
}

// newReader is a reader with terminal transaction qualifiers.
func newReader(t *testing.T, c *emv.Card, ttq string) *reader {
	t.Helper()
	m := newTerminal(t, c)
	m.data = append(emv.List{{Tag: emv.TagTTQ, Value: fromHex(t, ttq)}, {Tag: emv.TagTVR, Value: make([]byte, 5)}}, m.data...)
	return &reader{t, c.Field(), m.data}
}

func (r *reader) send(command []byte) (emv.List, uint16) {
	r.t.Helper()
	raw, sw, err := emv.SplitResponse(r.field.Transmit(command))
	if err != nil {
		r.t.Fatal(err)
	}
	list, err := emv.Parse(raw)
	if err != nil {
		r.t.Fatal(err)
	}
	return list, sw
}

// tap selects by PPSE and asks for the processing options.
func (r *reader) tap() (emv.List, uint16) {
	r.t.Helper()
	r.field.Reset()
	fci, sw := r.send(emv.BuildCommand(0, emv.INSSelect, 4, 0, []byte(emv.PPSE), 0))
	if sw != emv.SWOK {
		return nil, sw
	}
	aid, ok := fci.Find(emv.TagADFName)
	if !ok {
		r.t.Fatal("an empty directory")
	}
	if fci, sw = r.send(emv.BuildCommand(0, emv.INSSelect, 4, 0, aid, 0)); sw != emv.SWOK {
		return nil, sw
	}
	pdol, _ := fci.Find(emv.TagPDOL)
	dol, err := emv.ParseDOL(pdol)
	if err != nil {
		r.t.Fatal(err)
	}
	data := emv.List{{Tag: emv.TagCommand, Value: dol.Build(r.data.Find)}}.Encode()
	return r.send(emv.BuildCommand(0x80, emv.INSGetProcessingOptions, 0, 0, data, 0))
}

func (r *reader) value(l emv.List, tag uint32) []byte {
	r.t.Helper()
	v, ok := l.Find(tag)
	if !ok {
		r.t.Fatalf("no tag %X", tag)
	}
	return v
}

// issuer verifies what the reader sends online.
func (r *reader) issuer(answer emv.List) error {
	r.t.Helper()
	var de55 emv.List
	for _, tag := range []uint32{
		emv.TagCryptogram, emv.TagIAD, emv.TagATC, emv.TagAIP, emv.TagUnpredictable, emv.TagTVR, emv.TagDate, emv.TagType, emv.TagAmount,
		emv.TagCurrency, emv.TagTerminalCountry, emv.TagAmountOther,
	} {
		value, ok := answer.Find(tag)
		if !ok {
			value = r.value(r.data, tag)
		}
		de55 = append(de55, emv.TLV{Tag: tag, Value: value})
	}
	_, _, err := emv.VerifyARQC(testApplication(r.t).MasterKey, testPAN, "01", de55)
	return err
}

func tapProfile(t testing.TB, side emv.Contactless) emv.Profile {
	t.Helper()
	p := twoApplications(t)
	p.Applications[0].Contactless = &side
	return p
}

const (
	online     = "2600C000" // qVSDC, online PIN, signature; nothing required
	cryptogram = "26808000"
	verify     = "26C08000" // online cryptogram and cardholder verification
	offline    = "2E000000"
	neither    = "20C00000"
)

// The card's choice, against what the reader wants.
func TestTapDecision(t *testing.T) {
	for _, tt := range []struct {
		name, ttq string
		side      emv.Contactless
		kind      byte
		ctq       string
	}{
		{"as the reader asks", online, emv.Contactless{}, emv.TypeTC, "0000"},
		{"online wanted", cryptogram, emv.Contactless{}, emv.TypeARQC, "0000"},
		{"goes online", online, emv.Contactless{Decide: emv.GoOnline}, emv.TypeARQC, "0000"},
		{"declines", cryptogram, emv.Contactless{Decide: emv.Decline}, emv.TypeAAC, "0000"},
		{"can't go online", offline, emv.Contactless{Decide: emv.GoOnline}, emv.TypeAAC, "0000"},
		{"offline reader", offline, emv.Contactless{}, emv.TypeTC, "0000"},
		{"funds", offline, emv.Contactless{Funds: 1250}, emv.TypeTC, "0000"},
		{"too few funds", offline, emv.Contactless{Funds: 1249}, emv.TypeAAC, "0000"},
		{"too few funds, online", online, emv.Contactless{Funds: 1249}, emv.TypeARQC, "0000"},
		{"online PIN", verify, emv.Contactless{OnlinePIN: true, Signature: true}, emv.TypeARQC, "8000"},
		{"signature", verify, emv.Contactless{Signature: true}, emv.TypeARQC, "4000"},
		{"no method in common", neither, emv.Contactless{OnlinePIN: true}, emv.TypeAAC, "0000"},
		{"phone, verified", verify, emv.Contactless{Phone: true, Verified: true}, emv.TypeARQC, "0080"},
		{"phone, verified, not required", cryptogram, emv.Contactless{Phone: true, Verified: true}, emv.TypeARQC, "0080"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, cvn := range []byte{emv.CVN10, emv.CVN18, emv.CVN22} {
				p := tapProfile(t, tt.side)
				p.Applications[0].CVN = cvn
				r := newReader(t, newProfile(t, p), tt.ttq)
				answer, sw := r.tap()
				if sw != emv.SWOK {
					t.Fatalf("status %04X", sw)
				}
				if kind, ctq := r.value(answer, emv.TagCID)[0], hexOf(r.value(answer, emv.TagCTQ)); kind != tt.kind || ctq != tt.ctq {
					t.Errorf("CID %02X, CTQ %s", kind, ctq)
				}
				if err := r.issuer(answer); err != nil {
					t.Errorf("the issuer: %v", err)
				}
				if track2 := hexOf(r.value(answer, emv.TagTrack2)); !strings.HasPrefix(track2, testPAN+"d3112") {
					t.Error("track 2")
				}
			}
		})
	}
}

func TestSeePhone(t *testing.T) {
	r := newReader(t, newProfile(t, tapProfile(t, emv.Contactless{Phone: true})), verify)
	for range 2 { // verification is good for one transaction
		if _, sw := r.tap(); sw != emv.SWSeePhone {
			t.Fatalf("first tap: %04X", sw)
		}
		answer, sw := r.tap()
		if sw != emv.SWOK || r.value(answer, emv.TagCTQ)[1] != emv.CTQVerified || r.value(answer, emv.TagAIP)[1]&0x40 == 0 {
			t.Fatalf("second tap: %04X", sw)
		}
	}
}

// A phone that comes locked asks whatever the amount; once its owner has seen to it, only where verification is required.
func TestLockedPhone(t *testing.T) {
	r := newReader(t, newProfile(t, tapProfile(t, emv.Contactless{Phone: true})), cryptogram)
	if _, sw := r.tap(); sw != emv.SWSeePhone {
		t.Fatalf("first tap: %04X", sw)
	}
	for n, want := range []string{"0080", "0000"} {
		answer, sw := r.tap()
		if sw != emv.SWOK || hexOf(r.value(answer, emv.TagCTQ)) != want {
			t.Fatalf("tap %d: %04X", n+2, sw)
		}
	}
}

func TestOtherInterface(t *testing.T) {
	c := newProfile(t, tapProfile(t, emv.Contactless{Elsewhere: true}))
	if _, sw := newReader(t, c, online).tap(); sw != emv.SWOtherInterface {
		t.Fatalf("status %04X", sw)
	}
	expect(t, c, selectAID, "9000", getGPO, "9000") // in the slot it works
}

// A tap that is torn has moved the counter; the next one works, on whichever interface.
func TestTornTap(t *testing.T) {
	p := tapProfile(t, emv.Contactless{})
	p.Faults = []emv.Fault{{On: emv.OnOptions, Interface: emv.OnContactless, Times: 1, Mute: true}}
	c := newProfile(t, p)
	c.Field().Transmit(fromHex(t, selectAID))
	if answer := c.Field().Transmit(emv.BuildCommand(0x80, emv.INSGetProcessingOptions, 0, 0, append([]byte{0x83, 33}, make([]byte, 33)...), 0)); answer != nil {
		t.Fatalf("answer %X", answer)
	}
	r := newReader(t, c, online)
	answer, sw := r.tap()
	if sw != emv.SWOK || hexOf(r.value(answer, emv.TagATC)) != "0002" {
		t.Fatalf("second tap: %04X", sw)
	}
	expect(t, c, getGPO, "6985", selectAID, "9000", getGPO, "9000")
	if first := send(t, c, askARQC); !strings.Contains(first, "9F36020003") {
		t.Fatalf("in the slot: %s", first)
	}
}

func TestFunds(t *testing.T) {
	r := newReader(t, newProfile(t, tapProfile(t, emv.Contactless{Funds: 2000})), offline)
	for _, want := range []struct {
		kind  byte
		funds string
	}{{emv.TypeTC, "000000000750"}, {emv.TypeAAC, "000000000750"}} {
		answer, _ := r.tap()
		if kind, funds := r.value(answer, emv.TagCID)[0], hexOf(r.value(answer, emv.TagFunds)); kind != want.kind || funds != want.funds {
			t.Fatalf("CID %02X, funds %s", kind, funds)
		}
	}
}

func TestFieldDirectory(t *testing.T) {
	p := tapProfile(t, emv.Contactless{})
	c := newProfile(t, p)
	r := newReader(t, c, online)
	fci, _ := r.send(fromHex(t, selectPPSE))
	if text := hexOf(fci.Encode()); strings.Contains(text, hexOf(p.Applications[1].AID)) || !strings.Contains(text, hexOf(p.Applications[0].AID)) {
		t.Fatalf("directory %s", text)
	}
	if _, sw := r.send(fromHex(t, selectPSE)); sw != emv.SWFileNotFound {
		t.Errorf("PSE in the field: %04X", sw)
	}
	if _, sw := r.send(fromHex(t, "00A4040008A00000000310100200")); sw != emv.SWFileNotFound {
		t.Errorf("an application of the contacts: %04X", sw)
	}
	p.Applications[0].Blocked = true
	if _, sw := newReader(t, newProfile(t, p), online).tap(); sw != emv.SWBlocked {
		t.Errorf("blocked: %04X", sw)
	}
}

// fDDA: the signature over the reader's number, amount and currency, and the card's own data.
func TestFastDynamicAuthentication(t *testing.T) {
	authority, issuing := testChain(t)
	for _, cvn := range []byte{emv.CVN10, emv.CVN18, emv.CVN22} {
		a := testApplication(t)
		a.CVN, a.Contactless = cvn, &emv.Contactless{Funds: 5000}
		a, err := issuing.Personalise(a, emv.AIPDynamic|emv.AIPCombined, testKey(t, 1024))
		if err != nil {
			t.Fatal(err)
		}
		r := newReader(t, newProfile(t, emv.Profile{Applications: []emv.Application{a}, PPSE: true}), "27008000")
		answer, sw := r.tap()
		if sw != emv.SWOK || r.value(answer, emv.TagAIP)[0] != 0x20 {
			t.Fatalf("status %04X", sw)
		}
		m := &terminal{t: t, card: nil, data: append(emv.List{}, answer...)}
		var static []byte
		for afl := r.value(answer, emv.TagAFL); len(afl) >= 4; afl = afl[4:] {
			for number := afl[1]; number <= afl[2]; number++ {
				record, sw := r.send(emv.BuildCommand(0, emv.INSReadRecord, number, afl[0]|4, nil, 0))
				if sw != emv.SWOK {
					t.Fatalf("record: %04X", sw)
				}
				m.data = append(m.data, record...)
				if number < afl[1]+afl[3] {
					static = append(static, record[0].Value...)
				}
			}
		}
		static = append(static, r.value(answer, emv.TagAIP)...)
		key, err := m.issuerKey(authority).Card(m.certificate(emv.TagCardCertificate, emv.TagCardRemainder, emv.TagCardExponent), static, testPAN, "2611")
		if err != nil {
			t.Fatal(err)
		}
		signed, data := r.value(answer, emv.TagSignedDynamic), emv.FastDynamicData(r.data, r.value(answer, emv.TagCardAuth))
		if _, err := key.VerifyDynamic(signed, data); err != nil {
			t.Errorf("CVN %X: %v", cvn, err)
		}
		data[4] ^= 1 // the amount
		if _, err := key.VerifyDynamic(signed, data); !errors.Is(err, oda.ErrHash) {
			t.Errorf("another amount: %v", err)
		}
		if err := r.issuer(answer); err != nil {
			t.Errorf("the issuer: %v", err)
		}
		r.data = append(emv.List{{Tag: emv.TagTTQ, Value: fromHex(t, cryptogram)}}, r.data...)
		answer, _ = r.tap()
		if _, signed := answer.Find(emv.TagSignedDynamic); signed {
			t.Error("signed although the reader does not want it")
		}
	}
}

func TestContactlessValidate(t *testing.T) {
	for field, side := range map[string]emv.Contactless{
		"Contactless.PDOL":     {PDOL: emv.DOL{{Tag: emv.TagAmount, Length: 6}}},
		"Contactless.Verified": {Verified: true},
		"Contactless.Funds":    {Funds: -1},
		"Contactless.Auth":     {Auth: emv.Authentication{Methods: emv.AIPStatic}},
	} {
		if _, err := emv.New(tapProfile(t, side)); !errors.Is(err, emv.ErrApplication) || !strings.HasSuffix(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// Taps count towards the card's limit, and a blocked application declines also where the reader goes on with it.
func TestTapLimitAndBlock(t *testing.T) {
	p := tapProfile(t, emv.Contactless{})
	p.Applications[0].UpperOffline = 1
	r := newReader(t, newProfile(t, p), online)
	for _, want := range []byte{emv.TypeTC, emv.TypeARQC} {
		if answer, _ := r.tap(); r.value(answer, emv.TagCID)[0] != want {
			t.Fatalf("type %X, want %02X", r.value(answer, emv.TagCID), want)
		}
	}
	p.Applications[0].Blocked = true
	r = newReader(t, newProfile(t, p), online)
	if _, sw := r.tap(); sw != emv.SWBlocked {
		t.Fatalf("SELECT: %04X", sw)
	}
	answer, sw := r.send(emv.BuildCommand(0x80, emv.INSGetProcessingOptions, 0, 0, append([]byte{0x83, 33}, make([]byte, 33)...), 0))
	if sw != emv.SWOK || r.value(answer, emv.TagCID)[0] != emv.TypeAAC {
		t.Fatalf("a blocked application: %04X", sw)
	}
}
