package emv

import (
	"errors"
	"fmt"

	"github.com/assay-hil/assay/protocol/mac"
	"github.com/assay-hil/assay/protocol/tdes"
)

// maxProprietary is the most bytes of proprietary authentication data (EMV Book 2 §8.2.2).
const maxProprietary = 8

var (
	// ErrCryptogram means that a cryptogram does not fit its data.
	ErrCryptogram = errors.New("emv: wrong cryptogram")
	// ErrKey means that a key is not 16 bytes long.
	ErrKey = errors.New("emv: key is not a double-length TDES key")
	// ErrAccount means that a PAN is not 1 to 19 digits or a sequence number not 2 digits.
	ErrAccount = errors.New("emv: bad PAN or PAN sequence number")
	// ErrProprietary means that proprietary authentication data have more than 8 bytes.
	ErrProprietary = errors.New("emv: proprietary authentication data of more than 8 bytes")
	// ErrElement means that a data element is missing or malformed; see ElementError.
	ErrElement = errors.New("emv: data element missing or malformed")
)

// ElementError names the data element that a cryptogram can't do without. It unwraps to
// ErrElement.
type ElementError struct{ Tag uint32 }

func (e *ElementError) Error() string { return fmt.Sprintf("%v: tag %X", ErrElement, e.Tag) }

// Unwrap returns ErrElement.
func (e *ElementError) Unwrap() error { return ErrElement }

// Cryptogram computes an application cryptogram: ISO/IEC 9797-1 MAC algorithm 3 with DES and
// padding method 2, 8 bytes (EMV Book 2 A1.2.1). sk has 16 bytes. Error: ErrKey.
func Cryptogram(sk, data []byte) ([8]byte, error) {
	return seal(sk, pad80(data))
}

// pad80 is padding method 2 of ISO/IEC 9797-1: a byte 80, then zeros to whole blocks.
func pad80(data []byte) []byte {
	padded := append(append(make([]byte, 0, len(data)+tdes.BlockSize), data...), 0x80)
	for len(padded)%tdes.BlockSize != 0 {
		padded = append(padded, 0)
	}
	return padded
}

// seal is MAC algorithm 3 with padding method 1.
func seal(sk, data []byte) (ac [8]byte, err error) {
	sum, err := mac.Sum(mac.X919, sk, data)
	if err != nil {
		return ac, ErrKey
	}
	return [8]byte(sum), nil
}

// ResponseCryptogram computes the issuer's answer by ARPC method 1 (EMV Book 2 §8.2.1): the
// request cryptogram XOR the response code (two ASCII characters, then zeros), enciphered under
// sk. Tag 91 of the reply is this cryptogram followed by arc. Error: ErrKey.
func ResponseCryptogram(sk []byte, ac [8]byte, arc [2]byte) ([8]byte, error) {
	ac[0] ^= arc[0]
	ac[1] ^= arc[1]
	return encipher(sk, ac)
}

// ResponseCryptogram2 computes the issuer's answer by ARPC method 2 (EMV Book 2 §8.2.2): the four
// leftmost bytes of the MAC, as of Cryptogram, over the request cryptogram, the card status update
// and up to 8 bytes of proprietary authentication data. Tag 91 of the reply is this cryptogram
// followed by csu and proprietary. Errors: ErrKey, ErrProprietary.
func ResponseCryptogram2(sk []byte, ac [8]byte, csu [4]byte, proprietary []byte) (arpc [4]byte, err error) {
	if len(proprietary) > maxProprietary {
		return arpc, ErrProprietary
	}
	sum, err := Cryptogram(sk, append(append(ac[:], csu[:]...), proprietary...))
	if err != nil {
		return arpc, err
	}
	return [4]byte(sum[:]), nil
}

// CryptogramData lines up what a cryptogram covers by the scheme that iad names, the card's issuer
// application data (9F10); see Scheme.Data. Errors: *ElementError, ErrScheme.
func CryptogramData(l List, iad []byte) ([]byte, error) {
	s, err := SchemeOf(iad)
	if err != nil {
		return nil, err
	}
	return s.Data(l, iad)
}

// VerifyARQC recomputes the request cryptogram (9F26) of field 55 by the scheme that the issuer
// application data (9F10) name. It returns the key for the answer (see IssuerResponse) and the
// cryptogram. imk is the issuer master key, psn as in ICCMasterKey. Errors: ErrCryptogram when the
// cryptogram is wrong, ErrScheme when the version is unknown, *ElementError when something is
// missing or malformed, ErrKey, ErrAccount; key and cryptogram are zero then.
func VerifyARQC(imk []byte, pan, psn string, de55 List) (sk []byte, ac [8]byte, err error) {
	s, iad, err := schemeIn(de55)
	if err != nil {
		return nil, ac, err
	}
	card, err := s.CardKey(imk, pan, psn)
	if err != nil {
		return nil, ac, err
	}
	key, err := tdes.New(card)
	if err != nil {
		return nil, ac, ErrKey
	}
	proof, err := s.verify(card, key, de55, iad)
	if err != nil {
		return nil, ac, err
	}
	return proof.sk, proof.ac, nil
}

// schemeIn finds issuer application data in field 55, and the scheme that they name.
func schemeIn(de55 List) (s Scheme, iad []byte, err error) {
	iad, ok := de55.Find(TagIAD)
	if !ok {
		return s, nil, &ElementError{TagIAD}
	}
	s, err = SchemeOf(iad)
	return s, iad, err
}

// IssuerResponse returns the value of tag 91 that answers a request whose field 55 VerifyARQC has
// accepted, with the key and cryptogram that it returned: by method 1 ARPC and arc, by method 2
// ARPC and a card status update that says whether the issuer approves. arc is the response code
// that the card gets as 8A. Errors: *ElementError, ErrScheme, ErrKey.
func IssuerResponse(de55 List, sk []byte, ac [8]byte, arc [2]byte, approved bool) ([]byte, error) {
	s, _, err := schemeIn(de55)
	if err != nil {
		return nil, err
	}
	return s.Response(sk, ac, arc, approved)
}

// element finds a data element of one exact length.
func (l List) element(tag uint32, length int) ([]byte, error) {
	value, ok := l.Find(tag)
	if !ok || len(value) != length {
		return nil, &ElementError{tag}
	}
	return value, nil
}
