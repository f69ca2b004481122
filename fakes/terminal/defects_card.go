package terminal

import "github.com/assay-hil/assay/fakes/terminal/kernel"

// The bugs of stripe, chip and contactless reader that are the terminal's own; the others are the kernel's.
const (
	defectLRCUnchecked    = "lrc-unchecked"
	defectServiceCode     = "service-code-ignored"
	defectFallbackUnasked = "fallback-without-chip"
	defectFallbackMode    = "fallback-entry-mode"
	defectAACKept         = "aac-after-approval-kept"
	defectTwoCards        = "two-cards-first-charged"
	defectOfflineAny      = "offline-authorisation"
)

// cardDefects are the bugs of stripe, chip and contactless reader.
func cardDefects() []Defect {
	return append(chipDefects(), []Defect{
		{
			Name: defectLRCUnchecked, Group: groupCard,
			What: "the check symbol of track 2 is not compared: a stripe with two wrong bits is read as another card's number",
			Rule: "ISO/IEC 7811-2 §10.3: a track whose LRC is wrong was not read",
			Seen: "readers that report LRC errors beside the data, and applications that take the data (MsrTrackErrorType)",
		},
		{
			Name: defectServiceCode, Group: groupCard,
			What: "the stripe of a chip card is taken at once: skimmed stripes of chip cards buy",
			Rule: "ISO/IEC 7813 service code 2xx, 6xx: the chip is to be used where possible",
			Seen: "the check is commented out in a published UnionPay terminal source (LiaoYang_POS, getcard.c)",
		},
		{
			Name: defectFallbackUnasked, Group: groupCard,
			What: "a chip card's stripe is taken as fallback although its chip was never tried",
			Rule: "fallback only after a chip attempt failed, in the same sale",
			Seen: "merchants with more than 2 % fallback, which the US Payments Forum (2016) takes for a sign of a fault or of fraud",
		},
		{
			Name: defectFallbackMode, Group: groupCard,
			What: "fallback is sent as a plain swipe: the issuer can't see that a chip card went without its chip",
			Rule: "DE22 80 (or 02 with the chip condition in DE60) on fallback",
			Seen: "named in acquirers' certification scripts; no public report read",
		},
		{
			Name: defectAACKept, Group: groupCard,
			What: "a card that refuses (AAC) after the host approved is not heard: the sale stands, without reversal",
			Rule: "EMV Book 3 §10.8: the card's second cryptogram decides; an approved sale that the card refuses is reversed",
			Seen: "processors' documents on \"approved by host, declined by card\" reversals (myPOS TR-11)",
		},
		{
			Name: defectTwoCards, Group: groupCard,
			What: "of two cards in the field the first that answers is charged",
			Rule: "EMV Contactless Book A §5: with more than one card the reader asks for one card only",
			Seen: "card clash in transit gates, known to every passenger with two cards in a purse",
		},
		{
			Name: defectOfflineAny, Group: groupCard,
			What: "a card may approve a pre-authorisation by itself: it gives no request cryptogram, and the host is to hold money by an approval",
			Rule: "EMV Book 4 §6.3.1: what must be decided by the issuer is forced online; only a purchase may be approved without the host",
		},
	}...)
}

// chipDefects are the kernel's.
func chipDefects() []Defect {
	return append(contactDefects(), []Defect{
		{
			Name: kernel.DefectCVMLimit, Group: groupCard,
			What: "in the field no PIN is asked for, whatever the amount: a stolen card buys without end",
			Rule: "EMV Contactless Book A: above the CVM required limit the cardholder is verified",
			Seen: "researchers' reports on contactless limits bypassed by the reader's qualifiers (2019, 2020)",
		},
		{
			Name: kernel.DefectContactlessLimit, Group: groupCard,
			What: "amounts above the contactless limit are taken in the field",
			Rule: "EMV Contactless Book A: above the transaction limit the field is not used",
		},
		{
			Name: kernel.DefectContactlessExpiry, Group: groupCard,
			What: "the expiry date of a card in the field is not looked at",
			Rule: "EMV Contactless Book C-3 §5.5: an expired application is declined unless the card wants it online",
			Seen: "published terminal source checks it in one place only (LiaoYang_POS, qpbocProc.c)",
		},
		{
			Name: kernel.DefectTornCharged, Group: groupCard,
			What: "a card that left before its records were read is charged with what it said so far, and again when it is presented again",
			Rule: "EMV Contactless Book B: a pass that was torn is begun anew; nothing of it goes to the host",
			Seen: "double charges after \"present card again\" in transit and vending",
		},
	}...)
}

