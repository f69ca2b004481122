package emv

// Tags of the data objects in use (EMV Book 3 Annex A).
const (
	TagADFName           uint32 = 0x4F   // name of an application in a directory (AID)
	TagLabel             uint32 = 0x50   // application label
	TagTrack2            uint32 = 0x57   // track 2 equivalent data
	TagPAN               uint32 = 0x5A   // application PAN, cn
	TagEntry             uint32 = 0x61   // directory entry, application template
	TagFCI               uint32 = 0x6F   // file control information template
	TagRecord            uint32 = 0x70   // READ RECORD template
	TagResponse2         uint32 = 0x77   // response template format 2
	TagResponse1         uint32 = 0x80   // response template format 1
	TagAIP               uint32 = 0x82   // application interchange profile
	TagCommand           uint32 = 0x83   // command template
	TagDFName            uint32 = 0x84   // dedicated file name (AID)
	TagPriority          uint32 = 0x87   // application priority indicator
	TagAuthorityIndex    uint32 = 0x8F   // certification authority public key index
	TagIssuerCertificate uint32 = 0x90   // issuer public key certificate
	TagIssuerRemainder   uint32 = 0x92   // issuer public key remainder
	TagSignedStatic      uint32 = 0x93   // signed static application data
	TagIssuerExponent    uint32 = 0x9F32 // issuer public key exponent
	TagDAC               uint32 = 0x9F45 // data authentication code, recovered by SDA
	TagCardCertificate   uint32 = 0x9F46 // ICC public key certificate
	TagCardExponent      uint32 = 0x9F47 // ICC public key exponent
	TagCardRemainder     uint32 = 0x9F48 // ICC public key remainder
	TagDDOL              uint32 = 0x9F49 // dynamic data authentication data object list
	TagStaticTags        uint32 = 0x9F4A // static data authentication tag list
	TagSignedDynamic     uint32 = 0x9F4B // signed dynamic application data
	TagDynamicNumber     uint32 = 0x9F4C // ICC dynamic number, recovered by DDA and CDA
	TagDirectorySFI      uint32 = 0x88   // short file identifier of the directory
	TagARC               uint32 = 0x8A   // authorisation response code
	TagCDOL1             uint32 = 0x8C   // card risk management data object list 1
	TagCDOL2             uint32 = 0x8D   // card risk management data object list 2
	TagCVMList           uint32 = 0x8E   // cardholder verification method list
	TagIssuerAuth        uint32 = 0x91   // issuer authentication data: ARPC and ARC
	TagAFL               uint32 = 0x94   // application file locator
	TagTVR               uint32 = 0x95   // terminal verification results
	TagDate              uint32 = 0x9A   // transaction date, YYMMDD
	TagTSI               uint32 = 0x9B   // transaction status information
	TagType              uint32 = 0x9C   // transaction type
	TagProprietary       uint32 = 0xA5   // FCI proprietary template
	TagName              uint32 = 0x5F20 // cardholder name
	TagExpiry            uint32 = 0x5F24 // application expiration date, YYMMDD
	TagEffective         uint32 = 0x5F25 // application effective date, YYMMDD
	TagIssuerCountry     uint32 = 0x5F28 // issuer country code
	TagCurrency          uint32 = 0x5F2A // transaction currency code
	TagLanguages         uint32 = 0x5F2D // language preference
	TagService           uint32 = 0x5F30 // service code
	TagSequence          uint32 = 0x5F34 // PAN sequence number
	TagAmount            uint32 = 0x9F02 // amount, authorised
	TagAmountOther       uint32 = 0x9F03 // amount, other
	TagAUC               uint32 = 0x9F07 // application usage control
	TagCardVersion       uint32 = 0x9F08 // application version number of the card
	TagIACDefault        uint32 = 0x9F0D // issuer action code, default
	TagIACDenial         uint32 = 0x9F0E // issuer action code, denial
	TagIACOnline         uint32 = 0x9F0F // issuer action code, online
	TagIAD               uint32 = 0x9F10 // issuer application data
	TagCodeTable         uint32 = 0x9F11 // issuer code table index
	TagPreferred         uint32 = 0x9F12 // application preferred name
	TagLastOnline        uint32 = 0x9F13 // last online ATC register
	TagLowerOffline      uint32 = 0x9F14 // lower consecutive offline limit
	TagPINTries          uint32 = 0x9F17 // PIN try counter
	TagTerminalCountry   uint32 = 0x9F1A // terminal country code
	TagUpperOffline      uint32 = 0x9F23 // upper consecutive offline limit
	TagCryptogram        uint32 = 0x9F26 // application cryptogram
	TagCID               uint32 = 0x9F27 // cryptogram information data
	TagCapabilities      uint32 = 0x9F33 // terminal capabilities
	TagCVMResults        uint32 = 0x9F34 // CVM results
	TagTerminalType      uint32 = 0x9F35 // terminal type
	TagATC               uint32 = 0x9F36 // application transaction counter
	TagUnpredictable     uint32 = 0x9F37 // unpredictable number
	TagPDOL              uint32 = 0x9F38 // processing options data object list
	TagAppCurrency       uint32 = 0x9F42 // application currency code
	TagFunds             uint32 = 0x9F5D // available offline spending amount
	TagTTQ               uint32 = 0x9F66 // terminal transaction qualifiers
	TagCardAuth          uint32 = 0x9F69 // card authentication related data
	TagCTQ               uint32 = 0x9F6C // card transaction qualifiers
	TagLowerLimit        uint32 = 0x9F58 // the card's own lower limit of approvals in a row (VIS)
	TagUpperLimit        uint32 = 0x9F59 // the card's own upper limit (VIS)
	TagIssuerData        uint32 = 0xBF0C // FCI issuer discretionary data
)

// tagSize is the number of bytes that a tag is written with.
func tagSize(tag uint32) int {
	switch {
	case tag > 0xFFFFFF:
		return 4
	case tag > 0xFFFF:
		return 3
	case tag > 0xFF:
		return 2
	}
	return 1
}

// constructed reports whether a tag's value is itself a TLV list (bit 6 of its first byte).
func constructed(tag uint32) bool {
	first := byte(tag >> (8 * (tagSize(tag) - 1)))
	return first&0x20 != 0
}
