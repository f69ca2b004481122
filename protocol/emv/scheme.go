package emv

import (
	"errors"
	"fmt"
)

// Cryptogram version numbers of Visa, as issuer application data (9F10) hold them. The last is
// written 22 in hexadecimal, as Visa names it.
const (
	CVN10 byte = 0x0A
	CVN18 byte = 0x12
	CVN22 byte = 0x22
)

// Layouts of issuer application data.
const (
	iadShortBody  = 0x06 // formats 0, 1 and 3: length of what always follows
	iadShortSize  = 7    // with the length itself and without issuer discretionary data
	iadShortCVN   = 2
	iadShortCVR   = 3
	iadLongBody   = 0x1F // format 2
	iadLongSize   = 32
	iadLongCVN    = 1
	iadLongCVR    = 3
	cvrShortBody  = 0x03 // length byte of the CVR in formats 0, 1 and 3
	cvrShortSize  = 4    // with its length byte
	derivationKey = 0x01 // key index of the test cards
)

// csuApproves is the bit of a card status update's second byte that says that the issuer approves
// the transaction (EMV Book 3 annex C10).
const csuApproves = 0x80

// ErrScheme means that issuer application data name a cryptogram version that is none of Schemes.
var ErrScheme = errors.New("emv: unknown cryptogram version; known are 10, 18 and 22")

// Scheme is how cards of one cryptogram version derive keys and compute cryptograms: see the table
// in the package documentation.
type Scheme struct {
	// CVN is the cryptogram version number: CVN10, CVN18 or CVN22.
	CVN byte
}

// SchemeOf returns the scheme that issuer application data (9F10) name. Errors: *ElementError when
// they have neither layout of the package documentation, ErrScheme.
func SchemeOf(iad []byte) (Scheme, error) {
	switch {
	case len(iad) >= iadShortSize && iad[0] == iadShortBody && iad[iadShortCVR] == cvrShortBody:
		if v := iad[iadShortCVN]; v == CVN10 || v == CVN18 {
			return Scheme{v}, nil
		}
	case len(iad) == iadLongSize && iad[0] == iadLongBody:
		if iad[iadLongCVN] == CVN22 {
			return Scheme{CVN22}, nil
		}
	default:
		return Scheme{}, &ElementError{TagIAD}
	}
	return Scheme{}, ErrScheme
}

// String is the version as Visa writes it.
func (s Scheme) String() string {
	switch s.CVN {
	case CVN10, CVN18:
		return fmt.Sprintf("CVN %d", s.CVN)
	}
	return fmt.Sprintf("CVN %X", s.CVN)
}

// CardKey derives a card's key from the issuer's: by option A for CVN 10, by option B otherwise.
// Errors: ErrKey, ErrAccount.
func (s Scheme) CardKey(imk []byte, pan, psn string) ([]byte, error) {
	if s.CVN == CVN10 {
		return ICCMasterKey(imk, pan, psn)
	}
	return ICCMasterKeyB(imk, pan, psn)
}

// SessionKey is the key of one transaction's cryptograms: for CVN 10 the card's own, otherwise the
// EMV common session key of the transaction counter. Error: ErrKey.
func (s Scheme) SessionKey(card []byte, atc [2]byte) ([]byte, error) {
	if len(card) != keySize {
		return nil, ErrKey
	}
	if s.CVN == CVN10 {
		return card, nil
	}
	return SessionKey(card, [8]byte{atc[0], atc[1]})
}

// Data lines up what a cryptogram covers: elements of l, then of iad the CVR for CVN 10 and
// everything otherwise. Errors: *ElementError.
func (s Scheme) Data(l List, iad []byte) ([]byte, error) {
	elements := [...]DOLEntry{
		{TagAmount, 6}, {TagAmountOther, 6}, {TagTerminalCountry, 2}, {TagTVR, 5}, {TagCurrency, 2},
		{TagDate, 3}, {TagType, 1}, {TagUnpredictable, 4}, {TagAIP, 2}, {TagATC, 2},
	}
	var data []byte
	for _, e := range elements {
		value, err := l.element(e.Tag, e.Length)
		if err != nil {
			return nil, err
		}
		data = append(data, value...)
	}
	if s.CVN != CVN10 {
		return append(data, iad...), nil
	}
	if len(iad) < iadShortSize {
		return nil, &ElementError{TagIAD}
	}
	return append(data, iad[iadShortCVR:iadShortCVR+cvrShortSize]...), nil
}

// Cryptogram is the MAC over Data: padded with zeros only for CVN 10, by padding method 2
// otherwise. Error: ErrKey.
func (s Scheme) Cryptogram(sk, data []byte) ([8]byte, error) {
	if s.CVN == CVN10 {
		return seal(sk, data)
	}
	return Cryptogram(sk, data)
}

// Response returns the value of tag 91: by ARPC method 1 for CVN 10 (8 bytes and the response
// code), by method 2 otherwise (4 bytes and a card status update of 4). sk is the key of
// VerifyARQC. Error: ErrKey.
func (s Scheme) Response(sk []byte, ac [8]byte, arc [2]byte, approved bool) ([]byte, error) {
	if s.CVN == CVN10 {
		arpc, err := ResponseCryptogram(sk, ac, arc)
		if err != nil {
			return nil, err
		}
		return append(arpc[:], arc[:]...), nil
	}
	csu := statusUpdate(approved)
	arpc, err := ResponseCryptogram2(sk, ac, csu, nil)
	if err != nil {
		return nil, err
	}
	return append(arpc[:], csu[:]...), nil
}

// statusUpdate is a card status update that says whether the issuer approves, and nothing else.
func statusUpdate(approved bool) (csu [4]byte) {
	if approved {
		csu[1] = csuApproves
	}
	return csu
}

// compute makes a cryptogram and returns it with its key.
func (s Scheme) compute(card []byte, l List, iad []byte) (sk []byte, ac [8]byte, err error) {
	data, err := s.Data(l, iad)
	if err != nil {
		return nil, ac, err
	}
	atc, err := l.element(TagATC, 2)
	if err != nil {
		return nil, ac, err
	}
	if sk, err = s.SessionKey(card, [2]byte(atc)); err != nil {
		return nil, ac, err
	}
	ac, err = s.Cryptogram(sk, data)
	return sk, ac, err
}

// proves says whether the value of tag 91 is of an issuer that has the key, and whether it approves.
// Method 1 leaves the approval to the response code, which the terminal knows.
func (s Scheme) proves(data, sk []byte, ac [8]byte) (genuine, approves bool) {
	if s.CVN == CVN10 {
		want, err := ResponseCryptogram(sk, ac, [2]byte(data[8:]))
		return err == nil && equal(want[:], data[:8]), true
	}
	want, err := ResponseCryptogram2(sk, ac, [4]byte(data[4:8]), data[8:])
	return err == nil && equal(want[:], data[:4]), data[5]&csuApproves != 0
}

// Lengths of tag 91's value.
const (
	method1Size    = 10
	method2MinSize = 8
	method2MaxSize = method2MinSize + maxProprietary
)

// fits says whether a value of tag 91 has a length of the scheme.
func (s Scheme) fits(n int) bool {
	if s.CVN == CVN10 {
		return n == method1Size
	}
	return n >= method2MinSize && n <= method2MaxSize
}

// proofSize is how long tag 91 is in a CDOL2: that of method 1, or of method 2 without proprietary data.
func (s Scheme) proofSize() int {
	if s.CVN == CVN10 {
		return method1Size
	}
	return method2MinSize
}
