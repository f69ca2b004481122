package oda

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"strings"
	"time"
)

// Subject is whom a certificate is for.
type Subject struct {
	Number string // issuer: 3 to 8 leftmost digits of the PAN; card: the PAN
	Expiry string // YYMM, the last month
	Serial [3]byte
}

// CertifyIssuer makes an issuer's certificate; k is the authority's key (EMV Book 2 Table 1). Errors: ErrKey, ErrArgument.
func (k *PrivateKey) CertifyIssuer(s Subject, issuer PublicKey) (Certificate, error) {
	const least, most = 3, 2 * identifier
	if len(s.Number) < least || len(s.Number) > most {
		return Certificate{}, ErrArgument
	}
	return k.certify(formatIssuer, identifier, s, issuer, nil)
}

// CertifyCard makes a card's certificate; k is the issuer's key (EMV Book 2 Table 9). static as for Card.
// Errors: ErrKey, ErrArgument.
func (k *PrivateKey) CertifyCard(s Subject, card PublicKey, static []byte) (Certificate, error) {
	return k.certify(formatCard, panSize, s, card, static)
}

func (k *PrivateKey) certify(format byte, width int, s Subject, key PublicKey, static []byte) (Certificate, error) {
	number, err := hex.DecodeString(s.Number + strings.Repeat("F", max(2*width-len(s.Number), 0)))
	_, month := time.Parse("0601", s.Expiry)
	if err != nil || len(number) != width || month != nil {
		return Certificate{}, ErrArgument
	}
	expiry, _ := hex.DecodeString(s.Expiry[2:] + s.Expiry[:2]) // time.Parse has seen that they are digits
	if !key.valid() {
		return Certificate{}, ErrKey
	}
	exponent := key.ExponentBytes()
	about := []byte{sha1Hash, rsaSignature, byte(len(key.Modulus)), byte(len(exponent))}
	body := bytes.Join([][]byte{number, expiry, s.Serial[:], about}, nil)
	room := len(k.Modulus) - frameSize - len(body)
	if room < 0 {
		return Certificate{}, ErrKey
	}
	n := min(room, len(key.Modulus))
	c := Certificate{Remainder: append([]byte{}, key.Modulus[n:]...), Exponent: exponent}
	body = append(append(body, key.Modulus[:n]...), bytes.Repeat([]byte{filler}, room-n)...)
	c.Data = k.seal(format, body, c.Remainder, exponent, static)
	return c, nil
}

// seal signs a body that fills the key, with a hash over it and what follows it.
func (k *PrivateKey) seal(format byte, body []byte, parts ...[]byte) []byte {
	sum := sha1.Sum(append(append([]byte{format}, body...), bytes.Join(parts, nil)...))
	return k.sign(bytes.Join([][]byte{{header, format}, body, sum[:], {trailer}}, nil))
}

// SignStatic makes the signed static application data (tag 93); k is the issuer's key (EMV Book 2 Table 2).
func (k *PrivateKey) SignStatic(code [2]byte, static []byte) []byte {
	body := append([]byte{sha1Hash, code[0], code[1]}, bytes.Repeat([]byte{filler}, len(k.Modulus)-frameSize-3)...)
	return k.seal(formatStatic, body, static)
}

// SignDynamic makes the signature of INTERNAL AUTHENTICATE (tag 9F4B); k is the card's key (EMV Book 2 Table 15). number has
// 2 to 8 bytes. Error: ErrArgument.
func (k *PrivateKey) SignDynamic(number, terminal []byte) ([]byte, error) {
	return k.signDynamic(number, nil, terminal)
}

// SignCombined makes the signature of GENERATE AC (tag 9F4B, EMV Book 2 Tables 18 and 19); transaction as for VerifyCombined.
// Error: ErrArgument.
func (k *PrivateKey) SignCombined(c Combined, unpredictable, transaction []byte) ([]byte, error) {
	sum := sha1.Sum(transaction)
	return k.signDynamic(c.Number, bytes.Join([][]byte{{c.CID}, c.Cryptogram[:], sum[:]}, nil), unpredictable)
}

func (k *PrivateKey) signDynamic(number, more, terminal []byte) ([]byte, error) {
	dynamic := append(append([]byte{byte(len(number))}, number...), more...)
	room := len(k.Modulus) - frameSize - 2 - len(dynamic)
	if len(number) < minNumber || len(number) > maxNumber || room < 0 {
		return nil, ErrArgument
	}
	body := append(append([]byte{sha1Hash, byte(len(dynamic))}, dynamic...), bytes.Repeat([]byte{filler}, room)...)
	return k.seal(formatSigned, body, terminal), nil
}
