package emv

import (
	"bytes"
	"slices"

	"github.com/assay-hil/assay/protocol/emv/oda"
)

// Authentication is what an application has for offline data authentication. Issuing.Personalise makes it.
type Authentication struct {
	// Methods are those that the AIP announces: AIPStatic, AIPDynamic and AIPCombined. 0: none, and nothing else counts.
	Methods byte
	Index   byte            // of the authority's key (8F)
	Issuer  oda.Certificate // tags 90, 92, 9F32
	Signed  []byte          // signed static application data (93), for AIPStatic
	Card    oda.Certificate // tags 9F46, 9F48, 9F47, for the other two
	Key     *oda.PrivateKey // the card's, of Card. A test key.
}

// dynamic says whether the card signs.
func (a Authentication) dynamic() bool { return a.Methods&(AIPDynamic|AIPCombined) != 0 }

const (
	authMethods = AIPStatic | AIPDynamic | AIPCombined
	// combinedWanted is the bit of GENERATE AC's P1 that asks for a CDA signature.
	combinedWanted byte = 0x10
	// sfiCertificates is the file that certificates and signatures are in.
	sfiCertificates  = 3
	dynamicNumber    = 8 // bytes of the ICC dynamic number (9F4C)
	maxStaticRecords = 10
)

// UsualDDOL is the DDOL of the test cards, and the default one of terminals (EMV Book 2 §6.5.1): the unpredictable number.
func UsualDDOL() DOL { return DOL{{TagUnpredictable, 4}} }

// certificates are the records of offline data authentication.
func (a Authentication) certificates() []File {
	if a.Methods == 0 {
		return nil
	}
	first := List{{TagAuthorityIndex, []byte{a.Index}}, {TagIssuerExponent, a.Issuer.Exponent}, {TagIssuerCertificate, a.Issuer.Data}}
	if len(a.Issuer.Remainder) > 0 {
		first = append(first, TLV{TagIssuerRemainder, a.Issuer.Remainder})
	}
	files := []File{record(sfiCertificates, 1, first)}
	if a.Methods&AIPStatic != 0 {
		files = append(files, record(sfiCertificates, byte(len(files)+1), List{{TagSignedStatic, a.Signed}}))
	}
	if a.dynamic() {
		own := List{{TagCardCertificate, a.Card.Data}, {TagCardExponent, a.Card.Exponent}, {TagDDOL, UsualDDOL().Encode()}}
		if len(a.Card.Remainder) > 0 {
			own = append(own, TLV{TagCardRemainder, a.Card.Remainder})
		}
		files = append(files, record(sfiCertificates, byte(len(files)+1), own))
	}
	return files
}

// staticData lines up what is authenticated (EMV Book 3 §10.3): of the records that the AFL says, without their templates in
// files 1 to 10, then the AIP.
func (p personality) staticData() []byte {
	var data []byte
	for afl := p.afl; len(afl) >= 4; afl = afl[4:] {
		for n := range afl[3] {
			i := slices.IndexFunc(p.files, func(f File) bool { return f.SFI == afl[0]>>3 && f.Number == afl[1]+n })
			if i < 0 {
				continue
			}
			content, err := Parse(p.files[i].Data)
			if f := p.files[i]; err != nil || f.SFI > maxStaticRecords || len(content) != 1 {
				data = append(data, p.files[i].Data...)
				continue
			}
			data = append(data, content[0].Value...)
		}
	}
	return append(data, p.aip[:]...)
}

// Issuing is what an issuer has to authenticate its cards.
type Issuing struct {
	Index       byte            // of the authority's key
	Certificate oda.Certificate // the issuer's, by the authority
	Key         *oda.PrivateKey // the issuer's. A test key.
	Expiry      string          // YYMM, of the cards' certificates; "": the application's
}

// Personalise gives an application its Authentication with these methods, on both interfaces. card is the card's key, needed for
// AIPDynamic and AIPCombined; on a reader, AIPDynamic alone counts. Errors: those of oda.PrivateKey.CertifyCard, ErrApplication.
func (i Issuing) Personalise(a Application, methods byte, card *oda.PrivateKey) (Application, error) {
	a.Auth = Authentication{Methods: methods & authMethods, Index: i.Index, Issuer: i.Certificate}
	if err := a.Validate(); err != nil {
		return a, err
	}
	if err := i.sign(&a.Auth, a, card, a.contact().staticData()); err != nil || a.Contactless == nil {
		return a, err
	}
	t := *a.Contactless
	a.Contactless, t.Auth = &t, Authentication{Methods: methods & AIPDynamic, Index: i.Index, Issuer: i.Certificate}
	return a, i.sign(&t.Auth, a, card, a.tapped().staticData())
}

func (i Issuing) sign(to *Authentication, a Application, card *oda.PrivateKey, static []byte) error {
	if to.Methods&AIPStatic != 0 {
		to.Signed = i.Key.SignStatic([2]byte{0xDA, 0xC0}, static)
	}
	if !to.dynamic() {
		return nil
	}
	if card == nil {
		return ErrKey
	}
	var err error
	to.Key = card
	to.Card, err = i.Key.CertifyCard(oda.Subject{Number: a.PAN, Expiry: or(i.Expiry, a.Expiry), Serial: [3]byte{0, 0, 1}}, card.PublicKey, static)
	return err
}

// internalAuthenticate signs what the DDOL brings (EMV Book 2 §6.5, Book 3 §6.5.9).
func (c *Card) internalAuthenticate(_, _ byte, data []byte) ([]byte, uint16) {
	s := &c.session
	switch {
	case s.app == nil || s.phase != phaseInitiated:
		return nil, SWConditions
	case s.app.app.Auth.Methods&AIPDynamic == 0 || s.app.app.Auth.Key == nil:
		return nil, SWWrongINS
	case len(data) != UsualDDOL().Length():
		return nil, SWWrongLength
	}
	signed, err := s.app.app.Auth.Key.SignDynamic(c.random.next(dynamicNumber), data)
	if err != nil {
		return nil, SWNoDiagnosis
	}
	s.dynamic = true
	return List{{TagResponse1, signed}}.Encode(), SWOK
}

// combine replaces the cryptogram of an answer to GENERATE AC by a signature over it (EMV Book 2 §6.6.1). sent are the data of
// PDOL, CDOL1 and CDOL2.
func (c *Card) combine(answer List, ac [8]byte, sent ...[]byte) (List, error) {
	s := &c.session
	var open List
	for _, object := range answer {
		if object.Tag != TagCryptogram {
			open = append(open, object)
		}
	}
	unpredictable, ok := append(append(append(List{}, s.second...), s.first...), s.options...).Find(TagUnpredictable)
	if !ok {
		return nil, &ElementError{TagUnpredictable}
	}
	cid, _ := answer.Find(TagCID)
	transaction := append(bytes.Join(sent, nil), open.Encode()...)
	signed, err := s.app.app.Auth.Key.SignCombined(oda.Combined{Number: c.random.next(dynamicNumber), CID: cid[0], Cryptogram: ac}, unpredictable, transaction)
	if err != nil {
		return nil, err
	}
	return append(open, TLV{TagSignedDynamic, signed}), nil
}

// values joins the values of a DOL's data again.
func (l List) values() []byte {
	var data []byte
	for _, object := range l {
		data = append(data, object.Value...)
	}
	return data
}
