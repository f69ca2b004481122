package emv

import (
	"bytes"
	"fmt"
)

// Contactless is how an application answers a reader: EMV mode with the cryptogram in the answer to GET PROCESSING OPTIONS
// (Visa's qVSDC, PBOC's qPBOC; EMV Contactless Book C-3). The zero value is a sound one.
type Contactless struct {
	PDOL DOL // nil: qualifiers and all that the cryptogram covers
	// Decide: AsAsked gives an approval where the reader wants no online cryptogram; Decline an AAC; GoOnline an ARQC.
	Decide Decision
	// OnlinePIN and Signature are the verification methods that the card accepts, in this order, where the reader requires one.
	OnlinePIN, Signature bool
	// Phone verifies its owner itself. Until it has, it asks the reader to say "see phone" (GPO: 6986): while it is still
	// locked at any amount, later where verification is required. Its owner then does what the phone asks before the next
	// tap. Verified: has done so already.
	Phone, Verified bool
	// Elsewhere refuses every tap: the reader is to use another interface (GPO: 6984).
	Elsewhere bool
	// Funds are what the card may spend offline in minor units (9F5D); 0: no limit, and it does not say.
	Funds int64
	Files []File         // as Application.Files
	Auth  Authentication // AIPDynamic is fDDA; Issuing.Personalise makes it
}

// Bits of the terminal transaction qualifiers (TTQ, 9F66), by byte.
const (
	TTQOfflineOnly    byte = 0x08 // byte 1: the reader can't go online
	TTQOnlinePIN      byte = 0x04
	TTQSignature      byte = 0x02
	TTQDynamic        byte = 0x01 // fDDA also for online authorisations
	TTQCryptogram     byte = 0x80 // byte 2: an online cryptogram is required
	TTQVerify         byte = 0x40 // cardholder verification is required
	qualifiersSize         = 4
	cardQualifierSize      = 2
)

// Bits of the card transaction qualifiers (CTQ, 9F6C), by byte.
const (
	CTQOnlinePIN byte = 0x80 // byte 1: online PIN required
	CTQSignature byte = 0x40 // signature required
	CTQVerified  byte = 0x80 // byte 2: the device has verified its owner (CDCVM)
)

// aipMobile is the bit of the AIP's second byte that says that the card is a phone (VCPS).
const aipMobile byte = 0x40

// Status words of GET PROCESSING OPTIONS on a reader (EMV Contactless Book B, C-3).
const (
	SWOtherInterface uint16 = 0x6984
	SWSeePhone       uint16 = 0x6986
)

// fastDynamic is version 01 of the card authentication related data (9F69), which the fDDA signature covers.
const fastDynamic = 0x01

// contactlessATR is how PC/SC presents a card of ISO/IEC 14443 type A without historical bytes (PC/SC part 3 §3.1.3.2.3).
var contactlessATR = []byte{0x3B, 0x80, 0x80, 0x01, 0x01}

// Field is a card's contactless interface. Its memory is the card's.
type Field struct{ card *Card }

// Field returns the card as a reader sees it.
func (c *Card) Field() *Field { return &Field{c} }

// ATR is what PC/SC makes of the card; a field has none.
func (f *Field) ATR() []byte {
	fault := f.card.struck(OnReset, OnContactless)
	wait(fault.Delay)
	if fault.Mute {
		return nil
	}
	return bytes.Clone(contactlessATR)
}

// Reset is the field's return.
func (f *Field) Reset() { f.card.Reset() }

// Transmit answers as Card.Transmit does, with the applications that have a contactless side.
func (f *Field) Transmit(command []byte) []byte { return f.card.transmit(command, OnContactless) }

func usualTapPDOL() DOL {
	return DOL{
		{TagTTQ, qualifiersSize}, {TagAmount, 6}, {TagAmountOther, 6}, {TagTerminalCountry, 2}, {TagTVR, 5},
		{TagCurrency, 2}, {TagDate, 3}, {TagType, 1}, {TagUnpredictable, 4},
	}
}

func (t Contactless) pdol() DOL {
	if t.PDOL == nil {
		return usualTapPDOL()
	}
	return t.PDOL
}

// validate names the first field that is not as documented.
func (t *Contactless) validate() error {
	if t == nil {
		return nil
	}
	has := func(tag uint32, length int) bool {
		for _, e := range t.pdol() {
			if e.Tag == tag {
				return e.Length == length
			}
		}
		return false
	}
	checks := []struct {
		field string
		ok    bool
	}{
		{"Contactless.PDOL", t.pdol().Length() <= MaxDOLData && has(TagTTQ, qualifiersSize) && has(TagAmount, 6) && has(TagUnpredictable, 4) && has(TagCurrency, 2)},
		{"Contactless.Verified", t.Phone || !t.Verified},
		{"Contactless.Funds", t.Funds >= 0 && t.Funds <= 999999999999},
		{"Contactless.Auth", t.Auth.Methods&^AIPDynamic == 0},
	}
	for _, c := range checks {
		if !c.ok {
			return fmt.Errorf("%w: %s", ErrApplication, c.field)
		}
	}
	return nil
}

// tapped builds what a reader sees.
func (a Application) tapped() personality {
	t := a.Contactless
	p := personality{fci: a.fci(t.pdol()), pdol: t.pdol(), aip: [2]byte{t.Auth.Methods, bit(t.Phone, aipMobile)}}
	l := List{
		{TagPAN, bcd(a.PAN)}, {TagExpiry, bcd(a.lastDay())}, {TagSequence, bcd(a.sequence())},
		{TagIssuerCountry, bcd("0" + or(a.Country, china))}, {TagAUC, orBytes(a.Usage, everyUse)},
	}
	if a.Effective != "" {
		l = append(l, TLV{TagEffective, bcd(a.Effective)})
	}
	if t.Auth.Methods != 0 {
		l = append(l, TLV{TagStaticTags, []byte{byte(TagAIP)}})
	}
	p.files = []File{record(1, 1, l)}
	var signed []File
	if t.Auth.Methods != 0 {
		signed = p.files[:1]
	}
	p.files = append(p.files, t.Auth.certificates()...)
	p.replace(t.Files)
	p.afl = locator(p.files, signed)
	return p
}

