package emv

// Bits of the card verification results, as VIS has them in formats 0, 1 and 3 and EMV Book 3 annex C7.3 in format
// 2. The first result byte begins with the types: bits 8-7 that of the second cryptogram (10: not asked for yet), bits
// 6-5 that of the first.
const (
	cvrSecondNone byte = 0x80

	// VIS, first byte of results.
	cvrAuthFailed byte = 0x08
	cvrPINTried   byte = 0x04
	cvrPINFailed  byte = 0x02
	// VIS, second byte.
	cvrPINBlocked byte = 0x40
	cvrOverLimit  byte = 0x20
	// VIS, third byte: the number of script commands in bits 8-5.
	cvrScriptFailed byte = 0x08
	cvrDynamic      byte = 0x02 // the card has signed

	// Format 2, first byte.
	ccdAuthFailed byte = 0x01
	ccdDynamic    byte = 0x04
	ccdCombined   byte = 0x08
	// Format 2, second byte: the tries left in bits 8-5.
	ccdPINTried   byte = 0x08
	ccdPINFailed  byte = 0x04
	ccdPINBlocked byte = 0x02
	// Format 2, third byte.
	ccdOverLimit byte = 0x40
	// Format 2, fourth byte: the number of script commands in bits 8-5.
	ccdScriptFailed byte = 0x08
)

// results are what a card tells its issuer about the transaction.
type results struct {
	types                                       byte
	authFailed, pinTried, pinFailed, pinBlocked bool
	hasPIN                                      bool
	tries                                       byte
	overLimit, dynamic, combined                bool
	scripts                                     scriptReport // of the transaction before
}

// scriptReport is what became of a transaction's script commands.
type scriptReport struct {
	done   byte // carried out
	failed bool
}

// maxScriptsDone is what four bits can count.
const maxScriptsDone = 15

func bit(is bool, mask byte) byte {
	if is {
		return mask
	}
	return 0
}

// issuerData builds the test card's issuer application data.
func (s Scheme) issuerData(r results) []byte {
	if s.CVN == CVN22 {
		iad := make([]byte, iadLongSize)
		copy(iad, []byte{iadLongBody, CVN22, derivationKey})
		copy(iad[iadLongCVR:], []byte{
			r.types | bit(r.authFailed, ccdAuthFailed) | bit(r.combined, ccdCombined) | bit(r.dynamic && !r.combined, ccdDynamic),
			bit(r.hasPIN, r.tries<<4) | bit(r.pinTried, ccdPINTried) | bit(r.pinFailed, ccdPINFailed) | bit(r.pinBlocked, ccdPINBlocked),
			bit(r.overLimit, ccdOverLimit),
			r.scripts.done<<4 | bit(r.scripts.failed, ccdScriptFailed),
		})
		return iad
	}
	return []byte{
		iadShortBody, derivationKey, s.CVN, cvrShortBody,
		r.types | bit(r.authFailed, cvrAuthFailed) | bit(r.pinTried, cvrPINTried) | bit(r.pinFailed, cvrPINFailed),
		bit(r.pinBlocked, cvrPINBlocked) | bit(r.overLimit, cvrOverLimit),
		r.scripts.done<<4 | bit(r.scripts.failed, cvrScriptFailed) | bit(r.dynamic, cvrDynamic),
	}
}
