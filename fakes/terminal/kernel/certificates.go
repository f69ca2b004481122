package kernel

import (
	"bytes"

	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/emv/oda"
)

// Tags of offline data authentication (Book 3 annex A).
const (
	tagCAIndex         uint32 = 0x8F
	tagIssuerCert      uint32 = 0x90
	tagIssuerRemainder uint32 = 0x92
	tagIssuerExponent  uint32 = 0x9F32
	tagSSAD            uint32 = 0x93
	tagICCCert         uint32 = 0x9F46
	tagICCExponent     uint32 = 0x9F47
	tagICCRemainder    uint32 = 0x9F48
	tagDDOL            uint32 = 0x9F49
	tagStaticList      uint32 = 0x9F4A
	tagSDAD            uint32 = 0x9F4B
	tagDataCode        uint32 = 0x9F45 // data authentication code
	tagDynamicNumber   uint32 = 0x9F4C
)

// maxExponent is how long an authority's exponent can be.
const maxExponent = 3

// authority finds the certification authority's key that the card names.
func (s *Session) authority() (oda.Authority, bool) {
	index, name := s.said[tagCAIndex], s.said[emv.TagDFName]
	if len(index) != 1 || len(name) < 5 {
		return oda.Authority{}, false
	}
	for _, key := range s.cfg.Keys {
		if key.Index == index[0] && bytes.Equal(key.RID[:], name[:5]) {
			return oda.Authority{RID: key.RID, Index: key.Index, Key: key.public()}, true
		}
	}
	return oda.Authority{}, false
}

func (k CAKey) public() oda.PublicKey {
	key := oda.PublicKey{Modulus: k.Modulus}
	for _, b := range k.Exponent {
		key.Exponent = key.Exponent<<8 | uint32(b)
	}
	return key
}

// certificate is one of the card's, by its tags.
func (s *Session) certificate(data, remainder, exponent uint32) oda.Certificate {
	return oda.Certificate{Data: s.said[data], Remainder: s.said[remainder], Exponent: s.said[exponent]}
}

// month is YYMM of the sale, against which certificates expire.
func (s *Session) month() string { return s.tx.At.Format("0601") }

// issuerKey recovers the issuer's public key (Book 2 §5.3, §6.3).
func (s *Session) issuerKey() (oda.PublicKey, bool) {
	ca, ok := s.authority()
	if !ok {
		return oda.PublicKey{}, false
	}
	pan, _, _, _ := s.account()
	key, err := ca.Issuer(s.certificate(tagIssuerCert, tagIssuerRemainder, tagIssuerExponent), pan, s.month())
	return key, err == nil
}

// cardKey recovers the card's own public key (Book 2 §6.4): its certificate also covers the static data.
func (s *Session) cardKey(issuer oda.PublicKey, static []byte) (oda.PublicKey, bool) {
	pan, _, _, _ := s.account()
	key, err := issuer.Card(s.certificate(tagICCCert, tagICCRemainder, tagICCExponent), static, pan, s.month())
	return key, err == nil
}
