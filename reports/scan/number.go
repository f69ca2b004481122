package scan

import (
	"bytes"
	"encoding/hex"
	"strings"
)

// Lengths of a card number, ISO/IEC 7812-1.
const (
	shortest = 13
	longest  = 19
)

// known is a card that is known, in the forms in which it is looked for.
type known struct {
	pan    string
	packed [2][]byte // at the two nibbles: whole bytes only
	edge   [2]byte   // at the odd nibble: the first and the last digit
	blocks [][]byte  // PIN blocks in clear
}

func knownOf(c Card) known {
	k := known{pan: c.PAN}
	pan := c.PAN
	if len(pan)%2 == 1 {
		pan = pan[:len(pan)-1] // the last digit shares its byte with a pad
	}
	k.packed[0], _ = hex.DecodeString(pan)
	inner := c.PAN[1:]
	inner = inner[:len(inner)&^1]
	if len(c.PAN)%2 == 0 {
		inner = c.PAN[1 : len(c.PAN)-1]
	}
	k.packed[1], _ = hex.DecodeString(inner)
	k.edge[0] = c.PAN[0] - '0'
	if n := len(c.PIN); n >= 4 && n <= 12 {
		fill := strings.Repeat("F", 14-n)
		clear2, err2 := hex.DecodeString("2" + string("0123456789ABC"[n]) + c.PIN + fill)
		clear0, err0 := hex.DecodeString("0" + string("0123456789ABC"[n]) + c.PIN + fill)
		account, err := hex.DecodeString("0000" + c.PAN[len(c.PAN)-13:len(c.PAN)-1])
		if err0 == nil && err2 == nil && err == nil {
			k.blocks = append(k.blocks, clear2, clear0)
			mixed := bytes.Clone(clear0)
			for i := range mixed {
				mixed[i] ^= account[i]
			}
			k.blocks = append(k.blocks, mixed)
		}
	}
	return k
}

// knows says whether one of the known card numbers is anywhere in these digits.
func (s *Scanner) knows(digits []byte) bool {
	first := 0 // the last six digits as a number
	for i, d := range digits {
		first = (first*10 + int(d-'0')) % issuers
		if i < issuerDigits-1 || s.issuers[first/64]&(1<<(first%64)) == 0 {
			continue
		}
		rest := digits[i-issuerDigits+1:]
		for n := range s.cards {
			if pan := s.cards[n].pan; len(pan) <= len(rest) && string(rest[:len(pan)]) == pan {
				return true
			}
		}
	}
	return false
}

// A card number's first six digits name its issuer (ISO/IEC 7812-1); most digits on a page begin none of a known card's.
const (
	issuerDigits = 6
	issuers      = 1_000_000
)

// know puts a card to those that are looked for.
func (s *Scanner) know(c known) {
	s.cards = append(s.cards, c)
	first := 0
	for _, d := range c.pan[:issuerDigits] {
		first = (first*10 + int(d-'0')) % issuers
	}
	s.issuers[first/64] |= 1 << (first % 64)
}

// plausible says whether digits could be a card number by themselves: check digit, and a scheme that issues numbers that
// begin and are as long so.
func plausible(d []byte) bool { return issued(d) && luhn(d) }

// luhn is the check of ISO/IEC 7812-1, annex B.
func luhn(d []byte) bool {
	sum := 0
	for i, c := range d {
		n := int(c - '0')
		if (len(d)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// scheme is a range of first digits and the lengths of the numbers that begin so.
type scheme struct {
	low, high string
	lengths   []int
}

// schemes are the ranges in use, as the schemes publish them.
var schemes = []scheme{
	{"4", "4", []int{13, 16, 18, 19}},                // Visa
	{"51", "55", []int{16}},                          // Mastercard
	{"2221", "2720", []int{16}},                      // Mastercard
	{"34", "34", []int{15}}, {"37", "37", []int{15}}, // American Express
	{"62", "62", []int{16, 17, 18, 19}}, {"81", "81", []int{16, 17, 18, 19}}, // UnionPay
	{"60", "60", []int{16}}, {"9", "9", []int{16, 17, 18, 19}}, // domestic schemes: RuPay, Chinese debit
	{"6011", "6011", []int{16, 19}}, {"644", "659", []int{16, 19}}, // Discover
	{"3528", "3589", []int{16, 19}},                                                         // JCB
	{"300", "305", []int{14, 16}}, {"36", "36", []int{14, 16}}, {"38", "39", []int{14, 16}}, // Diners Club
	{"50", "50", []int{13, 14, 15, 16, 17, 18, 19}}, {"56", "58", []int{13, 14, 15, 16, 17, 18, 19}}, {"67", "67", []int{13, 14, 15, 16, 17, 18, 19}}, // Maestro
}

func issued(d []byte) bool {
	for _, s := range schemes {
		if len(d) < len(s.low) {
			continue
		}
		first := string(d[:len(s.low)])
		if first < s.low || first > s.high {
			continue
		}
		for _, n := range s.lengths {
			if n == len(d) {
				return true
			}
		}
	}
	return false
}
