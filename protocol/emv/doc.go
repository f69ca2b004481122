// Package emv holds what a chip card, a terminal and an issuer must agree on: BER-TLV data (EMV
// Book 3 Annex B), data object lists (Book 3 §5.4), command and response APDUs (ISO/IEC 7816-4),
// application cryptograms (Book 2) and a contact card that computes them.
//
// # The cryptogram of the test cards
//
// Issuer application data (9F10) has the layout of Visa's VIS with cryptogram version number 10:
//
//	byte 1    06        length of what follows
//	byte 2    01        derivation key index
//	byte 3    0A        cryptogram version number (10)
//	byte 4-7  03 xxxxxx card verification results (CVR), its length byte included
//
// The data under the cryptogram are those of CVN 10, in this order: 9F02, 9F03, 9F1A, 95, 5F2A,
// 9A, 9C, 9F37 (what the terminal gave), 82, 9F36 and the four bytes of the CVR.
//
// The key is the EMV common session key of the ATC (SessionKey with R = ATC‖000000000000) and the
// padding is ISO/IEC 9797-1 method 2; the response cryptogram is method 1 under the same session
// key. In this the scheme differs from Visa's own CVN 10, which uses the card's key itself and
// pads with zeros only. Card and issuer here agree on it, but these functions do not verify the
// cryptograms of real CVN 10 cards.
//
// A card or issuer that computes with these functions works with test keys only. No error of this
// package carries a data element's value.
package emv
