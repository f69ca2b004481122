package emv

import "errors"

// Status words (ISO/IEC 7816-4, EMV Book 3 §6.3.5).
const (
	SWOK              uint16 = 0x9000
	SWBlocked         uint16 = 0x6283 // SELECT: the application is blocked
	SWAuthFailed      uint16 = 0x6300 // EXTERNAL AUTHENTICATE: the ARPC is wrong
	SWPINWrong        uint16 = 0x63C0 // VERIFY: wrong, with the tries left in the last digit
	SWWrongLength     uint16 = 0x6700
	SWSecureMessaging uint16 = 0x6988 // a script command's MAC is wrong
	SWPINBlocked      uint16 = 0x6983 // VERIFY: no tries were left
	SWConditions      uint16 = 0x6985 // not at this point of the transaction
	SWWrongData       uint16 = 0x6A80
	SWCardBlocked     uint16 = 0x6A81 // SELECT: the card is blocked (function not supported)
	SWFileNotFound    uint16 = 0x6A82
	SWRecordNotFound  uint16 = 0x6A83
	SWWrongP1P2       uint16 = 0x6A86
	SWDataNotFound    uint16 = 0x6A88
	SWWrongINS        uint16 = 0x6D00
	SWWrongCLA        uint16 = 0x6E00
	SWNoDiagnosis     uint16 = 0x6F00
)

// Instruction bytes; GET PROCESSING OPTIONS, GENERATE AC and GET DATA have class 80, the others 00. For those
// of scripts see INSApplicationBlock.
const (
	INSVerify               byte = 0x20
	INSExternalAuthenticate byte = 0x82
	INSGetChallenge         byte = 0x84
	INSInternalAuthenticate byte = 0x88
	INSSelect               byte = 0xA4
	INSGetProcessingOptions byte = 0xA8
	INSGenerateAC           byte = 0xAE
	INSReadRecord           byte = 0xB2
	INSGetData              byte = 0xCA
)

// Cryptogram types: P1 of GENERATE AC and the upper bits of the CID (9F27).
const (
	TypeAAC  byte = 0x00 // declined
	TypeTC   byte = 0x40 // approved
	TypeARQC byte = 0x80 // online authorisation wanted
	typeMask byte = 0xC0
)

// Limits of a short command APDU.
const (
	maxCommandData = 255
	maxExpected    = 256
)

// ErrResponse means that a card's answer has no status word.
var ErrResponse = errors.New("emv: response without a status word")

// BuildCommand returns a short command APDU (ISO/IEC 7816-4 §5.1). Lc is left out when there are
// no data. le is the number of bytes expected: negative leaves Le out, 0 and 256 give 00 (as many
// as there are). It returns nil when data are longer than 255 bytes or le is over 256.
func BuildCommand(cla, ins, p1, p2 byte, data []byte, le int) []byte {
	if len(data) > maxCommandData || le > maxExpected {
		return nil
	}
	command := []byte{cla, ins, p1, p2}
	if len(data) > 0 {
		command = append(command, byte(len(data)))
		command = append(command, data...)
	}
	if le >= 0 {
		command = append(command, byte(le))
	}
	return command
}

// SplitResponse separates a card's answer into data and status word. The data share r's memory.
// Error: ErrResponse.
func SplitResponse(r []byte) (data []byte, sw uint16, err error) {
	n := len(r) - 2
	if n < 0 {
		return nil, 0, ErrResponse
	}
	return r[:n:n], uint16(r[n])<<8 | uint16(r[n+1]), nil
}

// commandData returns the data of a short command APDU in any of the four cases. It reports
// false when Lc does not match, or when Le asks for a number of bytes: EMV terminals always ask
// for all (Le 00), and T=0 ones may leave Le to their transport.
func commandData(command []byte) ([]byte, bool) {
	if len(command) < 4 {
		return nil, false
	}
	body := command[4:]
	switch {
	case len(body) == 0:
		return nil, true
	case len(body) == 1:
		return nil, body[0] == 0
	case body[0] == 0: // extended length
		return nil, false
	}
	lc := int(body[0])
	switch len(body) {
	case 1 + lc:
		return body[1:], true
	case 2 + lc:
		return body[1 : 1+lc], body[1+lc] == 0
	}
	return nil, false
}