// tap is GET PROCESSING OPTIONS in a field: the whole transaction.
func (c *Card) tap(data []byte) ([]byte, uint16) {
	a := c.session.app
	t := a.app.Contactless
	options, sw := splitOptions(a.tapped.pdol, data)
	if sw != SWOK {
		return nil, sw
	}
	ttq, err := options.element(TagTTQ, qualifiersSize)
	if err != nil {
		return nil, SWWrongData
	}
	if t.Elsewhere {
		return nil, SWOtherInterface
	}
	if t.Phone && !a.verified && (a.locked || ttq[1]&TTQVerify != 0) {
		a.asked = true
		return nil, SWSeePhone
	}
	a.counter++
	c.session.phase, c.session.options, c.session.files = phaseDone, options, a.tapped.files
	c.session.report, a.scripts = a.scripts, scriptReport{}
	answer, err := c.tapAnswer(ttq)
	if err != nil {
		return nil, SWNoDiagnosis
	}
	a.verified = false
	return answer, SWOK
}

// tapAnswer decides and signs.
func (c *Card) tapAnswer(ttq []byte) ([]byte, error) {
	s, a := &c.session, c.session.app
	t := a.app.Contactless
	ctq, agreed := a.qualifiers(ttq)
	kind := a.decideTap(ttq, c.amount())
	if !agreed {
		kind = TypeAAC
	}
	signs := t.Auth.dynamic() && t.Auth.Key != nil && (kind == TypeTC || kind == TypeARQC && ttq[0]&TTQDynamic != 0)
	s.dynamic, s.types = signs, kind>>2
	atc := [2]byte{byte(a.counter >> 8), byte(a.counter)}
	iad := a.scheme.issuerData(c.results(cvrSecondNone | s.types))
	covered := append(append(List{}, s.options...), TLV{TagAIP, a.tapped.aip[:]}, TLV{TagATC, atc[:]})
	_, ac, err := a.scheme.compute(a.icc, covered, iad)
	if err != nil {
		return nil, err
	}
	answer := List{
		{TagAIP, a.tapped.aip[:]}, {TagAFL, a.tapped.afl}, {TagTrack2, bcd(a.app.track2())}, {TagSequence, bcd(a.app.sequence())},
		{TagIAD, iad}, {TagCryptogram, ac[:]}, {TagCID, []byte{kind}}, {TagATC, atc[:]}, {TagCTQ, ctq[:]},
	}
	if t.Funds > 0 {
		answer = append(answer, TLV{TagFunds, bcd(fmt.Sprintf("%012d", a.funds))})
	}
	if signs {
		related := append([]byte{fastDynamic}, append(c.random.next(4), ctq[:]...)...)
		signed, err := t.Auth.Key.SignDynamic(c.random.next(dynamicNumber), FastDynamicData(s.options, related))
		if err != nil {
			return nil, err
		}
		answer = append(answer, TLV{TagCardAuth, related}, TLV{TagSignedDynamic, signed})
	}
	return template(answer), nil
}

// FastDynamicData are the terminal's dynamic data of an fDDA signature, version 01 (EMV Contactless Book C-3): unpredictable
// number, amount and currency as the card got them by its PDOL, then the card authentication related data (9F69).
// The signature itself is that of DDA (oda.PublicKey.VerifyDynamic).
func FastDynamicData(options List, related []byte) []byte {
	var data []byte
	for _, tag := range []uint32{TagUnpredictable, TagAmount, TagCurrency} {
		value, _ := options.Find(tag)
		data = append(data, value...)
	}
	return append(data, related...)
}

// amount is the transaction's, in minor units.
func (c *Card) amount() int64 {
	value, _ := c.session.options.Find(TagAmount)
	var n int64
	for _, b := range value {
		n = n*100 + int64(b>>4)*10 + int64(b&0x0F)
	}
	return n
}

// decideTap chooses the cryptogram, and pays what is approved offline.
func (a *applet) decideTap(ttq []byte, amount int64) byte {
	t := a.app.Contactless
	switch {
	case a.blocked || t.Decide == Decline:
		return TypeAAC
	case t.Decide == AsAsked && ttq[1]&TTQCryptogram == 0 && !a.atLimit() && (t.Funds == 0 || amount <= a.funds):
		a.funds -= min(amount, a.funds)
		a.approveOffline()
		return TypeTC
	case ttq[0]&TTQOfflineOnly != 0:
		return TypeAAC
	}
	return TypeARQC
}

// qualifiers chooses how the cardholder is verified; it is not agreed when reader and card have nothing in common.
func (a *applet) qualifiers(ttq []byte) (ctq [cardQualifierSize]byte, agreed bool) {
	t := a.app.Contactless
	if t.Phone && a.verified {
		ctq[1] |= CTQVerified
	}
	switch {
	case ttq[1]&TTQVerify == 0 || t.Phone && a.verified:
		return ctq, true
	case t.OnlinePIN && ttq[0]&TTQOnlinePIN != 0:
		ctq[0] |= CTQOnlinePIN
	case t.Signature && ttq[0]&TTQSignature != 0:
		ctq[0] |= CTQSignature
	default:
		return ctq, false
	}
	return ctq, true
}