func contactDefects() []Defect {
	all := []Defect{
		{kernel.DefectAppOrder, groupCard, "the card's applications are offered with the lowest priority first", "EMV Book 1 §12.4: in the order of the application priority indicator", "debit routed as credit on cards with two brands"},
		{kernel.DefectBlockedUsed, groupCard, "an application that the issuer blocked is used all the same", "EMV Book 1 §12.3: SELECT answered with 6283 takes it off the candidate list", ""},
		{kernel.DefectGPORefusal, groupCard, "a refusal of GET PROCESSING OPTIONS (6985) ends the reading instead of trying the next application", "EMV Book 3 §10.1: the application is removed and selection goes on", "multi-brand cards that work everywhere but on one model"},
		{kernel.DefectODAIgnored, groupCard, "a wrong signature of the card is not noted: a cloned or altered card passes", "EMV Book 3 §10.3: the failure goes into the TVR and the action codes", "cloned SDA and \"yes\" cards of the 2000s"},
		{kernel.DefectExpired, groupCard, "the application's expiry date is not compared with the day", "EMV Book 3 §10.4.3", "terminals whose clock had fallen back to its first year"},
		{kernel.DefectBypassBit, groupCard, "a bypassed PIN is noted as a broken PIN pad", "EMV Book 3 annex C5, TVR byte 3: bit 4 is PIN not entered, bit 5 is PIN pad not working", "mixed up in Level 2 test reports"},
		{kernel.DefectPINTries, groupCard, "the card's PIN try counter is ignored: the cardholder is asked for a PIN that the card does not check any more", "EMV Book 3 §10.5.1: at 0 the PIN is not asked for, and TVR byte 3 bit 6 is set", ""},
		{kernel.DefectExceptions, groupCard, "the exception file is not looked at", "EMV Book 4 §6.3.5: a listed card sets TVR byte 1 bit 5", "blacklists that were downloaded and never opened"},
		{kernel.DefectVelocity, groupCard, "the card's counters of consecutive offline sales are not checked", "EMV Book 3 §10.6.3", ""},
		{kernel.DefectFloorLimit, groupCard, "a sale of exactly the floor limit stays offline", "EMV Book 3 §10.6.1: equal to or greater than the floor limit", "off by one"},
		{kernel.DefectIssuerAuth, groupCard, "a card that rejects the issuer's proof is not noted", "EMV Book 3 §10.9: TVR byte 5 bit 7", "Chip and PIN relay and wedge research, where the answer was forged"},
		{kernel.DefectScriptPhase, groupCard, "scripts 72 are run before the second cryptogram and 71 after it", "EMV Book 3 §10.10: 71 before, 72 after the final GENERATE AC", ""},
		{kernel.DefectScriptResult, groupCard, "the results of issuer scripts are dropped: the issuer never learns that its card was unblocked or not", "EMV Book 4 annex A5; UnionPay 0620", "issuers that send the same script with every sale"},
		{kernel.DefectStaleCDOL, groupCard, "the second GENERATE AC gets the data of the first: the card does not hear that the issuer failed to prove itself", "EMV Book 3 §9.2.2: CDOL2 is filled with the values of now", "a buffer used twice"},
		{kernel.DefectRemovalUnnoticed, groupCard, "a card that is gone when the host approves is not missed: the sale is approved without its cryptogram", "EMV Book 4 §12.2: the removal of the card cancels the sale; the host is told by a reversal", "Windcave E2, ANZ \"CARD REMOVED\" in operator guides"},
	}
	return all
}
