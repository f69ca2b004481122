package kernel

// TVR is the terminal verification results (95; Book 3 annex C5).
type TVR [5]byte

// Bit names a bit of TVR or TSI: the byte's number from 0 in the upper byte, the bit's mask in the lower.
type Bit uint16

// The bits of the TVR.
const (
	NoODA           Bit = 0x0080 // offline data authentication was not performed
	SDAFailed       Bit = 0x0040
	DataMissing     Bit = 0x0020 // ICC data missing
	OnException     Bit = 0x0010 // card appears on terminal exception file
	DDAFailed       Bit = 0x0008
	CDAFailed       Bit = 0x0004
	SDASelected     Bit = 0x0002
	VersionsDiffer  Bit = 0x0180
	Expired         Bit = 0x0140
	NotYetEffective Bit = 0x0120
	NotAllowed      Bit = 0x0110 // requested service not allowed for card product
	NewCard         Bit = 0x0108
	CVMFailed       Bit = 0x0280 // cardholder verification was not successful
	CVMUnknown      Bit = 0x0240 // unrecognised CVM
	PINTries        Bit = 0x0220 // PIN try limit exceeded
	PINPadFailed    Bit = 0x0210 // PIN entry required and PIN pad not present or not working
	PINNotEntered   Bit = 0x0208 // PIN entry required, PIN pad present, but PIN was not entered
	OnlinePINGiven  Bit = 0x0204 // online PIN entered
	OverFloor       Bit = 0x0380 // transaction exceeds floor limit
	OverLower       Bit = 0x0340 // lower consecutive offline limit exceeded
	OverUpper       Bit = 0x0320 // upper consecutive offline limit exceeded
	Drawn           Bit = 0x0310 // selected randomly for online processing
	Forced          Bit = 0x0308 // merchant forced transaction online
	IssuerFailed    Bit = 0x0440 // issuer authentication failed
	ScriptBefore    Bit = 0x0420 // script processing failed before final GENERATE AC
	ScriptAfter     Bit = 0x0410 // script processing failed after final GENERATE AC
)

func (t *TVR) set(b Bit) { t[b>>8] |= byte(b) }

// Has says whether a bit is set.
func (t TVR) Has(b Bit) bool { return t[b>>8]&byte(b) != 0 }

// meets says whether any bit is set in both.
func (t TVR) meets(mask [5]byte) bool {
	for i := range t {
		if t[i]&mask[i] != 0 {
			return true
		}
	}
	return false
}

// TSI is the transaction status information (9B; Book 3 annex C6).
type TSI [2]byte

// The bits of the TSI.
const (
	DidODA          Bit = 0x0080
	DidCVM          Bit = 0x0040
	DidCardRisk     Bit = 0x0020
	DidIssuerAuth   Bit = 0x0010
	DidTerminalRisk Bit = 0x0008
	DidScripts      Bit = 0x0004
)

func (t *TSI) set(b Bit) { t[b>>8] |= byte(b) }

// Has says whether a bit is set.
func (t TSI) Has(b Bit) bool { return t[b>>8]&byte(b) != 0 }

// Bits of byte 1 of the AIP (82; Book 3 annex C1).
const (
	aipSDA          = 0x40
	aipDDA          = 0x20
	aipCVM          = 0x10
	aipTerminalRisk = 0x08
	aipIssuerAuth   = 0x04 // by EXTERNAL AUTHENTICATE
	aipCDA          = 0x01
)

// Bits of the terminal capabilities (9F33; Book 4 annex A2), by byte.
const (
	canPlaintextPIN = 0x80 // byte 2
	canOnlinePIN    = 0x40
	canSignature    = 0x20
	canOfflinePIN   = 0x10 // enciphered
	canNoCVM        = 0x08
	canSDA          = 0x80 // byte 3
	canDDA          = 0x40
	canCDA          = 0x08
)
