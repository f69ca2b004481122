package emv

import "slices"

// What a test card has unless its data say otherwise.
var (
	// aipBase: cardholder verification, terminal risk management.
	aipBase = [2]byte{0x18, 0x00}
	// onlinePIN: no amounts; enciphered PIN verified online, if the terminal supports it. No other
	// method follows, so without PIN verification has failed.
	onlinePIN = []byte{8: 0x02, 9: 0x03}
	// everyUse: domestic and international, goods, services and cash, ATMs and other terminals.
	everyUse = []byte{0xFF, 0x00}
	// The issuer action codes send every sale online where data authentication was not done,
	// and decline where that is not possible. Denied outright: a service that is not allowed.
	iacDefault = []byte{0xF0, 0x40, 0x00, 0x88, 0x00}
	iacDenial  = []byte{0x00, 0x10, 0x00, 0x00, 0x00}
	iacOnline  = []byte{0xF0, 0x40, 0x04, 0x98, 0x00}
)

// china is the issuer's country by default (ISO 3166-1 numeric).
const china = "156"

// Bits of the application interchange profile's first byte (EMV Book 3 Annex C1).
const (
	AIPStatic     byte = 0x40 // SDA supported
	AIPDynamic    byte = 0x20 // DDA supported
	AIPCardholder byte = 0x10 // cardholder verification supported
	AIPRisk       byte = 0x08 // terminal risk management is to be performed
	AIPIssuerAuth byte = 0x04 // EXTERNAL AUTHENTICATE supported
	AIPCombined   byte = 0x01 // CDA supported
)

// usualCDOL1 is what the card wants for its first cryptogram.
func usualCDOL1() DOL {
	return DOL{
		{TagAmount, 6}, {TagAmountOther, 6}, {TagTerminalCountry, 2}, {TagTVR, 5},
		{TagCurrency, 2}, {TagDate, 3}, {TagType, 1}, {TagUnpredictable, 4},
	}
}

func (a Application) cdol1() DOL {
	if a.CDOL1 == nil {
		return usualCDOL1()
	}
	return a.CDOL1
}

// cdol2 is what it wants for the second: the response code, then the same again.
func (a Application) cdol2() DOL {
	if a.CDOL2 != nil {
		return a.CDOL2
	}
	dol := DOL{{TagARC, 2}}
	if a.IssuerAuth == AuthInCryptogram {
		dol = append(dol, DOLEntry{TagIssuerAuth, Scheme{a.version()}.proofSize()})
	}
	return append(dol, a.cdol1()...)
}

// Encode returns the DOL as a card holds it. Errors none: lengths above 252 are refused by Application.Validate.
func (d DOL) Encode() []byte {
	var b []byte
	for _, entry := range d {
		b = append(appendTag(b, entry.Tag), byte(entry.Length))
	}
	return b
}

// personality is an application as one of the card's interfaces shows it.
type personality struct {
	fci   []byte
	pdol  DOL
	aip   [2]byte
	afl   []byte
	files []File
}

// contact builds what a terminal sees in a slot.
func (a Application) contact() personality {
	p := personality{fci: a.fci(a.PDOL), pdol: a.PDOL, aip: aipBase}
	if a.IssuerAuth != AuthInCryptogram {
		p.aip[0] |= AIPIssuerAuth
	}
	p.aip[0] |= a.Auth.Methods
	p.files = []File{
		record(1, 1, List{{TagTrack2, bcd(a.track2())}, {TagName, []byte(a.name())}}),
		record(1, 2, a.identity()),
		record(2, 1, a.management()),
	}
	var signed []File
	if a.Auth.Methods != 0 {
		signed = p.files[1:3]
	}
	p.files = append(p.files, a.Auth.certificates()...)
	p.replace(a.Files)
	p.afl = locator(p.files, signed)
	return p
}

func record(sfi, number byte, l List) File {
	return File{sfi, number, List{{TagRecord, l.Encode()}}.Encode()}
}

func (a Application) track2() string { return a.PAN + "D" + a.Expiry + a.Service + a.Discretionary }

