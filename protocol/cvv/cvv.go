// Package cvv computes card verification values as Visa and Mastercard define them (CVV, CVC): a
// three-digit proof, under two DES keys, of PAN, expiry and service code.
//
// Which value comes out depends on what goes in:
//
//	CVV, CVC     on the stripe: expiry YYMM and the card's own service code
//	iCVV         in the chip's track 2 equivalent data: expiry YYMM and ServiceICVV
//	CVV2, CVC2   printed on the card: expiry MMYY (Visa's order; some issuers use YYMM) and
//	             ServiceCVV2
//
// No error carries a key, a PAN or a value.
package cvv

import (
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/assay-hil/assay/protocol/tdes"
)

// Service codes that stand in for the card's.
const (
	ServiceCVV2 = "000"
	ServiceICVV = "999"
)

// Where the value stands in the discretionary data of track 2, in digits: after one digit of PIN verification
// key index and four of PIN verification value (ISO/IEC 7813, Visa's and Mastercard's layout).
const (
	Start  = 5
	Length = 3
)

// Limits of the inputs, in digits.
const (
	MaxPANLength  = 19
	expiryLength  = 4
	serviceLength = 3
	fieldLength   = 32 // of PAN, expiry and service code, filled with zeros
)

var (
	// ErrKey means that the key has not 16 bytes: CVK A and CVK B.
	ErrKey = errors.New("cvv: the key pair has 16 bytes")
	// ErrCard means that the PAN is not 1 to 19 digits, the expiry not 4, or the service code not 3.
	ErrCard = errors.New("cvv: bad PAN, expiry or service code")
	// ErrValue means that a card verification value is wrong.
	ErrValue = errors.New("cvv: wrong card verification value")
)

// Compute returns the three digits for a PAN, an expiry in the order that the value wants (see the
// package documentation) and a service code. key is CVK A‖CVK B, 16 bytes. Errors: ErrKey, ErrCard.
func Compute(key []byte, pan, expiry, service string) (string, error) {
	if len(key) != tdes.DoubleSize {
		return "", ErrKey
	}
	if len(pan) < 1 || len(pan) > MaxPANLength || len(expiry) != expiryLength ||
		len(service) != serviceLength || !decimal(pan+expiry+service) {
		return "", ErrCard
	}
	text := pan + expiry + service
	data, err := hex.DecodeString(text + strings.Repeat("0", fieldLength-len(text)))
	if err != nil {
		return "", ErrCard
	}
	block, err := tdes.Encrypt(key[:tdes.SingleSize], data[:tdes.BlockSize])
	if err != nil {
		return "", ErrKey
	}
	subtle.XORBytes(block, block, data[tdes.BlockSize:])
	if block, err = tdes.Encrypt(key, block); err != nil {
		return "", ErrKey
	}
	return decimalise(hex.EncodeToString(block)), nil
}

// Verify compares in constant time. Errors: ErrValue, and those of Compute.
func Verify(key []byte, pan, expiry, service, value string) error {
	want, err := Compute(key, pan, expiry, service)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(want), []byte(value)) != 1 {
		return ErrValue
	}
	return nil
}

// decimalise takes the first three decimal digits of a cipher block and, where it has fewer, its
// letters from the left, a as 0 to f as 5. Lower-case hexadecimal goes in.
func decimalise(digits string) string {
	var numbers, letters []byte
	for _, c := range []byte(digits) {
		if c <= '9' {
			numbers = append(numbers, c)
		} else {
			letters = append(letters, c-'a'+'0')
		}
	}
	return string(append(numbers, letters...)[:Length])
}

func decimal(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
