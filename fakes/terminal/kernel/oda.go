package kernel

import (
	"bytes"
	"context"
	"slices"

	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/emv/oda"
)

// method is one of offline data authentication.
type method int

const (
	noData       method = iota
	staticData          // SDA
	dynamicData         // DDA
	combinedData        // CDA
)

// wantsCDA in P1 of GENERATE AC asks for a signature with the cryptogram.
const wantsCDA = 0x10

// authenticateData is offline data authentication (Book 3 §10.3): the best method that both sides know.
func (s *Session) authenticateData(ctx context.Context) error {
	can := s.cfg.Capabilities[2]
	switch {
	case can&canCDA != 0 && s.profile(aipCDA):
		s.method = combinedData
		s.beginCombined()
		return nil
	case can&canDDA != 0 && s.profile(aipDDA):
		s.method = dynamicData
		ok, err := s.dynamic(ctx)
		s.authenticated(ok, DDAFailed)
		return err
	case can&canSDA != 0 && s.profile(aipSDA):
		s.method = staticData
		s.tvr.set(SDASelected)
		s.authenticated(s.staticSigned(), SDAFailed)
		return nil
	}
	s.tvr.set(NoODA)
	return nil
}

// authenticated notes how it went.
func (s *Session) authenticated(ok bool, failed Bit) {
	s.tsi.set(DidODA)
	if !ok && !s.bad(DefectODAIgnored) {
		s.tvr.set(failed)
	}
}

// has says whether the card gave the objects that the method needs; without them "ICC data missing" is set as well.
func (s *Session) has(tags ...uint32) bool {
	for _, tag := range tags {
		if len(s.said[tag]) == 0 {
			s.tvr.set(DataMissing)
			return false
		}
	}
	return true
}

// staticInput is what SDA and the card's certificate cover: the signed records, and the AIP when the card's tag list says so.
func (s *Session) staticInput() ([]byte, bool) {
	input := bytes.Clone(s.static)
	list, ok := s.said[tagStaticList]
	if !ok {
		return input, true
	}
	if !bytes.Equal(list, []byte{byte(emv.TagAIP)}) {
		return nil, false
	}
	return append(input, s.said[emv.TagAIP]...), true
}

// staticSigned is SDA (Book 2 §5.4).
func (s *Session) staticSigned() bool {
	if !s.has(tagCAIndex, tagIssuerCert, tagIssuerExponent, tagSSAD) {
		return false
	}
	input, ok := s.staticInput()
	if !ok {
		return false
	}
	issuer, ok := s.issuerKey()
	if !ok {
		return false
	}
	code, err := issuer.VerifyStatic(s.said[tagSSAD], input)
	if err != nil {
		return false
	}
	s.said[tagDataCode] = code[:]
	return true
}

// recoverCard recovers the card's key, on which DDA and CDA rest.
func (s *Session) recoverCard() (oda.PublicKey, bool) {
	if !s.has(tagCAIndex, tagIssuerCert, tagIssuerExponent, tagICCCert, tagICCExponent) {
		return oda.PublicKey{}, false
	}
	input, ok := s.staticInput()
	if !ok {
		return oda.PublicKey{}, false
	}
	issuer, ok := s.issuerKey()
	if !ok {
		return oda.PublicKey{}, false
	}
	return s.cardKey(issuer, input)
}

// dynamic is DDA (Book 2 §6.5).
func (s *Session) dynamic(ctx context.Context) (bool, error) {
	key, ok := s.recoverCard()
	if !ok {
		return false, nil
	}
	list, ok := s.said[tagDDOL]
	if !ok {
		list = []byte{0x9F, 0x37, 4} // the terminal's default
	}
	if !bytes.Contains(list, []byte{0x9F, 0x37}) {
		return false, nil
	}
	challenge, err := s.dol(list)
	if err != nil {
		return false, nil //nolint:nilerr // a DDOL that can't be read is a failed authentication
	}
	answer, status, err := s.command(ctx, 0x00, insInternalAuthenticate, 0, 0, challenge, 0)
	if err != nil {
		return false, err
	}
	objects, ok := answerOf(answer, status, func(plain []byte) emv.List { return emv.List{{Tag: tagSDAD, Value: plain}} })
	if !ok {
		return false, stopError
	}
	signature, _ := objects.Find(tagSDAD)
	number, err := key.VerifyDynamic(signature, challenge)
	if err != nil {
		return false, nil //nolint:nilerr // so too
	}
	s.said[tagDynamicNumber] = number
	return true, nil
}

// beginCombined is the part of CDA that comes before the cryptogram (Book 2 §6.6.1).
func (s *Session) beginCombined() {
	key, ok := s.recoverCard()
	if !ok {
		s.authenticated(false, CDAFailed)
		return
	}
	s.iccKey = &key
}

// checkCombined is the part that comes with it (Book 2 §6.6.2): the signature is over the cryptogram, its CID, and everything that
// terminal and card told each other.
func (s *Session) checkCombined(answer emv.List) {
	s.authenticated(s.combined(answer), CDAFailed)
}

func (s *Session) combined(answer emv.List) bool {
	signature, ok := answer.Find(tagSDAD)
	if !ok {
		return false
	}
	open := slices.DeleteFunc(slices.Clone(answer), func(o emv.TLV) bool { return o.Tag == tagSDAD })
	sent := oda.TransactionData(s.asked[0], s.asked[1], s.asked[2], open.Encode())
	signed, err := s.iccKey.VerifyCombined(signature, s.tx.Unpredictable[:], sent, s.said[emv.TagCID][0])
	if err != nil {
		return false
	}
	s.said[tagDynamicNumber], s.said[emv.TagCryptogram] = signed.Number, signed.Cryptogram[:]
	return true
}
