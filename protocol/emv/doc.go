// Package emv holds what a chip card, a terminal and an issuer must agree on: BER-TLV data (EMV
// Book 3 Annex B), data object lists (Book 3 §5.4), command and response APDUs (ISO/IEC 7816-4),
// application cryptograms and issuer scripts (Book 2, and Visa's VIS) and a card that computes and obeys them, and
// that decides and misbehaves as its data say (Profile).
//
// # Cryptogram versions
//
// Issuer application data (9F10) name the scheme by a cryptogram version number (CVN) of Visa. They
// have one of two layouts:
//
//	formats 0, 1, 3      format 2
//	1    06 length       1    1F length
//	2    key index       2    CVN 22 (hexadecimal)
//	3    CVN 0A or 12    3    key index
//	4-7  03 and CVR      4-8  CVR
//	8-   anything        9-32 anything
//
// A version says how the card's key comes from the issuer's, how the key of a transaction comes from
// that, what is padded how under ISO/IEC 9797-1 MAC algorithm 3, and how the issuer answers:
//
//	        card key   key of a transaction     data end with   padding    answer (tag 91)
//	CVN 10  option A   the card's               CVR             zeros      method 1: ARPC, code
//	CVN 18  option B   EMV common session key   all of 9F10     80, zeros  method 2: ARPC, CSU
//	CVN 22  option B   EMV common session key   all of 9F10     80, zeros  method 2: ARPC, CSU
//
// Options A and B (Book 2 A1.4) are the same for PANs of up to 16 digits. The data begin, in this
// order, with 9F02, 9F03, 9F1A, 95, 5F2A, 9A, 9C, 9F37 (what the terminal gave), 82 and 9F36. CSU is the
// card status update of EMV Book 3 annex C10; the one that is sent says whether the issuer approves.
//
// Issuer scripts are those of VIS for every version: see Messaging.
//
// # What a card does
//
// A Card has contacts (its own methods) and perhaps a contactless side (Field), with one memory. On contacts it goes the way of EMV
// Book 3: GET PROCESSING OPTIONS, records, GENERATE AC twice. In a field it answers GET PROCESSING OPTIONS with everything, cryptogram
// included (EMV Contactless Book C-3). Issuing gives it certificates for offline data authentication, which is in package oda.
//
// A card or issuer that computes with these functions works with test keys only. No error of this
// package carries a data element's value.
package emv
