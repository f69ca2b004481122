package emv

import (
	"bytes"
	"crypto/cipher"
	"sync"

	"github.com/assay-hil/assay/protocol/mac"
	"github.com/assay-hil/assay/protocol/tdes"
)

// Verifier is an issuer's side for one card, with the card's keys derived once, when they are first needed: a bank has many cards, and
// a day few of them. It is safe for use by several goroutines.
type Verifier struct {
	optionA, optionB func() (prepared, error)
}

// prepared is a card's key.
type prepared struct {
	key    []byte
	cipher cipher.Block
}

// NewVerifier makes the verifier of a card; imk, pan and psn are as for ICCMasterKey. Errors: ErrKey,
// ErrAccount.
func NewVerifier(imk []byte, pan, psn string) (*Verifier, error) {
	if _, err := account(pan, psn); err != nil {
		return nil, err
	}
	if len(imk) != keySize {
		return nil, ErrKey
	}
	imk = bytes.Clone(imk)
	prepare := func(s Scheme) func() (prepared, error) {
		return sync.OnceValues(func() (p prepared, err error) {
			if p.key, err = s.CardKey(imk, pan, psn); err != nil {
				return p, err
			}
			if p.cipher, err = tdes.New(p.key); err != nil {
				err = ErrKey
			}
			return p, err
		})
	}
	return &Verifier{prepare(Scheme{CVN10}), prepare(Scheme{CVN18})}, nil
}

// Verify is VerifyARQC for the verifier's card. Errors: ErrCryptogram, ErrScheme, *ElementError.
func (v *Verifier) Verify(de55 List) (Proof, error) {
	s, iad, err := schemeIn(de55)
	if err != nil {
		return Proof{}, err
	}
	prepare := v.optionB
	if s.CVN == CVN10 {
		prepare = v.optionA
	}
	card, err := prepare()
	if err != nil {
		return Proof{}, err
	}
	return s.verify(card.key, card.cipher, de55, iad)
}

// Proof is a request cryptogram that was found right, and what answers it. The zero Proof answers
// nothing.
type Proof struct {
	scheme Scheme
	sk     []byte
	sum    *mac.Maker // under sk
	ac     [8]byte
}

// Response returns the value of tag 91, as IssuerResponse does. Error: ErrKey for the zero Proof.
func (p Proof) Response(arc [2]byte, approved bool) ([]byte, error) {
	if p.sum == nil {
		return nil, ErrKey
	}
	if p.scheme.CVN == CVN10 {
		return p.scheme.Response(p.sk, p.ac, arc, approved)
	}
	csu := statusUpdate(approved)
	covered := append(p.ac[:], csu[:]...)
	arpc := p.sum.Sum(pad80(covered))
	return append(arpc[:4:4], csu[:]...), nil
}

// verify recomputes the request cryptogram with a card's key.
func (s Scheme) verify(card []byte, key cipher.Block, de55 List, iad []byte) (Proof, error) {
	given, err := de55.element(TagCryptogram, tdes.BlockSize)
	if err != nil {
		return Proof{}, err
	}
	data, err := s.Data(de55, iad)
	if err != nil {
		return Proof{}, err
	}
	p := Proof{scheme: s, sk: card}
	if s.CVN != CVN10 {
		atc, err := de55.element(TagATC, 2)
		if err != nil {
			return Proof{}, err
		}
		left, right := sessionData([8]byte{atc[0], atc[1]})
		p.sk = deriveWith(key, left, right)
		data = pad80(data)
	}
	if p.sum, err = mac.New(mac.X919, p.sk); err != nil {
		return Proof{}, ErrKey
	}
	p.ac = [8]byte(p.sum.Sum(data))
	if !equal(given, p.ac[:]) {
		return Proof{}, ErrCryptogram
	}
	return p, nil
}