func (a Application) name() string {
	if a.Name == "" {
		return " /"
	}
	return a.Name
}

// identity is the record that says who and where the card is for.
func (a Application) identity() List {
	l := List{
		{TagPAN, bcd(a.PAN)}, {TagExpiry, bcd(a.lastDay())}, {TagSequence, bcd(a.sequence())},
		{TagService, bcd("0" + a.Service)}, {TagIssuerCountry, bcd("0" + or(a.Country, china))},
		{TagAUC, orBytes(a.Usage, everyUse)},
	}
	if a.Effective != "" {
		l = append(l, TLV{TagEffective, bcd(a.Effective)})
	}
	if a.Currency != "" {
		l = append(l, TLV{TagAppCurrency, bcd("0" + a.Currency)})
	}
	if a.Version != nil {
		l = append(l, TLV{TagCardVersion, a.Version})
	}
	if a.Auth.Methods != 0 {
		l = append(l, TLV{TagStaticTags, []byte{byte(TagAIP)}})
	}
	return l
}

// management is the record by which terminal and card decide.
func (a Application) management() List {
	l := List{
		{TagCDOL1, a.cdol1().Encode()}, {TagCDOL2, a.cdol2().Encode()}, {TagCVMList, orBytes(a.CVMList, onlinePIN)},
		{TagIACDefault, orBytes(a.Actions.Default, iacDefault)}, {TagIACDenial, orBytes(a.Actions.Denial, iacDenial)},
		{TagIACOnline, orBytes(a.Actions.Online, iacOnline)},
	}
	if a.UpperOffline > 0 {
		l = append(l, TLV{TagLowerOffline, []byte{a.LowerOffline}}, TLV{TagUpperOffline, []byte{a.UpperOffline}})
	}
	return l
}

// replace puts records in the place of those of the same file and number, and others behind.
func (p *personality) replace(files []File) {
	for _, f := range files {
		i := slices.IndexFunc(p.files, func(old File) bool { return old.SFI == f.SFI && old.Number == f.Number })
		if i < 0 {
			p.files = append(p.files, f)
		} else {
			p.files[i] = f
		}
	}
}

// locator is the AFL (EMV Book 3 §10.2): a file's records that follow one another are one entry. A record that is signed is an
// entry of its own.
func locator(files, signed []File) []byte {
	var afl []byte
	for _, f := range files {
		authenticated := slices.ContainsFunc(signed, func(s File) bool { return s.SFI == f.SFI && s.Number == f.Number })
		n := len(afl)
		if n > 0 && !authenticated && afl[n-1] == 0 && afl[n-4] == f.SFI<<3 && afl[n-2]+1 == f.Number {
			afl[n-2]++
			continue
		}
		afl = append(afl, f.SFI<<3, f.Number, f.Number, bit(authenticated, 1))
	}
	return afl
}

// fci is the answer to SELECT.
func (a Application) fci(pdol DOL) []byte {
	proprietary := a.choice()
	if len(pdol) > 0 {
		proprietary = append(proprietary, TLV{TagPDOL, pdol.Encode()})
	}
	return List{{TagFCI, List{
		{TagDFName, a.AID}, {TagProprietary, proprietary.Encode()},
	}.Encode()}}.Encode()
}

// choice is what helps to choose the application: in its FCI and in the directories.
func (a Application) choice() List {
	l := List{{TagLabel, []byte(a.Label)}, {TagPriority, []byte{a.priority()}}}
	if a.CodeTable != 0 {
		l = append(l, TLV{TagCodeTable, []byte{a.CodeTable}})
	}
	if a.Preferred != "" {
		l = append(l, TLV{TagPreferred, []byte(a.Preferred)})
	}
	return l
}

// priority is the application priority indicator (EMV Book 1 §12.2.3): bit 8 asks for confirmation.
func (a Application) priority() byte {
	p := max(a.Priority, 1)
	if a.Confirm {
		p |= 0x80
	}
	return p
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func orBytes(b, otherwise []byte) []byte {
	if b == nil {
		return otherwise
	}
	return b
}
